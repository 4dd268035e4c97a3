"""The intermediate form of a model: what it computes, as a graph over raw columns, whatever library made it.

 steps   elementwise arithmetic on one number
 values  what an estimator reads: look-ups of a code, numbers through steps; and the interpreter
 dot     weighted sums, products
 forest  trees and the sum of their leaves
 combine sums, votes, medians of models' members; links in the middle of a graph
 opaque  a step as another converter's graph
 head    what comes out: numbers, a label, probabilities

Estimators are lifted to it (skiff_convert.lift), it is folded so that trees and sums read codes (fold), and
lowered to ONNX (lower). The interpreter is its meaning: a lowering is right when it computes the same bits.
"""

from .combine import Largest, Linked, Median, Sum, Table, Votes
from .dot import Dot, Product
from .forest import Forest, Trees
from .head import Head
from .steps import Step
from .values import Computed, Constant, Evaluation, Lookup, Node, Through, Value, Word, apply

__all__ = [
    "Computed", "Constant", "Dot", "Evaluation", "Forest", "Head", "Largest", "Linked", "Lookup", "Median",
    "Node", "Product", "Step", "Sum", "Table", "Through", "Trees", "Value", "Votes", "Word", "apply",
]  # fmt: skip
