"""NumPy's data as pickles describe it, made without calling anything a file names.

Sizes are checked against the bytes that are there before memory is taken.
"""

import math
from typing import Any

import numpy as np

from .errors import DAMAGED, LookError


class Pending:
    """A dtype between its making and its state, in a pickle; slots are the memo's numbers for it."""

    def __init__(self, text: str):
        self.text = text
        self.slots: list[int] = []


def damaged(what: str) -> LookError:
    return LookError(f"the file is damaged: {what}", DAMAGED)


def dtype_of(value: Any) -> np.dtype:
    """The dtype in a pickle, its state set or not needed."""
    if isinstance(value, Pending):
        return plain_dtype(value.text)
    if isinstance(value, np.dtype):
        return value
    raise damaged(f"a {type(value).__name__} where a dtype should be")


def plain_dtype(text: str) -> np.dtype:
    if not text.isascii() or not text[:1].isalpha() or not (text[1:].isdigit() or not text[1:]):
        raise damaged(f"a dtype {text[:20]!r}")
    if text[0] in "OMmb":
        text = {"O": "O", "M": "M8", "m": "m8"}.get(text[0], text)
    try:
        return np.dtype(text)
    except TypeError as err:
        raise damaged(f"a dtype {text[:20]!r}") from err


def finish_dtype(pending: Pending, state: Any) -> np.dtype:
    """The dtype whose __setstate__ would get state: (version, byte order, subarray, names, fields, …)."""
    if not isinstance(state, tuple) or len(state) < 6:
        raise damaged("a dtype's state")
    order, sub, names, fields, size = state[1:6]
    try:
        if sub is not None:
            base, shape = sub
            return np.dtype((dtype_of(base), _shape(shape)))
        if names is not None:
            return _fields(names, fields, size)
        dtype = plain_dtype(pending.text)
        if dtype.kind in "Mm" and len(state) > 8:
            unit, count = state[8][1][:2]
            unit = unit.decode("ascii") if isinstance(unit, bytes) else str(unit)
            dtype = np.dtype(f"{dtype.kind}8[{int(count)}{unit}]") if unit != "generic" else dtype
        return dtype.newbyteorder(order) if order in ("<", ">") else dtype
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError) as err:
        raise damaged("a dtype's state") from err


def _fields(names: tuple, fields: dict, size: int) -> np.dtype:
    spec: dict[str, Any] = {"names": [], "formats": [], "offsets": [], "titles": [], "itemsize": size}
    for name in names:
        dtype, offset, *title = fields[name]
        spec["names"].append(name)
        spec["formats"].append(dtype_of(dtype))
        spec["offsets"].append(offset)
        spec["titles"].append(title[0] if title else None)
    return np.dtype(spec)


def _shape(shape: Any) -> tuple[int, ...]:
    shape = (shape,) if isinstance(shape, int) else shape
    if not isinstance(shape, tuple) or not all(isinstance(n, (int, np.integer)) and n >= 0 for n in shape):
        raise damaged("an array's shape")
    return tuple(int(n) for n in shape)


def fill(array: np.ndarray, state: Any) -> None:
    """What array.__setstate__ does: state is (version, shape, dtype, Fortran order, bytes or list)."""
    if not isinstance(state, tuple) or len(state) not in (4, 5):
        raise damaged("an array's state")
    shape, dtype, fortran, data = state[-4:]
    shape, dtype = _shape(shape), dtype_of(dtype)
    if dtype.hasobject:
        if dtype.kind != "O" or not isinstance(data, list) or len(data) != math.prod(shape):
            raise damaged("an array of objects")
    else:
        if isinstance(data, str):  # Python 2's bytes
            data = data.encode("latin1", "replace")
        if not isinstance(data, (bytes, bytearray)) or len(data) != math.prod(shape) * dtype.itemsize:
            raise damaged("an array whose bytes do not fit its shape")
        data = bytes(data)
    try:
        array.__setstate__((1, shape, dtype, bool(fortran), data))
    except (TypeError, ValueError, MemoryError) as err:
        raise damaged("an array's state") from err


def from_bytes(data: Any, dtype: Any, shape: Any, order: Any = "C") -> np.ndarray:
    """An array of the bytes, which must be exactly as many as its shape takes."""
    shape, dtype = _shape(shape), dtype_of(dtype)
    if not isinstance(data, (bytes, bytearray, memoryview)) or dtype.hasobject:
        raise damaged("an array's bytes")
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise damaged("an array whose bytes do not fit its shape")
    if not len(data):
        return np.empty(shape, dtype)
    try:
        return np.frombuffer(data, dtype).reshape(shape, order="F" if order == "F" else "C")
    except (TypeError, ValueError) as err:
        raise damaged("an array's bytes") from err


def scalar(dtype: Any, data: Any = None) -> Any:
    """A NumPy scalar; an object scalar is the object."""
    dtype = dtype_of(dtype)
    if dtype.hasobject:
        return data
    if isinstance(data, str):
        data = data.encode("latin1", "replace")
    if not dtype.itemsize:
        return dtype.type()
    return from_bytes(data, dtype, (1,))[0]


def object_array(members: list, shape: Any) -> np.ndarray:
    """Objects in an array of that shape."""
    shape = _shape(shape)
    if math.prod(shape) != len(members):
        raise damaged("an array of objects")
    array = np.empty(len(members), object)
    for i, member in enumerate(members):
        array[i] = member
    return array.reshape(shape)
