"""A forest as the attributes of a TreeEnsemble."""

import numpy as np
from onnx import numpy_helper

from .fold import EQ, MEMBER, Folded
from .form import Forest
from .limits import check_depth

SUM, NO_TRANSFORM = 1, 0


def ensemble(forest: Forest, folded: Folded) -> dict:
    """The TreeEnsemble's attributes: interior nodes and leaves numbered apart."""
    number = np.float32 if forest.single else np.float64
    split = floor32(folded.split) if forest.single else folded.split
    asks: dict[str, list] = {
        k: [] for k in ("column", "mode", "split", "missing", "yes", "yes_leaf", "no", "no_leaf")
    }
    members: list[float] = []
    weights, targets, roots = [], [], []
    leaf_of: dict[tuple[int, int], int] = {}

    def leaf(node: int, output: int, value: float) -> int:
        key = (node, output)
        if key not in leaf_of:
            leaf_of[key] = len(weights)
            weights.append(value)
            targets.append(output)
        return leaf_of[key]

    def bare(at: int) -> int:
        """A tree that is one leaf: a question whose answers are both that leaf."""
        add(0, 0, 0.0, False, (at, True), (at, True))
        return len(asks["column"]) - 1

    def add(column: int, mode: int, value: float, missing: bool, yes: tuple, no: tuple) -> None:
        asks["column"].append(column)
        asks["mode"].append(mode)
        asks["split"].append(0.0 if mode == MEMBER else value)
        asks["missing"].append(int(missing))
        for name, (to, is_leaf) in (("yes", yes), ("no", no)):
            asks[name].append(to)
            asks[f"{name}_leaf"].append(int(is_leaf))
        if mode == MEMBER:
            members.extend(folded.sets[int(value)])
            members.append(np.nan)

    for output, value in enumerate(forest.base.tolist()):
        if value:
            roots.append(bare(leaf(-1, output, value)))
    for tree, target in enumerate(forest.target.tolist()):
        for output in [target] if target >= 0 else range(forest.width):
            roots.append(
                _tree(folded, int(folded.roots[tree]), split, add, bare, asks,
                      lambda n, o=output, t=target: leaf(n, o, float(folded.leaf[n, 0 if t >= 0 else o])))
            )  # fmt: skip
    attributes = {
        "n_targets": forest.width, "aggregate_function": SUM, "post_transform": NO_TRANSFORM,
        "tree_roots": roots, "nodes_featureids": asks["column"],
        "nodes_truenodeids": asks["yes"], "nodes_trueleafs": asks["yes_leaf"],
        "nodes_falsenodeids": asks["no"], "nodes_falseleafs": asks["no_leaf"], "leaf_targetids": targets,
        "nodes_modes": numpy_helper.from_array(np.array(asks["mode"], np.uint8), "modes"),
        "nodes_splits": numpy_helper.from_array(np.array(asks["split"], number), "splits"),
        "leaf_weights": numpy_helper.from_array(np.array(weights, number), "leaves"),
        "nodes_missing_value_tracks_true": asks["missing"],
    }  # fmt: skip
    if members:
        attributes["membership_values"] = numpy_helper.from_array(np.array(members, number), "members")
    check_depth(attributes)
    return attributes


def _tree(folded: Folded, root: int, split: np.ndarray, add, bare, asks: dict, leaf) -> int:
    """Writes a tree's questions, from the root down; the root's number."""
    if folded.yes[root] < 0:
        return bare(leaf(root))
    first, order, queue = len(asks["column"]), {}, [root]
    for node in queue:
        order[node] = first + len(order)
        queue += [int(c) for c in (folded.yes[node], folded.no[node]) if folded.yes[c] >= 0]
    for node in order:
        ends = []
        for child in (int(folded.yes[node]), int(folded.no[node])):
            ends.append((leaf(child), True) if folded.yes[child] < 0 else (order[child], False))
        mode = int(folded.mode[node])
        value = folded.split[node] if mode in (EQ, MEMBER) else split[node]
        add(int(folded.column[node]), mode, float(value), bool(folded.missing_yes[node]), *ends)
    return order[root]


def floor32(x: np.ndarray) -> np.ndarray:
    """The largest float32 that is not above each double."""
    with np.errstate(over="ignore"):
        low = np.asarray(x, np.float64).astype(np.float32)
    above = low.astype(np.float64) > x
    return np.where(above, np.nextafter(low, np.float32(-np.inf)), low).astype(np.float64)
