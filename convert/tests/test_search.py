"""The search for a number's bin, as onnxruntime does it, against numpy's."""

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from skiff_convert import prove, search
from skiff_convert.graph import Graph

LARGEST = float(np.finfo(np.float32).max)

numbers = st.floats(-LARGEST, LARGEST) | st.floats(0, 30) | st.integers(-3, 3).map(float)
close = st.integers(0, 40).map(lambda ulps: 1.0 + ulps * 2.0**-52)


def run(over: search.Search, x: np.ndarray) -> np.ndarray:
    graph = Graph()
    found = over.write(graph, "x", "0")
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "search",
            [helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["rows"])],
            [helper.make_tensor_value_info(found, TensorProto.INT32, ["rows"])],
            graph.constants,
        ),
        ir_version=10,
        opset_imports=[helper.make_opsetid("", 21)],
    )
    onnx.checker.check_model(model)
    return prove.open_session(model.SerializeToString()).run(None, {"x": x})[0]


def numbers_around(cuts: np.ndarray, over: search.Search) -> np.ndarray:
    edges = over.low + np.arange(over.buckets + 1) / over.scale  # of buckets
    x = np.concatenate([cuts[np.isfinite(cuts)], edges, over.middles(), [-LARGEST, -0.0, 0.0, 1.0, LARGEST]])
    x = np.concatenate([x, np.nextafter(x, -np.inf), np.nextafter(x, np.inf)])
    return x[np.abs(x) <= LARGEST]


@given(st.sets(numbers, max_size=40) | st.sets(close, max_size=40), st.lists(numbers), st.booleans())
def test_any_cuts_and_numbers(cuts, asked, nan):
    cuts = np.array(sorted(cuts) + [np.inf] * nan, np.float64)
    over = search.over(cuts)
    x = np.append(numbers_around(cuts, over), asked)
    assert run(over, x).tolist() == np.searchsorted(cuts, x).tolist()
    if nan:
        assert run(over, np.array([np.nan, 0.0])).tolist() == [len(cuts), np.searchsorted(cuts, 0.0)]


SHAPES = {
    "of hundredths": (np.arange(3000) / 100 + 0.005, 1),
    "twice each, an ulp apart": (np.sort([*np.arange(500.0), *np.nextafter(np.arange(500.0), 9e9)]), 2),
    "of money": (np.exp(np.linspace(0, 12, 2000)), 9),
    "far from zero": (1.7e9 + np.arange(1000) * 7.0, 1),
    "one far off": (np.append(np.linspace(0, 1, 500), 1e30), 9),
    "one": (np.array([2.5]), 1),
    "none": (np.array([]), 0),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_few_steps_are_enough(shape):
    cuts, steps = SHAPES[shape]
    over = search.over(cuts)
    assert len(over.steps()) == steps
    x = numbers_around(cuts, over)
    assert (run(over, x) == np.searchsorted(cuts, x)).all()
    assert (over.bucket(over.middles()) == np.arange(over.buckets)).all()
