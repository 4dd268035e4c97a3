"""What the tests of lifting share: a fitted pipeline beside its lifted form, on rows near every split."""

import pickle

import numpy as np
import pandas as pd
from vectorized import vectorize

from skiff_convert.column import hashed
from skiff_convert.fold import EQ, LEQ, MEMBER, Folded, fold
from skiff_convert.form import Computed, Evaluation, Forest, Head
from skiff_convert.lift import Cell, Lifting, Matrix, estimate
from skiff_convert.look.pickles import read

# Numbers that are near nothing a model learns, or at the end of what there is.
ODD = [0.0, -0.0, 5e-324, -5e-324, 1e-40, -1e-36, float(np.float32(1e-35)), -float(np.float32(1e-35))]
ODD += [1e-30, 3e38, -3e38, 1e300, -1e300, 0.1, 1.5, -1.0, 2.9999999999, 16777217.0, -0.5, np.nan]


def rows(seed: int, n: int = 400, missing: float = 0.1) -> pd.DataFrame:
    """Rides: a zone and an hour, miles and a fare, some of them missing."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "zone": rng.choice(list("abcdefgh"), n).astype(object),
            "hour": rng.integers(0, 24, n),
            "miles": np.round(rng.exponential(3, n), int(rng.integers(0, 4))),
            "fare": np.where(rng.random(n) < 0.2, 0.0, rng.normal(0, 5, n)),
            "code": rng.integers(0, 7, n).astype(float),
        }
    )
    for name in ("miles", "fare", "zone"):
        frame.loc[rng.random(n) < missing, name] = None if name == "zone" else np.nan
    return frame


def target(frame: pd.DataFrame, seed: int) -> np.ndarray:
    """Something to learn."""
    rng = np.random.default_rng(seed + 1)
    y = (
        frame.miles.fillna(7)
        + 3 * frame.zone.isin(list("ace"))
        + 0.1 * frame.hour
        + 0.3 * frame.fare.fillna(-3)
    )
    return (
        y + 2 * frame.code.isin([1, 4, 5]) - 4 * (frame.fare == 0) + rng.normal(0, 0.5, len(frame))
    ).to_numpy()


def near(frame: pd.DataFrame, forests: list[Forest], seed: int, n: int = 300) -> pd.DataFrame:
    """Rows of the frame with numbers on both sides of splits, and odd ones."""
    rng = np.random.default_rng(seed + 2)
    made = frame.sample(n, replace=True, random_state=seed).reset_index(drop=True)
    splits = [forest.trees.threshold[forest.trees.left >= 0] for forest in forests]
    splits = np.concatenate([*splits, [0.0]])
    splits = splits[np.abs(splits) < 3e38]  # CatBoost has splits at the ends of float32
    splits = np.concatenate(
        [splits, np.nextafter(splits, np.inf), np.nextafter(splits, -np.inf)]
        + [
            np.nextafter(splits.astype(np.float32), np.float32(way)).astype(float)
            for way in (np.inf, -np.inf)
        ]
    )
    for name in made.columns:
        if made[name].dtype.kind != "f":
            continue
        other = np.where(rng.random(n) < 0.7, rng.choice(splits, n), rng.choice(ODD, n))
        made[name] = np.where(rng.random(n) < 0.4, other, made[name])
    return made


class Lifted:
    """A fitted model of a frame's columns, lifted from its pickle."""

    def __init__(self, model: object, names: list[str]):
        self.model = model
        self.lifting = Lifting(names=tuple(names))
        self.head = estimate(
            read(pickle.dumps(model))[0], Matrix([Cell(name) for name in names]), self.lifting
        )

    @property
    def forests(self) -> list[Forest]:
        """The forests behind the scores, each once."""
        nodes = {id(s.node): s.node for s in self.head.scores if isinstance(s, Computed)}
        return [node for node in nodes.values() if isinstance(node, Forest)]

    def table(self, frame: pd.DataFrame) -> np.ndarray:
        """X of the frame's rows."""
        return table(self.lifting, [dict(zip(frame.columns, row, strict=True)) for row in frame.values])

    def agrees(self, given: object, X: np.ndarray) -> None:
        """AssertionError unless predict and predict_proba of what is given have the same bits."""
        scores = Evaluation(X).matrix(self.head.scores)
        want = np.asarray(self.model.predict(given))
        if self.head.labels is None:
            got = self.head.numbers(scores)
            same(got if want.ndim > 1 else got[:, 0], want)
            return
        got = np.array(self.head.labels)[self.head.label(scores)]
        assert (got == want.reshape(len(got))).all()
        if self.head.probabilities:
            same(self.head.numbers(scores), self.model.predict_proba(given))

    def folds(self, seed: int, X: np.ndarray) -> None:
        """AssertionError unless the folded forests end at the same leaves, on rows like X and odd ones."""
        X = odd(self.lifting, X, seed)
        for forest in self.forests:
            folded = fold(forest, X.shape[1])
            matrix = Evaluation(X).matrix(forest.values)
            for tree in range(len(forest.target)):
                same(folded.leaf[ends(folded, tree, X)], forest.trees.leaf[forest.trees.leaves(tree, matrix)])


def check(model: object, frame: pd.DataFrame, seed: int) -> Lifted:
    """A fitted model against its lifted and its folded form."""
    lifted = Lifted(model, list(frame.columns))
    test = near(frame, lifted.forests, seed)
    X = lifted.table(test)
    lifted.agrees(test, X)
    lifted.folds(seed, X)
    return lifted


def same(got: np.ndarray, want: np.ndarray) -> None:
    """AssertionError unless the bits are equal; -0.0 counts as 0.0, as JSON's readers have it."""
    got, want = np.asarray(got, np.float64) + 0.0, np.asarray(want, np.float64) + 0.0
    assert got.shape == want.shape, (got.shape, want.shape)
    different = got.view(np.int64) != want.view(np.int64)
    assert not different.any(), f"{different.mean():.1%} differ, by up to {np.abs(got - want).max()}"


def table(lifting: Lifting, records: list[dict]) -> np.ndarray:
    """X of records, as the worker makes it: an absent key, null and text each by its rule."""
    X = np.zeros((len(records), len(lifting.wanted)))
    for j, wanted in enumerate(lifting.wanted):
        key = hashed if wanted.hashed else _key
        codes = {key(word): i for i, word in enumerate(wanted.words, 1)}
        for i, record in enumerate(records):
            if wanted.kind == "category":
                X[i, j] = codes.get(key(record.get(wanted.name)), 0)
            elif wanted.name in record:
                value = record[wanted.name]
                X[i, j] = np.nan if value is None else float(value)
            else:
                X[i, j] = np.nan if wanted.absent_missing else 0.0
    return X


def _key(value: object) -> object:
    if value is None or isinstance(value, float) and np.isnan(value) or value is pd.NA:
        return None
    return ("text", value) if isinstance(value, str) else value


def odd(lifting: Lifting, X: np.ndarray, seed: int) -> np.ndarray:
    """X with odd numbers among its numbers, and codes that are unknown or of other words among its codes."""
    rng = np.random.default_rng(seed + 3)
    X = X.copy()
    for j, wanted in enumerate(lifting.wanted):
        change = rng.random(len(X)) < 0.2
        if wanted.kind == "category":
            X[change, j] = rng.integers(0, len(wanted.words) + 1, change.sum())
        else:
            X[change, j] = rng.choice(ODD, change.sum())
    return X


def ends(folded: Folded, tree: int, X: np.ndarray) -> np.ndarray:
    """The node that each row of X ends at in a folded tree."""
    evaluation = Evaluation(X)
    columns = np.column_stack([X, *(evaluation.value(value) for value in folded.computed)])
    at = np.full(len(X), folded.roots[tree])
    while True:
        going = np.flatnonzero(folded.yes[at] >= 0)
        if not len(going):
            return at
        node = at[going]
        x, mode, split = columns[going, folded.column[node]], folded.mode[node], folded.split[node]
        yes = np.where(mode == LEQ, x <= split, np.where(mode == EQ, x == split, False))
        for i in np.flatnonzero(mode == MEMBER):
            yes[i] = x[i] in folded.sets[int(split[i])]
        yes = np.where(np.isnan(x), folded.missing_yes[node], yes)
        at[going] = np.where(yes, folded.yes[node], folded.no[node])


class Vectorized(Lifted):
    """An estimator behind a DictVectorizer."""

    def __init__(self, vectorizer: object, estimator: object):
        self.model, self.vectorizer = estimator, vectorizer
        self.lifting = Lifting()
        matrix = vectorize(read(pickle.dumps(vectorizer))[0], self.lifting)
        self.head: Head = estimate(read(pickle.dumps(estimator))[0], matrix, self.lifting)


def records(frame: pd.DataFrame, seed: int) -> list[dict]:
    """Rows of the frame as records: some keys are not there, some numbers are null."""
    rng = np.random.default_rng(seed + 4)
    made = []
    for row in frame.to_dict("records"):
        kept = {name: value for name, value in row.items() if rng.random() > 0.15 and not pd.isna(value)}
        if rng.random() < 0.1:
            kept["miles"] = None
        made.append(kept)
    return made


def check_records(vectorizer: object, estimator: object, frame: pd.DataFrame, seed: int) -> Vectorized:
    """An estimator of a DictVectorizer's matrix against its lifted and its folded form."""
    lifted = Vectorized(vectorizer, estimator)
    test = records(near(frame, lifted.forests, seed), seed)
    X = table(lifted.lifting, test)
    matrix = vectorizer.transform(test)
    if vectorizer.sparse:
        matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    lifted.agrees(matrix, X)
    lifted.folds(seed, X)
    return lifted
