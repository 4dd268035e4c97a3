"""CatBoost's categories as values: a look-up for what is counted by one, a table for combinations."""

import math
from dataclasses import dataclass

import numpy as np

from ..form import Computed, Constant, Lookup, Step, Value, Word, apply
from ..form.combine import Sum, Table
from ..look.cbm import CTR, ONE_HOT, CatBooster
from ..look.cityhash import texts_of
from ..look.ctr import CatCtr, Projection
from . import catboost_words
from .table import Lifting, Matrix

CELLS = 1 << 20  # of a table of combinations
HINT = (
    "encode the columns in the pipeline (OrdinalEncoder, TargetEncoder), or train with max_ctr_complexity=1"
)


@dataclass
class Categories:
    """The categorical features of a booster, by their index among these: columns of X, and known hashes."""

    booster: CatBooster
    columns: dict[int, int]
    hashes: dict[int, np.ndarray]  # int64; code 1 + index

    def code(self, index: int, value: int) -> int:
        """The code of a hash, which is known."""
        return 1 + int(np.searchsorted(self.hashes[index], value))


def categories(booster: CatBooster, matrix: Matrix, lifting: Lifting) -> Categories:
    """The columns with the codes of what the model knows by its hash."""
    try:
        known = catboost_words.known(booster)
    except ValueError as err:
        what = "CatBoost's statistics of combined categories are too many to have the categories back"
        raise lifting.refuse(what, HINT) from err
    columns, hashes = {}, {}
    for index, (column, name) in booster.categorical.items():
        # A feature that the model does not ask has a word all the same: it has to be there.
        hashes[index] = np.array(sorted(known[index]) or [0], np.int64)
        others = [value for i, value in enumerate(matrix.values) if i != column]
        at = lifting.passed(matrix.values[column], others, texts_of(hashes[index].tolist()))
        if at is None:
            raise lifting.refuse(
                f"CatBoost's categorical feature {name or column}, which a step before it makes",
                "give CatBoost the column as the record has it, or encode it as a number",
            )
        columns[index] = at
    return Categories(booster, columns, hashes)


def asked(made: Categories, numbers: list[Value], lifting: Lifting) -> tuple[list[Value], np.ndarray]:
    """What splits ask beside numbers, and of each split which of these it asks; -1 of one about a number.

    A split about a category is whether its word is above 0.5.
    """
    values: list[Value] = []
    at = np.full(len(made.booster.splits), -1)
    of_ctr = statistics(made, numbers, lifting)
    places = {column: index for index, (column, _) in made.booster.categorical.items()}
    words: dict[tuple[int, int], int] = {}
    for i, split in enumerate(made.booster.splits):
        if split.kind == CTR:
            at[i] = split.value
        elif split.kind == ONE_HOT:
            key = places[split.column], split.value
            at[i] = words.setdefault(key, len(of_ctr) + len(words))
    values += of_ctr
    values += [Word(made.columns[index], made.code(index, value)) for index, value in words]
    return values, at


def statistics(made: Categories, numbers: list[Value], lifting: Lifting) -> list[Value]:
    """The statistics of a booster, in its order."""
    ctrs, values = made.booster.ctrs, {}
    for projection in dict.fromkeys(one.projection for one in ctrs):
        places = [i for i, one in enumerate(ctrs) if one.projection == projection]
        values |= dict(
            zip(places, _of(projection, [ctrs[i] for i in places], made, numbers, lifting), strict=True)
        )
    return [values[i] for i in range(len(ctrs))]


def _of(
    projection: Projection, ctrs: list[CatCtr], made: Categories, numbers: list[Value], lifting: Lifting
) -> list[Value]:
    cats = catboost_words.axes(projection)
    shape = [len(made.hashes[index]) + 1 for index in cats] + [2] * len(projection.floats)
    if math.prod(shape) > CELLS:
        raise lifting.refuse(
            f"CatBoost's statistics of {len(shape)} combined features, {math.prod(shape):,} combinations",
            HINT,
        )
    table = catboost_words.table(ctrs, projection, made.hashes)
    if len(shape) == 1:
        return [Lookup(made.columns[cats[0]], table[:, j].copy()) for j in range(len(ctrs))]
    steps = np.cumprod([1, *shape[:0:-1]])[::-1].tolist()  # of one axis to its next
    parts: list[Value] = []
    for index, size, step in zip(cats, shape, steps, strict=False):
        parts.append(Lookup(made.columns[index], np.arange(size) * float(step)))
    for (index, border), step in zip(projection.floats, steps[len(cats) :], strict=True):
        parts.append(_above(made, index, border, float(step), numbers))
    place = Computed(Sum(tuple(parts)), 0)
    node = Table((place,), table.reshape(-1, len(ctrs)))
    return [Computed(node, j) for j in range(len(ctrs))]


def _above(made: Categories, index: int, border: float, step: float, numbers: list[Value]) -> Value:
    """Whether a numeric feature is above a border: the step, or 0."""
    feature = next(one for one in made.booster.floats if one.index == index)
    missing = 1.0 if feature.nan == "true" else 0.0
    value = numbers[feature.column]
    if isinstance(value, Constant):
        return Constant(step if np.float32(value.value) > np.float32(border) else 0.0)
    return apply(value, Step("float32"), Step("above", border), Step("fill", missing), Step("mul", step))
