"""Stage 7, the grid of any pipeline: the values of X at which a lifted model answers differently.

Forests are folded to questions about columns of X. What else is made of their sums, and of what codes stand
for, changes where these do; a number that something computes with has no grid.
"""

from collections.abc import Sequence

import numpy as np

from .columns import FLOAT32_LIMIT, Column
from .fold import LARGEST, LEQ, MEMBER, Folded, fold, largest
from .form import Computed, Constant, Forest, Head, Lookup, Step, Through, Value, Word
from .form.steps import through
from .grid import Axis


class NoTable(Exception):
    """Why a model has no table."""


def axes_of(head: Head, columns: Sequence[Column]) -> tuple[Axis, ...]:
    """The axes of a lifted model: the columns that it asks about, at least one; categories first.

    NoTable where it is not piecewise constant, or asks about what is computed of several numbers.
    """
    asked = _Asked(columns)
    for value in head.y:
        asked.visit(value)
    found = []
    for i, column in enumerate(columns):
        if column.kind == "category":
            found.append(_codes(i, column, asked.classes[i]))
        elif asked.cuts[i] or not i:
            found.append(_bins(i, column, asked.cuts[i]))
    several = [axis for axis in found if len(axis) > 1 and (axis.category or asked.cuts[axis.column])]
    several = several or found[:1]
    return tuple(sorted(several, key=lambda axis: not axis.category))


def takes_nan(column: Column) -> bool:
    """Whether NaN comes in a column of numbers."""
    return "nan" in (column.missing, column.null, column.without)


class _Asked:
    """What is asked of each column: where a number's answers change; answers of all codes, arrays [codes]."""

    def __init__(self, columns: Sequence[Column]):
        self.columns = columns
        self.least = [column.least for column in columns]
        self.codes = [np.arange(1 + len(column.vocabulary), dtype=np.float64) for column in columns]
        self.cuts: list[list[np.ndarray]] = [[] for _ in columns]
        self.classes: list[list[np.ndarray]] = [[] for _ in columns]
        self._seen: set[int] = set()  # of nodes

    def visit(self, value: Value) -> None:
        """Notes what a value asks, and what it is made of."""
        match value:
            case Constant():
                pass
            case Lookup():
                self.classes[value.column].append(np.unique(value.values, return_inverse=True)[1].reshape(-1))
            case Word():
                self.classes[value.column].append(self.codes[value.column] == value.code)
            case Through():
                raise NoTable(f"it computes with the number {self.columns[value.column].name}")
            case Computed() if id(value.node) not in self._seen:
                self._seen.add(id(value.node))
                if isinstance(value.node, Forest):
                    self._forest(value.node)
                else:
                    for inner in value.node.inputs():
                        self.visit(inner)

    def _forest(self, forest: Forest) -> None:
        for value in (forest.values[i] for i in forest.made):  # refused beyond float32
            if isinstance(value, Computed):
                self.visit(value)
            else:
                self._ask_number(value, np.array([-FLOAT32_LIMIT, np.nextafter(FLOAT32_LIMIT, 0.0)]))
        width = len(self.columns)
        folded = fold(forest, width, least=self.least)
        asks = folded.yes >= 0
        for at in np.unique(folded.column[asks]).tolist():
            nodes = np.flatnonzero(asks & (folded.column == at))
            value = folded.computed[at - width] if at >= width else Through(at)
            if isinstance(value, Computed):
                self.visit(value)
            elif self.columns[value.column].kind == "category":
                self._ask_codes(folded, nodes, value)
            else:
                self._ask_number(value, _ends(folded, nodes))

    def _ask_codes(self, folded: Folded, nodes: np.ndarray, value: Through) -> None:
        codes = through(value.steps, self.codes[value.column])
        for mode, split in {(int(folded.mode[n]), float(folded.split[n])) for n in nodes}:
            if mode == LEQ:
                self.classes[value.column].append(codes <= split)
            else:
                self.classes[value.column].append(np.isin(codes, _members(folded, mode, split)))

    def _ask_number(self, value: Through, ends: np.ndarray) -> None:
        """Questions whether a number through steps is at most one of the ends become cuts of the number."""
        column, steps = value.column, value.steps
        first = -LARGEST  # that is not missing
        if steps and steps[0].op == "from":
            first, steps = float(steps[0].value), steps[1:]
        name, rest = self.columns[column].name, tuple(step for step in steps if step.op != "absent")
        if not all(step.ordered for step in rest):
            raise NoTable(f"its trees ask about more than the order of {name}")
        if any(_has_nan(rest[:i]) for i, step in enumerate(rest) if step.op == "fill"):
            raise NoTable(f"its trees ask about numbers instead of what {name} has not")
        least, most = np.isnan(_through(rest, np.array([first, LARGEST])))
        if most:
            raise NoTable(f"its trees ask about what large numbers of {name} have not")
        if least:  # a root has none of what is below 0
            first = float(np.nextafter(largest(lambda x: np.isnan(_through(rest, x)), 1)[0], np.inf))
        if first > -LARGEST:
            self.cuts[column].append(np.array([np.nextafter(first, -np.inf)]))
        self.cuts[column].append(_cuts(rest, first, ends))
        for i, step in enumerate(steps):
            if step.op == "absent":  # what is about 0 is missing
                width = float(step.value or 0.0)
                before = tuple(s for s in steps[:i] if s.op != "absent")
                self.cuts[column].append(
                    _cuts(before, first, np.array([np.nextafter(-width, -np.inf), width]))
                )


def _cuts(steps: Sequence[Step], first: float, ends: np.ndarray) -> np.ndarray:
    """The largest numbers, from first on, that steps in order leave at most the ends, or above them."""
    if not steps:
        return ends
    low = _through(steps, np.full(len(ends), first)) <= ends
    return largest(lambda x: (x < first) | ((_through(steps, x) <= ends) == low), len(ends))


def _has_nan(steps: Sequence[Step]) -> bool:
    return bool(np.isnan(_through(steps, np.array([-LARGEST, LARGEST]))).any())


def _through(steps: Sequence[Step], x: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return through(steps, x)


def _members(folded: Folded, mode: int, split: float) -> list[float]:
    return list(folded.sets[int(split)]) if mode == MEMBER else [split]


def _ends(folded: Folded, nodes: np.ndarray) -> np.ndarray:
    """The numbers between which, and the next double, what nodes ask of a number changes."""
    order = folded.mode[nodes] == LEQ
    asks = {(int(folded.mode[n]), float(folded.split[n])) for n in nodes[~order]}
    members = np.array([m for ask in asks for m in _members(folded, *ask)])
    return np.unique(np.concatenate([folded.split[nodes[order]], members, np.nextafter(members, -np.inf)]))


def _codes(i: int, column: Column, classes: Sequence[np.ndarray]) -> Axis:
    """Codes that are asked alike are one value."""
    size = 1 + len(column.vocabulary)
    lines = np.column_stack([np.zeros(size, np.int64), *classes])
    _, first, of = np.unique(lines, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)  # code 0 first
    of = np.argsort(order)[of.reshape(-1)]
    codes = first[order].astype(np.float64)
    return Axis(i, True, codes, codes, np.empty(0), of=of)


def _bins(i: int, column: Column, found: Sequence[np.ndarray]) -> Axis:
    most = LARGEST if column.limit is None else min(LARGEST, float(np.nextafter(column.limit, 0.0)))
    least = -most if column.least is None else max(-most, column.least)
    cuts = np.unique(np.concatenate([np.empty(0), *found]))
    cuts = cuts[(cuts >= least) & (cuts < most)] + 0.0  # -0.0 is 0.0
    low = np.concatenate([[least], np.nextafter(cuts, np.inf)])
    high = np.concatenate([cuts, [most]])
    if takes_nan(column):
        cuts = np.append(cuts, np.inf)
        low, high = np.append(low, np.nan), np.append(high, np.nan)
    return Axis(i, False, low, high, cuts)
