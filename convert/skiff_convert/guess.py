"""--init: what a sample suggests of a feature: where it is, and how it is read."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .column import Column
from .feature import PARTS, Keys, Time
from .reading import Unreadable, number_in, part_of
from .records import Reject, parse
from .sample import values_of

# What people call parts of a time beside pandas' own names.
CALLED = {
    "dow": "weekday",
    "day_of_week": "weekday",
    "dayofweek": "weekday",
    "doy": "day_of_year",
    "dayofyear": "day_of_year",
    "hr": "hour",
    "weekofyear": "week",
}
SOME = ("of_day", "of_year")  # that may follow a part
TIMELY = re.compile(r"(?i)time|date|_at$|^at$|epoch|ts$|when|pickup|dropoff|created|start|end")


@dataclass
class Values:
    """What the records of a sample have at their paths, outermost first."""

    at: dict[Keys, list] = field(default_factory=dict)
    records: int = 0  # that are objects

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Values":
        """Those of records; what is no object has none."""
        found = cls()
        for text in texts:
            try:
                record = parse(text)
            except Reject:
                continue
            found.records += isinstance(record, dict)
            for path, value in values_of(record):
                found.at.setdefault(path, []).append(value)
        found.at = dict(sorted(found.at.items(), key=lambda item: len(item[0])))
        return found

    def times(self) -> dict[Keys, dict[str, str]]:
        """The paths of times, and how a spec says it of them."""
        found = {path: _time(path, values) for path, values in self.at.items()}
        return {path: how for path, how in found.items() if how is not None}


def _time(path: Keys, values: Sequence) -> dict[str, str] | None:
    values = [value for value in values if value is not None]
    if not values:
        return None
    texts, iso = all(isinstance(value, str) for value in values), Time("hour", zone="written")
    if texts and all(_reads(part_of, value, iso) for value in values):
        return {}
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    for unit, size in (("s", 1), ("ms", 1000)):
        if numbers and TIMELY.search(path[-1]) and all(5e8 * size < value < 4e9 * size for value in values):
            return {"epoch": unit}
    return None


def _reads(read: Callable, *value: object) -> bool:
    try:
        return read(*value) is not None
    except Unreadable:
        return False


def part(name: str) -> str:
    """The part of a time that a feature of the name is most likely, or ""."""
    name = name.lower()
    for end in SOME:
        if name.endswith("_" + end) and name not in PARTS and name not in CALLED:
            name = name.removesuffix("_" + end)
    called = {**{one: one for one in PARTS}, **CALLED}
    for one in sorted(called, key=len, reverse=True):
        if name == one or name.endswith("_" + one):
            return called[one]
    return ""


def nearest(name: str, times: Mapping[Keys, dict[str, str]]) -> Keys:
    """The time that has most words of a feature's name in its own."""
    words = set(name.lower().split("_"))
    return max(times, key=lambda path: len(words & set("_".join(path).lower().split("_"))))


def options(columns: Sequence[Column], values: Sequence, records: int) -> tuple[dict[str, object], str]:
    """What a spec has to say of a feature beside its path, and a comment."""
    there = [value for value in values if value is not None]
    texts = [value for value in there if isinstance(value, str)]
    made: dict[str, object] = {}
    words = any(isinstance(word, str) for column in columns for word in column.vocabulary)
    if words and any(isinstance(value, list) for value in there):
        made["list"] = True
    elif texts and not words and all(_reads(number_in, text) for text in texts):
        made["text"] = "number"
    notes = []
    if len(values) < records:
        notes.append(f"missing in {records - len(values)} of {records}")
    if len(there) < len(values):
        notes.append(f"null in {len(values) - len(there)}")
    return made, "".join(f"; {note}" for note in notes) + (": has it a default?" if notes else "")
