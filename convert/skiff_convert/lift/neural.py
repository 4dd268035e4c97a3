"""Multi-layer perceptrons: weighted sums, layer by layer."""

import numpy as np

from ..form import Computed, Dot, Head, Step, Value, apply
from ..look.graph import Obj
from .labels import labels_of
from .table import Lifting, Matrix
from .trees import together

ACTIVATIONS = {
    "identity": (),
    "relu": (Step("least", 0.0),),
    "tanh": (Step("tanh"),),
    "logistic": (Step("expit"),),
}


def _layers(obj: Obj, matrix: Matrix, lifting: Lifting) -> tuple[Value, ...]:
    """The last layer's sums, before its activation."""
    if obj.activation not in ACTIVATIONS:
        raise lifting.refuse(f"{obj.name} with activation={obj.activation!r}")
    values = tuple(lifting.numbers(matrix))
    for i, (weights, intercept) in enumerate(zip(obj.coefs_, obj.intercepts_, strict=True)):
        weights = np.asarray(weights)
        if weights.dtype != np.float64:
            raise lifting.refuse(f"{obj.name} has weights of {weights.dtype}", "train it with float64")
        node = Dot(values, weights, np.asarray(intercept, np.float64), ordered=False)
        values = tuple(Computed(node, j) for j in range(node.width))
        if i < len(obj.coefs_) - 1:
            values = tuple(apply(v, *ACTIVATIONS[obj.activation]) for v in values)
    return values


def regressor(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """MLPRegressor; exp where it was fitted by Poisson's loss."""
    return Head(_layers(obj, matrix, lifting), "exp" if obj.out_activation_ == "exp" else "identity")


def classifier(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """MLPClassifier: expit of one sum, softmax of several; labels that apply or not by one each."""
    values = _layers(obj, matrix, lifting)
    if str(obj._label_binarizer.y_type_).startswith("multilabel"):
        return together([Head((v,), "expit", (0, 1), decision=()) for v in values])
    labels = labels_of(obj.classes_, lifting)
    return Head(values, "expit" if len(values) == 1 else "softmax", labels, decision=())


ESTIMATORS = {"MLPRegressor": regressor, "MLPClassifier": classifier}
