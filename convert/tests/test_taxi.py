"""The committed bundles against the original pipelines' predictions, which train.py wrote."""

import hashlib
import json
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from skiff_convert import prove

MODELS = Path(__file__).parents[2] / "models"
TAXI = MODELS / "taxi"
RUNS = json.loads((TAXI / "runs.json").read_text())


@pytest.fixture(scope="module")
def rides():
    table = pq.read_table(TAXI / "rides.parquet")
    return table.filter(pc.greater_equal(table["pickup"], date(2019, 1, 1))).slice(0, 20_000)


@pytest.mark.parametrize("name", RUNS)
def test_bundle_is_whole(name):
    folder = MODELS / RUNS[name]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["run_id"] == RUNS[name]
    sums = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}
    assert {n: s for n, s in sums.items() if n != "manifest.json"} == manifest["files"]


@pytest.mark.parametrize("name", RUNS)
def test_every_ride_is_equal_to_the_last_bit(name, rides):
    folder = MODELS / RUNS[name]
    category, _ = json.loads((folder / "manifest.json").read_text())["columns"]
    codes = {word: code for code, word in enumerate(category["vocabulary"], 1)}
    pairs = zip(rides["PULocationID"].to_pylist(), rides["DOLocationID"].to_pylist(), strict=True)
    X = np.column_stack([[codes.get(f"{pu}_{do}", 0) for pu, do in pairs], rides["trip_distance"].to_numpy()])
    expected = pq.read_table(TAXI / "predictions.parquet")[RUNS[name]].to_numpy()
    parity = prove.prove((folder / "model.onnx").read_bytes(), X.astype(np.float64), expected, None)
    assert (parity.rows, parity.largest) == (20_000, 0.0)
