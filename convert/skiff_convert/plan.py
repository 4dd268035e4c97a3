"""Stage 6: the columns of X for what a lifted model reads: where they are, what becomes of odd values."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from . import spec as specs
from .column import HASH
from .columns import Column
from .errors import ConvertError
from .feature import Keys, Template
from .form import Computed, Forest, Head, Lookup, Node, Through, Value, Word
from .form.links import SHARES, link_allowance
from .lift import Lifting, Wanted
from .rules import ruled
from .spec import Spec

LONG = 2.0**63  # from which on CatBoost takes no integer: a C long's


@dataclass(frozen=True)
class Accepts:
    """What the original takes in a column, as it was found by asking it."""

    nan: bool
    # The least magnitude that it refuses; None: it takes all that float64 has. Of a category of text, whose
    # unknown words are numbers as well, 0 where it takes none.
    limit: float | None
    least: float | None = None  # the least number that it takes, where that is not minus the limit


Taken = Mapping[tuple[str, str], Accepts]  # by name and kind of a column


def columns_of(lifting: Lifting, spec: Spec, accepts: Taken, optional: bool) -> list[Column]:
    """The columns, in the order that the model wants them. ConvertError where the spec does not give one.

    optional is whether a key that is absent stands for a missing value, where the original takes that; but of
    what the spec requires.
    """
    columns = []
    for wanted in lifting.wanted:
        if wanted.name not in spec.features:
            raise ConvertError(
                f"the pipeline wants feature {wanted.name}, which the spec does not give",
                f'add it under [features], {wanted.name} = "key.key", or use --spec none',
            )
        given = spec.features[wanted.name]
        make = _category if wanted.kind == "category" else _number
        column = make(wanted, given.source, accepts, optional and wanted.name not in spec.required)
        asked = accepts.get((wanted.name, wanted.kind))
        columns.append(ruled(column, given, asked.nan if asked else None, table=True))
    return columns


def _category(wanted: Wanted, source: Template | Keys | None, accepts: Taken, optional: bool) -> Column:
    if wanted.hashed:  # CatBoost's: text, or a whole number, and nothing else
        rules = {"hash": HASH, "vocabulary": wanted.words, "unknown": "accept"}
        if not isinstance(source, Template):
            rules |= {"other": "reject", "null": "reject", "limit": LONG}
        return Column(wanted.name, source, "category", "reject", **rules)
    missing = None in wanted.words
    text = any(isinstance(word, str) for word in wanted.words)
    unknown = "reject" if wanted.strict else "accept"
    if isinstance(source, Template):
        words = tuple(w for w in wanted.words if isinstance(w, str))
        return Column(wanted.name, source, "category", "reject", vocabulary=words, unknown=unknown)
    limit = accepts.get((wanted.name, "category"), Accepts(nan=False, limit=None)).limit
    elsewhere = "reject" if wanted.strict or not text or limit == 0 else "unknown"
    return Column(
        wanted.name, source, "category", "null" if optional and missing else "reject",
        vocabulary=wanted.words, unknown=unknown, other=elsewhere,
        null="" if missing else ("reject" if wanted.strict else "unknown"), limit=limit or None,
    )  # fmt: skip


def _number(wanted: Wanted, source: Template | Keys | None, accepts: Taken, optional: bool) -> Column:
    if isinstance(source, Template):
        raise ConvertError(
            f"the pipeline learned {wanted.name} as a number, and the spec makes a text of it",
            f'give its path: {wanted.name} = "key.key"',
        )
    takes = accepts.get((wanted.name, "number"), Accepts(nan=False, limit=None))
    return Column(
        wanted.name, source, "number", "nan" if optional and takes.nan else "reject",
        null="nan" if takes.nan else "reject", text="reject",
        limit=takes.limit, least=takes.least,
    )  # fmt: skip


def by_name(lifting: Lifting, required: Collection[str] = ()) -> Spec:
    """The spec when none is given: each feature is the record's key of that name."""
    return specs.by_name(list(dict.fromkeys(wanted.name for wanted in lifting.wanted)), required)


def nodes(head: Head) -> list[Node]:
    """All nodes of a model, each once, those it reads before it."""
    found: list[Node] = []

    def visit(value: Value) -> None:
        if isinstance(value, Computed) and not any(node is value.node for node in found):
            for inner in value.node.inputs():
                visit(inner)
            if not any(node is value.node for node in found):
                found.append(value.node)

    for score in head.y:
        visit(score)
    return found


def forests(head: Head) -> list[Forest]:
    """The forests of a model."""
    return [node for node in nodes(head) if isinstance(node, Forest)]


def without(head: Head, lifting: Lifting) -> Lifting:
    """The columns of X that the model does read; fewer where it learned nothing of one."""
    read = set()
    for node in [*nodes(head)]:
        read |= {v.column for v in node.inputs() if isinstance(v, (Lookup, Word, Through))}
    read |= {v.column for v in head.y if isinstance(v, (Lookup, Word, Through))}
    assert read <= set(range(len(lifting.wanted)))
    return lifting


def bounds(head: Head, scores: np.ndarray, allowance: np.ndarray) -> np.ndarray:
    """How far the numbers of a head may be off where its scores may be; absolute."""
    if head.link == "identity":
        return allowance
    numbers, far = head.numbers(scores), allowance.max(axis=1, keepdims=True)
    # Scores that differ round to other numbers: once for each operation of the link.
    rounding = (2.0**-23 if head.link.endswith("32") else 2.0**-52) * (3 + numbers.shape[1]) * np.abs(numbers)
    rounding = np.where(far > 0, rounding, 0.0)
    if head.link == "coupled":
        return link_allowance(head.link, scores, allowance)
    if head.link in SHARES:
        return np.where(far > 0, link_allowance(head.link, scores, allowance), 0.0) + rounding
    if head.link in ("exp", "expm1"):
        return np.exp(scores) * allowance * 2 + rounding
    return np.broadcast_to(far, numbers.shape) * 2 + rounding
