"""Models around models: searches, transformed targets."""

import numpy as np

from ..form import Head, Step, Value, apply
from ..form.steps import FUNCTIONS
from ..look.graph import Obj, Ref
from .compose import steps_of
from .members import linked
from .table import Lifting, Matrix


def search(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """GridSearchCV and the like: the best estimator."""
    from . import estimate

    if "best_estimator_" not in obj.state:
        raise lifting.refuse(f"{obj.name} has no best estimator", "refit=True keeps it")
    return estimate(obj.best_estimator_, matrix, lifting.at("best_estimator_"))


def transformed_target(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """TransformedTargetRegressor: the regressor's prediction through the inverse."""
    from . import estimate

    head = estimate(obj.regressor_, matrix, lifting.at("regressor_"))
    func = obj.state.get("inverse_func")
    if func is None and obj.state.get("transformer") is None:
        return head
    if head.labels is not None or head.parts:
        raise lifting.refuse("TransformedTargetRegressor of a classifier", "use a regressor")
    if isinstance(func, Ref) and func.module == "numpy":
        if func.qualname in ("exp", "expm1") and head.link == "identity":
            return Head(head.scores, func.qualname)
        if func.qualname in FUNCTIONS:
            return Head(tuple(apply(v, Step(func.qualname)) for v in linked(head)))
    if func is not None:
        raise lifting.refuse(
            f"TransformedTargetRegressor with the inverse {func}", "functions of numpy convert"
        )
    return Head(_back(obj.transformer_, linked(head), lifting.at("transformer_")))


def _back(obj: Obj, values: tuple[Value, ...], lifting: Lifting) -> tuple[Value, ...]:
    """A transformer's inverse."""

    def each(op: str, numbers: object) -> None:
        nonlocal values
        if numbers is not None:
            by = np.broadcast_to(np.asarray(numbers, np.float64), len(values)).tolist()
            values = tuple(apply(v, Step(op, n)) for v, n in zip(values, by, strict=True))

    match obj.name:
        case "Pipeline":
            for _, step in reversed(steps_of(obj)):
                values = _back(step, values, lifting)
        case "StandardScaler":
            each("mul", obj.scale_ if obj.with_std else None)
            each("add", obj.mean_ if obj.with_mean else None)
        case "MinMaxScaler":
            each("sub", obj.min_)
            each("div", obj.scale_)
        case "MaxAbsScaler":
            each("mul", obj.scale_)
        case "RobustScaler":
            each("mul", obj.scale_ if obj.with_scaling else None)
            each("add", obj.center_ if obj.with_centering else None)
        case "FunctionTransformer" if obj.inverse_func is None:
            pass
        case "FunctionTransformer" if (
            isinstance(obj.inverse_func, Ref) and obj.inverse_func.module == "numpy"
        ):
            if obj.inverse_func.qualname not in FUNCTIONS or obj.state.get("inv_kw_args"):
                raise lifting.refuse(f"the inverse {obj.inverse_func}", "functions of numpy convert")
            each(obj.inverse_func.qualname, 0.0)
        case _:
            raise lifting.refuse(f"the inverse of {obj.name}", "StandardScaler's and MinMaxScaler's convert")
    return values


ESTIMATORS = dict.fromkeys(
    ["GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV"], search
) | {"TransformedTargetRegressor": transformed_target}
