"""What the template makes, read back from the services."""

import json

import pytest
from botocore.exceptions import ClientError

from conftest import RUNS
from standin import ROOT


def test_stack(aws, stack):
    streams = aws.client("kinesis")
    for name in ("start-ride-events", "ride-predictions"):
        summary = streams.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        assert (summary["StreamStatus"], summary["OpenShardCount"], summary["RetentionPeriodHours"]) == (
            "ACTIVE",
            1,
            24,
        )

    function = aws.client("lambda").get_function_configuration(FunctionName="ride-duration-prediction")
    assert (function["PackageType"], function["Architectures"]) == ("Image", ["x86_64"])
    assert (function["MemorySize"], function["Timeout"]) == (512, 15)
    assert function["LoggingConfig"]["LogGroup"] == "/aws/lambda/ride-duration-prediction"
    assert function["Environment"]["Variables"] == {
        "RUN_ID": RUNS["forest"],
        "PREDICTIONS_STREAM_NAME": "ride-predictions",
        "MODEL_BUCKET": "mlflow-models",
        "MLFLOW_EXPERIMENT_ID": "1",
        "DEAD_LETTER": "sqs://arn:aws:sqs:us-east-1:000000000000:ride-duration-prediction-dead-letters",
        "METRICS": "emf",
        "DRIFT": "on",
        "REPORT_BATCH_ITEM_FAILURES": "True",
    }

    mapping = aws.client("lambda").get_event_source_mapping(UUID=stack["Mapping"])
    queue = "arn:aws:sqs:us-east-1:000000000000:ride-duration-prediction-on-failure"
    wanted = {
        "EventSourceArn": "arn:aws:kinesis:us-east-1:000000000000:stream/start-ride-events",
        "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:ride-duration-prediction",
        "State": "Enabled",
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 1000,
        "MaximumBatchingWindowInSeconds": 1,
        "ParallelizationFactor": 1,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BisectBatchOnFunctionError": True,
        "MaximumRetryAttempts": -1,
        "MaximumRecordAgeInSeconds": 21600,
        "DestinationConfig": {"OnFailure": {"Destination": queue}},
    }
    assert {k: mapping.get(k) for k in wanted} == wanted

    for name, suffix in {"OnFailureQueue": "on-failure", "DeadLetterQueue": "dead-letters"}.items():
        attributes = aws.client("sqs").get_queue_attributes(QueueUrl=stack[name], AttributeNames=["All"])[
            "Attributes"
        ]
        assert attributes["QueueArn"].endswith(f":ride-duration-prediction-{suffix}")
        assert attributes["MessageRetentionPeriod"] == "1209600"
    assert attributes["MaximumMessageSize"] == "1048576"  # the letters'

    [group] = aws.client("logs").describe_log_groups(
        logGroupNamePrefix="/aws/lambda/ride-duration-prediction"
    )["logGroups"]
    assert group["retentionInDays"] == 30

    alarms = aws.client("cloudwatch").describe_alarms(AlarmNamePrefix="ride-duration-prediction-")[
        "MetricAlarms"
    ]
    assert {(a["Namespace"], a["MetricName"], a["Dimensions"][0]["Value"]) for a in alarms} == {
        ("AWS/Lambda", "IteratorAge", "ride-duration-prediction"),
        ("AWS/Lambda", "Errors", "ride-duration-prediction"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "ride-duration-prediction-on-failure"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "ride-duration-prediction-dead-letters"),
        ("skiff", "ModelBehind", "ride-duration-prediction"),
    }
    dashboard = aws.client("cloudwatch").get_dashboard(DashboardName="ride-duration-prediction")
    assert "ride-duration-prediction" in dashboard["DashboardBody"]


def test_existing_streams(aws, make_stack):
    kinesis = aws.client("kinesis")
    for name in ("rides-of-ours", "predictions-of-ours"):
        kinesis.create_stream(StreamName=name, ShardCount=1)
    topic = aws.client("sns").create_topic(Name="on-call")["TopicArn"]
    stack = make_stack(
        "existing",
        CreateStreams="false",
        InputStreamName="rides-of-ours",
        PredictionsStreamName="predictions-of-ours",
        Architecture="arm64",
        AlarmTopicArn=topic,
        ModelPublicKey="MCowBQYDK2VwAyEA",
        ModelSha256="0" * 64,
    )
    assert "InputStream" not in stack and "PredictionsStream" not in stack
    mapping = aws.client("lambda").get_event_source_mapping(UUID=stack["Mapping"])
    assert mapping["EventSourceArn"] == "arn:aws:kinesis:us-east-1:000000000000:stream/rides-of-ours"
    function = aws.client("lambda").get_function_configuration(FunctionName="existing")
    assert function["Environment"]["Variables"]["PREDICTIONS_STREAM_NAME"] == "predictions-of-ours"
    assert function["Environment"]["Variables"]["MODEL_PUBLIC_KEY"] == "MCowBQYDK2VwAyEA"
    assert function["Environment"]["Variables"]["MODEL_SHA256"] == "0" * 64
    assert function["Architectures"] == ["arm64"]
    alarms = aws.client("cloudwatch").describe_alarms(AlarmNamePrefix="existing-")["MetricAlarms"]
    assert [(a["AlarmActions"], a["OKActions"]) for a in alarms] == [([topic], [topic])] * 5


def test_another_model_beside_it(aws, make_stack):
    make_stack(
        "beside",
        Canary=f"{RUNS['linear']}:100",
        ShadowRunId=RUNS["linear"],
        ShadowThreshold="0.5",
        InputStreamName="rides-beside",
        PredictionsStreamName="predictions-beside",
    )
    answer, log, failed = aws.invoke("beside", (ROOT / "models/taxi/event.json").read_bytes())
    assert not failed, log.decode()
    assert json.loads(answer)["predictions"][0]["version"] == RUNS["linear"]
    assert b'"canary ready"' in log and b'"CanaryPredictions":1' in log and b'"shadow ready"' in log


@pytest.mark.parametrize(
    "wrong", [{"RunId": "../other"}, {"BatchSize": "10001"}, {"ImageUri": "stream-model-duration:v1"}]
)
def test_refused(make_stack, wrong):
    with pytest.raises(ClientError, match="ValidationError"):
        make_stack("refused", **wrong)
