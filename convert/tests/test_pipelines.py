"""Every supported pipeline against its original, on records of any values."""

import math
import random

import numpy as np
import pytest
from helpers import ESTIMATORS, LINEAR, TREES, Converted, fit, mixed_records
from hypothesis import given, settings
from hypothesis import strategies as st

from skiff_convert import lower
from skiff_convert.columns import FLOAT32_LIMIT
from skiff_convert.records import Reject

VECTORIZERS = {
    "sparse": {},
    "dense": {"sparse": False},
    "unsorted": {"sort": False},
    "colon": {"separator": ": "},
}

words = st.sampled_from(["a", "b=c", "naïve ☃", "", "10_20", "x", "y", "A", "b", "zone=a"]) | st.text(
    max_size=3
)
numbers = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(0, 30)
    | st.integers()
    | st.integers(-(10**400), 10**400)
    | st.booleans()
    | st.sampled_from([1e39, -1e39, FLOAT32_LIMIT, math.nextafter(FLOAT32_LIMIT, 0), 2**53 + 1, -0.0, 5e-324])
)
values = words | numbers | st.none()
records = st.fixed_dictionaries(
    {}, optional={"zone": values, "distance": values, "code": values, "flag": values, "other": values}
)


@pytest.fixture(
    scope="module",
    params=[(name, how) for name in ESTIMATORS for how in VECTORIZERS],
    ids=lambda param: "-".join(param),
)
def both(request, tmp_path_factory):
    name, how = request.param
    return Converted(fit(ESTIMATORS[name](), **VECTORIZERS[how]), tmp_path_factory.mktemp("neutral"))


def test_promises_bits_where_they_can_be_had(both, request):
    name, how = request.node.callspec.params["both"]
    exact = name in TREES or how in ("sparse", "colon")
    assert both.lowering.bound == ("bits" if exact else "4 ulp")


def test_training_records(both):
    assert both.check(mixed_records()) == 300


@settings(max_examples=40)
@given(st.lists(records, min_size=1, max_size=60))
def test_any_records(both, some):
    finite = both.learned.estimator_class not in LINEAR
    if not finite:  # a linear sum may overflow, which is for the worker to reject
        some = [r for r in some if all(abs(v) < 1e100 for v in r.values() if isinstance(v, int | float))]
    both.check(some)


@settings(max_examples=40)
@given(record=records)
def test_rejects_no_less_than_the_original(both, record):
    """What the original refuses is rejected: a prediction is never made up."""
    try:
        both.original.predict([record])
    except (ValueError, OverflowError):
        assert isinstance(both.encode(record), Reject)


def test_many_sparse_terms(converted):
    rng = random.Random(5)
    some = [{f"n{i}": rng.lognormvariate(0, 2) * rng.choice((1, -1)) for i in range(60)} for _ in range(400)]
    assert converted(fit(ESTIMATORS["Ridge"](), some)).check(some) == 400


def test_bound_is_4_ulp_of_the_largest_term(converted):
    both = converted(fit(ESTIMATORS["Ridge"](), [{"a": 1.0, "b": 5.0}, {"a": 3.0, "b": 2.0}], sparse=False))
    weights, intercept = both.learned.estimator.coef, both.learned.estimator.intercept
    X = np.array([[1.0, 0.0], [-8.0, 1e6]])
    largest = np.abs(np.column_stack([X * weights, np.full(2, intercept)])).max(axis=1)
    assert (lower.allowance(both.learned, both.columns, X) == 4 * np.spacing(largest)).all()


@pytest.mark.parametrize("name", ESTIMATORS)
def test_what_the_pipeline_accepts_is_found_by_asking(converted, name):
    dense, sparse = (converted(fit(ESTIMATORS[name](), sparse=sparse)) for sparse in (False, True))
    assert not sparse.learned.accepts_nan
    assert dense.learned.accepts_nan == (name in TREES)
    assert sparse.learned.accepts_beyond_float32 == dense.learned.accepts_beyond_float32 == (name in LINEAR)
