"""make swap and make rollback, by their script."""

import json
import subprocess

from conftest import BUCKET, RUNS, STACK, shell
from standin import ROOT

FOREST, LINEAR = RUNS["forest"], RUNS["linear"]


def swap(aws, argument):
    """Runs deploy/swap and returns its exit code, stdout and stderr."""
    done = subprocess.run(
        ["deploy/swap", argument], cwd=ROOT, env=shell(aws), capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stdout, done.stderr


def picture(aws, stack):
    """All that the stack has made, as the services tell it."""
    lambda_, iam, kinesis = aws.client("lambda"), aws.client("iam"), aws.client("kinesis")
    sqs, role = aws.client("sqs"), {"RoleName": stack["Role"]}
    policies = iam.list_role_policies(**role)["PolicyNames"]
    functions = lambda_.list_functions()["Functions"]
    streams = (stack["InputStream"], stack["PredictionsStream"])
    return {
        "functions": [strip(f) for f in functions if f["FunctionName"].startswith(STACK)],
        "mapping": strip(lambda_.get_event_source_mapping(UUID=stack["Mapping"])),
        "policies": [iam.get_role_policy(PolicyName=p, **role)["PolicyDocument"] for p in policies],
        "trust": iam.get_role(**role)["Role"]["AssumeRolePolicyDocument"],
        "alarms": [strip(a) for a in aws.client("cloudwatch").describe_alarms()["MetricAlarms"]],
        "queues": [
            strip(sqs.get_queue_attributes(AttributeNames=["All"], QueueUrl=stack[q])["Attributes"])
            for q in ("OnFailureQueue", "DeadLetterQueue")
        ],
        "streams": [
            kinesis.describe_stream_summary(StreamName=s)["StreamDescriptionSummary"] for s in streams
        ],
        "logs": aws.client("logs").describe_log_groups()["logGroups"],
        "parameters": parameters(aws),
    }


VARYING = ("Last", "StateReason", "StateValue", "ResponseMetadata", "RevisionId")


def strip(answer):
    """Less what tells when and how something last changed."""
    return {k: v for k, v in answer.items() if not k.startswith(VARYING) and not k.endswith("Timestamp")}


def parameters(aws):
    described = aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    return {p["ParameterKey"]: p["ParameterValue"] for p in described["Parameters"]}


def served(aws):
    return aws.client("lambda").get_function_configuration(FunctionName=STACK)["Environment"]["Variables"][
        "RUN_ID"
    ]


def test_swap_changes_the_run_and_nothing_else(aws, stack):
    before = picture(aws, stack)
    assert swap(aws, LINEAR)[:2] == (
        0,
        f"stack {STACK} serves run {LINEAR}; make rollback goes back to {FOREST}\n",
    )
    after = picture(aws, stack)
    [function], [was] = after["functions"], before["functions"]
    assert function["Environment"]["Variables"].pop("RUN_ID") == LINEAR
    assert was["Environment"]["Variables"].pop("RUN_ID") == FOREST
    assert (after["parameters"].pop("RunId"), after["parameters"].pop("PreviousRunId")) == (LINEAR, FOREST)
    del before["parameters"]["RunId"], before["parameters"]["PreviousRunId"]
    assert after == before
    answer, _, _ = aws.invoke(STACK, (ROOT / "models/taxi/event.json").read_bytes())
    assert json.loads(answer)["predictions"][0]["version"] == LINEAR


def test_swap_refuses_a_run_that_does_not_start(aws, stack):
    before = picture(aws, stack)
    code, out, err = swap(aws, "missing")
    assert (code, out) == (1, "")
    assert "\nworker: error: " in err
    assert f"\nswap: error: run missing does not start; run {FOREST} is still served\nhint: " in err
    assert picture(aws, stack) == before


def test_swap_goes_back_when_the_function_does_not_start(aws, stack):
    before = picture(aws, stack)
    aws.broken.add((STACK, LINEAR))
    try:
        code, out, err = swap(aws, LINEAR)
    finally:
        aws.broken.clear()
    assert (code, out) == (1, "")
    assert err.endswith(f"swap: error: run {LINEAR} does not start; run {FOREST} is served again\n")
    assert picture(aws, stack) == before


def test_swap_says_what_is_wrong(aws, stack):
    assert swap(aws, FOREST)[:2] == (0, f"stack {STACK} serves run {FOREST} already\n")
    assert swap(aws, "-back") == (
        1,
        "",
        f"swap: error: stack {STACK} has served no other run than {FOREST}\n",
    )
    assert swap(aws, "-x")[0] == 2


def test_swap_to_an_alias(aws, stack):
    pointer = {"format": 1, "revision": 1, "run_id": LINEAR, "at": "2026-01-02T12:00:00Z", "by": "promote"}
    s3, key = aws.client("s3"), "1/aliases/champion.json"
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(pointer))
    code, out, err = swap(aws, "@champion")
    s3.delete_object(Bucket=BUCKET, Key=key)
    assert (code, out) == (
        0,
        f"stack {STACK} serves run @champion; make rollback goes back to {FOREST}\n",
    ), err
    assert served(aws) == "@champion"
