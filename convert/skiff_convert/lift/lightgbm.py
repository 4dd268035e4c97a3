"""LightGBM: doubles compared as doubles, sums in the trees' order from 0.0."""

import numpy as np

from ..form import Computed, Forest, Head, Step, Trees, Value, apply
from ..look import lgb
from ..look.graph import Obj
from ..look.lgb import NAN, ZERO, LGBooster
from .boosters import bytes_of, check_width, cut, may_miss, words
from .labels import labels_of
from .table import Cell, Lifting, Matrix

TINY = float(np.float32(1e-35))  # kZeroThreshold: a number no larger is zero
PLAIN = ["regression", "regression_l1", "huber", "fair", "quantile", "mape", "lambdarank", "rank_xendcg"]
EXPONENTIAL = ("poisson", "gamma", "tweedie")
CATEGORY = 3  # beside lgb's NONE, ZERO and NAN: what a column is asked for

_Kind = tuple[int, int]  # a column, and how a node reads it


def booster_of(obj: Obj, lifting: Lifting) -> tuple[LGBooster, int]:
    """The booster of an estimator, or of a Booster, and how many of its iterations predict uses."""
    inner = obj.state.get("_Booster", obj)
    if not isinstance(inner, Obj):
        raise lifting.refuse(f"the {obj.name} is not fitted", "fit it before it is logged")
    booster = lgb.read(bytes_of(inner, ("_handle", "handle"), lifting))
    best = int(inner.state.get("best_iteration") or 0)
    return booster, min(best, booster.iterations) if best > 0 else booster.iterations


def scores(obj: Obj, matrix: Matrix, lifting: Lifting) -> tuple[LGBooster, tuple[Value, ...]]:
    """The raw scores, one a class; a random forest's averaged."""
    booster, iterations = booster_of(obj, lifting)
    check_width(booster.num_feature, matrix, lifting, "LightGBM")
    if (obj.state.get("_other_params") or {}).get("pred_early_stop"):
        raise lifting.refuse(
            "LightGBM with pred_early_stop", "leave pred_early_stop out: every tree is added up"
        )
    per = booster.trees_per_iteration
    used = booster.trees[: iterations * per]
    if any(tree.linear for tree in used):
        raise lifting.refuse("LightGBM with linear trees (linear_tree)")
    kinds = sorted({kind for tree in used for kind in _kinds(tree)})
    values = _values(booster, kinds, used, matrix, lifting)
    trees = joined(used, {kind: i for i, kind in enumerate(kinds)})
    divisor = float(iterations) if booster.average_output and iterations else 1.0
    node = Forest(values, trees, np.zeros(per), np.tile(np.arange(per), iterations), divisor)
    return booster, tuple(Computed(node, i) for i in range(per))


def _kinds(tree: lgb.LGBTree) -> list[_Kind]:
    """A column and how it is read, of each inner node."""
    kind = np.where(tree.categorical, CATEGORY, tree.missing)
    return list(zip(tree.feature.tolist(), kind.tolist(), strict=True))


def _values(
    booster: LGBooster, kinds: list[_Kind], trees: list[lgb.LGBTree], matrix: Matrix, lifting: Lifting
) -> tuple[Value, ...]:
    """The columns as the nodes read them: one may be read in two ways."""
    may_miss(matrix, lifting)
    columns = _columns(booster, matrix, lifting)
    at_zero = {
        (feature, missing)
        for tree in trees
        for feature, missing, threshold in zip(tree.feature, tree.missing, tree.threshold, strict=True)
        if -TINY <= threshold < TINY
    }
    values = []
    for feature, kind in kinds:
        steps: tuple[Step, ...] = ()
        if kind == CATEGORY:
            steps = (Step("trunc"),)
        elif kind == ZERO:
            steps = (Step("absent", TINY),)
        elif not matrix.sparse and (feature, kind) in at_zero:
            steps = (Step("tiny", TINY),)  # a dense row loses such numbers on the way to the trees
        values.append(apply(columns[feature], *steps))
    return tuple(values)


def _columns(booster: LGBooster, matrix: Matrix, lifting: Lifting) -> list[Value]:
    """The matrix's values as numbers; a frame's category columns by the model's own lists of categories."""
    of_frame = _category_columns(booster, lifting)
    columns: list[Value] = []
    for i, value in enumerate(matrix.values):
        if i in of_frame and isinstance(value, Cell):
            columns.append(words(value, of_frame[i], False, lifting))
        elif i in of_frame:
            raise lifting.refuse(
                "LightGBM takes a category column that another step hands on",
                "encode the column in the pipeline (OrdinalEncoder), or give it to LightGBM itself",
            )
        else:
            columns.append(lifting.number(value))
    return columns


def _category_columns(booster: LGBooster, lifting: Lifting) -> dict[int, list]:
    """The categories of a frame's columns, by column: of the model's lists and categorical columns."""
    lists = booster.pandas_categorical or []
    if not lists:
        return {}
    stated = booster.params.get("categorical_feature", "")
    places = sorted(int(word) for word in stated.split(",") if word.strip().isdigit())
    if not places:
        places = [i for i, info in enumerate(booster.feature_infos) if ":" in info and info[:1] not in "[n"]
    if len(places) != len(lists):
        raise lifting.refuse(
            f"LightGBM was trained on {len(lists)} category columns, and it does not say which they are",
            "use unordered categories, and no other categorical_feature",
        )
    return dict(zip(places, lists, strict=True))


def joined(trees: list[lgb.LGBTree], place: dict[_Kind, int]) -> Trees:
    """The nodes of all trees one after another: a tree's inner nodes, then its leaves."""
    offsets = np.cumsum([0] + [len(tree.left) + len(tree.leaf_value) for tree in trees])
    size = int(offsets[-1])
    left, right = np.full(size, -1), np.full(size, -1)
    feature, category = np.zeros(size, np.int64), np.full(size, -1)
    threshold, missing_left, leaf = np.zeros(size), np.zeros(size, bool), np.zeros((size, 1))
    sets: list[frozenset[int]] = []
    for offset, tree in zip(offsets.tolist(), trees, strict=False):
        inner = len(tree.left)
        here = slice(offset, offset + inner)
        left[here] = offset + np.where(tree.left >= 0, tree.left, inner + ~tree.left)
        right[here] = offset + np.where(tree.right >= 0, tree.right, inner + ~tree.right)
        feature[here] = [place[kind] for kind in _kinds(tree)]
        threshold[here] = tree.threshold
        # Where NaN is not what is missing, it is 0.0.
        says = (tree.missing == NAN) | (tree.missing == ZERO)
        missing_left[here] = np.where(says, tree.default_left, tree.threshold >= 0) & ~tree.categorical
        category[here] = np.where(tree.categorical, len(sets) + tree.threshold, -1).astype(np.int64)
        sets += [frozenset(codes.tolist()) for codes in tree.cat_sets]
        leaf[offset + inner : offset + inner + len(tree.leaf_value), 0] = tree.leaf_value
    return Trees(
        offsets, left, right, feature, threshold, missing_left, leaf,
        category=category if sets else None, sets=tuple(sets),
    )  # fmt: skip


def _objective(booster: LGBooster) -> tuple[str, dict[str, str]]:
    """Its name, and what stands behind it: "sigmoid:1", "sqrt"."""
    name, *settings = booster.objective.split() or [""]
    return name, {key: value for key, _, value in (word.partition(":") for word in settings)}


def _linked(booster: LGBooster, raw: tuple[Value, ...], lifting: Lifting) -> tuple[str, tuple[Value, ...]]:
    """The link of the objective, and the scores that go through it."""
    name, settings = _objective(booster)
    if name in PLAIN and "sqrt" in settings:
        return "identity", tuple(apply(score, Step("signed_square")) for score in raw)
    if name in PLAIN or name in ("", "custom", "none"):
        return "identity", raw
    if name in EXPONENTIAL:
        return "exp", raw
    if name == "multiclass":
        return "softmax_in_order", raw
    if name in ("binary", "multiclassova", "cross_entropy"):
        sigmoid = float(settings.get("sigmoid", "1"))
        return "expits", raw if sigmoid == 1 else tuple(apply(score, Step("mul", sigmoid)) for score in raw)
    raise lifting.refuse(f"LightGBM's objective {name} is not supported")


def regressor(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """What predict of a regressor, a ranker or a Booster returns."""
    booster, raw = scores(obj, matrix, lifting)
    link, linked = _linked(booster, raw, lifting)
    return Head(linked, link)


def classifier(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """What LGBMClassifier's predict and predict_proba return."""
    booster, raw = scores(obj, matrix, lifting)
    labels = labels_of(obj.state["_classes"], lifting)
    link, linked = _linked(booster, raw, lifting)
    if link == "expits" and len(linked) == 1 and len(labels) == 2:
        return Head(linked, "expit", labels, cut=cut("expit"), decision=(), raw=raw)
    if link in ("expits", "softmax_in_order") and len(linked) == len(labels):
        return Head(linked, link, labels, decide="probabilities", decision=(), raw=raw)
    raise lifting.refuse(
        f"LGBMClassifier with the objective {booster.objective or 'of its own'}, {len(labels)} classes",
        "supported: binary, cross_entropy, multiclass, multiclassova",
    )


ESTIMATORS = {"LGBMRegressor": regressor, "LGBMRanker": regressor, "LGBMClassifier": classifier}
BOOSTER = regressor
