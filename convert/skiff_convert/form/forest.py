"""Trees that ask values questions, and the sum of what their leaves say."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .values import Computed, Value

FLOAT32_LIMIT = 2.0**128 - 2.0**103  # the least double that float32 has not


@dataclass(frozen=True, eq=False)
class Trees:
    """Trees, their nodes one after another; arrays [nodes] but offsets [trees + 1], leaf [nodes, outputs].

    left and right are indices into these arrays, -1 at a leaf. A row goes left when its value, rounded to
    float32 if float32 is set, is <= threshold (< if strict is set); NaN when missing_left. Where category
    is not -1, it goes left when the value, a whole number, is in sets[category].
    """

    offsets: np.ndarray
    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    missing_left: np.ndarray
    leaf: np.ndarray
    strict: bool = False
    float32: bool = False
    category: np.ndarray | None = None
    sets: tuple[frozenset[int], ...] = ()

    def goes_left(self, node: int | np.ndarray, x: np.ndarray) -> np.ndarray:
        """Whether values go left at a node, or each at its own."""
        x = np.asarray(x, np.float64)
        with np.errstate(over="ignore", invalid="ignore"):  # rounding to infinity is meant
            asked = x.astype(np.float32).astype(np.float64) if self.float32 else x
            left = asked < self.threshold[node] if self.strict else asked <= self.threshold[node]
        left = np.where(np.isnan(x), self.missing_left[node], left)
        if self.category is None:
            return left
        return self._in_set(np.broadcast_to(node, x.shape), x, left)

    def _in_set(self, nodes: np.ndarray, x: np.ndarray, left: np.ndarray) -> np.ndarray:
        category = self.category[nodes]
        for number in np.unique(category[category >= 0]):
            of = category == number
            inside = np.isin(x[of], list(self.sets[number]))
            left[of] = np.where(np.isnan(x[of]), self.missing_left[nodes[of]], inside)
        return left

    def leaves(self, tree: int, matrix: np.ndarray) -> np.ndarray:
        """The node that each row ends at, int64 [rows]."""
        at = np.full(len(matrix), self.offsets[tree])
        while True:
            going = np.flatnonzero(self.left[at] >= 0)
            if not len(going):
                return at
            nodes = at[going]
            left = self.goes_left(nodes, matrix[going, self.feature[nodes]])
            at[going] = np.where(left, self.left[nodes], self.right[nodes])

    def certain(self, tree: int, matrix: np.ndarray, off: np.ndarray) -> np.ndarray:
        """Where a row ends at the same leaf however far its values are off; bool [rows]."""
        at, sure = np.full(len(matrix), self.offsets[tree]), np.ones(len(matrix), bool)
        while len(going := np.flatnonzero(self.left[at] >= 0)):
            nodes = at[going]
            x, far = matrix[going, self.feature[nodes]], off[going, self.feature[nodes]]
            left = self.goes_left(nodes, x)
            sure[going] &= (far == 0) | (
                self.goes_left(nodes, x - far) & self.goes_left(nodes, x + far) == left
            )
            sure[going] &= (far == 0) | (
                self.goes_left(nodes, x - far) | self.goes_left(nodes, x + far) == left
            )
            at[going] = np.where(left, self.left[nodes], self.right[nodes])
        return sure


@dataclass(frozen=True, eq=False)
class Forest:
    """base plus the leaves of all trees, added up in the trees' order, then divided by divisor.

    target is the output that a tree adds to, or -1: to all of them, leaf by leaf. single is whether the sums
    are float32. refuses is whether the original refuses what is beyond float32: the sums are NaN where a node
    makes such a value of others; that columns have none is for the columns.
    """

    values: tuple[Value, ...]
    trees: Trees
    base: np.ndarray  # [outputs]
    target: np.ndarray  # [trees]
    divisor: float = 1.0
    single: bool = False
    refuses: bool = False

    @property
    def width(self) -> int:
        """Outputs."""
        return len(self.base)

    @property
    def made(self) -> list[int]:
        """The places of the values that have to be within float32."""
        return [i for i, v in enumerate(self.values) if isinstance(v, Computed)] if self.refuses else []

    def inputs(self) -> Sequence[Value]:
        """The values."""
        return self.values

    def compute(self, matrix: np.ndarray) -> np.ndarray:
        """The sums, [rows, outputs]."""
        dtype = np.float32 if self.single else np.float64
        total = np.tile(self.base.astype(dtype), (len(matrix), 1))
        for tree, target in enumerate(self.target):
            leaf = self.trees.leaf[self.trees.leaves(tree, matrix)].astype(dtype)
            if target < 0:
                total += leaf
            else:
                total[:, target] += leaf[:, 0]
        total = total / dtype(self.divisor) if self.divisor != 1 else total
        if self.made:
            total[(np.abs(matrix[:, self.made]) >= FLOAT32_LIMIT).any(axis=1)] = np.nan
        return total

    def allowance(self, matrix: np.ndarray, off: np.ndarray | None = None) -> np.ndarray:
        """0, or infinite where a value is so far off that a question on its way might change."""
        out = np.zeros((len(matrix), self.width))
        if off is None:
            return out
        for tree in range(len(self.target)):
            out[~self.trees.certain(tree, matrix, off)] = np.inf
        return out

    def of(self, values: Sequence[Value]) -> "Forest":
        """The same trees over other values."""
        return replace(self, values=tuple(values))
