"""XGBoost's first format, of 0.x to 3.0: C structs one after another, little-endian."""

import json
from typing import Any

import numpy as np

from .errors import LookError
from .xgb import HINT, XGBooster, XGBTree, check

LEARNER = np.dtype(
    [("base_score", "<f4"), ("num_feature", "<u4"), ("num_class", "<i4"), ("attributes", "<i4")]
    + [("metrics", "<i4"), ("major", "<u4"), ("minor", "<u4"), ("num_target", "<u4"), ("reserved", "<i4", 26)]
)
GBTREE = np.dtype(
    [("num_trees", "<i4"), ("num_roots", "<i4"), ("num_feature", "<i4"), ("pad", "<i4")]
    + [("num_pbuffer", "<i8"), ("groups", "<i4"), ("size_leaf_vector", "<i4"), ("reserved", "<i4", 32)]
)
TREE = np.dtype(
    [("num_roots", "<i4"), ("num_nodes", "<i4"), ("num_deleted", "<i4"), ("max_depth", "<i4")]
    + [("num_feature", "<i4"), ("size_leaf_vector", "<i4"), ("reserved", "<i4", 31)]
)
NODE = np.dtype([("parent", "<i4"), ("left", "<i4"), ("right", "<i4"), ("split", "<u4"), ("value", "<f4")])
STATISTICS = 16  # bytes a node
LINEAR = 34 * 4  # bytes of gblinear's own parameters
DEFAULT_LEFT = np.uint32(1 << 31)  # the rest of a node's split is its feature


class _Stream:
    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        if size < 0 or self.at + size > len(self.data):
            raise LookError("the XGBoost booster ends early, or is not a booster", HINT)
        self.at += size
        return self.data[self.at - size : self.at]

    def structs(self, dtype: np.dtype, count: int = 1) -> np.ndarray:
        return np.frombuffer(self.take(dtype.itemsize * count), dtype)

    def long(self) -> int:
        return int.from_bytes(self.take(8), "little")

    def text(self) -> str:
        return self.take(self.long()).decode("utf-8", "surrogateescape")

    def floats(self) -> np.ndarray:
        return self.structs(np.dtype("<f4"), self.long()).astype(np.float32)


def read(data: bytes, config: dict) -> XGBooster:
    """The booster in the bytes; config is the JSON that a pickle keeps beside it."""
    stream = _Stream(data)
    learner = stream.structs(LEARNER)[0]
    objective, name = stream.text(), stream.text()
    if name not in ("gbtree", "dart", "gblinear"):
        raise LookError(f"the XGBoost booster is damaged: a booster {name[:20]!r}", HINT)
    made: dict[str, Any] = {}
    if name == "gblinear":
        stream.take(LINEAR)
        made["weights"] = stream.floats().reshape(int(learner["num_feature"]) + 1, -1)
    else:
        model = stream.structs(GBTREE)[0]
        made["trees"] = [_tree(stream) for _ in range(int(model["num_trees"]))]
        made["tree_info"] = stream.structs(np.dtype("<i4"), len(made["trees"])).astype(np.int32)
    if name == "dart":
        made["weight_drop"] = stream.floats() if made["trees"] else np.zeros(0, np.float32)
    attributes = _attributes(stream) if learner["attributes"] else {}
    params = json.loads(attributes.pop("objective", "{}"))
    version = (int(learner["major"]), int(learner["minor"])) if learner["major"] else ()
    known = config.get("version") if isinstance(config, dict) else None
    return XGBooster(
        version=tuple(known) if known else version,
        name=name,
        objective=objective,
        objective_params={key: value for key, value in params.items() if key != "name"},
        base_score=np.format_float_scientific(learner["base_score"], unique=True, trim="-"),
        num_class=int(learner["num_class"]),
        num_target=max(1, int(learner["num_target"])),
        num_feature=int(learner["num_feature"]),
        attributes=attributes,
        config=config,
        **made,
    )


def _tree(stream: _Stream) -> XGBTree:
    param = stream.structs(TREE)[0]
    count = int(param["num_nodes"])
    nodes = stream.structs(NODE, count)
    stream.take(STATISTICS * count)
    if param["size_leaf_vector"] > 1:
        raise LookError("the XGBoost booster has leaves that are vectors, in a binary file", HINT)
    made = XGBTree(
        left=nodes["left"].astype(np.int32),
        right=nodes["right"].astype(np.int32),
        feature=(nodes["split"] & ~DEFAULT_LEFT).astype(np.int64),
        threshold=nodes["value"].astype(np.float32),
        default_left=(nodes["split"] & DEFAULT_LEFT) != 0,
        leaf=nodes["value"].astype(np.float32).reshape(count, 1),
        categories={},
    )
    check(made)
    return made


def _attributes(stream: _Stream) -> dict[str, str]:
    return dict((stream.text(), stream.text()) for _ in range(min(stream.long(), 10_000)))
