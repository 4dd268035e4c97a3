"""Stage 8, forests: rows of X that come to each question and answer it either way, and as missing.

The way to every question is followed down from the root; what was answered on it says which codes and which
numbers still get there.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from .columns import Column
from .fold import EQ, LEQ, Folded

LARGEST = 1e30  # of a number that nothing bounds


@dataclass
class _Way:
    """What a row must be to get here: low < x <= high of numbers, codes that are left."""

    low: dict[int, float] = field(default_factory=dict)
    high: dict[int, float] = field(default_factory=dict)
    codes: dict[int, frozenset[int]] = field(default_factory=dict)
    missing: frozenset[int] = frozenset()

    def with_number(self, column: int, low: float | None = None, high: float | None = None) -> "_Way":
        return _Way(
            self.low if low is None else {**self.low, column: low},
            self.high if high is None else {**self.high, column: high},
            self.codes,
            self.missing,
        )

    def with_codes(self, column: int, codes: frozenset[int]) -> "_Way":
        return _Way(self.low, self.high, {**self.codes, column: codes}, self.missing)


class Sweep:
    """Rows for folded forests over columns; nullable: of which columns NaN is taken."""

    def __init__(self, columns: Sequence[Column], nullable: frozenset[int], most: int):
        self.columns, self.nullable, self.most = columns, nullable, most
        self.random = random.Random(0)
        self.least = [-np.inf if c.least is None else c.least for c in columns]
        self.all = {
            i: frozenset(range(c.unknown == "reject", len(c.vocabulary) + 1))
            for i, c in enumerate(columns)
            if c.kind == "category"
        }

    def rows(self, forests: Sequence[Folded]) -> np.ndarray:
        """Distinct rows of X, float64 [rows, columns], at most so many."""
        share = max(50, 2 * self.most // max(1, sum(len(f.roots) for f in forests)))
        found: dict[tuple, None] = {}
        for forest in forests:
            for root in dict.fromkeys(forest.roots.tolist()):
                rows = list(self._of_tree(forest, root))
                if len(rows) > share:
                    rows = self.random.sample(rows, share)
                found.update(dict.fromkeys(rows))
        rows = list(found)
        if len(rows) > self.most:
            rows = self.random.sample(rows, self.most)
        return np.array(rows, np.float64).reshape(-1, len(self.columns))

    def _of_tree(self, forest: Folded, root: int) -> Iterator[tuple]:
        stack = [(root, _Way())]
        while stack:
            node, way = stack.pop()
            yes, no = int(forest.yes[node]), int(forest.no[node])
            if yes < 0:
                continue
            column, mode, split = int(forest.column[node]), int(forest.mode[node]), float(forest.split[node])
            if column >= len(self.columns):  # computed: whichever way a row goes
                stack += [(yes, way), (no, way)]
                continue
            if mode == LEQ:
                low, high = way.low.get(column, -np.inf), way.high.get(column, np.inf)
                if low < split:
                    yield self._row(way, column, min(split, high))
                    stack.append((yes, way.with_number(column, high=min(split, high))))
                above = np.nextafter(split, np.inf)
                if above <= high and np.isfinite(above):
                    yield self._row(way, column, float(above))
                    stack.append((no, way.with_number(column, low=max(low, split))))
                if column in self.nullable and column not in way.low and column not in way.high:
                    yield self._row(way, column, np.nan)
                continue
            codes = way.codes.get(column, self.all[column])
            asked = frozenset([int(split)] if mode == EQ else forest.sets[int(split)])
            for inside, child in ((codes & asked, yes), (codes - asked, no)):
                if inside:
                    yield self._row(way, column, float(self._pick(inside)))
                    stack.append((child, way.with_codes(column, inside)))

    def _pick(self, codes: frozenset[int]) -> int:
        return self.random.choice(sorted(codes)) if len(codes) < 50 else next(iter(codes))

    def _row(self, way: _Way, column: int, value: float) -> tuple:
        row = []
        for i in range(len(self.columns)):
            if i == column:
                x = value
            elif i in self.all:
                x = float(self._pick(way.codes.get(i, self.all[i])))
            else:
                low, high = way.low.get(i, -np.inf), way.high.get(i, np.inf)
                x = (
                    high
                    if np.isfinite(high)
                    else float(np.nextafter(low, np.inf))
                    if np.isfinite(low)
                    else max(0.0, self.least[i])
                )
            row.append(x)
        return tuple(min(max(x, -LARGEST), LARGEST) if x == x else x for x in row)


def thresholds(forests: Sequence[Folded], columns: Sequence[Column]) -> dict[Column, list[float]]:
    """The numbers that forests compare a column with, in order."""
    cuts = {}
    for i, column in enumerate(columns):
        if column.kind != "category":
            asked = [f.split[(f.yes >= 0) & (f.column == i) & np.isfinite(f.split)] for f in forests]
            asked += [ends for f in forests for at, ends in f.bins if at == i]
            cuts[column] = np.unique(np.concatenate(asked)).tolist() if asked else []
    return cuts
