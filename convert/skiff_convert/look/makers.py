"""What is made of the functions that pickles call: data as itself, everything else as an Obj, Ref or Code.

A maker takes the arguments from the pickle and calls nothing but NumPy's and Python's own constructors.
"""

import datetime
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from . import arrays, frames
from .arrays import damaged
from .errors import DAMAGED, LookError
from .graph import Code, Obj, Ref

Maker = Callable[..., Any]

MOST_DEPTH = 20  # tuples within a tuple that is a key: hashing a deeper one could overflow the stack


def ref(module: str, qualname: str) -> Ref:
    """The name of a global, the same in all versions of Python and NumPy."""
    module = {"__builtin__": "builtins", "copy_reg": "copyreg"}.get(module, module)
    if module.startswith("numpy."):
        public = not qualname.startswith("_") and hasattr(np, qualname)
        if public and module.startswith(("numpy.core.", "numpy._core.", "numpy.lib.")):
            module = "numpy"
        module = module.replace("numpy.core.", "numpy._core.")
    return Ref(module, qualname)


def call(func: Any, args: Any, kwargs: dict | None = None) -> Any:
    """What stands for func(*args, **kwargs)."""
    if not isinstance(args, tuple):
        raise damaged("arguments that are not a tuple")
    if isinstance(func, Code):
        return Obj(str(func), args, kwargs)
    if not isinstance(func, Ref):
        return Obj(f"{func.cls}()"[-200:] if isinstance(func, Obj) else type(func).__name__, args, kwargs)
    maker = MAKERS.get((func.module, func.qualname))
    if maker is None and func.module in BY_VALUE:
        maker = BY_VALUE[func.module].get(func.qualname)
    if maker is None and func.qualname.startswith("__pyx_unpickle_") and args and isinstance(args[0], Ref):
        return Obj(str(args[0]), args[1:], state_of(args[2]) if len(args) > 2 else None)
    if maker is None:
        return Obj(str(func), args, dict(kwargs) if kwargs else None)
    try:
        return maker(*args, **(kwargs or {}))
    except LookError:
        raise
    except (TypeError, ValueError, OverflowError, AttributeError, IndexError, KeyError, LookupError) as err:
        raise damaged(f"what {func} was given") from err


def state_of(state: Any) -> dict:
    """Attributes by name of what a __setstate__ is given."""
    if isinstance(state, tuple) and len(state) == 2:
        plain, slots = state
        if isinstance(slots, dict) and (plain is None or isinstance(plain, dict)):
            return {**(plain or {}), **slots}
    if isinstance(state, dict):
        return state
    return {} if state is None else {"__state__": state}


def check_key(key: Any, depth: int = 0) -> Any:
    """The key, when hashing it takes little and calls nothing. LookError otherwise."""
    if isinstance(key, (tuple, frozenset)):
        if depth > MOST_DEPTH:
            raise damaged("a key of too many tuples")
        for part in key:
            check_key(part, depth + 1)
    elif not isinstance(key, KEYS):
        raise damaged(f"a {type(key).__name__} as a key")
    return key


KEYS = (str, int, float, complex, bytes, type(None), np.generic, Ref, Obj, Code, type(...))
KEYS += (datetime.date, datetime.time, datetime.timedelta, datetime.tzinfo, range, np.dtype)


def _members(kind: type) -> Maker:
    def make(members: Any = ()) -> Any:
        if not isinstance(members, (list, tuple, set, frozenset)):
            raise damaged(f"what a {kind.__name__} was given")
        if kind in (set, frozenset):
            for member in members:
                check_key(member)
        return kind(members)

    return make


def _pairs(kind: type) -> Maker:
    def make(*args: Any) -> Any:
        pairs = args[-1] if args else ()  # a defaultdict's first argument is its factory
        if isinstance(pairs, dict):
            return kind(pairs)
        if not isinstance(pairs, (list, tuple)):
            return kind()
        return kind((check_key(key), value) for key, value in pairs)

    return make


def _bytes(kind: type) -> Maker:
    def make(data: Any = b"", encoding: str = "latin1", *_: Any) -> Any:
        if isinstance(data, (bytes, bytearray)):
            return kind(data)
        if isinstance(data, list):
            return kind(data)
        if isinstance(data, str):
            return kind(_encode(data, encoding))
        raise damaged(f"what {kind.__name__} was given")

    return make


def _encode(text: str, encoding: str = "latin1", *_: Any) -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1", "utf-8", "utf8", "ascii"):
        raise damaged("an encoding")
    return text.encode(encoding, "surrogatepass" if encoding.startswith("utf") else "strict")


def _whole(kind: type) -> Maker:
    """Of numbers, text and bytes only."""

    def make(*args: Any) -> Any:
        if not all(isinstance(arg, (int, float, bytes, type(None), datetime.tzinfo)) for arg in args):
            return Obj(f"{kind.__module__}.{kind.__qualname__}", args)
        return kind(*args)

    return make


def _new(cls: Any, *args: Any) -> Any:
    return call(cls, args)


def _reconstructor(cls: Any, base: Any, value: Any = None, *_: Any) -> Any:
    made = call(cls, ())
    if isinstance(made, Obj) and isinstance(value, dict):
        made.items = list(value.items())
    elif isinstance(made, Obj) and isinstance(value, (list, tuple, set)):
        made.items = list(value)
    elif isinstance(made, Obj) and value is not None:
        made.args = (value,)
    return made


def _getattr(owner: Any, name: Any, *_: Any) -> Any:
    if isinstance(owner, Ref) and isinstance(name, str):
        return Ref(owner.module, f"{owner.qualname}.{name}".lstrip("."))
    return Obj("builtins.getattr", (owner, name))


def _named(module: str, name: str) -> Ref:
    return ref(str(module), str(name))


def _reconstruct(cls: Any, shape: Any = (0,), code: Any = b"b") -> Any:
    return np.empty(0)  # its state gives it shape, type and bytes


def _dtype(text: Any, *_: Any) -> arrays.Pending:
    return arrays.Pending(text if isinstance(text, str) else "V")


def _masked(cls: Any, *args: Any) -> Obj:
    return Obj(str(cls), args)


def _code(*args: Any) -> Code:
    texts = [arg for arg in args if isinstance(arg, str)]  # file, name, and since 3.11 qualified name
    return Code("code", texts[1] if len(texts) > 1 else "", args=args)


def _function(code: Any = None, base_globals: Any = None, *args: Any) -> Code:
    name = code.name if isinstance(code, Code) else ""
    module = base_globals.get("__name__") if isinstance(base_globals, dict) else None
    return Code(
        "function", name, module if isinstance(module, str) else "__main__", (code, base_globals, *args)
    )


def _filled(func: Any, *args: Any) -> Any:
    if isinstance(func, Code) and args:
        func.state.update(args[0] if isinstance(args[0], dict) else {"__state__": args})
        if isinstance(args[0], dict) and isinstance(args[0].get("module"), str):
            func.module = args[0]["module"]
    return func


def _class(kind: Any = None, name: Any = "", bases: Any = (), given: Any = None, *args: Any) -> Code:
    given = given if isinstance(given, dict) else {}
    module = given.get("__module__", "__main__")
    return Code("class", str(name), str(module), (bases, given, *args))


def _set_state(func: Any, state: Any) -> None:
    if isinstance(func, Code):
        func.state.update(state_of(state[0] if isinstance(state, tuple) and len(state) == 2 else state))
        module = func.state.get("__module__")
        func.module = module if isinstance(module, str) else func.module


def _module(name: Any, *_: Any) -> Ref:
    return Ref(str(name), "")


def _refuse(what: str, hint: str) -> Maker:
    def make(*args: Any, **kwargs: Any) -> Any:
        raise LookError(what, hint)

    return make


MAKERS: dict[tuple[str, str], Maker] = {
    ("builtins", "set"): _members(set),
    ("builtins", "frozenset"): _members(frozenset),
    ("builtins", "list"): _members(list),
    ("builtins", "tuple"): _members(tuple),
    ("builtins", "dict"): _pairs(dict),
    ("builtins", "bytes"): _bytes(bytes),
    ("builtins", "bytearray"): _bytes(bytearray),
    ("builtins", "slice"): slice,
    ("builtins", "range"): range,
    ("builtins", "complex"): _whole(complex),
    ("builtins", "getattr"): _getattr,
    ("collections", "OrderedDict"): _pairs(OrderedDict),
    ("collections", "defaultdict"): _pairs(dict),
    ("copyreg", "_reconstructor"): _reconstructor,
    ("copyreg", "__newobj__"): _new,
    ("_codecs", "encode"): _encode,
    ("datetime", "date"): _whole(datetime.date),
    ("datetime", "time"): _whole(datetime.time),
    ("datetime", "datetime"): _whole(datetime.datetime),
    ("datetime", "timedelta"): _whole(datetime.timedelta),
    ("numpy", "dtype"): _dtype,
    ("numpy", "ndarray"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "scalar"): arrays.scalar,
    ("numpy._core.numeric", "_frombuffer"): lambda data, dtype, shape, order: arrays.from_bytes(
        data, dtype, shape, order
    ),
    ("numpy._core", "_ufunc_reconstruct"): _named,
    ("numpy._core._internal", "_ufunc_reconstruct"): _named,
    ("numpy.core", "_ufunc_reconstruct"): _named,
    ("numpy.ma.core", "_mareconstruct"): _masked,
    ("sklearn.neighbors._kd_tree", "newObj"): lambda cls, *args: Obj(str(cls), args),
    ("sklearn.neighbors._ball_tree", "newObj"): lambda cls, *args: Obj(str(cls), args),
    ("sklearn.neighbors._dist_metrics", "newObj"): lambda cls, *args: Obj(str(cls), args),
    ("sklearn.metrics._dist_metrics", "newObj"): lambda cls, *args: Obj(str(cls), args),
    ("pandas.core.indexes.base", "_new_Index"): frames.index,
    ("joblib.numpy_pickle_compat", "NDArrayWrapper"): _refuse(
        "the file was written by a joblib older than 0.10, with its arrays in other files",
        "load it where it was made and dump it again",
    ),
}

_CLOUDPICKLE: dict[str, Maker] = {
    "_make_function": _function,
    "_make_skel_func": _function,
    "_fill_function": _filled,
    "_make_skeleton_class": _class,
    "_make_skeleton_enum": lambda bases, name, *args: Code("class", str(name), args=(bases, *args)),
    "_class_setstate": _set_state,
    "_function_setstate": _set_state,
    "_rehydrate_skeleton_class": lambda cls, state: _filled(cls, state),
    "_builtin_type": lambda name, *_: Ref("types", str(name)),
    "_make_cell": lambda value=None: Obj("types.CellType", (value,)),
    "_make_empty_cell": lambda: Obj("types.CellType"),
    "subimport": _module,
    "dynamic_subimport": _module,
    "_getattribute": _getattr,
}
BY_VALUE: dict[str, dict[str, Maker]] = {
    "cloudpickle.cloudpickle": _CLOUDPICKLE,
    "cloudpickle.cloudpickle_fast": _CLOUDPICKLE,
    "types": {"CodeType": _code, "FunctionType": _function, "LambdaType": _function, "ModuleType": _module},
}

DEEP = LookError("the file nests objects too deeply", DAMAGED)
