"""Values: what an estimator reads, as functions of the columns of X.

X is float64 [rows, columns], what the worker makes of records: a category is its code, a number itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from .steps import Step, spread, through


class Node(Protocol):
    """What makes several values of others at once; width is how many."""

    width: int

    def inputs(self) -> Sequence["Value"]:
        """What it reads."""

    def compute(self, matrix: np.ndarray) -> np.ndarray:
        """[rows, width] of the inputs' [rows, inputs]."""

    def allowance(self, matrix: np.ndarray, off: np.ndarray | None = None) -> np.ndarray:
        """How far the original may be from what compute makes, absolute, [rows, width]; 0 where to the bit.

        off is how far the inputs may be, None where not at all.
        """


@dataclass(frozen=True, eq=False)
class Lookup:
    """A number for each code of a category; values float64 [1 + words]."""

    column: int
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class Word:
    """A number for one code of a category, and another for all others: one-hot, without the zeros."""

    column: int
    code: int
    yes: float = 1.0
    no: float = 0.0


@dataclass(frozen=True, eq=False)
class Through:
    """A number, through elementwise steps."""

    column: int
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, eq=False)
class Computed:
    """One of the values that a node makes, through elementwise steps."""

    node: Node
    index: int
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, eq=False)
class Constant:
    """The same number for every record."""

    value: float


Value = Lookup | Word | Through | Computed | Constant


def apply(value: Value, *steps: Step) -> Value:
    """The value through more steps. A look-up takes them in: it stays a look-up."""
    if isinstance(value, Lookup):
        return replace(value, values=through(steps, value.values))
    if isinstance(value, Word):
        yes, no = through(steps, np.array([value.yes, value.no])).tolist()
        return replace(value, yes=yes, no=no)
    if isinstance(value, Constant):
        return Constant(float(through(steps, np.array([value.value]))[0]))
    return replace(value, steps=value.steps + steps)


@dataclass
class Evaluation:
    """The interpreter: what values are for rows of X. It is what the form means."""

    X: np.ndarray
    _done: dict[int, np.ndarray] = field(default_factory=dict)  # by id of a node, which lives as long
    _off: dict[int, np.ndarray] = field(default_factory=dict)

    def matrix(self, values: Sequence[Value]) -> np.ndarray:
        """float64 [rows, values]."""
        columns = [self.value(value) for value in values]
        return np.column_stack(columns) if columns else np.empty((len(self.X), 0))

    def value(self, value: Value) -> np.ndarray:
        """float64 [rows]."""
        if isinstance(value, Lookup):
            return value.values[self.X[:, value.column].astype(np.int64)]
        if isinstance(value, Word):
            return np.where(self.X[:, value.column] == value.code, value.yes, value.no)
        if isinstance(value, Through):
            return through(value.steps, self.X[:, value.column])
        if isinstance(value, Constant):
            return np.full(len(self.X), value.value)
        return through(value.steps, self.node(value.node)[:, value.index])

    def node(self, node: Node) -> np.ndarray:
        """What a node makes, float64 [rows, width]; once."""
        if id(node) not in self._done:
            self._done[id(node)] = np.asarray(node.compute(self.matrix(node.inputs())), np.float64)
        return self._done[id(node)]

    def allowance(self, values: Sequence[Value]) -> np.ndarray:
        """How far the original may be from matrix(values); float64 [rows, values], 0 where to the bit."""
        columns = [self._allowed(value) for value in values]
        return np.column_stack(columns) if columns else np.empty((len(self.X), 0))

    def _allowed(self, value: Value) -> np.ndarray:
        if not isinstance(value, Computed):
            return np.zeros(len(self.X))
        node = value.node
        if id(node) not in self._off:
            inputs = node.inputs()
            off = self.allowance(inputs)
            self._off[id(node)] = np.asarray(node.allowance(self.matrix(inputs), off if off.any() else None))
        off = self._off[id(node)][:, value.index]
        return spread(value.steps, self.node(node)[:, value.index], off) if value.steps and off.any() else off
