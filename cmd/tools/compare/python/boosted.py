"""Scores trees on one thread: by what trained them, a compiler, onnxruntime's TreeEnsemble, skiff's operator.

    python boosted.py [--rounds 15] [--batches 1,10,100,1000] [--only NAME]

They take turns. A table goes to stderr: the median of the rounds, in µs of the processor a row, and between
which the middle half of them is. Stdout is the same as a line of JSON, with the largest difference of what
the compiler made, which has not the original's bits. Exit code 1: an answer of skiff's graphs that has not.
"""

import argparse
import json
import os
import pickle
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

import lightgbm as lgb
import numpy as np
import onnxruntime as ort
import xgboost as xgb
from skiff_convert import ops
from skiff_convert.lift import Cell, Lifting, Matrix, estimate
from skiff_convert.look.pickles import read
from skiff_convert.lower_form import lower, model_of
from skiff_convert.prove import open_session
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

from compiled import compiled

ROWS = 20_000  # to learn from
WORK = 2_000  # rows that a round's time is taken over, about


@dataclass(frozen=True)
class Case:
    """A model to be, of so many columns, and how what trained it predicts without checks of its own."""

    name: str
    columns: int
    estimator: object
    native: Callable[[object, np.ndarray], np.ndarray]


def predict(model: object, X: np.ndarray) -> np.ndarray:
    """scikit-learn's own way."""
    return model.predict(X)


CASES = [
    Case("XGBoost 100x6", 10, xgb.XGBRegressor(n_estimators=100, max_depth=6, n_jobs=1),
         lambda m, X: m.get_booster().inplace_predict(X)),
    Case("XGBoost 500x6", 20, xgb.XGBRegressor(n_estimators=500, max_depth=6, n_jobs=1),
         lambda m, X: m.get_booster().inplace_predict(X)),
    Case("LightGBM 500x31", 20, lgb.LGBMRegressor(n_estimators=500, num_leaves=31, n_jobs=1, verbose=-1),
         lambda m, X: m.booster_.predict(X, num_threads=1)),
    Case("HistGradientBoosting 100x31", 10, HistGradientBoostingRegressor(max_iter=100), predict),
    Case("RandomForest 100, to the end", 10, RandomForestRegressor(100, n_jobs=1, random_state=0), predict),
]  # fmt: skip


def data(columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Normal numbers, and a sum of them with two bends."""
    rng = np.random.default_rng(0)
    X = rng.normal(0, 1, (ROWS, columns))
    y = X @ rng.normal(0, 1, columns) + 2 * np.sin(3 * X[:, 0]) + X[:, 1] * X[:, 2] + rng.normal(0, 0.3, ROWS)
    return X, y


def graphs(model: object, columns: int) -> tuple[ort.InferenceSession, ort.InferenceSession]:
    """onnxruntime's session of the standard graph, and of the one with skiff's operator."""
    lifting = Lifting(names=tuple(f"c{i}" for i in range(columns)))
    head = estimate(read(pickle.dumps(model))[0], Matrix([Cell(name) for name in lifting.names]), lifting)
    made = [
        model_of(*lower(head, columns, fast=own), columns, len(head.scores), {}, "0", fast=own)
        for own in (False, True)
    ]
    if made[0] == made[1]:
        raise SystemExit("boosted: error: skiff's operator is not in its graph")
    return open_session(made[0]), open_session(made[1], ops.library())


def measure(case: Case, batches: list[int], rounds: int) -> list[dict]:
    """A row for each batch size."""
    say(f"{case.name}: training and compiling")
    X, y = data(case.columns)
    model = case.estimator.fit(X, y)
    standard, own = graphs(model, case.columns)
    want = np.asarray(model.predict(X), np.float64)
    for session in (standard, own):
        if (session.run(None, {"X": X})[0][:, 0] != want).any():
            raise SystemExit(f"boosted: error: {case.name}: the bits differ")
    compiler, run = compiled(model)
    off = float(np.max(np.abs(run(X) - want)))
    ways = {
        "native": lambda part: case.native(model, part),
        compiler: run,
        "onnxruntime": lambda part: standard.run(None, {"X": part}),
        "skiff": lambda part: own.run(None, {"X": part}),
    }
    rows = []
    for batch in batches:
        turns = max(1, WORK // batch // 10 if batch < 100 else WORK // batch)
        parts = [X[at : at + batch] for at in range(0, turns * batch, batch)]  # each another: as rows come
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                start = time.thread_time()
                for part in parts:
                    way(part)
                times[name].append((time.thread_time() - start) / turns / batch * 1e6)
        quartiles = {
            name: [round(q, 3) for q in statistics.quantiles(found, n=4)] for name, found in times.items()
        }
        rows.append({"model": case.name, "batch": batch, "us": quartiles, "off": {compiler: off}})
    return rows


def line(row: dict) -> str:
    """A row for a person."""
    shown = "  ".join(f"{name} {m:.3f} ({a:.3f} to {b:.3f})" for name, (a, m, b) in row["us"].items())
    middle = {name: quartiles[1] for name, quartiles in row["us"].items()}
    ours = middle.pop("skiff")
    times = ", ".join(f"{m / ours:.1f}x {name}" for name, m in middle.items())
    return f"{row['model']:28} {row['batch']:6,}  {shown}\n{'':37}skiff is {times}"


def say(text: str) -> None:
    """To whoever waits."""
    print(f"boosted: {text}", file=sys.stderr, flush=True)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--batches", default="1,10,100,1000")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    if ops.library() is None:
        raise SystemExit(f"boosted: error: skiff's operators are not there\nhint: {ops.HINT}")
    if os.getloadavg()[0] > 1:
        say(f"WARNING: the machine is busy, load {os.getloadavg()[0]:.1f}")
    rows = []
    for case in CASES:
        if options.only not in case.name:
            continue
        for row in measure(case, [int(b) for b in options.batches.split(",")], options.rounds):
            rows.append(row)
            print(line(row), file=sys.stderr, flush=True)
    versions = {name: version(name) for name in ("lightgbm", "lleaves", "tl2cgen", "onnxruntime", "numpy")}
    versions["xgboost"] = xgb.__version__  # of whichever of its packages
    report = {"unit": "µs of the processor a row, quartiles", "versions": versions, "rows": rows}
    print(json.dumps(report, ensure_ascii=False))


if __name__ == "__main__":
    main()
