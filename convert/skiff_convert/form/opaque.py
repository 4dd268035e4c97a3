"""A step that skiff has no meaning of: another converter's graph, and how near it was found to be."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .values import Value


@dataclass
class Measured:
    """How far a step's graph was from the original: part of the size of its results, scale added to that.

    Nothing is known before it is measured: then it is infinite.
    """

    part: float = np.inf
    scale: float = 1.0

    def of(self, results: np.ndarray) -> np.ndarray:
        """The bound of each result, absolute, [rows, width]: all of a row have that of its largest."""
        size = np.abs(results).max(axis=1, keepdims=True, initial=0.0) + self.scale
        return np.broadcast_to(self.part * size, results.shape)


@dataclass(frozen=True, eq=False)
class Opaque:
    """A step by its name, as a graph of ONNX that sklearn-onnx made; run is that graph in onnxruntime."""

    values: tuple[Value, ...]
    name: str
    model: bytes
    output: str  # of the graph
    width: int
    run: Callable[[np.ndarray], np.ndarray]
    bound: Measured

    def inputs(self) -> Sequence[Value]:
        """The values."""
        return self.values

    def compute(self, matrix: np.ndarray) -> np.ndarray:
        """What the graph makes, [rows, width]."""
        return self.run(matrix)

    def allowance(self, matrix: np.ndarray, off: np.ndarray | None = None) -> np.ndarray:
        """The bound that was measured; of an input that is off, twice what the graph makes of that."""
        at = self.compute(matrix)
        out = np.array(self.bound.of(at))
        for j in np.flatnonzero(off.any(axis=0)) if off is not None else ():
            ends = []
            for way in (-1, 1):
                moved = matrix.copy()
                moved[:, j] += way * off[:, j]
                ends.append(np.abs(self.compute(moved) - at))
            out += 2 * np.where(np.isnan(at), 0.0, np.nan_to_num(np.maximum(*ends), nan=np.inf))
        return out
