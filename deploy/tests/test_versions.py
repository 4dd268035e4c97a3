"""Lambda's weighted alias: two versions of the function, a share of the invocations each."""

import json

import pytest

from conftest import BUCKET, RUNS, STACK
from standin import ROOT
from test_swap import picture, swap

FOREST, LINEAR = RUNS["forest"], RUNS["linear"]


def update(aws, **changed):
    """Updates the stack: these parameters, the others as they are."""
    cloudformation = aws.client("cloudformation")
    described = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["Parameters"]
    kept = [p["ParameterKey"] for p in described if p["ParameterKey"] not in changed]
    cloudformation.update_stack(
        StackName=STACK,
        TemplateBody=(ROOT / "deploy/template.yaml").read_text(),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in changed.items()]
        + [{"ParameterKey": k, "UsePreviousValue": True} for k in kept],
    )
    for client, name, what in [
        (cloudformation, "stack_update_complete", {"StackName": STACK}),
        (aws.client("lambda"), "function_active_v2", {"FunctionName": STACK}),
        (aws.client("lambda"), "function_updated_v2", {"FunctionName": STACK}),
    ]:
        client.get_waiter(name).wait(**what, WaiterConfig={"Delay": 0.1, "MaxAttempts": 600})


def published(aws, ride):
    """Puts a ride, and returns the run that its prediction is of."""
    kinesis = aws.client("kinesis")
    data = {"ride": {"PULocationID": 236, "DOLocationID": 162, "trip_distance": 2.28}, "ride_id": ride}
    kinesis.put_record(StreamName="start-ride-events", PartitionKey="1", Data=json.dumps(data).encode())
    iterator = kinesis.get_shard_iterator(
        StreamName="ride-predictions", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    predictions = [json.loads(r["Data"]) for r in kinesis.get_records(ShardIterator=iterator)["Records"]]
    [version] = [p["version"] for p in predictions if p["prediction"]["ride_id"] == ride]
    return version


@pytest.fixture
def versions(aws, stack):
    """Two of the stack's function: of the forest, then of the linear run, which the function itself has."""
    lambda_ = aws.client("lambda")
    first = lambda_.publish_version(FunctionName=STACK)["Version"]
    update(aws, RunId=LINEAR)
    return first, lambda_.publish_version(FunctionName=STACK)["Version"]


def test_share_of_the_invocations(aws, stack, versions):
    before = picture(aws, stack)
    mapping = stack["Mapping"]
    first, second = versions
    assert published(aws, 1) == LINEAR  # the function itself
    target = before["mapping"]["FunctionArn"]

    update(aws, StableVersion=first)
    assert aws.client("lambda").get_event_source_mapping(UUID=mapping)["FunctionArn"] == f"{target}:live"
    assert published(aws, 2) == FOREST

    update(aws, CanaryVersion=second, CanaryWeight="0.05")
    alias = aws.client("lambda").get_alias(FunctionName=STACK, Name="live")
    assert (alias["FunctionVersion"], alias["RoutingConfig"]) == (
        first,
        {"AdditionalVersionWeights": {second: 0.05}},
    )
    update(aws, CanaryWeight="1")
    assert published(aws, 3) == LINEAR
    update(aws, CanaryVersion="", CanaryWeight="0")
    assert published(aws, 4) == FOREST

    update(aws, StableVersion="")
    assert published(aws, 5) == LINEAR
    assert picture(aws, stack) == before


def test_swap_says_where_the_rides_go(aws, stack, versions):
    update(aws, StableVersion=versions[0])
    code, out, err = swap(aws, FOREST)
    assert (code, out) == (1, "")
    assert f"stack {STACK} serves version {versions[0]}, whatever run the function has" in err
    assert "hint: " in err


def test_off_is_as_before(aws, stack):
    """No alias, and the mapping is on the function itself."""
    assert "Live" not in stack
    assert aws.client("lambda").list_aliases(FunctionName=STACK)["Aliases"] == []
    variables = aws.client("lambda").get_function_configuration(FunctionName=STACK)["Environment"]
    assert variables["Variables"]["MODEL_BUCKET"] == BUCKET
