"""Steps without a lifter, with consent: sklearn-onnx's graph of each, within a bound that is measured.

sklearn-onnx runs in a process and an environment of its own: the model's, with sklearn-onnx as of its day.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import numpy as np
from onnxruntime import InferenceSession

from . import NO_AVX512, plan
from .errors import ConvertError
from .form import Computed, Evaluation, Head
from .form.opaque import Measured, Opaque
from .lift import Lifting, Matrix
from .lift.labels import labels_of
from .look.graph import Obj, walk
from .prove import open_session
from .world import Matrix as Numbers
from .world import Session, SessionError, World

NEEDS = ("skl2onnx", "packaging")  # sklearn-onnx, and what it imports and does not ask for
# Of a result's size, that is still a bound: what is further off computes in float32, or something else.
MOST = 2.0**-20
LEAST = 2.0**-48  # what a sum of another order, of one record or of many, is off by in any case
SPARE = 4.0  # times what was seen
CHUNK = 1000  # rows that a graph is given at a time
HINT = "leave it out, or add a lifter: skiff_convert/lift/README.md says how"
FURTHER = (-3.0, 0.5, 1.5, 30.0)  # times the rows that were learned: beyond training's range, too
LEARNED = 300  # rows that were learned, of which the step is asked


@dataclass
class Accepted:
    """Makes the nodes of steps without a lifter, each step once. Used in a `with`."""

    root: object
    world: Callable[[], World]
    say: Callable[[str], None]
    made: dict[int, Opaque] = field(default_factory=dict)  # by id of the step
    asked: dict[int, tuple[str, str, Obj]] = field(default_factory=dict)  # its place, the method, the step
    _open: ExitStack = field(default_factory=ExitStack)
    _session: Session | None = None

    def __enter__(self) -> "Accepted":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def transform(self, obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
        """What a step makes of a matrix."""
        return Matrix(_values(self._node(obj, "transform", matrix, lifting)))

    def estimate(self, obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
        """What an estimator predicts: numbers, or probabilities, whose largest decides."""
        classes = obj.state.get("classes_")
        method = "predict" if classes is None else "predict_proba"
        values = tuple(_values(self._node(obj, method, matrix, lifting)))
        if classes is None:
            return Head(values)
        return Head(values, "identity", labels_of(classes, lifting), decision=())

    def _node(self, obj: Obj, method: str, matrix: Matrix, lifting: Lifting) -> Opaque:
        values = tuple(lifting.numbers(matrix))
        if id(obj) not in self.made:
            place = place_of(self.root, obj)
            model, told = self._convert(obj, place, method, len(values), lifting)
            session = self._opened(obj, model, lifting)

            def run(rows: np.ndarray) -> np.ndarray:
                parts = [
                    session.run([told["output"]], {"X": np.ascontiguousarray(rows[i : i + CHUNK])})[0]
                    for i in range(0, max(1, len(rows)), CHUNK)
                ]
                made = np.concatenate(parts).astype(np.float64)
                return made.reshape(len(rows), -1)

            self.asked[id(obj)] = place, method, obj
            try:
                made = run(np.zeros((1, len(values)))).shape[1]
            except Exception as err:  # onnxruntime's errors have no common class
                raise _refused(obj, lifting, err) from err
            self.made[id(obj)] = Opaque(values, obj.name, model, told["output"], made, run, Measured())
        once = self.made[id(obj)]
        return replace(once, values=values)

    def _convert(self, obj: Obj, place: str, method: str, width: int, lifting: Lifting) -> tuple[bytes, dict]:
        if self._session is None:
            world = self.world()
            self._session = self._open.enter_context(world.open({"NPY_DISABLE_CPU_FEATURES": NO_AVX512}))
        try:
            model, told = self._session.onnx(place, method, width)
        except SessionError as err:
            raise _refused(obj, lifting, err) from err
        self.say(f"{obj.name}: by sklearn-onnx {told['version']}, its error will be measured")
        return model, told

    def _opened(self, obj: Obj, model: bytes, lifting: Lifting) -> InferenceSession:
        try:
            return open_session(model)
        except ConvertError as err:
            raise _refused(obj, lifting, err) from err

    def measure(self, head: Head, session: Session, X: np.ndarray) -> str:
        """Measures each step on rows of X and beside what it learned; the manifest's bound, "" without steps.

        session: of the original. ConvertError where a step is further off than a bound may be.
        """
        nodes = [node for node in plan.nodes(head) if isinstance(node, Opaque)]
        evaluation = Evaluation(X)
        for node in nodes:
            place, method, obj = next(
                self.asked[key] for key, made in self.made.items() if made.bound is node.bound
            )
            with np.errstate(all="ignore"):
                rows = np.unique(evaluation.matrix(node.inputs()), axis=0)
            _measure(node, session, place, method, np.vstack([rows, learned(obj, rows.shape[1])]))
            self.say(
                f"{node.name}: within {node.bound.part:.1e} of the original, measured on {len(rows):,} inputs"
            )
        if not nodes:
            return ""
        names = ", ".join(dict.fromkeys(node.name for node in nodes))
        return f"{max(node.bound.part for node in nodes):.1e} measured ({names})"


def _refused(obj: Obj, lifting: Lifting, err: Exception) -> ConvertError:
    """The error that names the step, and the first sentence of what sklearn-onnx or onnxruntime says."""
    said = " ".join(str(err).split()).split(". ")[0].rstrip(".")
    return lifting.refuse(f"{obj.name} is not supported, and sklearn-onnx does not convert it: {said}", HINT)


def _values(node: Opaque) -> list:
    return [Computed(node, i) for i in range(node.width)]


def _measure(node: Opaque, session: Session, place: str, method: str, rows: np.ndarray) -> None:
    """Sets the node's bound, by what the original's step makes of rows of its inputs."""
    answer = session.call(method, Numbers(rows), place)
    taken = np.array([i not in answer.refused for i in range(len(rows))])
    if answer.values is None or not taken.any():
        raise ConvertError(f"{node.name} takes none of {len(rows):,} rows: nothing can be measured", HINT)
    want = answer.values.toarray() if hasattr(answer.values, "toarray") else np.asarray(answer.values)
    want = np.asarray(want, np.float64).reshape(taken.sum(), -1)
    with np.errstate(all="ignore"):
        got = node.compute(rows[taken])
        if got.shape != want.shape:
            raise ConvertError(
                f"sklearn-onnx makes {got.shape[1]} values of {node.name}, the original {want.shape[1]}", HINT
            )
        wrong = np.isfinite(got) != np.isfinite(want)
        size = np.abs(want).max(axis=1, initial=0.0)
        some = size[np.isfinite(size) & (size > 0)]  # far from what a kernel learned it is 0
        scale = float(np.median(some)) if len(some) else 0.0
        parts = np.abs(got - want) / (size + scale)[:, None]
    if wrong.any():
        at = int(np.flatnonzero(wrong.any(axis=1))[0])
        raise ConvertError(
            f"sklearn-onnx's {node.name} makes {_shown(got[at])} of {_shown(rows[taken][at])}, "
            f"and the original {_shown(want[at])}",
            HINT,
        )
    part = SPARE * float(np.nanmax(parts, initial=0.0))
    if not part <= MOST:
        at = int(np.nanargmax(parts.max(axis=1)))
        raise ConvertError(
            f"sklearn-onnx's {node.name} is off by {part / SPARE:.1e} of its size, which is no bound: "
            f"{_shown(got[at])} where the original has {_shown(want[at])}",
            HINT,
        )
    node.bound.part, node.bound.scale = max(part, LEAST), scale


def _shown(numbers: np.ndarray) -> str:
    return "[" + ", ".join(f"{x:.6g}" for x in numbers[:4].tolist()) + (", …]" if len(numbers) > 4 else "]")


def learned(obj: Obj, width: int) -> np.ndarray:
    """Rows that the step learned, whichever attribute has them: themselves, between them, and further out."""
    rows = [a for a in obj.state.values() if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    rows = [a[:LEARNED] for a in rows if a.ndim == 2 and a.shape[1] == width and np.isfinite(a).all()]
    if not rows:
        return np.empty((0, width))
    each = np.vstack(rows).astype(np.float64)
    between = (each + np.roll(each, 1, axis=0)) / 2
    return np.vstack([each, between, *(each * by for by in FURTHER)])


def place_of(root: object, wanted: Obj) -> str:
    """Where in a model a step is, as world.Session.call names it."""
    return next(path for path, at in walk(root) if at is wanted).replace("/", ".")
