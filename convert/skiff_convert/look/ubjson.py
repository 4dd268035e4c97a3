"""UBJSON, as XGBoost writes it: JSON's values in binary, arrays of numbers as NumPy arrays."""

import struct
from typing import Any

import numpy as np

from .errors import DAMAGED, LookError

MOST_DEPTH = 100
_NUMBERS = {b"i": ">i1", b"U": ">u1", b"I": ">i2", b"l": ">i4", b"L": ">i8", b"d": ">f4", b"D": ">f8"}
_VALUES = {b"Z": None, b"T": True, b"F": False}


def read(data: bytes) -> Any:
    """The value the bytes hold. LookError where they are damaged."""
    try:
        return _Reader(data).value()
    except (IndexError, ValueError, struct.error, RecursionError) as err:
        raise LookError("the booster's UBJSON is damaged or ends early", DAMAGED) from err


class _Reader:
    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        if size < 0 or self.at + size > len(self.data):
            raise ValueError("ends early")
        self.at += size
        return self.data[self.at - size : self.at]

    def value(self, depth: int = 0, mark: bytes = b"") -> Any:
        if depth > MOST_DEPTH:
            raise ValueError("nested too deeply")
        mark = mark or self.take(1)
        while mark == b"N":
            mark = self.take(1)
        if mark in _VALUES:
            return _VALUES[mark]
        if mark in _NUMBERS:
            return self.number(mark)
        if mark == b"S":
            return self.text()
        if mark == b"C":
            return self.take(1).decode("latin1")
        if mark == b"[":
            return self.array(depth)
        if mark == b"{":
            return self.object(depth)
        raise ValueError(f"a value marked {mark!r}")

    def number(self, mark: bytes) -> int | float:
        dtype = np.dtype(_NUMBERS[mark])
        return np.frombuffer(self.take(dtype.itemsize), dtype)[0].item()

    def size(self) -> int:
        mark = self.take(1)
        if mark not in _NUMBERS or mark in b"dD":
            raise ValueError(f"a length marked {mark!r}")
        size = int(self.number(mark))
        if not 0 <= size <= len(self.data):
            raise ValueError("a length beyond the end")
        return size

    def text(self) -> str:
        return self.take(self.size()).decode("utf-8", "surrogateescape")

    def array(self, depth: int) -> Any:
        mark, size = b"", -1
        if self.data[self.at] == ord("$"):
            self.at += 1
            mark = self.take(1)
        if self.data[self.at] == ord("#"):
            self.at += 1
            size = self.size()
        if mark in _NUMBERS and size >= 0:
            dtype = np.dtype(_NUMBERS[mark])
            return np.frombuffer(self.take(size * dtype.itemsize), dtype).astype(dtype.newbyteorder("="))
        members = []
        while size < 0 or len(members) < size:
            if size < 0 and self.data[self.at] == ord("]"):
                self.at += 1
                break
            members.append(self.value(depth + 1, mark))
        return members

    def object(self, depth: int) -> dict:
        members, size = {}, -1
        if self.data[self.at] == ord("#"):
            self.at += 1
            size = self.size()
        while size < 0 or len(members) < size:
            if size < 0 and self.data[self.at] == ord("}"):
                self.at += 1
                break
            name = self.text()
            members[name] = self.value(depth + 1)
        return members
