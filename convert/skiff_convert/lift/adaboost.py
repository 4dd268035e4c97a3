"""AdaBoost: votes of members with weights, or their weighted median."""

import numpy as np

from ..form import Computed, Head, Median, Step, Sum, apply
from ..look.graph import Obj
from .labels import labels_of
from .members import index, lift, places, predicted, probabilities, summed, table
from .table import Lifting, Matrix
from .trees import version


def regressor(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """AdaBoostRegressor: the weighted median of the members' predictions."""
    heads = [lift(e, matrix, lifting, f"estimators_[{i}]") for i, e in enumerate(obj.estimators_)]
    weights = np.asarray(obj.estimator_weights_, np.float64)
    values = tuple(predicted(head, lifting)[0] for head in heads)
    return Head((Computed(Median(values, weights), 0),))


def classifier(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """AdaBoostClassifier: SAMME's votes; SAMME.R, of versions before 1.8, by the logarithms of
    probabilities."""
    labels = labels_of(obj.classes_, lifting)
    n = len(labels)
    if n == 1:
        raise lifting.refuse("AdaBoostClassifier of one class", "train it with two")
    heads = [lift(e, matrix, lifting, f"estimators_[{i}]") for i, e in enumerate(obj.estimators_)]
    weights = np.asarray(obj.estimator_weights_, np.float64)[: len(heads)]
    if obj.state.get("algorithm") == "SAMME.R":
        parts = [_real(probabilities(head, lifting)) for head in heads]
    else:
        parts = [_voted(head, labels, float(w), obj, lifting) for head, w in zip(heads, weights, strict=True)]
    total = float(np.asarray(obj.estimator_weights_, np.float64).sum())
    votes = summed(parts, total)
    if n == 2:
        # pred[:, 0] *= -1, then the sum of both
        one = Sum((apply(votes[0], Step("mul", -1.0)), votes[1]))
        score = Computed(one, 0)
        return Head((apply(score, Step("div", 2.0)),), "softmax_pair", labels, decision=(score,), by=(score,))
    return Head(
        tuple(apply(v, Step("div", float(n - 1))) for v in votes), "softmax", labels, decision=votes, by=votes
    )


def _voted(head: Head, labels: tuple, weight: float, obj: Obj, lifting: Lifting) -> tuple:
    """A row of votes for each label that a member predicts."""
    n = len(labels)
    # Before 1.4 the others had no votes: (predict == classes) * weight.
    other = -1 / (n - 1) * weight if version(obj) >= (1, 4) or version(obj) == (0,) else 0.0
    rows = np.full((n, n), other)
    np.fill_diagonal(rows, weight)
    return table(index(head), rows[places(head.labels or (), labels, lifting)])


def _real(values: tuple) -> tuple:
    """(classes - 1) * (log p - mean of the logs), p at least the least float64 step."""
    n = len(values)
    logs = tuple(apply(v, Step("least", float(np.finfo(np.float64).eps)), Step("log")) for v in values)
    mean = Computed(Sum(logs, 1, 1.0, n < 8), 0)
    mean = apply(mean, Step("mul", 1.0 / n))
    less = [Computed(Sum((v, apply(mean, Step("mul", -1.0)))), 0) for v in logs]
    return tuple(apply(v, Step("mul", float(n - 1))) for v in less)


ESTIMATORS = {"AdaBoostRegressor": regressor, "AdaBoostClassifier": classifier}
