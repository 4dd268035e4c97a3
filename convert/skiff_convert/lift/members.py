"""Members of a model of models: what each one answers, as values that the graph goes on with, and sums of
it."""

import numpy as np

from ..form import (
    Computed,
    Constant,
    Evaluation,
    Forest,
    Head,
    Largest,
    Linked,
    Lookup,
    Sum,
    Table,
    Through,
    Value,
    Word,
)
from ..form.links import link
from .table import Lifting, Matrix

BELOW_ZERO = -5e-324  # a cut that 0 is above: decision >= 0


def lift(member: object, matrix: Matrix, lifting: Lifting, name: str) -> Head:
    """A member's head; in the path its name."""
    from . import estimate

    return estimate(member, matrix, lifting.at(name))


def linked(head: Head) -> tuple[Value, ...]:
    """The scores through the head's link."""
    if head.link == "identity" and not (head.labels and len(head.scores) == 1):
        return head.scores
    width = link(head.link, np.zeros((1, len(head.scores)))).shape[1]
    node = Linked(head.scores, head.link, width)
    return tuple(Computed(node, i) for i in range(width))


def probabilities(head: Head, lifting: Lifting) -> tuple[Value, ...]:
    """What predict_proba returns."""
    if not head.labels or not head.probabilities or head.parts:
        raise lifting.refuse("a member without probabilities", "use members that have predict_proba")
    return linked(head)


def decision(head: Head) -> tuple[Value, ...]:
    """What decision_function returns, one value for two classes; () of a model that has none."""
    if head.labels is None or head.parts:
        return ()
    if head.decision is not None:
        return head.decision
    made = head.link in ("expit", "softmax", "softmax_log", "softmax_near", "softmax_pair", "ovr", "huber")
    return head.scores if made or not head.probabilities else ()


def index(head: Head) -> Value:
    """The index of the label that a classifier predicts."""
    return Computed(Largest(head.by or head.scores, head.cut, head.last), 0)


def table(of: Value, rows: np.ndarray) -> tuple[Value, ...]:
    """A row of numbers for each index."""
    node = Table((of,), np.asarray(rows, np.float64))
    return tuple(Computed(node, i) for i in range(node.width))


def predicted(head: Head, lifting: Lifting) -> tuple[Value, ...]:
    """What predict returns, as numbers: a regressor's, or labels that are numbers."""
    if head.parts:
        return tuple(value for part in head.parts for value in predicted(part, lifting))
    if head.labels is None:
        return linked(head)
    if not all(isinstance(label, (int, float)) for label in head.labels):
        raise lifting.refuse("a member's labels are read as numbers, but are text", "use its probabilities")
    return table(index(head), np.array(head.labels, np.float64)[:, None])


def binary(head: Head, lifting: Lifting) -> tuple[Value, float]:
    """How much a member of two classes is for the second, and above what it decides for it."""
    if head.labels is None:
        return predicted(head, lifting)[0], 0.5
    scores = decision(head)
    if scores:
        return scores[0], 0.0
    return probabilities(head, lifting)[1], 0.5


def places(labels: tuple, classes: tuple, lifting: Lifting) -> list[int]:
    """Where a member's labels are among the classes of all."""
    try:
        return [classes.index(label) for label in labels]
    except ValueError:
        raise lifting.refuse("a member has a class that the model has not", "fit the model again") from None


def summed(parts: list[tuple[Value, ...]], divisor: float = 1.0, ordered: bool = True) -> tuple[Value, ...]:
    """The sum of the parts' values, place by place in their order, then divided: a forest where all are
    trees."""
    width = len(parts[0])
    node = _forest(parts, divisor) if ordered else None
    if node is None:
        node = Sum(tuple(value for part in parts for value in part), width, divisor, ordered)
    return tuple(Computed(node, i) for i in range(width))


def _forest(parts: list[tuple[Value, ...]], divisor: float) -> Forest | None:
    """The sum as one forest: what depends on one tree alone is a number at each of its leaves."""
    trees, leaves = [], []
    for part in parts:
        forests = _sources(part)
        if forests is None or len(forests) != 1:
            return None
        (forest,) = forests.values()
        if len(forest.target) != 1 or forest.single:
            return None
        ends = Evaluation(np.zeros((len(forest.trees.leaf), 0)))
        at_leaf = np.zeros((len(forest.trees.leaf), forest.width)) + forest.base
        at_leaf += forest.trees.leaf  # one output, or all of them
        ends._done[id(forest)] = at_leaf / forest.divisor
        trees.append(forest)
        leaves.append(ends.matrix(part))
    return joined(trees, leaves, divisor)


def joined(forests: list[Forest], leaves: list[np.ndarray], divisor: float) -> Forest | None:
    """The trees of forests with other leaves, as one."""
    kinds = {(f.trees.strict, f.trees.float32) for f in forests}
    if len(kinds) != 1 or any(f.trees.sets for f in forests):
        return None
    values: dict[tuple, tuple[int, Value]] = {}
    arrays: dict[str, list[np.ndarray]] = {"left": [], "right": [], "feature": []}
    start = 0
    for forest in forests:
        place = [values.setdefault(_key(value), (len(values), value))[0] for value in forest.values]
        trees = forest.trees
        arrays["left"].append(np.where(trees.left < 0, -1, trees.left + start))
        arrays["right"].append(np.where(trees.right < 0, -1, trees.right + start))
        arrays["feature"].append(np.where(trees.left < 0, 0, np.array([*place, 0])[trees.feature]))
        start += len(trees.left)
    from ..form import Trees

    strict, float32 = kinds.pop()
    every = [f.trees for f in forests]
    joint = Trees(
        offsets=np.cumsum([0] + [len(t.left) for t in every]),
        threshold=np.concatenate([t.threshold for t in every]),
        missing_left=np.concatenate([t.missing_left for t in every]),
        leaf=np.concatenate(leaves),
        strict=strict,
        float32=float32,
        **{name: np.concatenate(of) for name, of in arrays.items()},
    )
    width = joint.leaf.shape[1]
    target = np.full(len(forests), 0 if width == 1 else -1)
    refuses = any(f.refuses for f in forests)
    all_of_them = tuple(value for _, value in values.values())
    return Forest(all_of_them, joint, np.zeros(width), target, divisor, refuses=refuses)


def _sources(values: tuple[Value, ...]) -> dict[int, Forest] | None:
    """The forests that values depend on, None where they depend on anything else."""
    found: dict[int, Forest] = {}
    for value in values:
        if isinstance(value, Constant):
            continue
        if not isinstance(value, Computed):
            return None
        if isinstance(value.node, Forest):
            found[id(value.node)] = value.node
            continue
        further = _sources(tuple(value.node.inputs()))
        if further is None:
            return None
        found |= further
    return found


def _key(value: Value) -> tuple:
    """The same of values that are the same."""
    match value:
        case Through():
            return ("number", value.column, value.steps)
        case Word():
            return ("word", value.column, value.code, value.yes, value.no)
        case Lookup():
            return ("lookup", value.column, value.values.tobytes())
        case Computed():
            return ("computed", id(value.node), value.index, value.steps)
        case _:
            return ("constant", value.value)
