"""The reference handler rewritten in plain Python: one predict a batch, 500 records a put.

Usage: python sklearn_batched.py MODEL_FILE RUN_ID
"""

import base64
import json
import pickle
import sys

from serve import Kinesis, respond, serve

MODEL_FILE, RUN_ID = sys.argv[1:]
PREDICTIONS_STREAM_NAME = "ride_predictions"

with open(MODEL_FILE, "rb") as file:
    model = pickle.load(file)

kinesis_client = Kinesis()


def prepare_features(ride):
    return {
        "PU_DO": f"{ride['PULocationID']}_{ride['DOLocationID']}",
        "trip_distance": ride["trip_distance"],
    }


def lambda_handler(event, context):
    rides = [json.loads(base64.b64decode(record["kinesis"]["data"])) for record in event["Records"]]
    durations = model.predict([prepare_features(ride["ride"]) for ride in rides]).tolist()
    return respond(kinesis_client, PREDICTIONS_STREAM_NAME, RUN_ID, rides, durations)


if __name__ == "__main__":
    serve(lambda_handler)
