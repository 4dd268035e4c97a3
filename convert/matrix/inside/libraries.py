"""What the libraries of this environment have."""

import importlib
import inspect
import os
import sys


class Absent(Exception):
    """This environment does not have it."""


def make(path, **options):
    """An object of a class; options that it does not have are left out. Absent where there is no such class."""
    module, _, name = path.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        raise Absent(path)
    known = inspect.signature(kind.__init__).parameters
    if any(p.kind == p.VAR_KEYWORD for p in known.values()):
        return kind(**options)
    return kind(**{k: v for k, v in options.items() if k in known})


def sk(path, **options):
    return make("sklearn." + path, **options)


def version(name):
    try:
        return tuple(int(part) for part in importlib.import_module(name).__version__.split(".")[:2])
    except ImportError:
        return (0, 0)


def requirements():
    """The libraries of this environment."""
    names = {"sklearn": "scikit-learn", "numpy": "numpy", "scipy": "scipy", "pandas": "pandas", "cloudpickle": "cloudpickle",
             "xgboost": "xgboost", "lightgbm": "lightgbm", "catboost": "catboost", "skops": "skops"}  # fmt: skip
    pins = []
    for module, name in names.items():
        if "MATRIX_PIN_ALL" in os.environ:  # so that all of an environment's models need the same
            try:
                importlib.import_module(module)
            except ImportError:
                continue
        if module in sys.modules:
            pins.append("%s==%s" % (name, sys.modules[module].__version__))
    return pins
