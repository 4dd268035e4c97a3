"""Stage 8, the user's own records: what is found in them, and what becomes of them.

They are in the proof like all others: each that is scored must be predicted as the original does, and a few
of them become goldens.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from .columns import Column
from .errors import ConvertError
from .feature import Feature, Keys, Template
from .goldens import Rejected, Scored, judge, put
from .reading import a_time
from .reading import written as as_written
from .records import Encoder, Reject, look_up, parse
from .spec import Spec
from .task import Task, show, table

MOST = 100_000  # records of a sample that are read
KEPT = 20  # records of a sample that become goldens, at most
SHOWN = 5  # predictions that are shown beside the pipeline's
WIDEST = 60  # characters of a record that are shown
NUMBERS = frozenset(range(2, 7))  # columns of the table that are numbers


@dataclass(frozen=True)
class Sample:
    """Records as a stream has them; name is for messages. given: by the user, and not MLflow's example."""

    name: str
    texts: Sequence[str]
    given: bool

    def judge(self, encoder: Encoder) -> list[Scored | Rejected]:
        """What becomes of each."""
        return [judge(encoder, text) for text in self.texts]


def spread(judged: Sequence[Scored | Rejected]) -> list[Scored | Rejected]:
    """Those that become goldens: distinct, evenly spread over a sample."""
    distinct = list({record.text: record for record in judged}.values())
    return distinct[:: max(1, -(-len(distinct) // KEPT))]


def sample_of(task: Task, spec: Spec, names: Sequence[str] = ()) -> Sample | None:
    """The sample that was named, or else MLflow's input example, as the spec finds it; None: neither.

    names: of the columns of an example that has none.
    """
    if task.sample:
        return read(task.sample)
    rows = task.found.mlmodel.example
    rows = [rows] if isinstance(rows, dict) else rows
    if not isinstance(rows, list) or not rows:
        return None
    texts = [_text(row, spec, names) for row in rows[:MOST] if isinstance(row, dict | list)]
    return Sample("MLflow's input example", texts, False) if texts else None


def read(path: Path) -> Sample:
    """A file of JSON lines. ConvertError where it is none."""
    try:
        with path.open(encoding="utf-8") as file:
            lines = [line.strip() for _, line in zip(range(MOST), file, strict=False)]
    except OSError as err:
        raise ConvertError(f"reading sample {path}: {err.strerror}", "--sample FILE.jsonl") from err
    except UnicodeDecodeError as err:
        raise ConvertError(f"sample {path} is not UTF-8", "a sample is JSON, one record a line") from err
    texts = [line for line in lines if line]
    if not texts:
        raise ConvertError(f"sample {path} has no records", "a sample is JSON, one record a line")
    return Sample(str(path), texts, True)


def _text(row: dict | list, spec: Spec, names: Sequence[str]) -> str:
    """The record of which the spec makes an example's row."""
    if isinstance(row, list):
        row = dict(zip(names, row, strict=False))
    row = {name if isinstance(name, str) else f"x{name}": value for name, value in row.items()}
    record: dict = {}
    for name, feature in spec.features.items():
        if name in row and feature.source is not None:
            put(record, feature.source, _found(feature, row[name]))
    if spec.id:
        put(record, spec.id, 1, over=False)
    return json.dumps(record)


def _found(feature: Feature, value: object) -> object:
    """What a record has where the feature is the value."""
    if isinstance(value, float) and math.isnan(value):
        return None
    if feature.time and isinstance(value, int | float | str) and str(value).isdecimal():
        return as_written(a_time(feature.time, float(value), datetime(2020, 1, 1)), feature.time, 0)
    return value


@dataclass
class _Seen:
    """What a sample has of one feature."""

    name: str
    source: Template | Keys
    columns: list[Column]
    counts: Counter = field(default_factory=Counter)
    rejected: Counter = field(default_factory=Counter)
    unknown: str = ""  # a value that is no word

    @property
    def hint(self) -> str:
        """What may be done where no record has it."""
        if self.columns and self.columns[0].missing == "default":
            return (
                f"is it always {json.dumps(self.columns[0].default)}? {self.name} = {{ value = … }} says so"
            )
        return "is it the spec of these records?"

    def see(self, record: dict, encoder: Encoder) -> None:
        """Counts a record."""
        state, value = _state(record, self.source)
        self.counts[state] += 1
        try:
            if encoder.of(record).unknown:
                self.counts["unknown"] += 1
                self.unknown = self.unknown or json.dumps(value)
        except Reject as reject:
            self.rejected[reject.reason] += 1

    def row(self) -> list[str]:
        """Its line of the table."""
        counts = [f"{self.counts[state]:,}" for state in ("found", "missing", "null", "unknown")]
        reasons = ", ".join(f"{reason} {n:,}" for reason, n in self.rejected.most_common())
        return [self.name, written(self.source), *counts, f"{self.rejected.total():,}", reasons]


def inspect(sample: Sample, columns: Sequence[Column], id_path: Keys | None, judged: Sequence) -> None:
    """Shows what the sample has of each feature, and warns.

    ConvertError when a feature is in no record, or every record is rejected: then the spec is not the
    stream's. Of MLflow's example that is only a warning.
    """
    seen = _seen(sample, columns, id_path)
    scored = sum(isinstance(record, Scored) for record in judged)
    show([f"{sample.name}: {len(judged):,} records, {scored:,} scored, {len(judged) - scored:,} rejected"])
    head = ["feature", "from", "found", "missing", "null", "unknown", "rejected", ""]
    show("  " + line for line in table([head, *(one.row() for one in seen)], NUMBERS))
    faults = list(_faults(sample, seen, judged, scored))
    if faults and sample.given:
        raise faults[0]
    show(f"convert: WARNING: {fault}" for fault in faults)
    show(f"convert: WARNING: {text}" for text in _warnings(seen))


def _seen(sample: Sample, columns: Sequence[Column], id_path: Keys | None) -> list[_Seen]:
    features = _of_entries(sample, [column for column in columns if column.kind == "entry"])
    for column in columns:
        if column.kind == "entry" or column.source is None:
            continue
        seen = features.setdefault(column.feature, _Seen(column.feature, column.source, []))
        seen.columns.append(column)
    seen = list(features.values())
    encoders = [Encoder(one.columns, None) for one in seen]
    if id_path:
        seen.append(_Seen("(id)", id_path, []))
        encoders.append(Encoder([], id_path))
    for text in sample.texts:
        try:
            record = parse(text)
        except Reject:
            continue
        if isinstance(record, dict):
            for one, encoder in zip(seen, encoders, strict=True):
                one.see(record, encoder)
    return seen


def _of_entries(sample: Sample, entries: Sequence[Column]) -> dict[str, _Seen]:
    """The features that entries are of: numbers, and keys of the sample that words may come from."""
    keys = {key for text in sample.texts for key in _keys(text)} if entries else set()
    features: dict[str, _Seen] = {}
    for column in entries:
        own = column.source[0]
        for key in [own, *(path[0] for path, _ in column.words)]:
            if key in keys or key == own and not column.words:
                features.setdefault(key, _Seen(key, (key,), [])).columns.append(column)
    return features


def _keys(text: str) -> list[str]:
    try:
        record = parse(text)
    except Reject:
        return []
    return list(record) if isinstance(record, dict) else []


def _faults(sample: Sample, seen: Sequence[_Seen], judged: Sequence, scored: int) -> Iterator[ConvertError]:
    for one in seen:
        if one.counts["missing"] and not one.counts["found"] + one.counts["null"]:
            yield ConvertError(
                f"no record of {sample.name} has {one.name}, which the spec finds at {written(one.source)}",
                _elsewhere(one.source, sample.texts) or one.hint,
            )
    if not scored:
        reasons = Counter(str(r.reject) for r in judged if isinstance(r, Rejected))
        yield ConvertError(
            f"{sample.name} has {len(judged):,} records, and all are rejected, most of them as "
            f"{reasons.most_common(1)[0][0]}",
            "is it the spec of these records? the table above has each feature",
        )


def _warnings(seen: Sequence[_Seen]) -> Iterator[str]:
    for one in seen:
        words = [word for column in one.columns for word in column.vocabulary if word is not None]
        if words and one.counts["unknown"] == one.counts["found"] > 0:
            yield (
                f"no value of {one.name} is one that training had: the sample has such as {one.unknown}, "
                f"training had such as {json.dumps(words[0])}"
            )


def _state(record: dict, source: Template | Keys) -> tuple[str, object]:
    """Whether a value is found, missing or null; and the first that is there."""
    paths = (
        [part for part in source.parts if not isinstance(part, str)]
        if isinstance(source, Template)
        else [source]
    )
    values = []
    for path in paths:
        try:
            values.append(look_up(record, path))
        except Reject:
            return "missing", None
    if any(value is None for value in values):
        return "null", None
    return "found", values[0] if values else None


def _elsewhere(source: Template | Keys, texts: Sequence[str]) -> str:
    """Where the sample has a key of that name instead."""
    paths = (
        [part for part in source.parts if not isinstance(part, str)]
        if isinstance(source, Template)
        else [source]
    )
    last = {path[-1].lower() for path in paths}
    for text in texts[:100]:
        try:
            record = parse(text)
        except Reject:
            continue
        for path in paths_of(record):
            if path not in paths and path[-1].lower() in last:
                return f"did you mean {written(path)}?"
    return ""


def paths_of(record: object) -> Iterator[Keys]:
    """The paths of all values in a record that are no objects."""
    return (path for path, _ in values_of(record))


def values_of(record: object, before: Keys = ()) -> Iterator[tuple[Keys, object]]:
    """The same, with the values."""
    if not isinstance(record, dict):
        if before:
            yield before, record
        return
    for key, value in record.items():
        yield from values_of(value, (*before, key))


def written(source: Template | Keys) -> str:
    """A source as a spec has it."""
    if isinstance(source, Template):
        return "".join(part if isinstance(part, str) else "{" + ".".join(part) + "}" for part in source.parts)
    return ".".join(source)


def beside(sample: Sample, predicted: Mapping[str, tuple[object, object]], judged: Sequence) -> None:
    """Shows a few predictions beside the pipeline's own; predicted: both, of a record's text."""
    some = [record.text for record in judged if isinstance(record, Scored)]
    rows = [["record", "bundle", "pipeline", ""]]
    for text in some[:: max(1, len(some) // SHOWN)][:SHOWN]:
        short = text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"
        if text not in predicted:
            rows.append([short, "", "", "none that is sure and finite"])
            continue
        mine, theirs = (json.dumps(value) for value in predicted[text])
        rows.append([short, mine, theirs, "equal" if mine == theirs else "within the bound"])
    if len(rows) > 1:
        show("  " + line for line in table(rows))
