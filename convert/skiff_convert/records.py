"""Stage 8, the record's side: what the worker does with a record, said again in Python.

inference/bundle/SPEC.md says it in prose, and its vectors are run over this and over the worker.

A record is JSON text. It becomes two things: the features dict that the original pipeline is given, and the
row of X that the graph is given; or it is rejected, with a reason and the dotted path of the field.
"""

import json
import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from .columns import Column
from .spec import Keys, Template

MAX_DEPTH = 1000  # of arrays and objects in a record; the worker's limit
STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}]', re.DOTALL)


class Reject(Exception):
    """A record that can never be scored: reason is the dead letter's, field a dotted path or ""."""

    def __init__(self, reason: str, field: str = ""):
        super().__init__(f"{reason} {field}".strip())
        self.reason = reason
        self.field = field


@dataclass(frozen=True)
class Encoded:
    """A record that can be scored."""

    features: dict  # for the original pipeline
    row: list[float]  # of X
    unknown: int  # categories that training did not have


class Encoder:
    """Turns records into features and rows, by the columns of X and the path of the id, if they have one."""

    def __init__(self, columns: Sequence[Column], id_path: Keys | None, empty: bool = False):
        """empty is whether a record without any column's value is rejected."""
        self._empty = empty
        self._columns = [(column, Codes(column)) for column in columns]
        self._id = id_path

    def encode(self, text: str) -> Encoded:
        """The features and the row of a record. Reject when it has none."""
        record = parse(text)
        if not isinstance(record, dict):
            raise Reject("wrong_type")
        return self.of(record)

    def of(self, record: dict) -> Encoded:
        """The same of a record that is read already."""
        features, row, unknown = {}, [], 0
        for column, codes in self._columns:
            if column.kind == "entry":
                row.append(_entry(record, column))
                keys = (column.source[0], *(path[0] for path, _ in column.words))
                features |= {key: record[key] for key in keys if key in record}
                continue
            try:
                value = _value(record, column.source)
            except Reject as reject:
                if reject.reason != "missing_field" or column.missing == "reject":
                    raise
                if column.missing != "null":
                    row.append(math.nan if column.missing == "nan" else 0.0)
                    continue
                value = None
            features[column.name] = value
            if column.kind == "number":
                row.append(_number(value, column))
                continue
            code, known = codes.of(value)
            row.append(float(code))
            unknown += not known
        if self._empty and not any(_there(record, column) for column, _ in self._columns):
            raise Reject("missing_field")
        if self._id:
            look_up(record, self._id)
        return Encoded(features, row, unknown)


def key(word: object) -> tuple[str, object]:
    """What makes two words one: Python's equality, where true is 1; but text is never a number."""
    if word is None:
        return "null", None
    if isinstance(word, str):
        return "text", word
    return "number", word + 0 if isinstance(
        word, bool
    ) else word  # Python's numbers are equal when they are exactly


class Codes:
    """The codes of a category's words, and what becomes of values that are none."""

    def __init__(self, column: Column):
        self._column = column
        self._codes = {key(word): code for code, word in enumerate(column.vocabulary, 1)}
        self._kinds = {kind for kind, _ in self._codes}

    def of(self, value: object) -> tuple[int, bool]:
        """The code, and whether that is nothing unknown. Reject what the column refuses."""
        kind, _ = word = key(value)
        if word in self._codes:
            return self._codes[word], True
        column = self._column
        if kind == "null":
            rule, reason = column.null, "wrong_type"
        elif kind == "number" and kind in self._kinds and not _finite(word[1]):
            raise Reject("not_finite", dotted(column.source))
        elif kind in self._kinds:
            rule, reason = {"accept": "unknown", "reject": "reject"}[column.unknown], "unknown_category"
        else:
            rule, reason = column.other, "wrong_type"
            if kind == "number" and column.limit is not None and not _below(value, column.limit):
                raise Reject("not_finite", dotted(column.source))
        if rule == "reject":
            raise Reject(reason, dotted(column.source))
        return 0, rule == "none"


def _finite(number: float) -> bool:
    """Whether float64 has a number of that size."""
    try:
        return math.isfinite(float(number))
    except OverflowError:
        return False


def _below(number: float, limit: float) -> bool:
    """Whether the nearest float64 is less than the limit."""
    try:
        return abs(float(number)) < limit
    except OverflowError:
        return False


def parse(text: str) -> object:
    """The JSON value, as Python reads it. Reject not_json, also for NaN, Infinity and too deep a nesting."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    if _depth(text) > MAX_DEPTH:
        raise Reject("not_json")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + MAX_DEPTH)  # how deep the caller is does not count
    try:
        return json.loads(text, parse_constant=refuse)
    except ValueError as err:
        raise Reject("not_json") from err
    finally:
        sys.setrecursionlimit(limit)


def look_up(record: dict, path: Keys) -> object:
    """The value at a path. Reject missing_field or wrong_type at the first key that has none."""
    value: object = record
    for i, key in enumerate(path):
        if not isinstance(value, dict):
            raise Reject("wrong_type", ".".join(path[:i]))
        if key not in value:
            raise Reject("missing_field", ".".join(path[: i + 1]))
        value = value[key]
    return value


def dotted(source: Template | Keys) -> str:
    """The field to name when a whole value is at fault: a path, or a template's first path."""
    if isinstance(source, Template):
        source = next((part for part in source.parts if not isinstance(part, str)), ())
    return ".".join(source)


def _value(record: dict, source: Template | Keys) -> object:
    if isinstance(source, Template):
        return "".join(p if isinstance(p, str) else _text(record, p) for p in source.parts)
    return _scalar(record, source)


def _text(record: dict, path: Keys) -> str:
    return str(_scalar(record, path))


def _scalar(record: dict, path: Keys) -> object:
    value = look_up(record, path)
    if isinstance(value, dict | list):
        raise Reject("wrong_type", ".".join(path))
    return value


def _number(value: object, column: Column) -> float:
    if isinstance(value, str) and column.text == "zero":
        return 0.0
    if value is None and column.null == "nan":
        return math.nan
    if value is None or isinstance(value, str):
        raise Reject("wrong_type", dotted(column.source))
    try:
        number = float(value)  # type: ignore[arg-type]
    except OverflowError:  # an integer beyond float64
        number = math.inf
    limit = math.inf if column.limit is None else column.limit
    if not number < limit or (number <= -limit if column.least is None else not number >= column.least):
        raise Reject("not_finite", dotted(column.source))
    return number


def _entry(record: dict, column: Column) -> float:
    """What a DictVectorizer puts in a column of its own. Reject what it refuses, and what it would add up."""
    own, x, given = column.source[0], math.nan if column.missing == "nan" else 0.0, False
    if own in record and not isinstance(record[own], str) and not _texts(record[own]):
        if isinstance(record[own], dict | list):
            raise Reject("wrong_type", own)
        x, given = _number(record[own], column), True
    for (key,), word in column.words:
        value = record.get(key)
        if isinstance(value, dict) or isinstance(value, list) and not _texts(value):
            raise Reject("wrong_type", key)
        times = (
            value.count(word) if isinstance(value, list) else int(isinstance(value, str) and value == word)
        )
        if times > 1 or times and given:
            raise Reject("wrong_type", key)
        if times:
            x, given = 1.0, True
    return x


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _there(record: dict, column: Column) -> bool:
    """Whether a record has what the column is made of, or a part of it."""
    source = column.source
    parts = source.parts if isinstance(source, Template) else (source,)
    paths = [part for part in parts if not isinstance(part, str)] + [path for path, _ in column.words]
    for path in paths:
        try:
            look_up(record, path)
        except Reject:
            continue
        return True
    return False


def _depth(text: str) -> int:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    depth = deepest = 0
    for token in STRING_OR_BRACKET.findall(text):
        depth += (token in "[{") - (token in "]}")
        deepest = max(deepest, depth)
    return deepest
