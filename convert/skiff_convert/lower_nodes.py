"""Lowering what models of models, kernels and neighbours are made of; and the links that something reads.

A lowering takes the Lowering and the node, and returns the node's vectors [rows]. It has the interpreter's
bits but where onnxruntime's functions differ from the C library's: see lower_near.
"""

import numpy as np
from onnx import TensorProto

from .errors import ConvertError
from .form.combine import Largest, Linked, Median, Sum, Table, Votes, pairs_of
from .form.distances import Kernel, Neighbours
from .form.dot import Norm
from .form.splines import Spline
from .lower_coupling import coupled
from .lower_steps import count as count_of


def total(low, node: Sum) -> list[str]:
    """Member by member, then divided."""
    sums = []
    for j in range(node.width):
        vector = low.graph.sum(low.value(value) for value in node.values[j :: node.width])
        if node.divisor != 1:
            vector = low.graph.add("Div", vector, low.constant(node.divisor))
        sums.append(vector)
    return sums


def largest(low, node: Largest) -> list[str]:
    """ArgMax, or one comparison."""
    if len(node.values) == 1:
        return [low.double(low.graph.add("Greater", low.value(node.values[0]), low.constant(node.cut)))]
    matrix = low.matrix([low.value(value) for value in node.values])
    return [low.double(low.graph.add("ArgMax", matrix, axis=1, keepdims=0, select_last_index=int(node.last)))]


def table(low, node: Table) -> list[str]:
    """A gather for each output."""
    index = low.graph.add("Cast", low.value(node.values[0]), to=TensorProto.INT64)
    return [
        low.graph.add("Gather", low.graph.real(low.graph.fresh("table"), node.table[:, j]), index, axis=0)
        for j in range(node.width)
    ]


def median(low, node: Median) -> list[str]:
    """The values in order, and the weights beside them added up."""
    add = low.graph.add
    matrix = low.matrix([low.value(value) for value in node.values])
    values, at = low.smallest(matrix, len(node.values))
    weights = add("Gather", low.graph.real(low.graph.fresh("weights"), node.weights), at, axis=0)
    reached = add("CumSum", weights, low.graph.index64("axis1", 1))
    last = add("Gather", reached, low.graph.shape_once("last", len(node.values) - 1), axis=1)
    enough = add("GreaterOrEqual", reached, add("Mul", last, low.constant(0.5)))
    place = add("ArgMax", low.double(enough), axis=1, keepdims=1)
    return [low.flat(add("GatherElements", values, place, axis=1))]


def votes(low, node: Votes) -> list[str]:
    """A vote for one class of each pair; confidences break ties."""
    add, pairs = low.graph.add, pairs_of(node.width)
    vectors = [low.value(value) for value in node.values]
    sums: list = [low.full(0.0)] * node.width
    count: list = [low.full(0.0)] * node.width
    for k, (i, j) in enumerate(pairs):
        confidence, for_j = vectors[len(pairs) + k], add("Equal", vectors[k], low.constant(1.0))
        sums[i], sums[j] = add("Sub", sums[i], confidence), add("Add", sums[j], confidence)
        count[i] = add("Add", count[i], low.double(add("Not", for_j)))
        count[j] = add("Add", count[j], low.double(for_j))
    out = []
    for vote, of in zip(count, sums, strict=True):
        below = add("Mul", low.constant(3.0), add("Add", add("Abs", of), low.constant(1.0)))
        out.append(add("Add", vote, add("Div", of, below)))
    return out


def squares(low, vectors: list[str], rows: np.ndarray, power: float = 2.0) -> str:
    """[rows, learned rows]: for each value the difference, squared or its size, added up in order."""
    add, whole = low.graph.add, None
    for vector, column in zip(vectors, rows.T, strict=True):
        away = add("Sub", low.tall(vector), low.graph.real(low.graph.fresh("rows"), column[None, :]))
        size = add("Mul", away, away) if power == 2 else add("Abs", away)
        whole = size if whole is None else add("Max" if power == np.inf else "Add", whole, size)
    return whole


def kernel(low, node: Kernel) -> list[str]:
    """The kernel with each of the rows."""
    add = low.graph.add
    vectors = [low.value(value) for value in node.values]
    if node.kind == "rbf":
        made = add("Exp", add("Mul", squares(low, vectors, node.rows), low.constant(-node.gamma)))
        return low.columns(made, node.width)
    made = add("MatMul", low.matrix(vectors), low.graph.real(low.graph.fresh("rows"), node.rows.T.copy()))
    if node.kind != "linear":
        made = add("Add", add("Mul", made, low.constant(node.gamma)), low.constant(node.coef0))
        if node.kind == "sigmoid":
            made = add("Tanh", made)
        else:
            made = add("Pow", made, low.constant(float(node.degree)))
    return low.columns(made, node.width)


def neighbours(low, node: Neighbours) -> list[str]:
    """The nearest rows, and the mean of their targets."""
    add = low.graph.add
    away = squares(low, [low.value(value) for value in node.values], node.rows, node.power)
    distance, at = low.smallest(away, node.count)
    axis = low.graph.shape_once("axes1", 1)
    weights = None
    if node.weighted:
        if node.power == 2:
            distance = add("Sqrt", distance)
        weights = add("Div", low.constant(1.0), distance)
        here = low.double(add("Equal", distance, low.constant(0.0)))
        some = add("ReduceMax", here, axis, keepdims=1)
        weights = add("Where", add("Greater", some, low.constant(0.0)), here, weights)
        divisor = add("ReduceSum", weights, axis, keepdims=0)
    out = []
    for j in range(node.width):
        column = low.graph.real(low.graph.fresh("targets"), node.targets[:, j])
        near = add("Gather", column, at, axis=0)
        if weights:
            near = add("Mul", near, weights)
        divisor = divisor if weights else low.constant(float(node.count))
        out.append(add("Div", add("ReduceSum", near, axis, keepdims=0), divisor))
    return out


def norm(low, node: Norm) -> list[str]:
    """Each value by the norm of all."""
    add = low.graph.add
    vectors = [low.value(value) for value in node.values]
    sizes = [add("Mul", v, v) if node.kind == "l2" else add("Abs", v) for v in vectors]
    whole = sizes[0]
    for size in sizes[1:]:
        whole = add("Max" if node.kind == "max" else "Add", whole, size)
    if node.kind == "l2":
        whole = add("Sqrt", whole)
    whole = add("Where", add("Equal", whole, low.constant(0.0)), low.constant(1.0), whole)
    return [add("Div", vector, whole) for vector in vectors]


def spline(low, node: Spline) -> list[str]:
    """The B-splines by de Boor's recursion; what it needs of the knots is a table over the intervals."""
    add, c = low.graph.add, low.constant
    t, k, x = node.knots, node.degree, low.value(node.values[0])
    n = len(t) - k - 1
    start, end = node._ends()
    at = add("Where", add("IsNaN", x), c(start), x)
    if node.outside == "periodic":
        period = c(float(t[n] - t[k]))
        over = add("Mod", add("Sub", at, c(float(t[k]))), period, fmod=1)
        over = add("Where", add("Less", over, c(0.0)), add("Add", over, period), over)
        at = add("Add", c(float(t[k])), over)
    elif node.outside in ("constant", "linear"):
        at = add("Clip", at, c(start), c(end))
    place, every = count_of(low, at, tuple(t[k + 1 : n].tolist())), np.arange(k, n)

    def of(values: np.ndarray) -> str:
        return add("Gather", low.graph.real(low.graph.fresh("knots"), values), place, axis=0)

    h = [low.full(1.0)]
    for j in range(1, k + 1):
        before, h = h, [low.full(0.0)] + [""] * j
        for m in range(1, j + 1):
            right, left = t[every + m], t[every + m - j]
            same = right == left
            w = add("Div", before[m - 1], of(np.where(same, 1.0, right - left)))
            up = add("Add", h[m - 1], add("Mul", w, add("Sub", of(right), at)))
            down = add("Mul", w, add("Sub", at, of(left)))
            if same.any():
                flag = add("Greater", of(same.astype(np.float64)), c(0.0))
                up, down = add("Where", flag, h[m - 1], up), add("Where", flag, c(0.0), down)
            h[m - 1], h[m] = up, down
    parts = [add("Mul", of(node.coefficients[every + a - k]), low.tall(h[a])) for a in range(k + 1)]
    out, tall = low.graph.sum(parts), low.tall(x)
    if node.outside == "linear":
        for edge, outside, first in ((start, "Less", True), (end, "Greater", False)):
            value, slope = _line(node, edge, first)
            away = add("Mul", add("Sub", tall, c(edge)), low.graph.real(low.graph.fresh("slope"), slope))
            line = add("Add", low.graph.real(low.graph.fresh("edge"), value), away)
            out = add("Where", add(outside, tall, c(edge)), line, out)
    if node.outside == "error":
        out = add(
            "Where", add("Or", add("Less", tall, c(start)), add("Greater", tall, c(end))), c(np.nan), out
        )
    return low.columns(add("Where", add("IsNaN", tall), c(node.missing), out), node.width)


def _line(node: Spline, edge: float, first: bool) -> tuple[np.ndarray, np.ndarray]:
    """What the splines are at an edge and their slopes there, of those that are extended, [1, width] each."""
    many = node.degree if node.ends is None else node.ends
    many = min(many + 1 if many <= 1 else many, node.width)
    kept = np.arange(node.width) < many if first else np.arange(node.width) >= node.width - many
    value = np.where(kept, node.bases(np.array([edge]))[0], 0.0)
    return value[None, :], np.where(kept, node.slopes(edge), 0.0)[None, :]


def linked(low, node: Linked) -> list[str]:
    """A link in the middle of the graph."""
    return link(low, node.link, [low.value(value) for value in node.values])


def link(low, name: str, scores: list[str]) -> list[str]:
    """What a link makes of scores."""
    add = low.graph.add
    single = name.endswith("32")
    if single:
        scores = [low.single(s) for s in scores]
    match name.removesuffix("32"):
        case "identity":
            return scores
        case "exp" | "exp_fast":
            out = [add("Exp", s) for s in scores]
        case "expm1":
            out = [low.steps_of("expm1", s) for s in scores]
        case "both":
            out = [add("Sub", low.constant(1.0), scores[0]), scores[0]]
        case "expit":
            p = expit(low, scores[0])
            p = low.single(p) if single else p
            out = [add("Sub", low.constant(1.0), p), p]
        case "expits":
            out = [expit(low, s) for s in scores]
        case "softmax" | "softmax_in_order" | "softmax_fast" | "softmax_log" | "softmax_near":
            out = softmax(low, scores)
        case "softmax_pair":
            out = softmax(low, [add("Neg", scores[0]), scores[0]])
        case "ovr":
            each = [expit(low, s) for s in scores]
            whole = low.graph.sum(each)
            out = [add("Div", e, whole) for e in each]
        case "coupled":
            out = coupled(low, scores)
        case "huber":
            each = [_huber(low, s) for s in scores]
            if len(each) == 1:
                out = [add("Sub", low.constant(1.0), each[0]), each[0]]
            else:
                out = shares(low, each, 1.0 / len(each))
        case "normalize" | "normalize_plain":
            out = shares(low, scores, 1.0 / len(scores) if name == "normalize" else None)
            if name == "normalize":
                out = [_held(low, s) for s in out]
        case "ascending":
            out = low.columns(low.smallest(low.matrix(scores), len(scores))[0], len(scores))
        case _:
            raise ConvertError(
                f"the link {name} inside a model cannot be lowered yet", "use the member by itself"
            )
    return [low.single(v) for v in out] if single else out


def _huber(low, score: str) -> str:
    held = low.graph.add("Clip", score, low.constant(-1.0), low.constant(1.0))
    return low.graph.add("Div", low.graph.add("Add", held, low.constant(1.0)), low.constant(2.0))


def _held(low, share: str) -> str:
    """1 for what is above 1 by up to 1e-5."""
    add = low.graph.add
    over = add(
        "And",
        add("Greater", share, low.constant(1.0)),
        add("LessOrEqual", share, low.constant(1.0 + 1e-5)),
    )
    return add("Where", over, low.constant(1.0), share)


def expit(low, score: str) -> str:
    """1 / (1 + exp(-x))."""
    add = low.graph.add
    return add("Div", low.constant(1.0), add("Add", low.constant(1.0), add("Exp", add("Neg", score))))


def softmax(low, scores: list[str]) -> list[str]:
    """exp of the scores less the largest, by their sum."""
    add = low.graph.add
    highest = add("Max", *scores)
    shifted = [add("Exp", add("Sub", s, highest)) for s in scores]
    whole = low.graph.sum(shifted)
    return [add("Div", s, whole) for s in shifted]


def shares(low, each: list[str], instead: float | None) -> list[str]:
    """Each by their sum; where that is 0 the number instead, or as they are."""
    add = low.graph.add
    whole = low.graph.sum(each)
    zero = add("Equal", whole, low.constant(0.0))
    return [
        add("Where", zero, e if instead is None else low.constant(instead), add("Div", e, whole))
        for e in each
    ]


NODES = {
    Sum: total, Largest: largest, Table: table, Median: median, Votes: votes, Kernel: kernel,
    Neighbours: neighbours, Norm: norm, Linked: linked, Spline: spline,
}  # fmt: skip
