"""CatBoost's category statistics (CTR): numbers that training counted for each category, or several together.

A model looks them up by a hash of what it counts by: of categories, of numbers above a border, of categories
compared with one. Hashes are uint64, categories int32 as cityhash.category makes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .flatbuffer import Table

MIX = 0x4906BA494954CB65  # of combined hashes: MIX * (before + MIX * next)
EMPTY = 0xFFFFFFFFFFFFFFFF  # of a place in a table of hashes
BORDERS, BUCKETS, BINARIZED, MEAN, COUNTER, FREQUENCY = range(6)  # the kinds, ECtrType
_PLACE = np.dtype([("hash", "<u8"), ("index", "<u4")])
_MEAN = np.dtype([("sum", "<f4"), ("count", "<i4")])
_FLOAT = np.dtype([("index", "<i4"), ("border", "<f4")])
_ONE_HOT = np.dtype([("index", "<i4"), ("value", "<i4")])


@dataclass(frozen=True)
class Projection:
    """What is counted by: categorical features, by their index among these; numeric ones, by theirs, and
    whether above a border; and whether a categorical feature has a value."""

    cats: tuple[int, ...]
    floats: tuple[tuple[int, float], ...] = ()
    one_hots: tuple[tuple[int, int], ...] = ()

    def every_cat(self) -> set[int]:
        """The categorical features that it reads."""
        return {*self.cats, *(index for index, _ in self.one_hots)}


@dataclass(frozen=True)
class Counts:
    """What training counted: of each hash a row, and of a counter the number that all are compared with."""

    places: dict[int, int]  # row by hash
    blob: np.ndarray  # int32 [rows, classes], one class of a counter; or of a mean its sum and count [rows]
    denominator: int


@dataclass(frozen=True)
class CatCtr:
    """A statistic: (hits + prior) / (total + weight), shifted and scaled, in float32; it is above borders."""

    projection: Projection
    kind: int
    target: int  # of BORDERS and BUCKETS: which class, or between which
    prior: np.float32
    weight: np.float32
    shift: np.float32
    scale: np.float32
    borders: np.ndarray  # float32
    counts: Counts

    def values(self, hashes: np.ndarray) -> np.ndarray:
        """The statistic of each hash, float32."""
        places, blob = self.counts.places, self.counts.blob
        rows = np.array([places.get(h, -1) for h in hashes.tolist()], np.int64)
        hits, totals = np.zeros(len(rows), np.float32), np.zeros(len(rows), np.float32)
        there, at = rows >= 0, rows[rows >= 0]
        if self.kind in (BINARIZED, MEAN):
            hits[there], totals[there] = blob["sum"][at], blob["count"][at]
        elif self.kind in (COUNTER, FREQUENCY):
            hits[there], totals[:] = blob[at, 0], self.counts.denominator
        else:
            # BORDERS: of the classes those above; two have one border.
            first = self.target + 1 if self.kind == BORDERS else self.target
            last = blob.shape[1] if self.kind == BORDERS else self.target + 1
            if blob.shape[1] <= 2 and self.kind == BORDERS:
                first = 1
            hits[there], totals[there] = blob[at, first:last].sum(axis=1), blob[at].sum(axis=1)
        return ((hits + self.prior) / (totals + self.weight) + self.shift) * self.scale


def read(features: Sequence[Table], data: bytes) -> list[CatCtr]:
    """The statistics of a model's core, whose counts are in the bytes behind it. ValueError where not."""
    counts = _counts(data) if features else {}
    found = []
    for feature in features:
        table = feature.table(0)
        key = _base(table.table(0))
        if key not in counts:
            raise ValueError("a statistic without its counts")
        numbers = [
            np.float32(table.number(i, "<f4", default)) for i, default in ((2, 0), (3, 1), (4, 0), (5, 1))
        ]
        one = CatCtr(
            key[0], key[1], int(table.number(1, "<i4")), *numbers, feature.vector(1, "<f4"), counts[key]
        )
        if one.kind in (BORDERS, BUCKETS) and not 0 <= one.target < max(2, one.counts.blob.shape[1]):
            raise ValueError("a statistic of a class that is not there")
        found.append(one)
    return found


Key = tuple[Projection, int, int]


def _base(table: Table) -> Key:
    combination = table.table(0)
    projection = Projection(
        tuple(combination.vector(0, "<i4").tolist()),
        tuple(combination.vector(1, _FLOAT).tolist()),
        tuple(combination.vector(2, _ONE_HOT).tolist()),
    )
    return projection, int(table.number(1, "<i1")), int(table.number(2, "<i4"))


def _counts(data: bytes) -> dict[Key, Counts]:
    """How many tables (uint32), and of each its length (uint32) and a FlatBuffer."""
    found, at = {}, 4
    for _ in range(int.from_bytes(data[:4], "little")):
        size = int.from_bytes(data[at : at + 4], "little")
        if not size or at + 4 + size > len(data):
            raise ValueError("the statistics end early")
        table = Table.root(data[at + 4 : at + 4 + size])
        at += 4 + size
        key = _base(table.table(0))
        places = np.frombuffer(table.bytes(1), _PLACE)
        places = places[places["hash"] != EMPTY]
        blob = table.bytes(2)
        if key[1] in (BINARIZED, MEAN):
            rows = np.frombuffer(blob, _MEAN)
        elif key[1] in (COUNTER, FREQUENCY):
            rows = np.frombuffer(blob, "<i4").reshape(-1, 1)
        else:
            rows = np.frombuffer(blob, "<i4").reshape(-1, int(table.number(4, "<i4")))
        if len(places) and places["index"].max() >= len(rows):
            raise ValueError("a hash without its counts")
        places = dict(zip(places["hash"].tolist(), places["index"].tolist(), strict=True))
        found[key] = Counts(places, rows, int(table.number(3, "<i4")))
    return found
