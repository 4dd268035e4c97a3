"""PolynomialFeatures, SplineTransformer, Normalizer: several columns of several."""

from itertools import combinations, combinations_with_replacement

import numpy as np

from ..form import Computed, Constant, Product, Value
from ..form.dot import Norm
from ..form.splines import Spline
from ..look.graph import Obj
from .sparse import dense
from .table import Lifting, Matrix

MOST = 100_000  # products


def polynomial(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """PolynomialFeatures: products of columns, up to a degree.

    A dense product begins with the last factor, a sparse one with the first.
    """
    values = lifting.numbers(matrix)
    low, high = (0, obj.degree) if np.ndim(obj.degree) == 0 else obj.degree
    choose = combinations if obj.interaction_only else combinations_with_replacement
    made: list[Value] = [Constant(1.0)] if obj.include_bias else []
    for degree in range(max(1, int(low)), int(high) + 1):
        for factors in choose(range(len(values)), degree):
            if len(made) >= MOST:
                raise lifting.refuse(f"PolynomialFeatures makes more than {MOST} columns", "lower its degree")
            if degree == 1:
                made.append(values[factors[0]])
                continue
            ordered = factors if matrix.sparse else factors[::-1]
            made.append(Computed(Product(tuple(values[i] for i in ordered)), 0))
    return Matrix(made, matrix.sparse)


def spline(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """SplineTransformer: the B-splines of each column."""
    made: list[Value] = []
    zeros = obj.state.get("handle_missing") == "zeros"
    outside = obj.extrapolation
    for place, (value, spl) in enumerate(zip(lifting.numbers(matrix), obj.bsplines_, strict=True)):
        knots, coefficients, degree = _spline(spl, lifting)
        # Where it goes on linearly, scikit-learn counts a degree up to 2, by one with each column.
        ends = min(degree + place, 2) if outside == "linear" and degree <= 1 else degree
        node = Spline((value,), knots, coefficients, degree, outside, 0.0 if zeros else float("nan"), ends)
        width = node.width if obj.include_bias else node.width - 1
        made += [Computed(node, i) for i in range(width)]
    return Matrix(made, bool(obj.state.get("sparse_output", False)))


def _spline(spl: Obj, lifting: Lifting) -> tuple[np.ndarray, np.ndarray, int]:
    """Knots, coefficients and degree of scipy's BSpline."""
    state = spl.state
    knots = state.get("t", state.get("_t"))
    coefficients = state.get("c", state.get("_c"))
    if knots is None or coefficients is None or "k" not in state:
        raise lifting.refuse("a BSpline that is not understood")
    return np.asarray(knots, np.float64), dense(np.asarray(coefficients), lifting), int(state["k"])


def normalizer(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """Normalizer: by the row's norm."""
    node = Norm(tuple(lifting.numbers(matrix)), obj.norm, matrix.sparse)
    return Matrix([Computed(node, i) for i in range(node.width)], matrix.sparse)


TRANSFORMERS = {"PolynomialFeatures": polynomial, "SplineTransformer": spline, "Normalizer": normalizer}
