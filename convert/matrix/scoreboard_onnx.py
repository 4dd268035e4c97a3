"""sklearn-onnx on the scoreboard, and onnxmltools' converters of boosters within it."""

import copy
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import onnxruntime as ort
from onnxmltools.convert import convert_catboost
from skl2onnx import convert_sklearn
from skl2onnx.common import data_types as types
from sklearn.preprocessing import StandardScaler

from .inside.make import Case
from .said import Converted, NotForIt, Said, matrix, repeated
from .scoreboard_boosters import register

BOOSTERS = ("XGB", "LGBM", "CatBoost")
OPSETS = (None, {"": 15, "ai.onnx.ml": 3})  # its own choice; what converters of boosters ask for
SPLIT = 1  # trees that onnxmltools' LightGBM adds up as float32, before the sums are double: its option


def sklearn(made: Case, rows: list[int], folder: Path) -> Iterator[Callable[[], Converted]]:
    """The ways of sklearn-onnx, of what holds no booster."""
    if made.name.startswith(BOOSTERS):
        raise NotForIt
    yield from _ways(made, rows)


def boosters(made: Case, rows: list[int], folder: Path) -> Iterator[Callable[[], Converted]]:
    """The ways of onnxmltools, of boosters."""
    if not made.name.startswith(BOOSTERS):
        raise NotForIt
    register()
    if made.name.startswith("CatBoost") and made.how == "categories":
        yield lambda: convert_catboost(made.model)  # which refuses categories
        return
    if made.name.startswith("XGB") and not hasattr(made.model, "steps"):
        # onnxmltools takes f0, f1 and so on, and its documentation says to rename what a frame's columns are.
        made = copy.copy(made)
        made.model = copy.deepcopy(made.model)
        made.model.get_booster().feature_names = None
    yield from _ways(made, rows)


def _ways(made: Case, rows: list[int]) -> Iterator[Callable[[], Converted]]:
    typed = (False, True) if made.how == "table" else (False,)
    texts = made.data.texts if made.how == "table" else []
    gaps = ("nan", "None", "") if texts and made.asked[texts].isna().any(axis=None) else ("",)
    extra: list[dict] = [{}]  # options beside those of probabilities
    if made.name == "LGBMRegressor":
        extra += [{id(_last(made)): {"split": SPLIT}}]
    if "StandardScaler" in repr(made.model):
        extra += [{StandardScaler: {"div": how}} for how in ("div", "div_cast")]
    for double, whole, gap, more in product((True, False), typed, gaps, extra):
        yield lambda d=double, w=whole, g=gap, m=more: _converted(made, rows, d, w, g, m)


def _converted(made: Case, rows: list[int], double: bool, typed: bool, gap: str, more: dict) -> Converted:
    if made.records:
        inputs, feed = _records(made, rows, double)
    else:
        inputs, feed = _table(made, rows, double, typed, gap)
    session = _session(made, inputs, more)
    ask = _each if made.records else _whole
    many = repeated(len(rows))
    batch = [feed[i] for i in many] if made.records else {name: values[many] for name, values in feed.items()}
    how = "double" if double else "float32"
    how += ", types of columns" if typed else ""
    how += f", {next(iter(more.values()))}" if more else ""
    return Converted(_said(made, ask(session, feed)), lambda: ask(session, batch), how)


def _records(made: Case, rows: list[int], double: bool) -> tuple[list, list[dict]]:
    """A DictVectorizer's: a map from text to numbers, one record at a time; words are entries of 1."""
    number = (types.DoubleTensorType if double else types.FloatTensorType)([1])
    inputs = [("x", types.DictionaryType(types.StringTensorType([1]), number))]
    separator = made.model.steps[0][1].separator
    feed = []
    for i in rows:
        entries = made.asked[i].items()
        pairs = [(f"{k}{separator}{v}", 1.0) if isinstance(v, str) else (k, float(v)) for k, v in entries]
        feed.append({"x": dict(pairs)})
    return inputs, feed


def _table(made: Case, rows: list[int], double: bool, typed: bool, gap: str) -> tuple[list, dict]:
    """A frame's: one matrix where all are numbers, else each column by its name, in the frame's order."""
    number, dtype = (types.DoubleTensorType, np.float64) if double else (types.FloatTensorType, np.float32)
    frame = made.asked.iloc[rows]
    if made.how != "table":
        columns = [codes(frame[name]) for name in frame.columns]
        return [("x", number([None, len(columns)]))], {"x": np.column_stack(columns).astype(dtype)}
    inputs, feed = [], {}
    for name in frame.columns:
        series = frame[name]
        if name in made.data.texts:
            kind, values = types.StringTensorType, [v if isinstance(v, str) else gap for v in series.tolist()]
            values = np.array(values, object)
        elif typed and series.dtype.kind in "bi":
            kind = types.BooleanTensorType if series.dtype.kind == "b" else types.Int64TensorType
            values = series.to_numpy()
        else:
            kind, values = number, series.to_numpy().astype(dtype)
        inputs.append((name, kind([None, 1])))
        feed[name] = values[:, None]
    return inputs, feed


def codes(series) -> np.ndarray:  # noqa: ANN001
    """Numbers; of a category the place of its word, as the boosters have it."""
    if series.dtype != "category":
        return series.to_numpy().astype(np.float64)
    codes = series.cat.codes.to_numpy().astype(np.float64)
    return np.where(codes < 0, np.nan, codes)


def _session(made: Case, inputs: list, more: dict) -> ort.InferenceSession:
    """Of the first of its choices that converts and runs."""
    why = None
    for opset, options in product(OPSETS, _options(made, more)):
        try:
            chosen = {key: dict(one) for key, one in options.items()}  # which it writes into
            model = convert_sklearn(made.model, initial_types=inputs, options=chosen, target_opset=opset)
            session = ort.SessionOptions()
            session.intra_op_num_threads = session.inter_op_num_threads = 1
            session.log_severity_level = 4
            return ort.InferenceSession(model.SerializeToString(), session)
        except Exception as err:  # of an option that it does not have, only where there is no other
            why = err if why is None or isinstance(why, NameError) else why
    raise why


def _options(made: Case, more: dict) -> list[dict]:
    """The options to try: of a classifier a matrix of probabilities, where it has that option."""
    if not made.classify:
        return [more]
    ones = product((made.model, _last(made)), ("zipmap", "raw_scores"))
    return [{id(one): {name: False}} | more for one, name in ones]


def _last(made: Case) -> object:
    return made.model.steps[-1][1] if hasattr(made.model, "steps") else made.model


def _whole(session: ort.InferenceSession, feed: dict) -> list:
    known = {one.name for one in session.get_inputs()}
    return session.run(None, {name: values for name, values in feed.items() if name in known})


def _each(session: ort.InferenceSession, feed: list[dict]) -> list:
    parts = [session.run(None, one) for one in feed]
    return [_joined([part[i] for part in parts]) for i in range(len(parts[0]))]


def _joined(parts: list) -> object:
    if isinstance(parts[0], list):
        return [one for part in parts for one in part]
    return np.concatenate([np.asarray(part) for part in parts])


def _said(made: Case, outputs: list) -> Said:
    if not made.classify:
        return Said(None, matrix(outputs[0]))
    labels = np.asarray(outputs[0]).ravel().tolist()
    if not hasattr(made.model, "predict_proba"):
        return Said(labels, None)
    shares = outputs[1]
    if isinstance(shares, list):  # zipmap, which it cannot leave out
        shares = [list(one.values()) for one in shares]
    return Said(labels, matrix(shares))
