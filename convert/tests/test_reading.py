"""Numbers in text and parts of times: what float() and pandas make of the same, or a rejection."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from skiff_convert.column import Column
from skiff_convert.feature import PARTS, Time
from skiff_convert.reading import Unreadable, a_time, number_in, part_of, range_of, written
from skiff_convert.records import Encoder

UNITS = st.sampled_from(["s", "ms"])
DATES = st.datetimes(pd.Timestamp(1678, 1, 1), pd.Timestamp(2261, 12, 31, 23, 59, 59))
ZONES = st.sampled_from(["", "Z", "+00:00", "-03", "+0530", "+05:30", "-11:59", "+23:59"])
FORMS = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H", "%Y-%m-%d %H:%M:%S.%f"]


def parts_in_pandas(at) -> list:
    """Every part, of one pandas has read."""
    parts = at.day_of_week, at.isocalendar().week  # of a Timestamp weekday is a method
    return [dict(zip(("weekday", "week"), parts, strict=True)).get(part, getattr(at, part)) for part in PARTS]


def parts(value, **how) -> list:
    return [part_of(value, Time(part, **how)) for part in PARTS]


@st.composite
def texts(draw) -> str:
    at = draw(DATES)
    form = draw(st.sampled_from(FORMS))
    return at.strftime(form.replace("%Y", f"{at.year:04}")) + draw(ZONES)


@given(texts(), st.booleans())
@settings(max_examples=500)
def test_times_are_pandas_s(text, utc):
    wanted = parts_in_pandas(pd.to_datetime(text, utc=utc))
    assert parts(text, zone="utc" if utc else "written") == wanted
    column = pd.to_datetime(pd.Series([text, text]), utc=utc)
    assert int(column.dt.hour[1]) == wanted[PARTS.index("hour")]
    assert int(column.dt.day_of_week[1]) == wanted[PARTS.index("weekday")]


@given(texts(), st.data())
@settings(max_examples=1_500)
def test_what_is_read_pandas_reads_alike(text, data):
    """One or two characters changed, put in or left out: it is read as pandas reads it, or not at all."""
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(0, len(text)))
        new = data.draw(st.sampled_from([*"0123456789-+:.TZ tz,/", ""]))
        text = text[:at] + new + text[at + data.draw(st.integers(0, 1)) :]
    for zone in ("written", "utc"):
        try:
            mine = parts(text, zone=zone)
        except Unreadable:
            continue
        at = pd.to_datetime(text, utc=zone == "utc")
        assert mine == ([None] * len(PARTS) if at is pd.NaT else parts_in_pandas(at))


@given(st.text() | st.sampled_from(["", "NaT", "nan", "now", "today", "None", "NaN", "nat", "1", "2021"]))
def test_other_text_is_no_time(text):
    try:
        assert part_of(text, Time("hour", zone="written")) is None
    except Unreadable:
        return
    assert pd.to_datetime(text) is pd.NaT


@given(st.integers(-(2**32), 2**32), UNITS, st.floats(0, 1, exclude_max=True), st.booleans())
@example(0, "s", 0.999999998, False)
@example(-1, "ms", 0.999, True)
@example(1614834367, "s", 0.9999998, True)
@settings(max_examples=500)
def test_epochs_are_pandas_s(second, unit, fraction, whole):
    value = second * (1000 if unit == "ms" else 1)
    value = value if whole else value + fraction * (1000 if unit == "ms" else 1)
    try:
        mine = parts(value, epoch=unit)
    except Unreadable:
        nanoseconds = (1 - (value / (1000 if unit == "ms" else 1)) % 1) * 1e9
        assert not whole and nanoseconds < 2.1 or abs(second) >= 2**32 - 1
        return
    assert mine == parts_in_pandas(pd.to_datetime(value, unit=unit))
    column = pd.to_datetime(pd.Series([value]), unit=unit)
    assert [int(column.dt.second[0]), int(column.dt.day_of_year[0])] == [
        mine[-1],
        mine[PARTS.index("day_of_year")],
    ]


@given(st.floats(allow_nan=False) | st.integers(-(10**30), 10**30), UNITS)
def test_any_number_is_a_time_of_pandas_or_none(value, unit):
    try:
        mine = parts(value, epoch=unit)
    except Unreadable:
        return
    assert mine == parts_in_pandas(pd.to_datetime(value, unit=unit))


@given(st.text(alphabet="0123456789.+-eE_ \tinfNAn", max_size=12) | st.text() | st.floats().map(repr))
@settings(max_examples=1_000)
def test_numbers_are_float_s(text):
    try:
        mine = number_in(text)
    except Unreadable:
        if text.isascii():
            with pytest.raises(ValueError, match="could not convert"):
                float(text)
        return
    theirs = float(text)
    assert mine is None if math.isnan(theirs) else math.copysign(1, mine) == math.copysign(1, theirs)
    assert mine is None or mine == theirs


@given(st.sampled_from(PARTS), st.floats(-5, 2300), DATES, st.sampled_from(["", "s", "ms"]), st.booleans())
def test_a_time_that_is_made_has_the_part(part, wanted, at, epoch, utc):
    time = Time(part, epoch, "" if epoch else "utc" if utc else "written")
    low, high = range_of(time)
    made = a_time(time, wanted, at.replace(year=1980 + at.year % 60))
    got = part_of(written(made, time, 0 if epoch else 330), time)
    assume(low <= wanted)
    assert got == min(math.floor(wanted), high)


@given(st.floats(), st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_clipping_is_numpy_s(x, low, high):
    assume(low <= high and math.isfinite(low) and math.isfinite(high) and math.isfinite(x))
    column = Column("n", ("n",), "number", "reject", null="reject", text="reject", low=low, high=high)
    (got,) = Encoder([column], None).of({"n": x}).row
    want = float(np.clip(np.float64(x), low, high))
    assert (got, math.copysign(1, got)) == (want, math.copysign(1, want))
