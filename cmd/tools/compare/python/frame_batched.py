"""The same in plain Python as good as it gets: one frame and one predict a batch, 500 records a put.

Usage: python frame_batched.py MODEL_FILE RUN_ID
"""

import base64
import json
import pickle
import sys

import pandas as pd

from serve import Kinesis, respond, serve

MODEL_FILE, RUN_ID = sys.argv[1:]
PREDICTIONS_STREAM_NAME = "ride_predictions"

with open(MODEL_FILE, "rb") as file:
    model = pickle.load(file)

kinesis_client = Kinesis()


def prepare_features(rides):
    return pd.DataFrame(
        {
            "PULocationID": [str(ride["PULocationID"]) for ride in rides],
            "DOLocationID": [str(ride["DOLocationID"]) for ride in rides],
            "trip_distance": [ride["trip_distance"] for ride in rides],
        }
    )


def lambda_handler(event, context):
    rides = [json.loads(base64.b64decode(record["kinesis"]["data"])) for record in event["Records"]]
    durations = model.predict(prepare_features([ride["ride"] for ride in rides])).tolist()
    return respond(kinesis_client, PREDICTIONS_STREAM_NAME, RUN_ID, rides, durations)


if __name__ == "__main__":
    serve(lambda_handler)
