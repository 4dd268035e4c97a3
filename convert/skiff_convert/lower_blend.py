"""Lowering trees to skiff.Trees, the operator of inference/ort/ops: its trees.h says what the arrays are.

Every question becomes one of a byte. A number is its position among the cuts that a forest has for its
column, in as many bytes as that takes, 255 cuts each; NaN lies below all cuts or above, as the question wants
it. A code is its position among the codes asked for, or it is in a set or not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from onnx import numpy_helper

from .fold import EQ, LEQ, MEMBER, Folded
from .form import Forest

DOMAIN = "skiff"
ORDER, MATCH = 0, 1
RANK, EQUALS, SET = 0, 1, 2
CUTS = 255  # of a view
SPAN = 256 * CUTS  # of a source
VIEWS, SLOTS = 2**20, 2**14 - 1  # that there are at most
LEAF = 1 << 31


@dataclass
class _Source:
    """A column's cuts, and its views in the order they were asked for: (kind, base, nan), or a set's bits."""

    column: int
    matches: bool
    cuts: np.ndarray
    views: list[tuple] = field(default_factory=list)
    number: dict[tuple, int] = field(default_factory=dict)

    def view(self, *view: object) -> int:
        """The place of a view; once."""
        if view not in self.number:
            self.number[view] = len(self.views)
            self.views.append(view)
        return self.number[view]

    @property
    def slots(self) -> int:
        """What the operator keeps of it: an answer for each set, positions with NaN below and above."""
        return len(self.views) if self.views[0][0] == SET else len({nan for *_, nan in self.views})


class TooMany(Exception):
    """More views than the operator takes."""


class _Questions:
    """What nodes ask: view << 8 | than, int64 [nodes]: yes where the byte is <= than, or equal to it."""

    def __init__(self, folded: Folded, nodes: np.ndarray):
        size = len(folded.column)
        self.folded, self.sources = folded, []
        self.source, self.view, self.than = (np.zeros(size, np.int64) for _ in range(3))
        # What only NaN makes yes, or not only a code, is in a set of codes.
        single = (folded.mode == EQ) & ~folded.missing_yes
        kind = np.where(folded.mode == LEQ, RANK, np.where(single, EQUALS, SET))
        for column, asks in sorted({(int(folded.column[n]), int(kind[n])) for n in nodes}):
            of = nodes[(folded.column[nodes] == column) & (kind[nodes] == asks)]
            if asks == SET:
                self._ask_sets(column, of)
                continue
            cuts = np.unique(folded.split[of])
            place = np.searchsorted(cuts, folded.split[of])
            for at in range(0, len(cuts), SPAN):
                part = (place >= at) & (place < at + SPAN)
                self._ask_cuts(column, asks, cuts[at : at + SPAN], of[part], place[part] - at)
        first = np.cumsum([0, *(len(s.views) for s in self.sources)])
        if first[-1] > VIEWS or sum(s.slots for s in self.sources) > SLOTS:
            raise TooMany
        self.asked = self.view + first[self.source] << 8 | self.than

    def _ask_sets(self, column: int, nodes: np.ndarray) -> None:
        sets = [self._members(node) for node in nodes]
        made = _Source(column, True, np.unique(np.concatenate([np.array(s, float) for s, _ in sets])))
        if len(made.cuts) > SPAN:
            raise TooMany
        for node, (members, missing) in zip(nodes.tolist(), sets, strict=True):
            self.view[node] = made.view(SET, members, missing)
        self._add(made, nodes)

    def _ask_cuts(
        self, column: int, kind: int, cuts: np.ndarray, nodes: np.ndarray, place: np.ndarray
    ) -> None:
        made = _Source(column, kind == EQUALS, cuts)
        nan = np.where(self.folded.missing_yes[nodes], 0, 255) if kind == RANK else 0 * nodes
        base = place // CUTS * CUTS
        self.view[nodes] = [made.view(kind, b, n) for b, n in zip(base.tolist(), nan.tolist(), strict=True)]
        self.than[nodes] = place % CUTS
        self._add(made, nodes)

    def _add(self, source: _Source, nodes: np.ndarray) -> None:
        self.source[nodes] = len(self.sources)
        self.sources.append(source)

    def _members(self, node: int) -> tuple[tuple, bool]:
        split = self.folded.split[node]
        members = self.folded.sets[int(split)] if self.folded.mode[node] == MEMBER else (float(split),)
        return tuple(members), bool(self.folded.missing_yes[node])

    def arrays(self) -> dict[str, np.ndarray]:
        """sources, cuts, views and bits."""
        sources, cuts, views, bits = [], [], [], []
        size = 0  # of bits
        for source in self.sources:
            positions = MATCH if source.matches else ORDER
            sources.append([source.column, positions, len(source.cuts), len(source.views)])
            cuts.append(source.cuts)
            for kind, *rest in source.views:
                if kind == SET:
                    bits.append(_outside(source.cuts, *rest))
                    views.append([kind, size, 0])
                    size += len(bits[-1])
                else:
                    views.append([kind, *rest])
        return {
            "sources": np.array(sources, np.int32).reshape(-1, 4),
            "cuts": np.concatenate([np.empty(0), *cuts]),
            "views": np.array(views, np.int32).reshape(-1, 3),
            "bits": np.packbits(np.concatenate([np.empty(0, bool), *bits]), bitorder="little"),
        }


def _outside(cuts: np.ndarray, members: Sequence, missing: bool) -> np.ndarray:
    """Of each cut, of none of them and of NaN, whether it is not in the set; bool [cuts + 2]."""
    return np.append(~np.isin(cuts, np.array(members, np.float64)), [True, not missing])


def walk(folded: Folded, root: int, questions: _Questions) -> tuple[np.ndarray, np.ndarray]:
    """A tree's nodes level by level, uint32 [nodes], and its leaves in their order."""
    levels, level = [np.array([root])], np.array([root])
    while len(level := level[folded.yes[level] >= 0]):
        level = np.column_stack([folded.yes[level], folded.no[level]]).ravel()
        levels.append(level)
    order = np.concatenate(levels)
    leaf = folded.yes[order] < 0
    return np.where(leaf, LEAF, questions.asked[order]).astype(np.uint32), order[leaf]


def arrays(forest: Forest, folded: Folded) -> dict[str, np.ndarray]:
    """The operator's arrays, by name. TooMany of more questions than fit."""
    questions = _Questions(folded, _reached(folded))
    nodes, leaves = [np.empty(0, np.uint32)], [np.empty(0)]
    for root, target in zip(folded.roots.tolist(), forest.target.tolist(), strict=True):
        made, ends = walk(folded, root, questions)
        nodes.append(made)
        leaves.append(folded.leaf[ends, 0] if target >= 0 else folded.leaf[ends].ravel())
    return questions.arrays() | {
        "nodes": np.concatenate(nodes),
        "trees": forest.target.astype(np.int32),
        "leaves": np.concatenate(leaves).astype(np.float64),
        "base": np.asarray(forest.base, np.float64),
        "divisor": np.array([forest.divisor], np.float64),
    }


def attributes(forest: Forest, folded: Folded) -> dict:
    """The node's attributes. TooMany of more questions than fit."""
    made = {k: numpy_helper.from_array(v, k) for k, v in arrays(forest, folded).items() if len(v)}
    return made | {"single": int(forest.single)}


def _reached(folded: Folded) -> np.ndarray:
    """The nodes that ask, and that some row may come to; ascending."""
    found, level = [], np.unique(folded.roots)
    while len(level := level[folded.yes[level] >= 0]):
        found.append(level)
        level = np.unique(np.concatenate([folded.yes[level], folded.no[level]]))
    return np.unique(np.concatenate([np.empty(0, np.int64), *found])).astype(np.int64)
