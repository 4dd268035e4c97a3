"""Dummies: the same answer for every record."""

import numpy as np

from ..form import Constant, Head
from ..look.graph import Obj
from .labels import labels_of
from .table import Lifting, Matrix
from .trees import together


def regressor(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """DummyRegressor: its constants."""
    return Head(tuple(Constant(v) for v in np.ravel(np.asarray(obj.constant_, np.float64)).tolist()))


def classifier(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """DummyClassifier that does not draw."""
    if obj.n_outputs_ > 1:
        classes, priors = obj.classes_, obj.class_prior_
        constants = np.ravel(obj.constant) if obj.constant is not None else [None] * obj.n_outputs_
        return together([_one(obj, *of, lifting) for of in zip(classes, priors, constants, strict=True)])
    constant = obj.constant if obj.constant is None else np.ravel(np.asarray(obj.constant, dtype=object))[0]
    return _one(obj, obj.classes_, obj.class_prior_, constant, lifting)


def _one(obj: Obj, classes: object, prior: object, constant: object, lifting: Lifting) -> Head:
    labels, prior = labels_of(classes, lifting), np.ravel(np.asarray(prior, np.float64))
    strategy = obj.state.get("_strategy", obj.strategy)
    if strategy in ("most_frequent", "prior"):
        shares = prior if strategy == "prior" else np.eye(len(labels))[int(np.argmax(prior))]
    elif strategy == "constant":
        shares = np.eye(len(labels))[labels.index(constant)]
    else:
        raise lifting.refuse(f"DummyClassifier that draws ({strategy})", "prior and most_frequent convert")
    return Head(tuple(Constant(v) for v in shares.tolist()), "identity", labels)


ESTIMATORS = {"DummyRegressor": regressor, "DummyClassifier": classifier}
