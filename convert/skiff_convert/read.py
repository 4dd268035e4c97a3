"""Stage 4: loads the pipeline, the only file that does: unpickling runs code that comes with the model.

It stands alone, so that it can run under the model's own Python (3.8 or newer) and libraries:

    python read.py dump    MODEL_FILE OUT_FOLDER     what the pipeline learned: neutral.json, arrays.npz
    python read.py predict MODEL_FILE FEATURES OUT   features (JSON lines) to OUT (npz): predictions, refused
    python read.py table   MODEL_FILE AXES OUT       axes (npz: index0, given0, …) to OUT (npy): predictions

    --trust TYPE       a type that skops may load (repeatable)
    --written-by X.Y.Z the scikit-learn that wrote the file

Nothing in the dump is pickled. On stderr: progress, `read: done: …`; errors, `read: error: …` and
`read: hint: …`, exit 1.
"""

import argparse
import json
import os
import pickle
import platform
import sys
import time
import warnings

import numpy as np

LINEAR = ("LinearRegression", "Ridge", "Lasso", "ElasticNet")
TREE = ("DecisionTreeRegressor",)
FOREST = ("RandomForestRegressor", "ExtraTreesRegressor")

# What a pipeline is asked, in any one column, to find out whether it predicts for such values.
PROBES = {"nan": (float("nan"),), "beyond_float32": (1e39, -1e39)}


CHUNK = 50000  # rows predicted at a time, of a table
DENSE = 2**24  # numbers in a chunk of dense rows, 128 MB
QUIET = 5.0  # seconds between two lines of progress


class Refusal(Exception):
    """Why the model cannot be read, and what to do about it."""

    def __init__(self, message, hint=""):
        super().__init__(message)
        self.hint = hint


def load(path, trusted=(), written_by=""):
    """The pipeline in a pickle, cloudpickle or skops file, set to one job so that its sums keep their order.

    Refusal when the file is of another scikit-learn, needs a type nobody trusts, or does not load.
    """
    check_version(written_by)
    try:
        if path.endswith(".skops"):
            model = load_skops(path, trusted)
        else:
            with open(path, "rb") as file:
                model = pickle.load(file)
    except Refusal:
        raise
    except Exception as err:  # a pickle may raise anything
        raise Refusal(
            f"loading {os.path.basename(path)}: {type(err).__name__}: {first_line(err)}",
            "it loads only with the libraries that wrote it; see the model's requirements.txt",
        ) from err
    for step in [model] + [step for _, step in getattr(model, "steps", [])]:
        if hasattr(step, "n_jobs"):
            step.n_jobs = 1
    return model


def check_version(written_by):
    """Refusal when this scikit-learn is not the minor version that wrote the file."""
    import sklearn

    if written_by and written_by.split(".")[:2] != sklearn.__version__.split(".")[:2]:
        raise Refusal(
            f"the model was written by scikit-learn {written_by}, this is {sklearn.__version__}",
            f"for make: .build/uv/bin/uv pip install -p .build/venv/bin/python scikit-learn=={written_by}",
        )


def load_skops(path, trusted):
    """The object in a skops file, of skops' own safe types and the trusted ones."""
    import skops.io

    unknown = sorted(set(skops.io.get_untrusted_types(file=path)) - set(trusted))
    if unknown:
        raise Refusal(
            f"{os.path.basename(path)} holds types that nobody vouched for: " + ", ".join(unknown),
            "when you trust them, log the model again with skops_trusted_types",
        )
    return skops.io.load(path, trusted=list(trusted))


def describe(model):
    """What the model learned: (a dict for JSON, a dict of arrays).

    Steps that are not known here are described by their class alone; whether that will do is decided later.
    """
    steps = [(name, step) for name, step in getattr(model, "steps", []) if step not in (None, "passthrough")]
    facts = {
        "class": class_name(model),
        "steps": [{"name": name, "class": class_name(step)} for name, step in steps],
        "vectorizer": None,
        "estimator": None,
        "accepts": {},
        "libraries": libraries(),
    }
    arrays = {}
    for _, step in steps:
        kind = class_name(step)
        if kind == "DictVectorizer":
            facts["vectorizer"] = {
                "feature_names": list(step.feature_names_),
                "separator": step.separator,
                "sparse": bool(step.sparse),
                "sort": bool(step.sort),
                "dtype": np.dtype(step.dtype).name,
            }
        elif kind in LINEAR:
            coef = np.asarray(step.coef_)
            facts["estimator"] = {"kind": "linear", "outputs": 1 if coef.ndim == 1 else len(coef)}
            arrays["coef"], arrays["intercept"] = coef.ravel(), np.ravel(step.intercept_)
        elif kind in TREE + FOREST:
            members = [step] if kind in TREE else step.estimators_
            facts["estimator"] = {"kind": "tree" if kind in TREE else "forest", "outputs": step.n_outputs_}
            arrays.update(concatenate_trees([member.tree_ for member in members]))
    if [step["class"] for step in facts["steps"]][:1] == ["DictVectorizer"] and facts["estimator"]:
        name = facts["vectorizer"]["feature_names"][0]
        facts["accepts"] = {key: accepts(model, name, values) for key, values in PROBES.items()}
    return facts, arrays


def concatenate_trees(trees):
    """The nodes of all trees one after another, children numbered within their own tree; -1 has none."""
    arrays = {"offsets": np.cumsum([0] + [tree.node_count for tree in trees])}
    for key in ("children_left", "children_right", "feature", "threshold"):
        arrays[key] = np.concatenate([getattr(tree, key) for tree in trees])
    arrays["value"] = np.concatenate([tree.value[:, 0, 0] for tree in trees])
    # Trees older than scikit-learn 1.3 know nothing of missing values.
    missing = [getattr(tree, "missing_go_to_left", np.zeros(tree.node_count)) for tree in trees]
    arrays["missing_go_to_left"] = np.concatenate(missing).astype(np.uint8)
    return arrays


def accepts(model, name, values):
    """Whether the pipeline predicts a finite number for each of the values in the column of that name."""
    try:
        return all(np.isfinite(model.predict([{name: value}])).all() for value in values)
    except (ValueError, OverflowError):
        return False


def predict(model, features):
    """float64 predictions [records] and what was refused, a text per record ("" where it was not).

    All records go in one call; only where that raises, each goes alone.
    """
    try:
        return np.asarray(model.predict(features), np.float64).ravel(), [""] * len(features)
    except Exception:
        predictions, refused = np.full(len(features), np.nan), [""] * len(features)
    for i, record in enumerate(features):
        try:
            predictions[i] = np.asarray(model.predict([record]), np.float64).ravel()[0]
        except Exception as err:
            refused[i] = f"{type(err).__name__}: {first_line(err)}"
    return predictions, refused


def tabulate(model, axes):
    """Predictions over the product of axes, float64 [values of the first, of the second, ...].

    An axis is (index, given), both [values]: to have a value is to have that number in that column of the
    vectorizer, or nothing where index is -1. Rows are made here, so that millions need not be sent.
    """
    from scipy.sparse import csr_matrix

    at = [class_name(step) for _, step in model.steps].index("DictVectorizer")
    vectorizer, rest = model.steps[at][1], model[at + 1 :]
    width, shape = len(vectorizer.feature_names_), tuple(len(index) for index, _ in axes)
    total = int(np.prod(shape, dtype=np.int64))
    cells, chunk, said = np.empty(total), CHUNK, time.monotonic()
    if not vectorizer.sparse:
        chunk = max(1, min(CHUNK, DENSE // width))
    for start in range(0, total, chunk):
        end = min(start + chunk, total)
        where = np.unravel_index(np.arange(start, end), shape) if shape else ()
        index = np.empty((end - start, len(axes)), np.int32)
        given = np.empty((end - start, len(axes)))
        for i, (axis_index, axis_given) in enumerate(axes):
            index[:, i], given[:, i] = axis_index[where[i]], axis_given[where[i]]
        there = index >= 0
        ends = np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int32)
        rows = csr_matrix((given[there], index[there], ends), shape=(end - start, width))
        cells[start:end] = np.ravel(rest.predict(rows if vectorizer.sparse else rows.toarray()))
        if time.monotonic() - said > QUIET:
            said = time.monotonic()
            print(f"read: done: {end:,} of {total:,}", file=sys.stderr, flush=True)
    return cells.reshape(shape)


def class_name(obj):
    """The class's name, with its module unless it is scikit-learn's."""
    kind = type(obj)
    own = kind.__module__.split(".")[0] == "sklearn"
    return kind.__name__ if own else kind.__module__ + "." + kind.__name__


def libraries():
    """The versions that the model was read with."""
    import scipy
    import sklearn

    return {
        "python": platform.python_version(),
        "scikit-learn": sklearn.__version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
    }


def first_line(err):
    return (str(err).strip().splitlines() or [""])[0]


def main(args=None):
    parser = argparse.ArgumentParser(prog="read")
    parser.add_argument("command", choices=("dump", "predict", "table"))
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--trust", action="append", default=[])
    parser.add_argument("--written-by", default="")
    options = parser.parse_args(args)
    if len(options.paths) != (2 if options.command == "dump" else 3):
        parser.error(f"{options.command}: wrong number of paths")
    warnings.simplefilter("ignore")
    try:
        model = load(options.paths[0], options.trust, options.written_by)
        if options.command == "dump":
            facts, arrays = describe(model)
            with open(os.path.join(options.paths[1], "neutral.json"), "w", encoding="utf-8") as file:
                json.dump(facts, file)
            np.savez(os.path.join(options.paths[1], "arrays.npz"), **arrays)
        elif options.command == "table":
            with np.load(options.paths[1], allow_pickle=False) as npz:
                axes = [(npz[f"index{i}"], npz[f"given{i}"]) for i in range(len(npz.files) // 2)]
            np.save(options.paths[2], tabulate(model, axes))
        else:
            with open(options.paths[1], encoding="utf-8") as file:
                features = [json.loads(line) for line in file]
            predictions, refused = predict(model, features)
            np.savez(options.paths[2], predictions=predictions, refused=np.array(refused, dtype=str))
    except Refusal as err:
        print(f"read: error: {err}", file=sys.stderr)
        print(f"read: hint: {err.hint}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
