"""What a pipeline, or a tool in its place, says of records, and how far that is from the original."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .inside.make import Case

BATCH = 1000  # rows that are asked at a time where it is timed


class NotForIt(Exception):
    """The pipeline is not of the kind that a tool is for."""


@dataclass(frozen=True)
class Said:
    """The answers for some records.

    labels: a classifier's, else None. numbers: float64 [records, numbers], a regressor's, or a classifier's
    probabilities; None where it has none.
    """

    labels: list | None
    numbers: np.ndarray | None

    @classmethod
    def of(cls, made: Case) -> tuple["Said", list[int]]:
        """What the original says, and of which of the unseen records it says something."""
        answers = made.answers()
        shares = answers.get("predict_proba")
        rows = [i for i, one in enumerate(answers["predict"]) if _finite(one, made.classify)]
        if shares:
            rows = [i for i in rows if _finite(shares[i], False)]
        predicted = [_single(answers["predict"][i]) for i in rows]
        if not made.classify:
            return cls(None, matrix(predicted)), rows
        return cls(predicted, matrix([shares[i] for i in rows]) if shares else None), rows

    def only(self, places: list[int]) -> "Said":
        """Those of some records, by their places."""
        labels = None if self.labels is None else [self.labels[i] for i in places]
        return Said(labels, None if self.numbers is None else self.numbers[places])

    def judge(self, got: "Said", far: float) -> tuple[int, float]:
        """0 for the same bits, 1 for near, 2 for wrong; and the largest error of a number.

        An error is that of a number up to 1, and else relative. ValueError where there is no answer to all.
        """
        place, error = 0, 0.0
        if self.labels is not None:
            if len(got.labels) != len(self.labels):
                raise ValueError(f"{len(got.labels)} labels of {len(self.labels)} records")
            if any(a != b for a, b in zip(got.labels, self.labels, strict=True)):
                place = 2
        if self.numbers is not None:
            if got.numbers is None or got.numbers.shape != self.numbers.shape:
                raise ValueError("not the numbers that were asked for")
            off = np.abs(got.numbers - self.numbers) / np.maximum(np.abs(self.numbers), 1.0)
            error = float(np.where(np.isnan(off), np.inf, off).max(initial=0.0))
            same = got.numbers == self.numbers
            place = max(place, 2 if error > far else 0 if same.all() else 1)
        return place, error


@dataclass(frozen=True)
class Converted:
    """A pipeline as a tool has it. batch asks 1,000 rows once; how: the way that it was converted."""

    said: Said
    batch: Callable[[], object]
    how: str


def matrix(answers: object) -> np.ndarray:
    """float64 [records, numbers]."""
    made = np.asarray(answers, np.float64)
    return made.reshape(len(made), -1)


def repeated(count: int) -> np.ndarray:
    """Which of so many rows make a batch: all of them, again and again."""
    return np.resize(np.arange(count), BATCH)


def _single(answer: object) -> object:
    return answer[0] if isinstance(answer, list) and len(answer) == 1 else answer


def _finite(answer: object, label: bool) -> bool:
    return answer is not None and (label or bool(np.isfinite(np.asarray(answer, np.float64)).all()))
