"""What a model is asked about, and what it answers, as the files of inside/skiff_rows.py."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Records:
    """Records for a DictVectorizer: dicts of what JSON has, NaN and infinities too."""

    rows: Sequence[dict]

    def __len__(self) -> int:
        return len(self.rows)

    def write(self, folder: Path) -> dict:
        path = folder / "records.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in self.rows)
        return {"kind": "records", "path": str(path)}


@dataclass(frozen=True)
class FrameColumn:
    """A column of a data frame: None and NaN stay what they are where the dtype has them."""

    name: str | int
    dtype: str  # object, str, bool, int64 …, datetime64[ns], category, or one of pandas' own (Int64 …)
    values: Sequence
    categories: Sequence | None = None  # of the dtype category, in their order
    ordered: bool = False


@dataclass(frozen=True)
class Frame:
    """A data frame."""

    columns: Sequence[FrameColumn]
    index: int | None = None  # how many rows, where there is no column

    def __len__(self) -> int:
        return len(self.columns[0].values) if self.columns else self.index or 0

    def write(self, folder: Path) -> dict:
        path, columns = folder / "frame.json", []
        for column in self.columns:
            as_dict = {"name": column.name, "dtype": column.dtype, "values": _listed(column.values)}
            if column.categories is not None:
                as_dict |= {"categories": _listed(column.categories), "ordered": column.ordered}
            columns.append(as_dict)
        path.write_text(json.dumps({"rows": len(self), "columns": columns}), "utf-8")
        return {"kind": "frame", "path": str(path)}


@dataclass(frozen=True)
class Matrix:
    """A numpy array (of objects, too) or a scipy CSR matrix, a row each."""

    array: object

    def __len__(self) -> int:
        return self.array.shape[0]

    def write(self, folder: Path) -> dict:
        path = folder / "matrix.npz"
        np.savez(path, **arrays_of("a0", self.array))
        return {"kind": "matrix", "path": str(path)}


@dataclass(frozen=True)
class Sparse:
    """A CSR matrix that was answered, so that scipy is not needed here."""

    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    shape: tuple[int, ...]

    def tocsr(self) -> "Sparse":
        return self

    def toarray(self) -> np.ndarray:
        dense = np.zeros(self.shape, self.data.dtype)
        rows = np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))
        dense[rows, self.indices] = self.data
        return dense


@dataclass(frozen=True)
class Answer:
    """What a model answered. values has the rows that it took, in order, with the dtype it gave them."""

    values: np.ndarray | Sparse | list[np.ndarray] | None  # None: all rows were refused
    refused: dict[int, str]  # row: why
    columns: list | None  # names, where it answered with a data frame


def arrays_of(name: str, array: object) -> dict[str, np.ndarray]:
    """As skiff_rows.arrays_of."""
    if hasattr(array, "tocsr"):
        csr = array.tocsr()
        parts = {".data": csr.data, ".indices": csr.indices, ".indptr": csr.indptr, ".shape": csr.shape}
        return {name + end: np.asarray(part) for end, part in parts.items()}
    if array.dtype == object:
        text = json.dumps(_listed(array.ravel())).encode()
        return {name + ".json": np.frombuffer(text, np.uint8), name + ".shape": np.array(array.shape)}
    return {name: array}


def read_answer(path: Path, told: dict) -> Answer:
    """What was written to path, and told about it."""
    with np.load(path, allow_pickle=False) as npz:
        parts = [read_array(npz, f"a{i}") for i in range(told["parts"])]
    values = parts if told["list"] else (parts[0] if parts else None)
    return Answer(values, {row: why for row, why in told["refused"]}, told["columns"])


def read_array(npz, name: str) -> np.ndarray | Sparse:
    """As skiff_rows.read_array."""
    if name in npz.files:
        return npz[name]
    shape = tuple(int(n) for n in npz[name + ".shape"])
    if name + ".json" in npz.files:
        flat = json.loads(npz[name + ".json"].tobytes())
        array = np.empty(len(flat), object)
        for i, value in enumerate(flat):
            array[i] = value
        return array.reshape(shape)
    return Sparse(*(npz[name + end] for end in (".data", ".indices", ".indptr")), shape)


def _listed(values: Sequence) -> list:
    """Values as JSON has them: numpy's become Python's."""
    return [value.item() if isinstance(value, np.generic) else value for value in values]
