"""Projections: weighted sums as columns. PCA and its kin, TruncatedSVD, discriminants, random projections."""

import numpy as np

from ..form import Computed, Dot, Step, apply
from ..look.graph import Obj
from .sparse import dense
from .table import Lifting, Matrix
from .trees import version


def _dot(obj: Obj, matrix: Matrix, weights: np.ndarray, intercept: np.ndarray, lifting: Lifting) -> Dot:
    """values @ weights + intercept."""
    if weights.shape[0] != len(matrix):
        raise lifting.refuse(f"{obj.name} was fitted on {weights.shape[0]} columns, not {len(matrix)}")
    return Dot(tuple(lifting.numbers(matrix)), weights, intercept, ordered=matrix.sparse)


def _away(matrix: Matrix, mean: object, lifting: Lifting) -> Matrix:
    """The values less their means."""
    means = np.ravel(np.asarray(mean, np.float64)).tolist()
    return Matrix([apply(v, Step("sub", m)) for v, m in zip(lifting.numbers(matrix), means, strict=True)])


def pca(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """PCA, IncrementalPCA: centred, then projected; since 1.5 the other way around."""
    components = np.asarray(obj.components_, np.float64)
    zero = np.zeros(len(components))
    if version(obj) >= (1, 5):
        intercept = -(np.asarray(obj.mean_, np.float64) @ components.T)
        node = Dot(tuple(lifting.numbers(matrix)), components.T.copy(), intercept, ordered=False)
    else:
        node = _dot(obj, _away(matrix, obj.mean_, lifting), components.T.copy(), zero, lifting)
    values = [Computed(node, i) for i in range(node.width)]
    if obj.whiten:
        scale = np.sqrt(np.asarray(obj.explained_variance_, np.float64))
        if version(obj) >= (1, 5):
            scale = np.maximum(scale, np.finfo(scale.dtype).eps)
        values = [apply(v, Step("div", float(s))) for v, s in zip(values, scale, strict=True)]
    return Matrix(values)


def truncated_svd(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """TruncatedSVD: projected as it is."""
    components = np.asarray(obj.components_, np.float64)
    node = _dot(obj, matrix, components.T.copy(), np.zeros(len(components)), lifting)
    return Matrix([Computed(node, i) for i in range(node.width)])


def ica(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """FastICA: centred, then unmixed."""
    components = np.asarray(obj.components_, np.float64)
    centred = _away(matrix, obj.mean_, lifting) if "mean_" in obj.state else matrix
    node = _dot(obj, centred, components.T.copy(), np.zeros(len(components)), lifting)
    return Matrix([Computed(node, i) for i in range(node.width)])


def discriminant(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """LinearDiscriminantAnalysis as a transformer."""
    scalings = np.asarray(obj.scalings_, np.float64)
    if obj.solver == "lsqr":
        raise lifting.refuse("LinearDiscriminantAnalysis by lsqr transforms nothing", "use solver='svd'")
    if obj.solver == "svd":
        matrix = _away(matrix, obj.xbar_, lifting)
    node = _dot(obj, matrix, scalings, np.zeros(scalings.shape[1]), lifting)
    return Matrix([Computed(node, i) for i in range(min(node.width, int(obj._max_components)))])


def random(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """GaussianRandomProjection, SparseRandomProjection."""
    components = dense(obj.components_, lifting)
    if matrix.sparse and not obj.state.get("dense_output", True):
        raise lifting.refuse(f"{obj.name} with a sparse result", "dense_output=True converts")
    node = Dot(tuple(lifting.numbers(matrix)), components.T.copy(), np.zeros(len(components)), ordered=False)
    return Matrix([Computed(node, i) for i in range(node.width)])


TRANSFORMERS = {
    "PCA": pca,
    "IncrementalPCA": pca,
    "TruncatedSVD": truncated_svd,
    "FastICA": ica,
    "LinearDiscriminantAnalysis": discriminant,
    "GaussianRandomProjection": random,
    "SparseRandomProjection": random,
}
