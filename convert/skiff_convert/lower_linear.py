"""Stage 7, linear models: weights are gathered by code, terms added up in the original's order."""

from collections.abc import Sequence

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from .columns import Column
from .neutral import Linear


def lower_linear(linear: Linear, columns: Sequence[Column]) -> tuple[list[NodeProto], list[TensorProto]]:
    """Nodes and constants that compute y from X.

    scipy adds up a sparse row's terms by column, starting from 0.0, and scikit-learn adds the intercept last.
    So does the graph: a missing term is 0.0, which changes nothing. The intercept's -0.0 becomes 0.0, because
    a sum that starts from 0.0 is never -0.0.
    """
    nodes: list[NodeProto] = []
    constants: list[TensorProto] = []
    terms = []
    for i in sorted(range(len(columns)), key=lambda i: columns[i].indices[0]):
        column, weights = columns[i], linear.coef[list(columns[i].indices)]
        constants.append(numpy_helper.from_array(np.array([i], np.int64), f"i{i}"))
        nodes.append(helper.make_node("Gather", ["X", f"i{i}"], [f"x{i}"], axis=1))
        if column.kind == "number":
            constants.append(numpy_helper.from_array(weights, f"w{i}"))
            nodes.append(helper.make_node("Mul", [f"x{i}", f"w{i}"], [f"t{i}"]))
        else:
            constants.append(numpy_helper.from_array(np.concatenate([[0.0], weights]), f"w{i}"))
            nodes.append(helper.make_node("Cast", [f"x{i}"], [f"c{i}"], to=TensorProto.INT64))
            nodes.append(helper.make_node("Gather", [f"w{i}", f"c{i}"], [f"t{i}"]))
        terms.append(f"t{i}")

    constants.append(numpy_helper.from_array(np.array(linear.intercept + 0.0), "intercept"))
    total = terms[0]
    for i, term in enumerate([*terms[1:], "intercept"], 1):
        name = "y" if term == "intercept" else f"s{i}"
        nodes.append(helper.make_node("Add", [total, term], [name]))
        total = name
    return nodes, constants
