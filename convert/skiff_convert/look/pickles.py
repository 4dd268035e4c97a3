"""Pickles, of whatever wrote them, as an object graph: no global is imported, no function is called.

Python's own unpickler in Python, whose every opcode that would look up, call or change something of the
file's choice is replaced here. A global is a Ref on the stack, and calling it is makers.call.
"""

import _compat_pickle
import io
import math
import pickle
from typing import Any

import numpy as np

from . import arrays, makers
from .arrays import damaged
from .errors import DAMAGED, LookError
from .graph import Code, Obj, Ref

_PythonUnpickler: Any = pickle._Unpickler  # type: ignore[attr-defined]

JOBLIB_ARRAY = "joblib.numpy_pickle.NumpyArrayWrapper"  # or within sklearn.externals
BOOSTER_FORMATS = frozenset(
    ("handle", "_handle", "__model")
)  # attributes that may hold a booster's own format
MOST_NESTED = 50  # pickles within a joblib file's arrays of objects, within each other


class Unpickler(_PythonUnpickler):
    """Reads one pickle from bytes.

    versions  of libraries that the objects name, the outermost object's last
    boosters  the objects that hold a booster's own format
    joblib    whether arrays followed the pickle, as joblib writes them
    """

    dispatch = dict(_PythonUnpickler.dispatch)

    def __init__(self, file: io.BytesIO, nested: int = 0):
        super().__init__(file, encoding="latin1")
        self.file = file
        self.nested = nested
        self.versions: dict[str, str] = {}
        self.boosters: list[Obj] = []
        self.joblib = False

    def find_class(self, module: str, name: str) -> Ref:
        if self.proto < 3:  # Python 2's names, as every protocol of then has them
            module, name = _compat_pickle.NAME_MAPPING.get((module, name), (module, name))
            module = _compat_pickle.IMPORT_MAPPING.get(module, module)
        return makers.ref(module, name)

    def persistent_load(self, pid: Any) -> Any:
        raise LookError(
            "the pickle refers to objects outside of it", "log the model with MLflow's own flavor"
        )

    def get_extension(self, code: int) -> Any:
        raise LookError(
            "the pickle uses codes registered where it was made", "log the model again without copyreg"
        )

    # Making things.

    def _instantiate(self, klass: Any, args: Any) -> None:
        self.append(makers.call(klass, tuple(args)))

    def load_reduce(self) -> None:
        args = self.stack.pop()
        self.stack[-1] = makers.call(self.stack[-1], args)

    def load_newobj(self) -> None:
        args = self.stack.pop()
        cls = self.stack.pop()
        self.append(makers.call(cls, args))

    def load_newobj_ex(self) -> None:
        kwargs = self.stack.pop()
        args = self.stack.pop()
        cls = self.stack.pop()
        if not isinstance(kwargs, dict) or not all(isinstance(name, str) for name in kwargs):
            raise damaged("keyword arguments")
        self.append(makers.call(cls, args, kwargs))

    def load_bytearray8(self) -> None:
        size = int.from_bytes(self.read(8), "little")
        self.append(bytearray(self.read(size)))

    def load_buffer(self) -> None:
        raise LookError("the pickle keeps its arrays outside of it", "log the model with MLflow's own flavor")

    # Filling things.

    def load_append(self) -> None:
        value = self.stack.pop()
        self._extend([value])

    def load_appends(self) -> None:
        self._extend(self.pop_mark())

    def _extend(self, members: list) -> None:
        target = self.stack[-1]
        if isinstance(target, Obj):
            target.items.extend(members)
        elif type(target) is list:
            target.extend(members)
        else:
            raise damaged(f"members for a {type(target).__name__}")

    def load_dict(self) -> None:
        members = self.pop_mark()
        self.append({})
        self._set(members)

    def load_setitem(self) -> None:
        value = self.stack.pop()
        key = self.stack.pop()
        self._set([key, value])

    def load_setitems(self) -> None:
        self._set(self.pop_mark())

    def _set(self, members: list) -> None:
        target = self.stack[-1]
        if isinstance(target, Obj):
            target.items.extend(zip(members[::2], members[1::2], strict=True))
        elif isinstance(target, dict):
            for key, value in zip(members[::2], members[1::2], strict=True):
                if type(key) is not str:
                    makers.check_key(key)
                target[key] = value
        else:
            raise damaged(f"members for a {type(target).__name__}")

    def load_additems(self) -> None:
        members = self.pop_mark()
        target = self.stack[-1]
        if isinstance(target, Obj):
            target.items.extend(members)
        elif isinstance(target, set):
            target.update(makers.check_key(member) for member in members)
        else:
            raise damaged(f"members for a {type(target).__name__}")

    def load_frozenset(self) -> None:
        members = self.pop_mark()  # replaces self.append
        self.append(frozenset(makers.check_key(member) for member in members))

    def load_build(self) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        if isinstance(target, Obj):
            self._build(target, state)
        elif isinstance(target, np.ndarray):
            arrays.fill(target, state)
        elif isinstance(target, arrays.Pending):
            self.stack[-1] = dtype = arrays.finish_dtype(target, state)
            for slot in target.slots:
                self.memo[slot] = dtype
        elif isinstance(target, Code):
            target.state.update(makers.state_of(state))
        elif not isinstance(target, (np.dtype, Ref, dict)):
            raise damaged(f"a state for a {type(target).__name__}")

    def _build(self, target: Obj, state: Any) -> None:
        if target.cls == "functools.partial" and isinstance(state, tuple) and len(state) == 4:
            state = dict(zip(("func", "args", "keywords", "__dict__"), state, strict=True))
        target.state.update(makers.state_of(state))
        version = target.state.get("_sklearn_version")
        if isinstance(version, str):
            self.versions["scikit-learn"] = version
        if target.cls.endswith(JOBLIB_ARRAY):
            self.joblib = True
            self.stack[-1] = self._read_joblib(target)
        elif BOOSTER_FORMATS & target.state.keys():
            self.boosters.append(target)

    def _read_joblib(self, wrapper: Obj) -> Any:
        """The array whose bytes joblib wrote right behind this opcode."""
        shape, dtype = wrapper.state.get("shape"), arrays.dtype_of(wrapper.state.get("dtype"))
        if dtype.hasobject:
            if self.nested >= MOST_NESTED:
                raise makers.DEEP
            inner = Unpickler(self.file, self.nested + 1)
            array = inner.load()
            self.boosters += inner.boosters
            return array
        if wrapper.state.get("numpy_array_alignment_bytes") is not None:
            padding = self.file.read(1)
            self.file.read(padding[0] if padding else 0)
        size = math.prod(arrays._shape(shape)) * dtype.itemsize
        return arrays.from_bytes(self.file.read(size), dtype, shape, wrapper.state.get("order"))

    # The memo: a dtype is replaced in it when it is complete.

    def load_put(self) -> None:
        self._remember(int(self.readline()[:-1]))

    def load_binput(self) -> None:
        self._remember(self.read(1)[0])

    def load_long_binput(self) -> None:
        self._remember(int.from_bytes(self.read(4), "little"))

    def load_memoize(self) -> None:
        self._remember(len(self.memo))

    def _remember(self, slot: int) -> None:
        value = self.stack[-1]
        self.memo[slot] = value
        if isinstance(value, arrays.Pending):
            value.slots.append(slot)

    for _opcode, _load in {
        pickle.REDUCE: load_reduce,
        pickle.NEWOBJ: load_newobj,
        pickle.NEWOBJ_EX: load_newobj_ex,
        pickle.BYTEARRAY8: load_bytearray8,
        pickle.NEXT_BUFFER: load_buffer,
        pickle.READONLY_BUFFER: load_buffer,
        pickle.APPEND: load_append,
        pickle.APPENDS: load_appends,
        pickle.DICT: load_dict,
        pickle.SETITEM: load_setitem,
        pickle.SETITEMS: load_setitems,
        pickle.ADDITEMS: load_additems,
        pickle.FROZENSET: load_frozenset,
        pickle.BUILD: load_build,
        pickle.PUT: load_put,
        pickle.BINPUT: load_binput,
        pickle.LONG_BINPUT: load_long_binput,
        pickle.MEMOIZE: load_memoize,
    }.items():
        dispatch[_opcode[0]] = _load


def read(data: bytes) -> tuple[Any, Unpickler]:
    """The root of a pickle and the unpickler that read it. LookError saying at which byte it is damaged."""
    file = io.BytesIO(data)
    unpickler = Unpickler(file)
    try:
        return unpickler.load(), unpickler
    except LookError:
        raise
    except EOFError as err:
        raise LookError(f"the pickle ends early, after {len(data):,} bytes", DAMAGED) from err
    except Exception as err:  # whatever a damaged file leads to: nothing but data has been touched
        where = "ends early" if "exhausted" in str(err) or "truncated" in str(err) else "is damaged"
        raise LookError(f"the pickle {where}, at byte {file.tell():,} of {len(data):,}", DAMAGED) from err
