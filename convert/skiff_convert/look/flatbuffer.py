"""The little of FlatBuffers that CatBoost's models need: tables by field number, vectors as NumPy arrays."""

import numpy as np


class Table:
    """A table in a buffer. ValueError for an offset outside of it; a field that is absent has its default."""

    def __init__(self, data: bytes, at: int):
        self.data, self.at = data, at
        back = self._number(at, "<i4")
        self.fields = at - back
        size = self._number(self.fields, "<u2")
        if size < 4 or size % 2:
            raise ValueError("a table's size")
        self.count = (size - 4) // 2

    @classmethod
    def root(cls, data: bytes) -> "Table":
        return cls(data, int(np.frombuffer(data[:4], "<u4")[0]))

    def _number(self, at: int, dtype: str) -> int | float:
        width = np.dtype(dtype).itemsize
        if at < 0 or at + width > len(self.data):
            raise ValueError("an offset beyond the end")
        return np.frombuffer(self.data, dtype, 1, at)[0].item()

    def _place(self, field: int) -> int:
        """Where the field is, 0 where it is absent."""
        offset = self._number(self.fields + 4 + 2 * field, "<u2") if field < self.count else 0
        return self.at + offset if offset else 0

    def _follow(self, field: int) -> int:
        place = self._place(field)
        return place + self._number(place, "<u4") if place else 0

    def number(self, field: int, dtype: str, default: int | float = 0) -> int | float:
        place = self._place(field)
        return self._number(place, dtype) if place else default

    def table(self, field: int) -> "Table | None":
        place = self._follow(field)
        return Table(self.data, place) if place else None

    def vector(self, field: int, dtype: str | np.dtype) -> np.ndarray:
        """Numbers or structs, one after another."""
        place = self._follow(field)
        if not place:
            return np.zeros(0, dtype)
        size = self._number(place, "<u4")
        if place + 4 + size * np.dtype(dtype).itemsize > len(self.data):
            raise ValueError("a vector beyond the end")
        return np.frombuffer(self.data, dtype, size, place + 4)

    def text(self, field: int, default: str = "") -> str:
        return self.bytes(field).decode("utf-8", "surrogateescape") if self._place(field) else default

    def bytes(self, field: int) -> bytes:
        return self.vector(field, "<u1").tobytes()

    def tables(self, field: int) -> list["Table"]:
        place = self._follow(field)
        offsets = self.vector(field, "<u4")
        return [Table(self.data, place + 4 + 4 * i + int(offset)) for i, offset in enumerate(offsets)]
