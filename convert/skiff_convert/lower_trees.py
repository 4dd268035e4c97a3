"""Stage 7, trees: one TreeEnsemble of ai.onnx.ml 5, splits and leaves in float64.

A split of a one-hot column becomes a comparison with a code. A split of a number keeps its question, with a
threshold that answers for float64 numbers what scikit-learn answers after rounding them to float32.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from .columns import Column
from .fold import Folded
from .form import Forest
from .limits import check_depth
from .lower_blend import DOMAIN, attributes
from .neutral import Trees

BRANCH_LEQ, BRANCH_EQ = 0, 4  # nodes_modes of ai.onnx.ml 5
SUM, NO_TRANSFORM = 1, 0


@dataclass(frozen=True)
class Splits:
    """What each node asks, x[column] MODE split, and where it leads; all arrays [nodes], leaves' unused."""

    column: np.ndarray
    mode: np.ndarray
    split: np.ndarray
    yes: np.ndarray
    no: np.ndarray
    missing_yes: np.ndarray


def lower_trees(
    trees: Trees, columns: Sequence[Column], accepts_nan: bool
) -> tuple[list[NodeProto], list[TensorProto]]:
    """Nodes and constants that compute y from X: the sum of the leaves in tree order, then the mean."""
    ensemble = helper.make_node(
        "TreeEnsemble",
        ["X"],
        ["sum" if trees.averaged else "y"],
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function=SUM,
        post_transform=NO_TRANSFORM,
        **_attributes(trees, over_columns(trees, columns), accepts_nan),
    )
    if not trees.averaged:
        return [ensemble], []
    count = numpy_helper.from_array(np.array(len(trees.offsets) - 1, np.float64), "trees")
    return [ensemble, helper.make_node("Div", ["sum", "trees"], ["y"])], [count]


def lower_blended(trees: Trees, columns: Sequence[Column]) -> tuple[list[NodeProto], list[TensorProto]]:
    """The same by skiff's operator. TooMany where the trees ask more than it takes."""
    splits, count = over_columns(trees, columns), len(trees.offsets) - 1
    folded = Folded(
        trees.offsets[:-1], splits.column, splits.mode, splits.split, splits.missing_yes,
        np.where(trees.left < 0, -1, splits.yes), splits.no, trees.value[:, None], (), (),
    )  # fmt: skip
    forest = Forest((), None, np.zeros(1), np.zeros(count, np.int64), count if trees.averaged else 1)
    return [helper.make_node("Trees", ["X"], ["y"], domain=DOMAIN, **attributes(forest, folded))], []


def absorb_rounding(threshold: np.ndarray) -> np.ndarray:
    """The doubles c such that x <= c asks what float32(x) <= threshold asks, for every finite x; float64.

    Let f be the largest float32 <= threshold. float32(x) <= threshold is float32(x) <= f, and rounding is
    monotonic, so c is the largest double that rounds to f: the middle between f and the next float32 (exact
    in float64) where that tie rounds to f, which it does when f is even, else the double before it.
    """
    threshold = np.asarray(threshold, np.float64)
    with np.errstate(over="ignore"):  # rounding to infinity is meant
        low = threshold.astype(np.float32)
        low = np.where(low > threshold, np.nextafter(low, np.float32(-np.inf)), low)
        middle = (_widen(low) + _widen(np.nextafter(low, np.float32(np.inf)))) / 2
    even = low.view(np.uint32) & 1 == 0
    cut = np.where(even, middle, np.nextafter(middle, -np.inf))
    return np.where(low == np.inf, np.inf, cut)  # inf: all but NaN


def _widen(x: np.ndarray) -> np.ndarray:
    """float32 to float64, infinity to the power of two that float32 would have next."""
    return np.where(np.isinf(x), np.copysign(np.float64(2.0**128), x), x.astype(np.float64))


def over_columns(trees: Trees, columns: Sequence[Column]) -> Splits:
    """The questions of all nodes over X, instead of over the vectorizer's columns."""
    width = 1 + max(max(column.indices) for column in columns)
    owner, code = np.zeros(width, np.int64), np.zeros(width)  # code 0: a number
    for i, column in enumerate(columns):
        owner[list(column.indices)] = i
        if column.kind == "category":
            code[list(column.indices)] = np.arange(1, 1 + len(column.indices))

    leaf = trees.left < 0
    feature = np.where(leaf, 0, trees.feature)
    # A one-hot column is 0 or 1, and its threshold between them: 1 is the code, 0 everybody else.
    category = ~leaf & (code[feature] > 0)
    return Splits(
        column=owner[feature],
        mode=np.where(category, BRANCH_EQ, BRANCH_LEQ),
        split=np.where(category, code[feature], absorb_rounding(trees.threshold)),
        yes=np.where(category, trees.right, trees.left),
        no=np.where(category, trees.left, trees.right),
        missing_yes=~category & trees.missing_left,
    )


def _attributes(trees: Trees, splits: Splits, accepts_nan: bool) -> dict:
    """The TreeEnsemble's attributes: interior nodes and leaves numbered apart, in the original's order."""
    roots, leaf = trees.offsets[:-1], trees.left < 0
    asks, ends = np.flatnonzero(~leaf), np.flatnonzero(leaf)
    number = np.zeros(len(leaf), np.int64)
    number[asks], number[ends] = np.arange(len(asks)), np.arange(len(ends))

    # A tree that is one leaf still needs a node to start from: one whose both answers are that leaf.
    bare = roots[leaf[roots]]
    root_ids = number[roots]
    root_ids[leaf[roots]] = len(asks) + np.arange(len(bare))
    zeros = np.zeros(len(bare), np.int64)

    def with_bare(values: np.ndarray, of_bare: np.ndarray = zeros) -> np.ndarray:
        return np.concatenate([values, of_bare])

    yes, no = with_bare(splits.yes[asks], bare), with_bare(splits.no[asks], bare)
    attributes = {
        "tree_roots": root_ids,
        "nodes_featureids": with_bare(splits.column[asks]),
        "nodes_truenodeids": number[yes],
        "nodes_trueleafs": leaf[yes].astype(np.int64),
        "nodes_falsenodeids": number[no],
        "nodes_falseleafs": leaf[no].astype(np.int64),
        "leaf_targetids": np.zeros(len(ends), np.int64),
    }
    if accepts_nan:
        attributes["nodes_missing_value_tracks_true"] = with_bare(splits.missing_yes[asks].astype(np.int64))
    attributes = {name: values.tolist() for name, values in attributes.items()}
    check_depth(attributes)
    return attributes | {
        "nodes_modes": numpy_helper.from_array(with_bare(splits.mode[asks]).astype(np.uint8), "modes"),
        "nodes_splits": numpy_helper.from_array(with_bare(splits.split[asks]), "splits"),
        "leaf_weights": numpy_helper.from_array(trees.value[ends], "leaves"),
    }
