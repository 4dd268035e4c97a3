"""Graphs of sklearn-onnx by the worker's operators: what they compute, and what is refused by name."""

import numpy as np
import onnx.parser
import onnxruntime as ort
import pytest

from skiff_convert.errors import ConvertError
from skiff_convert.form import Computed, Head, Through
from skiff_convert.form.opaque import Measured, Opaque
from skiff_convert.lower_form import lower, model_of
from skiff_convert.proof import interpret

RNG = np.random.default_rng(0)
ROWS = np.vstack([RNG.normal(0, 3, (60, 3)), np.zeros((1, 3)), [[1e9, -1e9, 3.0]]])
W = "double[3,2] w = {1,2,3,4,5,6}, double[2] c = {3,-1}, double[1] h = {0.5}, double[3] v = {2,0,1}"
SHAPES = "int64[1] one = {1}, int64[1] zero = {0}, int64[2] tall = {-1,1}, int64[1] flat = {-1}"
HEADER = '<ir_version: 8, opset_import: ["" : 15, "com.microsoft" : 1]>'


def node(body: str, width: int, part: float = 2.0**-40) -> Opaque:
    """A step whose graph makes y [rows, width] of X [rows, 3]."""
    text = f"{HEADER} g (double[N,3] X) => (double[N,{width}] y) <{W}, {SHAPES}> {{ {body} }}"
    model = onnx.parser.parse_model(text).SerializeToString()
    session = ort.InferenceSession(model)
    run = lambda rows: session.run(["y"], {"X": rows})[0].reshape(len(rows), -1)  # noqa: E731
    return Opaque(tuple(map(Through, range(3))), "Step", model, "y", width, run, Measured(part, 1.0))


def scores(of: Opaque) -> Head:
    return Head(tuple(Computed(of, i) for i in range(of.width)))


GRAPHS = {
    "gemm": ("y = Gemm <alpha = 2.0, beta = 0.5> (X, w, c)", 2),
    "gemm of rows": (
        "s = ReduceSumSquare <axes = [1], keepdims = 1> (X) y = Gemm <beta = 2.0> (X, w, s)",
        2,
    ),
    "gemm turned": ("t = Transpose <perm = [1, 0]> (w) y = Gemm <transB = 1> (X, t)", 2),
    "vector": ("p = MatMul (X, v) q = Add (p, h) y = Reshape (q, tall)", 1),
    "distances": (
        't = Transpose <perm = [1, 0]> (w) y = com.microsoft.CDist <metric = "sqeuclidean"> (X, t)',
        2,
    ),
    "roots": (
        't = Transpose <perm = [1, 0]> (w) y = com.microsoft.CDist <metric = "euclidean"> (X, t)',
        2,
    ),
    "as many as rows": (
        "s = Shape (X) n = Gather (s, zero) d = Concat <axis = 0> (n, one) z = ConstantOfShape (d) "
        "f = Cast <to = 11> (z) g = Add (f, h) y = Mul (X, g)",
        3,
    ),
    "sums": ("s = ReduceSum <keepdims = 1> (X, one) d = Div (s, h) n = Neg (d) t = Tanh (n) y = Abs (t)", 1),
    "vectors": ("s = ReduceSum <keepdims = 0> (X, one) d = Sub (s, h) y = Reshape (d, tall)", 1),
    "mean and largest": (
        "m = ReduceMean <axes = [1]> (X) l = ReduceMax <axes = [1]> (X) y = Concat <axis = 1> (m, l, X)",
        5,
    ),
    "choice": ("g = Greater (X, h) i = Identity (X) y = Where (g, i, v) ", 3),
    "booleans": ("g = Less (X, v) n = Cast <to = 11> (g) y = Add (n, X)", 3),
    "powers": ("p = Pow (X, c2) s = ReduceSum <keepdims = 1> (p, one) r = Sqrt (s) y = Max (r, h)", 1),
}

GRAPHS["powers"] = ("c2 = Constant <value = int64[1] {2}> () " + GRAPHS["powers"][0], 1)


@pytest.mark.parametrize("name", GRAPHS)
def test_it_computes_what_the_graph_does(name):
    of = node(*GRAPHS[name])
    head = scores(of)
    nodes, constants = lower(head, 3)
    got = ort.InferenceSession(model_of(nodes, constants, 3, of.width, {}, "test")).run(None, {"X": ROWS})[0]
    want, near = interpret(head, ROWS)
    assert got.shape == want.shape and np.isfinite(want).all() and np.ptp(want, axis=0).all()
    assert (np.abs(got - want) <= near).all(), np.abs(got - want).max()


@pytest.mark.parametrize(
    ("body", "width", "what"),
    [
        ("y = Softmax <axis = 0> (X)", 3, "Softmax"),
        ("t = Transpose (X) m = MatMul (X, t) y = MatMul (m, X)", 3, "Transpose"),
        ("y = ReduceSum <keepdims = 1> (X, zero)", 3, "ReduceSum"),
        ("y = CumSum (X, zero)", 3, "CumSum"),
        ("f = Cast <to = 1> (X) y = Cast <to = 11> (f)", 3, "Cast"),
        ("s = ReduceSum <keepdims = 0> (X, one) y = Mul (X, s)", 3, "Mul"),
        ("r = Reshape (X, flat) y = Reshape (r, tall)", 1, "Reshape"),
        ("y = Concat <axis = 0> (X, X)", 3, "Concat"),
        ("y = Expand (h, tall)", 1, "does not depend"),
        ('y = com.microsoft.CDist <metric = "sqeuclidean"> (X, X)', 3, "CDist"),
    ],
)
def test_what_is_not_served_is_refused_by_name(body, width, what):
    rows = node("y = Identity (X)", 3)
    text = f"{HEADER} g (double[N,3] X) => (double[N,{width}] y) <{W}, {SHAPES}> {{ {body} }}"
    model = onnx.parser.parse_model(text.replace("Expand (h, tall)", "Identity (h)")).SerializeToString()
    of = Opaque(rows.values, "KernelThing", model, "y", width, rows.run, Measured(1e-9, 1.0))
    with pytest.raises(ConvertError, match=what) as refused:
        lower(scores(of), 3)
    assert "KernelThing" in str(refused.value) and refused.value.hint


def test_a_step_that_was_not_measured_has_no_bound():
    of = node("y = Identity (X)", 3)
    assert np.isinf(Opaque(of.values, "Step", of.model, "y", 3, of.run, Measured()).allowance(ROWS)).all()


def test_inputs_that_are_off_widen_the_bound():
    of = node("y = Gemm (X, w, c)", 2, 0.0)
    off = np.zeros(ROWS.shape)
    off[:, 1] = 1e-3
    assert (of.allowance(ROWS) == 0).all()
    assert (of.allowance(ROWS, off) >= 1e-3 * np.array([3, 4])).all()
