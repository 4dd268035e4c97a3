"""Stage 7, which lowering: the cheaper of trees and table, by an estimate, unless one is asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from . import grid
from .columns import Column
from .errors import ConvertError
from .grid import Axis, Table
from .lower import Lowering, lower
from .neutral import Linear, Pipeline, Trees
from .reader import Reader

WISHES = ("auto", "trees", "table")

# µs a row on one thread at batch 1,000, onnxruntime 1.32, the taxi forest: 100 trees 20 deep take 8.6.
NODE = 0.0045  # of a tree, on the way to a leaf
TABLE = 0.015  # beside the searches
NUMBER = 0.01  # the bucket
STEP = 0.003  # from its first bin
CODE = 0.003  # a category's row

MOST_CELLS = 2**24  # that are held in memory, 128 MB, a few times over
MOST_SECONDS = 600  # of asking the original, as it is estimated, when nobody asked for a table


@dataclass(frozen=True)
class Wish:
    """What is asked for."""

    lowering: str = "auto"  # one of WISHES
    budget: float = 32.0  # MB (10^6 bytes) of a table's model.onnx, at most


def choose(
    pipeline: Pipeline,
    columns: Sequence[Column],
    run_id: str,
    reader: Reader,
    wish: Wish,
    say: Callable[[str], None],
) -> tuple[Lowering, Table | None]:
    """The lowering, with its table if it is one. ConvertError when a wish cannot be had."""
    if isinstance(pipeline.estimator, Linear):
        if wish.lowering != "auto":
            raise ConvertError(
                f"a {pipeline.estimator_class} cannot be lowered to {wish.lowering}", "leave --lowering out"
            )
        return lower(pipeline, columns, run_id), None
    if wish.lowering == "trees":
        return lower(pipeline, columns, run_id), None

    axes = grid.axes(pipeline, columns)
    trees_cost, table_cost = cost_of_trees(pipeline.estimator), cost_of_table(axes)
    shape = " x ".join(f"{len(a):,} {'codes' if a.category else 'bins'}" for a in axes) or "1 cell"
    say(f"estimated a row: trees {trees_cost:.2g} µs, a table of {shape} {table_cost:.2g} µs")
    against = _against(pipeline, axes, trees_cost, table_cost, hurry=wish.lowering == "auto")
    hint = "--lowering trees (LOWERING=trees) takes any number of thresholds"
    if not against:
        say(f"asking the original pipeline about {grid.size(axes):,} cells")
        table = Table(axes, reader.table(axes, lambda done: say(f"{done} cells")))
        lowering = lower(pipeline, columns, run_id, table)
        megabytes = len(lowering.model) / 1e6
        if megabytes <= wish.budget:
            return lowering, table
        against = f"it takes {megabytes:.1f} MB, over --table-budget {wish.budget:g}"
        hint = "--lowering trees (LOWERING=trees), or a larger --table-budget (TABLE_BUDGET=)"
    if wish.lowering == "table":
        raise ConvertError(f"cannot be lowered to a table: {against}", hint)
    say(f"no table: {against}")
    return lower(pipeline, columns, run_id), None


def cost_of_trees(trees: Trees) -> float:
    """About how many µs a row takes: a step for each level on the way to the leaves."""
    depth, level, levels, leaves = 0, trees.offsets[:-1], 0, 0
    while len(level):
        leaf = trees.left[level] < 0
        leaves, levels = leaves + np.count_nonzero(leaf), levels + depth * np.count_nonzero(leaf)
        level = np.concatenate([trees.left[level[~leaf]], trees.right[level[~leaf]]])
        depth += 1
    return NODE * levels / leaves * (len(trees.offsets) - 1)


def cost_of_table(axes: Sequence[Axis]) -> float:
    """About how many µs a row takes: a search for each number, a look-up for each category."""
    return TABLE + sum(CODE if a.category else NUMBER + STEP * len(a.search.steps()) for a in axes)


def _against(
    pipeline: Pipeline, axes: Sequence[Axis], trees_cost: float, table_cost: float, hurry: bool
) -> str:
    """What speaks against asking for a table, or ""."""
    cells = grid.size(axes)
    if pipeline.accepts_beyond_float32:
        return "the pipeline takes numbers beyond float32"
    if cells > MOST_CELLS:
        return f"it has {cells:,} cells, more than {MOST_CELLS:,}"
    if hurry and cells * trees_cost > MOST_SECONDS * 1e6:
        return f"asking the original about {cells:,} cells takes {cells * trees_cost / 6e7:.0f} minutes"
    if hurry and trees_cost <= table_cost:
        return "trees are as fast"
    return ""
