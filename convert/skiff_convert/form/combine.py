"""What models of models make of their members: sums, votes, medians, and links in the middle of a graph.

Nodes here are exact: of exact inputs they make the bits that the original makes, but where one says
otherwise.
off is how far each of the inputs may be from the original's; allowance says how far the outputs may be then.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .links import link, link_allowance
from .values import Value

EPS = 2.0**-53


def nothing(matrix: np.ndarray, width: int) -> np.ndarray:
    """The allowance of what is exact."""
    return np.zeros((len(matrix), width))


@dataclass(frozen=True, eq=False)
class Sum:
    """The members' values added up, member by member from 0.0 on, then divided; values [members * width].

    ordered is whether the original adds in this order.
    """

    values: tuple[Value, ...]
    width: int = 1
    divisor: float = 1.0
    ordered: bool = True

    def inputs(self) -> Sequence[Value]:
        """The members' values, member by member."""
        return self.values

    def compute(self, matrix: np.ndarray) -> np.ndarray:
        """The sums, [rows, width]."""
        total = np.zeros((len(matrix), self.width))
        for start in range(0, matrix.shape[1], self.width):
            total = total + matrix[:, start : start + self.width]
        return total / self.divisor if self.divisor != 1 else total

    def allowance(self, matrix: np.ndarray, off: np.ndarray | None = None) -> np.ndarray:
        """0 of exact values in the original's order, else the sum of what the values are off by and
        rounding."""
        out = nothing(matrix, self.width)
        shape = (len(matrix), -1, self.width)
        members = matrix.shape[1] // self.width
        size = np.abs(matrix).reshape(shape).sum(axis=1) / abs(self.divisor)
        if off is not None and off.any():
            out += off.reshape(shape).sum(axis=1) / abs(self.divisor) + (members + 1) * 2 * EPS * size
        if not self.ordered:
            out += (members + 1) * 2 * EPS * size
        return out


@dataclass(frozen=True, eq=False)
class Largest:
    """The index of the largest value, the first of them, or the last; of one value, 1 where it is above cut,
    else 0."""

    values: tuple[Value, ...]
    cut: float = 0.0
    last: bool = False
    width: int = 1

    def inputs(self) -> Sequence[Value]:
        """The values."""
        return self.values

    def compute(self, matrix: np.ndarray) -> np.ndarray:
        """The index, [rows, 1]."""
        if matrix.shape[1] == 1:
            return (matrix > self.cut).astype(np.float64)
        if self.last:
            return matrix.shape[1] - 1 - np.argmax(matrix[:, ::-1], axis=1).astype(np.float64)[:, None]
        return np.argmax(matrix, axis=1).astype(np.float64)[:, None]

    def allowance(self, matrix: np.ndarray, off: np.ndarray | None = None) -> np.ndarray:
        """0 where the margin is beyond what the values are off by, else infinite."""
        out = nothing(matrix, 1)
        if off is not None and off.any():
            out[~certain(matrix, off, self.cut)] = np.inf
        return out


def certain(matrix: np.ndarray, off: np.ndarray, cut: float = 0.0) -> np.ndarray:
    """Where the largest value (or the side of cut) is the same however far the values are off; bool
    [rows]."""
    if matrix.shape[1] == 1:
        return (np.abs(matrix - cut) > off)[:, 0] | (off[:, 0] == 0)
    rows, best = np.arange(len(matrix)), np.argmax(matrix, axis=1)
    others = matrix + off
    others[rows, best] = -np.inf
    return (matrix[rows, best] - off[rows, best] > others.max(axis=1)) | ~off.any(axis=1)


@dataclass(frozen=True, eq=False)
class Table:
    """A row of numbers for each whole number from 0 on; table float64 [indices, width]."""

    values: tuple[Value]
    table: np.ndarray

    @property
    def width(self) -> int:
        """Numbers of a row."""
        return self.table.shape[1]

    def inputs(self) -> Sequence[Value]:
        """The index."""
        return self.values

    def compute(self, matrix: np.ndarray) -> np.ndarray:
        """The rows."""
        return self.table[matrix[:, 0].astype(np.int64)]

    def allowance(self, matrix: np.ndarray, off: np.ndarray | None = None) -> np.ndarray:
        """0, or how far two rows can be apart where the index is not certain."""
        out = nothing(matrix, self.width)
        if off is not None:
            out[off[:, 0] > 0] = np.ptp(self.table, axis=0)
        return out


@dataclass(frozen=True, eq=False)
class Median:
    """The weighted median: the value at which the weights, of values in order, reach half of their sum."""

    values: tuple[Value, ...]
    weights: np.ndarray
    width: int = 1

    def inputs(self) -> Sequence[Value]:
        """The values."""
        return self.values

    def compute(self, matrix: np.ndarray) -> np.ndarray:
        """The medians, [rows, 1]."""
        order = np.argsort(matrix, axis=1)
        reached = np.cumsum(self.weights[order], axis=1)
        at = (reached >= 0.5 * reached[:, -1:]).argmax(axis=1)
        rows = np.arange(len(matrix))
        return matrix[rows, order[rows, at]][:, None]

    def allowance(self, matrix: np.ndarray, off: np.ndarray | None = None) -> np.ndarray:
        """As far as the farthest value is off."""
        return nothing(matrix, 1) if off is None else off.max(axis=1, keepdims=True)


@dataclass(frozen=True, eq=False)
class Linked:
    """Scores through a link of head.LINKS, where something reads the result: probabilities of a member.

    exp and expit are the C library's; ONNX's own differ in the last bits, so that what this lowers to is
    bound,
    not exact, but where the original's is a bound already.
    """

    values: tuple[Value, ...]
    link: str
    width: int

    def inputs(self) -> Sequence[Value]:
        """The scores."""
        return self.values

    def compute(self, matrix: np.ndarray) -> np.ndarray:
        """What the link makes, [rows, width]."""
        return link(self.link, matrix)

    def allowance(self, matrix: np.ndarray, off: np.ndarray | None = None) -> np.ndarray:
        """What the link makes of what the scores are off by."""
        return link_allowance(self.link, matrix, off)


@dataclass(frozen=True, eq=False)
class Votes:
    """What one-against-one classifiers make of their pairs: votes, and confidences to break ties.

    values: for each pair (i, j), i < j, the index predicted (1 for j), then for each pair the confidence in
    j.
    Votes count for the class; the sum of confidences over 3 (|sum| + 1) is less than half a vote.
    """

    values: tuple[Value, ...]
    width: int

    def inputs(self) -> Sequence[Value]:
        """Predictions, then confidences."""
        return self.values

    def compute(self, matrix: np.ndarray) -> np.ndarray:
        """The decisions, [rows, classes]."""
        pairs = matrix.shape[1] // 2
        sums, votes = np.zeros((len(matrix), self.width)), np.zeros((len(matrix), self.width))
        for k, (i, j) in enumerate(pairs_of(self.width)):
            confidence, for_j = matrix[:, pairs + k], matrix[:, k] == 1
            sums[:, i] -= confidence
            sums[:, j] += confidence
            votes[~for_j, i] += 1
            votes[for_j, j] += 1
        return votes + sums / (3 * (np.abs(sums) + 1))

    def allowance(self, matrix: np.ndarray, off: np.ndarray | None = None) -> np.ndarray:
        """Infinite where a vote is not certain, else what the confidences are off by."""
        out = nothing(matrix, self.width)
        if off is None or not off.any():
            return out
        pairs = matrix.shape[1] // 2
        for k, (i, j) in enumerate(pairs_of(self.width)):
            for c in (i, j):
                out[:, c] += off[:, pairs + k] + 4 * EPS * (np.abs(matrix[:, pairs + k]) + 1)
                out[off[:, k] > 0, c] = np.inf
        return out + 8 * self.width * EPS


def pairs_of(classes: int) -> list[tuple[int, int]]:
    """All pairs of classes, in the order that libsvm and OneVsOneClassifier have them."""
    return [(i, j) for i in range(classes) for j in range(i + 1, classes)]
