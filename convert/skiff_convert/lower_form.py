"""The intermediate form as an ONNX graph: X float64 [rows, columns] in, y float64 [rows, scores] out."""

from collections.abc import Sequence

import numpy as np
from onnx import TensorProto, helper

from .columns import FLOAT32_LIMIT
from .errors import ConvertError
from .fold import Folded, fold
from .form import Computed, Constant, Dot, Forest, Head, Lookup, Node, Product, Step, Through, Value, Word
from .form.opaque import Opaque
from .graph import Graph
from .lower_blend import DOMAIN, attributes
from .lower_ensemble import ensemble
from .lower_nodes import NODES
from .lower_opaque import opaque
from .lower_steps import step as further
from .lower_terms import terms

ARITHMETIC = {"add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div"}


class Lowering:
    """Writes a head's graph; width is how many columns X has, codes how many each has: 1 of a number.

    least is the least number that comes in each. fast: trees are skiff's operator, not the standard one.
    """

    def __init__(
        self,
        width: int,
        codes: Sequence[int] = (),
        least: Sequence[float | None] = (),
        fast: bool = False,
    ):
        self.graph, self.width, self.codes, self.least, self.fast = Graph(), width, codes, least, fast
        self._columns: dict[int, str] = {}
        self._codes: dict[int, str] = {}
        self._nodes: dict[int, Sequence[str]] = {}
        self._constants: dict[float, str] = {}

    def head(self, head: Head) -> tuple[list, list]:
        """Nodes and constants that compute y."""
        scores = [self.tall(self.value(value)) for value in head.y]
        if len(scores) == 1:
            self.graph.add("Identity", scores[0], name="y")
        else:
            self.graph.add("Concat", *scores, name="y", axis=1)
        return self.graph.nodes, self.graph.constants

    # Values are vectors [rows].

    def value(self, value: Value) -> str:
        """A value's vector."""
        match value:
            case Lookup():
                return self.gather(value.column, value.values)
            case Word():
                is_word = self.graph.add("Equal", self.column(value.column), self.constant(float(value.code)))
                return self.graph.add("Where", is_word, self.constant(value.yes), self.constant(value.no))
            case Constant():
                return self.full(value.value)
            case Through():
                return self.steps(self.column(value.column), value.steps)
            case Computed():
                return self.steps(self.node(value.node)[value.index], value.steps)
        raise AssertionError(f"{value} is no value")

    def full(self, value: float) -> str:
        """The same number for every row."""
        shape = self.graph.add("Shape", "X", start=0, end=1)
        return self.graph.add("Expand", self.constant(value), shape)

    def flat(self, matrix: str) -> str:
        """A matrix of one column as a vector."""
        return self.graph.add("Reshape", matrix, self.graph.shape_once("flat", -1))

    def matrix(self, vectors: Sequence[str]) -> str:
        """Vectors side by side."""
        return self.graph.add("Concat", *(self.tall(vector) for vector in vectors), axis=1)

    def columns(self, matrix: str, width: int) -> "Columns":
        """The vectors of a matrix, each when it is asked for."""
        return Columns(self, matrix, width)

    def smallest(self, matrix: str, count: int) -> tuple[str, str]:
        """The smallest numbers of each row, in order, and where they are."""
        many = self.graph.shape(self.graph.fresh("many"), count)
        return self.graph.add_two("TopK", matrix, many, axis=1, largest=0, sorted=1)

    def single(self, x: str) -> str:
        """Rounded to float32."""
        return self.double(self.graph.add("Cast", x, to=TensorProto.FLOAT))

    def column(self, i: int) -> str:
        """A column of X."""
        if i not in self._columns:
            index = self.graph.index64(f"at{i}", i)
            self._columns[i] = self.graph.add("Gather", "X", index, axis=1)
        return self._columns[i]

    def code(self, i: int) -> str:
        """A column of codes, int32."""
        if i not in self._codes:
            self._codes[i] = self.graph.add("Cast", self.column(i), to=TensorProto.INT32)
        return self._codes[i]

    def gather(self, column: int, table: np.ndarray) -> str:
        """What a table says of each code."""
        return self.graph.add(
            "GatherElements", self.graph.real(self.graph.fresh("table"), table), self.code(column)
        )

    def tall(self, vector: str) -> str:
        """A vector as a matrix of one column."""
        return self.graph.add("Reshape", vector, self.graph.shape_once("tall", -1, 1))

    def constant(self, value: float) -> str:
        """A float64 constant; once."""
        key = np.float64(value).tobytes()
        if key not in self._constants:
            self._constants[key] = self.graph.real(self.graph.fresh("c"), value)
        return self._constants[key]

    def steps(self, x: str, steps: Sequence[Step]) -> str:
        """A vector through steps, bit by bit as numpy has them."""
        for step in steps:
            x = self.step(x, step)
        return x

    def step(self, x: str, step: Step) -> str:
        """A vector through one step."""
        add, value = self.graph.add, step.value
        if step.op in ARITHMETIC:
            return add(ARITHMETIC[step.op], x, self.constant(value))
        match step.op:
            case "fill":
                return add("Where", add("IsNaN", x), self.constant(value), x)
            case "missing":
                return self.double(add("IsNaN", x))
            case "absent":
                return add("Where", self.nothing(x, value), self.constant(np.nan), x)
            case "least":
                return add("Where", add("Less", x, self.constant(value)), self.constant(value), x)
            case "most":
                return add("Where", add("Greater", x, self.constant(value)), self.constant(value), x)
            case "float32":
                return self.double(add("Cast", x, to=TensorProto.FLOAT))
            case "above":
                return self.or_nan(x, add("Greater", x, self.constant(value)))
            case "at_least":
                return self.or_nan(x, add("GreaterOrEqual", x, self.constant(value)))
            case "negative_missing":
                return add("Where", add("Less", x, self.constant(0.0)), self.constant(np.nan), x)
            case "from":
                return add("Where", add("Less", x, self.constant(value)), self.constant(np.nan), x)
            case "square":
                return add("Mul", x, x)
        made = further(self, x, step.op, value)
        if made is not None:
            return made
        raise ConvertError(
            f"{step.op} is computed before a sum, "
            f"and onnxruntime's {step.op} differs from numpy's in the last bits",
            "trees after it convert; a sum does not yet",
        )

    def nothing(self, x: str, width: float) -> str:
        """Whether a number is 0, or no larger than width."""
        if not width:
            return self.graph.add("Equal", x, self.constant(0.0))
        return self.graph.add("LessOrEqual", self.graph.add("Abs", x), self.constant(width))

    def steps_of(self, op: str, x: str) -> str:
        """A vector through the step of that name."""
        return self.step(x, Step(op))

    def double(self, x: str) -> str:
        """As float64."""
        return self.graph.add("Cast", x, to=TensorProto.DOUBLE)

    def or_nan(self, x: str, answer: str) -> str:
        """An answer as 1 or 0, NaN where x is."""
        return self.graph.add("Where", self.graph.add("IsNaN", x), self.constant(np.nan), self.double(answer))

    # Nodes make several vectors.

    def node(self, node: Node) -> Sequence[str]:
        """A node's vectors; once."""
        if id(node) not in self._nodes:
            match node:
                case Dot():
                    self._nodes[id(node)] = self.dot(node)
                case Forest():
                    self._nodes[id(node)] = self.forest(node)
                case Product():
                    self._nodes[id(node)] = [self.product(node)]
                case Opaque():
                    self._nodes[id(node)] = opaque(self, node)
                case _ if type(node) in NODES:
                    self._nodes[id(node)] = NODES[type(node)](self, node)
                case _:
                    raise ConvertError(
                        f"{type(node).__name__} cannot be lowered yet", "trees after that step convert"
                    )
        return self._nodes[id(node)]

    def product(self, node: Product) -> str:
        """The factors, multiplied from the first on."""
        total, *others = [self.value(value) for value in node.values]
        for factor in others:
            total = self.graph.add("Mul", total, factor)
        return total

    def dot(self, dot: Dot) -> list[str]:
        """Each output's sum, terms in order, codes' weights gathered."""
        whole = self._all_of(dot.values)
        if whole and not dot.ordered:
            weights = self.graph.real(self.graph.fresh("weights"), dot.weights)
            made = self.graph.add("MatMul", whole, weights)
            intercept = self.graph.real(self.graph.fresh("intercept"), dot.intercept)
            return self.columns(self.graph.add("Add", made, intercept), dot.width)
        if dot.single:
            return self.dot32(dot)
        sums = []
        numbers = {i: self.value(v) for i, v in enumerate(dot.values) if isinstance(v, (Through, Computed))}
        for j in range(dot.width):
            weights, intercept = dot.weights[:, j], dot.intercept[j]
            total = None
            for term in terms(dot, weights, self.codes):
                if isinstance(term, int):
                    vector = self.graph.add("Mul", numbers[term], self.constant(weights[term]))
                elif isinstance(term, float):
                    intercept = intercept + term
                    continue
                else:
                    vector = self.gather(*term)
                total = vector if total is None else self.graph.add("Add", total, vector)
            constant = self.constant(intercept + 0.0)  # a sum that starts from 0.0 is never -0.0
            if total is None:
                total = self.full(0.0)
            sums.append(self.graph.add("Add", total, constant))
        return sums

    def _all_of(self, values: Sequence[Value]) -> str:
        """The matrix that the values are all columns of, in order; "" where there is none."""
        first = values[0] if values else None
        if not isinstance(first, Computed) or len(values) != first.node.width:
            return ""
        same = all(
            isinstance(v, Computed) and v.node is first.node and v.index == i and not v.steps
            for i, v in enumerate(values)
        )
        made = self.node(first.node) if same else None
        return made.matrix if isinstance(made, Columns) else ""

    def dot32(self, dot: Dot) -> list[str]:
        """Each output's sum in float32, from the intercept on."""
        add, sums = self.graph.add, []
        numbers = [add("Cast", self.value(v), to=TensorProto.FLOAT) for v in dot.values]
        for j in range(dot.width):
            total = add("Cast", self.full(float(dot.intercept[j])), to=TensorProto.FLOAT)
            for vector, weight in zip(numbers, dot.weights[:, j].tolist(), strict=True):
                of = add("Cast", self.constant(weight), to=TensorProto.FLOAT)
                total = add("Add", total, add("Mul", vector, of))
            sums.append(self.double(total))
        return sums

    def forest(self, forest: Forest) -> list[str]:
        """Trees over X and what has to be computed beside it."""
        folded = fold(forest, self.width, compute=forest.single, least=self.least)
        matrix = "X"
        if folded.computed:
            matrix = self.graph.add(
                "Concat", "X", *(self.tall(self.value(v)) for v in folded.computed), axis=1
            )
        if self.fast:
            sums = self.graph.add("Trees", matrix, domain=DOMAIN, **attributes(forest, folded))
        else:
            sums = self.ensemble(forest, folded, matrix)
        sums = self.within_float32(forest, sums)
        vectors = []
        for j in range(forest.width):
            vectors.append(
                self.graph.add("Gather", sums, self.graph.index64(self.graph.fresh("output"), j), axis=1)
            )
        return vectors

    def ensemble(self, forest: Forest, folded: Folded, matrix: str) -> str:
        """A TreeEnsemble, and the division of its sums."""
        kind = TensorProto.FLOAT if forest.single else TensorProto.DOUBLE
        if forest.single:
            matrix = self.graph.add("Cast", matrix, to=kind)
        sums = self.graph.add("TreeEnsemble", matrix, domain="ai.onnx.ml", **ensemble(forest, folded))
        if forest.divisor != 1:
            divisor = self.graph.real(self.graph.fresh("trees"), forest.divisor)
            if forest.single:
                divisor = self.graph.add("Cast", divisor, to=kind)
            sums = self.graph.add("Div", sums, divisor)
        return self.double(sums) if forest.single else sums

    def within_float32(self, forest: Forest, sums: str) -> str:
        """The sums, NaN where a value is beyond float32 that a forest refuses there."""
        made = [self.value(forest.values[i]) for i in forest.made]
        if not made:
            return sums
        size = self.graph.add("Abs", self.matrix(made))
        beyond = self.double(self.graph.add("GreaterOrEqual", size, self.constant(FLOAT32_LIMIT)))
        most = self.graph.add("ReduceMax", beyond, self.graph.shape_once("axes1", 1), keepdims=1)
        return self.graph.add(
            "Where", self.graph.add("Greater", most, self.constant(0.0)), self.constant(np.nan), sums
        )


class Columns(Sequence):
    """The vectors of a matrix; each is taken out when it is asked for."""

    def __init__(self, low: Lowering, matrix: str, width: int):
        self.low, self.matrix, self.width = low, matrix, width
        self._made: dict[int, str] = {}

    def __len__(self) -> int:
        return self.width

    def __getitem__(self, j: int) -> str:
        if not 0 <= j < self.width:
            raise IndexError(j)
        if j not in self._made:
            graph = self.low.graph
            self._made[j] = graph.add("Gather", self.matrix, graph.index64(graph.fresh("column"), j), axis=1)
        return self._made[j]


def lower(
    head: Head,
    width: int,
    codes: Sequence[int] = (),
    least: Sequence[float | None] = (),
    fast: bool = False,
) -> tuple[list, list]:
    """Nodes and constants: y of a head's scores from X of so many columns, of so many codes each.

    least is the least number that comes in each, None where any does. fast: with skiff's operator for trees.
    TooMany where a forest asks more than it takes.
    """
    return Lowering(width, codes, least, fast).head(head)


def model_of(
    nodes: list,
    constants: list,
    width: int,
    scores: int,
    metadata: dict[str, str],
    version: str,
    fast: bool = False,
) -> bytes:
    """The ONNX model; same input, same bytes."""
    graph = helper.make_graph(
        nodes, "skiff",
        [helper.make_tensor_value_info("X", TensorProto.DOUBLE, ["rows", width])],
        [helper.make_tensor_value_info("y", TensorProto.DOUBLE, ["rows", scores])],
        constants,
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 5)]
    opsets += [helper.make_opsetid(DOMAIN, 1)] * fast
    model = helper.make_model(
        graph, ir_version=10, opset_imports=opsets, producer_name="skiff", producer_version=version
    )
    helper.set_model_props(model, metadata)
    return model.SerializeToString(deterministic=True)
