"""The reference handler rewritten in plain Python: one predict a batch, 500 records a put.

Usage: python sklearn_batched.py MODEL_FILE RUN_ID
"""

import base64
import json
import pickle
import sys

from serve import Kinesis, put_all, serve

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
    predictions = [
        {
            "model": "ride_duration_prediction_model",
            "version": RUN_ID,
            "prediction": {"ride_duration": duration, "ride_id": ride["ride_id"]},
        }
        for ride, duration in zip(rides, durations, strict=True)
    ]
    put_all(kinesis_client, PREDICTIONS_STREAM_NAME, predictions)
    return {"predictions": predictions}


if __name__ == "__main__":
    serve(lambda_handler)
