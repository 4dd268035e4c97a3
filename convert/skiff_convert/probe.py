"""What the original takes in each column, found by asking it, in as few calls as it can be."""

import json
from collections.abc import Sequence

import numpy as np

from . import goldens
from .columns import FLOAT32_LIMIT, Column
from .fold import LARGEST, double, rank
from .lifted import Lifted
from .plan import Accepts, Taken
from .records import Encoded, Encoder
from .world import Session

BELOW = float(np.nextafter(FLOAT32_LIMIT, 0.0))
PARTS = 17  # that a range is cut into with one call, where nothing raises
FEW = (7, -7.5, True)  # numbers where words are
BEYOND = 10**400  # float64


def probe(lifted: Lifted, session: Session) -> Taken:
    """Of each column whether the original takes NaN there, and numbers how large."""
    asked = _Asked(lifted, session)
    columns = lifted.columns
    found = {i: Accepts(*taken) for i, taken in _of_numbers(asked, columns).items()}
    if not lifted.vectorizer:  # to which a number is no word
        found |= {i: Accepts(False, limit) for i, limit in _of_categories(asked, columns).items()}
    return {(columns[i].name, columns[i].kind): accepts for i, accepts in found.items()}


def _of_numbers(asked: "_Asked", columns: Sequence[Column]) -> dict[int, tuple[bool, float | None]]:
    """Whether NaN is taken, and the limit; None where there is none."""
    numbers = [i for i, column in enumerate(columns) if column.kind != "category"]
    nan = asked.whether(numbers, [np.nan])
    every = asked.whether(numbers, [LARGEST, -LARGEST])
    some = [i for i in numbers if not every[i]]
    below = asked.whether(some, [BELOW, -BELOW])
    single = asked.whether([i for i in some if below[i]], [FLOAT32_LIMIT, -FLOAT32_LIMIT])
    limits: dict[int, float | None] = dict.fromkeys(numbers)
    for i in some:
        limits[i] = FLOAT32_LIMIT if below[i] and not single[i] else asked.refused_from(i)[1]
    return {i: (nan[i], limits[i]) for i in numbers}


def _of_categories(asked: "_Asked", columns: Sequence[Column]) -> dict[int, float | None]:
    """The limit of numbers where words are, which are text: old versions fail at large integers."""
    words = [i for i, column in enumerate(columns) if column.kind == "category" and column.other == "unknown"]
    limits: dict[int, float | None] = dict.fromkeys(words)
    every = asked.whether(words, [*FEW, BEYOND, -BEYOND])
    some = [i for i in words if not every[i]]
    few = asked.whether(some, FEW)
    large = asked.whether([i for i in some if few[i]], [int(LARGEST), -int(LARGEST)])
    for i in some:  # an integer is as large as the nearest float64, which may be the one below
        limits[i] = (LARGEST if large[i] else asked.refused_from(i, whole=True)[0]) if few[i] else 0.0
    return limits


class _Asked:
    """The original, asked about a plain record with another value in one of the columns."""

    def __init__(self, lifted: Lifted, session: Session):
        self._lifted, self._session = lifted, session
        plain = goldens.Records(lifted.columns, None, {}, []).plain()
        self._record = Encoder(lifted.columns, None).encode(json.dumps(plain))

    def whether(self, columns: Sequence[int], values: Sequence[float]) -> dict[int, bool]:
        """Of each column, whether all of the values are taken in it."""
        taken = self._takes([(i, x) for i in columns for x in values])
        if taken is not None:
            each = np.reshape(taken, (len(columns), len(values))).all(axis=1)
            return dict(zip(columns, each.tolist(), strict=True))
        if len(columns) == 1:
            return {columns[0]: False}
        return {i: self.whether([i], values)[i] for i in columns}

    def refused_from(self, i: int, whole: bool = False) -> tuple[float, float]:
        """The largest magnitude that a column takes, with either sign, and the next, which it refuses.

        whole: of integers.
        """
        low, high = rank(1.0), rank(LARGEST)  # the first is taken, the second refused
        parts = PARTS
        while high - low > 1:
            ranks = sorted({low + (high - low) * k // parts for k in range(1, parts)} - {low, high})
            ranks = ranks or [(low + high) // 2]
            numbers = [int(x) if whole else x for x in double(np.array(ranks)).tolist()]
            taken = self._takes([(i, x) for number in numbers for x in (number, -number)])
            if taken is None and len(ranks) > 1:
                parts = 2  # where it raises, a call tells of one magnitude
                continue
            both = np.reshape(taken or [False, False], (len(ranks), 2)).all(axis=1).tolist()
            first = both.index(False) if False in both else len(both)
            low = ranks[first - 1] if first else low
            high = ranks[first] if first < len(ranks) else high
        return float(double(np.array([low]))[0]), float(double(np.array([high]))[0])

    def _takes(self, asked: Sequence[tuple[int, float]]) -> list[bool] | None:
        """Whether it predicts finite numbers, or labels, of each record; None where it raises at one."""
        if not asked:
            return []
        records = []
        for i, x in asked:
            row, column = list(self._record.row), self._lifted.columns[i]
            row[i] = 0.0 if column.kind == "category" else float(x)
            records.append(Encoded({**self._record.features, column.name: x}, row, 0))
        answer = self._session.call("predict", self._lifted.data(records), whole=True)
        if answer.refused:
            return None
        values = np.asarray(answer.values)
        if values.dtype.kind != "f":
            return [True] * len(asked)
        return np.isfinite(values.reshape(len(asked), -1)).all(axis=1).tolist()
