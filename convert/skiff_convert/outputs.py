"""What comes out of a model, as the manifest has it; inference/bundle/SPEC.md."""

from collections.abc import Sequence
from dataclasses import replace

from .errors import ConvertError
from .form import Head, Step, Value, apply
from .lift.members import decision, linked
from .spec import Spec

# The links that the worker has; inference/bundle/SPEC.md.
PROBABILITIES = frozenset(
    ["identity", "expit", "expit32", "expits", "expits32", "both", "softmax", "softmax_in_order"]
    + ["softmax_fast", "softmax32", "ovr", "coupled"]
)
NUMBERS = PROBABILITIES | {"exp", "expm1", "exp32", "exp_fast"}
# How boosters' predict is asked for the decision values: they have no decision_function.
RAW = {
    "XGBClassifier": {"output_margin": True},
    "XGBRFClassifier": {"output_margin": True},
    "LGBMClassifier": {"raw_score": True},
    "CatBoostClassifier": {"prediction_type": "RawFormulaVal"},
}


def asked(head: Head, method: str, estimator: str) -> Head:
    """The head of what MLflow's predict_fn asks for, which is a method of the estimator.

    Of predict_proba and decision_function that is numbers. ConvertError for others, and where it has none.
    """
    made = head if method == "predict" else None
    if method == "predict_proba" and head.labels and head.probabilities and not head.parts:
        scores, link = _pair(head.scores) if head.link == "softmax_pair" else (head.scores, head.link)
        made = Head(scores, link)
    if method == "decision_function" and (values := decision(head)):
        made = Head(values)
    if made is None:
        raise ConvertError(
            f"MLflow asks the {estimator} for {method}, by its pyfunc_predict_fn, which does not convert",
            "log it without pyfunc_predict_fn; probabilities and margin of the spec add those",
        )
    return made


def _pair(scores: Sequence[Value]) -> tuple[tuple[Value, ...], str]:
    """The softmax of minus a score and the score."""
    return (apply(scores[0], Step("mul", -1.0)), scores[0]), "softmax"


def head_for(head: Head, spec: Spec, estimator: str = "") -> Head:
    """The head that the worker can serve for what the spec wants: what it does not do itself is in the graph.

    Its decision is there where a margin is wanted that is not the scores, its by where others than the scores
    decide. estimator is the original's class. ConvertError for what the model has not.
    """
    if head.labels is None:
        for key in ("probabilities", "margin"):
            if getattr(spec, key):
                raise ConvertError(f"a regressor has no {key}", f"leave {key} out of the spec")
        return head if head.link in NUMBERS else replace(head, scores=linked(head), link="identity")
    if spec.probabilities and not all(part.probabilities for part in (head, *head.parts)):
        raise ConvertError("the model has no probabilities", "leave probabilities out of the spec")
    margins = _margins(head, estimator) if spec.margin else [None] * len(head.parts or (head,))
    made = [_choice(part, spec, margin) for part, margin in zip(head.parts or (head,), margins, strict=True)]
    if not head.parts:
        return made[0]
    return replace(head, scores=tuple(v for part in made for v in part.scores), parts=tuple(made))


def _margins(head: Head, estimator: str) -> list[tuple[Value, ...]]:
    """The decision values of each label. ConvertError where the model has none."""
    if head.parts:
        margins = [() if head.decision == () else decision(part) for part in head.parts]
    else:
        margins = [decision(head) or (head.raw if head.raw and estimator in RAW else ())]
    if not all(margins):
        raise ConvertError(
            f"{'a ' + estimator if estimator else 'the model'} has no decision_function",
            "leave margin out of the spec",
        )
    return margins


def _choice(head: Head, spec: Spec, margin: tuple[Value, ...] | None) -> Head:
    if len(head.labels) < 2:
        raise ConvertError(
            f"a label is always {head.labels[0]}: the model has one class of it", "train it with two"
        )
    scores, link, decide = head.scores, head.link, head.decide
    by = head.by if decide == "scores" else None
    if not spec.probabilities and decide == "scores":
        scores, link, by = by or scores, "identity", None
    elif link == "softmax_pair":
        by = (by or scores) if decide == "scores" else None
        scores, link = _pair(scores)
    elif link not in PROBABILITIES:
        by = (by or scores) if decide == "scores" else None
        scores, link, decide = linked(head), "identity", "scores"
    if by is not None and same(by, scores):
        by = None
    if margin is not None and same(margin, scores):
        margin = None
    return replace(head, scores=scores, link=link, by=by, decision=margin, decide=decide)


def output_of(head: Head, spec: Spec) -> dict:
    """What comes out of a head that is head_for the spec, as the manifest has it."""
    if head.labels is None:
        width = len(head.scores)
        kind = {"kind": "number", "width": width, "unit": spec.unit, "link": head.link}
        return {"name": spec.prediction, **kind}
    if head.parts:
        output = {
            "name": spec.prediction, "kind": "labels",
            "parts": [_label(part, bool(spec.probabilities)) for part in head.parts],
        }  # fmt: skip
    else:
        output = {"name": spec.prediction, "kind": "label", **_label(head, bool(spec.probabilities))}
    return output | {key: getattr(spec, key) for key in ("probabilities", "margin") if getattr(spec, key)}


def _label(head: Head, probable: bool) -> dict:
    """A label, but for its name."""
    link = head.link if probable or head.decide == "probabilities" else "identity"
    label: dict = {"width": len(head.scores), "labels": list(head.labels), "link": link}
    label["decide"] = "values" if head.by else head.decide
    if head.by:
        label["values"] = len(head.by)
    deciding = len(head.labels) if head.decide == "probabilities" else len(head.by or head.scores)
    if deciding == 1 and head.cut:
        label["cut"] = head.cut
    if head.last and deciding > 1:
        label["ties"] = "last"
    if head.decision:
        label["margins"] = len(head.decision)
    return label


def same(some: Sequence[Value], others: Sequence[Value]) -> bool:
    """Whether two heads' values are the very same."""
    return len(some) == len(others) and all(a is b for a, b in zip(some, others, strict=True))
