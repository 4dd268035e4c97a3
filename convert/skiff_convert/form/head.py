"""What comes out of a model: numbers, or labels with probabilities, of what its last nodes make."""

from dataclasses import dataclass

import numpy as np

from .links import link
from .values import Value


@dataclass(frozen=True, eq=False)
class Head:
    """The scores of a model and what is made of them.

    A regressor's labels are None: its numbers are the scores, through the link. A classifier's are JSON
    values, one a class; its probabilities are the link of the scores, and its label the class of the largest
    (the first of them), or, where there is one score for two classes, the second where it is above cut. Where
    the label goes by other values than the scores, these are by.

    decision is what decision_function returns: None where that is the scores, () where there is none. raw is
    what a booster, which has none, calls its raw scores.
    A model of several outputs that are labels has a head for each, parts; its scores are all of theirs, and
    its decision is () where it has no decision_function, whatever they have.
    decide says whether the label is the largest score's or the largest probability's: scores that differ in
    their last bits may have the same probabilities, and then it is the first.
    """

    scores: tuple[Value, ...]
    link: str = "identity"
    labels: tuple | None = None
    cut: float = 0.0
    probabilities: bool = True  # whether the original has them
    by: tuple[Value, ...] | None = None
    decision: tuple[Value, ...] | None = None
    raw: tuple[Value, ...] | None = None
    parts: tuple["Head", ...] = ()
    last: bool = False  # of several that are largest the last
    decide: str = "scores"  # or "probabilities": which of them a label is the largest of

    @property
    def y(self) -> tuple[Value, ...]:
        """What the graph computes: the scores, what decides instead of them, the decision; of each part."""
        if self.parts:
            return tuple(value for part in self.parts for value in part.y)
        return (*self.scores, *(self.by or ()), *(self.decision or ()))

    def choices(self) -> list["Choice"]:
        """The labels that are predicted, and where in y each has what it needs."""
        choices, start = [], 0
        for part in self.parts or (self,):
            scores = slice(start, start + len(part.scores))
            by = slice(scores.stop, scores.stop + len(part.by or ()))
            start = by.stop + len(part.decision or ())
            margin = slice(by.stop, start) if part.decision else scores
            choices.append(Choice(part, scores, by if part.by else scores, margin))
        return choices

    def numbers(self, scores: np.ndarray) -> np.ndarray:
        """What a regressor predicts, or the probabilities, [rows, outputs or classes]."""
        return link(self.link, scores)

    def label(self, scores: np.ndarray, by: np.ndarray | None = None) -> np.ndarray:
        """The index of each row's class, by the scores, the values of by, or the scores' probabilities."""
        of = scores if by is None else by
        if self.decide == "probabilities":
            of = self.numbers(scores)
        if of.shape[1] == 1:
            return (of[:, 0] > self.cut).astype(np.int64)
        if self.last:
            return of.shape[1] - 1 - np.argmax(of[:, ::-1], axis=1)
        return np.argmax(of, axis=1)


@dataclass(frozen=True)
class Choice:
    """A label, and which columns of y are its scores, what it is decided by, and its margin."""

    head: Head
    scores: slice
    by: slice
    margin: slice
