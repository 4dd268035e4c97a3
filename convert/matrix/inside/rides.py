"""Tables of rides, and what JSON has of them."""

import numpy as np
import pandas as pd

TRAIN, UNSEEN = 260, 200
WORDS = ["a", "b", "Queens Village", "naïve ☃", "10_20", "x", "y", "zone"]


class Data:
    """A table of rides: some columns, some of them with missing values; seen ones and others."""

    def __init__(self, rng):
        self.numbers = ["miles", "fare", "hour"][: rng.randint(2, 3)]
        self.texts = ["zone", "payment"][: rng.randint(1, 2)]
        self.codes = ["vendor"] if rng.random() < 0.5 else []
        self.bools = ["vip"] if rng.random() < 0.5 else []
        self.missing = rng.random() < 0.5
        self.missing_words = rng.random() < 0.3
        self.seed = rng.randrange(10**6)
        self.train = self.frame(TRAIN, 0)
        self.unseen = self.frame(UNSEEN, 1)

    def frame(self, n, which):
        rng = np.random.RandomState(self.seed + which)
        made = {
            "miles": np.round(rng.exponential(3, n), rng.randint(1, 4)),
            "fare": np.where(rng.rand(n) < 0.1, 0.0, rng.normal(12, 5, n)),
            "hour": rng.randint(0, 24, n),
            "zone": np.array([WORDS[i] for i in rng.randint(0, len(WORDS), n)], dtype=object),
            "payment": np.array(
                [["card", "cash", "none", ""][i] for i in rng.choice(4, n, p=[0.6, 0.3, 0.07, 0.03])], object
            ),
            "vendor": rng.randint(1, 5, n),
            "vip": rng.rand(n) < 0.3,
        }
        if self.missing:
            for name in ("miles", "fare"):
                made[name] = np.where(rng.rand(n) < 0.1, np.nan, made[name])
        if self.missing_words:
            for name in self.texts:
                made[name][rng.rand(n) < 0.1] = None
        names = self.numbers + self.texts + self.codes + self.bools
        return pd.DataFrame({name: made[name] for name in names})

    def target(self, frame, seed=3):
        rng = np.random.RandomState(self.seed + seed)
        y = frame["miles"].fillna(2).to_numpy() + 0.3 * frame["fare"].fillna(9).to_numpy()
        y = y + 3.0 * frame["zone"].isin(WORDS[:3]).to_numpy()
        return y + rng.normal(0, 0.5, len(frame))


def records_of(frame):
    """A frame's rows as JSON has them."""
    return [{k: plain(v) for k, v in row.items()} for row in frame.to_dict("records")]


def plain(value):
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or isinstance(value, float) and np.isnan(value):
        return None
    return value
