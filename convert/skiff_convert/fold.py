"""Folding: trees that ask derived values become trees that ask the columns of X.

A question about a look-up is one about a code: is it this word, is it in this set. A question about a number
through steps that keep the order is one about the number, with another threshold: the largest double that the
original answers as it answers those below. Nothing is rounded on the way: the threshold is searched for among
the doubles.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .form import Computed, Constant, Forest, Lookup, Step, Through, Value, Word, apply
from .form.steps import through
from .lower_steps import slack

LEQ, EQ, MEMBER = 0, 4, 6  # nodes_modes of ai.onnx.ml 5
YES, NO = -1, -2  # a question with one answer only
LARGEST = np.finfo(np.float64).max
BINS = 1024  # of a value, that the graph counts


class NotOrdered(Exception):
    """A step that a threshold cannot be taken through: the value has to be computed."""


@dataclass(frozen=True, eq=False)
class Folded:
    """Trees over columns; all arrays [nodes], leaf [nodes, outputs], roots [trees].

    A row answers yes where x[column] <= split (LEQ), == split (EQ) or is in sets[split] (MEMBER); NaN where
    missing_yes. yes is -1 at a leaf. Columns from the width of X on are computed: computed[column - width].
    """

    roots: np.ndarray
    column: np.ndarray
    mode: np.ndarray
    split: np.ndarray
    missing_yes: np.ndarray
    yes: np.ndarray
    no: np.ndarray
    leaf: np.ndarray
    sets: tuple[tuple[int, ...], ...]
    computed: tuple[Computed | Through, ...]

    @property
    def bins(self) -> list[tuple[int, np.ndarray]]:
        """The columns that are computed to bins, and where those end."""
        ends = [(v.column, v.steps[-1]) for v in self.computed if isinstance(v, Through)]
        return [(at, np.nextafter(np.array(step.value), -np.inf)) for at, step in ends if step.op == "bin"]


@dataclass
class _Question:
    """What a node asks of a column."""

    column: int
    mode: int
    split: float = 0.0
    yes_is_left: bool = True
    missing_left: bool = False


def fold(forest: Forest, width: int, compute: bool = False, least: Sequence[float | None] = ()) -> Folded:
    """The forest over X of so many columns; compute: numbers through steps are computed, not folded; where
    onnxruntime's steps are not to the bit, it is their bins.

    least: of columns, the least number that comes.
    """
    return _Folder(forest, width, compute, least).folded()


def ordered(value: Value) -> bool:
    """Whether a threshold can be taken through a number's steps."""
    return all(step.ordered or step.op == "absent" for step in value.steps)


def binned(value: Value) -> bool:
    """Whether it is to be, where steps are computed: some of them are not to the bit in onnxruntime."""
    return isinstance(value, (Through, Computed)) and ordered(value) and any(map(slack, value.steps))


def exact(forest: Forest, at: int) -> bool:
    """Whether one of a forest's values that are computed is asked about by bins, so that its bits count."""
    folder, value = _Folder(forest, 0, True, ()), forest.values[at]
    nodes = folder.asked[forest.trees.feature[folder.asked] == at]
    if not binned(value) or forest.trees.category is not None and (forest.trees.category[nodes] >= 0).any():
        return False
    folder._ask_number(value, nodes)
    return value not in folder.computed


class _Folder:
    def __init__(self, forest: Forest, width: int, compute: bool, least: Sequence[float | None]):
        self.least = least
        self.forest, self.trees, self.width, self.compute = forest, forest.trees, width, compute
        self.sets: list[tuple[int, ...]] = []
        self.set_of: dict[tuple[int, ...], int] = {}
        self.computed: list[Computed | Through] = []
        self.asked = np.flatnonzero(self.trees.left >= 0)
        self.question: dict[int, _Question | int] = {}  # of a node

    def folded(self) -> Folded:
        trees = self.trees
        features = trees.feature[self.asked]
        for feature in np.unique(features):
            nodes = self.asked[features == feature]
            self._ask(self.forest.values[feature], nodes)
        return self._rebuild()

    def _ask(self, value: Value, nodes: np.ndarray) -> None:
        if isinstance(value, Constant):
            for node in nodes:
                self.question[int(node)] = YES if self._left(node, value.value) else NO
        elif isinstance(value, Word):
            self._ask_word(value, nodes)
        elif isinstance(value, Lookup):
            self._ask_lookup(value, nodes)
        else:
            self._ask_number(value, nodes)

    def _left(self, node: int, x: float) -> bool:
        return bool(self.trees.goes_left(np.array([node]), np.array([x]))[0])

    def _groups(self, nodes: np.ndarray) -> dict[tuple, np.ndarray]:
        """Nodes that ask the same of one value."""
        trees = self.trees
        category = trees.category[nodes] if trees.category is not None else np.full(len(nodes), -1)
        groups: dict[tuple, list[int]] = {}
        for node, threshold, c, m in zip(
            nodes.tolist(), trees.threshold[nodes].tolist(), category.tolist(),
            trees.missing_left[nodes].tolist(), strict=True,
        ):  # fmt: skip
            groups.setdefault((c, m) if c >= 0 else (c, m, threshold), []).append(node)
        return {key: np.array(group) for key, group in groups.items()}

    def _ask_word(self, value: Word, nodes: np.ndarray) -> None:
        yes = self.trees.goes_left(nodes, np.full(len(nodes), value.yes))
        no = self.trees.goes_left(nodes, np.full(len(nodes), value.no))
        for node, left, other in zip(nodes.tolist(), yes.tolist(), no.tolist(), strict=True):
            if left == other:
                self.question[node] = YES if left else NO
            else:
                self.question[node] = _Question(value.column, EQ, float(value.code), left)

    def _ask_lookup(self, value: Lookup, nodes: np.ndarray) -> None:
        distinct, inverse = np.unique(value.values, return_inverse=True)
        inverse = inverse.reshape(-1)
        counts = np.bincount(inverse, minlength=len(distinct))
        for group in self._groups(nodes).values():
            left = self.trees.goes_left(np.full(len(distinct), group[0]), distinct)
            lefts = int(counts[left].sum())
            question = self._of_codes(value.column, left, inverse, lefts, len(inverse))
            self.question.update((int(node), question) for node in group)

    def _of_codes(
        self, column: int, left: np.ndarray, inverse: np.ndarray, lefts: int, codes: int
    ) -> _Question | int:
        if lefts in (0, codes):
            return YES if lefts else NO
        few_left = 2 * lefts <= codes
        members = np.flatnonzero(left[inverse] == few_left)
        if len(members) == 1:
            return _Question(column, EQ, float(members[0]), few_left)
        return _Question(column, MEMBER, float(self._set(tuple(members.tolist()))), few_left)

    def _set(self, key: tuple[int, ...]) -> int:
        """The place of a set."""
        if key not in self.set_of:
            self.set_of[key] = len(self.sets)
            self.sets.append(key)
        return self.set_of[key]

    def _ask_number(self, value: Through | Computed, nodes: np.ndarray) -> None:
        steps = value.steps
        trees = self.trees
        if trees.category is not None and (trees.category[nodes] >= 0).any():
            sets = trees.category[nodes] >= 0
            self._ask_whole(value, nodes[sets])
            nodes = nodes[~sets]
            if not len(nodes):
                return
        if binned(value) if self.compute else ordered(value):
            self._try(value, steps, nodes)
        else:
            self._cut(value, (), nodes)

    def _try(self, value: Through | Computed, steps: tuple[Step, ...], nodes: np.ndarray) -> None:
        before = replace(value, steps=())
        try:
            self._cut(before, steps, nodes, bins=self.compute)
        except NotOrdered:
            self._cut(value, (), nodes)

    def _ask_whole(self, value: Through | Computed, nodes: np.ndarray) -> None:
        """Whether a number is in a set: it is held within one of the set's ends, as large sets need it."""
        for (category, missing), group in self._groups(nodes).items():
            members = tuple(sorted(self.trees.sets[category]))
            if not members:
                column = self._column(value)  # no number is in it: what is missing may go left
                question = _Question(column, LEQ, np.inf, False, True) if missing else NO
                self.question.update((int(node), question) for node in group)
                continue
            ends = (Step("least", float(members[0] - 1)), Step("most", float(members[-1] + 1)))
            column = self._column(apply(value, *ends))
            if len(members) == 1:
                question = _Question(column, EQ, float(members[0]), True, missing)
            else:
                question = _Question(column, MEMBER, float(self._set(members)), True, missing)
            self.question.update((int(node), question) for node in group)

    def _column(self, value: Computed | Through) -> int:
        """The place of a column of X, or of a value that the graph computes."""
        if isinstance(value, Through) and not value.steps:
            return value.column
        for i, known in enumerate(self.computed):
            if type(known) is type(value) and vars(known) == vars(value):
                return self.width + i
        self.computed.append(value)
        return self.width + len(self.computed) - 1

    def _cut(
        self, value: Computed | Through, steps: tuple[Step, ...], nodes: np.ndarray, bins: bool = False
    ) -> None:
        """Questions about a value through steps become questions about the value, or about a bin of it."""
        at = [i for i, step in enumerate(steps) if step.op == "absent"]
        without = tuple(step for step in steps if step.op != "absent")
        self._check_filled(without)
        groups = list(self._groups(nodes).values())
        asks = np.array([group[0] for group in groups])

        def left(x: np.ndarray) -> np.ndarray:
            return self.trees.goes_left(asks, through(without, x))

        first = self._first(without)
        low, high = left(np.full(len(asks), first)), left(np.full(len(asks), LARGEST))
        cut = largest(lambda x: (x < first) | (left(x) == low), len(asks))
        missing = self.trees.goes_left(asks, through(steps, np.full(len(asks), np.nan)))
        if first > -LARGEST and self._may_be_below(value, first) and (missing != low).any():
            value = apply(value, Step("from", first))  # what is below is missing
        if at:
            width = float(steps[at[0]].value)
            self._check_absent(steps[: at[0]], at, width)
        if at and bins:
            value = apply(value, steps[at[0]])
        elif at:
            zero = self.trees.goes_left(asks, through(steps, np.zeros(len(asks))))
            for end in (-width, width):
                if (zero != left(np.full(len(asks), end))).any():
                    raise NotOrdered
        if bins:
            edges = np.unique(cut[low != high])
            if len(edges) > BINS:
                raise NotOrdered
            value = apply(value, Step("bin", tuple(np.nextafter(edges, np.inf).tolist())))
            cut = np.searchsorted(edges, cut).astype(np.float64)
        column = self._column(value)
        for group, lo, hi, split, miss in zip(groups, low, high, cut, missing, strict=True):
            if lo == hi:  # of all finite numbers
                split = np.inf
                question = (YES if lo else NO) if bool(miss) == bool(lo) else None
                if question is None:
                    question = _Question(column, LEQ, split, bool(lo), bool(miss))
            else:
                question = _Question(column, LEQ, float(split), bool(lo), bool(miss))
            self.question.update((int(node), question) for node in group)

    def _first(self, steps: tuple[Step, ...]) -> float:
        """The least number that the steps make a number of: a root has none of what is below 0."""
        ends = np.isnan(through(steps, np.array([-LARGEST, LARGEST])))
        if ends[1]:
            raise NotOrdered
        if not ends[0]:
            return -LARGEST
        return float(np.nextafter(largest(lambda x: np.isnan(through(steps, x)), 1)[0], np.inf))

    def _check_filled(self, steps: tuple[Step, ...]) -> None:
        """NotOrdered where something is put in the place of what a step before made missing of a number."""
        for i, step in enumerate(steps):
            if step.op == "fill" and np.isnan(through(steps[:i], np.array([-LARGEST, LARGEST]))).any():
                raise NotOrdered

    def _may_be_below(self, value: Computed | Through, first: float) -> bool:
        known = isinstance(value, Through) and not value.steps and value.column < len(self.least)
        least = self.least[value.column] if known else None
        return least is None or least < first

    def _check_absent(self, before: tuple[Step, ...], at: list[int], width: float) -> None:
        """NotOrdered unless only a zero, what is absent, becomes a zero; nothing before a wider absence."""
        if width and before:
            raise NotOrdered
        tiny = np.array([5e-324, -5e-324, 1e-300, -1e-300])
        if len(at) > 1 or (through(before, tiny) == 0).any() or through(before, np.zeros(1))[0] != 0:
            raise NotOrdered

    def _rebuild(self) -> Folded:
        trees = self.trees
        target = np.arange(len(trees.left))
        for node, question in self.question.items():
            if question in (YES, NO) and not isinstance(question, _Question):
                target[node] = trees.left[node] if question == YES else trees.right[node]
        while True:  # to the end of every chain of questions with one answer
            further = target[target]
            if (further == target).all():
                break
            target = further
        kept = {n: q for n, q in self.question.items() if isinstance(q, _Question)}
        size = len(trees.left)
        column, mode = np.zeros(size, np.int64), np.zeros(size, np.int64)
        split, missing = np.zeros(size), np.zeros(size, bool)
        yes, no = np.full(size, -1), np.full(size, -1)
        for node, q in kept.items():
            column[node], mode[node], split[node] = q.column, q.mode, q.split
            left, right = target[trees.left[node]], target[trees.right[node]]
            yes[node], no[node] = (left, right) if q.yes_is_left else (right, left)
            missing[node] = q.missing_left == q.yes_is_left
        return Folded(
            roots=target[trees.offsets[:-1]], column=column, mode=mode, split=split, missing_yes=missing,
            yes=yes, no=no, leaf=trees.leaf, sets=tuple(self.sets), computed=tuple(self.computed),
        )  # fmt: skip


def largest(holds: Callable[[np.ndarray], np.ndarray], count: int) -> np.ndarray:
    """For each of so many questions, the largest finite double that a question holds of; float64 [count].

    holds takes a double for each question, and holds of all doubles up to some one and of none above.
    """
    low, high = np.full(count, rank(-LARGEST)), np.full(count, rank(LARGEST))
    while (low < high).any():
        middle = low // 2 + high // 2 + (low % 2 + high % 2 + 1) // 2  # rounded up; their sum may overflow
        true = holds(double(middle))
        low, high = np.where(true, middle, low), np.where(true, high, middle - 1)
    return double(low)


def rank(x: float) -> int:
    """Where a double is among all of them, in order."""
    bits = int(np.float64(x).view(np.int64))
    return bits if bits >= 0 else -(bits & 0x7FFF_FFFF_FFFF_FFFF)


def double(rank: np.ndarray) -> np.ndarray:
    """The doubles of ranks."""
    negative = rank < 0
    bits = np.where(negative, -rank, rank).astype(np.int64).view(np.float64)
    return np.where(negative, -bits, bits)
