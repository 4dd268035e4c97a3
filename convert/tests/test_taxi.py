"""The committed bundles against the original pipelines' predictions, which train.py wrote."""

import hashlib
import importlib.util
import json
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from helpers import Converted, fit
from sklearn.ensemble import RandomForestRegressor

from skiff_convert import prove

MODELS = Path(__file__).parents[2] / "models"
TAXI = MODELS / "taxi"
RUNS = json.loads((TAXI / "runs.json").read_text())


@pytest.fixture(scope="module")
def rides():
    table = pq.read_table(TAXI / "rides.parquet")
    return table.filter(pc.greater_equal(table["pickup"], date(2019, 1, 1))).slice(0, 20_000)


def zones_and_miles(rides):
    """Pick-up zone, drop-off zone and miles of each ride."""
    names = ("PULocationID", "DOLocationID", "trip_distance")
    return zip(*(rides[name].to_pylist() for name in names), strict=True)


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
    X = np.array([[codes.get(f"{pu}_{do}", 0), miles] for pu, do, miles in zones_and_miles(rides)])
    expected = pq.read_table(TAXI / "predictions.parquet")[RUNS[name]].to_numpy()
    parity = prove.prove((folder / "model.onnx").read_bytes(), X, expected, None)
    assert (parity.rows, parity.largest) == (20_000, 0.0)


@pytest.mark.parametrize("name", RUNS)
def test_sketch_is_of_the_rides(name):
    spec = importlib.util.spec_from_file_location("taxi_sketch", TAXI / "sketch.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    assert made.sketch_of(MODELS / RUNS[name]) == (MODELS / RUNS[name] / "sketch.json").read_bytes()


def test_every_lowering_of_a_forest_over_rides(rides, tmp_path):
    """A forest of rides of 2018, small enough to be fitted here."""
    learned = pq.read_table(TAXI / "rides.parquet").slice(0, 60_000)
    features = [{"PU_DO": f"{pu}_{do}", "trip_distance": miles} for pu, do, miles in zones_and_miles(learned)]
    forest = RandomForestRegressor(10, max_depth=20, min_samples_leaf=5, random_state=1)
    pipeline = fit(forest, features, learned["duration"].to_numpy() / 60)
    both = Converted(pipeline, tmp_path, "taxi", most_cells=10**7)
    assert [lowering.kind for lowering in both.lowerings] == ["trees", "table"]
    assert min(both.table.cells.shape) > 100
    records = [
        {"ride": {"PULocationID": pu, "DOLocationID": do, "trip_distance": miles}, "ride_id": 1}
        for pu, do, miles in zones_and_miles(rides)
    ]
    assert both.check(records) == 20_000
