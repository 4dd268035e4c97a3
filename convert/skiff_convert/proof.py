"""Stage 9 of any pipeline: the original, the interpreter and onnxruntime on the same records."""

import json
from collections.abc import Mapping, Sequence

import numpy as np

from . import plan
from .errors import ConvertError
from .form import Head
from .goldens import Scored
from .lifted import Lifted
from .lower_near import Near
from .manifest import refused
from .prove import open_session
from .records import Encoded
from .world import Session, SessionError

CELLS = 2**23  # numbers that the interpreter holds at a time
# How boosters' predict is asked for the decision values: they have no decision_function.
RAW = {
    "XGBClassifier": {"output_margin": True},
    "XGBRFClassifier": {"output_margin": True},
    "LGBMClassifier": {"raw_score": True},
    "CatBoostClassifier": {"prediction_type": "RawFormulaVal"},
}


class Proof:
    """The original, the interpreter and onnxruntime on the same records."""

    def __init__(self, lifted: Lifted, session: Session, model: bytes, scored: Sequence[Scored]):
        self.lifted, self.session, self.model, self.scored = lifted, session, model, scored
        self.outputs: dict[str, dict] = {}  # of a record's text
        self.within: dict[str, float] = {}
        self.pairs: dict[str, tuple[object, object]] = {}  # of a record's text: the bundle's, the original's
        self.bound = "bits"

    def run(self) -> str:
        """Compares them; how they agree. ConvertError at the first that differs."""
        lifted, encoded = self.lifted, [record.encoded for record in self.scored]
        self.X = np.array([record.row for record in encoded], np.float64).reshape(len(encoded), -1)
        scores, allowance = interpret(lifted.head, self.X)
        self._onnx(scores, allowance)
        self.finite = finite = np.isfinite(scores).all(axis=1)
        answers = self._ask("predict", encoded)
        if lifted.head.labels is None:
            self._numbers(answers, scores, allowance, finite)
        else:
            self._labels(answers, scores, allowance, finite)
            if lifted.spec.probabilities:
                self._probabilities(encoded, scores, allowance, finite)
            if lifted.spec.margin:
                self._margins(encoded, scores, allowance, finite)
        answered = sum(record.text in self.outputs for record in self.scored)  # a text may come twice
        if answered * 2 < finite.sum():
            raise ConvertError(
                f"of {len(encoded):,} records only {answered:,} have an answer that is sure",
                "a tie, or a question of a tree, is nearer than the sums before it are exact",
            )
        how = "equal to the last bit" if self.bound == "bits" else f"within {self.bound}"
        return f"{len(encoded):,} records, every prediction {how}"

    def _onnx(self, scores: np.ndarray, allowance: np.ndarray) -> None:
        session, X = open_session(self.model), self.X
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

    def _ask(self, method: str, encoded: Sequence[Encoded], options: Mapping | None = None) -> np.ndarray:
        answer = self.session.call(method, self.lifted.data(encoded), options=options)
        for at, why in answer.refused.items():
            if self.finite[at]:  # others the worker rejects
                raise refused(self.scored[at].text, why)
        values = np.asarray(answer.values)
        if not answer.refused:
            return values
        taken = [i not in answer.refused for i in range(len(encoded))]
        whole = np.zeros((len(encoded), *values.shape[1:]), values.dtype)
        whole[taken] = values
        return whole

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

    def _labels(
        self, answers: np.ndarray, scores: np.ndarray, allowance: np.ndarray, finite: np.ndarray
    ) -> None:
        head, name = self.lifted.head, self.lifted.spec.prediction
        label, want = head.label(scores), answers.ravel().tolist()
        places = {json.dumps(one): i for i, one in enumerate(head.labels)}
        sure = margin_of(scores, head) > 2 * allowance.max(axis=1)
        for i, record in enumerate(self.scored):
            if not finite[i] or not sure[i]:
                continue
            mine = head.labels[label[i]]
            if places.get(json.dumps(want[i]), -1) != label[i]:
                raise self._different(i, mine, want[i])
            self.outputs[record.text] = {name: mine}
            self.pairs[record.text] = mine, want[i]

    def _probabilities(
        self, encoded: Sequence[Encoded], scores: np.ndarray, allowance: np.ndarray, finite: np.ndarray
    ) -> None:
        head, name = self.lifted.head, self.lifted.spec.probabilities
        want = np.asarray(self._ask("predict_proba", encoded), np.float64)
        near = plan.bounds(head, scores, allowance)
        self._compare(head.numbers(scores), want, near, finite)
        for i, record in enumerate(self.scored):
            if not np.isfinite(near[i]).all():
                self.outputs.pop(record.text, None)
            elif record.text in self.outputs:
                named = {str(one): p for one, p in zip(head.labels, want[i].tolist(), strict=True)}
                self.outputs[record.text][name] = named
                self._allow(record.text, near[i])

    def _margins(
        self, encoded: Sequence[Encoded], scores: np.ndarray, allowance: np.ndarray, finite: np.ndarray
    ) -> None:
        spec, options = self.lifted.spec, RAW.get(self.lifted.estimator)
        try:
            want = self._ask("predict" if options else "decision_function", encoded, options)
        except SessionError as err:
            raise ConvertError(
                f"a {self.lifted.estimator} has no decision_function", "leave margin out of the spec"
            ) from err
        want = np.asarray(want, np.float64).reshape(len(scores), -1)
        if want.shape != scores.shape:
            raise ConvertError(
                f"decision_function has {want.shape[1]} values, and the worker computes {scores.shape[1]}",
                "leave margin out of the spec",
            )
        self._compare(scores, want, allowance, finite)
        for i, record in enumerate(self.scored):
            if record.text in self.outputs:
                self.outputs[record.text][spec.margin] = _number(want[i])
                self._allow(record.text, allowance[i])

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


def _number(values: np.ndarray) -> float | list[float]:
    """As JSON has it: a number, or a list."""
    return values.tolist() if len(values) > 1 else float(values[0])


def margin_of(scores: np.ndarray, head: Head) -> np.ndarray:
    """How far a label is from another one."""
    if scores.shape[1] == 1:
        return np.abs(scores[:, 0] - head.cut)
    top = np.sort(scores, axis=1)
    margin = top[:, -1] - top[:, -2]
    return np.where(margin == 0, np.inf, margin)  # equal ones are equal in both


def interpret(head: Head, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The scores of rows of X by the interpreter, and how far they may be off; both [rows, scores]."""
    widest = max([len(node.inputs()) for node in plan.nodes(head)] + [1])
    step = max(1, CELLS // widest)
    parts = []
    for at in range(0, len(X), step):
        evaluation = Near(X[at : at + step])
        with np.errstate(all="ignore"):
            parts.append((evaluation.matrix(head.scores), evaluation.allowance(head.scores)))
    return np.vstack([p[0] for p in parts]), np.vstack([p[1] for p in parts])
