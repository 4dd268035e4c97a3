"""Stage 8, trees: rows that come to each split and answer it either way.

A wrong threshold deep in a forest is only seen by a row that gets there, which random rows hardly do. So the
way to every split is followed down from the root, and two rows are made of what it asks for: one at the
graph's own threshold, one a double above it.
"""

from collections.abc import Sequence

import numpy as np

from .columns import FLOAT32_LIMIT, Column
from .lower_trees import BRANCH_EQ, Splits, over_columns
from .neutral import Trees

LARGEST = 20_000_000  # numbers held at a time, 160 MB


def witnesses(trees: Trees, columns: Sequence[Column], most: int) -> np.ndarray:
    """Distinct rows of X, float64 [rows, columns], on both sides of the splits; at most so many of them."""
    splits = over_columns(trees, columns)
    roots = trees.offsets[:-1]
    share = max(1, LARGEST // (len(roots) * len(columns)))  # of each tree, before the trees' common rows go
    rows = np.vstack([_thin(_of_tree(root, trees, splits, len(columns)), share) for root in roots])
    return _thin(rows[(np.abs(rows) < FLOAT32_LIMIT).all(axis=1)], most)


def _thin(rows: np.ndarray, most: int) -> np.ndarray:
    """The distinct rows, every second, third… of them where there are too many."""
    rows = np.unique(rows, axis=0)
    return rows[:: max(1, -(-len(rows) // most))]


def _of_tree(root: int, trees: Trees, splits: Splits, width: int) -> np.ndarray:
    """Rows on both sides of each split of a tree, level by level.

    On its way to a node a row must have low < x <= high in a number's column, and the code, if one was asked
    for and answered yes, in a category's; code 0, the unknown, answers no to all.
    """
    nodes = np.array([root])
    low, high, code = np.full((1, width), -np.inf), np.full((1, width), np.inf), np.zeros((1, width))
    rows = [np.empty((0, width))]
    while True:
        asks = trees.left[nodes] >= 0
        nodes, low, high, code = nodes[asks], low[asks], high[asks], code[asks]
        if not len(nodes):
            return np.vstack(rows)
        at, column, split = np.arange(len(nodes)), splits.column[nodes], splits.split[nodes]
        equal = splits.mode[nodes] == BRANCH_EQ
        here = np.where(np.isfinite(high), high, np.where(np.isfinite(low), np.nextafter(low, np.inf), 0.0))
        here = np.where(np.isinf(low) & np.isinf(high), code, here)

        above = np.nextafter(split, np.inf)
        yes_row, no_row = here.copy(), here.copy()
        yes_row[at, column] = split
        no_row[at, column] = np.where(equal, code[at, column], above)
        had = code[at, column]
        yes_can = np.where(equal, (had == 0) | (had == split), (low[at, column] < split))
        no_can = np.where(equal, had != split, above <= high[at, column])
        rows += [yes_row[yes_can], no_row[no_can]]

        yes_high, no_low, yes_code = high.copy(), low.copy(), code.copy()
        yes_high[at, column] = np.where(equal, high[at, column], np.minimum(high[at, column], split))
        no_low[at, column] = np.where(equal, low[at, column], np.maximum(low[at, column], split))
        yes_code[at, column] = np.where(equal, split, had)
        nodes = np.concatenate([splits.yes[nodes][yes_can], splits.no[nodes][no_can]])
        low = np.vstack([low[yes_can], no_low[no_can]])
        high = np.vstack([yes_high[yes_can], high[no_can]])
        code = np.vstack([yes_code[yes_can], code[no_can]])
