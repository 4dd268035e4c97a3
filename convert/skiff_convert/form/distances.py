"""What compares a record with rows that were learned: kernels, nearest neighbours."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .combine import EPS
from .links import exp
from .values import Value

CHUNK = 1 << 22  # numbers at a time
LARGEST = 1e308


@dataclass(frozen=True, eq=False)
class Kernel:
    """The kernel of a record with each of the rows, float64 [rows, values]; width is how many rows.

    kind       result
    linear     x . row
    poly       (gamma x . row + coef0) to the degree
    sigmoid    tanh(gamma x . row + coef0)
    rbf        exp(-gamma |x - row|**2)

    The original adds the terms up as a BLAS does: a bound.
    """

    values: tuple[Value, ...]
    rows: np.ndarray
    kind: str
    gamma: float = 1.0
    coef0: float = 0.0
    degree: float = 3.0

    @property
    def width(self) -> int:
        """Rows that were learned."""
        return len(self.rows)

    def inputs(self) -> Sequence[Value]:
        """The values."""
        return self.values

    def compute(self, matrix: np.ndarray) -> np.ndarray:
        """The kernel, [rows, width]."""
        if self.kind == "rbf":
            return exp(-self.gamma * squares(matrix, self.rows))
        dot = matrix @ self.rows.T
        if self.kind == "linear":
            return dot
        base = self.gamma * dot + self.coef0
        return np.tanh(base) if self.kind == "sigmoid" else base**self.degree

    def allowance(self, matrix: np.ndarray, off: np.ndarray | None = None) -> np.ndarray:
        """What n roundings of the sum of |terms| make of the kernel."""
        far = np.zeros_like(matrix) if off is None else off
        n = matrix.shape[1] + 4
        if self.kind == "rbf":
            square = squares(matrix, self.rows)
            most = far.sum(axis=1, keepdims=True)
            square = np.minimum(square, LARGEST)  # beyond it the kernel is 0, however far off
            wide = 2 * (np.sqrt(square) + most) * most
            result = exp(-self.gamma * square)
            return (
                result * np.expm1(np.minimum(self.gamma * (4 * n * EPS * square + wide), 700))
                + 4 * EPS * result
            )
        terms = np.abs(matrix) @ np.abs(self.rows.T)
        dot = 2 * n * EPS * terms + far @ np.abs(self.rows.T)
        if self.kind == "linear":
            return dot
        base = self.gamma * (matrix @ self.rows.T) + self.coef0
        wide = abs(self.gamma) * dot + 4 * EPS * (np.abs(base) + abs(self.coef0))
        if self.kind == "sigmoid":
            return wide + 4 * EPS  # of slope 1 or less
        size = np.abs(base) + wide
        slope = self.degree * size ** max(self.degree - 1, 0)
        return slope * wide + 2 * EPS * (self.degree + 2) * size**self.degree


def squares(matrix: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The squared distances, [rows of matrix, rows], each term's square in the columns' order."""
    total = np.zeros((len(matrix), len(rows)))
    for column, of in zip(matrix.T, rows.T, strict=True):
        total = total + (column[:, None] - of) ** 2
    return total


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The mean of targets over the nearest rows; rows float64 [rows, values], targets [rows, width].

    power is Minkowski's: 2, 1 or inf. weighted is whether by 1 / distance (rows at distance 0 alone where
    there
    are any), else all count the same. Of rows equally far the first: the original takes what its search
    meets,
    so that a tie at the last place has no bound.
    """

    values: tuple[Value, ...]
    rows: np.ndarray
    targets: np.ndarray
    count: int
    power: float = 2.0
    weighted: bool = False

    @property
    def width(self) -> int:
        """Targets."""
        return self.targets.shape[1]

    def inputs(self) -> Sequence[Value]:
        """The values."""
        return self.values

    def compute(self, matrix: np.ndarray) -> np.ndarray:
        """The means, [rows, width]."""
        return self._all(matrix, None)[0]

    def allowance(self, matrix: np.ndarray, off: np.ndarray | None = None) -> np.ndarray:
        """Infinite where other rows might be the nearest, else rounding; 0 for counts of classes."""
        return self._all(matrix, np.zeros_like(matrix) if off is None else off)[1]

    def _all(self, matrix: np.ndarray, off: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        out, allowed = np.zeros((2, len(matrix), self.width))
        step = max(1, CHUNK // max(1, len(self.rows)))
        for start in range(0, len(matrix), step):
            part = slice(start, start + step)
            out[part], allowed[part] = self._some(matrix[part], None if off is None else off[part])
        return out, allowed

    def _some(self, matrix: np.ndarray, off: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        raw = self._distances(matrix)
        order = np.argsort(raw, axis=1, kind="stable")
        nearest = order[:, : self.count]
        at = np.take_along_axis(raw, nearest, axis=1)
        weights = np.ones_like(at)
        if self.weighted:
            with np.errstate(divide="ignore"):
                weights = 1.0 / (np.sqrt(at) if self.power == 2 else at)
            zero = np.isinf(weights)
            weights[zero.any(axis=1)] = zero[zero.any(axis=1)]
        targets = self.targets[nearest]
        out = (targets * weights[:, :, None]).sum(axis=1) / weights.sum(axis=1)[:, None]
        if off is None:
            return out, np.zeros_like(out)
        return out, self._allowed(matrix, off, raw, order, targets, out)

    def _allowed(self, matrix, off, raw, order, targets, out) -> np.ndarray:  # noqa: ANN001
        far = off.sum(axis=1, keepdims=True)
        n = matrix.shape[1] + 4
        if self.power == 2:  # |x|**2 - 2 x . row + |row|**2
            sizes = (matrix**2).sum(axis=1, keepdims=True) + (self.rows**2).sum(axis=1)
            wide = 8 * n * EPS * sizes + 2 * (np.sqrt(raw) + far) * far
        else:
            wide = 4 * n * EPS * raw + far
        whole = ((targets == 0) | (targets == 1)).all() and not self.weighted
        allowed = 4 * (self.count + 2) * EPS * np.abs(targets).mean(axis=1) * (0.0 if whole else 1.0)
        if self.weighted:
            at, of = (
                np.take_along_axis(raw, order[:, : self.count], 1),
                np.take_along_axis(wide, order[:, : self.count], 1),
            )
            with np.errstate(divide="ignore", invalid="ignore"):
                relative = np.where((at == 0) & (of == 0), 0, of / np.maximum(at - of, 0)).max(axis=1)
            allowed += 2 * np.nan_to_num(relative, nan=np.inf)[:, None] * np.abs(targets).max(axis=1)
        if len(self.rows) > self.count:
            last, after = order[:, self.count - 1], order[:, self.count]
            line = np.arange(len(matrix))
            with np.errstate(invalid="ignore"):  # what is beyond float64 is equally far
                sure = raw[line, after] - raw[line, last] > wide[line, after] + wide[line, last]
            allowed[~sure] = np.inf
        return allowed

    def _distances(self, matrix: np.ndarray) -> np.ndarray:
        """Squared for power 2, whose order is the same."""
        if self.power == 2:
            return squares(matrix, self.rows)
        total = np.zeros((len(matrix), len(self.rows)))
        for column, of in zip(matrix.T, self.rows.T, strict=True):
            away = np.abs(column[:, None] - of)
            total = np.maximum(total, away) if self.power == np.inf else total + away
        return total
