"""XGBoost: float32 values and sums, <, and the base score's margin first (before 1.3, last)."""

from dataclasses import replace

import numpy as np

from ..form import Computed, Dot, Forest, Head, Step, Trees, Value, apply
from ..form.links import single
from ..look import xgb
from ..look.graph import Obj
from ..look.xgb import XGBooster, XGBTree
from .boosters import bytes_of, check_names, check_width, cut, held, may_miss, words
from .labels import labels_of
from .table import Cell, Lifting, Matrix

LOGIT = ("reg:logistic", "binary:logistic")
LOG = ("count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft")
PLAIN = [
    "reg:squarederror",
    "reg:linear",
    "reg:squaredlogerror",
    "reg:pseudohubererror",
    "reg:absoluteerror",
    "reg:quantileerror",
    "reg:expectileerror",
    "rank:pairwise",
    "rank:ndcg",
    "rank:map",
    "binary:logitraw",
]


def booster_of(obj: Obj, lifting: Lifting) -> tuple[XGBooster, Obj]:
    """The booster of an estimator, or of a Booster, and the Booster's object."""
    inner = obj.state.get("_Booster", obj)
    if not isinstance(inner, Obj):
        raise lifting.refuse(f"the {obj.name} is not fitted", "fit it before it is logged")
    return xgb.read(bytes_of(inner, ("handle",), lifting)), inner


def scores(obj: Obj, matrix: Matrix, lifting: Lifting) -> tuple[XGBooster, tuple[Value, ...]]:
    """The margins, one a class or target."""
    booster, inner = booster_of(obj, lifting)
    check_width(booster.num_feature, matrix, lifting, "XGBoost")
    names = booster.feature_names or list(inner.state.get("feature_names") or ())
    by_name = bool(names) and names != [f"f{i}" for i in range(len(names))]
    if by_name:
        check_names(names, matrix, lifting, "XGBoost")
    types = booster.feature_types or list(inner.state.get("feature_types") or ())
    values = _values(obj, booster, types, by_name, matrix, lifting)
    base = _base(booster, lifting)
    if booster.name == "gblinear":
        node = _linear(booster, values, base)
    else:
        last = booster.version < (1, 3)
        node = _forest(obj, booster, values, np.zeros_like(base) if last else base)
        if last:  # the base score is added to the trees' sum
            margins = (
                Computed(node, i, (Step("add", float(b)), Step("float32"))) for i, b in enumerate(base)
            )
            return booster, tuple(margins)
    return booster, tuple(Computed(node, i) for i in range(booster.groups))


def _values(
    obj: Obj, booster: XGBooster, types: list[str], by_name: bool, matrix: Matrix, lifting: Lifting
) -> tuple[Value, ...]:
    """The columns as the trees compare them: missing is NaN, a category its whole code."""
    may_miss(matrix, lifting)
    missing = obj.state.get("missing", np.nan)
    missing = np.nan if missing is None else float(missing)
    asked = {int(tree.feature[node]) for tree in booster.trees for node in tree.categories}
    values = []
    for i, value in enumerate(matrix.values):
        categorical = i in asked or (i < len(types) and types[i] == "c")
        of_frame = booster.categories[i] if booster.categories and i < len(booster.categories) else None
        steps: list[Step] = []
        if categorical and (of_frame is not None or (isinstance(value, Cell) and by_name)):
            values.append(_category(value, of_frame, booster, lifting))
            continue
        value = lifting.number(value)
        if matrix.sparse:
            explicit = held(value, lifting)
            value = value if explicit is None else explicit
            if explicit is None:
                steps.append(Step("absent"))
        if not np.isnan(missing):
            steps += [Step("float32"), Step("except", float(np.float32(missing)))]
        if categorical:
            steps += [Step("float32"), Step("floor")]
        values.append(apply(value, *steps))
    return tuple(values)


def _category(value: Value | Cell, categories: list | None, booster: XGBooster, lifting: Lifting) -> Value:
    """A column of pandas' category dtype. XGBoost refuses a category that it has not learned."""
    if categories is None:
        raise lifting.refuse(
            "XGBoost before 3.1 does not keep the categories of a frame: "
            "a code depends on the frame it comes in",
            "encode the column in the pipeline (OrdinalEncoder), or train with XGBoost 3.1 or newer",
        )
    if not isinstance(value, Cell):
        raise lifting.refuse(
            "XGBoost takes a category column that another step hands on",
            "encode the column in the pipeline (OrdinalEncoder), or give it to XGBoost itself",
        )
    if booster.version < (3, 4) and not all(str(category).isascii() for category in categories):
        raise lifting.refuse(
            "XGBoost before 3.4 keeps categories that are not ASCII cut at the wrong places, "
            "and mistakes others for them",
            "encode the column in the pipeline (OrdinalEncoder), or train with XGBoost 3.4 or newer",
        )
    return words(value, categories, True, lifting)


def _base(booster: XGBooster, lifting: Lifting) -> np.ndarray:
    """The margin of the base score, float32 [groups]."""
    base = booster.base_scores
    if booster.version >= (1, 0):  # before, it is the margin
        with np.errstate(divide="ignore"):
            if booster.objective in LOGIT or (
                booster.objective == "binary:logitraw" and booster.version < (1, 4)
            ):
                base = -single("logf", np.float32(1) / base - np.float32(1))
            elif booster.objective in LOG:
                base = single("logf", base)
    if len(base) not in (1, booster.groups) or not np.isfinite(base).all():
        raise lifting.refuse(f"XGBoost's base_score is {booster.base_score}", "train the model again")
    return np.broadcast_to(base, booster.groups).copy()


def _linear(booster: XGBooster, values: tuple[Value, ...], base: np.ndarray) -> Dot:
    """gblinear: bias and base score, then the columns in order; a missing one adds nothing."""
    weights = booster.weights
    filled = tuple(apply(value, Step("float32"), Step("fill", 0.0)) for value in values)
    return Dot(
        filled, weights[:-1].astype(np.float64), (weights[-1] + base).astype(np.float64), True, single=True
    )


def _forest(obj: Obj, booster: XGBooster, values: tuple[Value, ...], base: np.ndarray) -> Forest:
    count = _limit(obj, booster)
    trees = booster.trees[:count]
    leaf = [tree.leaf.astype(np.float32) for tree in trees]
    target = np.full(count, -1) if booster.multi_output else booster.tree_info[:count].astype(np.int64)
    if booster.weight_drop is not None:
        leaf = [
            _dropped(obj, booster, part, weight, base[to])
            for part, weight, to in zip(leaf, booster.weight_drop[:count], target, strict=True)
        ]
    width = booster.groups if booster.multi_output else 1
    return Forest(
        values, joined(trees, leaf, width), base.astype(np.float64), target, single=True, refuses=True
    )


def _limit(obj: Obj, booster: XGBooster) -> int:
    """How many trees predict uses: an estimator's up to the best iteration, a Booster's all."""
    best = booster.attributes.get("best_iteration")
    if best is None or "_Booster" not in obj.state:
        return len(booster.trees)
    iterations = int(best) + 1
    if booster.iteration_indptr is not None:
        return int(booster.iteration_indptr[min(iterations, len(booster.iteration_indptr) - 1)])
    parallel = max(booster.num_parallel_tree, int(obj.state.get("num_parallel_tree") or 1))
    return min(len(booster.trees), iterations * parallel * (1 if booster.multi_output else booster.groups))


def _dropped(
    obj: Obj, booster: XGBooster, leaf: np.ndarray, weight: np.float32, base: np.float32
) -> np.ndarray:
    """A leaf of dart, weighted. From 1.4 to 3.2 estimators add the base score first, and take it off."""
    if "_Booster" in obj.state and (1, 4) <= booster.version < (3, 3):
        leaf = (leaf + base) - base
    return leaf * weight


def joined(trees: list[XGBTree], leaf: list[np.ndarray], width: int) -> Trees:
    """The nodes of all trees one after another. At a set of categories left and right change places."""
    sizes = [len(tree.left) for tree in trees]
    offsets = np.cumsum([0, *sizes])
    start = np.repeat(offsets[:-1], sizes)

    def every(name: str, dtype: type) -> np.ndarray:
        parts = [getattr(tree, name) for tree in trees]
        return np.concatenate(parts).astype(dtype) if parts else np.zeros(0, dtype)

    left, right, missing = every("left", np.int64), every("right", np.int64), every("default_left", bool)
    ends = left < 0
    category, sets = np.full(len(left), -1), []
    for offset, tree in zip(offsets.tolist(), trees, strict=False):
        for node, codes in tree.categories.items():
            if tree.left[node] >= 0:
                category[offset + node] = len(sets)
                sets.append(frozenset(codes.tolist()))
    of_set = category >= 0
    left, right = np.where(of_set, right, left), np.where(of_set, left, right)
    return Trees(
        offsets=offsets, left=np.where(ends, -1, left + start), right=np.where(ends, -1, right + start),
        feature=np.where(ends, 0, every("feature", np.int64)), threshold=every("threshold", np.float64),
        missing_left=missing ^ of_set,
        leaf=np.concatenate(leaf).astype(np.float64) if leaf else np.zeros((0, width)),
        strict=True, float32=True, category=category if sets else None, sets=tuple(sets),
    )  # fmt: skip


def regressor(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """What predict of a regressor, a ranker or a Booster returns."""
    booster, margins = scores(obj, matrix, lifting)
    if booster.objective == "multi:softmax":  # the class's number, as a float
        return Head(margins, "identity", tuple(float(i) for i in range(len(margins))), probabilities=False)
    if booster.objective == "binary:hinge":
        return Head(tuple(apply(margin, Step("above", 0.0)) for margin in margins))
    return Head(margins, _link(booster, lifting))


def _link(booster: XGBooster, lifting: Lifting) -> str:
    if booster.objective == "reg:quantileerror" and booster.groups > 1 and booster.version >= (3, 4):
        return "ascending"
    if booster.objective in PLAIN:
        return "identity"
    if booster.objective in LOGIT:
        return "expits32"
    if booster.objective in LOG:
        return "exp32"
    if booster.objective == "multi:softprob":
        return "softmax32"
    raise lifting.refuse(f"XGBoost's objective {booster.objective} is not supported")


def classifier(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """What XGBClassifier's predict and predict_proba return."""
    head = _classifier(obj, matrix, lifting)
    return replace(head, decision=(), raw=head.scores)


def _classifier(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    booster, margins = scores(obj, matrix, lifting)
    labels = _labels(obj, lifting)
    objective = booster.objective
    if objective == "multi:softprob" and len(labels) == len(margins) != 2:
        return Head(margins, "softmax32", labels, decide="probabilities")
    if objective == "multi:softmax" and len(labels) == len(margins):
        # Its probabilities are NumPy's, which depend on the processor.
        return Head(margins, "identity", labels, probabilities=False)
    if len(margins) == 1 and len(labels) == 2:
        if objective in ("binary:logistic", "reg:logistic"):
            return Head(margins, "expit32", labels, cut=cut("expit32"))
        if objective == "binary:hinge":
            return Head(margins, "identity", labels, probabilities=False)
        if objective in PLAIN:  # a label is 1 where predict's number is above 0.5
            return Head(margins, "identity", labels, cut=0.5, probabilities=False)
    raise lifting.refuse(
        f"XGBClassifier with the objective {objective}, {len(margins)} outputs and {len(labels)} classes",
        "supported: one label of two classes (binary:logistic) or of more (multi:softprob)",
    )


def _labels(obj: Obj, lifting: Lifting) -> tuple:
    """Since 1.6 the classes are 0, 1 …; before, an encoder may know others."""
    encoder = obj.state.get("_le")
    if isinstance(encoder, Obj) and obj.state.get("use_label_encoder", True):
        return labels_of(encoder.classes_, lifting)
    return tuple(range(max(2, int(obj.n_classes_))))


ESTIMATORS = dict.fromkeys(["XGBRegressor", "XGBRFRegressor", "XGBRanker"], regressor) | dict.fromkeys(
    ["XGBClassifier", "XGBRFClassifier"], classifier
)
BOOSTER = regressor
