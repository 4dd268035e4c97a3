"""Stage 9: a graph is good when onnxruntime agrees with the original on every record, in every batch size."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort

from .errors import ConvertError

# Rows a run. onnxruntime changes its ways at 50 and at 128 rows (with one thread at 1 row, too).
BATCHES = (1, 2, 49, 50, 51, 100, 127, 128, 129, 1000, 100_000)


@dataclass(frozen=True)
class Parity:
    """What was measured: the largest difference over all rows and batch sizes; 0.0 where bits are equal."""

    rows: int
    largest: float


def prove(model: bytes, X: np.ndarray, expected: np.ndarray, within: np.ndarray | None) -> Parity:
    """Compares the graph's y with expected, float64 [rows], for X, float64 [rows, columns].

    within is an absolute bound, float64 [rows]; None: the bits must be equal. ConvertError when one row in
    one batch size is off.
    """
    session = open_session(model)
    largest = 0.0
    for size in BATCHES:
        y = score(session, X, size)
        agrees = y.view(np.int64) == expected.view(np.int64)
        if within is not None:
            agrees |= np.abs(y - expected) <= within  # NaN is within nothing
        if not agrees.all():
            raise _disagreement(y, expected, agrees, size, exact=within is None)
        largest = max(largest, float(np.abs(y - expected).max(initial=0.0)))
    return Parity(len(X), largest)


def prove_all(model: bytes, chunks: Iterable[tuple[np.ndarray, np.ndarray]]) -> int:
    """Compares the bits of y with expected for chunks of (X, expected), a chunk a run; how many rows.

    For more rows than can be tried in every batch size. ConvertError when one is off.
    """
    session, rows = open_session(model), 0
    for X, expected in chunks:
        y = score(session, X, len(X))
        agrees = y.view(np.int64) == expected.view(np.int64)
        if not agrees.all():
            raise _disagreement(y, expected, agrees, len(X), exact=True)
        rows += len(X)
    return rows


def open_session(model: bytes, operators: Path | None = None) -> ort.InferenceSession:
    """A session as the worker has it: one thread, on the CPU; with skiff's operators where given."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    try:
        if operators:
            options.register_custom_ops_library(str(operators))
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as err:  # onnxruntime's errors have no common class
        raise ConvertError(f"onnxruntime {ort.__version__} does not load the graph: {err}") from err


def score(session: ort.InferenceSession, X: np.ndarray, size: int) -> np.ndarray:
    """y float64 [rows] for X float64 [rows, columns], size rows a run."""
    parts = [session.run(["y"], {"X": X[at : at + size]})[0] for at in range(0, len(X), size)]
    y = np.concatenate(parts)
    if y.shape != (len(X), 1) or y.dtype != np.float64:
        raise ConvertError(f"the graph's y is {y.dtype} {list(y.shape)}, not float64 [{len(X)}, 1]")
    return y[:, 0]


def _disagreement(
    y: np.ndarray, expected: np.ndarray, agrees: np.ndarray, size: int, exact: bool
) -> ConvertError:
    first = int(np.argmin(agrees))
    return ConvertError(
        f"{np.count_nonzero(~agrees):,} of {len(y):,} predictions differ from the original's, in batches of "
        f"{size}; the first is {float(y[first])!r} and should be {float(expected[first])!r}",
        "no bundle was written: "
        + (
            "this pipeline is not converted rightly, please report it"
            if exact
            else "dense sums of many terms round too freely; fit with DictVectorizer(sparse=True)"
        ),
    )
