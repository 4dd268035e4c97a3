"""CatBoost's own exp, on x86-64: expd of herumi's fmath, which is off by some last bits; and its softmax.

x = k * ln2 / 2048 - t, and exp(x) = 2**(k / 2048) * exp(-t), the power from a table, the rest a polynomial.
"""

import functools
import math

import numpy as np

BITS = 11
STEPS = 1 << BITS
MANTISSA = (1 << 52) - 1
SHIFT = 1.5 * 2.0**52  # added to a number, it rounds to the nearest integer
C2, C3 = 0.16666666685227835064, 3.0000000027955394
LEAST, MOST = -708.39641853226408, 709.78271289338397  # exp of them is an end of the normal float64
LANES = 4  # numbers that it has at a time; those left over are done alone


@functools.cache
def _table() -> np.ndarray:
    """The bits of 2**(i / 2048), less the exponent's."""
    powers = np.array([math.pow(2.0, i / STEPS) for i in range(STEPS)])
    return powers.view(np.uint64) & np.uint64(MANTISSA)


def _exp(x: np.ndarray) -> np.ndarray:
    a = STEPS / math.log(2.0)
    d = x * a + SHIFT
    k = np.ascontiguousarray(d).view(np.uint64)
    t = (d - SHIFT) * (1 / a) - x
    y = (C3 - t) * (t * t) * C2 - t + 1.0
    exponent = (k + np.uint64(1023 << BITS)) >> np.uint64(BITS) << np.uint64(52)
    return y * (exponent | _table()[(k & np.uint64(STEPS - 1)).astype(np.int64)]).view(np.float64)


def exp(x: np.ndarray) -> np.ndarray:
    """exp of each number, but 0 where that is not normal; float64."""
    x = np.asarray(x, np.float64)
    made = _exp(np.clip(x, LEAST, MOST))
    made = np.where(x <= LEAST, 0.0, np.where(x >= MOST, np.inf, made))
    return np.where(np.isnan(x), np.nan, made)


def softmax(scores: np.ndarray) -> np.ndarray:
    """exp of the scores less the largest, by their sum in order, [rows, classes].

    Of four classes side by side none is less than the least normal number; those left over may be 0.
    """
    away = scores - scores.max(axis=1, keepdims=True)
    whole = away.shape[1] // LANES * LANES
    made = np.column_stack([_exp(np.maximum(away[:, :whole], LEAST)), exp(away[:, whole:])])
    return made / sum(made.T)[:, None]
