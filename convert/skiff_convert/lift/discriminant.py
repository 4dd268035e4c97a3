"""Discriminant analysis, linear and quadratic; the nearest centroid's kin."""

import numpy as np

from ..form import Computed, Dot, Head, Step, Sum, apply
from ..look.graph import Obj
from .labels import labels_of
from .linear import dot
from .table import Lifting, Matrix


def linear(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """LinearDiscriminantAnalysis: expit or softmax of weighted sums."""
    scores = dot(obj, matrix, lifting)
    return Head(scores, "expit" if len(scores) == 1 else "softmax", labels_of(obj.classes_, lifting))


def quadratic(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """QuadraticDiscriminantAnalysis: squared distances, each class in its own axes."""
    values = lifting.numbers(matrix)
    scores = []
    for rotation, scaling, mean, prior in zip(
        obj.rotations_,
        obj.scalings_,
        np.asarray(obj.means_, np.float64),
        np.asarray(obj.priors_),
        strict=True,
    ):
        scaling = np.asarray(scaling, np.float64)
        away = tuple(apply(v, Step("sub", float(m))) for v, m in zip(values, mean, strict=True))
        axes = Dot(
            away, np.asarray(rotation, np.float64) * scaling**-0.5, np.zeros(len(scaling)), ordered=False
        )
        squares = tuple(Computed(axes, i, (Step("square"),)) for i in range(axes.width))
        norm = Dot(squares, np.ones((len(squares), 1)), np.zeros(1), ordered=False)
        volume = float(np.sum(np.log(scaling)))
        steps = Step("add", volume), Step("mul", -0.5), Step("add", float(np.log(prior)))
        scores.append(Computed(norm, 0, steps))
    decision = tuple(scores)
    if len(scores) == 2:
        decision = (Computed(Sum((scores[1], apply(scores[0], Step("mul", -1.0)))), 0),)
    return Head(tuple(scores), "softmax_near", labels_of(obj.classes_, lifting), decision=decision)


ESTIMATORS = {"LinearDiscriminantAnalysis": linear, "QuadraticDiscriminantAnalysis": quadratic}
