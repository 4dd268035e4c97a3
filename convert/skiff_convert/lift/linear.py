"""Linear models: a sum of weighted values, and what a classifier makes of it."""

from dataclasses import replace

import numpy as np

from ..form import Computed, Dot, Head, Step, apply
from ..look.graph import Obj
from .labels import labels_of
from .members import BELOW_ZERO, lift
from .sparse import dense
from .table import Lifting, Matrix
from .trees import together, version

IDENTITY = [
    "LinearRegression",
    "Ridge",
    "RidgeCV",
    "Lasso",
    "LassoCV",
    "LassoLars",
    "LassoLarsCV",
    "LassoLarsIC",
    "ElasticNet",
    "ElasticNetCV",
    "Lars",
    "LarsCV",
    "BayesianRidge",
    "ARDRegression",
    "HuberRegressor",
    "TheilSenRegressor",
    "SGDRegressor",
    "PassiveAggressiveRegressor",
    "LinearSVR",
    "OrthogonalMatchingPursuit",
    "OrthogonalMatchingPursuitCV",
    "QuantileRegressor",
    "MultiTaskLasso",
    "MultiTaskElasticNet",
]
EXPONENTIAL = ("PoissonRegressor", "GammaRegressor")
DECISIONS = ("RidgeClassifier", "RidgeClassifierCV", "LinearSVC", "Perceptron", "PassiveAggressiveClassifier")


def dot(obj: Obj, matrix: Matrix, lifting: Lifting) -> tuple[Computed, ...]:
    """X @ coef + intercept."""
    if isinstance(obj.coef_, Obj):  # sparsify()
        obj.state["coef_"] = dense(obj.coef_, lifting)
    coef = np.atleast_2d(np.asarray(obj.coef_, np.float64))
    if np.asarray(obj.coef_).dtype != np.float64:
        raise lifting.refuse(
            f"{obj.name} has coefficients of {np.asarray(obj.coef_).dtype}", "supported: float64"
        )
    intercept = np.broadcast_to(np.asarray(obj.intercept_, np.float64).ravel(), len(coef)).copy()
    if coef.shape[1] != len(matrix):
        raise lifting.refuse(f"{obj.name} has {coef.shape[1]} coefficients for {len(matrix)} columns")
    if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
        raise lifting.refuse(f"a coefficient of {obj.name} is not finite", "fit the pipeline again")
    node = Dot(tuple(lifting.numbers(matrix)), coef.T.copy(), intercept, ordered=matrix.sparse)
    return tuple(Computed(node, i) for i in range(node.width))


def regressor(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """A linear regressor, or a generalised one with a log link."""
    exponential = obj.name in EXPONENTIAL
    if obj.name == "TweedieRegressor":
        link = obj.state.get("link", "auto")
        exponential = link == "log" or link == "auto" and obj.power > 0
    return Head(dot(obj, matrix, lifting), "exp" if exponential else "identity")


def logistic(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """LogisticRegression: expit of one decision, softmax of several, or one against the rest."""
    scores, labels = dot(obj, matrix, lifting), labels_of(obj.classes_, lifting)
    multi = obj.state.get("multi_class", "auto")
    ovr = multi == "ovr" or (
        multi in ("auto", "warn", "deprecated") and obj.state.get("solver") == "liblinear"
    )
    if len(scores) == 1:
        if multi == "multinomial":
            return Head(scores, "softmax_pair", labels)
        return Head(scores, "expit", labels)
    return Head(scores, "ovr" if ovr else "softmax", labels)


def decision(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """A classifier that decides by the sums alone."""
    classes, binarizer = obj.state.get("classes_"), obj.state.get("_label_binarizer")
    if binarizer is not None:  # RidgeClassifier's, which takes labels that apply or do not as well
        classes = binarizer.classes_
        if str(binarizer.y_type_).startswith("multilabel"):
            each = dot(obj, matrix, lifting)
            heads = [Head((score,), "identity", (0, 1), probabilities=False) for score in each]
            return together(heads, decides=True)
    return Head(dot(obj, matrix, lifting), "identity", labels_of(classes, lifting), probabilities=False)


def gradient_descent(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """SGDClassifier: probabilities by its loss."""
    head = decision(obj, matrix, lifting)
    if obj.loss in ("log_loss", "log"):
        return replace(head, link="expit" if len(head.scores) == 1 else "ovr", probabilities=True)
    if obj.loss == "modified_huber":
        return replace(head, link="huber", probabilities=True)
    return head


def one_class(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """SGDOneClassSVM: 1 where the sum, less the offset, is 0 or above, else -1."""
    coef = np.atleast_2d(np.asarray(obj.coef_, np.float64))
    node = Dot(tuple(lifting.numbers(matrix)), coef.T.copy(), np.zeros(1), ordered=matrix.sparse)
    score = Computed(node, 0, (Step("sub", float(np.ravel(obj.offset_)[0])),))
    return Head((score,), "identity", (-1, 1), BELOW_ZERO, probabilities=False)


def partial_least_squares(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """PLSRegression, PLSCanonical: a weighted sum of what is away from the mean."""
    coef = np.asarray(obj.state.get("coef_", obj.state.get("_coef_")), np.float64)
    values = lifting.numbers(matrix)
    if "coef_" in obj.state and version(obj) < (1, 3):
        coef = coef.T
    mean = np.asarray(obj.state.get("_x_mean", obj.state.get("x_mean_")), np.float64)
    std = np.asarray(obj.state.get("_x_std", obj.state.get("x_std_")), np.float64)
    divided = version(obj) < (1, 3)  # later its coefficients are those of the columns themselves
    away = [apply(v, Step("sub", float(m))) for v, m in zip(values, mean, strict=True)]
    if divided:
        away = [apply(v, Step("div", float(s))) for v, s in zip(away, std, strict=True)]
    intercept = obj.state.get("intercept_", obj.state.get("_y_mean", obj.state.get("y_mean_")))
    node = Dot(tuple(away), coef.T.copy(), np.ravel(np.asarray(intercept, np.float64)), ordered=False)
    return Head(tuple(Computed(node, i) for i in range(node.width)))


def ransac(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """RANSACRegressor: what its estimator predicts."""
    return lift(obj.estimator_, matrix, lifting, "estimator_")


ESTIMATORS = (
    dict.fromkeys([*IDENTITY, *EXPONENTIAL, "TweedieRegressor"], regressor)
    | {"SGDClassifier": gradient_descent, "SGDOneClassSVM": one_class, "RANSACRegressor": ransac}
    | dict.fromkeys(["PLSRegression", "PLSCanonical"], partial_least_squares)
    | {"LogisticRegression": logistic, "LogisticRegressionCV": logistic}
    | dict.fromkeys(DECISIONS, decision)
)
