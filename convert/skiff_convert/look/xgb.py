"""XGBoost's boosters, of its JSON, UBJSON and binary formats, in plain arrays."""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import ubjson
from .errors import DAMAGED, LookError

PICKLED = b"CONFIG-offset:"  # pickles of 1.0 to 1.2: then int64 length, binary model, JSON configuration
HINT = "save it again with a newer XGBoost: booster.save_model('model.ubj')"


@dataclass(frozen=True)
class XGBTree:
    """A tree; all arrays [nodes].

    A leaf has left -1, and its values in leaf. Else a row that misses the value goes left where default_left.
    A number goes left where value < threshold, both float32. A node in categories has that set of codes
    (int32): a code in it goes right, any other left.
    """

    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    default_left: np.ndarray
    leaf: np.ndarray  # float32 [nodes, targets]; meaningful at leaves
    categories: dict[int, np.ndarray]


@dataclass(frozen=True)
class XGBooster:
    """A booster: margin = base score before its link + the sum of its trees' leaves.

    version         of XGBoost; () before 1.0, when base_score was the margin itself, its link undone
    name            "gbtree", "dart" or "gblinear"
    base_score      as the file has it: "5E-1", or from 3.1 on "[5E-1]", one a target or class
    num_class       0 where there are no classes; num_target is 1 before there were several
    tree_info       which class or target a tree adds to, int32 [trees]
    iteration_indptr  where iterations begin in trees, int32 [iterations + 1]; None before 2.0
    weight_drop     float32 [trees], dart's; since 3.3 dart is called gbtree
    weights         float32 [features + 1, groups], gblinear's, the bias last
    attributes      texts set in training: best_iteration, best_score
    categories      by feature: its categories in the order of their codes, None for a number; from 3.1 on.
                    3.2 cuts them wrongly where one is not ASCII, unless pandas held them in arrow's arrays
    multi_output    whether a leaf is a vector, one number a target
    """

    version: tuple[int, ...]
    name: str
    objective: str
    objective_params: dict[str, Any]
    base_score: str
    num_class: int
    num_target: int
    num_feature: int
    trees: list[XGBTree] = field(default_factory=list)
    tree_info: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    iteration_indptr: np.ndarray | None = None
    weight_drop: np.ndarray | None = None
    weights: np.ndarray | None = None
    feature_names: list[str] = field(default_factory=list)
    feature_types: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    categories: list[list | None] | None = None
    multi_output: bool = False
    num_parallel_tree: int = 1
    config: dict = field(default_factory=dict)

    @property
    def base_scores(self) -> np.ndarray:
        """base_score as float32, [1] or one a target or class."""
        return np.array([float(text) for text in self.base_score.strip("[]").split(",")], np.float32)

    @property
    def groups(self) -> int:
        """How many margins a row has."""
        return max(self.num_class, self.num_target, 1)


def matches(data: bytes) -> bool:
    """Whether these are the first bytes of a booster's file."""
    if data.startswith((PICKLED, b"binf")):
        return True
    # UBJSON's object: a length, then a name; JSON's: whichever name comes first.
    if data[:1] == b"{" and data[1:2] in (b"L", b"l", b"i", b"U", b"I"):
        return True
    if data[:1] == b"{":
        return b'"learner"' in data[:100_000] + data[-100_000:]
    # Before 1.0 there was no mark: parameters of 136 bytes, then the objective's length and name.
    size = int.from_bytes(data[136:144], "little")
    return 4 < size < 40 and data[144 : 144 + size].isascii() and b":" in data[144 : 144 + size]


def read(data: bytes | bytearray) -> XGBooster:
    """The booster in the bytes, of a file or a pickle. LookError where they are damaged or too old."""
    data = bytes(data)
    try:
        if data.startswith(PICKLED):
            size = int.from_bytes(data[len(PICKLED) : len(PICKLED) + 8], "little")
            start = len(PICKLED) + 8
            return _binary(data[start : start + size], _json(data[start + size :]))
        if data[:1] != b"{":
            return _binary(data, {})
        document = _json(data) if data[1:2] in b'"\n\r\t }' else ubjson.read(data)
        if "Model" in document:
            return _learner(document["Model"], document.get("Config", {}))
        return _learner(document, {})
    except LookError:
        raise
    except (
        KeyError,
        ValueError,
        TypeError,
        IndexError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as err:
        raise LookError("the XGBoost booster is damaged, or of a format that is not known", HINT) from err


def _json(data: bytes) -> dict:
    return json.loads(data.rstrip(b"\0").decode("utf-8", "surrogateescape"))


def _binary(data: bytes, config: dict) -> XGBooster:
    from . import xgb_binary

    return xgb_binary.read(data.removeprefix(b"binf"), config)


def _learner(document: dict, config: dict) -> XGBooster:
    learner = document["learner"]
    params, objective = learner["learner_model_param"], learner["objective"]
    booster = learner["gradient_booster"]
    common: dict[str, Any] = {
        "version": tuple(int(part) for part in document.get("version", ())),
        "name": booster["name"],
        "objective": objective["name"],
        "objective_params": {key: value for key, value in objective.items() if key != "name"},
        "base_score": str(params["base_score"]),
        "num_class": int(params.get("num_class", 0)),
        "num_target": int(params.get("num_target", 1)),
        "num_feature": int(params["num_feature"]),
        "feature_names": list(learner.get("feature_names", ())),
        "feature_types": list(learner.get("feature_types", ())),
        "attributes": dict(learner.get("attributes", {})),
        "config": config,
    }
    if booster["name"] == "gblinear":
        weights = np.asarray(booster["model"]["weights"], np.float32)
        common["weights"] = weights.reshape(common["num_feature"] + 1, -1)
        return XGBooster(**common)
    if booster["name"] == "dart":
        common["weight_drop"] = np.asarray(booster["weight_drop"], np.float32)
        booster = booster["gbtree"]
    model = booster["model"]
    trees = [tree(fields) for fields in model["trees"]]
    dropped = booster.get("weight_drop", model.get("weight_drop"))  # since 3.3 dart is gbtree with weights
    if dropped is not None and len(dropped) and "weight_drop" not in common:
        common["weight_drop"] = np.asarray(dropped, np.float32)
    indptr = model.get("iteration_indptr")
    info = np.asarray(model["tree_info"], np.int32)
    if len(info) != len(trees) or len(common.get("weight_drop", trees)) != len(trees):
        raise ValueError("tree_info")
    return XGBooster(
        **common,
        trees=trees,
        tree_info=info,
        iteration_indptr=None if indptr is None else np.asarray(indptr, np.int32),
        multi_output=any(one.leaf.shape[1] > 1 for one in trees),
        num_parallel_tree=int(model["gbtree_model_param"].get("num_parallel_tree", 1)),
        categories=_categories(model.get("cats")),
    )


def tree(fields: dict) -> XGBTree:
    """A tree of the JSON or UBJSON format."""
    left = np.asarray(fields["left_children"], np.int32)
    right = np.asarray(fields["right_children"], np.int32)
    conditions = np.asarray(fields["split_conditions"], np.float32)
    targets = int(fields["tree_param"].get("size_leaf_vector", 0))
    nodes = len(left)
    if targets > 1:
        leaf = _vectors(fields, left, right, targets)
        right = np.where(left < 0, -1, right).astype(np.int32)
    else:
        leaf = conditions.reshape(nodes, 1)
    made = XGBTree(
        left=left,
        right=right,
        feature=np.asarray(fields["split_indices"], np.int64),
        threshold=conditions,
        default_left=np.asarray(fields["default_left"]).astype(bool),
        leaf=leaf,
        categories=_sets(fields),
    )
    check(made)
    return made


def check(made: XGBTree) -> None:
    """LookError where a child is not there: node 0 is the root, and each other one has one parent."""
    nodes = len(made.left)
    inner = made.left >= 0
    children = np.concatenate([made.left[inner], made.right[inner]])
    lengths = {
        len(made.right),
        len(made.feature),
        len(made.threshold),
        len(made.default_left),
        len(made.leaf),
    }
    whole = nodes > 0 and lengths == {nodes} and ((children > 0) & (children < nodes)).all()
    if not whole or len(np.unique(children)) != len(children):
        raise LookError("a tree of the XGBoost booster is damaged", DAMAGED)


def _vectors(fields: dict, left: np.ndarray, right: np.ndarray, targets: int) -> np.ndarray:
    """Leaves that are vectors, float32 [nodes, targets]."""
    if "leaf_weights" not in fields:  # before 3.1
        return np.asarray(fields["base_weights"], np.float32).reshape(len(left), targets)
    weights = np.asarray(fields["leaf_weights"], np.float32).reshape(-1, targets)
    leaf = np.zeros((len(left), targets), np.float32)
    at = right[left < 0]  # a leaf's right child is its place among the leaves
    if len(at) and not ((at >= 0) & (at < len(weights))).all():
        raise ValueError("leaf_weights")
    leaf[left < 0] = weights[at]
    return leaf


def _sets(fields: dict) -> dict[int, np.ndarray]:
    """The codes that go right, by node."""
    nodes = np.asarray(fields.get("categories_nodes", ()), np.int64)
    starts = np.asarray(fields.get("categories_segments", ()), np.int64)
    sizes = np.asarray(fields.get("categories_sizes", ()), np.int64)
    codes = np.asarray(fields.get("categories", ()), np.int32)
    ends = starts + sizes
    if not len(nodes) == len(starts) == len(sizes) or (
        len(ends) and not 0 <= ends.min() <= ends.max() <= len(codes)
    ):
        raise ValueError("categories")
    spans = zip(nodes.tolist(), starts.tolist(), ends.tolist(), strict=True)
    return {node: codes[start:end] for node, start, end in spans}


def _categories(cats: Any) -> list[list | None] | None:
    """What 3.1 and later know of a frame's categories, feature by feature."""
    if not isinstance(cats, dict) or not cats.get("enc"):
        return None
    columns: list[list | None] = []
    for column in cats["enc"]:
        values = np.asarray(column["values"])
        if not len(values):
            columns.append(None)
        elif "offsets" in column:
            text, ends = values.astype(np.uint8).tobytes(), np.asarray(column["offsets"]).tolist()
            pairs = zip(ends, ends[1:], strict=False)
            columns.append([text[start:end].decode("utf-8", "surrogateescape") for start, end in pairs])
        else:
            columns.append(values.tolist())
    return columns
