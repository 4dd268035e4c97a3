"""Feature selection: which columns were chosen."""

from types import SimpleNamespace

import numpy as np

from ..look.graph import Obj
from .sparse import dense
from .table import Lifting, Matrix


def selector(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """The columns that were chosen."""
    mask = np.asarray(MASKS[obj.name](obj, lifting), bool)
    return Matrix([v for v, keep in zip(matrix.values, mask, strict=True) if keep], matrix.sparse)


def _variance(obj: Obj, lifting: Lifting) -> np.ndarray:
    return np.asarray(obj.variances_) > obj.threshold


def _best(obj: Obj, lifting: Lifting) -> np.ndarray:
    """The k largest scores; of equal ones the last."""
    scores = _clean(obj.scores_)
    if obj.k == "all":
        return np.ones(len(scores), bool)
    mask = np.zeros(len(scores), bool)
    if obj.k:
        mask[np.argsort(scores, kind="mergesort")[-int(obj.k) :]] = True
    return mask


def _clean(scores: object) -> np.ndarray:
    """NaN is the least."""
    scores = np.array(scores, np.float64)
    scores[np.isnan(scores)] = np.finfo(scores.dtype).min
    return scores


def _percentile(obj: Obj, lifting: Lifting) -> np.ndarray:
    """The largest scores, and of those equal to the least of them the first, as many as there is room for."""
    scores = _clean(obj.scores_)
    if obj.percentile in (0, 100):
        return np.full(len(scores), obj.percentile == 100)
    threshold = np.percentile(scores, 100 - obj.percentile)
    mask = scores > threshold
    ties = np.where(scores == threshold)[0]
    if len(ties):
        most = int(len(scores) * obj.percentile / 100)
        mask[ties[: most - mask.sum()]] = True
    return mask


def _fpr(obj: Obj, lifting: Lifting) -> np.ndarray:
    return np.asarray(obj.pvalues_) < obj.alpha


def _fdr(obj: Obj, lifting: Lifting) -> np.ndarray:
    pvalues = np.asarray(obj.pvalues_, np.float64)
    ordered = np.sort(pvalues)
    selected = ordered[ordered <= float(obj.alpha) / len(pvalues) * np.arange(1, len(pvalues) + 1)]
    return pvalues <= selected.max() if selected.size else np.zeros(len(pvalues), bool)


def _fwe(obj: Obj, lifting: Lifting) -> np.ndarray:
    return np.asarray(obj.pvalues_) < obj.alpha / len(obj.pvalues_)


def _generic(obj: Obj, lifting: Lifting) -> np.ndarray:
    """GenericUnivariateSelect: one of the others, by its mode."""
    mode = str(obj.mode)
    of = SimpleNamespace(
        scores_=obj.scores_, pvalues_=obj.pvalues_, k=obj.param, percentile=obj.param, alpha=obj.param
    )
    modes = {"percentile": _percentile, "k_best": _best, "fpr": _fpr, "fdr": _fdr, "fwe": _fwe}
    return modes[mode](of, lifting)


def _support(obj: Obj, lifting: Lifting) -> np.ndarray:
    return obj.support_


def _from_model(obj: Obj, lifting: Lifting) -> np.ndarray:
    """SelectFromModel: whose importance reaches the threshold, at most so many."""
    estimator = obj.state.get("estimator_", obj.state.get("estimator"))
    importances = _importances(obj, estimator, lifting)
    threshold = _threshold(obj, estimator, importances, lifting)
    most = obj.state.get("max_features_", obj.state.get("max_features"))
    mask = np.ones(len(importances), bool)
    if most is not None:
        if not isinstance(most, (int, np.integer)):
            raise lifting.refuse("SelectFromModel with max_features that is a function", "give a number")
        mask[:] = False
        mask[np.argsort(-importances, kind="mergesort")[: int(most)]] = True
    mask[importances < threshold] = False
    return mask


def _importances(obj: Obj, estimator: Obj, lifting: Lifting) -> np.ndarray:
    getter = obj.state.get("importance_getter", "auto")
    if not isinstance(getter, str):
        raise lifting.refuse(
            "SelectFromModel with a function for importances", "importance_getter='auto' converts"
        )
    for name in getter.split(".")[:-1]:
        estimator = estimator.state[name]
    name = getter.split(".")[-1]
    if getter == "auto":
        name = "coef_" if "coef_" in estimator.state or _makes_coef(estimator) else "feature_importances_"
    if name in estimator.state:
        found = dense(estimator.state[name], lifting)
    elif name == "coef_" and estimator.name in ("SVC", "SVR", "NuSVC", "NuSVR"):
        found = dense(estimator.dual_coef_, lifting) @ dense(estimator.support_vectors_, lifting)
    elif name == "feature_importances_":
        found = importances_of(estimator, lifting)
    else:
        raise lifting.refuse(f"SelectFromModel by the {name} of {estimator.name}", "use SelectKBest")
    if found.ndim == 1:
        return np.abs(found)
    return np.linalg.norm(found, axis=0, ord=obj.state.get("norm_order", 1))


def _makes_coef(estimator: Obj) -> bool:
    return estimator.name in ("SVC", "SVR", "NuSVC", "NuSVR") and estimator.kernel == "linear"


def importances_of(obj: Obj, lifting: Lifting) -> np.ndarray:
    """feature_importances_ of trees and forests, which their nodes say, as scikit-learn computes them."""
    boosted = obj.name.startswith("GradientBoosting")
    if "tree_" in obj.state:
        return _of_tree(obj.tree_, True)
    if (
        "estimators_" not in obj.state
        or not boosted
        and "Forest" not in obj.name
        and "ExtraTrees" not in obj.name
    ):
        raise lifting.refuse(f"the importances of {obj.name}", "use a forest's, or SelectKBest")
    trees = [e.tree_ for e in np.ravel(np.asarray(obj.estimators_, dtype=object))]
    each = [_of_tree(tree, not boosted) for tree in trees if len(tree.state["nodes"]) > 1]
    if not each:
        return np.zeros(int(obj.n_features_in_))
    mean = np.mean(each, axis=0, dtype=np.float64)
    return mean / np.sum(mean)


def _of_tree(tree: Obj, normalize: bool) -> np.ndarray:
    nodes = tree.state["nodes"]
    features = int(tree.args[0])
    importances = np.zeros(features)
    weight, impurity = nodes["weighted_n_node_samples"], nodes["impurity"]
    for i in np.flatnonzero(nodes["left_child"] >= 0):
        left, right = nodes["left_child"][i], nodes["right_child"][i]
        gain = weight[i] * impurity[i] - weight[left] * impurity[left] - weight[right] * impurity[right]
        importances[nodes["feature"][i]] += gain
    importances /= weight[0]
    total = importances.sum()
    return importances / total if normalize and total > 0 else importances


def _threshold(obj: Obj, estimator: Obj, importances: np.ndarray, lifting: Lifting) -> float:
    threshold = obj.state.get("threshold")
    if threshold is None:
        state = estimator.state
        ratio = np.asarray(state.get("l1_ratio_", state.get("l1_ratio", 0.0)) or 0.0, np.float64)
        rated = (
            estimator.name.startswith(("ElasticNet", "LogisticRegression")) and np.isclose(ratio, 1.0).all()
        )
        l1 = state.get("penalty") == "l1" or "Lasso" in estimator.name or rated
        threshold = 1e-5 if l1 else "mean"
    if not isinstance(threshold, str):
        return float(threshold)
    scale, _, reference = threshold.rpartition("*")
    value = {"mean": np.mean, "median": np.median}[reference.strip()](importances)
    return float(scale) * float(value) if scale else float(value)


MASKS = {
    "VarianceThreshold": _variance,
    "SelectKBest": _best,
    "SelectPercentile": _percentile,
    "SelectFpr": _fpr,
    "SelectFdr": _fdr,
    "SelectFwe": _fwe,
    "GenericUnivariateSelect": _generic,
    "SelectFromModel": _from_model,
    "RFE": _support,
    "RFECV": _support,
    "SequentialFeatureSelector": _support,
}
TRANSFORMERS = dict.fromkeys(MASKS, selector)
