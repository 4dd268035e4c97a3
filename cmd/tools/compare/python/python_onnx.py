"""The handler in Python with onnxruntime, on sklearn-onnx's graph of the forest over dense float32 rows.

Usage: python python_onnx.py DENSE_FOLDER RUN_ID
"""

import base64
import json
import os
import sys
from pathlib import Path

import numpy as np

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when it is imported
import onnxruntime as ort

from serve import Kinesis, respond, serve

DENSE_FOLDER, RUN_ID = Path(sys.argv[1]), sys.argv[2]
PREDICTIONS_STREAM_NAME = "ride_predictions"
ROWS = 1024  # scored in one run: 31 MB of X, whatever the batch; fewer and more were tried, and are slower

columns = json.loads((DENSE_FOLDER / "columns.json").read_text())
PAIRS, DISTANCE = columns["pairs"], columns["trip_distance"]

options = ort.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = ort.InferenceSession(DENSE_FOLDER / "dense.onnx", options, providers=["CPUExecutionProvider"])

# All zero between runs: writing two values a row and taking one back is quicker than 31 kB of new zeros.
X = np.zeros((ROWS, columns["columns"]), np.float32)

kinesis_client = Kinesis()


def predict(rides):
    """Minutes, one a ride; at most ROWS rides."""
    known = [
        (row, column)
        for row, ride in enumerate(rides)
        if (column := PAIRS.get(f"{ride['PULocationID']}_{ride['DOLocationID']}")) is not None
    ]
    rows, columns = zip(*known, strict=True) if known else ((), ())
    x = X[: len(rides)]
    x[rows, columns] = 1
    x[:, DISTANCE] = [ride["trip_distance"] for ride in rides]
    durations = session.run(None, {"X": x})[0][:, 0].tolist()
    x[rows, columns] = 0
    return durations


def lambda_handler(event, context):
    rides = [json.loads(base64.b64decode(record["kinesis"]["data"])) for record in event["Records"]]
    durations = []
    for start in range(0, len(rides), ROWS):
        durations += predict([ride["ride"] for ride in rides[start : start + ROWS]])
    return respond(kinesis_client, PREDICTIONS_STREAM_NAME, RUN_ID, rides, durations)


if __name__ == "__main__":
    serve(lambda_handler)
