"""Links: from the scores of a model's last node to numbers or probabilities."""

import ctypes
import functools
import math
from collections.abc import Callable

import numpy as np

from ..errors import ConvertError
from . import coupling, fast

# How scores become what predict or predict_proba returns. A link is computed outside the graph, by the
# worker, with the original's own exp.
#
#  identity   the scores
#  exp        e to the scores; expm1 less 1
#  expit      one score s: 1 - p and p, where p = 1 / (1 + exp(-s)); expits: of each score
#  both       one score p: 1 - p and p
#  softmax    exp(s - the largest) by the sum of these, added up as NumPy does; softmax_in_order: in order
#  softmax_log  exp(s - logsumexp(s)), which is the largest plus log of that sum
#  softmax_near  the same by whichever logsumexp SciPy has: a bound
#  softmax_pair  one score s: the softmax of -s and s
#  softmax_fast, exp_fast  by CatBoost's own exp; the sum in order
#  coupled    libsvm's probabilities, of a score for each pair of classes
#  ovr        expit of each score by their sum
#  huber      SGD's modified_huber: (clip(s, -1, 1) + 1) / 2 of each by their sum, equal shares where it is 0;
#             of one score s 1 - p and p
#  normalize  scores by their sum, equal shares where it is 0; then what is above 1 by up to 1e-5 is 1
#  normalize_plain  scores by their sum, as they are where it is 0
#  ascending  each row sorted: quantiles do not cross
#  exp32, expit32, expits32, softmax32  in float32, as float64
LINKS = (
    "identity", "exp", "expm1", "expit", "both", "softmax", "softmax_log", "softmax_near", "softmax_pair",
    "softmax_in_order", "softmax_fast", "exp_fast", "coupled", "ascending", "ovr", "expits", "huber",
    "normalize", "normalize_plain",
    "exp32", "expit32", "expits32", "softmax32",
)  # fmt: skip


# Of these the probabilities of all classes add up to 1, each score being the logarithm of one's odds.
SHARES = (
    "expit", "expit32", "softmax", "softmax_log", "softmax_near", "softmax_pair", "softmax_in_order",
    "softmax_fast", "softmax32",
)  # fmt: skip


def exp(x: np.ndarray) -> np.ndarray:
    """exp as the C library has it, float64: numpy's own depends on the processor."""
    return np.array([_exp(v) for v in np.ravel(x).tolist()]).reshape(np.shape(x))


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


@functools.cache
def libm(name: str) -> Callable[[float], float]:
    """A function of the C library on float32. ConvertError where that is not glibc, whose bits are meant."""
    try:
        function = getattr(ctypes.CDLL("libm.so.6"), name)
    except (OSError, AttributeError) as err:
        hint = "convert on Linux with glibc, as the model's own library computes there"
        raise ConvertError(f"{name} of glibc is not on this machine", hint) from err
    function.argtypes, function.restype = [ctypes.c_float], ctypes.c_float
    return function


def single(name: str, x: np.ndarray) -> np.ndarray:
    """expf or logf of glibc, float32."""
    function = libm(name)
    return np.array([function(v) for v in np.ravel(x).tolist()], np.float32).reshape(np.shape(x))


def _expits32(scores: np.ndarray) -> np.ndarray:
    """XGBoost's sigmoid, since 1.6: the exponent is held below what overflows."""
    exponent = single("expf", np.minimum(-scores, np.float32(88.7)))
    return np.float32(1) / (exponent + np.float32(1))


def _expit32(scores: np.ndarray) -> np.ndarray:
    one = _expits32(scores[:, 0])
    return np.column_stack([np.float32(1) - one, one])


def _softmax32(scores: np.ndarray) -> np.ndarray:
    """XGBoost's softmax: the sum is a double, the rest is not."""
    shifted = single("expf", scores - scores.max(axis=1, keepdims=True))
    total = sum(shifted.T.astype(np.float64))
    return shifted / total.astype(np.float32)[:, None]


SINGLE = {
    "exp32": functools.partial(single, "expf"),
    "expits32": _expits32,
    "expit32": _expit32,
    "softmax32": _softmax32,
}


def _expm1(x: float) -> float:
    try:
        return math.expm1(x)
    except OverflowError:
        return math.inf


def expit(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + exp(-x))


def softmax(scores: np.ndarray) -> np.ndarray:
    """exp of the scores less the largest, by their sum."""
    shifted = exp(scores - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def link(name: str, scores: np.ndarray) -> np.ndarray:
    """Scores through a link, in float64; those whose name ends in 32 in float32, as float64.

    expit and expit32 make two numbers of one score, expits and expits32 one of each. softmax_in_order adds up
    from the first score to the last, which NumPy does not.
    """
    match name:
        case "identity":
            return scores
        case "exp":
            return exp(scores)
        case "expm1":
            return np.reshape([_expm1(v) for v in np.ravel(scores).tolist()], np.shape(scores))
        case "expit":
            return _both(expit(scores[:, 0]))
        case "both":
            return _both(scores[:, 0])
        case "softmax":
            return softmax(scores)
        case "softmax_log" | "softmax_near":
            largest = scores.max(axis=1, keepdims=True)
            return exp(scores - (np.log(exp(scores - largest).sum(axis=1, keepdims=True)) + largest))
        case "softmax_pair":
            return softmax(np.column_stack([-scores[:, 0], scores[:, 0]]))
        case "ovr":
            each = expit(scores)
            return each / each.sum(axis=1)[:, None]
        case "huber":
            each = (np.clip(scores, -1, 1) + 1) / 2
            return _both(each[:, 0]) if each.shape[1] == 1 else _shares(each, 1.0)
        case "normalize_plain":
            total = scores.sum(axis=1)[:, None]
            return np.divide(scores, total, out=scores.copy(), where=total != 0)
        case "normalize":
            shares = _shares(scores, 1 / scores.shape[1])
            shares[(shares > 1.0) & (shares <= 1.0 + 1e-5)] = 1.0
            return shares
        case "softmax_in_order":
            shifted = exp(scores - scores.max(axis=1, keepdims=True))
            return shifted / sum(shifted.T)[:, None]
        case "coupled":
            return coupling.coupled(scores, exp(-np.abs(scores)))[0]
        case "softmax_fast":
            return fast.softmax(scores)
        case "exp_fast":
            return fast.exp(scores)
        case "ascending":
            return np.sort(scores, axis=1)
        case "expits":
            return 1 / (1 + exp(-scores))
        case "exp32" | "expits32" | "expit32" | "softmax32":
            return SINGLE[name](np.asarray(scores, np.float32)).astype(np.float64)
    raise NotImplementedError(name)


def _both(p: np.ndarray) -> np.ndarray:
    return np.column_stack([1 - p, p])


def _shares(each: np.ndarray, instead: float) -> np.ndarray:
    """each by its row's sum; where that is 0, instead by the sum of as many of them."""
    total = each.sum(axis=1)[:, None]
    equal = np.full_like(each, instead / (each.shape[1] if instead == 1.0 else 1.0))
    return np.divide(each, total, out=equal, where=total != 0)


def link_allowance(name: str, scores: np.ndarray, off: np.ndarray | None = None) -> np.ndarray:
    """How far a link's result may be off where the scores are; [rows, outputs or classes].

    0 of exact scores: the links are the C library's exp, and so is the original's where numpy has none of its
    own for the processor (NPY_DISABLE_CPU_FEATURES).
    """
    result = link(name, scores)
    if name == "coupled":  # a thousand times what the scores are off by; infinite near another round
        far = 0.0 if off is None else off.max(axis=1)
        allowed = np.zeros(len(scores)) + 1000.0 * (far + 2.0**-50)
        allowed[coupling.coupled(scores, exp(-np.abs(scores)))[1] < allowed] = np.inf
        return np.broadcast_to(allowed[:, None], result.shape)
    if name != "softmax_near" and (off is None or not off.any()):
        return np.zeros_like(result)
    off = np.zeros_like(scores) if off is None else off
    far = off.max(axis=1, keepdims=True)
    rounding = 2.0**-52 * (4 + result.shape[1]) * np.abs(result)
    if name == "softmax_near":
        alone = (np.abs(result) > 0).sum(axis=1, keepdims=True) < 2  # its logsumexp is the score itself
        rounding = rounding * np.where(alone, 1.0, 1 + np.abs(scores).max(axis=1, keepdims=True))
    match name:
        case "identity":
            return off
        case "exp" | "expm1" | "exp_fast":
            return np.abs(result + (name == "expm1")) * np.expm1(np.minimum(far, 700)) + rounding
        case "both" | "huber" if scores.shape[1] == 1:
            return np.broadcast_to(far, result.shape) + 2.0**-52  # of slope 1 or less
        case "normalize" | "normalize_plain" | "huber":
            total = np.abs(scores).sum(axis=1, keepdims=True)
            with np.errstate(divide="ignore", invalid="ignore"):
                bound = (off + result * off.sum(axis=1, keepdims=True)) / np.maximum(
                    total - off.sum(axis=1, keepdims=True), 0
                )
            return np.where(np.isnan(bound), np.inf, bound) * 2 + rounding
    size = np.abs(result)
    if name in SHARES:  # odds are off by a factor: the likelier class no more than all others together
        others = np.column_stack([np.delete(size, i, axis=1).sum(axis=1) for i in range(size.shape[1])])
        return np.minimum(np.minimum(size, others) * np.expm1(np.minimum(4 * far, 700)), 1.0) + rounding
    return size * np.expm1(np.minimum(4 * far, 700)) + rounding + 2.0**-1074
