"""Stages 4 to 6 of any pipeline: what its file holds, in the intermediate form over columns of a record."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np

from . import columns, goldens, lift, plan
from . import spec as specs
from .columns import Column
from .errors import ConvertError
from .fold import LARGEST, double, rank
from .form import Head, Through, Word
from .frame import frame_of
from .lift import Cell, Lifting, Matrix, Wanted
from .look import Obj
from .neutral import Vectorizer
from .records import Encoded, Encoder
from .spec import Spec
from .task import Task
from .world import Frame, Records, Session


@dataclass
class Lifted:
    """A model in the intermediate form, and the columns of X that it reads."""

    head: Head
    columns: list[Column]
    spec: Spec
    spec_name: str
    lifting: Lifting
    vectorizer: Vectorizer | None  # where the pipeline takes records instead of a table
    estimator: str
    nameless: bool = False  # the names of the table's columns are not the model's

    @property
    def refuses_empty(self) -> bool:
        """Whether a record without any feature is rejected: each may be missing, and all are hardly meant."""
        return columns.may_be_empty(self.columns)

    def data(self, records: Sequence[Encoded]) -> Frame | Records:
        """Records as the original takes them."""
        if self.vectorizer:
            return Records([record.features for record in records])
        return frame_of(self.columns, self.lifting, records)


def lift_model(task: Task, accepts: Mapping[str, plan.Accepts], entries: bool = True) -> Lifted:
    """The model in the form, over the columns that a spec gives. ConvertError of what is not supported.

    entries: a DictVectorizer's columns may each be one of X.
    """
    root = task.looked.root
    steps = _steps(_inside(root))
    name = steps[-1].name if isinstance(steps[-1], Obj) else type(steps[-1]).__name__
    if isinstance(steps[0], Obj) and steps[0].name == "DictVectorizer" and len(steps) > 1:
        return _lift_records(task, steps[0], accepts, name, entries)
    names = _names(root, task)
    lifting = Lifting(names=names)
    head = lift.estimate(root, Matrix([Cell(n) for n in names]), lifting)
    if not lifting.wanted:
        raise ConvertError("the model reads nothing of a record", "is this the fitted pipeline?")
    spec, spec_name = _spec(task, lifting)
    made = plan.columns_of(lifting, spec, accepts, optional=spec_name == "none")
    return Lifted(head, made, spec, spec_name, lifting, None, name, own_names(root, task) is None)


def _inside(root: object) -> object:
    """The Pipeline, or the estimator, that a search or a transformed target is around."""
    while isinstance(root, Obj):
        inner = next(
            (root.state[key] for key in ("best_estimator_", "regressor_") if key in root.state), None
        )
        if not isinstance(inner, Obj):
            break
        root = inner
    return root


def by_entries(task: Task, vectorizer: Obj) -> bool:
    """Whether each of a DictVectorizer's columns is one of X: features go by name, and nothing says which.

    Of too many columns a row would be too wide; and a table, where one is wanted, is of words.
    """
    names = vectorizer.feature_names_
    if task.wish.lowering == "table" or task.spec is None and columns.fits_taxi(names, vectorizer.separator):
        return False
    return task.spec in (None, "none") and not task.signature and len(names) <= columns.ENTRIES


def has_lists(task: Task) -> bool:
    """Whether the spec has lists of words, whose columns are no axis of a table."""
    return task.spec not in (None, "none") and any(f.list for f in specs.load(task.spec).features.values())


def _lift_records(
    task: Task, learned: Obj, accepts: Mapping[str, plan.Accepts], name: str, entries: bool
) -> Lifted:
    vectorizer = Vectorizer(tuple(learned.feature_names_), learned.separator, bool(learned.sparse), True)
    takes = accepts.get("", plan.Accepts(nan=False, limit=None))
    if entries and by_entries(task, learned):
        made = columns.entries(vectorizer, takes.nan, takes.limit)
        spec, spec_name = specs.by_name(list(vectorizer.names)), "none"
    else:
        pipeline = SimpleNamespace(
            vectorizer=vectorizer,
            estimator=None,
            accepts_nan=takes.nan if "" in accepts else None,
            accepts_beyond_float32=takes.limit is None,
        )
        spec, spec_name = columns.choose(pipeline, task.spec, list(task.signature), task.required)
        made = columns.build(pipeline, spec, optional=spec_name == "none")
    values: list = [None] * len(vectorizer.names)
    for i, column in enumerate(made):
        for code, at in enumerate(column.indices, 1):
            values[at] = Word(i, code) if column.kind == "category" else Through(i)
    lifting = Lifting(wanted=[Wanted(c.name, c.kind, c.vocabulary) for c in made])
    if vectorizer.sparse:  # which holds the zeros that a record has
        lifting.held |= {i for i, column in enumerate(made) if column.kind != "category"}
    lifting.vectorized = (vectorizer.names, Matrix(values, vectorizer.sparse))
    head = lift.estimate(task.looked.root, Matrix([]), lifting)
    for wanted in lifting.wanted[len(made) :]:  # numbers that are NaN where a record has none
        column = next(c for c in made if (c.name, c.kind) == (wanted.name, wanted.kind))
        zero_is_nan = {
            rule: "nan" for rule in ("missing", "null", "without") if getattr(column, rule) == "zero"
        }
        made.append(replace(column, **zero_is_nan))
    return Lifted(head, made, spec, spec_name, lifting, vectorizer, name)


def _steps(root: object) -> list:
    if isinstance(root, Obj) and root.name == "Pipeline":
        return [step for _, step in root.steps if step is not None and step != "passthrough"]
    return [root]


def _names(root: object, task: Task) -> tuple[str, ...]:
    """The names of the table's columns: its own, or else the spec's in its order, where it has as many.

    Without any they are x0, x1, ….
    """
    if (names := own_names(root, task)) is not None:
        return names
    first = _steps(root)[0]
    count = first.state.get("n_features_in_") if isinstance(first, Obj) else None
    if task.spec not in (None, "none") and len(given := specs.load(task.spec).features) == count:
        return tuple(given)
    if count is None:
        raise ConvertError("nothing says which columns the model takes", "log it with an input_example")
    if (
        task.spec in (None, "none")
        and task.found.halves()
        and not (isinstance(root, Obj) and root.name == "Pipeline")
    ):
        raise ConvertError(
            f"the model is a {first.name} alone, of {count} columns without names: what makes them is apart",
            task.found.bare_hint() + "; or say in a spec where the columns are, in their order",
        )
    return tuple(f"x{i}" for i in range(int(count)))


def own_names(root: object, task: Task) -> tuple[str, ...] | None:
    """The names that the first step that has them learned, or the signature's; None where there are none."""
    stack = [root]
    while stack:
        obj = stack.pop()
        if not isinstance(obj, Obj):
            continue
        learned = obj.state.get("feature_names_in_", obj.state.get("_feature_names_in"))
        if learned is None:  # of scikit-learn before 1.0
            learned = obj.state.get("_df_columns")
            learned = learned.items if isinstance(learned, Obj) else learned
        if learned is not None:
            return tuple(str(n) for n in learned)
        if obj is _steps(root)[0] and (learned := lift.names_of(obj)):
            return tuple(learned)
        inner = [step for _, step in obj.state.get("steps", [])[:1]]
        inner += [obj.state[k] for k in ("best_estimator_", "regressor_", "estimator_") if k in obj.state]
        stack += inner
    inputs = [i.get("name") for i in (task.found.mlmodel.signature or {}).get("inputs") or []]
    return tuple(inputs) if inputs and all(inputs) else None


def _spec(task: Task, lifting: Lifting) -> tuple[Spec, str]:
    if task.spec in (None, "none"):
        return plan.by_name(lifting, task.required), "none"
    return specs.load(task.spec), task.spec


def probe(lifted: Lifted, session: Session) -> dict[str, plan.Accepts]:
    """What the original takes in each number's column: NaN, and numbers how large."""
    record = Encoder(lifted.columns, None).encode(
        json.dumps(goldens.Records(lifted.columns, None, {}, []).plain())
    )
    numbers = [(i, c) for i, c in enumerate(lifted.columns) if c.kind != "category"]
    accepts = {}
    for i, column in numbers[:1] if lifted.vectorizer else numbers:

        def takes(values: Sequence[float], i: int = i, column: Column = column) -> list[bool]:
            return _takes(lifted, session, record, i, column.name, values)

        accepts["" if lifted.vectorizer else column.name] = plan.Accepts(takes([np.nan])[0], _limit(takes))
    return accepts


def _limit(takes: Callable[[Sequence[float]], list[bool]]) -> float | None:
    """The least magnitude that is refused, with either sign; None where all of float64 is taken."""
    if all(takes([LARGEST, -LARGEST])):
        return None
    below = float(np.nextafter(columns.FLOAT32_LIMIT, 0.0))
    if all(takes([below, -below])) and not any(takes([columns.FLOAT32_LIMIT, -columns.FLOAT32_LIMIT])):
        return columns.FLOAT32_LIMIT
    low, high = rank(1.0), rank(LARGEST)  # the first is taken, the second refused
    while high - low > 1:
        ranks = sorted({low + (high - low) * k // 17 for k in range(1, 17)} - {low, high}) or [
            (low + high) // 2
        ]
        numbers = double(np.array(ranks))
        taken = [a and b for a, b in zip(takes(numbers), takes(-numbers), strict=True)]
        first = taken.index(False) if False in taken else len(taken)
        low = ranks[first - 1] if first else low
        high = ranks[first] if first < len(ranks) else high
    return float(double(np.array([high]))[0])


def _takes(
    lifted: Lifted, session: Session, record: Encoded, at: int, name: str, values: Sequence[float]
) -> list[bool]:
    """Whether the original predicts a finite number, or a label, with each value in a column."""
    asked = []
    for x in values:
        row = list(record.row)
        row[at] = float(x)
        asked.append(Encoded({**record.features, name: float(x)}, row, 0))
    answer = session.call("predict", lifted.data(asked))
    taken = [i not in answer.refused for i in range(len(asked))]
    if answer.values is not None and np.asarray(answer.values).dtype.kind == "f":
        finite = iter(np.isfinite(np.asarray(answer.values).reshape(sum(taken), -1)).all(axis=1))
        taken = [bool(t and next(finite)) for t in taken]
    return taken
