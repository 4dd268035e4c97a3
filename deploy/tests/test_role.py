"""The role has what is used, and nothing else.

What the worker uses is derived twice: from its calls while it serves, and from the operations its packages
name. What the mapping uses is AWS's to say, and a list here.
"""

import base64
import json
import re
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path

import boto3
import pytest

from conftest import RUNS, event, take_away
from standin import REGION, ROOT

EVENT = (ROOT / "models/taxi/event.json").read_bytes()
# A ride, and one that is a dead letter.
GOOD, BAD = base64.b64decode(json.loads(EVENT)["Records"][0]["kinesis"]["data"]), b"{}"
MIXED = event(GOOD, BAD)

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
# IAM's action for an operation, where its name is another one.
ACTIONS = {
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:HeadBucket": "s3:ListBucket",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
# The worker asks for a queue that is given to it by its name. The stack gives its ARN.
NOT_BY_ARN = {"sqs:GetQueueUrl"}


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
    answer, log, failed = aws.invoke(function, MIXED)
    assert not failed, log.decode()
    assert [p["version"] for p in json.loads(answer)["predictions"]] == [RUNS["forest"]]
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
        if not package.startswith("github.com/skiff-ml/skiff/"):
            continue
        source = "".join(Path(folder, f).read_text() for f in files.split(","))
        for name in {m[1] for i in imports.split(",") if (m := service.match(i))}:
            operations = boto3.client(name, region_name=REGION).meta.service_model.operation_names
            for operation in operations:
                if re.search(rf"\b(New)?{operation}(Paginator)?\(", source):
                    actions.add(ACTIONS.get(f"{name}:{operation}", f"{name}:{operation}"))
    assert linked - CREDENTIALS == {a.partition(":")[0] for a in actions}, (
        "a service without an operation, or one unknown here"
    )
    return actions


def test_role_is_what_is_used(aws, stack, stack_with_bucket):
    made = set()
    for each in (stack, stack_with_bucket):
        calls = recorded(aws, each["Function"])
        used = {action for action, _ in calls}
        granted = grants(aws, each["Role"])
        assert set(granted) == used | MAPPING_READS | MAPPING_REPORTS | LAMBDA_LOGS
        for action, arn in calls:
            assert any(fnmatchcase(arn, pattern) for pattern in granted[action]), f"{action} on {arn}"
        made |= used
    assert made == named() - NOT_BY_ARN, "the calls made, and the operations in the source"


def test_role_is_for_these_resources(aws, stack):
    arn = "arn:aws:{}:us-east-1:000000000000:{}".format
    bundles = [f"arn:aws:s3:::mlflow-models/1/{of}" for of in ("*/artifacts/onnx/*", "aliases/*.json")]
    wanted = {"kinesis:PutRecords": arn("kinesis", "stream/ride-predictions")}
    wanted |= dict.fromkeys(MAPPING_READS, arn("kinesis", "stream/start-ride-events"))
    wanted |= dict.fromkeys(LAMBDA_LOGS, arn("logs", "log-group:/aws/lambda/ride-duration-prediction:*"))
    queues = [arn("sqs", f"ride-duration-prediction-{of}") for of in ("dead-letters", "on-failure")]
    assert grants(aws, stack["Role"]) == {a: [resource] for a, resource in wanted.items()} | {
        "sqs:SendMessage": queues,
        "s3:GetObject": bundles,
    }
    by_policy = {s["Sid"]: s["Resource"] for s in statements(aws, stack["Role"]) if "sqs" in s["Action"]}
    assert by_policy == dict(zip(("SendDeadLetters", "ReportFailures"), queues, strict=True))


def test_bucket_for_dead_letters(aws, stack_with_bucket):
    assert grants(aws, stack_with_bucket["Role"])["s3:PutObject"] == ["arn:aws:s3:::dead-letters/in-bucket/*"]
    assert not {"DeadLetterQueue", "DeadLetterAlarm"} & set(stack_with_bucket)
    assert "DeadLetterMetricAlarm" in stack_with_bucket
    _, log, failed = aws.invoke(stack_with_bucket["Function"], MIXED)
    assert not failed, log.decode()
    s3 = aws.client("s3")
    [file] = s3.list_objects_v2(Bucket="dead-letters")["Contents"]
    assert file["Key"].startswith("in-bucket/") and file["Key"].endswith(".jsonl")
    [letter] = s3.get_object(Bucket="dead-letters", Key=file["Key"])["Body"].read().splitlines()
    assert base64.b64decode(json.loads(letter)["data"]) == BAD


@pytest.mark.parametrize("sid", ["PublishPredictions", "ReadBundle"])
def test_worker_fails_without(aws, stack, sid):
    take_away(aws, stack["Role"], sid)
    _, log, failed = aws.invoke(stack["Function"], EVENT)
    assert failed and b"AccessDenied" in log


def test_bundle_in_image_needs_no_bucket(aws, make_stack):
    stack = make_stack("in-image", ModelBucket="", InputStreamName="in", PredictionsStreamName="out")
    assert "s3:GetObject" not in grants(aws, stack["Role"])
