"""What the train_*.py share: python - FOLDER NAME < train_GROUP.py, in an environment of make_fixtures.py.

They run under Python 3.8 and newer. Beside each model file it writes the same name + .json:

    cls        the root's class
    libraries  versions by name
    facts      value by path: attributes, keys and indices joined with "/", arrays as lists
    inputs     rows given to the estimator or booster, NaN where missing (boosters only)
    margins    what the booster answers to them before its link, a row each
"""

import importlib
import json
import os
import pickle
import random
import sys

import numpy as np

FOLDER, NAME = sys.argv[1:3]
KEPT = (
    "sklearn",
    "numpy",
    "scipy",
    "pandas",
    "joblib",
    "cloudpickle",
    "skops",
    "xgboost",
    "lightgbm",
    "catboost",
)


def walk(value, path):
    """What is at path; a Cython object's state counts as its attributes."""
    for part in path.split("/"):
        if isinstance(value, (list, tuple)) and part.lstrip("-").isdigit():
            value = value[int(part)]
        elif isinstance(value, dict):
            value = value[part]
        elif isinstance(value, np.ndarray):
            value = value[int(part)] if part.isdigit() else value[part]
        elif hasattr(value, part):
            value = getattr(value, part)
        else:
            value = value.__getstate__()[part]
    return value


def plain(value):
    """As JSON holds it."""
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def keep(name, model, paths=(), write=pickle.dump, opener=open, **more):
    """Writes one model file and what is known about it."""
    path = os.path.join(FOLDER, NAME + "-" + name)
    if write is not None:
        with opener(path, "wb") as file:
            write(model, file)
    versions = {}
    for library in KEPT:
        try:
            versions[library] = importlib.import_module(library).__version__
        except ImportError:
            continue
    kind = type(model)
    facts = {
        "cls": kind.__module__ + "." + kind.__qualname__,
        "libraries": versions,
        "facts": {path: plain(walk(model, path)) for path in paths},
    }
    facts.update({key: plain(value) for key, value in more.items()})
    with open(path + ".json", "w") as file:
        json.dump(facts, file)
        file.write("\n")


def rows(n=160):
    """Rides: a zone, a service, a distance, passengers."""
    rng = random.Random(7)
    return [
        {
            "zone": rng.choice(("a", "b=c", "na\u00efve \u2603", "10_20", "", "10_30")),
            "service": rng.choice(("x", "y", "z")),
            "distance": round(rng.lognormvariate(1, 1), 2),
            "passengers": float(rng.randrange(1, 6)) if rng.random() > 0.1 else float("nan"),
        }
        for _ in range(n)
    ]


def target(records):
    rng = random.Random(8)
    return np.array([len(r["zone"]) + 3 * r["distance"] + rng.random() for r in records])


def matrix(n=200, columns=4, whole=True):
    """float64 [n, columns], an eighth of it missing; the last column a category 0..5, never missing."""
    rng = np.random.RandomState(5)
    X = np.round(rng.normal(size=(n, columns)) * 3, 3)
    X[rng.uniform(size=X.shape) < 0.12] = np.nan
    if not whole:
        X = np.nan_to_num(X)
    X[:, -1] = rng.randint(0, 6, n)
    y = np.nan_to_num(X[:, 0]) + 4 * np.isin(X[:, -1], (1, 3, 4)) + 2 * (np.nan_to_num(X[:, 1]) > 0)
    y = y - 2 * np.isnan(X[:, 2]) + rng.normal(size=n) * 0.1
    return X, y


# Of every length that CatBoost hashes in its own way.
WORDS = [
    "k",
    "l\u00e9\u2603",
    "m-12-34-56",
    "n" + "0123456789" * 2,
    "o" + "0123456789" * 4,
    "p" + "0123456789" * 8,
]


def frames(X):
    """X as a frame whose last column is a category of words."""
    import pandas as pd

    frame = pd.DataFrame(X, columns=["c" + str(i) for i in range(X.shape[1])])
    last = frame.columns[-1]
    words = np.array(WORDS)[X[:, -1].astype(int)]
    frame[last] = pd.Categorical(words, categories=WORDS)
    return frame
