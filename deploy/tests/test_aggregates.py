"""Aggregates of predictions: AWS's own library takes them apart."""

import base64
import json
from pathlib import Path

import pytest
from aws_kinesis_agg.deaggregator import deaggregate_records

ROOT = Path(__file__).parents[2]
WRITTEN = json.loads((ROOT / "inference/kpl/testdata/written.json").read_text())


@pytest.mark.parametrize("vector", WRITTEN, ids=lambda v: v["name"])
def test_aws_reads_what_the_worker_writes(vector):
    """The file is what the worker's code writes: a test in inference/kpl holds it to that."""
    record = {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "first",
            "sequenceNumber": "1",
            "approximateArrivalTimestamp": 1764000000.1,
            "data": vector["aggregate"],
        },
        "eventID": "shardId-000000000000:1",
        **dict.fromkeys(
            ("eventSource", "eventName", "eventVersion", "invokeIdentityArn", "awsRegion", "eventSourceARN"),
            "",
        ),
    }
    parts = [r["kinesis"] for r in deaggregate_records([record])]
    assert [[p["partitionKey"], base64.b64decode(p["data"]).decode()] for p in parts] == vector["records"]
    assert {p["explicitHashKey"] for p in parts} == {vector["hash_key"]}
