"""Stage 8: records to prove a bundle with.

Goldens are about 200 records that stay in the bundle: edge cases, then records as they come. The sweep is
many more, used once: both sides of every split of the trees, every category, and records at random. Same
pipeline, same records.
"""

import json
import math
import random
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np

from .columns import FLOAT32_LIMIT, Column
from .errors import ConvertError
from .feature import Keys, Template
from .lower_trees import absorb_rounding
from .neutral import Pipeline, Trees
from .reading import a_time, written
from .records import MAX_DEPTH, Encoded, Encoder, Reject
from .witnesses import witnesses

EDGES = 180  # goldens that are edge cases, at most
GOLDENS = 240  # in all, about
SWEPT = 40_000  # splits and categories visited, at most
RANDOM = 5_000  # records at random in the sweep
NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Raw:
    """JSON text that no Python value is written as."""

    text: str


# What may stand where a value is expected.
VALUES: tuple[Any, ...] = (
    None, True, False, "", "x", "3.66", "naïve=☃ \n", [], {}, ["a", "b"], {"a": 1},
    0, Raw("-0"), -0.0, 7, 7.0, 0.1, Raw("1E2"), Raw("1e-7"), 2**53 + 1, 10**22, 1e22, 1e16,
    12345678901234567.0, 5e-324, 1e-45, 16777217, 3.4028234663852886e38, FLOAT32_LIMIT, -FLOAT32_LIMIT,
    math.nextafter(FLOAT32_LIMIT, 0.0), 1e300, Raw("1e400"), 10**400,
)  # fmt: skip
NUMBERS: tuple[Any, ...] = (
    " 3.66\n", "+1_0.5e-1_0", "nan", "-inf", "1e400", "0x10", "1__0", "_1", ".5", "5.", ".", "", "3,66", "３",
)  # fmt: skip
TIMES: tuple[Any, ...] = (
    "2021-03-04T05:06:07", "2021-03-04 23:59:59.999999999+05:30", "2020-12-31T23:30-0800", "2024-02-29", "",
    "2023-02-29", "2021-03-04T24:00", "2021-3-4", "2021-03-04t05:06:07z", "1677-12-31", "1678-01-01T00:30+14",
    "2261-12-31T23:59:59Z", "2262-01-01", "now", "1614834367", 1614834367, 1614834367.25, 1614834367999, -1,
    0.9999999999, 4294967295, 4294967296,
)  # fmt: skip
IDS = (None, True, 1.5, 0, Raw("-0"), 2**63 + 1, Raw("1e2"), "a\u2028b", "", [1, {"a": None}], {})
NOT_OBJECTS = ("[]", '"x"', "1", "null", "true")
NOT_JSON = ("", " ", "{", "nul", "{'a': 1}", '{"a": 1,}', '{"a": NaN}', '{"a": -Infinity}', "{} {}", "[01]")
TOO_DEEP = '{"a": ' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}"
TOO_LONG = '{"a": ' + "9" * 4301 + "}"  # digits of an integer: CPython's limit


@dataclass(frozen=True)
class Scored:
    """A record that is scored."""

    text: str
    encoded: Encoded


@dataclass(frozen=True)
class Rejected:
    """A record that is rejected."""

    text: str
    reject: Reject


def judge(encoder: Encoder, text: str) -> Scored | Rejected:
    """What becomes of a record."""
    try:
        return Scored(text, encoder.encode(text))
    except Reject as reject:
        return Rejected(text, reject)


def unknown(words: Collection, word: Any) -> Any:
    """None of the words: the given one and a bit more, so that a template can still make it."""
    if not isinstance(word, str):
        numbers = [w for w in words if not isinstance(w, str) and w is not None]
        return 7 + math.ceil(max((abs(w) for w in numbers), default=0))
    while word in words:
        word += "7"
    return word


class Records:
    """Makes records for the columns of X; the same ones every time."""

    def __init__(
        self,
        columns: Sequence[Column],
        id_path: Keys | None,
        cuts: Mapping[Column, list[float]],
        rows: Sequence[Sequence[float]],
    ):
        """cuts are the numbers that matter of a number's column, in order; rows of X are to be swept."""
        self._random = random.Random(0)
        self._id = id_path
        self._rows = rows
        self._columns = columns
        self._features: dict[str, list[Column]] = {}
        for column in columns:
            self._features.setdefault(column.feature, []).append(column)
        self._cuts = cuts
        self._times: dict[Keys, tuple[datetime, int]] = {}  # of a record: features that are parts of one time
        self._words = {c: _possible(c) for c in columns if c.kind == "category"}
        firsts = {c: next((w for w in words if w is not None), "") for c, words in self._words.items()}
        self._unknown = {c: unknown(c.vocabulary, word) for c, word in firsts.items()}

    def plain(self) -> dict:
        """A record with nothing odd about it: numbers are 1, categories known."""
        record: dict = {}
        self._times = {}
        for columns in self._features.values():
            column = columns[-1]
            words = [w for w in self._words.get(column, []) if w is not None]
            word = column.words[0][1] if column.kind == "word" else 1.0
            self._put(record, column, words[0] if words else word)
        if self._id:
            put(record, self._id, 1, over=False)
        return record

    def goldens(self) -> list[str]:
        """Edge cases, then records at random."""
        edges = list(dict.fromkeys(self._edges()))
        if len(edges) > EDGES:
            edges = [edges[i] for i in sorted(self._random.sample(range(len(edges)), EDGES))]
        return edges + [self._any() for _ in range(GOLDENS - len(edges))]

    def sweep(self) -> list[str]:
        """Both sides of every split, every category, then records at random."""
        ones = [{c.name: 1} for c in self._columns if c.kind == "entry" and c.words]
        ones += [{c.feature: [word]} for c in self._columns if c.kind == "word" for _, word in c.words]
        visits = [{c.name: word} for c in self._columns for word in self._words.get(c, ())]
        visits = [self._of_row(row) for row in self._rows] + visits + ones
        if len(visits) > SWEPT:
            visits = self._random.sample(visits, SWEPT)
        return [self._any(visit) for visit in visits] + [self._any() for _ in range(RANDOM)]

    def _of_row(self, row: Sequence[float]) -> dict[str, Any]:
        """Values of the features that make a row of X."""
        values: dict[str, Any] = {}
        worded = set()  # of a feature that is both, the row asks for a word or for a number
        for column, x in zip(self._columns, row, strict=True):
            if column.source is None:
                continue
            if column.kind == "word":
                times = 0 if math.isnan(x) else max(0, math.floor(x))
                words = values.setdefault(column.feature, [])
                words += [column.words[0][1]] * min(times, 3 if column.repeat == "count" else 1)
            elif column.kind == "category":
                values[column.name] = column.vocabulary[int(x) - 1] if x else self._unknown[column]
                worded |= {column.name} if x else set()
            elif column.name not in worded:
                values[column.name] = None if math.isnan(x) else x
        return values

    def _any(self, fixed: Mapping[str, Any] = NOTHING) -> str:
        return to_json(self._object(fixed))

    def _object(self, fixed: Mapping[str, Any] = NOTHING) -> dict:
        """A record with the fixed values of features, and the others as they come."""
        record: dict = self._of_words(fixed)
        self._times = {}
        for name, columns in self._features.items():
            column = self._random.choice(columns)
            if column.source is None:
                continue
            if column.kind == "entry" and name not in fixed:
                self._entry(record, column)
                continue
            chance = self._random.random()
            if name in fixed:
                self._put(record, column, fixed[name])
            elif chance < 0.02 and column.missing != "reject":
                continue
            elif chance < 0.04 and column.null in ("nan", "zero", "none", "default"):
                self._put(record, column, None)
            else:
                self._put(record, column, self._value(column, chance))
        if self._id:
            put(record, self._id, self._random.randrange(10**9), over=False)
        return record

    def _put(self, record: dict, column: Column, value: Any) -> None:
        """Puts a value into a record that the column reads as the given one, where there is one."""
        rng = self._random
        if column.source is None:
            return
        if value is None:
            pass
        elif column.time:
            at = datetime(1980, 1, 1) + timedelta(seconds=rng.randrange(40 * 366 * 86_400))
            at, ahead = self._times.get(column.source, (at, rng.choice((0, 0, 0, 60, -330))))
            at = a_time(column.time, float(value) + (rng.random() < 0.5), at)
            self._times[column.source] = at, ahead
            value = written(at, column.time, ahead)
        if column.text == "number" and not isinstance(value, str | None) and rng.random() < 0.7:
            value = repr(value)
        put(record, column.source, value)

    def _of_words(self, fixed: Mapping[str, Any]) -> dict:
        """A record with the words of entries, as text and as lists; nothing where values are fixed."""
        words: dict[str, list[str]] = {}
        for column in self._columns:
            for path, word in column.words if column.kind == "entry" else ():
                words.setdefault(path[0], []).append(word)
        record: dict = {}
        for key, known in {} if fixed else words.items():
            chance = self._random.random()
            if chance < 0.6:
                record[key] = self._random.choice(known)
            elif chance < 0.8:
                record[key] = self._random.sample(known, self._random.randint(0, min(3, len(known))))
            elif chance < 0.84:
                record[key] = unknown(known, known[0])
        return record

    def _entry(self, record: dict, column: Column) -> None:
        """The number of an entry, where it is one, or is no word of the record and may be a number."""
        key, chance = column.source[0], self._random.random()
        if key in record or chance < 0.02:
            return
        if column.words and (chance < 0.7 or any(path[0] in record for path, _ in column.words)):
            return
        number = None if chance > 0.98 and column.null == "nan" else self._number(self._cuts.get(column, []))
        record[key] = number

    def _value(self, column: Column, chance: float) -> Any:
        if column.kind == "word":
            return self._list(column)
        if column.kind == "number":
            return self._number(self._cuts.get(column, []))
        word = self._random.choice(self._words[column])
        if chance <= 0.97 or column.unknown != "accept":
            return word
        return word + "7" if isinstance(word, str) else self._unknown[column]  # most likely unknown

    def _list(self, column: Column) -> list[str] | str:
        """Some words of a feature, and at times one that training had not."""
        rng = self._random
        known = [word for other in self._features[column.feature] for _, word in other.words]
        some = rng.sample(known, rng.randint(0, min(4, len(known))))
        some += [unknown(known, known[0])] * (rng.random() < 0.1)
        if some and column.repeat == "count" and rng.random() < 0.2:
            some.append(rng.choice(some))
        return some[0] if some and rng.random() < 0.1 else some

    def _number(self, known: list[float]) -> float | int:
        rng = self._random
        if not known:  # a linear model asks no questions: any size will do
            return rng.choice((round(rng.lognormvariate(1, 1), 2), rng.uniform(-999, 999), rng.randrange(99)))
        near = rng.choice(known)
        low, high = known[0] - 1, known[-1] + 1
        anywhere = rng.uniform(low, high) if math.isfinite(high - low) else near
        above = math.nextafter(near, math.inf)
        return rng.choice((near, above, round(near, 2), anywhere, round(anywhere, 2)))

    def _edges(self) -> Iterator[str]:
        base = self._object()
        text = to_json(base)
        yield text
        yield text.replace('": ', '"\t:\n ')
        yield from NOT_OBJECTS
        yield from NOT_JSON
        yield from (TOO_DEEP, TOO_LONG, text[:-1], text + "}")
        yield to_json({**base, "Extra": {"a": [1, None]}, "": 0})
        for key in base:  # exact keys; of two the last wins, wholly
            yield to_json({k.swapcase() if k == key else k: v for k, v in base.items()})
            first = json.dumps(key)
            yield f'{{{first}: {{"a": 1}}, {text[1:]}'
            yield f"{text[:-1]}, {first}: {{}}}}"
        if self._id:
            yield from (self._changed(self._id, value) for value in IDS)
            yield self._changed(self._id)
        paths = self._paths()
        for path in paths:
            yield self._changed(path)
        for outer in dict.fromkeys(path[:i] for path in paths for i in range(1, len(path))):
            yield from (self._changed(outer, value) for value in (None, [], "x", {}))
            yield self._changed(outer)
        for value in VALUES:
            yield from (self._changed(path, value) for path in paths)
        for column in self._columns:
            values = TIMES if column.time else NUMBERS if column.text == "number" else ()
            yield from (self._changed(path, value) for path in column.paths for value in values)

    def _paths(self) -> list[Keys]:
        """The paths of all values that become features."""
        return list(dict.fromkeys(path for column in self._columns for path in column.paths))

    def _changed(self, path: Keys, *value: Any) -> str:
        """A record with another value at the path, or none there."""
        record = inner = self._object()
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        inner.pop(path[-1], None)
        if value:
            inner[path[-1]] = value[0]
        return to_json(record)


def of_trees(pipeline: Pipeline, columns: Sequence[Column]) -> tuple[dict[Column, list[float]], list]:
    """The thresholds of trees, and rows on both sides of them; none of a linear model."""
    trees = pipeline.estimator
    if not isinstance(trees, Trees):
        return {}, []
    cuts = {}
    for column in columns:
        if column.kind == "number":
            asked = trees.threshold[(trees.left >= 0) & (trees.feature == column.indices[0])]
            answers = absorb_rounding(np.unique(asked))
            cuts[column] = np.unique(answers[np.abs(answers) < FLOAT32_LIMIT]).tolist()
    return cuts, witnesses(trees, columns, SWEPT).tolist()


def put(record: dict, source: Template | Keys, value: Any, over: bool = True) -> None:
    """Puts a value where a source finds it, or does nothing where a template cannot make it."""
    if isinstance(source, Template):
        for path, part in (take_apart(source, str(value)) or {}).items():
            put(record, path, part)
        return
    for key in source[:-1]:
        inner = record.get(key)
        record[key] = record = inner if isinstance(inner, dict) else {}
    if over or source[-1] not in record:
        record[source[-1]] = value


def take_apart(template: Template, word: str) -> dict[Keys, str | int] | None:
    """Values that the template makes the word of, integers where they can be; None when there are none."""
    pattern, groups = "", {}
    for part in template.parts:
        if isinstance(part, str):
            pattern += re.escape(part)
        elif part in groups:
            pattern += f"(?P=p{groups[part]})"
        else:
            groups[part] = len(groups)
            pattern += f"(?P<p{groups[part]}>.*?)"
    match = re.fullmatch(pattern, word, re.DOTALL)
    if not match:
        return None
    return {path: _integer(match[f"p{number}"]) for path, number in groups.items()}


def _integer(text: str) -> str | int:
    return int(text) if re.fullmatch(r"0|-?[1-9][0-9]{0,17}", text) else text


def _possible(column: Column) -> list[str]:
    """The words of a category that its source can make."""
    source = column.source
    if source is None:
        return []
    if not isinstance(source, Template):
        return list(column.vocabulary)
    words = [word for word in column.vocabulary if take_apart(source, word)]
    if not words:
        raise ConvertError(
            f"none of the {len(column.vocabulary):,} values the pipeline learned of {column.name}, "
            f"such as {column.vocabulary[0]!r}, can come from the spec's template",
            "is this the spec of this model?",
        )
    return words


def to_json(value: Any) -> str:
    """JSON text of a value that may have Raw in it."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {to_json(v)}" for k, v in value.items()) + "}"
    return json.dumps(value)
