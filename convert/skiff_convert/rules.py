"""Stage 6, what a spec says of a feature beside its place, as rules of its column.

What the pipeline cannot have is refused here, with what to say instead.
"""

import difflib
import json
import math
from collections.abc import Sequence
from dataclasses import replace

from .column import Column
from .errors import ConvertError
from .feature import PARTS, Feature, Template


def ruled(column: Column, feature: Feature, takes_nan: bool | None, table: bool) -> Column:
    """A column with the rules of its feature. ConvertError where they make no sense for the pipeline.

    takes_nan: whether it takes a missing number there; None: it was not asked yet. table: whether it is given
    a table, and not records, which may do without a feature.
    """
    if not feature.options and feature.source is not None:
        return column
    _check(column, feature, takes_nan, table)
    ruled = replace(
        column, default=feature.default, low=feature.low, high=feature.high, time=feature.time,
        text=feature.text or column.text,
    )  # fmt: skip
    if feature.default is not None:
        _check_default(ruled, feature)
    null = _null(column, feature)
    return replace(ruled, null=null, missing=_missing(column, feature, null))


def _missing(column: Column, feature: Feature, null: str) -> str:
    rule = feature.missing
    if rule == "absent":
        return "none" if column.kind == "category" else "zero"
    if rule == "null" and column.kind == "number":
        return null
    return rule or column.missing


def _null(column: Column, feature: Feature) -> str:
    rule = feature.null
    if rule == "absent":
        return "none" if column.kind == "category" else "zero"
    if rule == "null" and isinstance(feature.source, Template):
        return ""  # the text None
    if rule == "null" and column.kind == "number":
        return "nan"
    return column.null if rule in ("", "null") else rule


def _check(column: Column, feature: Feature, takes_nan: bool | None, table: bool) -> None:
    name, category = column.name, column.kind == "category"
    if feature.list:
        raise ConvertError(
            f"{name} is no list of words to the pipeline", "lists are a DictVectorizer's: leave it out"
        )
    if table and "absent" in (feature.missing, feature.null):
        raise ConvertError(
            f"the pipeline takes a table, in which {name} cannot be absent",
            f'say "null" or give a default: {name} = {{ from = …, default = … }}',
        )
    if takes_nan is False and "null" in (feature.missing, feature.null) and column.kind == "number":
        raise ConvertError(
            f"the pipeline does not take a missing {name}",
            f"give a default, {name} = {{ from = …, default = 0 }}, or leave missing and null out",
        )
    if category and "null" in (feature.missing, feature.null) and _refuses_null(column):
        raise ConvertError(
            f"the pipeline does not know a {name} that is missing, and refuses what it does not know",
            f"give a default: {name} = {{ from = …, default = … }}",
        )
    if category and (feature.low, feature.high) != (None, None):
        raise ConvertError(
            f"the pipeline learned {name} as words: they have no min and max", "leave them out"
        )
    texts = any(isinstance(word, str) for word in column.vocabulary)
    others = any(word is not None and not isinstance(word, str) for word in column.vocabulary)
    if category and feature.text and not feature.time and texts:
        raise ConvertError(f"the pipeline learned {name} as text, such as {_shown(column)}", "leave text out")
    if category and feature.time and texts:
        _check_part(column, feature, others)


def _refuses_null(column: Column) -> bool:
    return (
        not isinstance(column.source, Template) and None not in column.vocabulary and column.null == "reject"
    )


def _check_part(column: Column, feature: Feature, others: bool) -> None:
    """ConvertError where the words are not those of a part of a time."""
    words = [word for word in column.vocabulary if isinstance(word, str)]
    if others or not any(word.isdecimal() and word == str(int(word)) for word in words):
        raise ConvertError(
            f"the pipeline learned {column.name} as text, {_shown(column)}, not as a part of a time",
            f"parts of a time are {', '.join(PARTS)}, each a number: say where the record has the text",
        )


def _check_default(column: Column, feature: Feature) -> None:
    default, name = feature.default, column.name
    if column.kind == "number":
        if isinstance(default, str):
            raise ConvertError(
                f"the default of {name} is the text {_json(default)}, and the pipeline learned a number",
                f"without quotes: {name} = {{ …, default = 0 }}",
            )
        if column.limit is not None and not abs(default) < column.limit:
            raise ConvertError(
                f"the default of {name}, {default}, is beyond what the pipeline takes", "a smaller one"
            )
        if column.least is not None and default < column.least:
            raise ConvertError(
                f"the default of {name}, {default}, is below what the pipeline takes",
                f"it predicts from {column.least:.3g} on: "
                f"{name} = {{ …, default = {math.ceil(column.least)} }}",
            )
    elif not column.code and (column.unknown == "reject" or isinstance(default, str) not in _kinds(column)):
        near = difflib.get_close_matches(str(default), [str(word) for word in column.vocabulary], 1)
        raise ConvertError(
            f"the default of {name}, {_json(default)}, is nothing that the pipeline learned of it",
            f"did you mean {near[0]}?" if near else f"it learned such as {_shown(column)}",
        )


def _kinds(column: Column) -> set[bool]:
    """Whether words are text; of those there are."""
    return {isinstance(word, str) for word in column.vocabulary if word is not None}


def _shown(column: Column) -> str:
    return ", ".join(_json(word) for word in column.vocabulary[:3] if word is not None)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def warnings(columns: Sequence[Column]) -> list[str]:
    """What may be meant otherwise: defaults that training never had."""
    return [
        f"WARNING: the default of {column.name}, {_json(column.default)}, is nothing that training had: "
        "it counts as unknown"
        for column in columns
        if column.kind == "category" and column.default is not None and not column.code
    ]
