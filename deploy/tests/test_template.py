"""The template by itself: nothing in it is idle, and it refuses what cannot be."""

import json
import re

import pytest
from cfnlint.decode import decode

from standin import ROOT

PATH = ROOT / "deploy/template.yaml"
TEMPLATE = decode(str(PATH))[0]
# What is there for its own sake: the mapping does the work, alarms are for people.
ENDS = {"AWS::Lambda::EventSourceMapping", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"}


def references(node):
    """The logical ids that a part of the template refers to."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref":
                yield value
            elif key == "Fn::GetAtt":
                yield value[0] if isinstance(value, list) else value.partition(".")[0]
            elif key == "Fn::Sub":
                yield from re.findall(r"\$\{(\w+)", value)
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_every_resource_is_of_use():
    resources = TEMPLATE["Resources"]
    reached, ahead = set(), {name for name, r in resources.items() if r["Type"] in ENDS}
    while ahead:
        name = ahead.pop()
        reached.add(name)
        ahead |= set(references(resources[name])) & set(resources) - reached
    assert reached == set(resources)


def test_every_alarm_is_explained():
    guide = (ROOT / "deploy/README.md").read_text()
    for name, resource in TEMPLATE["Resources"].items():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            suffix = re.fullmatch(
                r"\$\{AWS::StackName\}-(.*)", resource["Properties"]["AlarmName"]["Fn::Sub"]
            )[1]
            assert f"### `…-{suffix}`" in guide, name


def test_dashboard_is_of_metrics_there_are():
    """Those of the guide's table, or of AWS; and every one of ours that is not drawn is in a search."""
    guide = (ROOT / "deploy/README.md").read_text()
    table = guide.partition("# Metrics\n")[2].partition("\n# ")[0]
    ours = set(re.findall(r"`([A-Z]\w+)`", "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE))))
    body = TEMPLATE["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    drawn, namespace = set(), None
    for widget in json.loads(body)["widgets"]:
        for metric in widget["properties"].get("metrics", []):
            if isinstance(metric[0], dict):
                drawn |= set(re.search(r"MetricName=\((.*?)\)", metric[0]["expression"])[1].split(" OR "))
                continue
            namespace = metric[0] if metric[0] != "." else namespace
            if namespace == "skiff":
                drawn.add(metric[1])
    assert drawn <= ours
    assert {m for m in ours - drawn if not m.startswith("Shadow")} == set()


def test_alarms_are_on_metrics_there_are():
    guide = (ROOT / "deploy/README.md").read_text()
    for name, resource in TEMPLATE["Resources"].items():
        if resource["Properties"].get("Namespace") == "skiff":
            assert f"`{resource['Properties']['MetricName']}`" in guide, name


def test_variables_are_the_workers():
    variables = TEMPLATE["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    source = (ROOT / "cmd/worker/config.go").read_text()
    for name in variables:
        assert f'"{name}"' in source, name


def test_reporting_is_said_where_it_is_read():
    resources = TEMPLATE["Resources"]
    mapping, function = resources["Mapping"]["Properties"], resources["Function"]["Properties"]
    said = function["Environment"]["Variables"].get("REPORT_BATCH_ITEM_FAILURES")
    assert (said == "True") == ("ReportBatchItemFailures" in mapping["FunctionResponseTypes"])


GOOD = {
    "ImageUri": [
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/stream-model-duration:v1",
        "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/team/skiff@sha256:" + "0" * 64,
    ],
    "RunId": ["3f8b6c3fdddb425fab0cf9b88cfa48de", "@champion"],
    "PreviousRunId": ["", "3f8b6c3fdddb425fab0cf9b88cfa48de", "@champion"],
    "Canary": ["", "3f8b6c3fdddb425fab0cf9b88cfa48de:5", "a:0.25", "a:100"],
    "StableVersion": ["", "1", "204"],
    "CanaryVersion": ["", "2"],
    "ShadowRunId": ["", "3f8b6c3fdddb425fab0cf9b88cfa48de"],
    "ModelBucket": ["", "mlflow-models"],
    "ModelPublicKey": ["", "MCowBQYDK2VwAyEA" + "A" * 43 + "="],
    "ModelSha256": ["", "0" * 64],
    "DeadLetterBucket": ["", "dead-letters"],
    "MlflowExperimentId": ["1"],
    "InputStreamName": ["start-ride-events"],
    "PredictionsStreamName": ["ride_predictions"],
    "AlarmTopicArn": ["", "arn:aws:sns:eu-west-1:123456789012:on-call"],
}
BAD = {
    "ImageUri": [
        "",
        "stream-model-duration:v1",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/stream-model-duration",
        "docker.io/a/b:v1",
    ],
    "RunId": ["", "a/b", "../a", "a" * 65, "a\n", "@", "@@a"],
    "PreviousRunId": ["a/b"],
    "Canary": ["a", ":5", "a:", "a:101", "a:-1", "a/b:5", "a:5%", "a:1e1"],
    "StableVersion": ["$LATEST", "0", "v1"],
    "CanaryVersion": ["$LATEST", "-1", "1.5"],
    "ShadowRunId": ["a/b", "@champion", "a" * 65],
    "ModelBucket": ["s3://mlflow-models", "Models", "a/b", "-a"],
    "ModelPublicKey": ["-----BEGIN PUBLIC KEY-----", "ssh-ed25519 AAAA"],
    "ModelSha256": ["sha256:" + "0" * 64, "0" * 63, "latest"],
    "DeadLetterBucket": ["s3://dead-letters", "dead-letters/prefix", "arn:aws:s3:::dead-letters"],
    "MlflowExperimentId": ["", "1/2", "*"],
    "InputStreamName": ["", "a b", "arn:aws:kinesis:eu-west-1:123456789012:stream/a"],
    "PredictionsStreamName": ["", "*"],
    "AlarmTopicArn": ["on-call", "arn:aws:sqs:eu-west-1:123456789012:on-call"],
}


@pytest.mark.parametrize("name", GOOD)
def test_pattern(name):
    pattern = TEMPLATE["Parameters"][name]["AllowedPattern"]
    for value in GOOD[name]:
        assert re.fullmatch(pattern, value), value
    for value in BAD[name]:
        assert not re.fullmatch(pattern, value), value


def test_every_text_parameter_is_checked():
    for name, parameter in TEMPLATE["Parameters"].items():
        if parameter["Type"] == "String":
            assert "AllowedValues" in parameter or name in GOOD, name
        elif "AllowedValues" not in parameter:
            assert {"MinValue", "MaxValue"} <= set(parameter), name
