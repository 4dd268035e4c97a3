"""What the original takes in each column, found by asking it, in as few calls as it can be."""

import json
from collections.abc import Callable, Sequence

import numpy as np

from . import goldens
from .columns import FLOAT32_LIMIT, Column
from .fold import LARGEST, double, rank
from .lifted import Lifted
from .plan import Accepts, Taken
from .records import Encoded, Encoder
from .world import Session

BELOW = float(np.nextafter(FLOAT32_LIMIT, 0.0))
FEW = (7, -7.5, True)  # numbers where words are
BEYOND = 10**400  # float64


def probe(lifted: Lifted, session: Session) -> Taken:
    """Of each column whether the original takes NaN there, and which numbers.

    It takes a number where it predicts, be it one that is not finite: that is for the worker to reject.
    """
    asked = _Asked(lifted, session)
    columns = lifted.columns
    found = _of_numbers(asked, columns)
    if not lifted.vectorizer:  # to which a number is no word
        found |= {i: Accepts(False, limit) for i, limit in _of_categories(asked, columns).items()}
    return {(columns[i].name, columns[i].kind): accepts for i, accepts in found.items()}


def _of_numbers(asked: "_Asked", columns: Sequence[Column]) -> dict[int, Accepts]:
    """What each column of numbers takes."""
    numbers = [i for i, column in enumerate(columns) if column.kind != "category"]
    nan = asked.whether(numbers, [np.nan])
    every = asked.whether(numbers, [LARGEST, -LARGEST])
    small = asked.whether(numbers, [0.0, -1.0])
    some = [i for i in numbers if not (every[i] and small[i])]
    below = asked.whether(some, [BELOW, -BELOW])
    single = asked.whether([i for i in some if below[i]], [FLOAT32_LIMIT, -FLOAT32_LIMIT])
    accepts = {i: Accepts(nan[i], None) for i in numbers}
    for i in some:
        if small[i] and below[i] and not single[i]:
            accepts[i] = Accepts(nan[i], FLOAT32_LIMIT)
        else:
            accepts[i] = Accepts(nan[i], *_ends(asked, i))
    return accepts


def _ends(asked: "_Asked", i: int) -> tuple[float | None, float | None]:
    """The least number above 1 that is refused, and the least that is taken; None where there is none.

    A logarithm of 0 may be refused, and those of less be missing: from there on all are refused.
    """
    limit = None if asked.whether([i], [LARGEST])[i] else asked.change(i, 1.0, LARGEST)[1]
    for x in (0.0, -1.0, -LARGEST):
        if not asked.whether([i], [x])[i]:
            return limit, asked.change(i, 1.0, x)[0]
    return limit, None if limit is None else -LARGEST


def _of_categories(asked: "_Asked", columns: Sequence[Column]) -> dict[int, float | None]:
    """The limit of numbers where words are, which are text: old versions fail at large integers."""
    words = [i for i, column in enumerate(columns) if column.kind == "category" and column.other == "unknown"]
    limits: dict[int, float | None] = dict.fromkeys(words)
    every = asked.whether(words, [*FEW, BEYOND, -BEYOND])
    some = [i for i in words if not every[i]]
    few = asked.whether(some, FEW)
    large = asked.whether([i for i in some if few[i]], [int(LARGEST), -int(LARGEST)])
    for i in some:  # an integer is as large as the nearest float64, which may be the one below
        if not few[i]:
            limits[i] = 0.0
        else:
            limits[i] = LARGEST if large[i] else asked.change(i, 1.0, LARGEST, lambda x: [int(x), -int(x)])[0]
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

    def change(
        self, i: int, taken: float, refused: float, of: Callable[[float], list[float]] = lambda x: [x]
    ) -> tuple[float, float]:
        """The two doubles next to each other between which a column's taken numbers end.

        of: what is asked of a double, all of which has to be taken.
        """
        inner, outer = rank(taken), rank(refused)
        while abs(outer - inner) > 1:
            middle = inner + (outer - inner) // 2
            x = float(double(np.array([middle]))[0])
            if self.whether([i], of(x))[i]:
                inner = middle
            else:
                outer = middle
        return tuple(double(np.array([inner, outer])).tolist())

    def _takes(self, asked: Sequence[tuple[int, float]]) -> list[bool] | None:
        """Whether it predicts of each record, of NaN a finite number; None where it raises at one."""
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
        finite = [True] * len(asked)
        if values.dtype.kind == "f":
            finite = np.isfinite(values.reshape(len(asked), -1)).all(axis=1).tolist()
        return [ok or x == x for ok, (_, x) in zip(finite, asked, strict=True)]
