"""CalibratedClassifierCV, IsotonicRegression: scores through a sigmoid, or through steps that were
measured."""

import numpy as np

from ..form import Constant, Head, Step, Value, apply
from ..look.graph import Obj
from .labels import labels_of
from .members import decision, lift, linked, places, probabilities, summed
from .table import Lifting, Matrix


def classifier(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """CalibratedClassifierCV: the mean of its calibrated members' probabilities."""
    labels = labels_of(obj.classes_, lifting)
    parts = []
    for i, member in enumerate(obj.calibrated_classifiers_):
        parts.append(_member(member, labels, matrix, lifting.at(f"calibrated_classifiers_[{i}]")))
    return Head(summed(parts, float(len(parts))), "identity", labels)


def _member(obj: Obj, labels: tuple, matrix: Matrix, lifting: Lifting) -> tuple[Value, ...]:
    member = obj.state.get("estimator", obj.state.get("base_estimator"))
    head = lift(member, matrix, lifting, "estimator")
    scores = decision(head)
    if not scores:
        scores = probabilities(head, lifting)
        scores = scores[1:] if len(scores) == 2 else scores
    method = obj.state.get("method", "sigmoid")
    if method not in ("sigmoid", "isotonic"):
        raise lifting.refuse(f"CalibratedClassifierCV with method={method!r}", "sigmoid and isotonic convert")
    calibrators = obj.state.get("calibrators", obj.state.get("calibrators_"))
    n = len(labels)
    at = [1] if n == 2 else places(head.labels or (), labels, lifting)
    each: list[Value] = [Constant(0.0)] * n
    for place, score, calibrator in zip(at, scores, calibrators, strict=False):
        each[place] = _calibrated(score, calibrator, lifting)
    if n == 2:
        one = (each[1],)
        return linked(Head(one, "both", labels))
    return linked(Head(tuple(each), "normalize", labels))


def _calibrated(score: Value, calibrator: Obj, lifting: Lifting) -> Value:
    if calibrator.name == "_SigmoidCalibration":
        # expit(-(a * T + b))
        steps = Step("mul", float(calibrator.a_)), Step("add", float(calibrator.b_)), Step("mul", -1.0)
        return apply(score, *steps, Step("expit"))
    return isotonic_of(score, calibrator, lifting)


def isotonic_of(value: Value, obj: Obj, lifting: Lifting) -> Value:
    """IsotonicRegression of one value: clipped to what it was fitted on, then between its points."""
    state = obj.state
    x = state.get("X_thresholds_", state.get("_necessary_X_"))
    y = state.get("y_thresholds_", state.get("_necessary_y_"))
    if x is None:
        raise lifting.refuse(
            "an IsotonicRegression without its thresholds", "fit it with scikit-learn 0.24 or newer"
        )
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    bounds = state.get("out_of_bounds", "nan")
    if bounds != "clip":
        raise lifting.refuse(
            f"IsotonicRegression with out_of_bounds={bounds!r}", "out_of_bounds='clip' converts"
        )
    if len(y) == 1:
        return apply(value, Step("mul", 0.0), Step("add", float(y[0])))
    steps = Step("least", float(obj.X_min_)), Step("most", float(obj.X_max_))
    return apply(value, *steps, Step("interp", (tuple(x.tolist()), tuple(y.tolist()))))


def isotonic(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """IsotonicRegression as an estimator of one column."""
    if len(matrix) != 1:
        raise lifting.refuse(f"IsotonicRegression of {len(matrix)} columns", "it takes one")
    return Head((isotonic_of(lifting.numbers(matrix)[0], obj, lifting),))


ESTIMATORS = {"CalibratedClassifierCV": classifier, "IsotonicRegression": isotonic}
