"""Stage 7, tables: the search for the bin a number is in, by a few steps that are the same for every number.

A grid over the number says where to begin, and halving finds the rest of the way:

    bucket = (x - low) * scale, from 0 to the last      grows with x, however it is rounded
    bin    = first[bucket]                              the first bin that reaches into the bucket
    bin   += step if x > cuts[bin + step - 1]           for each step

cuts[i] is the end of bin i. A tree over the cuts would do, but for as many branches as it is deep, that the
processor cannot foresee: they took half the time of a row.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from onnx import TensorProto

from .graph import Graph

MOST_BUCKETS = 2**14  # 64 kB of first: with more of it the processor's cache is missed


@dataclass(frozen=True)
class Search:
    """The search among bins 0 to len(cuts): x is in bin i when cuts[i - 1] < x <= cuts[i], NaN in the last.

    A cut of inf, the last, is the one between numbers and NaN.
    """

    cuts: np.ndarray  # float64, ascending
    low: float  # where the first bucket begins
    scale: float  # buckets in one unit of x
    buckets: int
    most: int  # cuts in any one bucket

    def bucket(self, x: np.ndarray) -> np.ndarray:
        """The bucket of each number, int64, by the operations of the graph."""
        return np.clip((x - self.low) * self.scale, 0.0, self.buckets - 1.0).astype(np.int64)

    def first(self) -> np.ndarray:
        """The first bin of each bucket, int64 [buckets]: beyond the cuts of the buckets before."""
        return np.searchsorted(self.bucket(self.cuts), np.arange(self.buckets))

    def middles(self) -> np.ndarray:
        """A number of each bucket, float64 [buckets]."""
        return self.low + (np.arange(self.buckets) + 0.5) / self.scale

    def bins(self, x: np.ndarray) -> np.ndarray:
        """The bin of each number, found in another way, int64."""
        return np.searchsorted(self.cuts, x)

    def steps(self) -> list[int]:
        """The steps from the first bin of a bucket: each halves how far the bin may still be."""
        steps, far = [], self.most
        while far:
            steps.append((far + 1) // 2)
            far -= steps[-1]
        return steps

    def write(self, graph: Graph, x: str, suffix: str) -> str:
        """The search for the bins of x, float64 [rows]; their name, int32 [rows].

        The suffix is that of its constants' names.
        """
        ends = self.cuts
        if ends.size and np.isinf(ends[-1]):  # no number is as large, and inf, for NaN, is beyond it
            ends = np.append(ends[:-1], np.finfo(np.float64).max)
            x = graph.add("Where", graph.add("IsNaN", x), graph.real(f"nan{suffix}", np.inf), x)
        cuts = graph.real(f"cuts{suffix}", np.append(ends, np.full(self.most, np.inf)))

        scaled = graph.add("Sub", x, graph.real(f"low{suffix}", self.low))
        scaled = graph.add("Mul", scaled, graph.real(f"scale{suffix}", self.scale))
        within = graph.real(f"zero{suffix}", 0.0), graph.real(f"last{suffix}", self.buckets - 1)
        bucket = graph.add("Cast", graph.add("Clip", scaled, *within), to=TensorProto.INT32)
        found = graph.add("GatherElements", graph.index(f"first{suffix}", self.first()), bucket)
        for i, step in enumerate(self.steps()):
            at = found
            if step > 1:
                at = graph.add("Add", found, graph.index(f"less{suffix}_{i}", step - 1))
            beyond = graph.add("Greater", x, graph.add("GatherElements", cuts, at))
            taken = graph.add("Cast", beyond, to=TensorProto.INT32)
            if step > 1:
                taken = graph.add("Mul", taken, graph.index(f"step{suffix}_{i}", step))
            found = graph.add("Add", found, taken)
        return found


def over(cuts: np.ndarray) -> Search:
    """The search among the bins between cuts: as few steps as may be, with as few buckets as that takes."""
    best = _search(cuts, 1)
    buckets = 2
    while best.most and buckets <= MOST_BUCKETS:
        search = _search(cuts, buckets)
        if search and len(search.steps()) < len(best.steps()):
            best = search
        buckets *= 2
    return best


def _search(cuts: np.ndarray, buckets: int) -> Search | None:
    """The search with so many buckets; None where numbers lie too close together to be told apart by them."""
    finite = cuts[np.isfinite(cuts)]
    if buckets == 1:
        low, scale = 0.0, 1.0
    elif len(finite) > 1:
        low, scale = float(finite[0]), buckets / float(finite[-1] - finite[0])
    else:
        return None
    search = Search(cuts, low, scale, buckets, 0)
    if not math.isfinite(scale) or not np.array_equal(search.bucket(search.middles()), np.arange(buckets)):
        return None
    return replace(search, most=int(np.bincount(search.bucket(cuts), minlength=buckets).max()))
