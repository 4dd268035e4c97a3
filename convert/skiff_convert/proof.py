"""Stage 9 of any pipeline: the original, the interpreter and onnxruntime on the same records."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import onnxruntime as ort

from . import plan
from .errors import ConvertError
from .form import Head
from .form.distances import Neighbours
from .goldens import Scored
from .lifted import Lifted
from .lower_near import Near
from .manifest import refused
from .outputs import RAW
from .records import Encoded
from .world import Session

TIES = (
    "of rows that are equally near which are neighbours is chance in the original: "
    "give it numbers that are seldom equal, not bins or categories alone"
)
CELLS = 2**23  # numbers that the interpreter holds at a time


class Proof:
    """The original, the interpreter and onnxruntime on the same records."""

    def __init__(
        self,
        lifted: Lifted,
        session: Session,
        opened: Sequence[ort.InferenceSession],
        scored: Sequence[Scored],
    ):
        self.lifted, self.session, self.opened, self.scored = lifted, session, opened, scored
        self.outputs: dict[str, dict] = {}  # of a record's text
        self.within: dict[str, float] = {}
        self.pairs: dict[str, tuple[object, object]] = {}  # of a record's text: the bundle's, the original's
        self.bound = "bits"
        self.X = np.array([record.encoded.row for record in scored], np.float64).reshape(len(scored), -1)

    def run(self, measured: str = "") -> str:
        """Compares them; how they agree. ConvertError at the first that differs.

        measured: the bound of steps that sklearn-onnx converted, which the bundle's then is.
        """
        lifted, encoded = self.lifted, [record.encoded for record in self.scored]
        scores, allowance = interpret(lifted.head, self.X)
        self.finite = finite = np.isfinite(scores).all(axis=1)
        for opened in self.opened:
            self._onnx(opened, scores, allowance)
        answers = np.asarray(self._answer(lifted.method, encoded))
        if lifted.head.labels is None:
            self._numbers(answers, scores, allowance, finite)
        else:
            self._labels(answers, scores, allowance, finite)
            if lifted.spec.probabilities:
                self._probabilities(encoded, scores, allowance, finite)
            if lifted.spec.margin:
                self._margins(encoded, scores, allowance, finite)
        if not finite.any():
            raise ConvertError(
                f"none of {len(encoded):,} records has a prediction that is a finite number",
                "is a feature always beyond what the pipeline takes?",
            )
        answered = sum(record.text in self.outputs for record in self.scored)  # a text may come twice
        if answered * 2 < finite.sum():
            raise ConvertError(
                f"of {len(encoded):,} records only {answered:,} have an answer that is sure",
                TIES
                if any(isinstance(node, Neighbours) for node in plan.nodes(lifted.head))
                else "a tie, or a question of a tree, is nearer than the sums before it are exact",
            )
        self.bound = measured or self.bound
        how = "equal to the last bit" if self.bound == "bits" else f"within {self.bound}"
        return f"{len(encoded):,} records, every prediction {how}"

    def _onnx(self, session: ort.InferenceSession, scores: np.ndarray, allowance: np.ndarray) -> None:
        X = self.X
        for batch in (len(X), 1, 7, 100):
            rows = X if batch >= 100 else X[: 50 * batch]
            got = np.vstack(
                [session.run(None, {"X": rows[i : i + batch]})[0] for i in range(0, len(rows), batch)]
            )
            same = _same(got, scores[: len(rows)], allowance[: len(rows)])
            if not same.all():
                at = int(np.flatnonzero(~same.all(axis=1))[0])
                raise ConvertError(
                    f"onnxruntime computes {got[at]} where the form has {scores[at]}: {self.scored[at].text}",
                    "this is a fault of the converter: please report it",
                )

    def _answer(
        self, method: str, encoded: Sequence[Encoded], options: Mapping | None = None, step: str = ""
    ) -> np.ndarray | list[np.ndarray]:
        answer = self.session.call(method, self.lifted.data(encoded), step, options)
        for at, why in answer.refused.items():
            if self.finite[at] or answer.values is None:  # others the worker rejects
                raise refused(self.scored[at].text, why)
        if not answer.refused:
            return answer.values
        taken = [i not in answer.refused for i in range(len(encoded))]
        if isinstance(answer.values, list):
            return [_whole(values, taken) for values in answer.values]
        return _whole(np.asarray(answer.values), taken)

    def _numbers(
        self, answers: np.ndarray, scores: np.ndarray, allowance: np.ndarray, finite: np.ndarray
    ) -> None:
        head, name = self.lifted.head, self.lifted.spec.prediction
        want = np.asarray(answers, np.float64).reshape(len(scores), -1)
        with np.errstate(all="ignore"):
            got, near = head.numbers(scores), plan.bounds(head, scores, allowance)
        self._compare(got, want, near, finite)
        for i, record in enumerate(self.scored):
            if finite[i] and np.isfinite(want[i]).all() and np.isfinite(near[i]).all():
                self.outputs[record.text] = {name: _number(want[i])}
                self.pairs[record.text] = _number(got[i]), _number(want[i])
                self._allow(record.text, near[i])

    def _labels(self, answers: np.ndarray, y: np.ndarray, allowance: np.ndarray, finite: np.ndarray) -> None:
        head, name = self.lifted.head, self.lifted.spec.prediction
        choices = head.choices()
        if answers.size != len(y) * len(choices):
            raise ConvertError(
                f"the original predicts {answers.size // len(y)} labels, and the form {len(choices)}",
                "nothing was written: please report the kind of pipeline",
            )
        want = answers.reshape(len(y), len(choices)).tolist()
        labels, sure = [], finite.copy()
        for choice in choices:
            scores, by = y[:, choice.scores], y[:, choice.by]
            labels.append(choice.head.label(scores, by))
            sure &= margin_of(by, choice.head) > 2 * allowance[:, choice.by].max(axis=1)
        places = [{json.dumps(one): i for i, one in enumerate(c.head.labels)} for c in choices]
        for i in np.flatnonzero(sure).tolist():
            mine = [c.head.labels[label[i]] for c, label in zip(choices, labels, strict=True)]
            for at, label, theirs in zip(places, labels, want[i], strict=True):
                if at.get(json.dumps(theirs), -1) != label[i]:
                    raise self._different(i, self._put(mine), self._put(want[i]))
            self.outputs[self.scored[i].text] = {name: self._put(mine)}
            self.pairs[self.scored[i].text] = self._put(mine), self._put(want[i])

    def _probabilities(
        self, encoded: Sequence[Encoded], y: np.ndarray, allowance: np.ndarray, finite: np.ndarray
    ) -> None:
        head, name = self.lifted.head, self.lifted.spec.probabilities
        answer, choices = self._answer("predict_proba", encoded), head.choices()
        wants, nears = [], []
        for i, choice in enumerate(choices):
            scores = y[:, choice.scores]
            wants.append(_likelihoods(answer, i if head.parts else None))
            nears.append(plan.bounds(choice.head, scores, allowance[:, choice.scores]))
            self._compare(choice.head.numbers(scores), wants[-1], nears[-1], finite)
        self._add(
            name,
            [
                [{str(one): p for one, p in zip(c.head.labels, row, strict=True)} for row in want.tolist()]
                for c, want in zip(choices, wants, strict=True)
            ],
            np.column_stack(nears),
        )

    def _margins(
        self, encoded: Sequence[Encoded], y: np.ndarray, allowance: np.ndarray, finite: np.ndarray
    ) -> None:
        options = RAW.get(self.lifted.estimator)
        if options:  # of what a search is around
            answer = self._answer("predict", encoded, options, self.lifted.inside)
        else:
            answer = self._answer("decision_function", encoded)
        want = np.asarray(answer, np.float64).reshape(len(y), -1)
        columns = [np.arange(y.shape[1])[choice.margin] for choice in self.lifted.head.choices()]
        at = np.concatenate(columns)
        if want.shape[1] != len(at):
            raise ConvertError(
                f"decision_function has {want.shape[1]} values, and the worker computes {len(at)}",
                "leave margin out of the spec",
            )
        self._compare(y[:, at], want, allowance[:, at], finite)
        ends = np.cumsum([0, *map(len, columns)])
        self._add(
            self.lifted.spec.margin,
            [
                [_number(row) for row in want[:, start:end]]
                for start, end in zip(ends[:-1], ends[1:], strict=True)
            ],
            allowance[:, at],
        )

    def _put(self, each: Sequence) -> object:
        """What the labels have as the output has it: of one itself, of several a list."""
        return list(each) if self.lifted.head.parts else each[0]

    def _add(self, name: str, values: Sequence[Sequence], near: np.ndarray) -> None:
        """Adds a field to the outputs of what is sure, values of each label, each for all records."""
        bounded = np.isfinite(near).all(axis=1)
        for i, record in enumerate(self.scored):
            if not bounded[i]:
                self.outputs.pop(record.text, None)
            elif record.text in self.outputs:
                self.outputs[record.text][name] = self._put([of[i] for of in values])
                self._allow(record.text, near[i])

    def _allow(self, text: str, near: np.ndarray) -> None:
        if near.any():
            self.within[text] = max(self.within.get(text, 0.0), float(near.max()))

    def _compare(self, got: np.ndarray, want: np.ndarray, near: np.ndarray, finite: np.ndarray) -> None:
        wrong = np.flatnonzero(finite & ~_same(got, want, near).all(axis=1))
        if len(wrong):
            raise self._different(int(wrong[0]), got[wrong[0]].tolist(), want[wrong[0]].tolist())
        if near.any():
            self.bound = f"{max(len(n.inputs()) for n in plan.nodes(self.lifted.head)) + 1} ulp"

    def _different(self, i: int, got: object, want: object) -> ConvertError:
        return ConvertError(
            f"the form predicts {got}, and the original {want}, for {self.scored[i].text}",
            "nothing was written: please report the kind of pipeline",
        )


def _same(got: np.ndarray, want: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Where two arrays have the same bits, are both NaN, or are no further apart than near."""
    same = (got.view(np.int64) == want.view(np.int64)) | (np.isnan(got) & np.isnan(want))
    with np.errstate(invalid="ignore"):
        return same | (np.abs(got - want) <= near)


def _likelihoods(answer: np.ndarray | list[np.ndarray], part: int | None) -> np.ndarray:
    """The probabilities of a label's classes, [rows, classes]; part: which of several labels it is.

    Of several there is an array for each, or one array with what the second class of each has.
    """
    if part is None:
        return np.asarray(answer, np.float64)
    if isinstance(answer, list):
        return np.asarray(answer[part], np.float64)
    second = np.asarray(answer, np.float64)[:, part]
    return np.column_stack([1 - second, second])


def _number(values: np.ndarray) -> float | list[float]:
    """As JSON has it: a number, or a list."""
    return values.tolist() if len(values) > 1 else float(values[0])


def margin_of(scores: np.ndarray, head: Head) -> np.ndarray:
    """How far a label is from another one; scores: what it is decided by."""
    if scores.shape[1] == 1:
        return np.abs(scores[:, 0] - head.cut)
    top = np.sort(scores, axis=1)
    margin = top[:, -1] - top[:, -2]
    return np.where(margin == 0, np.inf, margin)  # equal ones are equal in both


def _whole(values: np.ndarray, taken: list[bool]) -> np.ndarray:
    """A row for each record: zeros for one that was not taken."""
    whole = np.zeros((len(taken), *values.shape[1:]), values.dtype)
    whole[taken] = values
    return whole


def interpret(head: Head, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """y of rows of X by the interpreter, and how far it may be off; both [rows, columns of y]."""
    widest = max([len(node.inputs()) for node in plan.nodes(head)] + [1])
    step = max(1, CELLS // widest)
    parts = []
    for at in range(0, len(X), step):
        evaluation = Near(X[at : at + step])
        with np.errstate(all="ignore"):
            parts.append((evaluation.matrix(head.y), evaluation.allowance(head.y)))
    return np.vstack([p[0] for p in parts]), np.vstack([p[1] for p in parts])
