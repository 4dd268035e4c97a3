"""Specs: what they say, and what is said about wrong ones."""

import pytest
from helpers import ESTIMATORS, fit, mixed_records, taxi_records

from skiff_convert import spec
from skiff_convert.errors import ConvertError
from skiff_convert.feature import PARTS, Feature, Template, Time

HEAD = 'model = "m"\nprediction = "p"\n'
TABLES = [
    ("", " needs from, where it is found, or value, which is the same in every record"),
    ('from = "a", deflaut = 1', " has no option deflaut: did you mean default?"),
    ('from = "a..b"', ": 'a..b' is not a path"),
    ("from = 3", " must be a string"),
    ('value = "x", default = 1', ": a value is the same in every record, and has no other option"),
    ("value = [1]", ": value must be text, a finite number, true or false"),
    ('from = "a", default = inf', ": default must be text, a finite number, true or false"),
    ('from = "a", missing = "zero"', ": missing is 'zero', not one of reject, null, absent, default"),
    ('from = "a", null = true', ": null is True, not one of reject, null, absent, default"),
    ('from = "a", missing = "default"', " needs a default, which missing or null asks for"),
    (
        'from = "a", default = 1, missing = "null", null = "null"',
        ": neither missing nor null asks for its default",
    ),
    ('from = "a", min = "1"', ": min must be a finite number"),
    ('from = "a", max = true', ": max must be a finite number"),
    ('from = "a", min = 2, max = 1', ": min 2.0 is above max 1.0"),
    ('from = "a", text = "float"', ": text is 'float', not one of number"),
    ('from = "a", time = "hours"', f": time is 'hours', not one of {', '.join(PARTS)}"),
    ('from = "a", epoch = "s"', ': epoch is of a time: which part? such as time = "hour"'),
    ('from = "a", zone = "utc"', ': zone is of a time: which part? such as time = "hour"'),
    ('from = "a", time = "hour", zone = "Europe/Paris"', ": zone is 'Europe/Paris', not one of written, utc"),
    (
        'from = "a", time = "hour", epoch = "s", zone = "utc"',
        ": seconds since 1970 have no zone: they are UTC",
    ),
    (
        'from = "a", time = "hour", text = "number"',
        ": a time in text is ISO 8601; of a number in text say epoch as well",
    ),
    ('from = "a", time = "hour", min = 1', ": a part of a time has no min and max"),
    ('from = "{a}", time = "hour"', ": a template makes text, which is not read again: give its path"),
    ('from = "{a}", missing = "null"', ": a template of a part that is missing is not null: give a default"),
    ('from = "a", list = 1', ": list is true or false"),
    (
        'from = "a", list = true, default = "x"',
        ": a list of words has no other options than missing and null",
    ),
    (
        'from = "a", list = true, null = "null"',
        ": a list of words has a path, and is there, absent or rejected",
    ),
    ('from = "{a}", list = true', ": a list of words has a path, and is there, absent or rejected"),
]


def test_taxi():
    taxi = spec.load("taxi")
    assert (taxi.model, taxi.prediction, taxi.unit) == (
        "ride_duration_prediction_model",
        "ride_duration",
        "minutes",
    )
    assert taxi.id == ("ride_id",)
    assert taxi.features == {
        "PU_DO": Feature(Template((("ride", "PULocationID"), "_", ("ride", "DOLocationID")))),
        "trip_distance": Feature(("ride", "trip_distance")),
    }


def test_doubled_braces_are_braces():
    parsed = spec.parse(HEAD + "[features]\nf = '{{{a.b}}}-{c}'")
    assert parsed.features == {"f": Feature(Template(("{", ("a", "b"), "}-", ("c",))))}
    assert (parsed.id, parsed.unit) == (None, "")


def test_a_table_says_more_of_a_feature():
    parsed = spec.parse(
        HEAD
        + """[features]
        a = { from = ["x", "y.z"], default = 1.5, text = "number", min = 0 }
        b = { from = "{x}_{y}", default = "none", null = "null" }
        c = { from = "t", time = "weekday", epoch = "ms", missing = "null" }
        d = { from = "t", time = "hour", zone = "utc" }
        e = { value = true }
        [features.f]
        from = "tags"
        list = true
        missing = "absent"
        """
    ).features
    assert parsed == {
        "a": Feature(("x", "y.z"), "default", "default", 1.5, "number", 0.0),
        "b": Feature(Template((("x",), "_", ("y",))), "default", "null", "none"),
        "c": Feature(("t",), "null", time=Time("weekday", "ms", "")),
        "d": Feature(("t",), time=Time("hour", "", "utc")),
        "e": Feature(None, "default", default=True),
        "f": Feature(("tags",), "absent", list=True),
    }


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
        *((f"{HEAD}[features]\na = {{ {table} }}", f"spec s: features.a{error}") for table, error in TABLES),
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
