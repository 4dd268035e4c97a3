"""The intermediate form as an ONNX graph: X float64 [rows, columns] in, y float64 [rows, scores] out."""

from collections.abc import Sequence

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from .errors import ConvertError
from .fold import EQ, MEMBER, Folded, fold
from .form import Computed, Constant, Dot, Forest, Head, Lookup, Node, Product, Step, Through, Value, Word
from .graph import Graph
from .lower_blend import DOMAIN, attributes
from .lower_nodes import NODES
from .lower_steps import step as further

SUM, NO_TRANSFORM = 1, 0
ARITHMETIC = {"add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div"}


class Lowering:
    """Writes a head's graph; width is how many columns X has, codes how many each has: 1 of a number.

    fast: trees are skiff's operator instead of the standard one.
    """

    def __init__(self, width: int, codes: Sequence[int] = (), fast: bool = False):
        self.graph, self.width, self.codes, self.fast = Graph(), width, codes, fast
        self._columns: dict[int, str] = {}
        self._codes: dict[int, str] = {}
        self._nodes: dict[int, Sequence[str]] = {}
        self._constants: dict[float, str] = {}

    def head(self, head: Head) -> tuple[list, list]:
        """Nodes and constants that compute y."""
        scores = [self.tall(self.value(value)) for value in head.scores]
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
                return add("Where", add("Equal", x, self.constant(0.0)), self.constant(np.nan), x)
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
            for term in _terms(dot, weights, self.codes):
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
        folded = fold(forest, self.width, compute=forest.single)
        matrix = "X"
        if folded.computed:
            matrix = self.graph.add(
                "Concat", "X", *(self.tall(self.value(v)) for v in folded.computed), axis=1
            )
        if self.fast:
            sums = self.graph.add("Trees", matrix, domain=DOMAIN, **attributes(forest, folded))
        else:
            sums = self.ensemble(forest, folded, matrix)
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


def _terms(dot: Dot, weights: np.ndarray, codes: Sequence[int]) -> list:
    """The sum's terms in order: a number's place; (column, table); or a constant.

    Words and look-ups of one column are one term: of an ordered sum's words only one is not 0.
    """
    terms: list = []
    tables: dict[int, int] = {}  # of a column: its term
    for i, (value, weight) in enumerate(zip(dot.values, weights.tolist(), strict=True)):
        if isinstance(value, Constant):
            terms.append(float(value.value * weight))
        elif isinstance(value, (Through, Computed)):
            terms.append(i)
        else:
            if value.column not in tables:
                tables[value.column] = len(terms)
                terms.append((value.column, []))
            terms[tables[value.column]][1].append((value, weight))
    return [
        (t[0], _table(t[1], codes[t[0]] if t[0] < len(codes) else 1)) if isinstance(t, tuple) else t
        for t in terms
    ]


def _table(group: list[tuple[Lookup | Word, float]], codes: int) -> np.ndarray:
    """What values of one column add to a sum, for each of its codes."""
    size = max(codes, 1 + max(v.code if isinstance(v, Word) else len(v.values) - 1 for v, _ in group))
    table = np.zeros(size)
    for value, weight in group:
        if isinstance(value, Lookup):
            table = table + value.values * weight
        else:
            table = table + value.no * weight if value.no else table
            table[value.code] += (value.yes - value.no) * weight if value.no else value.yes * weight
    return table


def ensemble(forest: Forest, folded: Folded) -> dict:
    """The TreeEnsemble's attributes: interior nodes and leaves numbered apart."""
    number = np.float32 if forest.single else np.float64
    split = floor32(folded.split) if forest.single else folded.split
    asks: dict[str, list] = {
        k: [] for k in ("column", "mode", "split", "missing", "yes", "yes_leaf", "no", "no_leaf")
    }
    members: list[float] = []
    weights, targets, roots = [], [], []
    leaf_of: dict[tuple[int, int], int] = {}

    def leaf(node: int, output: int, value: float) -> int:
        key = (node, output)
        if key not in leaf_of:
            leaf_of[key] = len(weights)
            weights.append(value)
            targets.append(output)
        return leaf_of[key]

    def bare(at: int) -> int:
        """A tree that is one leaf: a question whose answers are both that leaf."""
        add(0, 0, 0.0, False, (at, True), (at, True))
        return len(asks["column"]) - 1

    def add(column: int, mode: int, value: float, missing: bool, yes: tuple, no: tuple) -> None:
        asks["column"].append(column)
        asks["mode"].append(mode)
        asks["split"].append(0.0 if mode == MEMBER else value)
        asks["missing"].append(int(missing))
        for name, (to, is_leaf) in (("yes", yes), ("no", no)):
            asks[name].append(to)
            asks[f"{name}_leaf"].append(int(is_leaf))
        if mode == MEMBER:
            members.extend(folded.sets[int(value)])
            members.append(np.nan)

    for output, value in enumerate(forest.base.tolist()):
        if value:
            roots.append(bare(leaf(-1, output, value)))
    for tree, target in enumerate(forest.target.tolist()):
        for output in [target] if target >= 0 else range(forest.width):
            roots.append(
                _tree(folded, int(folded.roots[tree]), split, add, bare, asks,
                      lambda n, o=output, t=target: leaf(n, o, float(folded.leaf[n, 0 if t >= 0 else o])))
            )  # fmt: skip
    attributes = {
        "n_targets": forest.width, "aggregate_function": SUM, "post_transform": NO_TRANSFORM,
        "tree_roots": roots, "nodes_featureids": asks["column"],
        "nodes_truenodeids": asks["yes"], "nodes_trueleafs": asks["yes_leaf"],
        "nodes_falsenodeids": asks["no"], "nodes_falseleafs": asks["no_leaf"], "leaf_targetids": targets,
        "nodes_modes": numpy_helper.from_array(np.array(asks["mode"], np.uint8), "modes"),
        "nodes_splits": numpy_helper.from_array(np.array(asks["split"], number), "splits"),
        "leaf_weights": numpy_helper.from_array(np.array(weights, number), "leaves"),
        "nodes_missing_value_tracks_true": asks["missing"],
    }  # fmt: skip
    if members:
        attributes["membership_values"] = numpy_helper.from_array(np.array(members, number), "members")
    return attributes


def _tree(folded: Folded, root: int, split: np.ndarray, add, bare, asks: dict, leaf) -> int:
    """Writes a tree's questions, from the root down; the root's number."""
    if folded.yes[root] < 0:
        return bare(leaf(root))
    first, order, queue = len(asks["column"]), {}, [root]
    for node in queue:
        order[node] = first + len(order)
        queue += [int(c) for c in (folded.yes[node], folded.no[node]) if folded.yes[c] >= 0]
    for node in order:
        ends = []
        for child in (int(folded.yes[node]), int(folded.no[node])):
            ends.append((leaf(child), True) if folded.yes[child] < 0 else (order[child], False))
        mode = int(folded.mode[node])
        value = folded.split[node] if mode in (EQ, MEMBER) else split[node]
        add(int(folded.column[node]), mode, float(value), bool(folded.missing_yes[node]), *ends)
    return order[root]


def floor32(x: np.ndarray) -> np.ndarray:
    """The largest float32 that is not above each double."""
    with np.errstate(over="ignore"):
        low = np.asarray(x, np.float64).astype(np.float32)
    above = low.astype(np.float64) > x
    return np.where(above, np.nextafter(low, np.float32(-np.inf)), low).astype(np.float64)


def lower(head: Head, width: int, codes: Sequence[int] = (), fast: bool = False) -> tuple[list, list]:
    """Nodes and constants: y of a head's scores from X of so many columns, of so many codes each.

    fast: with skiff's operator for trees. TooMany where a forest asks more than it takes.
    """
    return Lowering(width, codes, fast).head(head)


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
