"""Naive Bayes: sums of logarithms of probabilities."""

import numpy as np

from ..form import Computed, Dot, Head, Step, Sum, Table, Value, apply
from ..look.graph import Obj
from .labels import labels_of
from .table import Lifting, Matrix


def _head(scores: list[Value], obj: Obj, lifting: Lifting) -> Head:
    return Head(tuple(scores), "softmax_near", labels_of(obj.classes_, lifting), decision=())


def gaussian(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """GaussianNB: the squares of how far a value is from the class's mean, by its variance."""
    values = lifting.numbers(matrix)
    theta = np.asarray(obj.theta_, np.float64)
    var = np.asarray(obj.state.get("var_", obj.state.get("sigma_")), np.float64)
    scores = []
    for mean, variance, prior in zip(theta, var, np.asarray(obj.class_prior_, np.float64), strict=True):
        squares = tuple(
            apply(v, Step("sub", float(m)), Step("square"), Step("div", float(s)))
            for v, m, s in zip(values, mean, variance, strict=True)
        )
        node = Dot(squares, np.ones((len(squares), 1)), np.zeros(1), ordered=False)
        half = -0.5 * np.sum(np.log(2.0 * np.pi * variance))
        steps = Step("mul", -0.5), Step("add", float(half)), Step("add", float(np.log(prior)))
        scores.append(apply(Computed(node, 0), *steps))
    return _head(scores, obj, lifting)


def _weighted(weights: np.ndarray, matrix: Matrix, values: list[Value]) -> Dot:
    return Dot(tuple(values), weights.T.copy(), np.zeros(len(weights)), ordered=matrix.sparse)


def _both_classes(array: object, obj: Obj) -> np.ndarray:
    """A row for each class: coef_ of old versions has the second's only, feature_log_prob_ has both."""
    return np.atleast_2d(np.asarray(array, np.float64))


def multinomial(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """MultinomialNB: a weighted sum, plus the class's prior."""
    node = _weighted(_both_classes(obj.feature_log_prob_, obj), matrix, lifting.numbers(matrix))
    prior = np.asarray(obj.class_log_prior_, np.float64)
    return _head([apply(Computed(node, i), Step("add", float(p))) for i, p in enumerate(prior)], obj, lifting)


def complement(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """ComplementNB: a weighted sum."""
    node = _weighted(_both_classes(obj.feature_log_prob_, obj), matrix, lifting.numbers(matrix))
    scores: list[Value] = [Computed(node, i) for i in range(node.width)]
    if len(scores) == 1:
        scores = [apply(scores[0], Step("add", float(np.ravel(obj.class_log_prior_)[0])))]
    return _head(scores, obj, lifting)


def bernoulli(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """BernoulliNB: of what is above the threshold, the logarithms of its odds."""
    values = lifting.numbers(matrix)
    if obj.state.get("binarize") is not None:
        values = [apply(v, Step("above", float(obj.binarize))) for v in values]
    log = _both_classes(obj.feature_log_prob_, obj)
    without = np.log(1 - np.exp(log))
    node = _weighted(log - without, matrix, values)
    further = np.asarray(obj.class_log_prior_, np.float64) + without.sum(axis=1)
    return _head(
        [apply(Computed(node, i), Step("add", float(f))) for i, f in enumerate(further)], obj, lifting
    )


def categorical(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """CategoricalNB: the logarithm of each index's probability, added up."""
    parts: list[Value] = []
    classes = len(obj.class_log_prior_)
    for value, log in zip(lifting.numbers(matrix), obj.feature_log_prob_, strict=True):
        node = Table((value,), np.asarray(log, np.float64).T.copy())
        parts += [Computed(node, i) for i in range(classes)]
    total = Sum(tuple(parts), classes)
    prior = np.asarray(obj.class_log_prior_, np.float64)
    return _head(
        [apply(Computed(total, i), Step("add", float(p))) for i, p in enumerate(prior)], obj, lifting
    )


ESTIMATORS = {
    "GaussianNB": gaussian,
    "MultinomialNB": multinomial,
    "ComplementNB": complement,
    "BernoulliNB": bernoulli,
    "CategoricalNB": categorical,
}
