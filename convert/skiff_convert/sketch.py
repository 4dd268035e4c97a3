"""Stage 10, what the sample's records are like: the bundle's sketch.json, with which drift is seen later.

inference/bundle/SPEC.md says what is in it. The bins are made of every other record of the sample, and the
records between are counted in them: of the many words that a column may have, those that a few records happen
to have would otherwise be rarer in any other record, and all that comes would look changed.
"""

import json
import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence

from .columns import Column
from .feature import Template
from .goldens import Rejected, Scored
from .records import Encoder, Reject, look_up, parse

FILE = "sketch.json"
VERSION = 1
LEAST = 500  # records of a sample that are scored
TENTHS = 10  # bins of a number, about as many records in each
GROUPS = 20  # bins of words, likewise; up to so many words have a bin each
MOST = 1000  # columns and outputs that are sketched; the first


def sketch(
    judged: Sequence[Scored | Rejected],
    columns: Sequence[Column],
    outputs: Sequence[Mapping],
    predictions: Mapping[str, object],
) -> bytes | None:
    """The sketch of a sample, as JSON; None of one with fewer than LEAST scored records.

    outputs are the manifest's; predictions are of a record's text: a number, a label, or a list of them.
    """
    halves = [[one for one in judged[start::2] if isinstance(one, Scored)] for start in (0, 1)]
    if sum(map(len, halves)) < LEAST:
        return None
    first, second = ([one.encoded.row for one in half] for half in halves)
    features = _features(halves[1], columns)
    made = []
    for i, column in enumerate(columns[:MOST]):
        if column.source is None:
            continue
        values = [row[i] for row in first]
        if column.kind == "category":
            of = groups(values, len(column.vocabulary))
            bins = {"bins": of}
            counts = count([([0, *of])[int(row[i])] for row in second], max(of) + 1)
        else:
            cuts = edges(values)
            bins = {"edges": cuts}
            counts = count([bin_of(row[i], cuts) for row in second], len(cuts) + 2)
        made.append({"column": i, "name": column.name, **bins, "counts": counts, **features[column.name]})
    whole = {
        "version": VERSION,
        "records": len(second),
        "rejected": len(judged[1::2]) - len(second),
        "columns": made,
        "outputs": _outputs(
            outputs, *([predictions[r.text] for r in h if r.text in predictions] for h in halves)
        )[:MOST],
    }
    return _text(whole).encode("utf-8")


def files(
    judged: Sequence[Scored | Rejected],
    columns: Sequence[Column],
    outputs: Sequence[Mapping],
    pairs: Mapping[str, Sequence],
    say: Callable[[str], None],
) -> dict[str, bytes]:
    """The bundle's file, or none where the sample is too small; pairs: of a text, its prediction first."""
    if not judged:
        return {}
    made = sketch(judged, columns, outputs, {text: pair[0] for text, pair in pairs.items()})
    if made is None:
        say(f"no sketch: drift can be seen against a sample of {LEAST} scored records or more")
        return {}
    return {FILE: made}


def edges(values: Sequence[float]) -> list[float]:
    """Edges of bins with about as many of the values in each; the first bin has what is below the first edge.

    Of values that are all one: of what is below, the value, and what is above.
    """
    ordered = sorted(value for value in values if not math.isnan(value))
    if not ordered:
        return []
    at = {ordered[i * len(ordered) // TENTHS] for i in range(1, TENTHS)} - {ordered[0]}
    if not at and ordered[0] == ordered[-1]:
        at = {ordered[0], math.nextafter(ordered[0], math.inf)}
    return sorted(edge + 0.0 for edge in at if math.isfinite(edge))


def bin_of(value: float, cuts: Sequence[float]) -> int:
    """The bin of a number: how many edges are not above it; the last is NaN's."""
    return len(cuts) + 1 if math.isnan(value) else bisect_right(cuts, value)


def groups(codes: Sequence[float], words: int) -> list[int]:
    """The bin of each word, by its code, from 1 on: of few words each has its own.

    Of many, the most frequent come first, until a bin has its part of the values; those that are
    not there are the last.
    """
    if words <= GROUPS:
        return list(range(1, words + 1))
    seen = count([int(code) for code in codes], words + 1)[1:]
    total, inside, at = sum(seen), 0, 1
    bins = [0] * words
    for word in sorted(range(words), key=lambda word: (-seen[word], word)):
        if not seen[word] and inside:  # words that are not there are by themselves
            inside, at = 0, at + 1
        bins[word] = at
        inside += seen[word]
        if inside * GROUPS >= total and seen[word]:
            inside, at = 0, at + 1
    return bins


def count(bins: Sequence[int], many: int) -> list[int]:
    """How many there are of each bin."""
    counts = [0] * many
    for one in bins:
        counts[one] += 1
    return counts


def _features(scored: Sequence[Scored], columns: Sequence[Column]) -> dict[str, dict[str, int]]:
    """Of each name of columns: how many values are missing, null and unknown."""
    counts: dict[str, dict[str, int]] = {}
    paths, encoders = [], []
    for column in columns:
        new = column.name not in counts
        of = counts.setdefault(column.name, {"missing": 0, "null": 0, "unknown": 0})
        if column.source is None:
            continue
        if new and column.kind in ("number", "category"):
            parts = column.source.parts if isinstance(column.source, Template) else (column.source,)
            paths += [(of, part) for part in parts if not isinstance(part, str)]
        if column.kind == "category":
            encoders.append((of, Encoder([column], None)))
    for one in scored:
        record = parse(one.text)
        for of, path in paths:
            try:
                of["null"] += look_up(record, path) is None
            except Reject:
                of["missing"] += 1
        for of, encoder in encoders if one.encoded.unknown else ():
            of["unknown"] += encoder.of(record).unknown
    return counts


def _outputs(outputs: Sequence[Mapping], first: Sequence[object], second: Sequence[object]) -> list[dict]:
    """Of each number that is predicted, and of each label, what the predictions are."""
    ((output, *others),) = (outputs,)
    assert not others, "the converter makes bundles of one output"
    name = output["name"]
    if output["kind"] != "number":
        parts = output.get("parts", [output])
        made = []
        for i, part in enumerate(parts):
            places = {json.dumps(label): at for at, label in enumerate(part["labels"])}
            found = [places[json.dumps(one[i] if "parts" in output else one)] for one in second]
            made.append({"name": _part(name, i, len(parts)), "counts": count(found, len(places))})
        return made
    lists = [[one if isinstance(one, list) else [one] for one in half] for half in (first, second)]
    made = []
    width = len((lists[0] or lists[1] or [[]])[0])
    for i in range(width):
        cuts = edges([one[i] for one in lists[0]])
        counts = count([bin_of(one[i], cuts) for one in lists[1]], len(cuts) + 2)
        made.append({"name": _part(name, i, width), "edges": cuts, "counts": counts})
    return made


def _part(name: str, i: int, many: int) -> str:
    return name if many == 1 else f"{name}[{i}]"


def _text(whole: Mapping) -> str:
    """As JSON, a column or an output a line."""
    lines = [f' "{key}": {json.dumps(whole[key])}' for key in ("version", "records", "rejected")]
    for key in ("columns", "outputs"):
        each = ",\n".join("  " + json.dumps(one, separators=(",", ":")) for one in whole[key])
        lines.append(f' "{key}": [\n{each}\n ]' if each else f' "{key}": []')
    return "{\n" + ",\n".join(lines) + "\n}\n"
