"""Lowering libsvm's probabilities: its iteration, row by row until each has come near enough."""

from onnx import TensorProto, helper

from .form.combine import pairs_of
from .form.distances import LEAST, MOST_ROUNDS, NEAR, Coupled
from .graph import Graph


def coupled(low, node: Coupled) -> list[str]:
    """A sigmoid for each pair, and a Loop that couples them; a row that is done stays as it is."""
    add, c, k = low.graph.add, low.constant, node.width
    one = c(1.0)
    r: dict[tuple[int, int], str] = {}
    for at, (i, j) in enumerate(pairs_of(k)):
        f = add("Mul", low.tall(low.value(node.values[at])), c(float(node.slope[at])))
        f = add("Add", f, c(float(node.offset[at])))
        e = add("Exp", add("Neg", add("Abs", f)))
        below = add("Where", add("GreaterOrEqual", f, c(0.0)), e, one)
        p = add("Div", below, add("Add", one, e))
        r[i, j] = add("Min", add("Max", p, c(LEAST)), c(1 - LEAST))
        r[j, i] = add("Sub", one, r[i, j])
    q = []
    for i in range(k):
        for j in range(k):
            if i != j:
                q.append(add("Mul", add("Neg", r[i, j]), r[j, i]))
                continue
            squares = [add("Mul", r[m, i], r[m, i]) for m in range(k) if m != i]
            q.append(low.graph.sum(squares))
    whole = add("Concat", *q, axis=1)
    shape = add("Shape", r[0, 1])  # [rows, 1]
    many = low.graph.shape(low.graph.fresh("classes"), 1, k)
    start = add("Expand", c(1.0 / k), add("Mul", shape, many))
    going = add("Equal", r[0, 1], r[0, 1])
    rounds = low.graph.index64(low.graph.fresh("rounds"), max(MOST_ROUNDS, k))
    some = add("Cast", one, to=TensorProto.BOOL)
    made, _ = low.graph.add_two("Loop", rounds, some, start, going, body=_round(low, whole, k))
    return low.columns(made, k)


def _round(low, q: str, k: int):  # noqa: ANN202
    """The body of the Loop: another p [rows, k], and which rows [rows, 1] are not done."""
    c, body = low.constant, Graph(low.graph.fresh("round"))
    add, axis = body.add, low.graph.shape_once("axes1", 1)

    def part(matrix: str, start: int, end: int) -> str:
        ends = (low.graph.shape_once(f"end{n}", n) for n in (start, end))
        return add("Slice", matrix, *ends, axis)

    names = [f"{body.prefix}{name}" for name in ("i", "more", "p", "going", "some", "next", "still")]
    _, more, p, going, some, after, still = names
    rows = [part(q, k * t, k * t + k) for t in range(k)]
    qp = add("Concat", *(add("ReduceSum", add("Mul", row, p), axis, keepdims=1) for row in rows), axis=1)
    pqp = add("ReduceSum", add("Mul", p, qp), axis, keepdims=1)
    error = add("ReduceMax", add("Abs", add("Sub", qp, pqp)), axis, keepdims=1)
    add("And", going, add("GreaterOrEqual", error, c(NEAR / k)), name=still)
    new = [part(p, t, t + 1) for t in range(k)]
    for t in range(k):
        qtt, qpt = part(q, k * t + t, k * t + t + 1), part(qp, t, t + 1)
        diff = add("Div", add("Sub", pqp, qpt), qtt)
        new[t] = add("Add", new[t], diff)
        up = add("Add", c(1.0), diff)
        more_of = add("Mul", diff, add("Add", add("Mul", diff, qtt), add("Mul", c(2.0), qpt)))
        pqp = add("Div", add("Div", add("Add", pqp, more_of), up), up)
        qp = add("Div", add("Add", qp, add("Mul", diff, rows[t])), up)
        new = [add("Div", one, up) for one in new]
    add("Where", still, add("Concat", *new, axis=1), p, name=after)
    all_rows = add("Cast", still, to=TensorProto.INT32)
    add("Cast", add("ReduceMax", all_rows, keepdims=0), to=TensorProto.BOOL, name=some)
    of = helper.make_tensor_value_info
    return helper.make_graph(
        body.nodes,
        "round",
        [
            of(names[0], TensorProto.INT64, []),
            of(more, TensorProto.BOOL, []),
            of(p, TensorProto.DOUBLE, ["rows", k]),
            of(going, TensorProto.BOOL, ["rows", 1]),
        ],
        [
            of(some, TensorProto.BOOL, []),
            of(after, TensorProto.DOUBLE, ["rows", k]),
            of(still, TensorProto.BOOL, ["rows", 1]),
        ],
    )
