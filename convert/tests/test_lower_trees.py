"""The threshold that absorbs float32 rounding, and trees of odd shapes."""

import math

import numpy as np
import pytest
from helpers import ESTIMATORS, TREES, fit, mixed_records, target, taxi_records
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

from skiff_convert.columns import FLOAT32_LIMIT
from skiff_convert.errors import ConvertError
from skiff_convert.lower_trees import absorb_rounding
from skiff_convert.witnesses import witnesses

doubles = st.floats(allow_nan=False)
singles = st.floats(allow_nan=False, width=32)


def float32(x: float) -> np.float32:
    with np.errstate(over="ignore"):
        return np.float32(x)


def around(x: float) -> list[float]:
    return [x, math.nextafter(x, math.inf), math.nextafter(x, -math.inf)]


@given(doubles | singles, st.lists(doubles))
def test_threshold_answers_as_float32_does(threshold, xs):
    cut = float(absorb_rounding(threshold))
    near = float(float32(threshold))
    for x in [*around(cut), *around(near), *around(threshold), *xs]:
        if math.isfinite(x) and abs(x) < FLOAT32_LIMIT:
            assert (float32(x) <= np.float64(threshold)) == (x <= cut)


@pytest.mark.parametrize(
    ("threshold", "cut"),
    [
        (0.0, 2.0**-150),  # a tie that rounds to 0, which is even
        (-(2.0**-149), math.nextafter(-(2.0**-150), -math.inf)),
        (1.0, 1 + 2.0**-24),
        (1 + 2.0**-23, math.nextafter(1 + 2.0**-23 + 2.0**-24, 0)),
        (float(np.finfo(np.float32).max), math.nextafter(FLOAT32_LIMIT, 0)),
        (math.inf, math.inf),  # what a split on missing values asks
    ],
)
def test_threshold_at_edges(threshold, cut):
    assert float(absorb_rounding(threshold)) == cut


def test_limit_is_the_least_double_that_float32_cannot_hold():
    assert np.isinf(float32(FLOAT32_LIMIT))
    assert np.isfinite(float32(math.nextafter(FLOAT32_LIMIT, 0)))


def test_single_leaf(converted):
    records = mixed_records(20)
    assert converted(fit(DecisionTreeRegressor(), records, np.full(20, 4.25))).check(records) == 20


def test_forest_with_single_leaves_among_its_trees(converted):
    records = mixed_records(40)
    y = np.where(np.arange(40) == 0, 100.0, 4.25)  # bootstraps without record 0 have nothing to split
    pipeline = fit(RandomForestRegressor(n_estimators=30, random_state=0), records, y)
    depths = {member.get_depth() for member in pipeline[1].estimators_}
    assert 0 in depths and len(depths) > 1
    assert converted(pipeline).check(records) == 40


NO_WORDS = {
    "a list that counts": ([{"a": ["gold"] * (i % 4), "n": i % 5} for i in range(60)], "'a=gold'"),
    "a number with = in its name": ([{"a": "x", "a=gold": i % 4, "n": i % 5} for i in range(60)], "'a=gold'"),
    "one below zero": ([{"a=gold": -(i % 4), "n": i % 5} for i in range(60)], "'a=gold'"),
}


@pytest.mark.parametrize("case", NO_WORDS)
def test_what_is_no_word_is_refused(converted, case):
    records, column = NO_WORDS[case]
    y = np.array([(i % 4) ** 2 + (i % 5) / 10 for i in range(60)])
    with pytest.raises(ConvertError, match=f"{column} is not the word 'gold' of a") as refused:
        converted(fit(DecisionTreeRegressor(), records, y))
    assert 'needs a spec with "a=gold" = "a=gold"' in refused.value.hint


def test_a_number_with_a_separator_in_its_name(converted, tmp_path):
    records = [{"a=gold": i % 4 + 0.5, "n": i % 5} for i in range(60)]
    y = np.array([r["a=gold"] ** 2 + r["n"] / 10 for r in records])
    spec = tmp_path / "spec.toml"
    spec.write_text('model = "m"\nprediction = "p"\n[features]\n"a=gold" = "a=gold"\nn = "n"\n')
    assert converted(fit(DecisionTreeRegressor(), records, y), str(spec)).check(records) == 60


@pytest.mark.parametrize("name", TREES)
def test_witnesses_come_to_every_leaf(converted, name):
    records = taxi_records(400)
    pipeline = fit(ESTIMATORS[name](), records)
    both = converted(pipeline, "none")
    rows = witnesses(both.learned.estimator, both.columns, 10**9)
    category, _ = both.columns
    asked = [
        {"PU_DO": category.vocabulary[int(code) - 1] if code else "?", "trip_distance": miles}
        for code, miles in rows.tolist()
    ]
    assert both.check(asked) == len(asked)
    leaves = pipeline[1].apply(pipeline[0].transform(asked)).reshape(len(asked), -1)
    for tree, member in enumerate(getattr(pipeline[1], "estimators_", [pipeline[1]])):
        assert set(leaves[:, tree]) == set(np.flatnonzero(member.tree_.children_left < 0))
    assert len(witnesses(both.learned.estimator, both.columns, 50)) <= 50


@pytest.mark.parametrize("name", TREES)
def test_learned_from_missing_values(converted, name):
    """Trees over dense columns learn where NaN goes."""
    records = mixed_records()
    for record in records[::3]:
        record["distance"] = None
    y = target([{**r, "distance": r["distance"] or 40} for r in records])
    pipeline = fit(ESTIMATORS[name](), records, y, sparse=False)
    both = converted(pipeline)
    assert both.learned.accepts_nan
    assert both.columns[1].null == "nan"
    assert both.check(records) == len(records)
    assert both.check([{}, {"distance": None, "zone": None, "code": None}]) == 2
