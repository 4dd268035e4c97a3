"""Compares what was lifted with the original: bits, or the bound that the form itself gives."""

import pickle
from collections.abc import Sequence

import numpy as np
import pandas as pd
from vectorized import vectorize

from skiff_convert.form import Evaluation, Head
from skiff_convert.form.combine import certain
from skiff_convert.form.links import link_allowance
from skiff_convert.lift import Cell, Lifting, Matrix, estimate, transform
from skiff_convert.lift.compose import steps_of
from skiff_convert.look.pickles import read


def rides(n: int = 300, seed: int = 0) -> pd.DataFrame:
    """A table of text, whole numbers, numbers and booleans, without anything missing."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "zone": rng.choice(list("abcdef"), n),
            "hour": rng.integers(0, 24, n),
            "miles": rng.exponential(3, n),
            "fare": rng.normal(10, 5, n),
            "vip": rng.random(n) < 0.3,
        }
    )


def targets(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """What to learn: a number, two numbers, two words, three words, three whole numbers, two labels."""
    rng = np.random.default_rng(1)
    y = frame.miles * 2 + (frame.zone == "a") * 4 + frame.hour * 0.1 + frame.fare * 0.3
    y = (y + rng.normal(0, 0.5, len(frame))).to_numpy()
    three = np.digitize(y, np.quantile(y, [0.3, 0.7]))
    return {
        "y": y,
        "both": np.column_stack([y, frame.fare - y]),
        "two": np.where(y > np.median(y), "long", "brief"),
        "three": np.array(["x", "y", "z"])[three],
        "whole": three * 10 + 5,
        "labels": np.column_stack([y > np.median(y), frame.fare > 10]).astype(int),
    }


def table(lifting: Lifting, frame: pd.DataFrame) -> np.ndarray:
    """X, as the worker makes it of records."""
    X = np.zeros((len(frame), len(lifting.wanted)))
    for j, wanted in enumerate(lifting.wanted):
        cells = frame[wanted.name].tolist()
        if wanted.kind == "number":
            X[:, j] = [np.nan if cell is None else float(cell) for cell in cells]
        else:
            codes = {_word(word): i for i, word in enumerate(wanted.words, 1)}
            X[:, j] = [codes.get(_word(cell), 0) for cell in cells]
    return X


def _word(cell: object) -> object:
    if cell is None or isinstance(cell, float) and np.isnan(cell):
        return None
    return ("text", cell) if isinstance(cell, str) else cell


def lift(model: object, names: Sequence[str], sparse: bool = False) -> tuple[Head, Lifting]:
    """A fitted model as it is read from its pickle."""
    obj, _ = read(pickle.dumps(model))
    lifting = Lifting(names=tuple(names))
    matrix = Matrix([Cell(name) for name in names], sparse)
    if obj.name == "Pipeline" and steps_of(obj)[0][1].name == "DictVectorizer":
        vectorize(steps_of(obj)[0][1], lifting, names)
    return estimate(obj, matrix, lifting), lifting


def check(
    model: object, frame: pd.DataFrame, given: object = None, bits: bool = True, sure: float = 0.95
) -> Head:
    """Fails unless a model's every answer for the rows of frame is what the form has, within its allowance.

    given is what the model itself is given, where not the frame. bits is whether the allowance has to be 0;
    otherwise the answers of a share of sure have to have a bound at all.
    """
    head, lifting = lift(model, list(frame.columns))
    X = table(lifting, frame)
    given = frame if given is None else given
    if head.parts:
        want = np.asarray(model.predict(given))
        probabilities = model.predict_proba(given) if head.parts[0].probabilities else None
        for i, part in enumerate(head.parts):
            of = None
            if isinstance(probabilities, list):
                of = probabilities[i]
            elif probabilities is not None:
                of = probabilities[:, i]
            _labels(part, X, want[:, i], bits, sure)
            if of is not None:
                _probabilities(part, X, of, bits, sure)
        return head
    if head.labels is None:
        _close(head, X, np.asarray(model.predict(given)), bits, sure)
        return head
    _labels(head, X, np.asarray(model.predict(given)), bits, sure)
    if head.probabilities:
        _probabilities(head, X, model.predict_proba(given), bits, sure)
    from skiff_convert.lift.members import decision

    values = decision(head)
    assert bool(values) == hasattr(model, "decision_function"), "decision_function"
    if values:
        _within(Evaluation(X), values, np.asarray(model.decision_function(given)), bits, sure)
    return head


def check_transform(
    model: object, frame: pd.DataFrame, given: object = None, bits: bool = True, sure: float = 0.95
):
    """As check, of a transformer."""
    obj, _ = read(pickle.dumps(model))
    lifting = Lifting(names=tuple(frame.columns))
    matrix = transform(obj, Matrix([Cell(name) for name in frame.columns]), lifting)
    values = lifting.numbers(matrix)
    want = model.transform(frame if given is None else given)
    if hasattr(want, "toarray"):
        assert matrix.sparse
        want = want.toarray()
    else:
        assert not matrix.sparse
    _within(Evaluation(table(lifting, frame)), tuple(values), np.asarray(want, np.float64), bits, sure)


def _labels(head: Head, X: np.ndarray, want: np.ndarray, bits: bool, sure: float) -> None:
    by, evaluation = head.by or head.scores, Evaluation(X)
    scores, off = evaluation.matrix(by), evaluation.allowance(by)
    got = [head.labels[i] for i in head.label(scores)]
    assert all(type(a) is type(b) for a, b in zip(got, want.tolist(), strict=True)), (got[0], want[0])
    same, known = (
        np.array([a == b for a, b in zip(got, want.tolist(), strict=True)]),
        certain(scores, off, head.cut),
    )
    assert not bits or not off.any(), "an allowance"
    assert same[known].all(), f"labels: {(~same).sum()} of {len(same)} differ"
    assert known.mean() >= sure


def _probabilities(head: Head, X: np.ndarray, want: np.ndarray, bits: bool, sure: float) -> None:
    evaluation = Evaluation(X)
    scores, off = evaluation.matrix(head.scores), evaluation.allowance(head.scores)
    got, off = head.numbers(scores), link_allowance(head.link, scores, off)
    if want.ndim == 1:  # of the second class only
        got, off = got[:, 1:], off[:, 1:]
    _compare(got, off, want, bits, sure)


def _close(head: Head, X: np.ndarray, want: np.ndarray, bits: bool, sure: float) -> None:
    evaluation = Evaluation(X)
    scores, off = evaluation.matrix(head.scores), evaluation.allowance(head.scores)
    _compare(head.numbers(scores), link_allowance(head.link, scores, off), want, bits, sure)


def _within(evaluation: Evaluation, values: tuple, want: np.ndarray, bits: bool, sure: float) -> None:
    _compare(evaluation.matrix(values), evaluation.allowance(values), want, bits, sure)


def _compare(got: np.ndarray, off: np.ndarray, want: np.ndarray, bits: bool, sure: float) -> None:
    want = want.reshape(len(got), -1)
    assert got.shape == want.shape, (got.shape, want.shape)
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    far = np.abs(got - want)
    if bits:
        assert not off.any(), "an allowance"
        assert same.all(), f"{(~same).sum()} of {same.size} differ, by up to {np.nanmax(far)}"
        return
    within = same | (far <= off)
    assert within.all(), (
        f"{(~within).sum()} of {same.size} differ by more than allowed: {np.nanmax(far - off)}"
    )
    assert np.isfinite(off).mean() >= sure, f"{np.isfinite(off).mean()} have a bound"
