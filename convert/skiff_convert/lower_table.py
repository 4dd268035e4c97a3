"""Stage 7, tables: a predicted value for every code and bin, in pages.

The table is [rows, bins], its bins padded to whole pages of `width` bins. Where codes behave alike the same
pages come back, so each is kept once, all of them in one array `values` [pages * width], and `pages`
[rows * pages a row] says where a page starts:

    bin   = how many thresholds are < x              one balanced tree per number column
    page  = row * pages a row + bin // width         row gathered by code
    y     = values[pages[page] + bin]                pages[page] is the start less the first bin of the page

Of the original's bits nothing is lost, and no arithmetic is done on them. With several numbers each tree's
leaves are bins times a stride, added up by the TreeEnsemble; with several categories rows are.
"""

from collections.abc import Sequence

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from .columns import Column
from .grid import Axis, Table
from .lower_trees import BRANCH_LEQ, Splits, tree_ensemble
from .neutral import Trees

WIDTHS = (8, 16, 32, 64, 128, 256, 512)  # bins a page: what takes the fewest bytes is taken


def lower_table(table: Table, columns: Sequence[Column]) -> tuple[list[NodeProto], list[TensorProto]]:
    """Nodes and constants that compute y from X."""
    bits, groups = table.cells.view(np.int64), []  # of each axis: which of the values left a value has become
    for i, axis in enumerate(table.axes):
        bits, group = _merge(bits, i, axis.category)
        groups.append(group)
    categories = sum(axis.category for axis in table.axes)
    bins = int(np.prod(bits.shape[categories:], dtype=np.int64))
    values, pages, width = _paginate(bits.reshape(-1, bins))
    strides = _strides(bits.shape[:categories]) + _strides(bits.shape[categories:])

    nodes = [
        _search(table.axes[categories:], groups[categories:], strides[categories:]),
        helper.make_node("Cast", ["found"], ["bin"], to=TensorProto.INT32),
        helper.make_node("Div", ["bin", "width"], ["p0"]),
    ]
    constants = [
        _constant("width", [[width]]),
        _constant("pages", (pages - np.arange(pages.shape[1]) * width).ravel()),
        numpy_helper.from_array(values.view(np.float64), "values"),
    ]
    for i, axis in enumerate(table.axes[:categories]):
        row = np.full(1 + len(columns[axis.column].vocabulary), groups[i][0])
        row[axis.low.astype(np.int64)] = groups[i]
        constants.append(_constant(f"i{i}", [axis.column]))
        constants.append(_constant(f"rows{i}", row * strides[i] * pages.shape[1]))
        nodes += [
            helper.make_node("Gather", ["X", f"i{i}"], [f"x{i}"], axis=1),
            helper.make_node("Cast", [f"x{i}"], [f"code{i}"], to=TensorProto.INT32),
            helper.make_node("Gather", [f"rows{i}", f"code{i}"], [f"row{i}"]),
            helper.make_node("Add", [f"p{i}", f"row{i}"], [f"p{i + 1}"]),
        ]
    nodes += [
        helper.make_node("Gather", ["pages", f"p{categories}"], ["start"]),
        helper.make_node("Add", ["start", "bin"], ["at"]),
        helper.make_node("Gather", ["values", "at"], ["y"]),
    ]
    return nodes, constants


def _constant(name: str, value: Sequence | np.ndarray) -> TensorProto:
    """Indices, int32: half the bytes of int64, and no slower."""
    value = np.asarray(value)
    assert np.abs(value).max(initial=0) <= np.iinfo(np.int32).max
    return numpy_helper.from_array(value.astype(np.int32), name)


def _strides(shape: Sequence[int]) -> list[int]:
    return [int(np.prod(shape[i + 1 :], dtype=np.int64)) for i in range(len(shape))]


def _merge(bits: np.ndarray, i: int, anywhere: bool) -> tuple[np.ndarray, np.ndarray]:
    """The cells with equal values of axis i merged, neighbours only unless anywhere; what each has become."""
    lines = np.ascontiguousarray(np.moveaxis(bits, i, 0)).reshape(bits.shape[i], -1)
    if anywhere:
        _, first, group = np.unique(_as_bytes(lines), return_index=True, return_inverse=True)
    else:
        new = np.concatenate([[True], (lines[1:] != lines[:-1]).any(axis=1)])
        first, group = np.flatnonzero(new), np.cumsum(new) - 1
    return bits.take(first, axis=i), group


def _as_bytes(lines: np.ndarray) -> np.ndarray:
    """Lines [lines, width] as one opaque value each, [lines]."""
    return np.ascontiguousarray(lines).view(np.dtype((np.void, lines.shape[1] * lines.itemsize))).ravel()


def _paginate(bits: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """The cells [rows, bins] as distinct pages: values [pages, width], starts [rows, pages a row], width."""
    best = None
    for width in WIDTHS:
        padded = np.pad(bits, ((0, 0), (0, -bits.shape[1] % width)), mode="edge")
        distinct, number = np.unique(_as_bytes(padded.reshape(-1, width)), return_inverse=True)
        size = distinct.nbytes + 4 * len(number)
        if best is None or size < best[0]:
            best = size, distinct.view(np.int64), number.reshape(len(bits), -1) * width, width
        if width >= bits.shape[1]:
            break
    return best[1:]


def _search(axes: Sequence[Axis], groups: Sequence[np.ndarray], strides: Sequence[int]) -> NodeProto:
    """The node that finds the bin: a balanced tree per number; without numbers, one leaf, of bin 0."""
    nodes: list[list[float]] = []  # of all trees: column, split, yes, no, the leaf's value
    roots = []

    def grow(column: int, cuts: np.ndarray, first: int, stride: int) -> int:
        """The tree that tells bins apart at the cuts, the lowest being the first; its root."""
        node = len(nodes)
        nodes.append([column, 0.0, -1, -1, first * stride])
        if len(cuts):
            half = len(cuts) // 2
            yes = grow(column, cuts[:half], first, stride)
            no = grow(column, cuts[half + 1 :], first + half + 1, stride)
            nodes[node] = [column, cuts[half], yes, no, 0.0]
        return node

    for axis, group, stride in zip(axes, groups, strides, strict=True):
        roots.append(grow(axis.column, axis.cuts[np.diff(group) > 0], 0, stride))
    if not roots:
        roots.append(grow(0, np.empty(0), 0, 1))
    column, split, yes, no, value = np.array(nodes, np.float64).T
    column, yes, no = column.astype(np.int64), yes.astype(np.int64), no.astype(np.int64)
    never = np.zeros(len(nodes), bool)
    trees = Trees(np.array([*roots, len(nodes)]), yes, no, column, split, value, never, averaged=False)
    leq, itself = np.full(len(nodes), BRANCH_LEQ), np.arange(len(nodes))
    return tree_ensemble("found", trees, Splits(column, leq, split, yes, no, never, itself), False)
