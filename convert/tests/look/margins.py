"""What boosters answer before their link, from what look found: the plainest reading of its docstrings."""

import math

import numpy as np

from skiff_convert.look import CatBooster, LGBooster, XGBooster, cbm, cityhash, lgb


def margins(booster, X: np.ndarray, words: list[str]) -> np.ndarray:
    """float [rows, outputs] for X float64 [rows, columns]; words stand in for a column of categories."""
    if isinstance(booster, XGBooster):
        return np.array([xgboost(booster, x) for x in X.astype(np.float32)])
    if isinstance(booster, LGBooster):
        return np.array([lightgbm(booster, x) for x in X])
    assert isinstance(booster, CatBooster)
    return np.array([catboost(booster, x, words[i] if words else "") for i, x in enumerate(X)])


def xgboost(booster: XGBooster, x: np.ndarray) -> np.ndarray:
    base = booster.base_scores
    if booster.objective == "binary:logistic" and booster.version:
        # In float32 but for the logarithm, which is the C library's there: NumPy's own is another.
        base = np.array([-math.log(odds) for odds in np.float32(1) / base - np.float32(1)], np.float32)
    if booster.name == "gblinear":
        total = booster.weights[-1] + base
        for number, weights in zip(x, booster.weights, strict=False):
            total = total + number * weights
        return total
    first = booster.version >= (1, 5)  # 1.1 adds the base score last
    total = np.zeros(booster.groups, np.float32) + (base if first else np.float32(0))
    for i, tree in enumerate(booster.trees):
        node = 0
        while tree.left[node] >= 0:
            value = x[tree.feature[node]]
            if np.isnan(value):
                left = tree.default_left[node]
            elif node in tree.categories:
                left = int(value) not in tree.categories[node]
            else:
                left = value < tree.threshold[node]
            node = tree.left[node] if left else tree.right[node]
        leaf = tree.leaf[node] * (np.float32(1) if booster.weight_drop is None else booster.weight_drop[i])
        if booster.multi_output:
            total = total + leaf
        else:
            total[booster.tree_info[i]] += leaf[0]
    return total if first else total + base


def lightgbm(booster: LGBooster, x: np.ndarray) -> np.ndarray:
    total = np.zeros(booster.trees_per_iteration)
    for i, tree in enumerate(booster.trees):
        node = 0 if len(tree.left) else -1
        while node >= 0:
            value, missing = x[tree.feature[node]], tree.missing[node]
            if tree.categorical[node]:
                known = tree.cat_sets[int(tree.threshold[node])]
                left = not np.isnan(value) and value >= 0 and int(value) in known
            else:
                value = 0.0 if np.isnan(value) and missing != lgb.NAN else value
                if (missing == lgb.ZERO and abs(value) <= 1e-35) or np.isnan(value):
                    left = tree.default_left[node]
                else:
                    left = value <= tree.threshold[node]
            node = tree.left[node] if left else tree.right[node]
        leaf = tree.leaf_value[~node]
        if tree.linear and not np.isnan(x[tree.leaf_features[~node]]).any():
            leaf = tree.leaf_const[~node]
            pairs = zip(tree.leaf_features[~node], tree.leaf_coefficients[~node], strict=True)
            for column, coefficient in pairs:
                leaf += coefficient * x[column]
        total[i % booster.trees_per_iteration] += leaf
    return total


def catboost(booster: CatBooster, x: np.ndarray, word: str) -> np.ndarray:
    nan = {feature.column: feature.nan == "true" for feature in booster.floats}

    def true(split: cbm.CatSplit) -> bool:
        if split.kind == cbm.ONE_HOT:
            return cityhash.category(word) == split.value
        value = np.float32(x[split.column])
        return nan[split.column] if np.isnan(value) else value > np.float32(split.border)

    total = np.zeros(booster.dimension)
    for tree in booster.trees:
        if not len(tree.steps):
            leaf = sum(true(booster.splits[split]) << bit for bit, split in enumerate(tree.splits))
            total += tree.leaves[leaf]
            continue
        node, step = 0, 1
        while step:
            step = int(tree.steps[node]["right" if true(booster.splits[tree.splits[node]]) else "left"])
            node += step
        total += tree.leaves[tree.leaf_of[node]]
    return booster.scale * total + booster.bias
