"""A candidate's side of the comparison, as Lambda's Python runtime is to a handler.

It obeys commands on stdin, a line each, and answers on stdout:

    answer FILE N     the responses to the first N events of FILE, a line each
    measure FILE MS   handles events of FILE, in turn, for MS milliseconds, one at least;
                      {"invocations": …, "ns": …}, the time from the events' bytes to the responses'

A file has an event a line. One at a time is in memory, as in Lambda. The package candidate is the same in Go.
"""

import itertools
import json
import sys
import time

MAX_RECORDS = 500  # in a put_records; Kinesis API


class Kinesis:
    """In the place of boto3's client: a stream that takes everything at once."""

    def __init__(self):
        self.records = 0

    def put_record(self, **record):
        self.records += 1

    def put_records(self, StreamName, Records):
        self.records += len(Records)
        return {"FailedRecordCount": 0}


def respond(kinesis, stream, version, rides, durations):
    """A batch's response, its prediction events put on the stream, as many in a request as it may have."""
    predictions = [
        {
            "model": "ride_duration_prediction_model",
            "version": version,
            "prediction": {"ride_duration": duration, "ride_id": ride["ride_id"]},
        }
        for ride, duration in zip(rides, durations, strict=True)
    ]
    for start in range(0, len(predictions), MAX_RECORDS):
        records = [
            {"Data": json.dumps(event), "PartitionKey": str(event["prediction"]["ride_id"])}
            for event in predictions[start : start + MAX_RECORDS]
        ]
        kinesis.put_records(StreamName=stream, Records=records)
    return {"predictions": predictions}


def lines(path):
    """The events of a file, from the first again after the last."""
    while True:
        with open(path, "rb") as file:
            yield from file


def serve(handler):
    """Obeys until there are no more commands."""
    positions = {}
    for command in sys.stdin:
        verb, path, number = command.split()
        if verb == "answer":
            for event in itertools.islice(lines(path), int(number)):
                print(json.dumps(handler(json.loads(event), None)), flush=True)
        elif verb == "measure":
            events = positions.setdefault(path, lines(path))
            print(json.dumps(measure(handler, events, int(number) * 1_000_000)), flush=True)
        else:
            raise ValueError(f"what is {verb}?")


def measure(handler, events, at_least):
    """The time of invocations, at least so many ns together."""
    spent = invocations = 0
    while spent < at_least or not invocations:
        event = next(events)
        began = time.perf_counter_ns()
        json.dumps(handler(json.loads(event), None))
        spent += time.perf_counter_ns() - began
        invocations += 1
    return {"invocations": invocations, "ns": spent}
