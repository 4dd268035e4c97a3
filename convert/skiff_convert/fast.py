"""Stages 7 and 9, fast.onnx: the same model with skiff's operator for its trees, proved against model.onnx.

A worker that has the operator's library runs it; model.onnx, which any onnxruntime runs, is the witness, and
what runs where the library is not there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort

from . import ops
from .errors import ConvertError
from .lower_blend import TooMany
from .prove import open_session

FILE = "fast.onnx"
ROWS = 100_000  # on both sides of splits, at most
# Rows a run: the operator walks down trees with few rows, at most 32, does 64 at a time, and 1,024 together.
BATCHES = (1, 8, 33, 65, 1025)


@dataclass(frozen=True)
class Fast:
    """The graph, and the library that runs it."""

    model: bytes
    operators: Path

    def open(self) -> ort.InferenceSession:
        """A session as the worker has it."""
        return open_session(self.model, self.operators)

    def prove(self, witness: ort.InferenceSession, X: np.ndarray) -> str:
        """Compares the bits with model.onnx's; how they agree. ConvertError at the first that differs."""
        own = self.open()
        for size in (*BATCHES, len(X)):
            rows = X if size >= 1000 else X[: 100 * size]
            for at in range(0, len(rows), size):
                part = rows[at : at + size]
                got, want = own.run(None, {"X": part})[0], witness.run(None, {"X": part})[0]
                same = (got.view(np.int64) == want.view(np.int64)) | (np.isnan(got) & np.isnan(want))
                if not same.all():
                    first = int(np.flatnonzero(~same.all(axis=1))[0])
                    raise ConvertError(
                        f"{FILE} computes {got[first]} where model.onnx has {want[first]}, "
                        f"for X {part[first].tolist()}",
                        f"this is a fault of the converter: please report it; {ops.VARIABLE}=none is without",
                    )
        return f"{FILE}: {len(X):,} rows, on both sides of splits too, every score equal to the last bit"


def lowered(write: Callable[[], bytes], say: Callable[[str], None]) -> Fast | None:
    """The graph that write makes; None, said loudly, where there cannot be one."""
    operators = ops.library()
    if operators is None:
        say(f"WARNING: no {FILE}: the library of skiff's operators is not there ({ops.HINT})")
        return None
    try:
        return Fast(write(), operators)
    except TooMany:
        say(f"WARNING: no {FILE}: the trees ask more questions than skiff's operator takes")
        return None


def files(fast: Fast | None) -> dict[str, bytes]:
    """What a bundle has of it."""
    return {FILE: fast.model} if fast else {}
