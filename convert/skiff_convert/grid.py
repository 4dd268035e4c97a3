"""Stage 7, the table's grid: the values of X at which trees answer differently.

Between two neighbouring thresholds of a number nothing changes, and a code that no tree asks about is like
the unknown. So each column that trees ask about has few values that matter, an axis, and trees are a table
over the product of their axes: its cells are predicted by the original pipeline.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .columns import FLOAT32_LIMIT, Column
from .lower_trees import over_columns
from .neutral import Pipeline
from .search import Search, over

LARGEST = math.nextafter(FLOAT32_LIMIT, 0.0)  # number that trees take
ABOUT_ZERO = np.array([0.0, -0.0, 5e-324, -5e-324])  # that models may take for missing
CHUNK = 100_000  # rows of X made at a time


@dataclass(frozen=True)
class Axis:
    """The values of a column of X that matter; all arrays [values] but cuts [values - 1].

    Of a category they are codes, 0 first. Of a number they are bins: bin i has low[i] <= x <= high[i], and
    cuts[i] is the split x <= cuts[i] between bins i and i + 1. NaN, where the pipeline takes it, is a bin of
    its own, the last; inf is the cut before it. Codes that are asked alike may be one value: then of [codes]
    says which, and else those without one are like code 0.

    A pipeline behind a vectorizer is given a number, or 1 in the vectorizer's column of a code's word (-1:
    code 0 has none).
    """

    column: int  # of X
    category: bool
    low: np.ndarray
    high: np.ndarray
    cuts: np.ndarray
    index: np.ndarray | None = None  # of the vectorizer's column
    given: np.ndarray | None = None  # to the pipeline
    of: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.low)

    def values(self, codes: int) -> np.ndarray:
        """The value's index of each of so many codes, int64."""
        if self.of is not None:
            return self.of
        index = np.zeros(codes, np.int64)
        index[self.low.astype(np.int64)] = np.arange(len(self))
        return index

    @cached_property
    def search(self) -> Search:
        """How a number's bin is found."""
        return over(self.cuts)


@dataclass(frozen=True)
class Table:
    """What is predicted over the axes, categories first; cells float64 [values, ...], outputs last if any."""

    axes: tuple[Axis, ...]
    cells: np.ndarray


def axes(pipeline: Pipeline, columns: Sequence[Column]) -> tuple[Axis, ...]:
    """The axes of a pipeline of trees: the columns that are asked about, at least one; categories first."""
    trees = pipeline.estimator
    splits = over_columns(trees, columns)
    asks = trees.left >= 0
    found = []
    for i, column in enumerate(columns):
        asked = np.unique(splits.split[asks & (splits.column == i)])
        found.append(_codes(i, column, asked) if column.kind == "category" else _bins(i, column, asked))
    several = [axis for axis in found if len(axis) > 1] or found[:1]
    return tuple(sorted(several, key=lambda axis: not axis.category))


def size(table_axes: Sequence[Axis]) -> int:
    """How many cells the table has."""
    return math.prod(len(axis) for axis in table_axes)


def rows(table: Table, columns: Sequence[Column]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows of X, float64 [rows, columns], with what the table says, [rows] or [rows, outputs], in chunks.

    Both ends of every bin in every cell, hence both sides of every threshold with every code; then, with one
    cell each, every code that no tree asks about, which must be like the unknown, and a number of every
    bucket that bins are searched by, the middle of every bin, and what is about 0.
    """
    for ends in ("low", "high"):
        for where, X in cells(table.axes, columns, ends):
            yield X, table.cells[where]
    yield from others(table, columns)


def others(table: Table, columns: Sequence[Column]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Those of rows that are at no end of a cell."""
    for i, values, index in _others(table, columns):
        for at in range(0, len(values), CHUNK):
            some, its = values[at : at + CHUNK], index[at : at + CHUNK]
            where = [its if a.column == i else np.arange(len(some)) % len(a) for a in table.axes]
            X = _rows(table.axes, columns, where, len(some), "high")
            X[:, i] = some
            yield X, table.cells[tuple(where)]


def cells(
    table_axes: Sequence[Axis], columns: Sequence[Column], end: str
) -> Iterator[tuple[tuple[np.ndarray, ...], np.ndarray]]:
    """All cells, in order and in chunks: indices in each axis, and rows of X at one end, "low" or "high"."""
    for at in range(0, size(table_axes), CHUNK):
        some = np.arange(at, min(at + CHUNK, size(table_axes)))
        where = np.unravel_index(some, tuple(map(len, table_axes)))
        yield where, _rows(table_axes, columns, where, len(some), end)


def _others(table: Table, columns: Sequence[Column]) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Values of a column of X that no bin ends in, and their index in its axis, if it has one."""
    axes_of = {axis.column: axis for axis in table.axes}
    for i, column in enumerate(columns):
        axis = axes_of.get(i)
        if column.kind == "category":
            codes = np.setdiff1d(np.arange(len(column.vocabulary) + 1), axis.low if axis else [])
            values = (
                axis.values(len(column.vocabulary) + 1)[codes] if axis else np.zeros(len(codes), np.int64)
            )
            yield i, codes.astype(np.float64), values
        elif axis:
            within = axis.low / 2 + axis.high / 2
            middles = np.concatenate([axis.search.middles(), within[~np.isnan(within)], ABOUT_ZERO])
            low, high = np.nanmin(axis.low), np.nanmax(axis.high)
            middles = middles[(middles >= low) & (middles <= high)]
            yield i, middles, axis.search.bins(middles)


def _rows(
    table_axes: Sequence[Axis], columns: Sequence[Column], where: Sequence[np.ndarray], count: int, end: str
) -> np.ndarray:
    """So many rows of X, in the cells at the indices where; a column that no tree asks about is 0."""
    X = np.zeros((count, len(columns)))
    for axis, value in zip(table_axes, where, strict=True):
        X[:, axis.column] = getattr(axis, end)[value]
    return X


def _codes(i: int, column: Column, asked: np.ndarray) -> Axis:
    codes = np.concatenate([[0], asked.astype(np.int64)])
    index = np.concatenate([[-1], column.indices])[codes]
    ones = np.ones(len(codes))
    return Axis(i, True, codes.astype(np.float64), codes.astype(np.float64), ones[:0], index, ones)


def _bins(i: int, column: Column, asked: np.ndarray) -> Axis:
    cuts = asked[(asked >= -LARGEST) & (asked < LARGEST)]
    low = np.concatenate([[-LARGEST], np.nextafter(cuts, np.inf)])
    high = np.concatenate([cuts, [LARGEST]])
    if column.null == "nan":
        cuts = np.append(cuts, np.inf)
        low, high = np.append(low, np.nan), np.append(high, np.nan)
    return Axis(i, False, low, high, cuts, np.full(len(low), column.indices[0]), high)
