"""What comes out of a model, as the manifest has it; inference/bundle/SPEC.md."""

from collections.abc import Sequence
from dataclasses import replace

from .errors import ConvertError
from .form import Head, Value
from .lift.members import linked
from .spec import Spec

# The links that the worker has; inference/bundle/SPEC.md.
NUMBERS = frozenset(["identity", "exp", "expm1", "exp32", "expits", "expits32"])
PROBABILITIES = frozenset(
    ["identity", "expit", "expit32", "expits", "expits32", "both", "softmax", "softmax_in_order", "softmax32"]
    + ["ovr"]
)


def head_for(head: Head, spec: Spec) -> Head:
    """The head that the worker can serve for what the spec wants: what it does not do itself is in the graph.

    ConvertError where that cannot be.
    """
    if head.parts:
        raise ConvertError(
            "the model predicts several labels, which the worker does not have yet", "train a model of each"
        )
    if head.labels is None:
        return head if head.link in NUMBERS else replace(head, scores=linked(head), link="identity")
    if head.by is not None and same(head.by, head.scores):
        head = replace(head, by=None)
    head = replace(head, decision=head.scores if head.decision is None else head.decision)
    wanted = bool(spec.probabilities) and head.probabilities
    if not wanted and head.decide != "probabilities":
        head = replace(head, scores=head.by or head.scores, by=None, link="identity")
    elif head.by is not None or head.link not in PROBABILITIES:
        # The label is that of the largest share, which the proof compares with the original's.
        head = replace(head, scores=linked(head), by=None, link="identity", decide="scores")
    if head.last and len(head.scores) > 1:
        for key in ("probabilities", "margin"):
            if getattr(spec, key):
                raise ConvertError(
                    f"of equal classes the model takes the last, which the worker has no {key} for yet",
                    f"leave {key} out of the spec",
                )
        head = replace(head, scores=head.scores[::-1], labels=head.labels[::-1], last=False)
    return head


def output_of(head: Head, spec: Spec) -> dict:
    """What comes out, as the manifest has it. ConvertError for a link that the worker does not have."""
    output: dict = {"name": spec.prediction, "kind": "number", "width": len(head.scores)}
    if head.labels is None:
        for key in ("probabilities", "margin"):
            if getattr(spec, key):
                raise ConvertError(f"a regressor has no {key}", f"leave {key} out of the spec")
        if head.link not in NUMBERS:
            raise ConvertError(f"the worker does not have the link {head.link} yet", "leave that step out")
        return output | {"unit": spec.unit, "link": head.link}
    if spec.margin and head.decision is not None and not same(head.decision, head.scores):
        raise ConvertError(
            "the model's decision values are not among what the worker computes",
            "leave margin out of the spec",
        )
    wanted = bool(spec.probabilities)
    if wanted and not head.probabilities:
        raise ConvertError("the model has no probabilities", "leave probabilities out of the spec")
    link = head.link if wanted or head.decide == "probabilities" else "identity"
    if link not in PROBABILITIES:
        raise ConvertError(
            f"the worker does not have the probabilities' link {link} yet",
            "leave probabilities out of the spec",
        )
    output |= {"kind": "label", "labels": list(head.labels), "link": link, "decide": head.decide}
    if len(head.scores) == 1 and head.decide == "scores" and head.cut:
        output["cut"] = head.cut
    if wanted:
        output["probabilities"] = spec.probabilities
    if spec.margin:
        output["margin"] = spec.margin
    return output


def same(some: Sequence[Value], others: Sequence[Value]) -> bool:
    """Whether two heads' values are the very same."""
    return len(some) == len(others) and all(a is b for a, b in zip(some, others, strict=True))
