import base64
import json
import os

import pytest

from standin import ROOT, Standin

RUNS = json.loads((ROOT / "models/taxi/runs.json").read_text())
BUCKET = "mlflow-models"
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/stream-model-duration:v1"
STACK = "ride-duration-prediction"
SHARD = "shardId-000000000000"
SEQUENCE = 49590338271490256608559692538361571095921575989136588898


@pytest.fixture(scope="session")
def aws(tmp_path_factory):
    """The stand-in, with both example runs' bundles in a bucket."""
    standin = Standin(tmp_path_factory.mktemp("aws"))
    s3 = standin.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for run in RUNS.values():
        for file in (ROOT / "models" / run).iterdir():
            s3.put_object(Bucket=BUCKET, Key=f"1/{run}/artifacts/onnx/{file.name}", Body=file.read_bytes())
    yield standin
    standin.close()


@pytest.fixture(scope="session")
def make_stack(aws):
    def make(name, **parameters):
        cloudformation = aws.client("cloudformation")
        given = {"ImageUri": IMAGE, "RunId": RUNS["forest"], "ModelBucket": BUCKET} | parameters
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=(ROOT / "deploy/template.yaml").read_text(),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
        )
        waiter = cloudformation.get_waiter("stack_create_complete")
        waiter.wait(StackName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 200})
        return {
            r["LogicalResourceId"]: r["PhysicalResourceId"]
            for r in cloudformation.describe_stack_resources(StackName=name)["StackResources"]
        }

    return make


@pytest.fixture
def stack(aws, make_stack):
    """The stack that the guide makes, and nothing left of it."""
    yield make_stack(STACK)
    remove(aws, STACK)


@pytest.fixture
def stack_with_bucket(aws, make_stack):
    """A stack whose dead letters go to a bucket of somebody's own."""
    s3, bucket = aws.client("s3"), "dead-letters"
    s3.create_bucket(Bucket=bucket)
    yield make_stack(
        "in-bucket", DeadLetterBucket=bucket, InputStreamName="rides", PredictionsStreamName="predictions"
    )
    remove(aws, "in-bucket")
    for file in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        s3.delete_object(Bucket=bucket, Key=file["Key"])
    s3.delete_bucket(Bucket=bucket)


def remove(aws, name):
    """Deletes a stack, and all streams, which it leaves."""
    cloudformation = aws.client("cloudformation")
    cloudformation.delete_stack(StackName=name)
    waiter = cloudformation.get_waiter("stack_delete_complete")
    waiter.wait(StackName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 200})
    for stream in aws.client("kinesis").list_streams()["StreamNames"]:
        aws.client("kinesis").delete_stream(StreamName=stream)


def take_away(aws, role, sid):
    """Takes one statement away from what the worker may do."""
    iam, policy = aws.client("iam"), {"RoleName": role, "PolicyName": "worker"}
    document = iam.get_role_policy(**policy)["PolicyDocument"]
    fewer = [s for s in document["Statement"] if s["Sid"] != sid]
    assert len(fewer) == len(document["Statement"]) - 1
    iam.put_role_policy(**policy, PolicyDocument=json.dumps(document | {"Statement": fewer}))


def event(*records, partition_key="1"):
    """An event of records of a stream, given as bytes."""
    return json.dumps(
        {
            "Records": [
                {
                    "kinesis": {
                        "partitionKey": partition_key,
                        "sequenceNumber": str(SEQUENCE + n),
                        "data": base64.b64encode(data).decode(),
                        "approximateArrivalTimestamp": 1545084650.987,
                    },
                    "eventID": f"{SHARD}:{SEQUENCE + n}",
                }
                for n, data in enumerate(records)
            ]
        }
    ).encode()


def shell(aws):
    """The environment of a person's shell: the pinned aws and jq, the stand-in, nothing of this make."""
    ours = {"PYTHONDONTWRITEBYTECODE", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "RUN_ID", "STACK_NAME"}
    given = {k: v for k, v in os.environ.items() if k not in ours and not k.startswith("AWS_")}
    return given | aws.environment() | {"PATH": f"{ROOT}/.build/shims:{os.environ['PATH']}"}
