"""CatBoost: float32 values, or statistics of categories, above a border; sums of doubles, scale and bias."""

import numpy as np

from ..form import Computed, Constant, Forest, Head, Step, Trees, Value, apply
from ..look import cbm
from ..look.cbm import ONE_HOT, CatBooster, CatTree
from ..look.graph import Obj
from . import catboost_ctr
from .boosters import bytes_of, check_names, check_width, may_miss
from .labels import labels_of
from .table import Lifting, Matrix

MOST_DEPTH = 12  # of an oblivious tree, which is written out: 2**12 leaves


def scores(obj: Obj, matrix: Matrix, lifting: Lifting) -> tuple[CatBooster, tuple[Value, ...]]:
    """The raw values, one a dimension."""
    booster = cbm.read(bytes_of(obj, ("__model",), lifting))
    if booster.unsupported:
        raise lifting.refuse(
            f"CatBoost with {', '.join(booster.unsupported)}", "make numbers or categories of them before"
        )
    check_width(booster.columns, matrix, lifting, "CatBoost")
    learned = _names(booster)
    if learned != [str(i) for i in range(len(learned))] and all(learned):
        check_names(learned, matrix, lifting, "CatBoost")
    words = {column for column, _ in booster.categorical.values()}
    may_miss(Matrix([value for i, value in enumerate(matrix.values) if i not in words]), lifting)
    made = catboost_ctr.categories(booster, matrix, lifting)
    values = [Constant(0.0) if i in words else lifting.number(v) for i, v in enumerate(matrix.values)]
    others, at = catboost_ctr.asked(made, values, lifting)
    trees = joined(booster, np.where(at < 0, -1, len(values) + at), lifting)
    target = np.full(len(booster.trees), 0 if booster.dimension == 1 else -1)
    node = Forest((*values, *others), trees, np.zeros(booster.dimension), target)
    raw = []
    for i, bias in enumerate(booster.bias.tolist()):
        steps = (Step("mul", booster.scale), Step("add", bias))
        raw.append(apply(Computed(node, i), *(steps if booster.scale != 1 or bias else ())))
    return booster, tuple(raw)


def names(obj: Obj, lifting: Lifting) -> list[str]:
    """The columns that it was trained on."""
    return _names(cbm.read(bytes_of(obj, ("__model",), lifting)))


def _names(booster: CatBooster) -> list[str]:
    made = [str(i) for i in range(booster.columns)]
    for feature in booster.floats:
        made[feature.column] = feature.name
    for column, name in booster.categorical.values():
        made[column] = name
    return made


def joined(booster: CatBooster, at: np.ndarray, lifting: Lifting) -> Trees:
    """The nodes of all trees one after another: right where a value is above the border.

    at is which value each split asks, -1 where it is that of its column.
    """
    above = {feature.column: feature.nan == "true" for feature in booster.floats}
    border = np.array([0.5 if split.kind == ONE_HOT else split.border for split in booster.splits])
    column = np.array([split.column for split in booster.splits], np.int64)
    column = np.where(at < 0, column, at)
    nan_right = np.array([above.get(split.column, False) for split in booster.splits], bool)
    parts = []
    for tree in booster.trees:
        if not len(tree.steps) and len(tree.splits) > MOST_DEPTH:
            raise lifting.refuse(
                f"CatBoost with trees of depth {len(tree.splits)}", f"supported: up to {MOST_DEPTH}"
            )
        parts.append(_asymmetric(tree) if len(tree.steps) else _oblivious(tree))
    offsets = np.cumsum([0] + [len(left) for left, *_ in parts])
    start = np.repeat(offsets[:-1], np.diff(offsets))
    left, right, split = (np.concatenate([part[i] for part in parts]) for i in range(3))
    ends = left < 0
    return Trees(
        offsets=offsets, left=np.where(ends, -1, left + start), right=np.where(ends, -1, right + start),
        feature=np.where(ends, 0, column[split]), threshold=np.where(ends, 0.0, border[split]),
        missing_left=~nan_right[split], leaf=np.concatenate([part[3] for part in parts]), float32=True,
    )  # fmt: skip


_Part = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # left, right, split, leaf of a tree's nodes


def _oblivious(tree: CatTree) -> _Part:
    """A tree whose levels ask one question each, written out. Level i answers bit i of the leaf's number."""
    depth = len(tree.splits)
    inner = (1 << depth) - 1
    nodes = np.arange(inner)
    level = np.floor(np.log2(nodes + 1)).astype(np.int64)
    split = np.zeros(inner + (1 << depth), np.int64)
    split[:inner] = tree.splits[level]
    number = np.zeros(
        1 << depth, np.int64
    )  # of the leaf at each place: its path's bits, the first is the lowest
    for i in range(depth):
        number |= (np.arange(1 << depth) >> (depth - 1 - i) & 1) << i
    left, right = np.full(len(split), -1), np.full(len(split), -1)
    left[:inner], right[:inner] = 2 * nodes + 1, 2 * nodes + 2
    leaf = np.zeros((len(split), tree.leaves.shape[1]))
    leaf[inner:] = tree.leaves[number]
    return left, right, split, leaf


def _asymmetric(tree: CatTree) -> _Part:
    """A tree whose nodes go their own ways. A step of 0 ends at the node itself, with its leaf."""
    count = len(tree.splits)
    steps = {side: tree.steps[side].astype(np.int64) for side in ("left", "right")}
    # A node may end on one side and go on on the other: its leaf is a node of its own, behind the others.
    ending = (steps["left"] == 0) | (steps["right"] == 0)
    both = (steps["left"] == 0) & (steps["right"] == 0)
    own = np.cumsum(ending & ~both) - 1 + count
    total = count + int((ending & ~both).sum())
    left, right = np.full(total, -1), np.full(total, -1)
    split, leaf = np.zeros(total, np.int64), np.zeros((total, tree.leaves.shape[1]))
    split[:count] = np.where(both, 0, tree.splits)
    nodes = np.arange(count)
    for side, into in (("left", left), ("right", right)):
        to = np.where(steps[side] == 0, own, nodes + steps[side])
        into[:count] = np.where(both, -1, to)
    leaf[:count][both] = tree.leaves[tree.leaf_of[both]]
    leaf[own[ending & ~both]] = tree.leaves[tree.leaf_of[ending & ~both]]
    return left, right, split, leaf


def regressor(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """What predict of a regressor, a ranker or a plain CatBoost returns: raw values."""
    booster, raw = scores(obj, matrix, lifting)
    loss = booster.loss
    if obj.name == "CatBoostRegressor":
        if loss in ("Poisson", "Tweedie"):
            return Head(raw, "exp_fast")
        if loss == "RMSEWithUncertainty":
            raise lifting.refuse(f"CatBoostRegressor with the loss {loss}", "RMSE converts")
    return Head(raw)


def classifier(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """What CatBoostClassifier's predict and predict_proba return."""
    booster, raw = scores(obj, matrix, lifting)
    stated = booster.info.get("class_params")
    # CrossEntropy's targets are probabilities: its classes have numbers and no names.
    numbers = stated.get("class_to_label", []) if isinstance(stated, dict) else []
    labels = labels_of(booster.class_names or numbers, lifting)
    if "binclass_probability_threshold" in booster.info:
        raise lifting.refuse(
            "CatBoostClassifier with a probability threshold", "leave set_probability_threshold out"
        )
    if booster.loss in ("Logloss", "CrossEntropy") and len(raw) == 1 and len(labels) == 2:
        return Head(raw, "expit", labels, decision=(), raw=raw)
    if booster.loss == "MultiClassOneVsAll" and len(raw) == len(labels):
        return Head(raw, "expits", labels, decision=(), raw=raw)
    if booster.loss == "MultiClass" and len(raw) == len(labels):
        return Head(raw, "softmax_fast", labels, decision=(), raw=raw)
    raise lifting.refuse(
        f"CatBoostClassifier with the loss {booster.loss}",
        "supported: Logloss, CrossEntropy, MultiClass, MultiClassOneVsAll",
    )


ESTIMATORS = {
    "CatBoost": regressor,
    "CatBoostRegressor": regressor,
    "CatBoostRanker": regressor,
    "CatBoostClassifier": classifier,
}
