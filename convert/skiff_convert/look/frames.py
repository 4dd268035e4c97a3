"""What pandas pickles of an index: its values as a list."""

import struct
from typing import Any

import numpy as np

from .graph import Obj

MOST_RANGE = 1_000_000  # members of a RangeIndex that are written out


def index(cls: Any, data: Any) -> Obj:
    """A pandas index: its class's Obj, its values as items. What they are is unknown: no items."""
    state = data if isinstance(data, dict) else {}
    made = Obj(str(cls), (), state)
    if "start" in state and "stop" in state:
        members = range(state["start"], state["stop"], state.get("step", 1))
        made.items = list(members) if len(members) <= MOST_RANGE else []
    else:
        made.items = values(state.get("data"))
    return made


def values(data: Any) -> list:
    """The values of an array as pandas pickles them: NumPy's, an extension array, a Categorical, arrow's."""
    if isinstance(data, np.ndarray):
        return data.tolist() if data.dtype.kind in "OUSbiuf" else list(data)
    if isinstance(data, list):
        return data
    if not isinstance(data, Obj):
        return []
    if data.cls == "pyarrow.lib.chunked_array":
        chunks = data.args[0] if data.args and isinstance(data.args[0], (list, tuple)) else ()
        return [value for chunk in chunks for value in _arrow_text(chunk)]
    if data.cls == "pyarrow.lib._restore_array":
        return _arrow_text(data)
    if data.name == "Categorical":
        return _categorical(_held(data))
    for value in _held(data):
        if isinstance(value, (np.ndarray, Obj)):
            found = values(value)
            if found:
                return found
    return []


def _held(data: Obj) -> list:
    """What the state has, by whatever names this version of pandas gives it."""
    held = list(data.state.values())
    return held + [part for value in held if isinstance(value, tuple) for part in value]


def _categorical(held: list) -> list:
    dtypes = [value for value in held if isinstance(value, Obj) and value.name == "CategoricalDtype"]
    codes = [value for value in held if isinstance(value, np.ndarray) and value.dtype.kind in "iu"]
    words = getattr(dtypes[0].state.get("categories"), "items", []) if dtypes else []
    if not codes:
        return []
    return [words[code] if 0 <= code < len(words) else None for code in codes[0].ravel().tolist()]


def _arrow_text(chunk: Any) -> list:
    """The texts of one of arrow's string arrays, None where null."""
    try:
        kind, length, _, offset, buffers = chunk.args[0][:5]
        if str(kind.args[0]) not in ("string", "large_string"):
            return []
        large = kind.args[0] == "large_string"
        valid, ends, text = (None if part is None else bytes(part.args[0]) for part in buffers[:3])
        layout = f"<{length + 1}{'q' if large else 'i'}"
        if length < 0 or offset < 0 or len(ends) < struct.calcsize(layout):
            return []
        at = struct.unpack_from(layout, ends, offset * (8 if large else 4))
        words: list = [text[at[i] : at[i + 1]].decode("utf-8") for i in range(length)]
        if valid is not None:
            bits = np.unpackbits(np.frombuffer(valid, np.uint8), bitorder="little")[offset : offset + length]
            words = [word if bit else None for word, bit in zip(words, bits, strict=True)]
        return words
    except (AttributeError, IndexError, TypeError, ValueError, struct.error):
        return []
