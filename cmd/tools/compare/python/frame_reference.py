"""The reference handler for a pipeline that takes a frame: one row, one predict and one put_record a record.

Usage: python frame_reference.py MODEL_FILE RUN_ID
"""

import base64
import json
import pickle
import sys

import pandas as pd

from serve import Kinesis, serve

MODEL_FILE, RUN_ID = sys.argv[1:]
PREDICTIONS_STREAM_NAME = "ride_predictions"

with open(MODEL_FILE, "rb") as file:
    model = pickle.load(file)

kinesis_client = Kinesis()


def prepare_features(ride):
    return {
        "PULocationID": str(ride["PULocationID"]),
        "DOLocationID": str(ride["DOLocationID"]),
        "trip_distance": ride["trip_distance"],
    }


def predict(features):
    return float(model.predict(pd.DataFrame([features]))[0])


def lambda_handler(event, context):
    predictions_events = []
    for record in event["Records"]:
        ride_event = json.loads(base64.b64decode(record["kinesis"]["data"]).decode("utf-8"))
        ride_id = ride_event["ride_id"]
        prediction_event = {
            "model": "ride_duration_prediction_model",
            "version": RUN_ID,
            "prediction": {
                "ride_duration": predict(prepare_features(ride_event["ride"])),
                "ride_id": ride_id,
            },
        }
        kinesis_client.put_record(
            StreamName=PREDICTIONS_STREAM_NAME, Data=json.dumps(prediction_event), PartitionKey=str(ride_id)
        )
        predictions_events.append(prediction_event)
    return {"predictions": predictions_events}


if __name__ == "__main__":
    serve(lambda_handler)
