"""What XGBoost, LightGBM and CatBoost share: the columns they are given, and where labels change."""

import functools
from dataclasses import replace

import numpy as np

from ..fold import largest
from ..form import Lookup, Value, head
from ..look.graph import Obj
from .table import Cell, Lifting, Matrix


def check_width(count: int, matrix: Matrix, lifting: Lifting, library: str) -> None:
    """Refuses a matrix of another width than the booster was trained on."""
    if count != len(matrix):
        raise lifting.refuse(
            f"the {library} model was trained on {count} columns and is given {len(matrix)}",
            "log the whole pipeline, its preprocessing included",
        )


def check_names(names: list[str], matrix: Matrix, lifting: Lifting, library: str) -> None:
    """Refuses a frame whose columns are not the booster's, in its order: the library does at prediction."""
    given = [value.name if isinstance(value, Cell) else None for value in matrix.values]
    wrong = [(a, b) for a, b in zip(names, given, strict=False) if b is not None and a != b]
    if wrong:
        learned, there = wrong[0]
        raise lifting.refuse(
            f"{library} learned column {learned!r} where the input has {there!r}",
            "give the features by the names that the model was trained on, in their order",
        )


def may_miss(matrix: Matrix, lifting: Lifting) -> None:
    """Notes that the model takes missing cells."""
    for value in matrix.values:
        if isinstance(value, Cell):
            lifting.nan.add(value.name)
        elif hasattr(value, "column"):
            lifting.nan.add(lifting.wanted[value.column].name)


def words(cell: Cell, categories: list, strict: bool, lifting: Lifting) -> Value:
    """A cell of pandas' category dtype: the place of its category, NaN where it is missing or unknown."""
    lifting.dtypes[cell.name] = "category"
    column = lifting.category(cell, [*categories, None], strict)
    return Lookup(column, np.array([np.nan, *range(len(categories)), np.nan]))


def held(value: Value, lifting: Lifting) -> Value | None:
    """A number of a sparse matrix that holds zeros: NaN where the record has none. None for others."""
    column = getattr(value, "column", None)
    if column not in lifting.held or isinstance(value, Lookup):
        return None
    wanted = replace(lifting.wanted[column], absent_missing=True)
    return replace(value, column=lifting._column(wanted))


@functools.cache
def cut(link: str) -> float:
    """The largest score whose second class is not the more probable one, by the link's own rounding."""

    def first(scores: np.ndarray) -> np.ndarray:
        numbers = head.link(link, scores[:, None])
        return numbers[:, 1] <= numbers[:, 0]

    return float(largest(first, 1)[0])


def bytes_of(obj: Obj, names: tuple[str, ...], lifting: Lifting) -> bytes | str:
    """The booster's own format, in the attribute of one of these names."""
    for name in names:
        data = obj.state.get(name)
        if isinstance(data, (bytes, bytearray, str)) and len(data):
            return data if isinstance(data, str) else bytes(data)
    raise lifting.refuse(f"the {obj.name} is not fitted", "fit it before it is logged")
