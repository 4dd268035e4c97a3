"""Bagging and IsolationForest: members over some of the columns, and the mean of what they say."""

import numpy as np

from ..form import Computed, Head, Step, Value, apply
from ..look.graph import Obj
from .labels import labels_of
from .members import (
    BELOW_ZERO,
    decision,
    index,
    joined,
    lift,
    places,
    predicted,
    probabilities,
    summed,
    table,
)
from .table import Lifting, Matrix
from .trees import forest


def _heads(obj: Obj, matrix: Matrix, lifting: Lifting) -> list[Head]:
    heads = []
    for i, (member, features) in enumerate(zip(obj.estimators_, obj.estimators_features_, strict=True)):
        part = Matrix([matrix.values[j] for j in np.asarray(features).tolist()], matrix.sparse)
        heads.append(lift(member, part, lifting, f"estimators_[{i}]"))
    return heads


def _mean(parts: list[tuple[Value, ...]], obj: Obj) -> tuple[Value, ...]:
    """The sum of each job's members, the jobs' sums added up, by the number of members."""
    jobs = obj.state.get("n_jobs") or 1
    if jobs == 1:
        return summed(parts, float(len(parts)))
    if jobs < 0:  # as many as the machine has
        return summed(parts, float(len(parts)), ordered=False)
    sizes = np.full(min(jobs, len(parts)), len(parts) // min(jobs, len(parts)))
    sizes[: len(parts) % len(sizes)] += 1
    ends = np.cumsum(sizes)
    return summed([summed(parts[e - s : e]) for s, e in zip(sizes, ends, strict=True)], float(len(parts)))


def regressor(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """BaggingRegressor: the mean of the members' predictions."""
    return Head(_mean([predicted(head, lifting) for head in _heads(obj, matrix, lifting)], obj))


def classifier(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """BaggingClassifier: the mean of the members' probabilities, or of votes where they have none."""
    labels = labels_of(obj.classes_, lifting)
    indices = tuple(range(len(labels)))
    parts, heads = [], _heads(obj, matrix, lifting)
    for head in heads:
        at = places(head.labels or (), indices, lifting)
        if not head.probabilities:
            parts.append(table(index(head), np.eye(len(labels))[at]))
            continue
        values = probabilities(head, lifting)
        if len(values) == len(labels):
            parts.append(values)
        else:  # classes that the member has not seen
            node = tuple(values[at.index(c)] if c in at else None for c in indices)
            parts.append(tuple(v if v is not None else apply(values[0], Step("mul", 0.0)) for v in node))
    decisions = [decision(head) for head in heads]
    decided = _mean(decisions, obj) if all(decisions) and len({len(d) for d in decisions}) == 1 else ()
    return Head(_mean(parts, obj), "identity", labels, decision=decided)


def isolation(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """IsolationForest: -1 where 2 to the minus mean depth, less the offset, is below 0, else 1."""
    values = lifting.numbers(matrix)
    forests, leaves = [], []
    lengths = obj.state.get("_average_path_length_per_tree")
    paths = obj.state.get("_decision_path_lengths")
    for i, (member, features) in enumerate(zip(obj.estimators_, obj.estimators_features_, strict=True)):
        tree = member.tree_
        depth = paths[i] if paths is not None else _depths(tree.state["nodes"])
        length = lengths[i] if lengths is not None else average_length(tree.state["nodes"]["n_node_samples"])
        leaf = np.asarray(depth, np.float64) + np.asarray(length, np.float64) - 1.0
        part = Matrix([values[j] for j in np.asarray(features).tolist()], matrix.sparse)
        forests.append(forest(part, lifting, [tree], [leaf[:, None]], 1.0))
        leaves.append(leaf[:, None])
    node = joined(forests, leaves, 1.0)
    most = float(
        len(forests) * average_length(np.array([obj.state.get("_max_samples", obj.max_samples_)]))[0]
    )
    steps = [Step("div", most), Step("mul", -1.0)] if most else [Step("mul", 0.0), Step("add", -1.0)]
    score = apply(
        Computed(node, 0), *steps, Step("raise", 2.0), Step("mul", -1.0), Step("sub", float(obj.offset_))
    )
    return Head((score,), "identity", (-1, 1), cut=BELOW_ZERO, probabilities=False)


def _depths(nodes: np.ndarray) -> np.ndarray:
    """How many nodes lie on the way to each, itself included."""
    depth = np.ones(len(nodes))
    for i in range(len(nodes)):  # children come after their parents
        for child in (nodes["left_child"][i], nodes["right_child"][i]):
            if child >= 0:
                depth[child] = depth[i] + 1
    return depth


def average_length(samples: np.ndarray) -> np.ndarray:
    """The mean length of a search that fails in a tree of so many samples."""
    n = np.asarray(samples, np.float64)
    out = np.where(n == 2, 1.0, 0.0)
    more = n > 2
    out[more] = 2.0 * (np.log(n[more] - 1.0) + np.euler_gamma) - 2.0 * (n[more] - 1.0) / n[more]
    return out


ESTIMATORS = {"BaggingRegressor": regressor, "BaggingClassifier": classifier, "IsolationForest": isolation}
