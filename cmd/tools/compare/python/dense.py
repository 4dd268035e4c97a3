"""Converts the forest of a pickled taxi pipeline as sklearn-onnx does: a graph over dense float32 rows.

Usage: python dense.py MODEL_FILE OUT_FOLDER

Its DictVectorizer takes no records of words and numbers, so that filling the rows is left to the handlers:

    dense.onnx     X float32 [rows, columns] to float32 minutes [rows, 1]
    columns.json   {"pairs": {"130_205": column, …}, "trip_distance": column, "columns": how many}
"""

import json
import pickle
import sys
from pathlib import Path

from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType

PAIR = "PU_DO="


def main():
    model_file, out = Path(sys.argv[1]), Path(sys.argv[2])
    pipeline = pickle.loads(model_file.read_bytes())
    (_, vectorizer), (_, estimator) = pipeline.steps
    names = vectorizer.feature_names_
    graph = convert_sklearn(estimator, initial_types=[("X", FloatTensorType([None, len(names)]))])
    columns = {
        "pairs": {name.removeprefix(PAIR): i for i, name in enumerate(names) if name.startswith(PAIR)},
        "trip_distance": names.index("trip_distance"),
        "columns": len(names),
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "columns.json").write_text(json.dumps(columns))
    (out / "dense.onnx").write_bytes(graph.SerializeToString())


if __name__ == "__main__":
    main()
