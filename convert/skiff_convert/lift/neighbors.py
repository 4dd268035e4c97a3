"""Nearest neighbours, by comparing with all of the rows that were learned."""

import numpy as np

from ..form import Computed, Head
from ..form.distances import Neighbours
from ..look.graph import Obj
from .labels import labels_of
from .sparse import dense
from .table import Lifting, Matrix
from .trees import together

POWERS = {
    "euclidean": 2.0,
    "l2": 2.0,
    "sqeuclidean": 2.0,
    "manhattan": 1.0,
    "l1": 1.0,
    "cityblock": 1.0,
    "chebyshev": np.inf,
}


def _node(obj: Obj, targets: np.ndarray, matrix: Matrix, lifting: Lifting) -> Neighbours:
    metric = obj.state.get("effective_metric_", obj.metric)
    power = (
        float((obj.state.get("effective_metric_params_") or {}).get("p", obj.p))
        if metric == "minkowski"
        else None
    )
    power = POWERS.get(metric, power) if isinstance(metric, str) else None
    if power not in (1.0, 2.0, np.inf):
        raise lifting.refuse(
            f"{obj.name} with the metric {metric}", "supported: euclidean, manhattan, chebyshev"
        )
    if obj.weights not in ("uniform", "distance", None):
        raise lifting.refuse(f"{obj.name} with weights of its own", "supported: uniform, distance")
    rows = dense(obj._fit_X, lifting)
    values = tuple(lifting.numbers(matrix))
    return Neighbours(values, rows, targets, int(obj.n_neighbors), power, obj.weights == "distance")


def regressor(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """KNeighborsRegressor: the mean of the nearest."""
    targets = np.asarray(obj._y, np.float64)
    node = _node(obj, targets.reshape(len(targets), -1), matrix, lifting)
    return Head(tuple(Computed(node, i) for i in range(node.width)))


def classifier(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """KNeighborsClassifier: the nearest rows' shares of each class."""
    codes = np.asarray(obj._y)
    if not obj.outputs_2d_:
        codes, classes = codes.reshape(len(codes), 1), [obj.classes_]
    else:
        classes = obj.classes_
    heads = []
    for k, of in enumerate(classes):
        labels = labels_of(of, lifting)
        node = _node(obj, np.eye(len(labels))[codes[:, k].astype(np.int64)], matrix, lifting)
        heads.append(Head(tuple(Computed(node, i) for i in range(node.width)), "identity", labels))
    return together(heads) if obj.outputs_2d_ else heads[0]


ESTIMATORS = {"KNeighborsRegressor": regressor, "KNeighborsClassifier": classifier}
