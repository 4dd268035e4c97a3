"""Stage 7, tables: a predicted value for every code and bin, in pages.

The table is [rows, bins], its bins padded to whole pages of `width` bins. Where codes behave alike the same
pages come back, so each is kept once, all of them in one array `values` [pages * width], and `pages`
[rows * pages a row] says where a page starts:

    bin   = how many thresholds are < x              search.py
    page  = row * pages a row + bin // width         row looked up by code
    y     = values[pages[page] + bin]                pages[page] is the start less the first bin of the page

Of the original's bits nothing is lost, and no arithmetic is done on them. With several numbers bins are added
up, each times a stride; with several categories rows are.

Of several outputs each has rows of its own, one output's after another's, and bins are found once.

Everything is done on vectors, by GatherElements: Gather copies each element by itself, which takes eight
times as long.
"""

from collections.abc import Sequence

import numpy as np
from onnx import NodeProto, TensorProto

from .columns import Column
from .graph import Graph
from .grid import Table

WIDTHS = (8, 16, 32, 64, 128, 256, 512)  # bins a page: what takes the fewest bytes is taken


def lower_table(table: Table, columns: Sequence[Column]) -> tuple[list[NodeProto], list[TensorProto]]:
    """Nodes and constants that compute y from X."""
    categories = [axis for axis in table.axes if axis.category]
    numbers = table.axes[len(categories) :]
    bits, rows = table.cells.view(np.int64), []  # of each category: the row of each of its codes
    bits = bits.reshape(*map(len, table.axes), -1)  # outputs last
    for i, axis in enumerate(categories):
        bits, group = _merge(bits, i)
        rows.append(group[axis.values(1 + len(columns[axis.column].vocabulary))])
    heights, widths = bits.shape[: len(categories)], bits.shape[len(categories) : -1]
    outputs = np.moveaxis(bits, -1, 0)
    values, pages, width = _paginate(np.ascontiguousarray(outputs).reshape(-1, int(np.prod(widths))))

    graph = Graph()
    x = graph.columns("X", len(columns), [axis.column for axis in table.axes])
    terms, bins = [], []  # of the page's index, and of the bin
    for i, (axis, stride) in enumerate(zip(categories, _strides(heights), strict=True)):
        starts = graph.index(f"rows{i}", rows[i] * stride * pages.shape[1])
        code = graph.add("Cast", x[axis.column], to=TensorProto.INT32)
        terms.append(graph.add("GatherElements", starts, code))
    for i, (axis, stride) in enumerate(zip(numbers, _strides(widths), strict=True)):
        found = axis.search.write(graph, x[axis.column], str(i))
        bins.append(found if stride == 1 else graph.add("Mul", found, graph.index(f"stride{i}", stride)))
    if bins:
        bins = [graph.sum(bins)]
        terms.append(graph.add("Div", *bins, graph.index("width", width)))
    starts = graph.index("pages", (pages - np.arange(pages.shape[1]) * width).ravel())
    real, page = graph.real("values", values.view(np.float64).ravel()), graph.sum(terms)
    tall, scores = graph.shape("tall", -1, 1), []
    for j in range(len(outputs)):
        own = page
        if j:
            own = graph.add("Add", page, graph.index(f"output{j}", j * pages.size // len(outputs)))
        at = graph.sum([graph.add("GatherElements", starts, own), *bins])
        y = graph.add("GatherElements", real, at)
        name = "y" if len(outputs) == 1 else f"y{j}"
        scores.append(graph.add("Reshape", y, tall, name=name))
    if len(scores) > 1:
        graph.add("Concat", *scores, name="y", axis=1)
    return graph.nodes, graph.constants


def _strides(shape: Sequence[int]) -> list[int]:
    return [int(np.prod(shape[i + 1 :], dtype=np.int64)) for i in range(len(shape))]


def _merge(bits: np.ndarray, i: int) -> tuple[np.ndarray, np.ndarray]:
    """The cells with equal values of axis i merged; what each value has become."""
    lines = np.ascontiguousarray(np.moveaxis(bits, i, 0)).reshape(bits.shape[i], -1)
    _, first, group = np.unique(_as_bytes(lines), return_index=True, return_inverse=True)
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
