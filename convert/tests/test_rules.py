"""What a spec says of a feature, as rules of its column, or refused with what to say instead."""

from dataclasses import replace

import pytest

from skiff_convert.column import Column
from skiff_convert.errors import ConvertError
from skiff_convert.feature import Template, feature
from skiff_convert.rules import ruled, warnings

NUMBER = Column("n", ("n",), "number", "reject", null="nan", text="reject", limit=100.0)
WORDS = Column(
    "c",
    ("c",),
    "category",
    "reject",
    vocabulary=("a", "b"),
    unknown="accept",
    other="unknown",
    null="unknown",
)
STRICT = Column(
    "c", ("c",), "category", "reject", vocabulary=("a", "b"), unknown="reject", other="reject", null="reject"
)
HOURS = Column("h", ("t",), "category", "reject", vocabulary=(7, 9, None), unknown="accept", other="reject")
TEXTS = Column(
    "t", Template((("a",), "_", ("b",))), "category", "reject", vocabulary=("1_2",), unknown="accept"
)


def rules(column: Column, table: bool = True, takes_nan: bool | None = True, **options) -> Column:
    source = "{a}_{b}" if isinstance(column.source, Template) else ".".join(column.source)
    return ruled(column, feature(column.name, {"from": source, **options}), takes_nan, table)


@pytest.mark.parametrize(
    ("column", "options", "wanted"),
    [
        (NUMBER, {}, ("reject", "nan", None)),
        (NUMBER, {"default": 3}, ("default", "default", 3.0)),
        (NUMBER, {"default": True, "null": "reject"}, ("default", "reject", 1.0)),
        (NUMBER, {"default": 3, "missing": "null"}, ("default", "default", 3.0)),
        (NUMBER, {"missing": "null"}, ("nan", "nan", None)),
        (NUMBER, {"missing": "null", "null": "reject"}, ("reject", "reject", None)),
        (WORDS, {"default": "b"}, ("default", "default", 2.0)),
        (WORDS, {"default": "unknown"}, ("default", "default", 0.0)),
        (WORDS, {"missing": "null", "null": "null"}, ("null", "unknown", None)),
        (STRICT, {"default": "a"}, ("default", "default", 1.0)),
        (HOURS, {"default": 9, "missing": "null", "time": "hour"}, ("null", "default", 2.0)),
        (HOURS, {"missing": "null", "null": "null"}, ("null", "", None)),
        (TEXTS, {"default": "1_2"}, ("default", "default", 1.0)),
        (TEXTS, {"default": "1_2", "null": "null"}, ("default", "", 1.0)),
        (TEXTS, {"null": "reject"}, ("reject", "reject", None)),
    ],
)
def test_rules_of_a_table(column, options, wanted):
    made = rules(column, **options)
    assert (made.missing, made.null, None if made.default is None else made.code) == wanted


def test_rules_of_records():
    made = rules(NUMBER, table=False, missing="absent", null="absent")
    assert (made.missing, made.null) == ("zero", "zero")
    made = rules(WORDS, table=False, missing="absent", null="absent")
    assert (made.missing, made.null) == ("none", "none")


def test_a_default_that_training_never_had_is_a_warning():
    assert warnings([rules(WORDS, default="unknown"), rules(WORDS, default="a")]) == [
        'WARNING: the default of c, "unknown", is nothing that training had: it counts as unknown'
    ]


@pytest.mark.parametrize(
    ("column", "options", "error", "hint"),
    [
        (
            NUMBER,
            {"missing": "absent"},
            "the pipeline takes a table, in which n cannot be absent",
            'say "null" or',
        ),
        (
            NUMBER,
            {"default": "3"},
            'the default of n is the text "3", and the pipeline learned a number',
            "without",
        ),
        (NUMBER, {"default": -100}, "the default of n, -100, is beyond what the pipeline takes", ""),
        (
            replace(NUMBER, least=-0.5),
            {"default": -1},
            "the default of n, -1, is below what the",
            "it predicts from -0.5",
        ),
        (NUMBER, {"list": True}, "n is no list of words to the pipeline", "lists are a DictVectorizer's"),
        (WORDS, {"min": 1}, "the pipeline learned c as words: they have no min and max", "leave them out"),
        (WORDS, {"text": "number"}, 'the pipeline learned c as text, such as "a", "b"', "leave text out"),
        (
            WORDS,
            {"time": "hour"},
            'the pipeline learned c as text, "a", "b", not as a part of a time',
            "parts of",
        ),
        (
            WORDS,
            {"default": 1},
            "the default of c, 1, is nothing that the pipeline learned of it",
            "it learned such",
        ),
        (STRICT, {"default": "A"}, 'the default of c, "A", is nothing that the pipeline learned of it', ""),
        (STRICT, {"default": "ab"}, 'the default of c, "ab", is nothing', "did you mean b?"),
        (
            STRICT,
            {"missing": "null"},
            "the pipeline does not know a c that is missing, and refuses what",
            "give a d",
        ),
    ],
)
def test_what_makes_no_sense(column, options, error, hint):
    with pytest.raises(ConvertError) as raised:
        rules(column, **options)
    assert str(raised.value).startswith(error)
    assert raised.value.hint.startswith(hint)


def test_a_missing_number_that_the_pipeline_does_not_take():
    assert rules(NUMBER, takes_nan=None, null="null").null == "nan"  # it was not asked yet
    with pytest.raises(ConvertError, match="the pipeline does not take a missing n"):
        rules(NUMBER, takes_nan=False, null="null")
