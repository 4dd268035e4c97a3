"""What lifting works with: the cells of the table that a pipeline takes, and its steps' values."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from ..errors import ConvertError
from ..form import Computed, Head, Through, Value
from ..look.graph import Obj


@dataclass(frozen=True)
class Cell:
    """A cell of the pipeline's table, before any step says what it takes it for.

    fill is what stands where it is missing, where an imputer has put something there; None otherwise.
    """

    name: str
    fill: object = None


@dataclass(frozen=True)
class Wanted:
    """A column of X that a model reads: what the worker has to make of a cell.

    A category's words are the values that have a code, 1 + their index: text, numbers, booleans, and None for
    what is missing. strict is whether the original refuses a value that is none of them. absent_missing
    is whether a number that a record does not have is NaN, as null is, and not 0.0. hashed is whether a word
    stands for all texts, and whole numbers, of its hash.
    """

    name: str
    kind: str  # "category" or "number"
    words: tuple = ()
    strict: bool = False
    absent_missing: bool = False
    hashed: bool = False


@dataclass
class Matrix:
    """What a step makes: values, or cells that no step has touched; sparse is whether as a sparse matrix."""

    values: list[Value | Cell]
    sparse: bool = False

    def __len__(self) -> int:
        return len(self.values)


class Opaques(Protocol):
    """Makes steps that have no lifter."""

    def transform(self, obj: Obj, matrix: Matrix, lifting: "Lifting") -> Matrix:
        """What a transformer makes of a matrix."""

    def estimate(self, obj: Obj, matrix: Matrix, lifting: "Lifting") -> Head:
        """What an estimator predicts."""


@dataclass
class Lifting:
    """What is known while a pipeline is lifted: the columns of X so far, and where this is."""

    names: tuple[str, ...] = ()  # of the table's columns, in order
    wanted: list[Wanted] = field(default_factory=list)
    nan: set[str] = field(
        default_factory=set
    )  # cells that may be missing: an imputer or the estimator takes them
    held: set[int] = field(
        default_factory=set
    )  # columns of X whose zeros the sparse matrix holds if a record does
    where: tuple[str, ...] = ()
    dtypes: dict[str, str] = field(default_factory=dict)  # of the table's columns that need one: category
    missing: dict[str, object] = field(
        default_factory=dict
    )  # what stands for a missing category: None or NaN
    vectorized: tuple[Sequence[str], "Matrix"] | None = (
        None  # the names of a DictVectorizer, and what it makes
    )
    filled: set[int] = field(default_factory=set)  # columns of X that an imputer has put something into
    opaque: "Opaques | None" = None  # what makes steps without a lifter, where that is consented to

    def at(self, step: str) -> "Lifting":
        """The same, one step further in."""
        return replace(self, where=(*self.where, step))

    def refuse(self, what: str, hint: str = "") -> ConvertError:
        """The error for a step that cannot be lifted, by its place in the pipeline."""
        place = " > ".join(self.where) or "the model"
        return ConvertError(
            f"{place}: {what}", hint or "leave it out, or add a lifter: skiff_convert/lift/README.md says how"
        )

    def category(self, cell: Cell, words: Iterable, strict: bool) -> int:
        """The column of X with the codes of a cell."""
        return self._column(Wanted(cell.name, "category", tuple(word_of(w) for w in words), strict))

    def hashed(self, cell: Cell, words: Iterable[str]) -> int:
        """The column of X with the codes of a cell's hashes, which the words have."""
        return self._column(Wanted(cell.name, "category", tuple(words), hashed=True))

    def passed(self, value: Value | Cell, others: Iterable[Value | Cell], words: Iterable[str]) -> int | None:
        """The same of a cell that a ColumnTransformer has passed on, of which nothing else is made.

        It was taken for a number; None where it is no such cell.
        """
        if isinstance(value, Cell):
            return self.hashed(value, words) if value.fill is None else None
        if not isinstance(value, Through) or value.steps or value.column in self.filled:
            return None
        if any(reads(other, value.column) for other in others):
            return None
        name = self.wanted[value.column].name
        self.wanted[value.column] = Wanted(name, "category", tuple(words), hashed=True)
        return value.column

    def number(self, value: Value | Cell) -> Value:
        """A value as a number; a cell's own, where that is what it is."""
        if not isinstance(value, Cell):
            return value
        column = self._column(Wanted(value.name, "number"))
        if value.fill is not None:
            self.filled.add(column)
        return Through(column)

    def numbers(self, matrix: Matrix) -> list[Value]:
        """All of a matrix as numbers."""
        return [self.number(value) for value in matrix.values]

    def _column(self, wanted: Wanted) -> int:
        if wanted not in self.wanted:
            self.wanted.append(wanted)
        return self.wanted.index(wanted)


def reads(value: Value | Cell, column: int) -> bool:
    """Whether a value is made of a column of X."""
    if isinstance(value, Computed):
        return any(reads(inner, column) for inner in value.node.inputs())
    return getattr(value, "column", None) == column


def word_of(value: object) -> str | float | bool | None:
    """A learned category as JSON has it: NaN and None are null, whole numbers stay whole."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, float) and np.isnan(value):
        return None
    if isinstance(value, (str, bool, int, float)):
        return value
    raise ConvertError(
        f"a category is a {type(value).__name__}", "JSON has text, numbers, true, false and null"
    )


def picked(names: Sequence[str], columns: object) -> list[int]:
    """The places of columns that are named, numbered, masked or sliced."""
    if isinstance(columns, (str, int, np.integer)):
        columns = [columns]
    if isinstance(columns, slice):
        start, stop = (names.index(c) if isinstance(c, str) else c for c in (columns.start, columns.stop))
        if isinstance(columns.stop, str):
            stop += 1  # by names both ends count
        return list(range(len(names)))[slice(start, stop, columns.step)]
    columns = list(np.asarray(columns, dtype=object))
    if columns and all(isinstance(c, (bool, np.bool_)) for c in columns):
        return [i for i, c in enumerate(columns) if c]
    return [names.index(c) if isinstance(c, str) else int(c) % len(names) for c in columns]
