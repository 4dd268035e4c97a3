"""Elementwise steps: what becomes of one number, by one operation of float64 (or float32) arithmetic."""

import math
from dataclasses import dataclass

import numpy as np

from .special import box_cox, quantile, yeo_johnson

# Whether a step keeps the order of numbers, so that a question about its result is one about its input.
ORDERED = frozenset(
    [
        "add",
        "sub",
        "mul",
        "div",
        "floor",
        "ceil",
        "float32",
        "fill",
        "least",
        "most",
        "above",
        "at_least",
        "trunc",
        "tiny",
    ]
    + ["log", "log1p", "log2", "log10", "exp", "expm1", "sqrt", "cbrt", "tanh", "arctan", "bin", "interp"]
    + [
        "expit",
        "exp2",
        "raise",
        "rint",
        "trunc",
        "sign",
        "arcsinh",
        "sinh",
        "positive",
        "nearly",
        "box_cox",
        "yeo_johnson",
        "quantile",
    ]
)
FUNCTIONS = {
    name: getattr(np, name)
    for name in [
        "log", "log1p", "log2", "log10", "exp", "expm1", "exp2", "sqrt", "cbrt", "square", "reciprocal",
        "tanh", "sinh", "cosh", "sin", "cos", "tan", "arctan", "arcsin", "arcsinh", "abs", "absolute", "fabs",
        "negative", "positive", "sign", "floor", "ceil", "rint", "trunc", "deg2rad", "rad2deg", "radians",
        "degrees",
    ]
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One operation on every number.

    op       result
    add sub mul div   x op value
    fill     value where x is NaN, else x
    replace  value[1] where x == value[0], else x
    least most        the larger, the smaller of x and value (numpy's clip from below, from above)
    float32  x rounded to float32
    above    1.0 where x > value, else 0.0; at_least: x >= value
    missing  1.0 where x is NaN, else 0.0
    negative_missing  NaN where x < 0, else x; from: NaN where x < value
    absent   NaN where |x| <= value, else x: a sparse matrix does not hold zeros (value 0.0)
    except   NaN where x is value, else x
    tiny     0.0 where |x| <= value, else x
    signed_square     sign(x) * x * x
    bin      how many of value, which is sorted, are <= x
    is       1.0 where x == value, else 0.0
    interp   numpy.interp(x, *value)
    expit    1 / (1 + exp(-x)), exp the C library's
    raise    value to the x
    power    x to the value
    nearly   x + (value[1] + value[0] * |x|)
    box_cox  SciPy's boxcox of the power value
    yeo_johnson       value is (the power, whether by logarithms)
    quantile value is (quantiles, references, whether to the normal distribution): QuantileTransformer's
    others   numpy's function of that name
    """

    op: str
    value: float | tuple = 0.0

    @property
    def ordered(self) -> bool:
        """Whether it never turns two numbers around, or always; NaN apart."""
        return self.op in ORDERED

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The step's result, float64."""
        with np.errstate(all="ignore"):
            return np.asarray(self._apply(x), np.float64)

    def _apply(self, x: np.ndarray) -> np.ndarray:
        value = self.value
        match self.op:
            case "add":
                return x + value
            case "sub":
                return x - value
            case "mul":
                return x * value
            case "div":
                return x / value
            case "fill":
                return np.where(np.isnan(x), value, x)
            case "replace":
                return np.where(x == value[0], value[1], x)
            case "least":
                return np.maximum(x, value)
            case "most":
                return np.minimum(x, value)
            case "float32":
                return np.asarray(x, np.float32)
            case "above":
                return np.where(np.isnan(x), np.nan, x > value)
            case "at_least":
                return np.where(np.isnan(x), np.nan, x >= value)
            case "missing":
                return np.isnan(x)
            case "negative_missing":
                return np.where(x < 0, np.nan, x)
            case "from":
                return np.where(x < value, np.nan, x)
            case "absent":
                return np.where(np.abs(x) <= value, np.nan, x)
            case "except":
                return np.where(x == value, np.nan, x)
            case "tiny":
                return np.where(np.abs(x) <= value, 0.0, x)
            case "signed_square":
                return np.sign(x) * x * x
            case "bin":
                return np.where(np.isnan(x), np.nan, np.searchsorted(np.array(value), x, side="right"))
            case "box_cox":
                return np.reshape([box_cox(v, value) for v in np.ravel(x).tolist()], np.shape(x))
            case "yeo_johnson":
                return yeo_johnson(x, *value)
            case "quantile":
                return quantile(x, *value)
            case "nearly":
                return x + (value[1] + value[0] * np.abs(x))
            case "is":
                return x == value
            case "expit":
                return np.reshape([_expit(v) for v in np.ravel(x).tolist()], np.shape(x))
            case "power":
                return np.power(x, value)
            case "raise":
                return value**x
            case "interp":
                return np.interp(x, *value)
        return FUNCTIONS[self.op](x)


def _expit(x: float) -> float:
    try:
        return 1 / (1 + math.exp(-x))
    except OverflowError:
        return 0.0


def through(steps: tuple[Step, ...], x: np.ndarray) -> np.ndarray:
    """x through all of the steps, float64."""
    for step in steps:
        x = step(x)
    return np.asarray(x, np.float64)


def spread(steps: tuple[Step, ...], x: np.ndarray, off: np.ndarray) -> np.ndarray:
    """How far the steps' result may be off, where x is off by up to off."""
    for step in steps:
        at = step(x)
        with np.errstate(invalid="ignore"):
            around = np.stack([step(x - off), step(x + off)])
            ends = np.abs(around - at)
        far = ends.max(axis=0) + 2.0**-52 * np.abs(at)
        if step.op in ("sin", "cos"):
            far = off + 2.0**-52
        elif step.op in (
            "above",
            "at_least",
            "bin",
            "is",
            "floor",
            "ceil",
            "missing",
        ):
            far = np.where(ends.max(axis=0) > 0, np.inf, 0.0)  # a jump: certain, or nothing is
        # A number or none: certain, or nothing is.
        other = (np.isnan(around) != np.isnan(at)).any(axis=0)
        if step.op in ("absent", "except"):
            centre, width = (0.0, step.value) if step.op == "absent" else (step.value, 0.0)
            away = np.abs(x - centre)
            other |= (away - off <= width) != (away + off <= width)
        far = np.where(other | np.isnan(far) & ~np.isnan(at), np.inf, np.where(np.isnan(at), 0.0, far))
        x, off = at, np.where(off == 0, 0.0, far)
    return off
