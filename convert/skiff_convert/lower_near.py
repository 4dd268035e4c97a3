"""How far what is lowered may be from the original: what nodes allow, and onnxruntime's functions add."""

from dataclasses import dataclass, field

import numpy as np

from .fold import exact
from .form import Computed, Evaluation, Forest, Linked, Through, Value
from .form.distances import Kernel
from .form.steps import spread
from .lower_steps import slack

LINKS = 2.0**-48  # of a link's result, by its size
SINGLE = 2.0**-21
FAST = 2.0**-42
EXACT = ("identity", "both", "huber", "normalize", "normalize_plain", "ascending")


@dataclass
class Near(Evaluation):
    """The interpreter, and for each value how far the original and the graph may be from it."""

    _folded: dict[int, np.ndarray] = field(default_factory=dict)

    def _allowed(self, value: Value) -> np.ndarray:
        if not isinstance(value, (Through, Computed)):
            return np.zeros(len(self.X))
        if isinstance(value, Computed):
            x, off = self.node(value.node)[:, value.index], self._of_node(value.node)[:, value.index]
        else:
            x, off = self.X[:, value.column], np.zeros(len(self.X))
        for step in value.steps:
            if off.any():
                off = spread((step,), x, off)
            x = step(x)
            if step.op in ("sin", "cos") or step.op == "yeo_johnson" and not step.value[1]:
                off = off + 2.0**-44  # what is left of larger numbers
            if relative := slack(step):
                off = off + np.where(np.isfinite(x), np.abs(x) * relative + 2.0**-1022, 0.0)
        return off

    def _of_node(self, node) -> np.ndarray:  # noqa: ANN001
        if id(node) not in self._off:
            inputs = node.inputs()
            if isinstance(node, Forest):
                # Its questions are about what is before steps that keep the order.
                off = [
                    self._allowed(_before(value) if not node.single or exact(node, i) else value)
                    for i, value in enumerate(inputs)
                ]
                off = np.column_stack(off) if off else np.empty((len(self.X), 0))
            else:
                off = self.allowance(inputs)
            near = np.asarray(node.allowance(self.matrix(inputs), off if off.any() else None), np.float64)
            size = np.abs(self.node(node))
            if isinstance(node, Kernel):
                near = near + size * LINKS
            elif isinstance(node, Linked) and node.link not in EXACT:
                near = near + size * (SINGLE if node.link.endswith("32") else LINKS)
                if node.link.endswith("fast"):  # it is off by more far from 0, and has a least
                    near = near + size * FAST + 2.0**-1021
                near = near + (2.0**-22 if node.link.endswith("32") else 2.0**-52) * ("expit" in node.link)
            self._off[id(node)] = near
        return self._off[id(node)]


def _before(value: Value) -> Value:
    """The value without steps that a threshold is taken through."""
    if isinstance(value, (Through, Computed)) and all(s.ordered or s.op == "absent" for s in value.steps):
        return Through(value.column) if isinstance(value, Through) else Computed(value.node, value.index)
    return value
