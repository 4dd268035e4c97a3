"""skiff's operator against the form, bit for bit, on both sides of splits and in every way that it runs."""

import lightgbm as lgb
import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest
import xgboost as xgb
from agree import Lifted, near, odd, rows, same, target
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
    StackingRegressor,
)
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

from skiff_convert import ops
from skiff_convert.errors import ConvertError
from skiff_convert.fast import Fast
from skiff_convert.fold import Folded
from skiff_convert.form import Evaluation, Forest
from skiff_convert.lower_blend import arrays
from skiff_convert.lower_form import lower, model_of
from skiff_convert.prove import open_session

BATCHES = (1, 2, 9, 16, 33, 64, 65, 300)
NUMBERS = ["hour", "miles", "fare", "code"]


def library():
    """The library, which `make ops` builds."""
    path = ops.library()
    assert path, f"there is no libskiff.so: {ops.HINT}"
    return path


def model(head, width: int, own: bool = True) -> bytes:
    nodes, constants = lower(head, width, fast=own)
    return model_of(nodes, constants, width, len(head.y), {}, "0", own)


def run(session: ort.InferenceSession, X: np.ndarray, size: int) -> np.ndarray:
    return np.concatenate([session.run(None, {"X": X[at : at + size]})[0] for at in range(0, len(X), size)])


def agrees(lifted: Lifted, X: np.ndarray) -> None:
    """AssertionError unless the operator has the form's bits in every batch size."""
    want = Evaluation(X).matrix(lifted.head.y)
    own = open_session(model(lifted.head, X.shape[1]), library())
    for size in (*BATCHES, len(X)):
        same(run(own, X, size), want)


def numbers(seed: int, n: int = 700, missing: float = 0.1) -> tuple[pd.DataFrame, np.ndarray]:
    """Numbers, and something to learn of them."""
    frame = rows(seed, n, missing)
    return frame[NUMBERS].astype(float), target(frame, seed)


def thirds(y: np.ndarray) -> np.ndarray:
    return np.digitize(y, np.quantile(y, [0.3, 0.6]))


ESTIMATORS = {
    "xgboost": (xgb.XGBRegressor(n_estimators=30, max_depth=6, n_jobs=1), np.asarray),
    "xgboost, three classes": (xgb.XGBClassifier(n_estimators=10, max_depth=4, n_jobs=1), thirds),
    "xgboost, vector leaves": (
        xgb.XGBRegressor(n_estimators=5, max_depth=4, multi_strategy="multi_output_tree", tree_method="hist"),
        lambda y: np.c_[y, -y],
    ),
    "xgboost, deep": (xgb.XGBRegressor(n_estimators=5, max_depth=14, min_child_weight=0), np.asarray),
    "lightgbm": (lgb.LGBMRegressor(n_estimators=40, min_child_samples=2, verbose=-1), np.asarray),
    "lightgbm, three classes": (lgb.LGBMClassifier(n_estimators=7, verbose=-1), thirds),
    "lightgbm, 256 leaves": (
        lgb.LGBMRegressor(n_estimators=3, num_leaves=256, min_child_samples=1, verbose=-1), np.asarray,
    ),
    "lightgbm, 257 leaves": (
        lgb.LGBMRegressor(n_estimators=3, num_leaves=257, min_child_samples=1, verbose=-1), np.asarray,
    ),
    "hist": (HistGradientBoostingRegressor(max_iter=30), np.asarray),
    "hist, three classes": (HistGradientBoostingClassifier(max_iter=8), thirds),
    "forest": (RandomForestRegressor(7, random_state=0), np.asarray),
    "one tree": (DecisionTreeRegressor(max_depth=3), np.asarray),
    "one leaf": (DecisionTreeRegressor(max_depth=3), np.zeros_like),
}  # fmt: skip
# Of these scikit-learn's own take no NaN.
WHOLE = {
    "gradient boosting": (GradientBoostingRegressor(n_estimators=40, random_state=0), np.asarray),
    "gradient boosting, three classes": (GradientBoostingClassifier(n_estimators=8, random_state=0), thirds),
    "extra trees, three classes": (ExtraTreesClassifier(9, random_state=0), thirds),
    "a thousand trees": (
        GradientBoostingRegressor(n_estimators=1000, max_depth=2, random_state=0),
        np.asarray,
    ),
}


@pytest.mark.parametrize("name", [*ESTIMATORS, *WHOLE])
def test_numbers(name):
    estimator, of = (ESTIMATORS | WHOLE)[name]
    frame, y = numbers(1, missing=0.0 if name in WHOLE else 0.1)
    lifted = Lifted(estimator.fit(frame, of(y)), NUMBERS)
    X = odd(lifted.lifting, lifted.table(near(frame, lifted.forests, 1)), 1)
    agrees(lifted, X)


@pytest.mark.parametrize("booster", ["xgboost", "lightgbm", "hist"])
def test_sets_of_categories(booster):
    frame = rows(3, 900)
    y = target(frame, 3)
    frame["zone"] = pd.Categorical(frame.zone, categories=list("abcdefgh"))
    frame["hour"] = pd.Categorical(frame.hour, categories=range(24))
    made = {
        "xgboost": xgb.XGBRegressor(n_estimators=20, enable_categorical=True, max_cat_to_onehot=1, n_jobs=1),
        "lightgbm": lgb.LGBMRegressor(n_estimators=20, min_child_samples=3, min_data_per_group=5, verbose=-1),
        "hist": HistGradientBoostingRegressor(max_iter=20, categorical_features="from_dtype"),
    }[booster]
    lifted = Lifted(made.fit(frame, y), list(frame.columns))
    X = odd(lifted.lifting, lifted.table(near(frame, lifted.forests, 3)), 3)
    agrees(lifted, X)


def test_trees_within_a_model():
    """What reads trees reads the same bits, and adds them up in the same order."""
    frame, y = numbers(4, missing=0.0)
    members = [
        ("a", RandomForestRegressor(5, random_state=0)),
        ("b", GradientBoostingRegressor(n_estimators=9)),
    ]
    lifted = Lifted(
        StackingRegressor(members, LinearRegression(), cv=2, passthrough=True).fit(frame, y), NUMBERS
    )
    standard = open_session(model(lifted.head, 4, own=False))
    own = model(lifted.head, 4)
    assert own.count(b"skiff") > 0 and own.count(b"TreeEnsemble") == 0
    Fast(own, library()).prove(standard, lifted.table(near(frame, [], 4)))


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 500), st.booleans(), st.integers(1, 3))
def test_any_forest(seed, trees, leaves, single, outputs):
    """Trees as nobody grows them: of any shape, all three questions, cuts that repeat, NaN either way."""
    rng = np.random.default_rng(seed)
    folded, forest, X = made(rng, trees, int(rng.integers(1, leaves + 1)), single, outputs)
    node = {k: v for k, v in arrays(forest, folded).items() if len(v)}
    want = summed(folded, forest, X)
    own = ort_of(node, single, X.shape[1], outputs)
    for size in (1, 8, 33, 100, len(X)):
        same(run(own, X, size), want)


def made(rng: np.random.Generator, trees: int, leaves: int, single: bool, outputs: int):
    """A forest over two numbers and a code, and rows on both sides of all that it asks."""
    few = rng.normal(0, 1, int(rng.integers(1, 900)))
    few[: len(few) // 3] = np.round(few[: len(few) // 3], 1)
    codes = int(rng.choice([50, 700]))  # more than a byte holds
    sets = tuple(
        tuple(sorted(rng.choice(codes, rng.integers(1, 20), replace=False).tolist())) for _ in range(9)
    )
    columns: dict[str, list] = {name: [] for name in ("column", "mode", "split", "missing", "yes", "no")}
    roots = []

    def add(*values) -> int:
        for column, value in zip(columns.values(), values, strict=True):
            column.append(value)
        return len(columns["yes"]) - 1

    for _ in range(trees):
        roots.append(add(0, 0, 0.0, False, -1, -1))
        ends = [roots[-1]]
        for _ in range(leaves - 1):
            at = ends.pop(int(rng.integers(0, len(ends))) if rng.random() < 0.7 else -1)
            mode = int(rng.choice([0, 0, 0, 4, 6]))
            split = float(rng.choice(few)) if mode == 0 else float(rng.integers(0, codes if mode == 4 else 9))
            values = (2 if mode else int(rng.integers(0, 2)), mode, split, bool(rng.random() < 0.3))
            for column, value in zip(columns.values(), values, strict=False):
                column[at] = value
            for side in ("yes", "no"):
                columns[side][at] = add(0, 0, 0.0, False, -1, -1)
                ends.append(columns[side][at])
    size = len(columns["yes"])
    target = rng.integers(-1, outputs, trees)
    folded = Folded(
        np.array(roots), *(np.array(columns[n]) for n in ("column", "mode", "split", "missing", "yes", "no")),
        rng.normal(0, 1, (size, outputs)), sets, (),
    )  # fmt: skip
    forest = Forest((), None, rng.normal(0, 1, outputs), target, float(rng.integers(1, 9)), single)
    numbers = np.concatenate([few, np.nextafter(few, np.inf), [np.nan, np.inf, -np.inf, 0.0, -0.0]])
    known = [*range(codes + 2), 0.5, np.nan]
    X = np.column_stack([rng.choice(numbers, 1100), rng.choice(numbers, 1100), rng.choice(known, 1100)])
    return folded, forest, X


def summed(folded: Folded, forest: Forest, X: np.ndarray) -> np.ndarray:
    """The sums of a forest, row by row and tree by tree."""
    from agree import ends

    kind = np.float32 if forest.single else np.float64
    total = np.tile(forest.base.astype(kind), (len(X), 1))
    for tree, output in enumerate(forest.target.tolist()):
        leaf = folded.leaf[ends(folded, tree, X)].astype(kind)
        if output < 0:
            total += leaf
        else:
            total[:, output] += leaf[:, 0]
    return (total / kind(forest.divisor)).astype(np.float64)


def ort_of(node: dict, single: bool, width: int, outputs: int) -> ort.InferenceSession:
    from onnx import helper, numpy_helper

    attributes = {name: numpy_helper.from_array(value, name) for name, value in node.items()}
    made = helper.make_node("Trees", ["X"], ["y"], domain="skiff", single=int(single), **attributes)
    return open_session(model_of([made], [], width, outputs, {}, "0", True), library())


# What is altered in the arrays of a forest, and what is said of it.
ALTERED = {
    "a node's view": lambda a: a["nodes"].__setitem__(0, 0x7FFFFF00),
    "a tree without an end": lambda a: a.update(nodes=a["nodes"][:-1]),
    "a node of no tree": lambda a: a.update(trees=a["trees"][:-1]),
    "a tree's output": lambda a: a["trees"].__setitem__(0, 7),
    "a tree's leaves": lambda a: a.update(leaves=a["leaves"][:-1]),
    "a source's column": lambda a: a["sources"].__setitem__((0, 0), -1),
    "a source's cuts": lambda a: a["sources"].__setitem__((0, 2), 10**6),
    "a source's views": lambda a: a["sources"].__setitem__((0, 3), 10**6),
    "a view of no source": lambda a: a["sources"].__setitem__((-1, 3), 0),
    "a view's kind": lambda a: a["views"].__setitem__((0, 0), 3),
    "a view's base": lambda a: a["views"].__setitem__((0, 1), -1),
    "a view's nan": lambda a: a["views"].__setitem__((0, 2), 3),
    "a node's question": lambda a: a["nodes"].__setitem__(0, 255),
    "a view's bits": lambda a: a.update(bits=a["bits"][:-1]),
    "the divisor": lambda a: a.update(divisor=np.ones(2)),
    "the outputs": lambda a: a.pop("base"),
    "type or shape": lambda a: a.update(cuts=a["cuts"].astype(np.float32)),
    "shape": lambda a: a.update(views=a["views"][:, :2]),
}


@pytest.mark.parametrize("what", ALTERED)
def test_altered_arrays_are_refused(what):
    folded, forest, X = made(np.random.default_rng(5), 5, 20, False, 1)
    node = {k: np.array(v) for k, v in arrays(forest, folded).items()}
    ort_of(node, False, 3, 1).run(None, {"X": X})
    ALTERED[what](node)
    with pytest.raises(ConvertError, match=what):
        ort_of(node, False, 3, 1)


def test_too_narrow_rows_are_refused():
    folded, forest, _ = made(np.random.default_rng(5), 5, 20, False, 1)
    session = ort_of(arrays(forest, folded), False, 2, 1)
    with pytest.raises(Exception, match="too few columns"):
        session.run(None, {"X": np.zeros((3, 2))})


def test_a_difference_is_found():
    """A cut that is a double off is seen by the rows that the two graphs are compared on."""
    frame, y = numbers(2)
    lifted = Lifted(lgb.LGBMRegressor(n_estimators=20, verbose=-1).fit(frame, y), NUMBERS)
    right = model(lifted.head, 4)
    forest = lifted.forests[0]
    trees = forest.trees
    trees.threshold[trees.left >= 0] = np.nextafter(trees.threshold[trees.left >= 0], np.inf)
    X = lifted.table(near(frame, lifted.forests, 2))
    wrong = model(lifted.head, 4, own=False)
    Fast(right, library()).prove(open_session(model(Lifted(lifted.model, NUMBERS).head, 4, own=False)), X)
    with pytest.raises(ConvertError, match=r"fast\.onnx computes"):
        Fast(right, library()).prove(open_session(wrong), X)
