"""What becomes of a record, value by value: the worker has to say the same."""

import json
import math

import pytest
from helpers import ESTIMATORS, Converted, fit, mixed_records, taxi_records
from hypothesis import given
from hypothesis import strategies as st

from skiff_convert.columns import FLOAT32_LIMIT
from skiff_convert.goldens import take_apart
from skiff_convert.records import Encoder, Reject, parse
from skiff_convert.spec import Template

RIDE = {"ride": {"PULocationID": 1, "DOLocationID": 2, "trip_distance": 3.5}, "ride_id": 7}
LEAST = math.nextafter(FLOAT32_LIMIT, 0)


@pytest.fixture(scope="module")
def taxi(tmp_path_factory):
    pipeline = fit(ESTIMATORS["RandomForestRegressor"](), taxi_records())
    return Converted(pipeline, tmp_path_factory.mktemp("taxi"), None)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    return Converted(fit(ESTIMATORS["DecisionTreeRegressor"]()), tmp_path_factory.mktemp("mixed"))


def ride(**changed) -> dict:
    return {**RIDE, "ride": {k: v for k, v in {**RIDE["ride"], **changed}.items() if v != "absent"}}


def outcome(encoder: Encoder, text: str) -> tuple:
    """("row", values…) or (reason, field)."""
    try:
        return ("row", *encoder.encode(text).row)
    except Reject as reject:
        return (reject.reason, reject.field)


def code(taxi, word: str) -> float:
    vocabulary = taxi.columns[0].vocabulary
    return float(vocabulary.index(word) + 1) if word in vocabulary else 0.0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"), ("1", "1"), (1.0, "1.0"), (None, "None"), (True, "True"), (False, "False"), (1e22, "1e+22"),
        (10**30, "1" + "0" * 30), (0.1, "0.1"), (1e16, "1e+16"), (123456789012345.0, "123456789012345.0"),
        (-0.0, "-0.0"), (5e-324, "5e-324"), ("naïve", "naïve"), ("", ""),
    ],
)  # fmt: skip
def test_template_formats_as_python_does(taxi, value, text):
    encoded = taxi.encode(ride(PULocationID=value))
    assert encoded.features["PU_DO"] == f"{text}_2"
    assert encoded.row == [code(taxi, f"{text}_2"), 3.5]


@given(st.tuples(*[st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()] * 2))
def test_template_is_an_f_string(taxi, pair):
    pu, do = json.loads(json.dumps(pair, default=str).replace("Infinity", "1e999"))
    text = json.dumps(ride(PULocationID=pu, DOLocationID=do)).replace("Infinity", "1e999")
    assert taxi.encoder.encode(text).features["PU_DO"] == f"{pu}_{do}"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3", 3.0), ("-0", 0.0), ("-0.0", -0.0), ("true", 1.0), ("false", 0.0), ("1E2", 100.0),
        (str(2**53 + 1), float(2**53)), (str(2**53 + 3), float(2**53 + 4)), ("5e-324", 5e-324),
        ("1e-400", 0.0), (repr(LEAST), LEAST), (repr(-LEAST), -LEAST),
    ],
)  # fmt: skip
def test_numbers(taxi, text, number):
    record = json.dumps(ride(trip_distance=0)).replace('"trip_distance": 0', f'"trip_distance": {text}')
    row = taxi.encoder.encode(record).row
    assert row == [code(taxi, "1_2"), number]
    assert math.copysign(1, row[1]) == math.copysign(1, number)


@pytest.mark.parametrize(
    ("text", "reason", "field"),
    [
        (json.dumps(ride(trip_distance="absent")), "missing_field", "ride.trip_distance"),
        (json.dumps(ride(DOLocationID="absent")), "missing_field", "ride.DOLocationID"),
        (json.dumps(ride(PULocationID="absent", trip_distance="x")), "missing_field", "ride.PULocationID"),
        (json.dumps(ride(trip_distance="3.66")), "wrong_type", "ride.trip_distance"),
        (json.dumps(ride(trip_distance=None)), "wrong_type", "ride.trip_distance"),
        (json.dumps(ride(trip_distance=["a"])), "wrong_type", "ride.trip_distance"),
        (json.dumps(ride(DOLocationID={"a": 1})), "wrong_type", "ride.DOLocationID"),
        (json.dumps(ride(DOLocationID=[1])), "wrong_type", "ride.DOLocationID"),
        (json.dumps(ride(trip_distance=FLOAT32_LIMIT)), "not_finite", "ride.trip_distance"),
        (json.dumps(ride(trip_distance=-1e39)), "not_finite", "ride.trip_distance"),
        (json.dumps(ride(trip_distance=10**400)), "not_finite", "ride.trip_distance"),
        (json.dumps(ride()).replace("3.5", "1e400"), "not_finite", "ride.trip_distance"),
        (json.dumps(ride()).replace("3.5", "NaN"), "not_json", ""),
        (json.dumps(ride()).replace("3.5", "-Infinity"), "not_json", ""),
        (json.dumps(ride()).replace("3.5", "9" * 4301), "not_json", ""),
        (json.dumps({**RIDE, "x": 0}).replace("0", "[" * 1000 + "]" * 1000), "not_json", ""),
        (json.dumps(ride())[:-1], "not_json", ""),
        ('{"ride_id": 1}', "missing_field", "ride"),
        ('{"ride": null, "ride_id": 1}', "wrong_type", "ride"),
        ('{"Ride": {}, "ride_id": 1}', "missing_field", "ride"),
        (json.dumps({"ride": RIDE["ride"]}), "missing_field", "ride_id"),
        ("[]", "wrong_type", ""),
        ("null", "wrong_type", ""),
    ],
)
def test_rejects(taxi, text, reason, field):
    assert outcome(taxi.encoder, text) == (reason, field)


def test_of_two_keys_the_last_wins_wholly(taxi):
    good, bad = json.dumps(RIDE["ride"]), '{"trip_distance": 1}'
    assert outcome(taxi.encoder, f'{{"ride": {bad}, "ride": {good}, "ride_id": 1}}')[0] == "row"
    assert outcome(taxi.encoder, f'{{"ride": {good}, "ride": {bad}, "ride_id": 1}}') == (
        "missing_field",
        "ride.PULocationID",
    )


def test_brackets_in_texts_are_not_depth():
    assert parse(json.dumps(["[{" * 2000])) == ["[{" * 2000]


def test_without_a_spec_an_absent_feature_is_zero(mixed):
    assert (mixed.encode({}).row, mixed.encode({}).unknown) == ([0.0] * 5, 0)
    assert mixed.encode({}).features == {}


def test_feature_learned_as_text_and_as_number(mixed):
    category, number = (i for i, column in enumerate(mixed.columns) if column.name == "code")
    assert (mixed.columns[category].kind, mixed.columns[number].kind) == ("category", "number")
    for value, row in {"x": (1, 0), "unknown": (0, 0), 2.5: (0, 2.5), True: (0, 1)}.items():
        encoded = mixed.encode({"code": value})
        assert (encoded.row[category], encoded.row[number]) == row
    assert mixed.encode({"code": None}).reason == "wrong_type"  # sparse columns take no NaN
    assert mixed.check([{**r, "code": v} for r in mixed_records(9) for v in ("x", "?", 2.5, True)]) == 36


def test_category_by_path_takes_any_scalar(mixed):
    zone = next(i for i, column in enumerate(mixed.columns) if column.name == "zone")
    for value in (1, 2.5, True, None, "unknown"):
        assert mixed.encode({"zone": value}).row[zone] == 0.0
    assert mixed.encode({"zone": "b=c"}).row[zone] == 1.0 + mixed.columns[zone].vocabulary.index("b=c")
    assert mixed.encode({"zone": ["a"]}).reason == "wrong_type"


@given(st.text(alphabet="ab_-0", max_size=8), st.text(alphabet="ab_-0", max_size=8))
def test_words_are_taken_apart_and_put_together_again(first, second):
    template = Template((("a",), "_", ("b", "c"), "_", ("a",)))
    word = f"{first}_{second}_{first}"
    parts = take_apart(template, word)
    assert f"{parts[('a',)]}_{parts[('b', 'c')]}_{parts[('a',)]}" == word
