"""Real rides through all that a spec can say, converted and served: what pandas and the pipeline predict."""

import json
import math
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from helpers import save
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.feature_extraction import DictVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeRegressor
from test_agreement import check, replaced

from skiff_convert import cli, goldens

RIDES = Path(__file__).parents[2] / "models/taxi/rides.parquet"
HEAD = 'model = "rides"\nid = "id"\nprediction = "minutes"\n[features]\n'
TABLE = """
zone = { from = "trip.from", text = "number", default = 132 }
hour = { from = "trip.pickup", time = "hour" }
weekday = { from = "trip.pickup", time = "weekday" }
month = { from = "trip.pickup", time = "month", zone = "utc" }
miles = { from = "trip.miles", text = "number", min = 0.1, max = 30, default = 1.5 }
riders = { from = "riders", default = 1, null = "reject" }
vendor = { value = "acme" }
"""
RECORDS = """
PU_DO = "{trip.from}_{trip.to}"
hour = { from = "trip.dropped", time = "hour", epoch = "ms" }
weekday = { from = "trip.dropped", time = "weekday", epoch = "ms", null = "absent" }
miles = { from = "trip.miles", max = 20, missing = "absent" }
tags = { from = "tags", list = true, missing = "absent" }
"""


@pytest.fixture(scope="module")
def rides() -> list[dict]:
    """Records as a stream has them: real rides of their real day, at an hour of ours; some lack something."""
    rng = np.random.default_rng(11)
    table = pq.read_table(RIDES).take(np.sort(rng.choice(60_000, 3_000, replace=False))).to_pylist()
    records = []
    for i, ride in enumerate(table):
        at = datetime.combine(ride["pickup"], datetime.min.time()) + timedelta(
            seconds=int(rng.integers(86_400))
        )
        offset = ("", "Z", "-05:00", "+05:30")[i % 4]
        dropped = (at + timedelta(seconds=ride["duration"]) - datetime(1970, 1, 1)).total_seconds() * 1000
        trip = {
            "from": ride["PULocationID"] if i % 3 else str(ride["PULocationID"]),
            "to": ride["DOLocationID"],
            "pickup": at.isoformat() + offset,
            "dropped": int(dropped),
            "miles": ride["trip_distance"] if i % 5 else f" {ride['trip_distance']} ",
        }
        if i % 17 == 0:
            trip["miles"] = None
        if i % 29 == 0:
            trip.pop("miles")
        tags = rng.choice(["night", "airport", "shared", "cash"], rng.integers(0, 4), replace=False).tolist()
        records.append(
            {"id": i, "trip": trip, "riders": i % 4 + 1, "tags": tags, "took": ride["duration"] / 60}
        )
        if i % 13 == 0:
            records[-1].pop("riders")
    return records


def table_of(rides: list[dict]) -> pd.DataFrame:
    """prepare_features, as it is written in a notebook."""
    trips = pd.DataFrame([ride["trip"] for ride in rides])
    pickup = trips.pickup.map(pd.to_datetime)
    riders = pd.Series([ride.get("riders", 1) for ride in rides])
    return pd.DataFrame(
        {
            "zone": trips["from"].astype(float),
            "hour": pickup.map(lambda at: at.hour).astype(str),
            "weekday": pickup.map(lambda at: at.weekday()),
            "month": pd.to_datetime(trips.pickup, utc=True, format="ISO8601").dt.month,
            "miles": trips.miles.map(float, na_action="ignore").clip(0.1, 30).fillna(1.5),
            "riders": riders,
            "vendor": "acme",
        }
    )


def records_of(rides: list[dict]) -> list[dict]:
    """The same for a DictVectorizer."""
    features = []
    for ride in rides:
        trip = ride["trip"]
        at = pd.to_datetime(trip["dropped"], unit="ms")
        one = {"PU_DO": f"{trip['from']}_{trip['to']}", "hour": str(at.hour), "weekday": at.weekday()}
        if "miles" in trip:
            one["miles"] = np.clip(trip["miles"], None, 20)
        features.append(one | {"tags": ride["tags"]})
    return features


def served(bundle: Path, rides: list[dict], predictions: np.ndarray, folder: Path) -> None:
    """Asserts that the worker predicts the same, to the last bit."""
    pairs = zip(rides, predictions.tolist(), strict=True)
    lines = [json.dumps({"record": json.dumps(r), "outputs": {"minutes": y}}) + "\n" for r, y in pairs]
    result = check(replaced(bundle, lines, folder / bundle.name))
    assert result.returncode == 0, result.stderr
    assert f"{len(rides)} goldens equal (bits)" in result.stdout


def convert(pipeline, spec: str, sample: list[dict], folder: Path) -> Path:
    model = save(pipeline, folder / "model")
    (folder / "spec.toml").write_text(HEAD + spec)
    (folder / "rides.jsonl").write_text("".join(json.dumps(ride) + "\n" for ride in sample))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(goldens, "RANDOM", 500)
        patch.setattr("skiff_convert.report.SECONDS", 0.0)
        return cli.convert(
            str(model), str(folder / "spec.toml"), folder / "out", None, cli.Wish(), lambda text: None, False,
            folder / "rides.jsonl",
        )  # fmt: skip


def test_a_table_of_real_rides(rides, tmp_path):
    X, y = table_of(rides), np.array([ride["took"] for ride in rides])
    steps = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["zone", "hour", "vendor"]),
        remainder="passthrough",
        sparse_threshold=0,
    )
    pipeline = make_pipeline(steps, HistGradientBoostingRegressor(max_iter=20, random_state=1)).fit(X, y)
    bundle = convert(pipeline, TABLE, rides[:200], tmp_path)
    served(bundle, rides, pipeline.predict(X), tmp_path / "asked")


def test_a_vectorizer_of_real_rides(rides, tmp_path):
    rides = [ride for ride in rides if not isinstance(ride["trip"].get("miles", 0.0), str | None)]
    features, y = records_of(rides), np.array([ride["took"] for ride in rides])
    pipeline = make_pipeline(DictVectorizer(), DecisionTreeRegressor(max_depth=12, random_state=1)).fit(
        features, y
    )
    assert math.isfinite(y.sum())
    bundle = convert(pipeline, RECORDS, rides[:200], tmp_path)
    served(bundle, rides, pipeline.predict(features), tmp_path / "asked")
