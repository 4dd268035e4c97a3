"""scikit-learn's boosted trees: GradientBoosting and HistGradientBoosting."""

import math

import numpy as np

from ..form import Computed, Forest, Head, Step, Trees
from ..form.values import apply
from ..look.graph import Obj
from .labels import labels_of
from .members import BELOW_ZERO
from .table import Cell, Lifting, Matrix
from .trees import joined, version


def gradient(obj: Obj, matrix: Matrix, lifting: Lifting) -> Forest:
    """init first, then every stage's leaves times the learning rate."""
    stages = np.asarray(obj.estimators_, dtype=object)
    stages = stages.reshape(len(stages), -1)
    rounds, outputs = stages.shape
    trees = [tree.tree_ for tree in stages.ravel()]
    leaf = [obj.learning_rate * tree.state["values"][:, :, 0] for tree in trees]
    target = np.tile(np.arange(outputs), rounds)
    base = _init(obj, outputs, lifting)
    return Forest(tuple(lifting.numbers(matrix)), joined(trees, leaf), base, target, refuses=True)


def _init(obj: Obj, outputs: int, lifting: Lifting) -> np.ndarray:
    """What the raw predictions start from."""
    init = obj.state.get("init_")
    if init == "zero" or init is None and obj.state.get("init") == "zero":
        return np.zeros(outputs)
    if not isinstance(init, Obj) or init.name not in ("DummyRegressor", "DummyClassifier"):
        raise lifting.refuse(f"{obj.name} with an init of its own", "leave init out")
    if init.name == "DummyRegressor":
        return np.ravel(np.asarray(init.constant_, np.float64))
    prior = np.ravel(np.asarray(init.class_prior_, np.float64))
    written = version(obj)
    # float32's eps until 1.8, and a logit of its own since 1.4, when it took over the other boosting's losses
    eps = float(np.finfo(np.float64 if written >= (1, 8) else np.float32).eps)
    proba = np.clip(prior, eps, 1 - eps).tolist()
    if outputs == 1:
        return np.array([logit(proba[1]) if written >= (1, 4) else math.log(proba[1] / (1 - proba[1]))])
    if written < (1, 4):
        return np.array([math.log(p) for p in proba])
    mean = math.exp(np.average(np.array([math.log(p) for p in proba])))
    return np.array([math.log(p / mean) for p in proba])


def logit(p: float) -> float:
    """log(p / (1 - p)) as scipy has it: by log1p where p is about a half."""
    if 0.3 <= p <= 0.65:
        s = 2 * (p - 0.5)
        return math.log1p(s) - math.log1p(-s)
    return math.log(p / (1 - p))


def gradient_regressor(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """GradientBoostingRegressor."""
    node = gradient(obj, matrix, lifting)
    return Head((Computed(node, 0),))


def gradient_classifier(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """GradientBoostingClassifier with its log loss."""
    if obj.state.get("loss") not in ("log_loss", "deviance"):
        raise lifting.refuse(
            f"GradientBoostingClassifier with loss={obj.state.get('loss')!r}", "supported: log_loss"
        )
    node = gradient(obj, matrix, lifting)
    scores = tuple(Computed(node, i) for i in range(node.width))
    link = "expit" if node.width == 1 else "softmax" if version(obj) >= (1, 4) else "softmax_log"
    return Head(scores, link, labels_of(obj.classes_, lifting), cut=BELOW_ZERO)


def histogram(obj: Obj, matrix: Matrix, lifting: Lifting) -> Forest:
    """baseline first, then the leaves of every round; doubles compared as doubles."""
    predictors = obj._predictors
    outputs = len(predictors[0]) if predictors else 1
    nodes = [p.state["nodes"] for stage in predictors for p in stage]
    bitsets = [p.state.get("raw_left_cat_bitsets") for stage in predictors for p in stage]
    values = _preprocessed(obj, matrix, lifting)
    base = np.ravel(np.asarray(obj._baseline_prediction, np.float64))
    target = np.tile(np.arange(outputs), len(predictors))
    return Forest(
        tuple(values), _histogram_trees(nodes, bitsets), np.broadcast_to(base, outputs).copy(), target
    )


def _histogram_trees(nodes: list[np.ndarray], bitsets: list[np.ndarray]) -> Trees:
    offsets = np.cumsum([0] + [len(n) for n in nodes])
    start = np.repeat(offsets[:-1], np.diff(offsets))
    every = np.concatenate(nodes)
    ends = every["is_leaf"].astype(bool)
    categorical = (
        every["is_categorical"].astype(bool)
        if "is_categorical" in every.dtype.names
        else np.zeros(len(every), bool)
    )
    threshold = "num_threshold" if "num_threshold" in every.dtype.names else "threshold"
    sets, category = [], np.full(len(every), -1)
    for tree, (of_tree, bits) in enumerate(zip(nodes, bitsets, strict=True)):
        for i in np.flatnonzero(
            categorical[offsets[tree] : offsets[tree + 1]] & ~of_tree["is_leaf"].astype(bool)
        ):
            category[offsets[tree] + i] = len(sets)
            words = np.asarray(bits[of_tree[i]["bitset_idx"]], np.uint32)
            sets.append(
                frozenset(c for c in range(32 * len(words)) if words[c // 32] >> np.uint32(c % 32) & 1)
            )
    return Trees(
        offsets=offsets, left=np.where(ends, -1, every["left"].astype(np.int64) + start),
        right=np.where(ends, -1, every["right"].astype(np.int64) + start),
        feature=np.where(ends, 0, every["feature_idx"]).astype(np.int64),
        threshold=every[threshold].astype(np.float64),
        missing_left=every["missing_go_to_left"].astype(bool),
        leaf=every["value"].astype(np.float64)[:, None], category=category, sets=tuple(sets),
    )  # fmt: skip


def _preprocessed(obj: Obj, matrix: Matrix, lifting: Lifting) -> list:
    """The columns as the trees number them: since 1.4 a ColumnTransformer puts encoded categories first."""
    from . import transform

    for value in matrix.values:
        lifting.nan.add(getattr(value, "name", ""))
    preprocessor = obj.state.get("_preprocessor")
    if isinstance(obj.state.get("categorical_features"), str):  # from_dtype
        lifting.dtypes.update({v.name: "category" for v in matrix.values if isinstance(v, Cell)})
    if isinstance(preprocessor, Obj):
        matrix = transform(preprocessor, matrix, lifting.at("its preprocessor"))
    values = lifting.numbers(matrix)
    is_categorical = obj.state.get("_is_categorical_remapped", obj.state.get("is_categorical_"))
    if is_categorical is not None:
        # a negative code is missing, as its documentation has it
        values = [
            apply(v, Step("negative_missing")) if c else v
            for v, c in zip(values, is_categorical, strict=True)
        ]
    return values


def histogram_regressor(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """HistGradientBoostingRegressor: exp where its loss works on logarithms."""
    node = histogram(obj, matrix, lifting)
    link = "exp" if obj.state.get("loss") in ("poisson", "gamma") else "identity"
    return Head((Computed(node, 0),), link)


def histogram_classifier(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """HistGradientBoostingClassifier."""
    node = histogram(obj, matrix, lifting)
    scores = tuple(Computed(node, i) for i in range(node.width))
    # its scores are by columns in memory, which NumPy adds up in order
    several = "softmax_in_order" if version(obj) >= (1, 1) else "softmax_log"
    link = "expit" if node.width == 1 else several
    return Head(scores, link, labels_of(obj.classes_, lifting), decision=scores, decide="probabilities")


ESTIMATORS = {
    "GradientBoostingRegressor": gradient_regressor,
    "GradientBoostingClassifier": gradient_classifier,
    "HistGradientBoostingRegressor": histogram_regressor,
    "HistGradientBoostingClassifier": histogram_classifier,
}
