"""Aggregates as AWS's own library, aws-kinesis-agg, writes them: python aws.py > aws.json."""

import base64
import json

from aws_kinesis_agg.aggregator import AggRecord


def ride(number):
    where = '{"PULocationID": 130, "DOLocationID": 205, "trip_distance": 3.66}'
    return f'{{"ride": {where}, "ride_id": {number}}}'


CASES = {
    "one": [("a", None, ride(1))],
    "one key": [("a", None, ride(n)) for n in range(3)],
    "a key each": [(str(n), None, ride(n)) for n in range(140)],  # indexes of two bytes
    "hash keys": [(str(n), str(n << 120), ride(n)) for n in range(20)],
    "keys of text": [
        ("é" * 64, None, ride(1)),
        ("key with spaces", None, ride(2)),
        ("é" * 64, None, ride(3)),
    ],
    "of any bytes": [("a", None, "\x00\ud7ff"), ("b", None, "x" * 2_000)],
}


def main():
    cases = []
    for name, records in CASES.items():
        aggregate = AggRecord()
        for key, hash_key, data in records:
            assert aggregate.add_user_record(key, data.encode(), hash_key)
        encoded = base64.b64encode(aggregate.get_contents()[2]).decode()
        cases.append(
            {"name": name, "records": [[key, data] for key, _, data in records], "aggregate": encoded}
        )
    print(json.dumps(cases, indent=0))


main()
