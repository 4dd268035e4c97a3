"""Asks a model in its own world: with skiff_rows and skiff_onnx all of skiff that runs there, and all that
unpickles.

It stands alone, for Python 3.6 and later and the model's own libraries, and knows no estimator:

    python ask.py probe MODULE ...   imports them; on stdout a JSON line, {"error": ...} where one fails
    python ask.py serve              answers requests, a JSON line each, until stdin ends

A request has "do": load, describe, value, call or onnx; an answer has "error" and "kind" where it failed.
Data goes through files: JSON lines (records), JSON (a data frame's columns), npz (matrices, and all that
comes back), ONNX. Nothing is pickled on the way.
"""

import importlib
import json
import os
import pickle
import platform
import sys
import warnings

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from skiff_rows import Rows, arrays_of, item_of, values  # noqa: E402 (isolated, Python has no script's folder)

del sys.path[0]

# Before numpy is imported: sums that are split among threads depend on how many there are.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
JOBS = ("n_jobs", "nthread", "thread_count", "num_threads")  # attributes that say the same
METHODS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "transform",
    "score_samples",
    "apply",
)
LIBRARIES = ("numpy", "scipy", "pandas", "sklearn", "joblib", "skops", "cloudpickle")
BOOSTERS = ("xgboost", "lightgbm", "catboost")
JOBLIB = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"ZF", b"x\x01", b"x\x9c", b"x\xda")  # what joblib compresses to
GIVE_UP = 1000  # rows refused, and none taken, after which it is not the rows
TEXT = 300  # characters of an error that are kept


class Refusal(Exception):
    """Why something cannot be done. kind: import (the environment), load (the file), ask (the request)."""

    def __init__(self, message, kind="ask"):
        super().__init__(message)
        self.kind = kind


def said(err):
    """An exception in one line."""
    line = " ".join(str(err).split())
    return (type(err).__name__ + ": " + line)[:TEXT]


def load(request):
    """The model in request["path"]. Code that came with it runs here."""
    sys.path[:0] = request.get("code", [])
    path, flavor, options = request["path"], request["flavor"], request.get("options", {})
    try:
        if flavor == "xgboost":
            model = load_xgboost(path, options)
        elif flavor == "lightgbm" and not is_pickle(path):
            model = importlib.import_module("lightgbm").Booster(model_file=path)
        elif flavor == "catboost":
            kind = getattr(importlib.import_module("catboost"), str(options.get("model_type", "CatBoost")))
            model = kind().load_model(path, format=str(options.get("save_format", "cbm")))
        else:
            model = unpickle(path)
    except Exception as err:
        raise Refusal(said(err), "import" if is_import(err) else "load") from err
    one_thread(model)
    return model


def is_import(err):
    """Whether libraries do not fit, rather than the file: what they raise then, numpy's removed names too."""
    text = str(err)
    parts = ("numpy.dtype size changed", "numpy.ufunc size changed", "has no attribute", "Descriptors cannot")
    return "__main__" not in text and (isinstance(err, ImportError) or any(part in text for part in parts))


def is_pickle(path):
    with open(path, "rb") as file:
        return file.read(1) == b"\x80"


def unpickle(path):
    """Of pickle, cloudpickle, joblib or skops, whatever the file is."""
    with open(path, "rb") as file:
        start = file.read(8)
    if path.endswith(".skops") or start.startswith(b"PK\x03\x04"):
        io = importlib.import_module("skops.io")
        return io.load(path, trusted=list(io.get_untrusted_types(file=path)))
    if start.startswith(JOBLIB) or path.endswith(".joblib"):
        return importlib.import_module("joblib").load(path)
    try:
        with open(path, "rb") as file:
            return pickle.load(file)
    except Exception:
        with open(path, "rb") as file:
            is_joblib = b"NumpyArrayWrapper" in file.read()  # its arrays lie between the opcodes
        if not is_joblib:
            raise
    return importlib.import_module("joblib").load(path)


def load_xgboost(path, options):
    xgboost = importlib.import_module("xgboost")
    module, _, name = str(options.get("model_class") or "xgboost.core.Booster").rpartition(".")
    model = getattr(importlib.import_module(module), name)()
    model.load_model(path)
    return XGBooster(xgboost, model) if isinstance(model, xgboost.Booster) else model


class XGBooster:
    """A bare Booster of XGBoost, which takes its own kind of matrix."""

    def __init__(self, xgboost, booster):
        self._xgboost, self.booster = xgboost, booster
        self.feature_names_in_ = booster.feature_names
        booster.set_param({"nthread": 1})

    def predict(self, X, **options):
        categories = {"enable_categorical": True} if hasattr(X, "dtypes") else {}
        return self.booster.predict(self._xgboost.DMatrix(X, nthread=1, **categories), **options)


def one_thread(model):
    """Sets all that is inside the model to one job, so that its sums keep their order."""
    import numpy as np

    seen, todo = set(), [model]
    while todo:
        obj = todo.pop()
        if isinstance(obj, (str, bytes, int, float, type(None))) or id(obj) in seen:
            continue
        seen.add(id(obj))
        if isinstance(obj, dict):
            todo.extend(obj.values())
        elif isinstance(obj, (list, tuple)):
            todo.extend(obj)
        elif isinstance(obj, np.ndarray):
            todo.extend(obj.ravel().tolist() if obj.dtype == object else [])
        elif hasattr(obj, "get_params") and hasattr(obj, "__dict__"):
            for name in JOBS:
                if name in vars(obj):
                    setattr(obj, name, 1)
            todo.extend(vars(obj).values())


def describe(model):
    """What the model says of itself, as JSON has it."""
    steps = [[str(name), class_name(step)] for name, step in getattr(model, "steps", None) or []]
    return {
        "class": class_name(model),
        "steps": steps,
        "methods": [name for name in METHODS if attribute(model, name) is not None],
        "classes": values(attribute(model, "classes_")),
        "feature_names_in": values(attribute(model, "feature_names_in_")),
        "n_features_in": values(attribute(model, "n_features_in_")),
        "n_outputs": values(attribute(model, "n_outputs_")),
        "libraries": libraries(),
    }


def class_name(obj):
    return type(obj).__module__ + "." + type(obj).__name__


def attribute(obj, name):
    """The attribute, None where there is none: asking for one may raise anything."""
    try:
        return getattr(obj, name)
    except Exception:
        return None


def libraries():
    """The versions that were loaded."""
    versions = {"python": platform.python_version()}
    for name in LIBRARIES + BOOSTERS:
        version = getattr(sys.modules.get(name), "__version__", None)
        if version:
            versions["scikit-learn" if name == "sklearn" else name] = str(version)
    return versions


def step_of(model, path):
    """What is inside the model: attributes, keys, indices and slices, as in 1.regressor_ or 0:2."""
    for part in path.split(".") if path else []:
        try:
            if ":" in part:
                ends = [int(end) if end else None for end in part.split(":")]
                model = model[slice(*ends)]
            elif part.lstrip("-").isdigit():
                model = model[int(part)]
            elif hasattr(model, part):
                model = getattr(model, part)
            else:
                model = model[part]
        except Exception as err:
            raise Refusal("no step " + path + " in the model: " + said(err)) from err
    return model


def call(model, request):
    """What a method says of the rows: (arrays, what to tell about them)."""
    step, rows = step_of(model, request.get("step", "")), Rows(request["input"])
    method = attribute(step, request["method"])
    if request["method"] not in METHODS or method is None:
        raise Refusal(class_name(step) + " has no " + request["method"])
    taken, refused, options = [], [], request.get("options", {})
    if request.get("whole"):
        ask_once(method, rows, options, taken, refused)
    else:
        ask_about(method, rows, 0, rows.count, options, taken, refused)
    if not taken:
        return {}, {"refused": refused, "parts": 0, "list": False, "columns": None}
    is_list, columns = taken[0][1:]
    arrays = {}
    for i in range(len(taken[0][0])):
        arrays.update(arrays_of("a%d" % i, joined([parts[i] for parts, _, _ in taken])))
    return arrays, {"refused": refused, "parts": len(taken[0][0]), "list": is_list, "columns": columns}


def ask_once(method, rows, options, taken, refused):
    """Asks about all rows at once; where that raises, all are refused."""
    try:
        taken.append(output(method(rows.take(0, rows.count), **options), rows.count))
    except Exception as err:
        refused.extend([at, said(err)] for at in range(rows.count))


def ask_about(method, rows, start, end, options, taken, refused):
    """Asks about all rows at once; where that raises, about halves, until the rows that do are found."""
    if start == end and rows.count:
        return
    try:
        taken.append(output(method(rows.take(start, end), **options), end - start))
        return
    except Exception as err:
        if end - start <= 1:
            refused.append([start, said(err)])
            if not taken and len(refused) >= GIVE_UP:
                raise Refusal("all of %d rows are refused: %s" % (len(refused), said(err))) from err
            return
    middle = (start + end) // 2
    ask_about(method, rows, start, middle, options, taken, refused)
    ask_about(method, rows, middle, end, options, taken, refused)


def output(answer, count):
    """A model's answer as (list of arrays, whether it was a list, names of columns)."""
    import numpy as np

    is_list, columns = isinstance(answer, list) and hasattr(answer[0], "shape"), None
    if hasattr(answer, "columns"):
        columns = [item_of(name) for name in answer.columns]
    if not hasattr(answer, "tocsr") and not is_list:
        answer = np.asarray(answer)
    parts = list(answer) if is_list else [answer]
    for part in parts:
        if not part.shape or part.shape[0] != count:
            raise Refusal("the answer to %d rows has the shape %s" % (count, part.shape))
    return parts, is_list, columns


def joined(parts):
    import numpy as np

    if len(parts) == 1:
        return parts[0]
    if hasattr(parts[0], "tocsr"):
        return importlib.import_module("scipy.sparse").vstack(parts)
    return np.concatenate(parts)


def onnx(step, request):
    """Writes the graph that sklearn-onnx makes of a step."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    try:
        convert = importlib.import_module("skiff_onnx").convert
    finally:
        del sys.path[0]
    graph, output, version = convert(step, request["method"], request["width"])
    with open(request["out"], "wb") as file:
        file.write(graph)
    return {"output": output, "version": version}


class Server:
    """Answers requests about the model that was loaded."""

    def __init__(self):
        self.model = None

    def answer(self, request):
        if request["do"] == "load":
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                self.model = load(request)
            names = ("InconsistentVersionWarning", "UserWarning")
            told = [said(w.message) for w in caught if w.category.__name__ in names]
            return {"warnings": sorted(set(text for text in told if "version" in text))}
        if self.model is None:
            raise Refusal("no model was loaded")
        if request["do"] == "describe":
            return describe(step_of(self.model, request.get("step", "")))
        if request["do"] == "onnx":
            return onnx(step_of(self.model, request["step"]), request)
        if request["do"] == "value":
            arrays, told = arrays_of("a0", output_value(step_of(self.model, request["step"]))), {}
        else:
            arrays, told = call(self.model, request)
        import numpy as np

        np.savez(request["out"], **arrays)
        return told


def output_value(value):
    import numpy as np

    return value if hasattr(value, "tocsr") else np.asarray(value)


def serve():
    # What libraries print goes to stderr, and they read nothing: stdin and stdout are the caller's.
    asked, told = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    server = Server()
    for line in asked:
        try:
            answer = server.answer(json.loads(line.decode("utf-8")))
        except Refusal as err:
            answer = {"error": str(err), "kind": err.kind}
        except Exception as err:
            answer = {"error": said(err), "kind": "ask"}
        told.write(json.dumps(answer).encode("utf-8") + b"\n")
        told.flush()


def probe(names):
    """Whether the modules can be imported."""
    warnings.simplefilter("ignore")
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as err:
            return {"error": said(err), "kind": "import", "module": name}
    return {"libraries": libraries()}


def main():
    for name in THREADS:
        os.environ[name] = "1"
    if sys.argv[1:2] == ["probe"]:
        told = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
        told.write(json.dumps(probe(sys.argv[2:])).encode("utf-8") + b"\n")
        told.close()
    elif sys.argv[1:] == ["serve"]:
        serve()
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
