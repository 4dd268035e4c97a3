"""Stage 7: the ONNX graph: X float64 [rows, columns] in, y float64 [rows, 1] out.

It is built over codes instead of one-hot columns, of what the pipeline learned; only a table is made of what
the pipeline predicts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper

from . import FORMAT, __version__
from .columns import Column, fingerprint
from .grid import Table
from .lower_blend import DOMAIN
from .lower_linear import lower_linear
from .lower_table import lower_table
from .lower_trees import lower_blended, lower_trees
from .neutral import Linear, Pipeline

IR_VERSION = 10
OPSETS = {"": 21, "ai.onnx.ml": 5}


@dataclass(frozen=True)
class Lowering:
    """A graph, and how near to the original it promises to be."""

    kind: str  # "linear", "trees" or "table"
    model: bytes
    bound: str  # "bits", or "4 ulp" of the largest term


def lower(
    pipeline: Pipeline, columns: Sequence[Column], run_id: str, table: Table | None = None, own: bool = False
) -> Lowering:
    """The graph of a pipeline, or of its table; same input, same bytes.

    own: of trees with skiff's operator. TooMany where they ask more than it takes.
    """
    if isinstance(pipeline.estimator, Linear):
        kind, exact = "linear", terms_in_order(pipeline, columns)
        nodes, constants = lower_linear(pipeline.estimator, columns)
    elif table:
        kind, exact = "table", True
        nodes, constants = lower_table(table, columns)
    else:
        kind, exact = "trees", True
        if own:
            nodes, constants = lower_blended(pipeline.estimator, columns)
        else:
            nodes, constants = lower_trees(pipeline.estimator, columns, pipeline.accepts_nan)
    opsets = OPSETS | {DOMAIN: 1} if own else OPSETS
    graph = helper.make_graph(
        nodes,
        "skiff",
        [helper.make_tensor_value_info("X", TensorProto.DOUBLE, ["rows", len(columns)])],
        [helper.make_tensor_value_info("y", TensorProto.DOUBLE, ["rows", 1])],
        constants,
    )
    model = helper.make_model(
        graph,
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in opsets.items()],
        producer_name="skiff",
        producer_version=__version__,
    )
    helper.set_model_props(model, {"run_id": run_id, "format": str(FORMAT), "columns": fingerprint(columns)})
    onnx.checker.check_model(model)
    return Lowering(kind, model.SerializeToString(deterministic=True), "bits" if exact else "4 ulp")


def terms_in_order(pipeline: Pipeline, columns: Sequence[Column]) -> bool:
    """Whether a linear sum is added up in one order for every record, so that its bits are known.

    Sparse rows are added up by column. Dense ones go through BLAS, which promises no order. And unsorted
    columns may interleave features, so that their order depends on the words; two terms have but one sum.
    """
    if not pipeline.vectorizer.sparse:
        return False
    spans = sorted((min(column.indices), max(column.indices)) for column in columns)
    apart = all(end < start for (_, end), (start, _) in zip(spans, spans[1:], strict=False))
    return apart or len(columns) < 3


def allowance(pipeline: Pipeline, columns: Sequence[Column], X: np.ndarray) -> np.ndarray:
    """What "4 ulp" is for each row of X, absolute, float64 [rows].

    Of the largest of the terms and the intercept. Roundings add up: with dozens of dense terms the original
    may be farther off than that, and then there is no bundle.
    """
    return 4 * np.spacing(np.abs(_terms(pipeline.estimator, columns, X)).max(axis=1))


def _terms(linear: Linear, columns: Sequence[Column], X: np.ndarray) -> np.ndarray:
    """The terms of each row's sum, the intercept last, float64 [rows, columns + 1]."""
    terms = []
    for i, column in enumerate(columns):
        weights = linear.coef[list(column.indices)]
        if column.kind == "number":
            terms.append(X[:, i] * weights[0])
        else:
            terms.append(np.concatenate([[0.0], weights])[X[:, i].astype(np.int64)])
    return np.column_stack([*terms, np.full(len(X), linear.intercept)])
