"""SciPy's sparse matrices, as they were read."""

import numpy as np

from ..look.graph import Obj
from .table import Lifting


def dense(matrix: object, lifting: Lifting) -> np.ndarray:
    """An array, float64, of an array or of a csr or csc matrix."""
    if isinstance(matrix, np.ndarray):
        return matrix.astype(np.float64)
    if not isinstance(matrix, Obj) or not matrix.name.startswith(("csr", "csc")):
        raise lifting.refuse(f"{matrix} is no matrix that is known")
    rows, columns = matrix.state.get("_shape", matrix.state.get("shape"))
    data, indices, indptr = (np.asarray(matrix.state[name]) for name in ("data", "indices", "indptr"))
    major = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    out = np.zeros((rows, columns))
    at = (major, indices) if matrix.name.startswith("csr") else (indices, major)
    np.add.at(out, at, data)
    return out
