"""What the original takes in each number's column, found by asking it, in as few calls as it can be."""

import json
from collections.abc import Sequence

import numpy as np

from . import goldens
from .columns import FLOAT32_LIMIT
from .fold import LARGEST, double, rank
from .lifted import Lifted
from .plan import Accepts
from .records import Encoded, Encoder
from .world import Session

BELOW = float(np.nextafter(FLOAT32_LIMIT, 0.0))
PARTS = 17  # that a range is cut into with one call, where nothing raises


def probe(lifted: Lifted, session: Session) -> dict[str, Accepts]:
    """Of each number's column by name: whether the original takes NaN there, and numbers how large."""
    asked = _Asked(lifted, session)
    numbers = [i for i, column in enumerate(lifted.columns) if column.kind != "category"]
    nan = asked.whether(numbers, [np.nan])
    every = asked.whether(numbers, [LARGEST, -LARGEST])
    some = [i for i in numbers if not every[i]]
    below = asked.whether(some, [BELOW, -BELOW])
    single = asked.whether([i for i in some if below[i]], [FLOAT32_LIMIT, -FLOAT32_LIMIT])
    accepts = {}
    for i in numbers:
        limit = None
        if not every[i]:
            limit = FLOAT32_LIMIT if below[i] and not single[i] else asked.limit(i)
        accepts[lifted.columns[i].name] = Accepts(nan[i], limit)
    return accepts


class _Asked:
    """The original, asked about a plain record with another number in one of the columns."""

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

    def limit(self, i: int) -> float:
        """The least magnitude that a column refuses, with either sign: all below it are taken."""
        low, high = rank(1.0), rank(LARGEST)  # the first is taken, the second refused
        parts = PARTS
        while high - low > 1:
            ranks = sorted({low + (high - low) * k // parts for k in range(1, parts)} - {low, high})
            ranks = ranks or [(low + high) // 2]
            numbers = double(np.array(ranks)).tolist()
            taken = self._takes([(i, x) for number in numbers for x in (number, -number)])
            if taken is None and len(ranks) > 1:
                parts = 2  # where it raises, a call tells of one magnitude
                continue
            both = np.reshape(taken or [False, False], (len(ranks), 2)).all(axis=1).tolist()
            first = both.index(False) if False in both else len(both)
            low = ranks[first - 1] if first else low
            high = ranks[first] if first < len(ranks) else high
        return float(double(np.array([high]))[0])

    def _takes(self, asked: Sequence[tuple[int, float]]) -> list[bool] | None:
        """Whether it predicts finite numbers, or labels, of each record; None where it raises at one."""
        if not asked:
            return []
        records = []
        for i, x in asked:
            row = list(self._record.row)
            row[i] = float(x)
            features = {**self._record.features, self._lifted.columns[i].name: float(x)}
            records.append(Encoded(features, row, 0))
        answer = self._session.call("predict", self._lifted.data(records), whole=True)
        if answer.refused:
            return None
        values = np.asarray(answer.values)
        if values.dtype.kind != "f":
            return [True] * len(asked)
        return np.isfinite(values.reshape(len(asked), -1)).all(axis=1).tolist()
