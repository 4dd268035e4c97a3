"""Stage 7: an ONNX graph as it is written down, node after node, the names in between made up."""

from collections.abc import Iterable

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper


class Graph:
    """Nodes and their constants, in the order they were added."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self._known: set[str] = set()
        self._count = 0

    def add(self, operator: str, *inputs: str, name: str = "", **attributes: object) -> str:
        """A node of one result; the result's name."""
        name = name or f"{operator}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def add_two(self, operator: str, *inputs: str, **attributes: object) -> tuple[str, str]:
        """A node of two results; their names."""
        names = (f"{operator}{len(self.nodes)}a", f"{operator}{len(self.nodes)}b")
        self.nodes.append(helper.make_node(operator, inputs, names, **attributes))
        return names

    def columns(self, matrix: str, count: int, wanted: Iterable[int]) -> dict[int, str]:
        """The wanted columns [rows] of a matrix [rows, count]."""
        tall = [f"{matrix}{i}" for i in range(count)]
        self.nodes.append(helper.make_node("Split", [matrix], tall, axis=1, num_outputs=count))
        flat = self.shape("flat", -1)
        return {i: self.add("Reshape", tall[i], flat) for i in wanted}

    def sum(self, vectors: Iterable[str]) -> str:
        """The sum of one vector or more."""
        total, *others = vectors
        for vector in others:
            total = self.add("Add", total, vector)
        return total

    def real(self, name: str, value: float | np.ndarray) -> str:
        """A constant of float64; its name."""
        self.constants.append(numpy_helper.from_array(np.asarray(value, np.float64), name))
        return name

    def index(self, name: str, value: int | np.ndarray) -> str:
        """A constant of indices, int32: half the bytes of int64, and no slower; its name."""
        assert np.abs(value).max(initial=0) <= np.iinfo(np.int32).max
        self.constants.append(numpy_helper.from_array(np.asarray(value, np.int32), name))
        return name

    def shape(self, name: str, *value: int) -> str:
        """A constant for Reshape; its name."""
        self.constants.append(numpy_helper.from_array(np.array(value, np.int64), name))
        return name

    def index64(self, name: str, value: int) -> str:
        """A constant index, int64; once."""
        if name not in self._known:
            self._known.add(name)
            self.constants.append(numpy_helper.from_array(np.array(value, np.int64), name))
        return name

    def shape_once(self, name: str, *value: int) -> str:
        """A constant for Reshape; once."""
        if name not in self._known:
            self._known.add(name)
            self.shape(name, *value)
        return name

    def fresh(self, stem: str) -> str:
        """A name that no other has."""
        self._count += 1
        return f"{stem}_{self._count}"
