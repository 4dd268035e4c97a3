"""Stage 3, a line of the spec: where a feature is found, what it is where missing or null, how it is read.

A path or a template alone, or a table with them:

    hour = { from = "trip.pickup", time = "hour", zone = "utc", default = 12 }
    vendor = { value = "acme" }
"""

import difflib
import math
import re
from dataclasses import dataclass

Keys = tuple[str, ...]  # a path into a record, outermost key first
Scalar = str | float | bool

PIECE = re.compile(r"(?P<text>(?:[^{}]|\{\{|\}\})+)|\{(?P<path>[^{}]+)\}")
# The parts of a time, called as pandas calls them.
PARTS = ("year", "quarter", "month", "week", "day", "day_of_year", "weekday", "hour", "minute", "second")
CHOICES = {
    "missing": ("reject", "null", "absent", "default"),
    "null": ("reject", "null", "absent", "default"),
    "text": ("number",),
    "time": PARTS,
    "epoch": ("s", "ms"),
    "zone": ("written", "utc"),
}
OPTIONS = ("from", "value", "default", "min", "max", "list", *CHOICES)


@dataclass(frozen=True)
class Template:
    """A string put together from a record: each part is a text, or the path of a value."""

    parts: tuple[str | Keys, ...]


@dataclass(frozen=True)
class Time:
    """A part of a time: of text in ISO 8601, or of a number of seconds or milliseconds since 1970."""

    part: str  # of PARTS
    epoch: str = ""  # "s", "ms"; "": text
    zone: str = ""  # of text: "written", its own clock, or "utc"


@dataclass(frozen=True)
class Feature:
    """A feature of the spec; "" where it says nothing."""

    source: Template | Keys | None  # None: a constant, which is the default
    missing: str = ""  # of an absent key: "reject", "null", "absent", "default"
    null: str = ""  # likewise, of null
    default: Scalar | None = None  # what the feature is then
    text: str = ""  # "number": text is read as one
    low: float | None = None
    high: float | None = None
    time: Time | None = None
    list: bool = False  # of words

    @property
    def options(self) -> bool:
        """Whether it says more than where it is found."""
        return self != Feature(self.source)


def feature(name: str, value: object) -> Feature:
    """The feature of a line of the spec. ValueError where it is none."""
    key = f"features.{name}"
    if not isinstance(value, dict):
        return Feature(source(key, value))
    for option in value:
        if option not in OPTIONS:
            near = difflib.get_close_matches(option, OPTIONS, 1)
            raise ValueError(f"{key} has no option {option}" + (f": did you mean {near[0]}?" if near else ""))
    for option, choices in CHOICES.items():
        if option in value and value[option] not in choices:
            raise ValueError(f"{key}: {option} is {value[option]!r}, not one of {', '.join(choices)}")
    if "value" in value:
        if len(value) > 1:
            raise ValueError(f"{key}: a value is the same in every record, and has no other option")
        return Feature(None, "default", "", _scalar(f"{key}: value", value["value"]))
    if "from" not in value:
        raise ValueError(f"{key} needs from, where it is found, or value, which is the same in every record")
    made = Feature(
        source(key, value["from"]),
        missing=value.get("missing", "default" if "default" in value else ""),
        null=value.get("null", "default" if "default" in value else ""),
        default=_scalar(f"{key}: default", value["default"]) if "default" in value else None,
        text=value.get("text", ""),
        low=_number(f"{key}: min", value["min"]) if "min" in value else None,
        high=_number(f"{key}: max", value["max"]) if "max" in value else None,
        time=_time(key, value),
        list=value.get("list", False),
    )
    _check(key, made)
    return made


def _check(key: str, made: Feature) -> None:
    """ValueError where options contradict each other."""
    asked = "default" in (made.missing, made.null)
    if asked and made.default is None:
        raise ValueError(f"{key} needs a default, which missing or null asks for")
    if made.default is not None and not asked:
        raise ValueError(f"{key}: neither missing nor null asks for its default")
    if made.low is not None and made.high is not None and made.low > made.high:
        raise ValueError(f"{key}: min {made.low} is above max {made.high}")
    if made.time and (made.low, made.high) != (None, None):
        raise ValueError(f"{key}: a part of a time has no min and max")
    if isinstance(made.source, Template) and (made.text or made.time):
        raise ValueError(f"{key}: a template makes text, which is not read again: give its path")
    if isinstance(made.source, Template) and made.missing == "null":
        raise ValueError(f"{key}: a template of a part that is missing is not null: give a default")
    if made.list is not True and made.list is not False:
        raise ValueError(f"{key}: list is true or false")
    if made.list and (made != Feature(made.source, made.missing, made.null, list=True) or asked):
        raise ValueError(f"{key}: a list of words has no other options than missing and null")
    if made.list and (isinstance(made.source, Template) or "null" in (made.missing, made.null)):
        raise ValueError(f"{key}: a list of words has a path, and is there, absent or rejected")


def _time(key: str, value: dict) -> Time | None:
    if "time" not in value:
        for option in ("epoch", "zone"):
            if option in value:
                raise ValueError(f'{key}: {option} is of a time: which part? such as time = "hour"')
        return None
    if "epoch" in value and "zone" in value:
        raise ValueError(f"{key}: seconds since 1970 have no zone: they are UTC")
    if "epoch" not in value and "text" in value:
        raise ValueError(f"{key}: a time in text is ISO 8601; of a number in text say epoch as well")
    return Time(
        value["time"], value.get("epoch", ""), value.get("zone", "" if "epoch" in value else "written")
    )


def _scalar(key: str, value: object) -> Scalar:
    if not isinstance(value, str | int | float) or isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{key} must be text, a finite number, true or false")
    return value


def _number(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{key} must be a finite number")
    return float(value)


def source(key: str, value: object) -> Template | Keys:
    """A path or a template. ValueError where it is none."""
    if isinstance(value, list):
        return path(key, value)
    if not isinstance(value, str):
        raise ValueError(f"{key} must be a string")
    if not re.search(r"[{}]", value):
        return path(key, value)
    parts: list[str | Keys] = []
    at = 0
    for piece in PIECE.finditer(value):
        if piece.start() != at:
            break
        at = piece.end()
        if piece["path"] is not None:
            parts.append(path(key, piece["path"]))
        else:
            parts.append(piece["text"].replace("{{", "{").replace("}}", "}"))
    if at != len(value):
        raise ValueError(f"{key}: stray brace at character {at + 1}")
    return Template(tuple(parts))


def path(key: str, value: str | list) -> Keys:
    """A path: keys with dots between, or a list of them. ValueError where it is none."""
    if isinstance(value, list):
        if not value or not all(isinstance(part, str) for part in value):
            raise ValueError(f"{key} must be a list of keys, which are strings")
        return tuple(value)
    parts = tuple(value.split("."))
    if not all(parts) or parts[0] == "$" or any(part != part.strip() for part in parts):
        raise ValueError(f"{key}: {value!r} is not a path")
    return parts
