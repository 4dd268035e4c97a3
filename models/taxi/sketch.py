"""Adds the sketch of 11,745 rides of 2018 and 2019 to the bundles in models/.

Usage: PYTHONPATH=convert python models/taxi/sketch.py

It is what a conversion with those rides as its sample writes, less their goldens. Rides of 2018 alone, which
the pipelines were trained on, have no unknown pair of zones: those of 2019 would look changed.
"""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from skiff_convert import bundle, goldens, prove, sketch
from skiff_convert import spec as specs
from skiff_convert.column import Column
from skiff_convert.records import Encoder

HERE = Path(__file__).resolve().parent
EVERY = 20


def records() -> list[str]:
    """Every twentieth ride, as the stream has it."""
    rides = pq.read_table(HERE / "rides.parquet").to_pylist()[::EVERY]
    keys = ("PULocationID", "DOLocationID", "trip_distance")
    return [json.dumps({"ride": {k: ride[k] for k in keys}, "ride_id": i}) for i, ride in enumerate(rides)]


def columns(manifest: dict) -> list[Column]:
    """The columns of a bundle of the taxi's features."""
    features, (pair, miles) = specs.load("taxi").features, manifest["columns"]
    made = [
        Column(
            "PU_DO", features["PU_DO"].source, "category", "reject", vocabulary=tuple(pair["vocabulary"]),
            unknown="accept",
        ),
        Column(
            "trip_distance", features["trip_distance"].source, "number", "reject", null="reject",
            text="reject", limit=miles.get("limit"),
        ),
    ]  # fmt: skip
    assert [column.manifest() for column in made] == manifest["columns"], "other columns"
    return made


def sketch_of(folder: Path) -> bytes:
    """The sketch of a bundle."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    made = columns(manifest)
    encoder = Encoder(made, ("ride_id",))
    judged = [goldens.judge(encoder, text) for text in records()]
    scored = [one for one in judged if isinstance(one, goldens.Scored)]
    X = np.array([one.encoded.row for one in scored], np.float64)
    y = prove.score(prove.open_session((folder / "model.onnx").read_bytes()), X, 1000).tolist()
    predictions = dict(zip((one.text for one in scored), y, strict=True))
    return sketch.sketch(judged, made, manifest["outputs"], predictions)


def main() -> None:
    """Adds them."""
    for run in json.loads((HERE / "runs.json").read_text("utf-8")).values():
        folder = HERE.parent / run
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        files = {name: (folder / name).read_bytes() for name in manifest.pop("files")}
        print(bundle.write(folder.parent, run, manifest, files | {sketch.FILE: sketch_of(folder)}))


if __name__ == "__main__":
    main()
