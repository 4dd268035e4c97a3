"""What the worker makes of a bad ride in the stack: one message, as the guide describes it, and no retry."""

import base64
import json
import re

import pytest

from conftest import RUNS, SEQUENCE, SHARD, STACK, event, take_away
from standin import ROOT

RIDE = b'{"ride": {"PULocationID": 236, "DOLocationID": 162, "trip_distance": 2.28}, "ride_id": 156}'
BAD = b'{"ride": {"PULocationID": 236, "trip_distance": 2.28}, "ride_id": 12345678901234567890}'
GARBLED = b"\x1f\x8b\x08\x00 not JSON"


def received(aws, queue):
    """The messages of a queue, which are gone from it then."""
    sqs, bodies = aws.client("sqs"), []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            bodies.append(message["Body"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return bodies


def published(aws):
    """The ids of the rides whose predictions are on the stream."""
    kinesis = aws.client("kinesis")
    place = {"StreamName": "ride-predictions", "ShardId": SHARD, "ShardIteratorType": "TRIM_HORIZON"}
    records = kinesis.get_records(ShardIterator=kinesis.get_shard_iterator(**place)["ShardIterator"])[
        "Records"
    ]
    return [json.loads(r["Data"])["prediction"]["ride_id"] for r in records]


def test_one_letter(aws, stack):
    answer, log, failed = aws.invoke(STACK, event(RIDE, BAD, RIDE))
    assert not failed, log.decode()
    assert set(json.loads(answer)) == {"predictions"}  # nothing to be tried again
    assert published(aws) == [156, 156]
    [body] = received(aws, stack["DeadLetterQueue"])
    assert json.loads(body) == {
        "reason": "missing_field",
        "field": "ride.DOLocationID",
        "expected": "text or a number",
        "id": 12345678901234567890,
        "partition_key": "1",
        "sequence_number": str(SEQUENCE + 1),
        "shard": SHARD,
        "arrived": "2018-12-17T22:10:50.987Z",
        "run_id": RUNS["forest"],
        "bytes": len(BAD),
        "data": base64.b64encode(BAD).decode(),
    }
    assert received(aws, stack["OnFailureQueue"]) == []


def test_more_letters_than_a_request_takes(aws, stack):
    answer, log, failed = aws.invoke(STACK, event(*[GARBLED] * 23))
    assert not failed, log.decode()
    assert json.loads(answer) == {"predictions": []}
    letters = [json.loads(body) for body in received(aws, stack["DeadLetterQueue"])]
    assert sorted(int(x["sequence_number"]) - SEQUENCE for x in letters) == list(range(23))
    assert {(x["reason"], base64.b64decode(x["data"])) for x in letters} == {("not_json", GARBLED)}


@pytest.mark.parametrize("size", [100_000, 300_000])
def test_large_ride(aws, stack, size):
    """A letter that is over the worker's limit for a queue goes without the ride, and says where it is."""
    bad = b'"' + b"x" * size + b'"'
    _, log, failed = aws.invoke(STACK, event(bad))
    assert not failed, log.decode()
    [body] = received(aws, stack["DeadLetterQueue"])
    letter = json.loads(body)
    assert (letter["bytes"], letter["sequence_number"]) == (len(bad), str(SEQUENCE))
    assert letter["data"] == (base64.b64encode(bad).decode() if size < 190_000 else None)


def test_reported_while_letters_are_not_taken(aws, stack):
    take_away(aws, stack["Role"], "SendDeadLetters")
    answer, log, failed = aws.invoke(STACK, event(RIDE, BAD, RIDE))
    assert not failed, log.decode()
    assert json.loads(answer)["batchItemFailures"] == [{"itemIdentifier": str(SEQUENCE + 1)}]
    assert b"AccessDenied" in log and b"sqs:SendMessage" in log
    assert received(aws, stack["DeadLetterQueue"]) == []
    assert published(aws) == [156, 156]


def test_reported_only_where_that_is_read(aws, stack):
    """Without REPORT_BATCH_ITEM_FAILURES the invocation fails: Lambda would take the answer for success."""
    take_away(aws, stack["Role"], "SendDeadLetters")
    lambda_ = aws.client("lambda")
    variables = lambda_.get_function_configuration(FunctionName=STACK)["Environment"]["Variables"]
    del variables["REPORT_BATCH_ITEM_FAILURES"]
    lambda_.update_function_configuration(FunctionName=STACK, Environment={"Variables": variables})
    answer, _, failed = aws.invoke(STACK, event(RIDE, BAD, RIDE))
    assert failed and "1 of 3 records are not dealt with" in json.loads(answer)["errorMessage"]


def test_guide_names_the_reasons():
    source = (ROOT / "inference/outcome.go").read_text()
    guide = (ROOT / "deploy/README.md").read_text()
    reasons = re.findall(r'Reason = "(\w+)"', source)
    assert len(reasons) > 4
    for reason in reasons:
        assert f"`{reason}`" in guide, reason


def test_guide_has_the_letter():
    """Each key of the JSON is in the guide's table."""
    source = (ROOT / "inference/deadletter.go").read_text()
    guide = (ROOT / "deploy/README.md").read_text()
    keys = re.findall(r'`json:"(\w+)', source)
    assert len(keys) > 12
    for key in keys:
        assert f"`{key}`" in guide, key
