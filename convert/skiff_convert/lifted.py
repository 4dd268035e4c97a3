"""Stages 4 to 6 of any pipeline: what its file holds, in the intermediate form over columns of a record."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace

from . import columns, lift, plan
from . import spec as specs
from .columns import Column
from .errors import ConvertError
from .form import Head, Through, Word
from .frame import frame_of
from .lift import Cell, Lifting, Matrix, Wanted
from .lift.table import Opaques
from .look import Obj
from .neutral import Vectorizer
from .outputs import asked
from .records import Encoded
from .spec import Spec
from .task import Task
from .world import Frame, Records


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
    method: str = "predict"  # that MLflow asks, which the bundle predicts
    inside: str = ""  # where in the model what predicts is: a search's best estimator
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


def lift_model(
    task: Task, accepts: plan.Taken, entries: bool = True, opaque: Opaques | None = None
) -> Lifted:
    """The model in the form, over the columns that a spec gives. ConvertError of what is not supported.

    entries: a DictVectorizer's columns may each be one of X. opaque: makes steps that have no lifter.
    """
    root = task.looked.root
    within, inside = _inside(root)
    method = task.found.mlmodel.predict_fn
    steps = _steps(within)
    name = steps[-1].name if isinstance(steps[-1], Obj) else type(steps[-1]).__name__
    if isinstance(steps[0], Obj) and steps[0].name == "DictVectorizer" and len(steps) > 1:
        return replace(_lift_records(task, steps[0], accepts, name, entries, opaque), inside=inside)
    names = _names(root, task)
    lifting = Lifting(names=names, opaque=opaque)
    head = lift.estimate(root, Matrix([Cell(n) for n in names]), lifting)
    head = asked(head, method, name)
    if not lifting.wanted:
        raise ConvertError("the model reads nothing of a record", "is this the fitted pipeline?")
    spec, spec_name = _spec(task, lifting)
    made = plan.columns_of(lifting, spec, accepts, optional=spec_name == "none")
    nameless = own_names(root, task) is None
    return Lifted(head, made, spec, spec_name, lifting, None, name, method, inside, nameless)


def _inside(root: object) -> tuple[object, str]:
    """The Pipeline, or the estimator, that a search or a transformed target is around; and where it is."""
    at: list[str] = []
    while isinstance(root, Obj):
        key = next((key for key in ("best_estimator_", "regressor_") if key in root.state), "")
        if not isinstance(root.state.get(key), Obj):
            break
        root = root.state[key]
        at.append(key)
    return root, ".".join(at)


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
    task: Task, learned: Obj, accepts: plan.Taken, name: str, entries: bool, opaque: Opaques | None
) -> Lifted:
    vectorizer = Vectorizer(tuple(learned.feature_names_), learned.separator, bool(learned.sparse), True)
    if entries and by_entries(task, learned):
        made = columns.entries(vectorizer)
        spec, spec_name = specs.by_name(list(vectorizer.names)), "none"
    else:
        pipeline = SimpleNamespace(
            vectorizer=vectorizer, estimator=None, accepts_nan=None, accepts_beyond_float32=True
        )
        spec, spec_name = columns.choose(pipeline, task.spec, list(task.signature), task.required)
        nan = {column: takes.nan for column, takes in accepts.items()}
        made = columns.build(
            pipeline, spec, optional=spec_name == "none", takes_nan=lambda *column: nan.get(column)
        )
    made = [_taking(column, accepts) if column.kind in ("number", "entry") else column for column in made]
    values: list = [None] * len(vectorizer.names)
    for i, column in enumerate(made):
        for code, at in enumerate(column.indices, 1):
            values[at] = Word(i, code) if column.kind == "category" else Through(i)
    lifting = Lifting(wanted=[Wanted(c.name, c.kind, c.vocabulary) for c in made], opaque=opaque)
    if vectorizer.sparse:  # which holds the zeros that a record has
        lifting.held |= {i for i, column in enumerate(made) if column.kind != "category"}
    lifting.vectorized = (vectorizer.names, Matrix(values, vectorizer.sparse))
    head = lift.estimate(task.looked.root, Matrix([]), lifting)
    head = asked(head, task.found.mlmodel.predict_fn, name)
    for wanted in lifting.wanted[len(made) :]:  # numbers that are NaN where a record has none
        column = next(c for c in made if (c.name, c.kind) == (wanted.name, wanted.kind))
        zero_is_nan = {
            rule: "nan" for rule in ("missing", "null", "without") if getattr(column, rule) == "zero"
        }
        made.append(replace(column, **zero_is_nan))
    return Lifted(head, made, spec, spec_name, lifting, vectorizer, name, task.found.mlmodel.predict_fn)


def _taking(column: Column, accepts: plan.Taken) -> Column:
    """A column of numbers, with what the original takes in it."""
    takes = accepts.get((column.name, column.kind), plan.Accepts(nan=False, limit=None))
    if column.kind == "entry":
        column = replace(column, null="nan" if takes.nan else "reject")
    return replace(column, limit=takes.limit, least=takes.least)


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
