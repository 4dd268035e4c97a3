"""scikit-learn's trees and forests of them: float32 values, <=, leaves in float64."""

import numpy as np

from ..form import Computed, Forest, Head, Trees
from ..look.graph import Obj
from .labels import labels_of
from .table import Lifting, Matrix


def joined(trees: list[Obj], leaf: list[np.ndarray]) -> Trees:
    """The nodes of all trees one after another; leaf: [nodes, outputs] of each."""
    nodes = [tree.state["nodes"] for tree in trees]
    offsets = np.cumsum([0] + [len(n) for n in nodes])
    all_nodes = {
        name: np.concatenate([n[name] for n in nodes])
        for name in ("left_child", "right_child", "feature", "threshold")
    }
    start = np.repeat(offsets[:-1], np.diff(offsets))
    left, right = all_nodes["left_child"].astype(np.int64), all_nodes["right_child"].astype(np.int64)
    ends = left < 0
    # Trees older than scikit-learn 1.3 know nothing of missing values.
    missing = [
        n["missing_go_to_left"] if "missing_go_to_left" in n.dtype.names else np.zeros(len(n)) for n in nodes
    ]
    return Trees(
        offsets=offsets, left=np.where(ends, -1, left + start), right=np.where(ends, -1, right + start),
        feature=np.where(ends, 0, all_nodes["feature"]).astype(np.int64),
        threshold=all_nodes["threshold"].astype(np.float64),
        missing_left=np.concatenate(missing).astype(bool), leaf=np.concatenate(leaf), float32=True,
    )  # fmt: skip


def members(obj: Obj) -> list[Obj]:
    """The Tree objects of a tree or a forest."""
    estimators = obj.estimators_ if "estimators_" in obj.state else [obj]
    return [member.tree_ for member in np.ravel(np.asarray(estimators, dtype=object))]


def version(obj: Obj) -> tuple[int, ...]:
    """The scikit-learn that wrote an object, (1, 9); (0,) where it does not say."""
    written = str(obj.state.get("_sklearn_version", "0"))
    return tuple(int(part) for part in written.split(".")[:2] if part.isdigit())


def takes_missing(trees: list[Obj]) -> bool:
    """Whether the trees have learned where missing values go; others refuse them."""
    return any(
        "missing_go_to_left" in tree.state["nodes"].dtype.names
        and tree.state["nodes"]["missing_go_to_left"].any()
        for tree in trees
    )


def forest(
    matrix: Matrix, lifting: Lifting, trees: list[Obj], leaf: list[np.ndarray], divisor: float
) -> Forest:
    """The sum of the leaves, by divisor."""
    joint = joined(trees, leaf)
    width = joint.leaf.shape[1]
    target = np.full(len(trees), 0 if width == 1 else -1)
    return Forest(tuple(lifting.numbers(matrix)), joint, np.zeros(width), target, divisor, refuses=True)


def regressor(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """A tree's leaf, or the mean of a forest's."""
    trees = members(obj)
    leaf = [tree.state["values"][:, :, 0] for tree in trees]
    node = forest(matrix, lifting, trees, leaf, float(len(trees)) if "estimators_" in obj.state else 1.0)
    return Head(tuple(Computed(node, i) for i in range(node.width)))


def classifier(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """The leaf's share of each class, or the mean of a forest's; of several outputs a head for each."""
    if obj.n_outputs_ == 1:
        return _shares_of(obj, 0, obj.classes_, matrix, lifting)
    shared = Matrix(lifting.numbers(matrix), matrix.sparse)
    return together([_shares_of(obj, k, of, shared, lifting) for k, of in enumerate(obj.classes_)])


def together(heads: list[Head], decides: bool = False) -> Head:
    """One head of several outputs that are labels; decides: whether it has a decision_function."""
    scores = tuple(v for head in heads for v in head.scores)
    return Head(scores, labels=(), parts=tuple(heads), decision=None if decides else ())


def _shares_of(obj: Obj, output: int, classes: object, matrix: Matrix, lifting: Lifting) -> Head:
    labels = labels_of(classes, lifting)
    trees = members(obj)
    leaf = [tree.state["values"][:, output, : len(labels)] for tree in trees]
    if version(obj) < (1, 3):
        leaf = [_shares(values) for values in leaf]
    node = forest(matrix, lifting, trees, leaf, float(len(trees)) if "estimators_" in obj.state else 1.0)
    return Head(tuple(Computed(node, i) for i in range(node.width)), "identity", labels)


def _shares(values: np.ndarray) -> np.ndarray:
    """What predict_proba makes of a node's counts; since scikit-learn 1.3 a node has shares."""
    normalizer = values.sum(axis=1)[:, None]
    normalizer[normalizer == 0.0] = 1.0
    return values / normalizer


ESTIMATORS = dict.fromkeys(
    ["DecisionTreeRegressor", "ExtraTreeRegressor", "RandomForestRegressor", "ExtraTreesRegressor"], regressor
) | dict.fromkeys(
    ["DecisionTreeClassifier", "ExtraTreeClassifier", "RandomForestClassifier", "ExtraTreesClassifier"],
    classifier,
)
