"""Tables: every number and word there is, odd shapes, and that no wrong bit passes the proof."""

import math

import numpy as np
import onnx
import pytest
from helpers import ESTIMATORS, TREES, Converted, fit, mixed_records, words_and_miles
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

from skiff_convert import choose, grid, lower_table, prove
from skiff_convert.columns import FLOAT32_LIMIT
from skiff_convert.errors import ConvertError

LARGEST = float(np.finfo(np.float32).max)
EDGES = [0.0, -0.0, 5e-324, -5e-324, 1e-45, -1e-45, 1e-38, 2.0**-126, 1.0, 16777217.0, LARGEST, -LARGEST]
EDGES += [math.nextafter(FLOAT32_LIMIT, 0), -math.nextafter(FLOAT32_LIMIT, 0)]

numbers = st.sampled_from(EDGES) | st.floats(-LARGEST, LARGEST) | st.floats(0, 30) | st.integers(-3, 3)
words = st.sampled_from(["a", "b", "c", "d=e", "", "☃"])
estimators = st.sampled_from(
    [
        lambda: DecisionTreeRegressor(random_state=0),
        lambda: DecisionTreeRegressor(random_state=0, max_depth=1),
        lambda: RandomForestRegressor(n_estimators=5, max_depth=4, random_state=0),
        lambda: ExtraTreesRegressor(n_estimators=5, max_features=0.5, random_state=0),
    ]
)


def around(x: float) -> list[float]:
    """A number and its neighbours, in float64 and in float32."""
    with np.errstate(over="ignore"):
        single = np.float32(x)
        singles = [single, *(np.nextafter(single, np.float32(to)) for to in (-np.inf, np.inf))]
    near = [x, *(float(s) for s in singles)]
    return [to for n in near for to in (n, math.nextafter(n, -math.inf), math.nextafter(n, math.inf))]


@settings(max_examples=60)
@given(
    estimators,
    st.lists(st.tuples(words, numbers, st.floats(-100, 100)), min_size=1, max_size=25),
    st.lists(numbers | st.booleans(), max_size=20),
    st.booleans(),
)
def test_any_word_and_number(tmp_path_factory, estimator, learned, asked, sparse):
    records = [{"zone": zone, "n": n} for zone, n, _ in learned]
    pipeline = fit(estimator(), records, np.array([y for *_, y in learned]), sparse=sparse)
    both = Converted(pipeline, tmp_path_factory.mktemp("any"))
    cuts = [cut for axis in both.table.axes if not axis.category for cut in axis.cuts.tolist()]
    near = [n for x in [*cuts, *EDGES] for n in around(x)] + asked
    zones = sorted({zone for zone, *_ in learned} | {"unknown"})
    some = [{"zone": zones[i % len(zones)], "n": n} for i, n in enumerate(near)]
    some += [{"zone": zone, "n": cut} for zone in zones for cut in cuts[:5]]
    some += [{"zone": zone} for zone in (*zones, True, None, 3)] + [{"n": n} for n in EDGES]
    assert both.check(some) >= len(zones)


SHAPES = {
    "no number": [{"zone": z} for z in "abcab" * 8],
    "no category": [{"n": i % 7} for i in range(40)],
    "one word": [{"zone": "a", "n": i % 7} for i in range(40)],
    "two categories": [{"zone": "abc"[i % 3], "day": "xyzw"[i % 4], "n": i % 5} for i in range(40)],
    "two numbers": [{"zone": "abc"[i % 3], "n": i % 5, "m": (i * 7) % 11} for i in range(40)],
    "three numbers": [{"l": i % 3, "n": i % 5, "m": (i * 7) % 11} for i in range(20)],
    "number that is text too": [{"code": "x" if i % 3 else i % 5, "n": i % 7} for i in range(40)],
    "nothing to split": [{"zone": "a", "n": 1.5}] * 40,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", TREES)
def test_shapes(converted, shape, name):
    records = SHAPES[shape]
    y = np.array([len(str(sorted(r.items()))) + i % 5 for i, r in enumerate(records)], np.float64)
    both = converted(fit(ESTIMATORS[name](), records, y))
    assert both.check([*records, *mixed_records(20), {}]) >= len(records) + 1
    kinds = [axis.category for axis in both.table.axes]
    assert kinds == sorted(kinds, reverse=True)


def test_words_the_trees_never_ask_about_are_like_the_unknown(converted):
    records = [{"zone": f"z{i % 50}", "n": i % 9} for i in range(400)]
    y = np.array([r["n"] + (r["zone"] == "z3") for r in records], np.float64)
    both = converted(fit(DecisionTreeRegressor(max_depth=6), records, y))
    category, number = both.table.axes
    assert len(category) < 10 and both.table.cells.shape == (len(category), len(number))
    assert both.check([{"zone": f"z{i}", "n": n} for i in range(60) for n in range(9)]) == 540


@pytest.mark.parametrize("name", TREES)
def test_nan_has_a_bin(converted, name):
    records = words_and_miles(mixed_records(120))
    for record in records[::3]:
        record["distance"] = None
    y = np.array([len(r["zone"]) + (r["distance"] or 40) for r in records])
    both = converted(fit(ESTIMATORS[name](), records, y, sparse=False))
    axis = next(a for a in both.table.axes if both.columns[a.column].name == "distance")
    assert np.isnan(axis.high[-1]) and axis.cuts[-1] == np.inf
    assert both.check([{"distance": None, "zone": z} for z in ("a", "?")]) == 2


def initializers(model: onnx.ModelProto) -> dict[str, TensorProto]:
    return {tensor.name: tensor for tensor in model.graph.initializer}


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Converted:
    """A table of few pages, of two words that matter and one that does not."""
    records = [{"zone": "abc"[i % 3], "n": (i * 7) % 23} for i in range(200)]
    y = np.array([r["n"] ** 1.5 * (1 + (r["zone"] == "a")) for r in records])
    return Converted(fit(DecisionTreeRegressor(), records, y), tmp_path_factory.mktemp("small"))


def refused(both: Converted, model: onnx.ModelProto) -> bool:
    try:
        prove.prove_all(model.SerializeToString(), grid.rows(both.table, both.columns))
    except ConvertError:
        return True
    return False


def changed(whole: onnx.ModelProto, name: str, i: int, to) -> onnx.ModelProto:
    """The model with another number in a constant."""
    wrong = onnx.ModelProto()
    wrong.CopyFrom(whole)
    array = numpy_helper.to_array(initializers(wrong)[name]).copy()
    array[i] = to
    initializers(wrong)[name].CopyFrom(numpy_helper.from_array(array, name))
    return wrong


def test_every_wrong_bit_is_refused(small):
    """Each value, page, row, cut and bucket changed by the least that changes it."""
    whole = onnx.load_from_string(small.lowerings[1].model)
    assert not refused(small, whole)
    (at,) = (node.input[1] for node in whole.graph.node if node.input[0] == "values")
    seen = onnx.ModelProto()
    seen.CopyFrom(whole)
    seen.graph.output.append(helper.make_tensor_value_info(at, TensorProto.INT32, None))
    X = np.vstack([X for X, _ in grid.rows(small.table, small.columns)])
    used = np.unique(prove.open_session(seen.SerializeToString()).run([at], {"X": X})[0])

    constants = {name: numpy_helper.to_array(tensor) for name, tensor in initializers(whole).items()}
    (most,) = (axis.search.most for axis in small.table.axes if not axis.category)
    cuts = constants["cuts0"][np.isfinite(constants["cuts0"])]
    wrong = [("values", i, np.nextafter(constants["values"][i], np.inf)) for i in used]
    wrong += [("pages", i, start - 1) for i, start in enumerate(constants["pages"])]
    wrong += [("rows0", i, row + 1) for i, row in enumerate(constants["rows0"])]
    wrong += [("cuts0", i, np.nextafter(cut, to)) for i, cut in enumerate(cuts) for to in (-np.inf, np.inf)]
    first = list(enumerate(constants["first0"]))
    wrong += [("first0", i, bin + 1) for i, bin in first]
    wrong += [("first0", i, bin - most - 1) for i, bin in first if bin > most]  # steps go less far
    for name, i, to in wrong:
        try:
            assert refused(small, changed(whole, name, i, to)), (name, i)
        except Exception as err:  # an index out of range is refused too
            assert "Out of range value in index" in str(err)
    assert len(wrong) > 150


def test_pages_are_kept_once():
    rng = np.random.default_rng(0)
    bits = np.repeat(rng.integers(0, 9, (3, 1000)), 20, axis=0)
    values, pages, width = lower_table._paginate(bits)
    assert pages.shape == (60, -(-1000 // width)) and values.size <= 3 * (1000 + width)
    restored = values.ravel()[(pages[:, :, None] + np.arange(width)).reshape(60, -1)[:, :1000]]
    assert (restored == bits).all()


def test_costs_grow_with_trees_and_bins(converted):
    few, many = (
        converted(fit(RandomForestRegressor(n_estimators=n, random_state=0))).learned for n in (5, 50)
    )
    assert 8 < choose.cost_of_trees(many.estimator) / choose.cost_of_trees(few.estimator) < 12
