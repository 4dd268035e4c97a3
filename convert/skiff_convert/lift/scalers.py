"""Elementwise steps: scalers, imputers, bins."""

import numpy as np

from ..form import Step, Value, apply
from ..form.steps import FUNCTIONS
from ..look.graph import Obj, Ref
from .table import Cell, Lifting, Matrix
from .trees import version


def _each(matrix: Matrix, lifting: Lifting, *of_column: list[Step | None]) -> Matrix:
    """Every value through its steps; None leaves one out."""
    values = []
    for i, value in enumerate(lifting.numbers(matrix)):
        values.append(apply(value, *(steps[i] for steps in of_column if steps[i] is not None)))
    return Matrix(values, matrix.sparse)


def _steps(op: str, values: object, count: int) -> list[Step | None]:
    """A step for each column, or none where the scaler has nothing to do it with."""
    if values is None:
        return [None] * count
    return [Step(op, float(v)) for v in np.asarray(values, np.float64)]


def _divided(scale: object, matrix: Matrix) -> list[Step | None]:
    """By the scale; the numbers of a sparse matrix are multiplied by 1 / scale."""
    if scale is not None and matrix.sparse:
        return _steps("mul", 1.0 / np.asarray(scale, np.float64), len(matrix))
    return _steps("div", scale, len(matrix))


def standard(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """StandardScaler: less the mean, by the deviation."""
    n = len(matrix)
    mean = obj.mean_ if obj.with_mean and not matrix.sparse else None
    return _each(
        matrix, lifting, _steps("sub", mean, n), _divided(obj.scale_ if obj.with_std else None, matrix)
    )


def min_max(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """MinMaxScaler: times scale_, plus min_, clipped if it says so."""
    n = len(matrix)
    clip: list[list[Step | None]] = []
    if obj.state.get("clip"):
        low, high = obj.feature_range
        clip = [[Step("least", float(low))] * n, [Step("most", float(high))] * n]
    return _each(matrix, lifting, _steps("mul", obj.scale_, n), _steps("add", obj.min_, n), *clip)


def max_abs(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """MaxAbsScaler: by the largest."""
    return _each(matrix, lifting, _divided(obj.scale_, matrix))


def robust(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """RobustScaler: less the median, by the range."""
    n = len(matrix)
    center = obj.center_ if obj.with_centering and not matrix.sparse else None
    return _each(
        matrix, lifting, _steps("sub", center, n), _divided(obj.scale_ if obj.with_scaling else None, matrix)
    )


def binarizer(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """Binarizer: 1 above the threshold."""
    return _each(matrix, lifting, [Step("above", float(obj.threshold))] * len(matrix))


def imputer(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """SimpleImputer: a number, or a word, where a cell is missing; a column without any number goes.

    Missing is null, whether it is None or NaN to the original; or a number of its own.
    """
    missing = obj.missing_values
    null = missing is None or missing == "NaN" or isinstance(missing, float) and np.isnan(missing)
    if not null and not isinstance(missing, (int, float)) and not _is_na(missing):
        raise lifting.refuse(
            f"SimpleImputer with missing_values={missing!r}", "leave it out: null is missing"
        )
    null = null or _is_na(missing)
    values: list[Value | Cell] = []
    for value, statistic in zip(matrix.values, obj.statistics_, strict=True):
        if isinstance(value, Cell) and null:
            lifting.nan.add(value.name)
        if isinstance(statistic, str):
            if not null or not isinstance(value, Cell):
                raise lifting.refuse(
                    "SimpleImputer puts a word in a column of numbers", "fill it with a number"
                )
            lifting.missing[value.name] = None if missing is None else np.nan  # which is what it fills
            values.append(Cell(value.name, statistic))
            continue
        if statistic is None or isinstance(statistic, float) and np.isnan(statistic):
            if not obj.state.get("keep_empty_features"):
                continue
            statistic = 0.0
        step = Step("fill", float(statistic)) if null else Step("replace", (float(missing), float(statistic)))
        values.append(apply(lifting.number(value), step))
    if obj.state.get("add_indicator"):
        for i in np.asarray(obj.indicator_.features_).tolist():
            step = Step("missing") if null else Step("is", float(missing))
            values.append(apply(lifting.number(matrix.values[i]), step))
    return Matrix(values, matrix.sparse)


def _is_na(value: object) -> bool:
    """pandas.NA, however it was pickled."""
    return isinstance(value, (Obj, Ref)) and str(getattr(value, "cls", value)).endswith(("NAType", "NA"))


def indicator(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """MissingIndicator: 1 where a cell is missing."""
    values = []
    for i in np.asarray(obj.features_).tolist():
        if isinstance(matrix.values[i], Cell):
            lifting.nan.add(matrix.values[i].name)
        values.append(apply(lifting.number(matrix.values[i]), Step("missing")))
    return Matrix(values)


def bins(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """KBinsDiscretizer: the bin a number is in, as its index or one-hot."""
    values: list[Value] = []
    for value, edges in zip(lifting.numbers(matrix), obj.bin_edges_, strict=True):
        edges = np.asarray(edges, np.float64)
        if version(obj) >= (1, 1):
            steps = [Step("bin", tuple(edges[1:-1].tolist()))]
        else:  # a number that is nearly at an edge is above it, and what is above all of them in the last bin
            steps = [Step("nearly", (1e-5, 1e-8)), Step("bin", tuple(edges[1:].tolist()))]
            steps.append(Step("most", float(len(edges) - 2)))
        index = apply(value, *steps)
        if obj.encode == "ordinal":
            values.append(index)
        else:
            values += [apply(index, Step("is", float(j))) for j in range(len(edges) - 1)]
    return Matrix(values, obj.encode == "onehot")


def function(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """FunctionTransformer: nothing, or a function of numpy on every number."""
    func, kwargs = obj.state.get("func"), dict(obj.state.get("kw_args") or {})
    if func is None:
        return matrix
    if isinstance(func, Obj) and func.name == "partial":
        args, kwargs = func.args[1:] + tuple(func.state.get("args") or ()), {**func.keywords, **kwargs}
        func = func.state.get("func")
        if args:
            raise lifting.refuse(
                f"FunctionTransformer of a partial {func} with arguments by place", "name them"
            )
    if isinstance(func, Ref) and func.module.startswith("sklearn.") and func.qualname == "check_array":
        return matrix  # HistGradientBoosting's, for its numbers
    if not isinstance(func, Ref) or func.module != "numpy":
        raise lifting.refuse(
            f"FunctionTransformer of {func}", "supported: numpy's " + ", ".join(sorted(_KNOWN))
        )
    steps = _steps_of(func.qualname, kwargs)
    if steps is None:
        what = f"FunctionTransformer of {func}" + (f" with {', '.join(sorted(kwargs))}" if kwargs else "")
        raise lifting.refuse(what, "supported: numpy's " + ", ".join(sorted(_KNOWN)))
    return Matrix([apply(v, *steps) for v in lifting.numbers(matrix)], matrix.sparse)


_KNOWN = {*FUNCTIONS, "clip", "nan_to_num", "round"}


def _steps_of(name: str, kwargs: dict) -> list[Step] | None:
    """numpy's function, with what it is given by name; None where it is not known."""
    if any(not isinstance(v, (int, float, np.number, type(None))) for v in kwargs.values()):
        return None
    match name:
        case "clip" if set(kwargs) <= {"a_min", "a_max", "min", "max"}:
            low, high = kwargs.get("a_min", kwargs.get("min")), kwargs.get("a_max", kwargs.get("max"))
            bounds = [("least", low), ("most", high)]
            return [Step(op, float(v)) for op, v in bounds if v is not None]
        case "nan_to_num" if set(kwargs) <= {"nan", "posinf", "neginf", "copy"}:
            most = float(np.finfo(np.float64).max)
            high = most if kwargs.get("posinf") is None else kwargs["posinf"]
            low = -most if kwargs.get("neginf") is None else kwargs["neginf"]
            steps = [Step("replace", (np.inf, float(high))), Step("replace", (-np.inf, float(low)))]
            return [Step("fill", float(kwargs.get("nan", 0.0))), *steps]
        case "round" | "around" | "round_" if set(kwargs) <= {"decimals"}:
            by, decimals = 10.0 ** abs(kwargs.get("decimals", 0)), kwargs.get("decimals", 0)
            if decimals == 0:
                return [Step("rint")]
            there, back = ("mul", "div") if decimals > 0 else ("div", "mul")
            return [Step(there, by), Step("rint"), Step(back, by)]
    return [Step(name)] if name in FUNCTIONS and not kwargs else None


TRANSFORMERS = {
    "StandardScaler": standard,
    "MinMaxScaler": min_max,
    "MaxAbsScaler": max_abs,
    "RobustScaler": robust,
    "Binarizer": binarizer,
    "SimpleImputer": imputer,
    "MissingIndicator": indicator,
    "KBinsDiscretizer": bins,
    "FunctionTransformer": function,
}
