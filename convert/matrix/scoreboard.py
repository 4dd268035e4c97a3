"""make scoreboard: the same pipelines through skiff and through other tools.

    usage: make scoreboard [SEEDS=50] [PIPELINES=7,40-60]

The last line of stdout is one JSON object: of each tool how many pipelines it was tried on, how many it
converted so that 200 records can be asked, in how many of those every number has the original's bits, in
how many a label is another one or a number off by more than 1e-3 of it, and the median of µs a row, 200
rows at a time, one thread. treelite is given the numbers that the steps before the trees make. A
DictVectorizer's records are given to sklearn-onnx one at a time, as it takes them.
"""

import argparse
import json
import logging
import os
import shutil
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort

from skiff_convert import columns
from skiff_convert.find import find
from skiff_convert.lifted import lift_model
from skiff_convert.look import look
from skiff_convert.outputs import head_for
from skiff_convert.records import Encoder, Reject
from skiff_convert.task import Task

from . import case
from .inside.make import Case, plain
from .run import BUILD, numbers

TOOLS = ("skiff", "sklearn-onnx double", "sklearn-onnx float32", "onnxmltools", "treelite")
FAR = 1e-3
ROUNDS = 5
BOOSTERS = ("XGB", "LGBM", "CatBoost")

Rows = Callable[[], list]  # asks all rows: for each what is predicted, numbers or a label


class NotForIt(Exception):
    """Not what the tool is for."""


def main() -> int:
    """Runs the command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--pipelines", default="")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    seeds = list(numbers(options.pipelines)) if options.pipelines else list(range(options.seeds))
    board = {t: {"pipelines": 0, "converted": 0, "exact": 0, "wrong": 0, "us_per_row": []} for t in TOOLS}
    folder = BUILD / "matrix" / "scoreboard"
    for seed in seeds:
        made = Case(seed)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        want = answers(made)
        words = []
        for tool in TOOLS:
            line = board[tool]
            try:
                line["pipelines"] += 1
                ask = prepared(tool, made, folder)
                got = ask()
            except NotForIt:
                line["pipelines"] -= 1
                continue
            except Exception as err:
                words.append(f"{tool}: {type(err).__name__}")
                continue
            word = judged(got, want)
            line["converted"] += 1
            line["exact"] += word == "exact"
            line["wrong"] += word == "wrong"
            line["us_per_row"].append(timed(ask) / len(want) * 1e6)
            words.append(f"{tool}: {word}")
        print(f"scoreboard: seed {seed} {made.name}: {', '.join(words)}", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    for line in board.values():
        line["us_per_row"] = round(statistics.median(line["us_per_row"] or [0.0]), 2)
    print(json.dumps(board))
    return 0


def answers(made: Case) -> list:
    """What the original says: numbers, or of a classifier probabilities where it has them, else the label."""
    said = made.answers()
    return said.get("predict_proba") or said["predict"]


def judged(got: list, want: list) -> str:
    """exact, near or wrong: of the records that both have an answer for."""
    word = "exact"
    for a, b in zip(got, want, strict=True):
        if a is None or b is None:
            word = (
                "wrong" if a is not None and np.isfinite(np.asarray(a, object).astype(float)).all() else word
            )
            continue
        if isinstance(b, (str, bool)):
            if plain(a) != b:
                return "wrong"
            continue
        a, b = np.atleast_1d(np.asarray(a, np.float64)), np.atleast_1d(np.asarray(b, np.float64))
        if a.shape != b.shape or not (np.abs(a - b) <= FAR * np.maximum(1e-3, np.abs(b))).all():
            return "wrong"
        if (a != b).any():
            word = "near"
    return word


def timed(ask: Rows) -> float:
    """The least seconds of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        ask()
        best = min(best, time.perf_counter() - start)
    return best


def prepared(tool: str, made: Case, folder: Path) -> Rows:
    """The pipeline, converted; what asks it. NotForIt, or whatever the tool raises."""
    if tool == "skiff":
        return skiff(made, folder)
    boosted = made.name.startswith(BOOSTERS)
    if tool == "treelite":
        return treelite(made)
    if tool == "onnxmltools" and not boosted:
        raise NotForIt
    if tool != "onnxmltools" and boosted:
        raise NotForIt
    return onnx_of(made, double=tool != "sklearn-onnx float32", boosted=boosted)


def skiff(made: Case, folder: Path) -> Rows:
    """The bundle's graph on the rows that the worker makes, and the link."""
    os.makedirs(folder / "case")
    made.save(str(folder / "case"), "cloudpickle")
    probable = made.classify and hasattr(made.model, "predict_proba")
    (folder / "case" / "answers.json").write_text(json.dumps({"predict_proba": []} if probable else {}))
    said = {"names": made.names}
    spec = folder / "spec.toml"
    spec.write_text(case.spec_of(said, folder / "case").replace('id = "id"\n', ""), "utf-8")
    bundle = case.cli.convert(
        str(folder / "case" / "model"),
        str(spec),
        folder / "out",
        "0" * 32,
        case.Wish(),
        lambda text: None,
        False,
    )
    manifest = json.loads((bundle / "manifest.json").read_text())
    found = find(str(folder / "case" / "model"), "0" * 32)
    task = Task(found, look(found.file), str(spec), None, folder, case.Wish(), print)
    lifted = lift_model(task, case.Accepts())
    head = head_for(lifted.head, lifted.spec)
    made_columns: list[columns.Column] = lifted.columns
    encoder, rows, at = Encoder(made_columns, None), [], []
    lines = made.json()
    for i, record in enumerate(lines):
        try:
            rows.append(encoder.encode(json.dumps(record)).row)
            at.append(i)
        except Reject:
            continue
    session = _session((bundle / "model.onnx").read_bytes())
    X = np.array(rows, np.float64).reshape(len(rows), -1)
    if len(manifest["columns"]) != X.shape[1]:
        raise ValueError("the columns are others")

    (at_y,) = head.choices()

    def ask() -> list:
        y = session.run(None, {"X": X})[0]
        scores = y[:, at_y.scores]
        if head.labels is None or probable:
            out = head.numbers(scores) if head.labels is not None or head.link != "identity" else scores
            out = out[:, 0] if head.labels is None and out.shape[1] == 1 else out
        else:
            out = [head.labels[i] for i in head.label(scores, y[:, at_y.by])]
        if len(at) == len(lines):
            return list(out)
        given: list = [None] * len(lines)
        for i, value in zip(at, out, strict=True):
            given[i] = value
        return given

    return ask


def _session(model: bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return ort.InferenceSession(model, options)


def onnx_of(made: Case, double: bool, boosted: bool) -> Rows:
    """sklearn-onnx; of boosters with onnxmltools' converters."""
    from skl2onnx import convert_sklearn
    from skl2onnx.common import data_types as types

    if boosted:
        _register()
    number = types.DoubleTensorType if double else types.FloatTensorType
    dtype = np.float64 if double else np.float32
    kind = {made.model: {"zipmap": False}} if made.classify else None
    if made.records:
        inputs = [("x", types.DictionaryType(types.StringTensorType([1]), number([1])))]
        feeds = [{"x": record} for record in made.asked]
    else:
        frame = made.asked
        whole = made.how == "numbers"
        texts = set(made.data.texts)
        inputs = [("x", number([None, frame.shape[1]]))]
        feeds = [{"x": frame.to_numpy().astype(dtype)}]
        if not whole:
            inputs = [
                (n, (types.StringTensorType if n in texts else number)([None, 1])) for n in frame.columns
            ]
            feeds = [{n: _column(frame[n], n in texts, dtype) for n in frame.columns}]
    opset = {"": 15, "ai.onnx.ml": 3}
    model = convert_sklearn(made.model, initial_types=inputs, options=kind, target_opset=opset)
    session = _session(model.SerializeToString())
    at = 1 if made.classify and hasattr(made.model, "predict_proba") else 0

    def ask() -> list:
        parts = [session.run(None, feed)[at] for feed in feeds]
        out = np.concatenate([np.asarray(p) for p in parts])
        return list(out.ravel() if out.ndim == 2 and out.shape[1] == 1 else out)

    return ask


def _column(series, text: bool, dtype: type) -> np.ndarray:  # noqa: ANN001
    if not text:
        return series.to_numpy().astype(dtype)[:, None]
    return np.array([v if isinstance(v, str) else "nan" for v in series.tolist()], object)[:, None]


def _register() -> None:
    """Tells sklearn-onnx of onnxmltools' converters."""
    import lightgbm
    import xgboost
    from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
    from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
    from skl2onnx import update_registered_converter
    from skl2onnx.common import shape_calculator as shapes

    regressor = shapes.calculate_linear_regressor_output_shapes
    classifier = shapes.calculate_linear_classifier_output_shapes
    options = {"nocl": [True, False], "zipmap": [True, False, "columns"]}
    for kind, name, shape, converter, more in (
        (xgboost.XGBRegressor, "XGBoostXGBRegressor", regressor, convert_xgboost, None),
        (xgboost.XGBClassifier, "XGBoostXGBClassifier", classifier, convert_xgboost, options),
        (lightgbm.LGBMRegressor, "LightGbmLGBMRegressor", regressor, convert_lightgbm, None),
        (lightgbm.LGBMClassifier, "LightGbmLGBMClassifier", classifier, convert_lightgbm, options),
    ):
        update_registered_converter(kind, name, shape, converter, options=more)


def treelite(made: Case) -> Rows:
    """treelite's own interpreter on what the steps before the trees make."""
    import treelite as library
    from treelite import gtil

    steps = getattr(made.model, "steps", None)
    last = steps[-1][1] if steps else made.model
    before = made.model[:-1] if steps and len(steps) > 1 else None
    if made.name.startswith("XGB"):
        model = library.frontend.from_xgboost(last.get_booster())
    elif made.name.startswith("LGBM"):
        model = library.frontend.from_lightgbm(last.booster_)
    elif made.name.startswith(("RandomForest", "ExtraTrees", "GradientBoosting", "HistGradientBoosting")):
        model = library.sklearn.import_model(last)
    else:
        raise NotForIt
    dtype = np.float32 if made.name.startswith("XGB") else np.float64

    def ask() -> list:
        X = before.transform(made.asked) if before is not None else made.asked
        X = X.toarray() if hasattr(X, "toarray") else np.asarray(X)
        out = np.asarray(gtil.predict(model, X.astype(dtype), nthread=1))
        out = out.reshape(len(made.unseen), -1)
        if made.classify and out.shape[1] == 1:
            out = np.column_stack([1 - out, out])
        return list(out[:, 0] if not made.classify and out.shape[1] == 1 else out)

    return ask


if __name__ == "__main__":
    sys.exit(main())
