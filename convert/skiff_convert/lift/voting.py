"""Voting and stacking: a mean or a majority of several models, or a model of what they say."""

import numpy as np

from ..form import Head, Step, apply
from ..look.graph import Obj
from .labels import labels_of
from .members import decision, index, lift, places, predicted, probabilities, summed, table
from .table import Lifting, Matrix


def _members(obj: Obj, matrix: Matrix, lifting: Lifting) -> list[tuple[str, Head]]:
    """The members that were not dropped, by name."""
    names = [name for name, member in obj.estimators if member not in ("drop", None)]
    return [(name, lift(e, matrix, lifting, name)) for name, e in zip(names, obj.estimators_, strict=True)]


def _weights(obj: Obj) -> list[float] | None:
    """The weights of the members that were not dropped."""
    if obj.state.get("weights") is None:
        return None
    kept = zip(obj.estimators, np.asarray(obj.weights).tolist(), strict=True)
    return [float(w) for (_, member), w in kept if member not in ("drop", None)]


def _average(parts: list[tuple], weights: list[float] | None) -> tuple:
    """numpy.average over the members."""
    if weights is None:
        return summed(parts, float(len(parts)))
    weighted = [tuple(apply(v, Step("mul", w)) for v in part) for part, w in zip(parts, weights, strict=True)]
    return summed(weighted, float(np.sum(np.array(weights))))


def voting_regressor(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """VotingRegressor: the mean, or the weighted mean, of the members' predictions.

    numpy adds eight and more members up otherwise for one record than for several.
    """
    return Head(
        _average([predicted(head, lifting) for _, head in _members(obj, matrix, lifting)], _weights(obj))
    )


def voting_classifier(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """VotingClassifier: soft, the mean of probabilities; hard, the majority."""
    labels = labels_of(obj.classes_, lifting)
    members, weights = _members(obj, matrix, lifting), _weights(obj)
    if obj.voting == "soft":
        parts = [probabilities(head, lifting.at(name)) for name, head in members]
        return Head(_average(parts, weights), "identity", labels)
    parts = []
    for i, (_, head) in enumerate(members):
        at = places(head.labels or (), tuple(range(len(labels))), lifting)
        parts.append(table(index(head), np.eye(len(labels))[at] * (1.0 if weights is None else weights[i])))
    return Head(summed(parts), "identity", labels, probabilities=False, decision=())


def stacking(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """StackingRegressor, StackingClassifier: the final estimator of what the members say."""
    classifies = "classes_" in obj.state or obj.name == "StackingClassifier"
    names = [name for name, member in obj.estimators if member not in ("drop", None)]
    values: list = []
    for name, member, method in zip(names, obj.estimators_, obj.stack_method_, strict=True):
        head, at = lift(member, matrix, lifting, name), lifting.at(name)
        if method == "predict_proba":
            made = probabilities(head, at)
            values += made[1:] if len(made) == 2 else made
        elif method == "decision_function":
            made = decision(head)
            if not made:
                raise at.refuse("a decision function of this member", "stack_method='predict_proba' converts")
            values += made
        else:
            values += predicted(head, at)
    sparse = False
    if obj.passthrough:
        values += lifting.numbers(matrix)
        sparse = matrix.sparse
    final = lift(obj.final_estimator_, Matrix(values, sparse), lifting, "final_estimator_")
    if not classifies:
        return final
    from dataclasses import replace

    classes = obj.state.get("classes_")
    if classes is None:
        classes = obj._label_encoder.classes_
    labels = labels_of(classes, lifting)
    if isinstance(classes, list) or final.parts:
        raise lifting.refuse("StackingClassifier of several labels")
    if final.labels is None:
        raise lifting.refuse("StackingClassifier whose final estimator is a regressor", "use a classifier")
    at = [label for label in final.labels]
    if all(isinstance(i, int) and 0 <= i < len(labels) for i in at):  # fitted on encoded labels
        final = replace(final, labels=tuple(labels[i] for i in at))
    return replace(final, decision=decision(final), raw=None)


ESTIMATORS = {
    "VotingRegressor": voting_regressor,
    "VotingClassifier": voting_classifier,
    "StackingRegressor": stacking,
    "StackingClassifier": stacking,
}
