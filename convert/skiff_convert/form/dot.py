"""Weighted sums, and other arithmetic over several values."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .values import Value


@dataclass(frozen=True, eq=False)
class Dot:
    """values @ weights + intercept; weights float64 [values, outputs], intercept [outputs].

    ordered is whether the original adds the terms up in the values' order from 0.0 and the intercept last,
    as scipy does with sparse rows: then the bits are known. Otherwise a BLAS does it in an order of its own.
    single is whether products and sums are float32 and start from the intercept, as XGBoost has them.
    """

    values: tuple[Value, ...]
    weights: np.ndarray
    intercept: np.ndarray
    ordered: bool
    single: bool = False

    @property
    def width(self) -> int:
        """Outputs."""
        return self.weights.shape[1]

    def inputs(self) -> Sequence[Value]:
        """The values."""
        return self.values

    def compute(self, matrix: np.ndarray) -> np.ndarray:
        """The sums, term by term in the values' order."""
        if self.single:
            return self._single(matrix.astype(np.float32), self.weights.astype(np.float32))
        total = np.zeros((len(matrix), self.width))
        for column, weights in zip(matrix.T, self.weights, strict=True):
            total = total + column[:, None] * weights
        return total + self.intercept

    def _single(self, matrix: np.ndarray, weights: np.ndarray) -> np.ndarray:
        total = np.tile(self.intercept.astype(np.float32), (len(matrix), 1))
        for column, of_column in zip(matrix.T, weights, strict=True):
            total += column[:, None] * of_column
        return total

    def allowance(self, matrix: np.ndarray, off: np.ndarray | None = None) -> np.ndarray:
        """How far two orders of a sum may be apart, n * 2**-52 * the sum of |terms|; [rows, outputs]."""
        if self.ordered and off is None:
            return np.zeros((len(matrix), self.width))
        terms = np.abs(matrix) @ np.abs(self.weights) + np.abs(self.intercept)
        further = 0.0 if off is None else off @ np.abs(self.weights)
        return (len(self.weights) + 1) * 2.0**-53 * terms * 2 + further


@dataclass(frozen=True, eq=False)
class Product:
    """The product of values, from the first on."""

    values: tuple[Value, ...]
    width: int = 1

    def inputs(self) -> Sequence[Value]:
        """The factors."""
        return self.values

    def compute(self, matrix: np.ndarray) -> np.ndarray:
        """The products, [rows, 1]."""
        total = matrix[:, 0]
        for column in matrix.T[1:]:
            total = total * column
        return total[:, None]

    def allowance(self, matrix: np.ndarray, off: np.ndarray | None = None) -> np.ndarray:
        """0 of exact factors, else the products at their farthest."""
        if off is None:
            return np.zeros((len(matrix), 1))
        size = np.abs(matrix)
        far = np.prod(size + off, axis=1) - np.prod(size, axis=1)
        return (far + matrix.shape[1] * 2.0**-52 * np.prod(size + off, axis=1))[:, None]


@dataclass(frozen=True, eq=False)
class Norm:
    """Values by their row's norm: l1 the sum of sizes, l2 the root of the sum of squares, max the largest
    size.

    A row of zeros stays as it is. ordered is whether the original adds up in the values' order, as it does
    with
    sparse rows; otherwise as numpy or a BLAS does, within n roundings of the sum.
    """

    values: tuple[Value, ...]
    kind: str
    ordered: bool

    @property
    def width(self) -> int:
        """As many as there are values."""
        return len(self.values)

    def inputs(self) -> Sequence[Value]:
        """The values."""
        return self.values

    def compute(self, matrix: np.ndarray) -> np.ndarray:
        """The values by the norm, [rows, values]."""
        norm = self._norm(matrix)
        return matrix / np.where(norm == 0, 1.0, norm)[:, None]

    def _norm(self, matrix: np.ndarray) -> np.ndarray:
        if self.kind == "max":
            return np.abs(matrix).max(axis=1)
        total = np.zeros(len(matrix))
        for column in matrix.T:
            total = total + (column * column if self.kind == "l2" else np.abs(column))
        return np.sqrt(total) if self.kind == "l2" else total

    def allowance(self, matrix: np.ndarray, off: np.ndarray | None = None) -> np.ndarray:
        """0 in the original's order and of the largest, else n roundings of the result."""
        result = np.abs(self.compute(matrix))
        out = np.zeros(matrix.shape)
        if not self.ordered and self.kind != "max":
            out = (matrix.shape[1] + 2) * 2.0**-53 * result * 2
        if off is not None and off.any():
            norm = self._norm(matrix)[:, None]
            far = off.sum(axis=1, keepdims=True)
            with np.errstate(divide="ignore", invalid="ignore"):
                wide = (off + result * far) / np.maximum(norm - far, 0) * 2 + 4 * matrix.shape[
                    1
                ] * 2.0**-53 * result
            out = out + np.where(np.isnan(wide), np.inf, wide)
        return out
