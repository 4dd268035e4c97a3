"""Trains the two example pipelines on taxi rides of 2018 and logs them as MLflow runs.

Usage: python models/taxi/train.py [TRACKING_URI]

The tracking store is sqlite under .build/mlflow unless TRACKING_URI, or MLFLOW_TRACKING_URI, names another.
Beside this file it writes

    runs.json             {"linear": RUN_ID, "forest": RUN_ID}
    predictions.parquet   what the two pipelines predict for the first 20,000 rides of 2019 (float64 minutes,
                          one column a run), in the order of rides.parquet
"""

import json
import os
import sys
import time
from datetime import date
from pathlib import Path

import mlflow
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

HERE = Path(__file__).resolve().parent
STORE = HERE.parents[1] / ".build" / "mlflow"
EXPERIMENT = "taxi"
SPLIT = date(2019, 1, 1)  # trained on the rides picked up before, streamed from here on
STREAMED = 20_000  # rides
TRUSTED = ["sklearn.tree._tree.Tree"]  # skops wants the trees' node storage named

ESTIMATORS = {
    "linear": LinearRegression(),
    "forest": RandomForestRegressor(
        n_estimators=100, max_depth=20, min_samples_leaf=10, random_state=2018, n_jobs=os.cpu_count()
    ),
}


def prepare_features(rides: pa.Table) -> list[dict]:
    """What the pipelines are trained on: a pair of zones, and miles."""
    columns = (rides[name].to_pylist() for name in ("PULocationID", "DOLocationID", "trip_distance"))
    return [{"PU_DO": f"{pu}_{do}", "trip_distance": miles} for pu, do, miles in zip(*columns, strict=True)]


def minutes(rides: pa.Table) -> np.ndarray:
    """The durations of rides, float64 minutes [rides]."""
    return rides["duration"].to_numpy() / 60


def experiment() -> str:
    """Points MLflow at the tracking store; the id of the experiment, made when it is new."""
    uri = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MLFLOW_TRACKING_URI")
    artifacts = None  # a server knows where its artifacts go
    if not uri:
        STORE.mkdir(parents=True, exist_ok=True)
        uri, artifacts = f"sqlite:///{STORE}/mlflow.db", (STORE / "artifacts").as_uri()
    mlflow.set_tracking_uri(uri)
    known = mlflow.get_experiment_by_name(EXPERIMENT)
    return known.experiment_id if known else mlflow.create_experiment(EXPERIMENT, artifacts)


def main() -> None:
    rides = pq.read_table(HERE / "rides.parquet")
    before = pc.less(rides["pickup"], SPLIT)
    train, test = rides.filter(before), rides.filter(pc.invert(before))
    features, target = prepare_features(train), minutes(train)
    unseen, truth = prepare_features(test), minutes(test)
    experiment_id = experiment()

    runs, predictions = {}, {}
    for name, estimator in ESTIMATORS.items():
        start = time.perf_counter()
        print(f"train: {name}: fitting {len(features):,} rides of 2018", flush=True)
        pipeline = make_pipeline(DictVectorizer(), estimator).fit(features, target)
        if hasattr(estimator, "n_jobs"):
            estimator.n_jobs = 1  # one job adds the trees up in their order: same bits every time
        predicted = pipeline.predict(unseen)
        rmse = float(np.sqrt(np.mean((predicted - truth) ** 2)))
        print(f"train: {name}: rmse {rmse:.3f} minutes on {len(unseen):,} rides of 2019", flush=True)

        with mlflow.start_run(experiment_id=experiment_id, run_name=name) as run:
            mlflow.log_params({"estimator": type(estimator).__name__, "rides": len(features)})
            mlflow.log_params(estimator.get_params())
            mlflow.log_metric("rmse", rmse)
            mlflow.sklearn.log_model(pipeline, name="model", skops_trusted_types=TRUSTED)
        runs[name], predictions[run.info.run_id] = run.info.run_id, pipeline.predict(unseen[:STREAMED])
        print(f"train: {name}: run {run.info.run_id}, {time.perf_counter() - start:.0f} s", flush=True)

    pq.write_table(pa.table(predictions), HERE / "predictions.parquet", compression="zstd")
    (HERE / "runs.json").write_text(json.dumps(runs, indent=2) + "\n")


if __name__ == "__main__":
    main()
