"""Stage 7, tables of any pipeline: chosen by an estimate, filled by the interpreter, proved in every cell."""

from collections.abc import Callable, Sequence

import numpy as np
import onnxruntime as ort

from . import grid, plan
from .axes import NoTable, axes_of
from .choose import MOST_CELLS, NODE, Wish, cost_of_table
from .columns import Column
from .errors import ConvertError
from .form import Forest, Head
from .grid import Axis, Table
from .proof import interpret
from .prove import open_session

# µs a row on one thread at batch 1,000, as those of choose.py, of skiff's operator: XGBoost's 100 trees of
# depth 6 over two numbers take 0.1 where the table takes 0.025, and 30 trees of depth 3 take 0.03.
OPERATOR = 0.02
CUTS = 0.012  # of a number
TREE = 0.0005
QUESTION = 26e-6
CLEARLY = 2.0  # times as fast a table has to be
OWN_CELLS = 2**18  # 2 MB, loaded in 2 ms, of a table that nobody asked for

ASKED = 0.022  # µs that the interpreter takes for a level of a tree, for many rows at a time
MOST_SECONDS = 10  # of it, for a table that nobody asked for


class Differs(ConvertError):
    """A table is not what it should be: trees are taken instead, where nobody asked for it."""


def lowered(
    head: Head,
    columns: Sequence[Column],
    estimator: str,
    wish: Wish,
    operator: bool,
    write: Callable[[Table], bytes],
    say: Callable[[str], None],
) -> tuple[Table, bytes] | None:
    """The table and its model, which write makes; None where trees, or sums, are better.

    operator: whether trees would run as skiff's. ConvertError where what is asked for cannot be had.
    """
    forests = plan.forests(head)
    if not forests and wish.lowering != "auto":
        raise ConvertError(f"a {estimator} cannot be lowered to {wish.lowering}", "leave --lowering out")
    if not forests or wish.lowering == "trees":
        return None
    hint = "--lowering trees (LOWERING=trees) takes any model of trees"
    try:
        axes = axes_of(head, columns)
        shape = " x ".join(f"{len(a):,} {'codes' if a.category else 'bins'}" for a in axes) or "1 cell"
        trees, cost = cost_of_trees(forests, axes, operator), cost_of_table(axes) * len(head.y)
        say(f"estimated a row: trees {trees:.2g} µs, a table of {shape} {cost:.2g} µs")
        _check_size(head, axes)
        if wish.lowering == "auto":
            _check_worth(head, axes, trees, cost)
        say(f"computing {grid.size(axes):,} cells")
        table = fill(head, columns, axes)
        model = write(table)
        say(prove(open_session(model), head, columns, table))
        if len(model) / 1e6 > wish.budget:
            hint = "--lowering trees (LOWERING=trees), or a larger --table-budget (TABLE_BUDGET=)"
            raise NoTable(f"it takes {len(model) / 1e6:.1f} MB, over --table-budget {wish.budget:g}")
        return table, model
    except NoTable as why:
        if wish.lowering == "table":
            raise ConvertError(f"cannot be lowered to a table: {why}", hint) from None
        say(f"no table: {why}")
        return None
    except Differs as why:
        if wish.lowering == "table":
            raise
        say(f"WARNING: no table: {why}; this is a fault of the converter, please report it")
        return None


def fill(head: Head, columns: Sequence[Column], axes: Sequence[Axis]) -> Table:
    """The table of what the interpreter makes of every cell, the same at both of its ends.

    NoTable where that is not known to the bit, Differs where the ends do.
    """
    ends = []
    for end in ("low", "high"):
        parts = []
        for _, X in grid.cells(axes, columns, end):
            y, off = interpret(head, X)
            if off.any():
                raise NoTable("what its trees are asked, or added to, is not known to the last bit")
            parts.append(y)
        ends.append(np.vstack(parts))
    low, high = ends
    _check_same(low, high, "at the other end of a cell")
    return Table(tuple(axes), low.reshape(*map(len, axes), -1))


def prove(session: ort.InferenceSession, head: Head, columns: Sequence[Column], table: Table) -> str:
    """Compares the graph with the table on both ends of every cell, and both with the interpreter between.

    How they agree. Differs at the first that does not.
    """
    rows = 0
    for X, expected in grid.rows(table, columns):
        _check_same(session.run(None, {"X": X})[0], expected, "in onnxruntime")
        rows += len(X)
    for X, expected in grid.others(table, columns):
        _check_same(interpret(head, X)[0], expected, "between the ends of a cell")
    return f"{rows:,} rows on both ends of every cell, every score equal to the last bit"


def cost_of_trees(forests: Sequence[Forest], axes: Sequence[Axis], operator: bool) -> float:
    """About how many µs a row takes by skiff's operator, or as TreeEnsemble."""
    if not operator:
        return NODE * sum(map(levels, forests))
    asked = sum(np.count_nonzero(forest.trees.left >= 0) for forest in forests)
    trees, numbers = sum(len(forest.target) for forest in forests), sum(not a.category for a in axes)
    return OPERATOR * len(forests) + CUTS * numbers + TREE * trees + QUESTION * asked


def levels(forest: Forest) -> float:
    """How many questions a row is asked, about: of each tree to the mean of its leaves."""
    trees, total = forest.trees, 0.0
    for root in trees.offsets[:-1].tolist():
        level, depth, leaves, deep = np.array([root]), 0, 0, 0
        while len(level):
            ends = int(np.count_nonzero(trees.left[level] < 0))
            level = level[trees.left[level] >= 0]
            leaves, deep, depth = leaves + ends, deep + depth * ends, depth + 1
            level = np.concatenate([trees.left[level], trees.right[level]])
        total += deep / leaves
    return total


def _check_size(head: Head, axes: Sequence[Axis]) -> None:
    cells = grid.size(axes) * len(head.y)
    if cells > MOST_CELLS:
        raise NoTable(f"it has {cells:,} cells, more than {MOST_CELLS:,}")


def _check_worth(head: Head, axes: Sequence[Axis], trees: float, table: float) -> None:
    cells = grid.size(axes)
    if table * CLEARLY > trees:
        raise NoTable("trees are about as fast")
    if cells * len(head.y) > OWN_CELLS:
        raise NoTable(f"it has {cells * len(head.y):,} cells, which take long to load")
    seconds = 2e-6 * cells * ASKED * sum(map(levels, plan.forests(head)))
    if seconds > MOST_SECONDS:
        raise NoTable(f"computing {cells:,} cells takes {seconds:.0f} s")


def _check_same(got: np.ndarray, want: np.ndarray, where: str) -> None:
    same = (got.view(np.int64) == want.view(np.int64)) | (np.isnan(got) & np.isnan(want))
    if not same.all():
        first = int(np.flatnonzero(~same.all(axis=1))[0])
        raise Differs(
            f"the table has {want[first].tolist()}, and {where} there is {got[first].tolist()}",
            "no bundle was written, this is a fault of the converter: please report it; "
            "--lowering trees (LOWERING=trees) is without a table",
        )
