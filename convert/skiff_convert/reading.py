"""Stage 8, a number out of a value: the number itself, one in text, a part of a time.

inference/bundle/SPEC.md has the rules; pandas has the meaning of a part, and Python's float() of text.
"""

import math
import re
from datetime import UTC, datetime, timedelta, timezone

from .feature import Time

NAT = frozenset(["", "NaT", "nat", "NAT", "nan", "NaN", "NAN"])  # what to_datetime makes NaT of
YEARS = range(1678, 2262)  # that every pandas has, whole
SECONDS = 2**32  # since 1970, and before: what is less every pandas has right, as a float too
EPOCH = datetime(1970, 1, 1)
PER_SECOND = {"s": 1, "ms": 1000}
ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2})(?::([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,9})?)?)?"
    r"(?:Z|([+-])([0-9]{2})(?::?([0-9]{2}))?)?)?"
)


class Unreadable(ValueError):
    """Text that is no number or no time, or a time that not every pandas has."""


def number_in(text: str) -> float | None:
    """The number in a text, as float() reads it; None for nan. Unreadable also where it is not ASCII."""
    if not text.isascii():
        raise Unreadable(text)
    try:
        number = float(text)
    except ValueError as err:
        raise Unreadable(text) from err
    return None if math.isnan(number) else number


def part_of(value: str | float, time: Time) -> int | None:
    """The part of a time, which is a text or, of an epoch, a number; None for what is NaT."""
    if time.epoch:
        return _part(_since(float(value), PER_SECOND[time.epoch]), time.part)
    if value in NAT:
        return None
    at, ahead = _iso(str(value))
    return _part(at - ahead if time.zone == "utc" else at, time.part)


def _since(number: float, per_second: int) -> datetime:
    if not abs(number) < SECONDS * per_second:
        raise Unreadable(number)
    whole = math.floor(number)
    seconds, rest = divmod(whole, per_second)
    # Less than two nanoseconds before a second pandas' versions differ on which it is.
    if rest == per_second - 1 and number - whole > 1 - 2e-9 * per_second:
        raise Unreadable(number)
    return EPOCH + timedelta(seconds=seconds)


def _iso(text: str) -> tuple[datetime, timedelta]:
    """What a clock shows, and how far it is ahead of UTC."""
    match = ISO.fullmatch(text)
    if not match:
        raise Unreadable(text)
    year, month, day, hour, minute, second = (int(field or 0) for field in match.groups()[:6])
    hours, minutes = int(match[8] or 0), int(match[9] or 0)
    if year not in YEARS or hours > 23 or minutes > 59:
        raise Unreadable(text)
    try:
        at = datetime(year, month, day, hour, minute, second)
    except ValueError as err:
        raise Unreadable(text) from err
    return at, timedelta(hours=hours, minutes=minutes) * (-1 if match[7] == "-" else 1)


def _part(at: datetime, part: str) -> int:
    if part == "weekday":
        return at.weekday()
    if part == "day_of_year":
        return at.timetuple().tm_yday
    if part == "quarter":
        return (at.month + 2) // 3
    if part == "week":
        return at.isocalendar().week
    return getattr(at, part)


RANGES = {
    "year": (1678, 2261), "quarter": (1, 4), "month": (1, 12), "week": (1, 53), "day": (1, 31),
    "day_of_year": (1, 366), "weekday": (0, 6), "hour": (0, 23), "minute": (0, 59), "second": (0, 59),
}  # fmt: skip


def range_of(time: Time) -> tuple[int, int]:
    """The least and the largest that a part of a time can be."""
    return (1834, 2105) if time.epoch and time.part == "year" else RANGES[time.part]


def a_time(time: Time, wanted: float, at: datetime) -> datetime:
    """A time near at whose part is as wanted, or as near to it as there is."""
    part, (low, high) = time.part, range_of(time)
    if not math.isfinite(wanted):
        return at
    value = min(max(math.floor(wanted), low), high)
    if part == "year":
        return at.replace(year=value, day=min(at.day, 28))
    if part == "quarter":
        return at.replace(month=3 * value - 2)
    if part == "month":
        return at.replace(month=value, day=min(at.day, 28))
    if part == "day":
        return at.replace(month=1, day=value)
    if part == "day_of_year":  # of a leap year
        return at.replace(year=2020, month=1, day=1) + timedelta(days=value - 1)
    if part == "week":  # 2020 has 53
        return datetime.fromisocalendar(2020, value, 4).replace(hour=at.hour, minute=at.minute)
    if part == "weekday":
        return at + timedelta(days=value - at.weekday())
    return at.replace(**{part: value})


def written(at: datetime, time: Time, ahead: int) -> str | int | float:
    """A value that is read as the time: text, of a clock so many minutes ahead of UTC, or a number."""
    if time.epoch:
        return int((at - EPOCH).total_seconds()) * PER_SECOND[time.epoch]
    if not ahead:
        return at.isoformat()
    zone = timezone(timedelta(minutes=ahead))
    if time.zone == "utc":
        return at.replace(tzinfo=UTC).astimezone(zone).isoformat()
    return at.replace(tzinfo=zone).isoformat()
