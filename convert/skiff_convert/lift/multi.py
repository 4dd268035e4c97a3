"""Several outputs or several classes by several models: MultiOutput, chains, one against the rest, one
against one."""

from dataclasses import replace

import numpy as np

from ..form import Computed, Constant, Head, Value, Votes
from ..look.graph import Obj
from .labels import labels_of
from .members import binary, decision, index, lift, linked, predicted, probabilities
from .table import Lifting, Matrix
from .trees import together, version

OVR_FIRST = (1, 8)  # of equal estimators OneVsRest takes the first; before the last


def output_regressor(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """MultiOutputRegressor: an estimator for each output."""
    heads = [lift(e, matrix, lifting, f"estimators_[{i}]") for i, e in enumerate(obj.estimators_)]
    links = {head.link for head in heads}
    if len(links) == 1:
        return Head(tuple(v for head in heads for v in head.scores), links.pop())
    return Head(tuple(v for head in heads for v in predicted(head, lifting)))


def output_classifier(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """MultiOutputClassifier: a classifier for each output."""
    return together([lift(e, matrix, lifting, f"estimators_[{i}]") for i, e in enumerate(obj.estimators_)])


def chain(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """RegressorChain, ClassifierChain: each estimator reads what those before it say as well.

    A sparse matrix stays one: what is said before is added as columns that are absent where 0.
    """
    heads: list[Head] = []
    said: list[Value] = []
    method = obj.state.get("chain_method_", "predict")
    values = lifting.numbers(matrix)
    for i, member in enumerate(obj.estimators_):
        head = lift(member, Matrix([*values, *said], matrix.sparse), lifting, f"estimators_[{i}]")
        heads.append(head)
        if method == "predict":
            said += predicted(head, lifting)
        elif method == "predict_proba":
            said.append(probabilities(head, lifting)[1])
        else:
            said += decision(head)
    order = np.asarray(obj.order_).tolist()
    heads = [heads[order.index(i)] for i in range(len(heads))]
    if obj.name == "RegressorChain":
        return Head(tuple(v for head in heads for v in predicted(head, lifting)))
    # What it returns is an array of floats.
    return together([_floats(head) for head in heads], decides=True)


def _floats(head: Head) -> Head:
    """A label of a chain, which is a number; its probabilities are the second class's, of two."""
    labels = tuple(float(label) for label in head.labels or ())
    return replace(head, labels=labels, probabilities=head.probabilities and len(labels) == 2)


def _constant(obj: Obj) -> Head:
    """What OneVsRest has for a class that all or none of the rows were of."""
    y = float(np.ravel(np.asarray(obj.y_))[0])
    return Head((Constant(y),), "both", (0, 1), decision=(Constant(y),))


def one_vs_rest(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """OneVsRestClassifier: the class whose estimator is most for it."""
    binarizer = obj.label_binarizer_
    heads = []
    for i, member in enumerate(obj.estimators_):
        head = (
            _constant(member)
            if member.name == "_ConstantPredictor"
            else lift(member, matrix, lifting, f"estimators_[{i}]")
        )
        heads.append(head)
    pairs = [binary(head, lifting) for head in heads]
    has = all(head.labels is not None and head.probabilities for head in heads)
    if str(binarizer.y_type_).startswith("multilabel"):
        return together([_label(h, b) for h, b in zip(heads, pairs, strict=True)], decides=True)
    labels = labels_of(binarizer.classes_, lifting)
    if len(heads) == 1:
        return _for_one(heads[0], pairs[0], labels)
    by = tuple(value for value, _ in pairs)
    decisions = tuple(v for head in heads for v in decision(head))
    decided = decisions if len(decisions) == len(heads) else ()
    last = (0,) < version(obj) < OVR_FIRST
    if not has:
        return Head(by, "identity", labels, probabilities=False, decision=decided, last=last)
    scores = tuple(probabilities(head, lifting)[1] for head in heads)
    return Head(scores, "normalize_plain", labels, by=by, decision=decided, last=last)


def _for_one(head: Head, pair: tuple[Value, float], labels: tuple) -> Head:
    """One estimator's answer, by its own score, as two classes."""
    if head.labels is None:
        return Head((pair[0],), "identity", labels, cut=pair[1], probabilities=False, decision=())
    both = linked(Head(linked(head)[1:], "both", labels)) if head.probabilities else head.scores
    return Head(
        both,
        "normalize_plain",
        labels,
        pair[1],
        probabilities=head.probabilities,
        by=(pair[0],),
        decision=decision(head),
    )


def _label(head: Head, pair: tuple[Value, float]) -> Head:
    """One estimator's answer to whether a label applies."""
    if head.labels is None:
        return _for_one(head, pair, (0, 1))
    return replace(head, labels=(0, 1), by=(pair[0],), cut=pair[1])


def one_vs_one(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """OneVsOneClassifier: an estimator for each pair of classes, and their votes."""
    labels = labels_of(obj.classes_, lifting)
    picked = obj.state.get("pairwise_indices_")
    if picked is not None:
        raise lifting.refuse("OneVsOneClassifier of a precomputed kernel")
    heads = [lift(e, matrix, lifting, f"estimators_[{i}]") for i, e in enumerate(obj.estimators_)]
    votes = [index(h) if h.labels is not None else predicted(h, lifting)[0] for h in heads]
    node = Votes((*votes, *(binary(h, lifting)[0] for h in heads)), len(labels))
    values = tuple(Computed(node, i) for i in range(len(labels)))
    if len(labels) == 2:
        cut = binary(heads[0], lifting)[1] if version(obj) >= (1, 1) else 0.0
        return Head(values[1:], "identity", labels, cut=cut, probabilities=False)
    return Head(values, "identity", labels, probabilities=False)


ESTIMATORS = {
    "MultiOutputRegressor": output_regressor,
    "MultiOutputClassifier": output_classifier,
    "RegressorChain": chain,
    "ClassifierChain": chain,
    "OneVsRestClassifier": one_vs_rest,
    "OneVsOneClassifier": one_vs_one,
}
