"""What the tests share: small pipelines, MLflow model folders, and the converter's stages in one process."""

import contextlib
import io
import json
import pickle
import random
import warnings
from pathlib import Path

import numpy as np
import skops.io
import yaml
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeRegressor

from skiff_convert import columns, grid, lower, neutral, prove, read, reader
from skiff_convert.records import Encoder, Reject

ESTIMATORS = {
    "LinearRegression": lambda: LinearRegression(),
    "Ridge": lambda: Ridge(alpha=0.5),
    "Lasso": lambda: Lasso(alpha=0.01),
    "ElasticNet": lambda: ElasticNet(alpha=0.01),
    "DecisionTreeRegressor": lambda: DecisionTreeRegressor(random_state=1),
    "RandomForestRegressor": lambda: RandomForestRegressor(90, min_samples_leaf=4, random_state=1),
    "ExtraTreesRegressor": lambda: ExtraTreesRegressor(n_estimators=7, random_state=1),
}
LINEAR = [name for name in ESTIMATORS if name in read.LINEAR]
TREES = [name for name in ESTIMATORS if name not in read.LINEAR]
TRUSTED = ["sklearn.tree._tree.Tree"]


def mixed_records(n: int = 300) -> list[dict]:
    """Records with words (one has = in it), numbers, and a feature that is now one, now the other."""
    rng = random.Random(7)
    return [
        {
            "zone": rng.choice(("a", "b=c", "naïve ☃", "", "10_20", "10_30")),
            "distance": round(rng.lognormvariate(1, 1), 2),
            "code": rng.choice(("x", "y", 1, 2.5, 7)),
            "flag": rng.random() < 0.5,
        }
        for _ in range(n)
    ]


def target(records: list[dict]) -> np.ndarray:
    """Something to learn from a record, float64 [records]."""
    rng = random.Random(8)
    return np.array([len(r["zone"]) + 3 * r["distance"] + 2 * r["flag"] + rng.random() for r in records])


def words_and_miles(records: list[dict]) -> list[dict]:
    """Only a word and a number of each record: few enough cells for a table."""
    return [{name: record[name] for name in ("zone", "distance")} for record in records]


def taxi_records(n: int = 200) -> list[dict]:
    """Features as the taxi spec makes them."""
    rng = random.Random(9)
    return [
        {"PU_DO": f"{rng.randrange(1, 5)}_{rng.randrange(1, 5)}", "trip_distance": rng.uniform(0, 20)}
        for _ in range(n)
    ]


def fit(estimator, records: list[dict] | None = None, y: np.ndarray | None = None, **vectorizer) -> Pipeline:
    """A fitted pipeline; of mixed_records when none are given."""
    if records is None:
        records = mixed_records()
        y = target(records)
    elif y is None:
        y = np.random.default_rng(3).uniform(1, 60, len(records))
    vector = DictVectorizer(**vectorizer)
    X = vector.fit_transform(records)
    if vector.sparse:  # in scikit-learn 1.9 Lasso.fit refuses the 64-bit indices that DictVectorizer makes
        X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    return Pipeline([("vectorizer", vector), ("estimator", estimator.fit(X, y))])


def taxi_forest() -> Pipeline:
    """A forest of nine trees on the taxi's records."""
    return fit(RandomForestRegressor(n_estimators=9, random_state=1), taxi_records())


class Converted:
    """A pipeline through the converter's stages, in every lowering, without its files and processes."""

    def __init__(
        self, pipeline: Pipeline, folder: Path, spec: str | None = "none", most_cells: int = 300_000
    ):
        facts, arrays = read.describe(pipeline)
        (folder / "neutral.json").write_text(json.dumps(facts))
        np.savez(folder / "arrays.npz", **arrays)
        self.original = pipeline
        self.learned = neutral.load(folder)
        self.spec, name = columns.choose(self.learned, spec)
        self.columns = columns.build(self.learned, self.spec, optional=name == "none")
        self.lowering = lower.lower(self.learned, self.columns, "test")
        self.lowerings, self.table = [self.lowering], None
        axes = grid.axes(self.learned, self.columns) if self.lowering.kind == "trees" else None
        if axes is not None and grid.size(axes) <= most_cells:
            cells = read.tabulate(pipeline, [(axis.index, axis.given) for axis in axes])
            self.table = grid.Table(axes, cells)
            self.lowerings.append(lower.lower(self.learned, self.columns, "test", self.table))
            prove.prove_all(self.lowerings[1].model, grid.rows(self.table, self.columns))
        self.encoder = Encoder(self.columns, self.spec.id)
        self._sessions = [prove.open_session(lowering.model) for lowering in self.lowerings]

    def encode(self, record: dict):
        """The encoded record, or the reject."""
        try:
            return self.encoder.encode(json.dumps(record))
        except Reject as reject:
            return reject

    def check(self, records: list[dict]) -> int:
        """Asserts that graphs and original agree on each record that is accepted; how many were."""
        encoded = [e for record in records if not isinstance(e := self.encode(record), Reject)]
        if not encoded:
            return 0
        X = np.array([e.row for e in encoded], np.float64)
        expected = self.original.predict([e.features for e in encoded])
        for session in self._sessions:
            y = prove.score(session, X, len(X))
            if self.lowering.bound == "bits":
                assert y.tobytes() == expected.astype(np.float64).tobytes()
            else:
                assert (np.abs(y - expected) <= lower.allowance(self.learned, self.columns, X)).all()
        return len(encoded)


class InProcess(reader.Reader):
    """A reader without the process, which is most of its time."""

    def _run(self, command, *paths, say=None):
        stderr = io.StringIO()
        with contextlib.redirect_stderr(stderr), warnings.catch_warnings():
            code = read.main(self._arguments(command, *paths))
        if code:
            raise reader._error(code, stderr.getvalue())
        for line in stderr.getvalue().splitlines():
            if line.startswith(reader.DONE):
                say(line.removeprefix(reader.DONE))


def save(pipeline, folder: Path, *, how: str = "pickle", run_id: str | None = "r" * 32, **flavor) -> Path:
    """Writes an MLflow model's folder by hand: MLmodel and the pipeline; the folder."""
    folder.mkdir(parents=True)
    file = "model.skops" if how == "skops" else "model.pkl"
    if how == "skops":
        skops.io.dump(pipeline, folder / file)
        flavor = {"skops_trusted_types": TRUSTED, **flavor}
    elif how == "cloudpickle":
        import cloudpickle

        (folder / file).write_bytes(cloudpickle.dumps(pipeline))
    else:
        (folder / file).write_bytes(pickle.dumps(pipeline))
    versions = read.libraries()
    flavor = {
        "pickled_model": file,
        "serialization_format": how,
        "sklearn_version": versions["scikit-learn"],
        **flavor,
    }
    mlmodel = {
        "flavors": {"sklearn": flavor},
        "model_uuid": "0" * 32,
        "utc_time_created": "2026-01-02 03:04:05.678901",
    }
    if run_id:
        mlmodel["run_id"] = run_id
    (folder / "MLmodel").write_text(yaml.safe_dump(mlmodel))
    return folder


def prepared_taxi() -> list[dict]:
    """Features of 900 pairs of zones, of which most are rare."""
    rng = random.Random(4)
    zones = [int(rng.expovariate(0.2)) % 30 for _ in range(8000)]
    return [
        {"PU_DO": f"{pu}_{do}", "trip_distance": rng.expovariate(0.3)}
        for pu, do in zip(zones[::2], zones[1::2], strict=True)
    ]


def taxi_lines(n: int) -> list[str]:
    """Rides of some more zones, as a stream has them."""
    rng = random.Random(5)
    zone = lambda: int(rng.expovariate(0.19)) % 33  # noqa: E731
    rides = (
        {"PULocationID": zone(), "DOLocationID": zone(), "trip_distance": rng.expovariate(0.3)}
        for _ in range(n)
    )
    return [json.dumps({"ride": ride, "ride_id": i}) for i, ride in enumerate(rides)]
