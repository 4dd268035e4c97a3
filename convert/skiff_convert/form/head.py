"""What comes out of a model: numbers, or a label with probabilities, of the scores its last node makes."""

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

    decision is what decision_function returns: None where that is the scores, () where there is none.
    A model of several outputs that are labels has a head for each, parts; its scores are all of theirs.
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
    parts: tuple["Head", ...] = ()
    last: bool = False  # of several that are largest the last
    decide: str = "scores"  # or "probabilities": which of them a label is the largest of

    def numbers(self, scores: np.ndarray) -> np.ndarray:
        """What a regressor predicts, or the probabilities, [rows, outputs or classes]."""
        return link(self.link, scores)

    def label(self, scores: np.ndarray) -> np.ndarray:
        """The index of each row's class, by the scores, the values of by, or the scores' probabilities."""
        if self.decide == "probabilities":
            return np.argmax(self.numbers(scores), axis=1)
        if scores.shape[1] == 1:
            return (scores[:, 0] > self.cut).astype(np.int64)
        if self.last:
            return scores.shape[1] - 1 - np.argmax(scores[:, ::-1], axis=1)
        return np.argmax(scores, axis=1)
