"""Lowering a step that sklearn-onnx converted: its graph, by the operators that the worker serves.

Rows are matrices [rows, width], whatever rank the graph has of them; what does not depend on rows is computed
here, as one row, and its shape too. What may mix rows, loop or be unbounded is refused by the operator's
name, and so is what is not float64.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from .errors import ConvertError
from .form.opaque import Opaque
from .lower_nodes import squares

ROWS = 5_000_011  # stands for how many rows there are where a graph asks; nothing else has as many
MOST = 1 << 17  # numbers of a row: inference/graph has no more

SAME = ("Abs", "Ceil", "Cos", "Exp", "Floor", "Log", "Neg", "Reciprocal", "Sign", "Sin", "Sqrt", "Tanh")
TWO = ("Add", "Sub", "Mul", "Div", "Pow", "Max")
COMPARE = ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")


class Foreign(Exception):
    """Why an operator is not served."""


@dataclass(frozen=True)
class Rows:
    """A value with a row for each record: its name in the new graph. flat: the old one has it as [rows]."""

    name: str
    width: int
    flat: bool = False
    truth: bool = False  # booleans


class _Translator:
    def __init__(self, low, x: Rows, graph: onnx.GraphProto):
        self.low, self.graph = low, low.graph
        self.values: dict[str, Rows | np.ndarray] = {graph.input[0].name: x}
        for tensor in graph.initializer:
            self.values[tensor.name] = numpy_helper.to_array(tensor)

    def node(self, node: onnx.NodeProto) -> None:
        """Adds what a node of the old graph makes."""
        inputs = [self.values[name] for name in node.input if name]
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Shape" and isinstance(inputs[0], Rows):
            made = np.array([ROWS] if inputs[0].flat else [ROWS, inputs[0].width], np.int64)
        elif not any(isinstance(value, Rows) for value in inputs):
            made = self._constant(node, inputs)
        else:
            made = self._rows(node, inputs, attributes)
        if (made.width if isinstance(made, Rows) else made.size / 128) > MOST:
            raise Foreign("it is too wide")
        self.values[node.output[0]] = made

    def _constant(self, node: onnx.NodeProto, inputs: list[np.ndarray]) -> np.ndarray:
        """A node's result where no input has rows; one row where it has as many as there are records."""
        if len(node.output) != 1 or any(a.type == onnx.AttributeProto.GRAPH for a in node.attribute):
            raise Foreign("it has graphs, or several results")
        if node.op_type in ("ConstantOfShape", "Expand"):
            inputs = [
                np.where(value == ROWS, 1, value) if value.dtype == np.int64 else value for value in inputs
            ]
        names = [f"i{i}" for i in range(len(inputs))]
        same = onnx.NodeProto()
        same.CopyFrom(node)
        del same.input[:]
        same.input.extend(names)
        infos = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
            for name, value in zip(names, inputs, strict=True)
        ]
        out = helper.make_value_info(node.output[0], onnx.TypeProto())
        made = helper.make_model(
            helper.make_graph([same], "one", infos, [out]), opset_imports=[helper.make_opsetid("", 21)]
        )
        return np.asarray(ReferenceEvaluator(made).run(None, dict(zip(names, inputs, strict=True)))[0])

    def _rows(self, node: onnx.NodeProto, inputs: list, attributes: dict) -> Rows:
        op = node.op_type
        if op == "CDist" and node.domain == "com.microsoft":
            return self._distances(*inputs, attributes.get("metric", b"sqeuclidean"))
        if node.domain not in ("", "ai.onnx"):
            raise Foreign("it is none of ONNX's own")
        if op in SAME:
            return self._like(inputs[0], self.graph.add(op, self._of(inputs[0])))
        if op in TWO or op in COMPARE:
            return self._two(op, inputs)
        special = OPERATORS.get(op)
        if special is None:
            raise Foreign("it is none of the worker's operators")
        return special(self, inputs, attributes)

    def _like(self, rows: Rows, name: str) -> Rows:
        return Rows(name, rows.width, rows.flat)

    def _of(self, value: Rows | np.ndarray, truth: bool = False) -> str:
        """The name of a value, which is float64, or of booleans where those are wanted."""
        if isinstance(value, Rows):
            if value.truth != truth:
                raise Foreign("of its types")
            return value.name
        if value.ndim > 2 or value.ndim == 2 and value.shape[0] != 1 or truth or value.dtype.kind not in "fi":
            raise Foreign("of a constant's shape")
        return self.graph.real(self.graph.fresh("opaque"), np.asarray(value, np.float64).reshape(1, -1))

    def _two(self, op: str, inputs: list) -> Rows:
        if len(inputs) != 2:
            raise Foreign("of more than two values")
        rows = [value for value in inputs if isinstance(value, Rows)]
        sizes = [value.width if isinstance(value, Rows) else value.size for value in inputs]
        flat = rows[0].flat
        if any(r.flat != flat for r in rows) or flat and max(sizes) > 1 or min(sizes) not in (1, max(sizes)):
            raise Foreign("it mixes rows")
        return Rows(self.graph.add(op, *map(self._of, inputs)), max(sizes), flat, op in COMPARE)

    def _distances(self, x: Rows | np.ndarray, of: Rows | np.ndarray, metric: bytes) -> Rows:
        """The distance from each row of a constant, its square where that is the metric."""
        if not isinstance(x, Rows) or isinstance(of, Rows) or metric not in (b"sqeuclidean", b"euclidean"):
            raise Foreign("of its inputs or metric")
        columns = self.low.columns(x.name, x.width)
        made = squares(self.low, [columns[i] for i in range(x.width)], np.asarray(of, np.float64))
        return Rows(self.graph.add("Sqrt", made) if metric == b"euclidean" else made, len(of))

    def times(self, x: Rows | np.ndarray, by: Rows | np.ndarray) -> Rows:
        """Rows times a constant matrix, or a constant vector."""
        if not isinstance(x, Rows) or x.flat or isinstance(by, Rows) or by.ndim not in (1, 2):
            raise Foreign("it mixes rows")
        weights = np.asarray(by, np.float64).reshape(x.width, -1)
        name = self.graph.real(self.graph.fresh("opaque"), weights)
        return Rows(self.graph.add("MatMul", self._of(x), name), weights.shape[1], by.ndim == 1)

    def gemm(self, inputs: list, attributes: dict) -> Rows:
        """Rows times a constant matrix, and what is added."""
        x, by, *more = inputs
        if attributes.get("transA") or isinstance(by, Rows):
            raise Foreign("it mixes rows")
        by = by.T if attributes.get("transB") else by
        made = self.times(x, by * attributes.get("alpha", 1.0))
        if not more:
            return made
        added, beta = more[0], attributes.get("beta", 1.0)
        if beta != 1:
            added = self._two("Mul", [added, np.array(beta)]) if isinstance(added, Rows) else added * beta
        return self._two("Add", [made, added])

    def reduced(self, inputs: list, attributes: dict, op: str) -> Rows:
        """A number of each row."""
        x, axes = inputs[0], attributes.get("axes", inputs[1] if len(inputs) > 1 else None)
        if x.flat or axes is None or np.ravel(axes).tolist() not in ([1], [-1]):
            raise Foreign("it mixes rows")
        name = self.graph.add(op, self._of(x), self.graph.shape_once("axes1", 1), keepdims=1)
        return Rows(name, 1, not attributes.get("keepdims", 1))

    def summed(self, inputs: list, attributes: dict) -> Rows:
        """The sum of each row."""
        return self.reduced(inputs, attributes, "ReduceSum")

    def highest(self, inputs: list, attributes: dict) -> Rows:
        """The largest of each row."""
        return self.reduced(inputs, attributes, "ReduceMax")

    def squared(self, inputs: list, attributes: dict) -> Rows:
        """The sum of the squares of each row."""
        return self.summed([self._two("Mul", [inputs[0], inputs[0]]), *inputs[1:]], attributes)

    def mean(self, inputs: list, attributes: dict) -> Rows:
        """The mean of each row."""
        return self._two("Div", [self.summed(inputs, attributes), np.array(float(inputs[0].width))])

    def shaped(self, inputs: list, _: dict) -> Rows:
        """A column as a vector, a vector as a column, or what it was."""
        x, shape = inputs[0], np.ravel(inputs[1]).tolist()
        if shape not in ([-1], [-1, x.width], [0, x.width], [ROWS, x.width], [-1, 1]):
            raise Foreign("it mixes rows")
        if shape[-1] == -1 and x.width != 1 or len(shape) == 2 and shape[1] != x.width:
            raise Foreign("it mixes rows")
        return Rows(x.name, x.width, len(shape) == 1, x.truth)

    def same(self, inputs: list, _: dict) -> Rows:
        """What it was."""
        return inputs[0]

    def cast(self, inputs: list, attributes: dict) -> Rows:
        """Booleans as numbers; float64 stays that."""
        if attributes.get("to") != TensorProto.DOUBLE:
            raise Foreign("it is not float64")
        x = inputs[0]
        return Rows(self.low.double(x.name), x.width, x.flat) if x.truth else x

    def where(self, inputs: list, _: dict) -> Rows:
        """One number or another."""
        rows = [value for value in inputs if isinstance(value, Rows)]
        widths = {value.width if isinstance(value, Rows) else value.size for value in inputs}
        if not isinstance(inputs[0], Rows) or {r.flat for r in rows} != {False} or len(widths - {1}) > 1:
            raise Foreign("it mixes rows")
        names = [self._of(inputs[0], truth=True), *map(self._of, inputs[1:])]
        return Rows(self.graph.add("Where", *names), max(widths))

    def joined(self, inputs: list, attributes: dict) -> Rows:
        """Side by side."""
        if attributes.get("axis") not in (1, -1) or any(not isinstance(v, Rows) or v.flat for v in inputs):
            raise Foreign("it mixes rows")
        return Rows(self.graph.add("Concat", *map(self._of, inputs), axis=1), sum(v.width for v in inputs))


OPERATORS: dict[str, Callable[[_Translator, list, dict], Rows]] = {
    "MatMul": lambda to, inputs, _: to.times(*inputs), "Gemm": _Translator.gemm, "Concat": _Translator.joined,
    "ReduceSum": _Translator.summed, "ReduceSumSquare": _Translator.squared, "ReduceMean": _Translator.mean,
    "ReduceMax": _Translator.highest, "Reshape": _Translator.shaped, "Identity": _Translator.same,
    "Cast": _Translator.cast, "Where": _Translator.where,
}  # fmt: skip


def opaque(low, node: Opaque) -> list[str]:
    """The graph's vectors. ConvertError that names an operator that is not served."""
    graph = onnx.load_from_string(node.model).graph
    matrix = low.matrix([low.value(value) for value in node.values])
    translator = _Translator(low, Rows(matrix, len(node.values)), graph)
    for inner in _needed(graph, node.output):
        try:
            translator.node(inner)
        except Foreign as err:
            raise ConvertError(
                f"sklearn-onnx makes {inner.op_type} of {node.name}, which is not served: {err}",
                "leave that step out, or take another: convert/README.md says which convert",
            ) from err
    made = translator.values[node.output]
    if not isinstance(made, Rows) or made.width != node.width:
        raise ConvertError(f"sklearn-onnx's {node.name} does not depend on its inputs", "leave that step out")
    return low.columns(made.name, made.width)


def _needed(graph: onnx.GraphProto, output: str) -> list[onnx.NodeProto]:
    """The nodes that an output needs, in their order."""
    wanted, nodes = {output}, []
    for node in reversed(graph.node):
        if wanted & set(node.output):
            nodes.append(node)
            wanted |= set(node.input)
    return nodes[::-1]
