"""The pipeline that all candidates serve: the forest of models/taxi/runs.json, which is not in git.

Usage: PYTHONPATH=convert:models/taxi python model.py OUT_FOLDER [--tiny]

It is taken from the example's tracking store where that has the run, and otherwise trained again as train.py
does. In either case its predictions are those of predictions.parquet, to the last bit, or there is no model.
With --tiny it is a small forest of no run, for tests.

    model/             an MLflow model's folder, with model.pkl in it: pickles load the quickest
    predictions.json   what the pipeline predicts for the first 20,000 rides of 2019, minutes
"""

import json
import logging
import shutil
import sys
from pathlib import Path

import mlflow.sklearn
import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import train
import yaml
from skiff_convert import read
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction import DictVectorizer
from sklearn.pipeline import make_pipeline


def say(text):
    print(f"compare: {text}", file=sys.stderr, flush=True)


def stored(run_id):
    """The run's pipeline out of the example's store, or None."""
    for mlmodel in train.STORE.glob("artifacts/models/*/artifacts/MLmodel"):
        facts = yaml.safe_load(mlmodel.read_text())
        if facts.get("run_id") == run_id:
            flavor = facts["flavors"]["sklearn"]
            file = mlmodel.with_name(flavor["pickled_model"])
            say(f"reading {file.name} of run {run_id}")
            return read.load(str(file), train.TRUSTED, flavor["sklearn_version"])
    return None


def trained(estimator, rides):
    """A pipeline fitted to rides, and set to one job: it adds trees up in their order, to the same bits."""
    say(f"fitting {len(rides):,} rides of 2018")
    pipeline = make_pipeline(DictVectorizer(), estimator)
    pipeline.fit(train.prepare_features(rides), train.minutes(rides))
    estimator.n_jobs = 1
    return pipeline


def save(out, pipeline, predicted):
    """Writes both, as the head of this file says."""
    logging.getLogger("mlflow").setLevel(logging.ERROR)  # it warns of pickles; this one stays here
    shutil.rmtree(out / "model", ignore_errors=True)
    mlflow.sklearn.save_model(pipeline, out / "model", serialization_format="pickle", pip_requirements=[])
    (out / "predictions.json").write_text(json.dumps(predicted.tolist()))


def main():
    out, tiny = Path(sys.argv[1]), sys.argv[2:] == ["--tiny"]
    rides = pq.read_table(train.HERE / "rides.parquet")
    before = pc.less(rides["pickup"], train.SPLIT)
    known = rides.filter(before)
    unseen = train.prepare_features(rides.filter(pc.invert(before)).slice(0, train.STREAMED))
    if tiny:
        pipeline = trained(RandomForestRegressor(10, max_depth=8, random_state=1), known.slice(0, 5000))
        predicted = pipeline.predict(unseen)
    else:
        run_id = json.loads((train.HERE / "runs.json").read_text())["forest"]
        pipeline = stored(run_id) or trained(train.ESTIMATORS["forest"], known)
        predicted = pipeline.predict(unseen)
        expected = pq.read_table(train.HERE / "predictions.parquet")[run_id].to_numpy()
        if different := int(np.sum(predicted.view(np.int64) != expected.view(np.int64))):
            say(f"error: {different:,} of {len(expected):,} predictions are not those of run {run_id}")
            print("hint: `make example` makes the runs again", file=sys.stderr)
            return 1
    save(out, pipeline, predicted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
