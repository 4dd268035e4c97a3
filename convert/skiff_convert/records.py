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

from .column import Column, hashed
from .feature import Keys, Template
from .reading import Unreadable, number_in, part_of

ABSENT = object()  # a feature that the original pipeline is not given
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
            cell = _word(record, column) if column.kind == "word" else _cell(record, column, codes)
            row.append(cell.x)
            unknown += cell.unknown
            if cell.value is ABSENT:
                features.pop(column.feature, None)
            else:
                features[column.feature] = cell.value
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
        self._codes = {self._key(word): code for code, word in enumerate(column.vocabulary, 1)}
        self._kinds = {kind for kind, _ in self._codes}

    def _key(self, value: object) -> tuple[str, object]:
        if self._column.hash and not isinstance(value, float) and value is not None:
            return "text", hashed(value)
        return key(value)

    def find(self, value: object) -> int:
        """The code; 0 where it is no word."""
        return self._codes.get(self._key(value), 0)

    def of(self, value: object) -> tuple[int, bool]:
        """The code, and whether that is nothing unknown. Reject what the column refuses."""
        kind, _ = word = self._key(value)
        column = self._column
        number = isinstance(value, (int, float))
        if column.hash and number and column.limit is not None and not _below(value, column.limit):
            raise Reject("not_finite", dotted(column.source))
        if word in self._codes and not (kind == "null" and column.null):
            return self._codes[word], True
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


@dataclass(frozen=True)
class _Cell:
    """What a column makes of a record."""

    x: float
    value: object  # of the feature, as the original pipeline is given it; ABSENT: it is given none
    unknown: bool = False


def _cell(record: dict, column: Column, codes: Codes) -> _Cell:
    """What a number's or a category's column makes of a record. Reject what it refuses."""
    if column.source is None:
        return _default(column, codes)
    try:
        value = _value(record, column)
    except Reject as reject:
        if reject.reason != "missing_field" or column.missing == "reject":
            raise
        if column.missing == "default":
            return _default(column, codes)
        if column.missing != "null":
            return _Cell(math.nan if column.missing == "nan" else 0.0, ABSENT)
        value = None
    if value is not None:
        value = _read(value, column)
    if value is None:
        return _null(column, codes)
    if column.kind == "number":
        return _number(value, column)
    code, known = codes.of(value)
    return _Cell(float(code), value, not known)


def _default(column: Column, codes: Codes) -> _Cell:
    if column.kind == "number":
        return _Cell(float(column.default), column.default)
    code = codes.find(column.default)
    return _Cell(float(code), column.default, not code)


def _null(column: Column, codes: Codes) -> _Cell:
    """What null is."""
    if column.null == "default":
        return _default(column, codes)
    if column.kind == "number":
        if column.null == "reject":
            raise Reject("wrong_type", dotted(column.source))
        return _Cell(math.nan, None) if column.null == "nan" else _Cell(0.0, ABSENT)
    code, known = codes.of(None)
    return _Cell(float(code), ABSENT if isinstance(column.source, Template) else None, not known)


def _value(record: dict, column: Column) -> object:
    """What is found; None is null."""
    if not isinstance(column.source, Template):
        return _scalar(record, column.source)
    texts = []
    for part in column.source.parts:
        value = part if isinstance(part, str) else _scalar(record, part)
        if value is None and column.null == "reject":
            raise Reject("wrong_type", ".".join(part))
        if value is None and column.null:
            return None
        texts.append(str(value))
    return "".join(texts)


def _scalar(record: dict, path: Keys) -> object:
    value = look_up(record, path)
    if isinstance(value, dict | list):
        raise Reject("wrong_type", ".".join(path))
    return value


def _read(value: object, column: Column) -> object:
    """The value as the column reads it: out of text, or of a time; None for what is as null."""
    time, text = column.time, isinstance(value, str)
    try:
        if text and column.text == "number":
            value = number_in(value)
        if time and value is not None:
            if isinstance(value, bool) or isinstance(value, str) == bool(time.epoch):
                raise Reject("wrong_type", dotted(column.source))
            part = part_of(_double(value) if time.epoch else value, time)
            as_text = any(isinstance(word, str) for word in column.vocabulary)
            return part if part is None or not as_text else str(part)
    except Unreadable as err:
        raise Reject("unreadable", dotted(column.source)) from err
    return value


def _number(value: object, column: Column) -> _Cell:
    if isinstance(value, str):
        if column.text != "zero":
            raise Reject("wrong_type", dotted(column.source))
        return _Cell(0.0, value)
    number = _double(value)
    if column.low is not None and number < column.low:
        number = value = column.low
    elif column.high is not None and number > column.high:
        number = value = column.high
    limit = math.inf if column.limit is None else column.limit
    if not number < limit or (number <= -limit if column.least is None else not number >= column.least):
        raise Reject("not_finite", dotted(column.source))
    return _Cell(float(number), value)


def _double(value: object) -> float:
    """The nearest float64; infinite for an integer beyond."""
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]


def _word(record: dict, column: Column) -> _Cell:
    """What a DictVectorizer puts in the column of a word, in a list of them or alone."""
    ((path, word),) = column.words
    without = math.nan if column.without == "nan" else 0.0
    try:
        value = look_up(record, path)
    except Reject as reject:
        if reject.reason != "missing_field" or column.missing == "reject":
            raise
        return _Cell(without, ABSENT)
    if value is None and column.null == "none":
        return _Cell(without, ABSENT)
    if not isinstance(value, str) and not _texts(value):
        raise Reject("wrong_type", ".".join(path))
    times = [value].count(word) if isinstance(value, str) else value.count(word)
    if times > 1 and column.repeat == "reject":
        raise Reject("wrong_type", ".".join(path))
    return _Cell(float(times) if times else without, value)


def _entry(record: dict, column: Column) -> float:
    """What a DictVectorizer puts in a column of its own. Reject what it refuses, and what it would add up."""
    own, x, given = column.source[0], math.nan if column.missing == "nan" else 0.0, False
    if own in record and not isinstance(record[own], str) and not _texts(record[own]):
        if isinstance(record[own], dict | list):
            raise Reject("wrong_type", own)
        x, given = _entry_number(record[own], column), True
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


def _entry_number(value: object, column: Column) -> float:
    if value is None and column.null == "nan":
        return math.nan
    if value is None:
        raise Reject("wrong_type", dotted(column.source))
    return _number(value, column).x


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _there(record: dict, column: Column) -> bool:
    """Whether a record has what the column is made of, or a part of it."""
    source = column.source
    parts = source.parts if isinstance(source, Template) else (source,) if source else ()
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
