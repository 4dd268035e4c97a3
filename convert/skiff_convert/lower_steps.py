"""Lowering elementwise steps: with numpy's bits, but for those in SLACK, which are onnxruntime's own."""

import math

import numpy as np
from onnx import TensorProto

from .form import Step, special

# How far a step's result may be off, by its size: onnxruntime's functions, and what is put together of them.
SLACK = dict.fromkeys(
    ["log", "log2", "log10", "exp", "tanh", "expit", "sin", "cos", "arctan"], 2.0**-48
) | dict.fromkeys(["log1p", "expm1", "cbrt", "exp2", "raise", "power", "yeo_johnson", "box_cox"], 2.0**-40)


def slack(step: Step) -> float:
    """How far a step's result may be off, by its size."""
    if step.op == "quantile":
        return 2.0**-40 if step.value[2] else 0.0
    return SLACK.get(step.op, 0.0)


PLAIN = {
    "abs": "Abs", "absolute": "Abs", "fabs": "Abs", "floor": "Floor", "ceil": "Ceil", "rint": "Round",
    "sqrt": "Sqrt", "negative": "Neg", "sign": "Sign", "exp": "Exp", "log": "Log", "tanh": "Tanh",
    "sin": "Sin", "cos": "Cos", "reciprocal": "Reciprocal", "positive": "Identity",
}  # fmt: skip


def step(low, x: str, op: str, value: float | tuple) -> str | None:
    """A vector through one step; None for what is not here."""
    add, c = low.graph.add, low.constant
    if op in PLAIN:
        return add(PLAIN[op], x)
    match op:
        case "tiny":
            return add("Where", add("LessOrEqual", add("Abs", x), c(value)), c(0.0), x)
        case "except":
            return add("Where", add("Equal", x, c(value)), c(np.nan), x)
        case "replace":
            return add("Where", add("Equal", x, c(value[0])), c(value[1]), x)
        case "is":
            return low.double(add("Equal", x, c(value)))
        case "signed_square":
            return add("Mul", add("Mul", add("Sign", x), x), x)
        case "trunc":
            return add("Mul", add("Sign", x), add("Floor", add("Abs", x)))
        case "bin":
            return add("Where", add("IsNaN", x), c(np.nan), low.double(count(low, x, value)))
        case "nearly":
            return add("Add", x, add("Add", c(value[1]), add("Mul", c(value[0]), add("Abs", x))))
        case "interp":
            return interp(low, x, *value)
        case "expit":
            return add("Div", c(1.0), add("Add", c(1.0), add("Exp", add("Neg", x))))
        case "log1p":
            return log1p(low, x)
        case "expm1":
            return expm1(low, x)
        case "log2" | "log10":
            return add("Div", add("Log", x), c(math.log(2 if op == "log2" else 10)))
        case "exp2":
            return add("Pow", c(2.0), x)
        case "raise":
            return add("Pow", c(value), x)
        case "power":
            return add("Pow", x, c(value))
        case "cbrt":
            return add("Mul", add("Sign", x), add("Pow", add("Abs", x), c(1 / 3)))
        case "yeo_johnson":
            return yeo_johnson(low, x, *value)
        case "box_cox":
            log = add("Log", x)
            if abs(value) < 1e-19:
                return log
            return add("Div", expm1(low, add("Mul", c(value), log)), c(value))
        case "arctan":
            return arctan(low, x)
        case "quantile":
            return quantile(low, x, *value)
    return None


def count(low, x: str, edges: tuple) -> str:
    """How many of the edges are <= x, int64."""
    add = low.graph.add
    if not edges:
        return add("Cast", low.full(0.0), to=TensorProto.INT64)
    row = low.graph.real(low.graph.fresh("edges"), np.array(edges)[None, :])
    above = add("Cast", add("GreaterOrEqual", low.tall(x), row), to=TensorProto.INT64)
    return add("ReduceSum", above, low.graph.shape_once("axes1", 1), keepdims=0)


def interp(low, x: str, at: tuple, to: tuple) -> str:
    """numpy.interp."""
    add = low.graph.add
    xp, fp = np.array(at, np.float64), np.array(to, np.float64)
    width = np.diff(xp)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.append(np.where(width > 0, np.diff(fp) / width, 0.0), 0.0)
    held = add("Clip", x, low.constant(float(xp[0])), low.constant(float(xp[-1])))
    place = count(low, held, tuple(xp[1:].tolist()))

    def of(name: str, values: np.ndarray) -> str:
        return add("Gather", low.graph.real(low.graph.fresh(name), values), place, axis=0)

    made = add("Add", add("Mul", of("slope", slope), add("Sub", held, of("from", xp))), of("to", fp))
    low_end = low.constant(float(fp[0]))  # below the first of points that come twice, too
    made = add("Where", add("Less", x, low.constant(float(xp[0]))), low_end, made)
    return add("Where", add("IsNaN", x), low.constant(np.nan), made)


def quantile(low, x: str, quantiles: tuple, references: tuple, normal: bool) -> str:
    """QuantileTransformer's."""
    add, c = low.graph.add, low.constant
    q, r, near = np.array(quantiles), np.array(references), 1e-7
    up = interp(low, x, q, r)
    down = interp(low, add("Neg", x), -q[::-1], -r[::-1])
    out = add("Mul", c(0.5), add("Sub", up, down))
    first, last = c(float(q[0])), c(float(q[-1]))
    above, below = add("Equal", x, last), add("Equal", x, first)
    if normal:
        above = add("Greater", add("Add", x, c(near)), last)
        below = add("Less", add("Sub", x, c(near)), first)
    out = add("Where", below, c(0.0), add("Where", above, c(1.0), out))
    if not normal:
        return out
    low_end, high_end = (special.ndtri(p) for p in (near - np.spacing(1), 1 - (near - np.spacing(1))))
    made = add("Clip", ndtri(low, out), c(low_end), c(high_end))
    made = add("Where", add("Equal", out, c(0.0)), c(low_end), made)
    made = add("Where", add("Equal", out, c(1.0)), c(high_end), made)
    return add("Where", add("IsNaN", x), c(np.nan), made)


def polynomial(low, x: str, coefficients: tuple) -> str:
    """By Horner's rule, the highest power's coefficient first."""
    total = low.constant(coefficients[0])
    for value in coefficients[1:]:
        total = low.graph.add("Add", low.graph.add("Mul", total, x), low.constant(value))
    return total


def ndtri(low, p: str) -> str:
    """The normal distribution's quantile, as Cephes has it, where 0 < p < 1."""
    add, c = low.graph.add, low.constant
    upper = add("Greater", p, c(1.0 - special._TAIL))
    y = add("Where", upper, add("Sub", c(1.0), p), p)
    centred = add("Sub", y, c(0.5))
    y2 = add("Mul", centred, centred)
    ratio = add("Div", polynomial(low, y2, special._P0), polynomial(low, y2, special._Q0))
    middle = add("Mul", add("Add", centred, add("Mul", centred, add("Mul", y2, ratio))), c(special._ROOT))
    x = add("Sqrt", add("Mul", c(-2.0), add("Log", add("Max", y, c(1e-300)))))
    x = add("Max", x, c(1.0))  # what is nearer is in the middle
    x0 = add("Sub", x, add("Div", add("Log", x), x))
    z = add("Div", c(1.0), x)
    tails = [
        add("Mul", z, add("Div", polynomial(low, z, top), polynomial(low, z, bottom)))
        for top, bottom in ((special._P1, special._Q1), (special._P2, special._Q2))
    ]
    tail = add("Sub", x0, add("Where", add("Less", x, c(8.0)), *tails))
    tail = add("Where", upper, tail, add("Neg", tail))
    return add("Where", add("Greater", y, c(special._TAIL)), middle, tail)


# Cephes' atan.
_ATAN_P = (-8.750608600031904122785e-1, -1.615753718733365076637e1, -7.500855792314704667340e1,
           -1.228866684490136173410e2, -6.485021904942025371773e1)  # fmt: skip
_ATAN_Q = (1.0, 2.485846490142306297962e1, 1.650270098316988542046e2, 4.328810604912902668951e2,
           4.853903996359136964868e2, 1.945506571482613964425e2)  # fmt: skip


def arctan(low, x: str) -> str:
    """By Cephes' polynomials, near 0, near 1 and far."""
    add, c = low.graph.add, low.constant
    size = add("Abs", x)
    far, middle = add("Greater", size, c(math.tan(3 * math.pi / 8))), add("Greater", size, c(0.66))
    turned = add("Div", c(-1.0), add("Max", size, c(1.0)))
    moved = add("Div", add("Sub", size, c(1.0)), add("Add", size, c(1.0)))
    at = add("Where", far, turned, add("Where", middle, moved, size))
    start = add("Where", far, c(math.pi / 2), add("Where", middle, c(math.pi / 4), c(0.0)))
    z = add("Mul", at, at)
    ratio = add("Div", add("Mul", z, polynomial(low, z, _ATAN_P)), polynomial(low, z, _ATAN_Q))
    return add("Mul", add("Sign", x), add("Add", start, add("Add", add("Mul", at, ratio), at)))


def log1p(low, x: str) -> str:
    """log(1 + x), with what 1 + x loses made good."""
    add, one = low.graph.add, low.constant(1.0)
    u = add("Add", one, x)
    less = add("Sub", u, one)
    near = add("Equal", less, low.constant(0.0))
    made = add("Div", add("Mul", add("Log", u), x), add("Where", near, one, less))
    large = add("Greater", add("Abs", x), low.constant(1e15))
    return add("Where", near, x, add("Where", large, add("Log", u), made))


def expm1(low, x: str) -> str:
    """exp(x) - 1, with what the difference loses made good."""
    add, one = low.graph.add, low.constant(1.0)
    u = add("Exp", x)
    less = add("Sub", u, one)
    log = add("Log", u)
    near = add("Equal", log, low.constant(0.0))
    made = add("Div", add("Mul", less, x), add("Where", near, one, log))
    far = add("Greater", add("Abs", x), low.constant(30.0))
    return add("Where", near, x, add("Where", far, less, made))


def yeo_johnson(low, x: str, power: float, logs: bool) -> str:
    """Yeo and Johnson's transform: by logarithms, or by powers."""
    add, c = low.graph.add, low.constant

    def raised(size: str, power: float) -> str:
        if abs(power) < np.finfo(np.float64).eps:
            return log1p(low, size)
        if logs:
            return add("Div", expm1(low, add("Mul", c(power), log1p(low, size))), c(power))
        up = add("Pow", add("Add", size, c(1.0)), c(power))
        return add("Div", add("Sub", up, c(1.0)), c(power))

    up = raised(add("Max", x, c(0.0)), power)
    down = raised(add("Max", add("Neg", x), c(0.0)), 2 - power)
    made = add("Where", add("GreaterOrEqual", x, c(0.0)), up, add("Neg", down))
    return add("Where", add("IsNaN", x), c(np.nan), made)
