"""LightGBM's boosters, of its text format, in plain arrays."""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .errors import DAMAGED, LookError

NONE, ZERO, NAN = 0, 1, 2  # LGBTree.missing
_CATEGORICAL, _DEFAULT_LEFT, _MISSING_SHIFT = 1, 2, 2  # a decision_type's bits


@dataclass(frozen=True)
class LGBTree:
    """A tree; arrays [inner nodes], but those of leaves [leaves].

    left and right: an inner node, or ~leaf where negative. With one leaf there are no inner nodes.

    A number x, a double, goes left where x <= threshold. missing says what counts as missing: NONE nothing
    (NaN is taken for 0), ZERO |x| <= 1e-35 and NaN, NAN only NaN; that goes left where default_left.
    Where categorical, threshold is an index into cat_sets: x truncated to an integer goes left when it is in
    that set; NaN, negative and unknown ones go right.

    Of linear trees, a leaf is const + the sum of coefficient times feature, leaf_value where one is NaN.
    """

    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    categorical: np.ndarray
    default_left: np.ndarray
    missing: np.ndarray
    leaf_value: np.ndarray  # float64, shrinkage already in it
    cat_sets: list[np.ndarray] = field(default_factory=list)  # int64 codes, sorted
    shrinkage: float = 1.0
    linear: bool = False
    leaf_const: np.ndarray | None = None
    leaf_features: list[np.ndarray] = field(default_factory=list)
    leaf_coefficients: list[np.ndarray] = field(default_factory=list)


@dataclass(frozen=True)
class LGBooster:
    """A booster: the raw score of class k is the sum of trees k, k + trees_per_iteration, …

    objective       as the file has it, "binary sigmoid:1"; "" where it was a user's own
    average_output  whether a prediction, unlike the raw score, is that sum / iterations: a random forest
    feature_infos   per feature "[least:greatest]", "1:2:3" of categories, or "none"
    pandas_categorical  per categorical column of the frame its categories, in the order of their codes
    params          the "parameters:" section, texts by name
    """

    version: str  # of the format: "v3", "v4"
    objective: str
    num_class: int
    trees_per_iteration: int
    average_output: bool
    num_feature: int
    feature_names: list[str]
    feature_infos: list[str]
    trees: list[LGBTree]
    pandas_categorical: list | None = None
    params: dict[str, str] = field(default_factory=dict)

    @property
    def iterations(self) -> int:
        return len(self.trees) // self.trees_per_iteration


def matches(data: bytes) -> bool:
    """Whether these are the first bytes of a model's text."""
    return data[:200].replace(b"\r", b"").startswith((b"tree\nversion=", b"tree\nnum_class="))


def read(text: str | bytes | bytearray) -> LGBooster:
    """The booster in the text. LookError where it is damaged."""
    if not isinstance(text, str):
        text = bytes(text).decode("utf-8", "surrogateescape")
    try:
        return _booster(text.replace("\r\n", "\n"))
    except LookError:
        raise
    except (KeyError, ValueError, IndexError, TypeError, OverflowError, RecursionError) as err:
        raise LookError("the LightGBM booster is damaged", DAMAGED) from err


def _booster(text: str) -> LGBooster:
    body, end, tail = text.partition("\nend of trees")
    head, *blocks = body.split("\nTree=")
    if not head.startswith("tree\n"):
        raise LookError("this is not the text of a LightGBM booster", DAMAGED)
    if not end:
        raise LookError("the text of the LightGBM booster ends early", DAMAGED)
    top = _fields(head)
    sizes = top.get("tree_sizes", "").split()
    if sizes and len(sizes) != len(blocks):
        raise LookError("trees of the LightGBM booster are missing", DAMAGED)
    num_feature = int(top["max_feature_idx"]) + 1
    return LGBooster(
        version=top.get("version", "v2"),
        objective=top.get("objective", ""),
        num_class=int(top["num_class"]),
        trees_per_iteration=max(1, int(top["num_tree_per_iteration"])),
        average_output="average_output" in top,
        num_feature=num_feature,
        feature_names=top["feature_names"].split(" "),
        feature_infos=top.get("feature_infos", "").split(" "),
        trees=[_tree(_fields(block), num_feature) for block in blocks],
        pandas_categorical=_pandas(tail),
        params=_params(tail),
    )


def _fields(block: str) -> dict[str, str]:
    """name=value by line; a line without = is a flag."""
    pairs = (line.partition("=") for line in block.split("\n"))
    return {name: value for name, _, value in pairs}


def _numbers(text: str, dtype: Any) -> np.ndarray:
    """Numbers between spaces. Python's float rounds as LightGBM's reader does, to the nearest double."""
    read = float if dtype is np.float64 else int
    return np.array([read(word) for word in text.split()], dtype)


def _tree(fields: dict[str, str], num_feature: int) -> LGBTree:
    leaves = int(fields["num_leaves"])
    kinds = _numbers(fields.get("decision_type", ""), np.int64)
    value = _numbers(fields["leaf_value"], np.float64)
    tree = LGBTree(
        left=_numbers(fields.get("left_child", ""), np.int64),
        right=_numbers(fields.get("right_child", ""), np.int64),
        feature=_numbers(fields.get("split_feature", ""), np.int64),
        threshold=_numbers(fields.get("threshold", ""), np.float64),
        categorical=(kinds & _CATEGORICAL) != 0,
        default_left=(kinds & _DEFAULT_LEFT) != 0,
        missing=(kinds >> _MISSING_SHIFT) & 3,
        leaf_value=value,
        cat_sets=_sets(fields) if int(fields.get("num_cat", "0")) else [],
        shrinkage=float(fields.get("shrinkage", "1")),
        **_linear(fields, leaves),
    )
    _check(tree, leaves, num_feature)
    return tree


def _check(tree: LGBTree, leaves: int, num_feature: int) -> None:
    """LookError unless every node but the root, and every leaf, is the child of one node."""
    inner = leaves - 1
    lengths = {len(array) for array in (tree.left, tree.right, tree.feature, tree.threshold, tree.missing)}
    children = np.sort(np.concatenate([tree.left, tree.right]))
    whole = leaves > 0 and len(tree.leaf_value) == leaves and lengths == {inner}
    if whole and inner:
        expected = np.concatenate([np.arange(-leaves, 0), np.arange(1, inner)])
        whole = np.array_equal(children, expected)
        whole = whole and bool(((tree.feature >= 0) & (tree.feature < num_feature)).all())
        at = tree.threshold[tree.categorical]
        whole = whole and bool(((at >= 0) & (at < len(tree.cat_sets))).all())
    if not whole:
        raise LookError("a tree of the LightGBM booster is damaged", DAMAGED)


def _sets(fields: dict[str, str]) -> list[np.ndarray]:
    """The codes of each set: bits in 32-bit words, the words of set i from boundary i to i + 1."""
    bounds = _numbers(fields["cat_boundaries"], np.int64).tolist()
    words = _numbers(fields["cat_threshold"], np.int64).astype(np.uint32)
    sets = []
    for start, end in zip(bounds, bounds[1:], strict=False):
        if not 0 <= start <= end <= len(words):
            raise ValueError("cat_boundaries")
        bits = np.unpackbits(words[start:end].astype("<u4").view(np.uint8), bitorder="little")
        sets.append(np.flatnonzero(bits))
    return sets


def _linear(fields: dict[str, str], leaves: int) -> dict[str, Any]:
    if fields.get("is_linear", "0").strip() != "1":
        return {}
    counts = _numbers(fields["num_features"], np.int64)
    ends = np.cumsum(counts)[:-1]
    features = _numbers(fields["leaf_features"], np.int64)
    coefficients = _numbers(fields["leaf_coeff"], np.float64)
    if len(counts) != leaves or (counts < 0).any() or not len(features) == len(coefficients) == counts.sum():
        raise ValueError("leaf_features")
    return {
        "linear": True,
        "leaf_const": _numbers(fields["leaf_const"], np.float64),
        "leaf_features": np.split(features, ends),
        "leaf_coefficients": np.split(coefficients, ends),
    }


def _pandas(tail: str) -> list | None:
    _, found, rest = tail.rpartition("pandas_categorical:")
    if not found:
        return None
    return json.loads(rest.strip().strip("\0") or "null")


def _params(tail: str) -> dict[str, str]:
    _, _, rest = tail.partition("\nparameters:")
    lines = rest.partition("\nend of parameters")[0].split("\n")
    pairs = (line.strip("[]").partition(":") for line in lines if line.startswith("["))
    return {name: value.strip() for name, _, value in pairs}
