"""Stage 5: what the pipeline learned, in plain arrays, checked: one DictVectorizer and one estimator."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import ConvertError

SUPPORTED = (
    "supported: Pipeline(DictVectorizer, one of LinearRegression, Ridge, Lasso, ElasticNet, "
    "DecisionTreeRegressor, RandomForestRegressor, ExtraTreesRegressor) with one output"
)


@dataclass(frozen=True)
class Vectorizer:
    """A fitted DictVectorizer: names[i] is column i; a category's name is feature + separator + value."""

    names: tuple[str, ...]
    separator: str
    sparse: bool
    sort: bool


@dataclass(frozen=True)
class Linear:
    """y = X @ coef + intercept; coef float64 [columns of the vectorizer]."""

    coef: np.ndarray
    intercept: float


@dataclass(frozen=True)
class Trees:
    """Regression trees, their nodes one after another; all arrays [nodes] but offsets [trees + 1].

    left and right are indices into these arrays, -1 at a leaf. A row goes left when its value, rounded to
    float32, is <= threshold; NaN when missing_left. y is the sum of the leaves' values, divided by the number
    of trees when averaged.
    """

    offsets: np.ndarray
    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    value: np.ndarray
    missing_left: np.ndarray
    averaged: bool


@dataclass(frozen=True)
class Pipeline:
    """A fitted pipeline; accepts_* is whether it predicts for NaN, and for numbers float32 cannot hold."""

    estimator_class: str
    vectorizer: Vectorizer
    estimator: Linear | Trees
    accepts_nan: bool
    accepts_beyond_float32: bool
    libraries: dict[str, str]


def load(folder: Path) -> Pipeline:
    """The pipeline that read.py dumped into folder. ConvertError naming the step that is not supported."""
    facts = json.loads((folder / "neutral.json").read_text(encoding="utf-8"))
    _check_steps(facts)
    with np.load(folder / "arrays.npz", allow_pickle=False) as npz:
        arrays = dict(npz)
    vectorizer = _vectorizer(facts)
    width = len(vectorizer.names)
    kind = facts["estimator"]["kind"]
    return Pipeline(
        estimator_class=facts["steps"][1]["class"],
        vectorizer=vectorizer,
        estimator=_linear(arrays, width) if kind == "linear" else _trees(arrays, width, kind == "forest"),
        accepts_nan=facts["accepts"]["nan"],
        accepts_beyond_float32=facts["accepts"]["beyond_float32"],
        libraries=facts["libraries"],
    )


def _check_steps(facts: dict) -> None:
    steps = facts["steps"]
    if facts["class"] != "Pipeline":
        raise ConvertError(f"the model is a {facts['class']}, not a Pipeline", SUPPORTED)
    if not steps or steps[0]["class"] != "DictVectorizer":
        first = f"step {steps[0]['name']} is a {steps[0]['class']}" if steps else "it has no steps"
        raise ConvertError(f"the pipeline does not start with a DictVectorizer: {first}", SUPPORTED)
    if len(steps) != 2:
        extra = f"step {steps[1]['name']} ({steps[1]['class']})" if len(steps) > 2 else "an estimator"
        verb = "is not supported" if len(steps) > 2 else "is missing"
        raise ConvertError(f"{extra} {verb}", SUPPORTED)
    if not facts["estimator"]:
        raise ConvertError(f"step {steps[1]['name']} ({steps[1]['class']}) is not supported", SUPPORTED)
    if facts["estimator"]["outputs"] != 1:
        outputs = facts["estimator"]["outputs"]
        raise ConvertError(f"step {steps[1]['name']} has {outputs} outputs", SUPPORTED)


def _vectorizer(facts: dict) -> Vectorizer:
    vectorizer, step = facts["vectorizer"], facts["steps"][0]["name"]
    if vectorizer["dtype"] != "float64":
        raise ConvertError(f"step {step} makes {vectorizer['dtype']} columns", "supported: dtype float64")
    if not vectorizer["separator"]:
        raise ConvertError(f"step {step} has an empty separator", "fit it again with separator '='")
    names = tuple(vectorizer["feature_names"])
    if not names:
        raise ConvertError(f"step {step} learned no features", "is this the fitted pipeline?")
    if not all(isinstance(name, str) for name in names):
        raise ConvertError(f"step {step} learned names that are not text", "a JSON record's keys are text")
    if len(set(names)) < len(names):
        repeated = Counter(names).most_common(1)[0][0]
        raise ConvertError(f"step {step} learned {repeated!r} twice", "is this the fitted pipeline?")
    try:
        "".join(names).encode("utf-8")
    except UnicodeEncodeError as err:
        raise ConvertError(f"step {step} learned a name that is not Unicode", "JSON cannot hold it") from err
    return Vectorizer(names, vectorizer["separator"], vectorizer["sparse"], vectorizer["sort"])


def _linear(arrays: dict[str, np.ndarray], width: int) -> Linear:
    coef, intercept = arrays["coef"], arrays["intercept"]
    if coef.dtype != np.float64 or intercept.dtype.kind not in "fi":
        raise ConvertError(f"the coefficients are {coef.dtype}", "supported: float64")
    if coef.shape != (width,) or intercept.shape != (1,):
        raise ConvertError(f"{len(coef)} coefficients for {width} columns", "is this the fitted pipeline?")
    if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
        raise ConvertError("a coefficient is not finite", "fit the pipeline again")
    return Linear(coef, float(intercept[0]))


def _trees(arrays: dict[str, np.ndarray], width: int, averaged: bool) -> Trees:
    offsets = arrays["offsets"].astype(np.int64)
    start = np.repeat(offsets[:-1], np.diff(offsets))  # of each node's tree
    end = np.repeat(offsets[1:], np.diff(offsets))
    left, right = arrays["children_left"].astype(np.int64), arrays["children_right"].astype(np.int64)
    leaf = left < 0
    feature = arrays["feature"].astype(np.int64)
    nodes = np.arange(len(left))
    # A damaged file must not make a loop or leave its tree: a child comes after its parent.
    for child in (left + start, right + start):
        if not (leaf | ((child > nodes) & (child < end))).all():
            raise ConvertError("a tree's nodes are out of order", "is the model's file complete?")
    if not (leaf | ((feature >= 0) & (feature < width))).all():
        raise ConvertError("a tree asks for a column that does not exist", "is this the fitted pipeline?")
    if not np.isfinite(arrays["value"][leaf]).all():
        raise ConvertError("a leaf is not finite", "fit the pipeline again")
    return Trees(
        offsets=offsets,
        left=np.where(leaf, -1, left + start),
        right=np.where(leaf, -1, right + start),
        feature=feature,
        threshold=arrays["threshold"].astype(np.float64),
        value=arrays["value"].astype(np.float64),
        missing_left=arrays["missing_go_to_left"].astype(bool),
        averaged=averaged,
    )
