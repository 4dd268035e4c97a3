"""CatBoost's categories: the hashes that a model knows, in place of words, and its statistics by them.

A model has no words, only their hashes, and combines those of several categories to one. That is a sum of
multiples, modulo 2**64, so that the categories can be had back from the combinations.
"""

from collections.abc import Sequence

import numpy as np

from ..look.cbm import CatBooster
from ..look.ctr import MIX, CatCtr, Projection

WHOLE = 1 << 64
MOST = 1 << 22  # combinations that are looked through for one statistic
Values = dict[int, set[int]]  # of each categorical feature, by its index, the hashes that are known


def known(booster: CatBooster) -> Values:
    """The hashes that make a difference to the model, of each of its categorical features; and maybe others.

    ValueError where they cannot be had back.
    """
    values: Values = {index: set() for index in booster.categorical}
    for one in booster.one_hots:
        values[one.index] |= set(one.values.tolist())
    counted: dict[Projection, set[int]] = {}
    for one in booster.ctrs:
        counted.setdefault(one.projection, set()).update(one.counts.places)
        for index, value in one.projection.one_hots:
            values[index].add(value)
    for projection, hashes in sorted(counted.items(), key=lambda item: len(item[0].cats)):
        _learn(projection, hashes, values)
    return values


def table(ctrs: Sequence[CatCtr], projection: Projection, values: dict[int, np.ndarray]) -> np.ndarray:
    """What statistics by one projection are; float64 [codes of each feature, 2 of each border, statistics].

    Features are those of axes(projection); values are their known hashes in order. Code 0 is another one.
    """
    cats = axes(projection)
    shape = [len(values[index]) + 1 for index in cats] + [2] * len(projection.floats)
    at = np.meshgrid(*(np.arange(size) for size in shape), indexing="ij")
    codes = dict(zip(cats, (axis.ravel() for axis in at), strict=False))
    given = {index: np.concatenate([[0], values[index]])[code] for index, code in codes.items()}
    parts = [given[index] for index in projection.cats] + [axis.ravel() for axis in at[len(cats) :]]
    parts += [(codes[i] > 0) & (given[i] == value) for i, value in projection.one_hots]
    hashes = _hashes(parts)
    other = np.any([codes[index] == 0 for index in projection.cats], axis=0)
    made = []
    for one in ctrs:
        nothing = one.values(np.array([WHOLE - 1], np.uint64))[0]
        made.append(np.where(other, nothing, one.values(hashes)).astype(np.float64))
    return np.stack(made, axis=1).reshape(*shape, len(ctrs))


def axes(projection: Projection) -> list[int]:
    """The categorical features of a projection, each once."""
    return list(dict.fromkeys((*projection.cats, *(index for index, _ in projection.one_hots))))


def _weights(count: int) -> list[int]:
    """What each of so many numbers is multiplied by in their combined hash."""
    return [pow(MIX, count - i + 1, WHOLE) for i in range(count)]


def _hashes(parts: Sequence[np.ndarray]) -> np.ndarray:
    """The combined hashes of numbers, uint64."""
    with np.errstate(over="ignore"):
        return sum(
            np.uint64(w) * part.astype(np.int64).view(np.uint64)
            for w, part in zip(_weights(len(parts)), parts, strict=True)
        )


def _learn(projection: Projection, hashes: set[int], values: Values) -> None:
    """Adds the categories that make the hashes."""
    cats, bits = projection.cats, len(projection.floats) + len(projection.one_hots)
    weights = _weights(len(cats) + bits)
    # Of what is true and false beside the categories, all that it may be.
    beside = [0]
    for weight in weights[len(cats) :]:
        beside = beside + [(b + weight) % WHOLE for b in beside]
    left = _unexplained(cats, weights, beside, hashes, values)
    for unknown in cats:
        if not left:
            return
        found = _solved(cats, weights, beside, left, values, unknown)
        values[unknown] |= found
        left = _unexplained(cats, weights, beside, left, values)
    if left and len(cats) == 2:
        for whole in left:
            for b in beside:
                for first, second in _pairs((whole - b) * pow(weights[1], -1, WHOLE) % WHOLE):
                    values[cats[0]].add(first)
                    values[cats[1]].add(second)
        left = _unexplained(cats, weights, beside, left, values)
    if left:
        raise ValueError("combinations")


def _sums(cats: Sequence[int], weights: Sequence[int], beside: list[int], values: Values) -> np.ndarray:
    """Of all combinations of known categories, uint64. ValueError where there are too many."""
    sums = np.array(beside, np.uint64)
    for index, weight in zip(cats, weights, strict=False):
        if len(sums) * len(values[index]) > MOST:
            raise ValueError("combinations")
        each = np.array(sorted(values[index]), np.int64).view(np.uint64)
        with np.errstate(over="ignore"):
            sums = (sums[:, None] + np.uint64(weight) * each).ravel()
    return sums


def _unexplained(
    cats: Sequence[int], weights: Sequence[int], beside: list[int], hashes: set[int], values: Values
) -> set[int]:
    """The hashes that no known categories make."""
    if not all(values[index] for index in cats):
        return hashes
    given = np.array(sorted(hashes), np.uint64)
    return set(given[~np.isin(given, _sums(cats, weights, beside, values))].tolist())


def _solved(
    cats: Sequence[int],
    weights: Sequence[int],
    beside: list[int],
    hashes: set[int],
    values: Values,
    unknown: int,
) -> set[int]:
    """The categories of one feature that make hashes with known ones of the others."""
    others = [(index, w) for index, w in zip(cats, weights, strict=False) if index != unknown]
    if not all(values[index] for index, _ in others):
        return set()
    sums = _sums([i for i, _ in others], [w for _, w in others], beside, values)
    if len(sums) * len(hashes) > MOST:
        raise ValueError("combinations")
    back = np.uint64(pow(weights[list(cats).index(unknown)], -1, WHOLE))
    with np.errstate(over="ignore"):
        made = ((np.array(sorted(hashes), np.uint64)[:, None] - sums) * back).view(np.int64)
    return set(made[(made >= -(1 << 31)) & (made < 1 << 31)].tolist())


def _pairs(whole: int) -> list[tuple[int, int]]:
    """All int32 x and y of which MIX * x + y is whole, modulo 2**64: lattice points in a square."""
    (a, b), (c, d) = BASIS
    # The square's middle is 0: (0, whole) less the nearest lattice points.
    determinant = a * d - b * c
    s, t = round(-c * whole / determinant), round(a * whole / determinant)
    found = []
    for i in range(s - 3, s + 4):
        for j in range(t - 3, t + 4):
            x, y = -(i * a + j * c), whole - (i * b + j * d)
            if -(1 << 31) <= x < 1 << 31 and -(1 << 31) <= y < 1 << 31:
                found.append((x, y))
    return found


def _reduced() -> tuple[tuple[int, int], tuple[int, int]]:
    """Two short vectors of the lattice of x and y with MIX * x + y a multiple of 2**64, by Gauss."""
    short, long = (0, WHOLE), (1, -MIX)
    while True:
        size = short[0] ** 2 + short[1] ** 2
        if long[0] ** 2 + long[1] ** 2 < size:
            short, long = long, short
            size = short[0] ** 2 + short[1] ** 2
        times = (2 * (short[0] * long[0] + short[1] * long[1]) + size) // (2 * size)
        if not times:
            return short, long
        long = (long[0] - times * short[0], long[1] - times * short[1])


BASIS = _reduced()
