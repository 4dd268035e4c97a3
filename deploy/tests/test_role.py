"""The role has what is used, and nothing else.

What the worker uses is derived twice: from its calls while it serves, and from the operations its packages
name. What the mapping uses is AWS's to say, and a list here.
"""

import json
import re
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path

import boto3
import pytest

from conftest import RUNS
from standin import REGION, ROOT

EVENT = (ROOT / "models/taxi/event.json").read_bytes()

# Lambda reads a stream in the role's name: AWS Lambda Developer Guide, "Process Amazon Kinesis Data Streams
# records with Lambda". Of AWS's list SubscribeToShard is for enhanced fan-out, and ListStreams, which is in
# AWSLambdaKinesisExecutionRole, names no stream: the mapping has its ARN.
MAPPING_READS = {
    "kinesis:DescribeStream",
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
}
# "Retain discarded batch records for a Kinesis Data Streams event source", for a queue.
MAPPING_REPORTS = {"sqs:SendMessage"}
# "Sending Lambda function logs to CloudWatch Logs"; the group is the stack's, so nothing has to create it.
LAMBDA_LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}

# SDK packages that look for credentials where the environment has none. In Lambda it has the role's.
CREDENTIALS = {"signin", "sso", "ssooidc", "sts"}
# IAM's action for an S3 operation, where its name is another one.
S3_ACTIONS = {
    "HeadObject": "GetObject",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadBucket": "ListBucket",
}


def statements(aws, role):
    """The role's statements, as the stack made them."""
    iam = aws.client("iam")
    found = []
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        found += iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]["Statement"]
    return found


def grants(aws, role):
    """{action: [ARN pattern]}"""
    granted = {}
    for statement in statements(aws, role):
        assert statement["Effect"] == "Allow" and set(statement) == {"Sid", "Effect", "Action", "Resource"}
        for action in listed(statement["Action"]):
            assert "*" not in action
            granted.setdefault(action, []).extend(listed(statement["Resource"]))
    return granted


def listed(value):
    return value if isinstance(value, list) else [value]


def recorded(aws, function):
    """The worker's calls for one event, from its start on."""
    aws.calls.clear()
    answer, log, failed = aws.invoke(function, EVENT)
    assert not failed, log.decode()
    assert json.loads(answer)["predictions"][0]["version"] == RUNS["forest"]
    return set(aws.calls)


def named():
    """The operations that the worker's packages name, as IAM actions."""
    listing = subprocess.run(
        [
            "go",
            "list",
            "-deps",
            "-f",
            '{{.ImportPath}}|{{.Dir}}|{{join .GoFiles ","}}|{{join .Imports ","}}',
            "./cmd/worker",
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    service = re.compile(r"github\.com/aws/aws-sdk-go-v2/(?:service|feature)/([a-z0-9]+)(?:/manager)?$")
    actions, linked = set(), set()
    for line in listing.splitlines():
        package, folder, files, imports = line.split("|")
        if m := service.match(package):
            linked.add(m[1])
        if not package.startswith("skiff/"):
            continue
        source = "".join(Path(folder, f).read_text() for f in files.split(","))
        for name in {m[1] for i in imports.split(",") if (m := service.match(i))}:
            operations = boto3.client(name, region_name=REGION).meta.service_model.operation_names
            for operation in operations:
                if re.search(rf"\b(New)?{operation}(Paginator)?\(", source):
                    actions.add(
                        f"{name}:{S3_ACTIONS.get(operation, operation) if name == 's3' else operation}"
                    )
    assert linked - CREDENTIALS == {a.partition(":")[0] for a in actions}, (
        "a service without an operation, or one unknown here"
    )
    return actions


def test_role_is_what_is_used(aws, stack):
    calls = recorded(aws, stack["Function"])
    used = {action for action, _ in calls}
    assert used == named(), "the calls made, and the operations in the source"
    granted = grants(aws, stack["Role"])
    assert set(granted) == used | MAPPING_READS | MAPPING_REPORTS | LAMBDA_LOGS
    for action, arn in calls:
        assert any(fnmatchcase(arn, pattern) for pattern in granted[action]), f"{action} on {arn}"


def test_role_is_for_these_resources(aws, stack):
    arn = "arn:aws:{}:us-east-1:000000000000:{}".format
    bundles = "arn:aws:s3:::mlflow-models/1/*/artifacts/onnx/*"
    wanted = {"kinesis:PutRecords": arn("kinesis", "stream/ride-predictions"), "s3:GetObject": bundles}
    wanted |= dict.fromkeys(MAPPING_READS, arn("kinesis", "stream/start-ride-events"))
    wanted |= dict.fromkeys(MAPPING_REPORTS, arn("sqs", "ride-duration-prediction-on-failure"))
    wanted |= dict.fromkeys(LAMBDA_LOGS, arn("logs", "log-group:/aws/lambda/ride-duration-prediction:*"))
    assert grants(aws, stack["Role"]) == {action: [resource] for action, resource in wanted.items()}


@pytest.mark.parametrize("sid", ["PublishPredictions", "ReadBundle"])
def test_worker_fails_without(aws, stack, sid):
    iam, role = aws.client("iam"), stack["Role"]
    policy = iam.get_role_policy(RoleName=role, PolicyName="worker")["PolicyDocument"]
    fewer = [s for s in policy["Statement"] if s["Sid"] != sid]
    assert len(fewer) == len(policy["Statement"]) - 1
    iam.put_role_policy(
        RoleName=role, PolicyName="worker", PolicyDocument=json.dumps(policy | {"Statement": fewer})
    )
    _, log, failed = aws.invoke(stack["Function"], EVENT)
    assert failed and b"AccessDenied" in log


def test_bundle_in_image_needs_no_bucket(aws, make_stack):
    stack = make_stack("in-image", ModelBucket="", InputStreamName="in", PredictionsStreamName="out")
    assert "s3:GetObject" not in grants(aws, stack["Role"])
