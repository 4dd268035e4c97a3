"""Support vector machines with kernels, as libsvm computes them; and kernel ridge regression."""

import numpy as np

from ..form import Computed, Dot, Head, Largest, Step, Value, Votes, apply
from ..form.combine import pairs_of
from ..form.distances import Kernel
from ..look.graph import Obj
from .labels import labels_of
from .members import BELOW_ZERO, summed, table
from .sparse import dense
from .table import Lifting, Matrix

KERNELS = ("linear", "poly", "rbf", "sigmoid")


def _kernel(obj: Obj, rows: np.ndarray, gamma: float, matrix: Matrix, lifting: Lifting) -> tuple[Value, ...]:
    kind = {"polynomial": "poly"}.get(obj.kernel, obj.kernel) if isinstance(obj.kernel, str) else obj.kernel
    if kind not in KERNELS:
        raise lifting.refuse(f"{obj.name} with the kernel {kind}", "supported: " + ", ".join(KERNELS))
    if rows.shape[1] != len(matrix):
        raise lifting.refuse(f"{obj.name} has rows of {rows.shape[1]} for {len(matrix)} columns")
    node = Kernel(
        tuple(lifting.numbers(matrix)), rows, kind, gamma, float(obj.coef0 or 0.0), float(obj.degree)
    )
    return tuple(Computed(node, i) for i in range(node.width))


def _of(obj: Obj, matrix: Matrix, lifting: Lifting) -> tuple[Value, ...]:
    return _kernel(obj, dense(obj.support_vectors_, lifting), float(obj._gamma), matrix, lifting)


def _learned(obj: Obj, name: str) -> object:
    """libsvm's own signs, which scikit-learn turns around for two classes."""
    return obj.state.get(f"_{name}", obj.state.get(name))


def regressor(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """SVR, NuSVR: the kernel's weighted sum."""
    coef = dense(_learned(obj, "dual_coef_"), lifting)
    intercept = np.ravel(np.asarray(_learned(obj, "intercept_"), np.float64))
    return Head((Computed(Dot(_of(obj, matrix, lifting), coef.T.copy(), intercept, ordered=False), 0),))


def one_class(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """OneClassSVM: 1 where the sum is above 0, else -1."""
    head = regressor(obj, matrix, lifting)
    return Head(head.scores, "identity", (-1, 1), probabilities=False)


def classifier(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """SVC, NuSVC: a decision for each pair of classes, and their votes."""
    labels = labels_of(obj.classes_, lifting)
    n = len(labels)
    kernel = _of(obj, matrix, lifting)
    coef = dense(_learned(obj, "dual_coef_"), lifting)
    support = obj.state.get("_n_support", obj.state.get("n_support_"))
    weights = _pairs(coef, np.cumsum([0, *np.asarray(support).tolist()]), n)
    intercept = np.ravel(np.asarray(_learned(obj, "intercept_"), np.float64))
    node = Dot(kernel, weights, intercept, ordered=False)
    raw = tuple(Computed(node, i) for i in range(node.width))
    for_second = tuple(apply(v, Step("mul", -1.0)) for v in raw)
    if n == 2:
        by, decision = for_second, for_second
        cut = BELOW_ZERO  # libsvm: the first where its decision is above 0
    else:
        cut = 0.0
        votes = []
        for (i, j), value in zip(pairs_of(n), for_second, strict=True):
            rows = np.zeros((2, n))
            rows[0, i] = rows[1, j] = 1
            votes.append(table(Computed(Largest((value,), BELOW_ZERO), 0), rows))
        by = summed(votes)
        count = Votes((*(Computed(Largest((v,)), 0) for v in for_second), *for_second), n)
        against_rest = tuple(Computed(count, i) for i in range(n))
        decision = raw if obj.state.get("decision_function_shape") == "ovo" else against_rest
        if obj.state.get("break_ties") and obj.state.get("decision_function_shape") == "ovr":
            by = against_rest
    slope, offset = _learned(obj, "probA"), _learned(obj, "probB")
    if not obj.probability or slope is None or not len(slope):
        return Head(decision, "identity", labels, cut, probabilities=False, by=by, decision=decision)
    scores = tuple(
        apply(value, Step("mul", a), Step("add", b))
        for value, a, b in zip(
            raw,
            np.asarray(slope, np.float64).tolist(),
            np.asarray(offset, np.float64).tolist(),
            strict=True,
        )
    )
    return Head(scores, "coupled", labels, cut, by=by, decision=decision)


def _pairs(coef: np.ndarray, starts: np.ndarray, classes: int) -> np.ndarray:
    """The weight of each support vector for each pair, [vectors, pairs]."""
    pairs = pairs_of(classes)
    weights = np.zeros((coef.shape[1], len(pairs)))
    for k, (i, j) in enumerate(pairs):
        of_i, of_j = slice(starts[i], starts[i + 1]), slice(starts[j], starts[j + 1])
        weights[of_i, k] = coef[j - 1, of_i]
        weights[of_j, k] = coef[i, of_j]
    return weights


def kernel_ridge(obj: Obj, matrix: Matrix, lifting: Lifting) -> Head:
    """KernelRidge: the kernel's weighted sum."""
    rows = dense(obj.X_fit_, lifting)
    gamma = 1.0 / rows.shape[1] if obj.gamma is None else float(obj.gamma)
    kernel = _kernel(obj, rows, gamma, matrix, lifting)
    coef = np.asarray(obj.dual_coef_, np.float64).reshape(len(rows), -1)
    node = Dot(kernel, coef, np.zeros(coef.shape[1]), ordered=False)
    return Head(tuple(Computed(node, i) for i in range(node.width)))


ESTIMATORS = {
    "SVR": regressor,
    "NuSVR": regressor,
    "SVC": classifier,
    "NuSVC": classifier,
    "OneClassSVM": one_class,
    "KernelRidge": kernel_ridge,
}
