"""Specs: what they say, and what is said about wrong ones."""

import pytest
from helpers import ESTIMATORS, fit, mixed_records, taxi_records

from skiff_convert import spec
from skiff_convert.errors import ConvertError
from skiff_convert.spec import Template

HEAD = 'model = "m"\nprediction = "p"\n'


def test_taxi():
    taxi = spec.load("taxi")
    assert (taxi.model, taxi.prediction, taxi.unit) == (
        "ride_duration_prediction_model",
        "ride_duration",
        "minutes",
    )
    assert taxi.id == ("ride_id",)
    assert taxi.features == {
        "PU_DO": Template((("ride", "PULocationID"), "_", ("ride", "DOLocationID"))),
        "trip_distance": ("ride", "trip_distance"),
    }


def test_doubled_braces_are_braces():
    parsed = spec.parse(HEAD + "[features]\nf = '{{{a.b}}}-{c}'")
    assert parsed.features == {"f": Template(("{", ("a", "b"), "}-", ("c",)))}
    assert (parsed.id, parsed.unit) == (None, "")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("model = ", "spec s: Invalid value (at end of document)"),
        ('model = "m"', "spec s: prediction is missing"),
        (HEAD, "spec s: features is missing"),
        (HEAD + 'colour = "red"\n[features]\na = "a"', "spec s: unknown key colour"),
        (HEAD + "id = 3\n[features]\na = 'a'", "spec s: id must be a string"),
        (HEAD + "[features]", "spec s: features is empty"),
        (HEAD + "[features]\na = 3", "spec s: features.a must be a string"),
        (
            HEAD + '[features]\na = ""',
            "spec s: features.a: '' is not a path",
        ),
        (
            HEAD + '[features]\na = "b..c"',
            "spec s: features.a: 'b..c' is not a path",
        ),
        (
            HEAD + '[features]\na = "$.b"',
            "spec s: features.a: '$.b' is not a path",
        ),
        (
            HEAD + '[features]\na = "{b }"',
            "spec s: features.a: 'b ' is not a path",
        ),
        (HEAD + '[features]\na = "x{b"', "spec s: features.a: stray brace at character 2"),
        (HEAD + '[features]\na = "{b}}"', "spec s: features.a: stray brace at character 4"),
        (HEAD + '[features]\na = "{}"', "spec s: features.a: stray brace at character 1"),
        (HEAD + 'id = "x.p"\n[features]\na = "a"', "spec s: id and prediction are both called p"),
    ],
)
def test_wrong_specs(text, error):
    with pytest.raises(ConvertError) as raised:
        spec.parse(text, "s")
    assert str(raised.value) == error


def test_default_is_taxi_where_it_fits(converted):
    assert converted(fit(ESTIMATORS["Ridge"](), taxi_records()), None).spec.id == ("ride_id",)
    assert converted(fit(ESTIMATORS["Ridge"]()), None).spec.id is None


def test_features_keep_the_spec_s_order(converted, tmp_path):
    file = tmp_path / "spec.toml"
    file.write_text(HEAD + '[features]\nflag="f"\nzone="z"\nunused="u"\ndistance="d"\ncode="c"')
    columns = converted(fit(ESTIMATORS["Ridge"]()), str(file)).columns
    kinds = [(column.name, column.kind) for column in columns]
    assert kinds == [
        ("flag", "number"),
        ("zone", "category"),
        ("distance", "number"),
        ("code", "category"),
        ("code", "number"),
    ]
    assert {column.missing for column in columns} == {"reject"}


@pytest.mark.parametrize(
    ("features", "records", "error"),
    [
        (
            'a = "a"',
            [{"a": 1, "b": "x"}, {"a": 2}],
            "the pipeline wants feature b, which the spec does not give",
        ),
        (
            'a = "{a}"',
            [{"a": 1}, {"a": 2}],
            "the pipeline learned a as a number, and the spec makes a text of it",
        ),
        (
            '"a" = "a"\n"a=b" = "c"',
            [{"a": "b=c"}, {"a=b": "d"}],
            "the pipeline's column 'a=b=c' may come from feature a or a=b",
        ),
    ],
)
def test_specs_that_do_not_fit(converted, tmp_path, features, records, error):
    file = tmp_path / "spec.toml"
    file.write_text(f"{HEAD}[features]\n{features}")
    with pytest.raises(ConvertError) as raised:
        converted(fit(ESTIMATORS["Ridge"](), records), str(file))
    assert str(raised.value) == error


def test_feature_names_with_the_separator_need_a_spec(converted, tmp_path):
    records = [{"a=b": word} for word in "xyx"]
    file = tmp_path / "spec.toml"
    file.write_text(HEAD + '[features]\n"a=b" = "key"')
    column = converted(fit(ESTIMATORS["Ridge"](), records), str(file)).columns[0]
    assert (column.name, column.source, column.vocabulary) == ("a=b", ("key",), ("x", "y"))
    column = converted(fit(ESTIMATORS["Ridge"](), records)).columns[0]
    assert (column.name, column.vocabulary) == ("a", ("b=x", "b=y"))


def test_template_over_a_feature_learned_both_ways_is_text(converted, tmp_path):
    file = tmp_path / "spec.toml"
    file.write_text(HEAD + '[features]\ncode="{c}"\nzone="z"\ndistance="d"\nflag="f"')
    both = converted(fit(ESTIMATORS["Ridge"]()), str(file))
    assert [c.kind for c in both.columns if c.name == "code"] == ["category"]
    records = [{"c": r["code"], "z": r["zone"], "d": r["distance"], "f": r["flag"]} for r in mixed_records()]
    assert both.check(records) == len(records)
