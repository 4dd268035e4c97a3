"""What the worker does not serve: inference/bundle/SPEC.md has the bounds, and the worker holds to them."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
from onnx import numpy_helper

from .columns import Column
from .errors import ConvertError
from .fold import MEMBER

COLUMNS = 10_000
WORDS = 2**20  # of all columns
NODES = 2**15  # of the graph; onnxruntime takes some 8 s to load as many
DEPTH = 2**13  # questions of a tree one after another, a member of a set being one
TELLS_APART = 1 / 1024  # the largest bound of a golden that proves something, as a part of the numbers


def check(columns: Sequence[Column], nodes: int) -> None:
    """ConvertError for more columns, words or nodes of the graph than are served."""
    words = sum(len(column.vocabulary) + len(column.words) for column in columns)
    for has, what, most in (
        (len(columns), "columns", COLUMNS),
        (words, "words", WORDS),
        (nodes, "nodes of its graph", NODES),
    ):
        if has > most:
            raise ConvertError(
                f"the model has {has:,} {what}, and the worker serves {most:,} at most",
                "train it on fewer features, or on the words that are frequent",
            )


def check_depth(trees: Mapping) -> None:
    """ConvertError where a tree of a TreeEnsemble, by its attributes, asks more at a time than is served."""
    sizes = np.ones(len(trees["nodes_featureids"]), np.int64)
    if "membership_values" in trees:
        ends = np.flatnonzero(np.isnan(numpy_helper.to_array(trees["membership_values"])))
        of_set = numpy_helper.to_array(trees["nodes_modes"]) == MEMBER
        sizes[of_set] = np.maximum(np.diff(ends, prepend=-1) - 1, 1)
    ways = [
        (np.array(trees[f"nodes_{way}nodeids"]), np.array(trees[f"nodes_{way}leafs"]) == 0, most)
        for way, most in (("true", 2), ("false", DEPTH))
    ]
    at = np.array(trees["tree_roots"])
    depth = np.zeros(len(at), np.int64)
    while len(at):
        if (depth + sizes[at] > DEPTH).any():
            raise ConvertError(
                f"a tree asks more than {DEPTH:,} questions one after another, and the worker serves no more",
                "train it with a max_depth, or with fewer words that one question is about",
            )
        below = [depth + np.minimum(sizes[at], most) for _, _, most in ways]
        depth = np.concatenate([d[inner[at]] for d, (_, inner, _) in zip(below, ways, strict=True)])
        at = np.concatenate([to[at][inner[at]] for to, inner, _ in ways])


def check_bounds(lines: Sequence[str]) -> None:
    """ConvertError for lines of golden.jsonl of which most have bounds so wide that they prove nothing."""
    goldens = [golden for golden in map(json.loads, lines) if "outputs" in golden]
    sizes = [_size(golden["outputs"]) for golden in goldens]
    median = sorted(sizes)[len(sizes) // 2] if sizes else 0.0
    wide = [
        golden
        for golden, size in zip(goldens, sizes, strict=True)
        if golden.get("within", 0.0) > max(size, median) * TELLS_APART
    ]
    if 2 * len(wide) > len(goldens):
        raise ConvertError(
            f"of {len(goldens):,} predictions {len(wide):,} are known so roughly that it proves nothing, "
            f"the first to {wide[0]['within']:.2g}",
            "sums of numbers that are far larger than the predictions lose these: scale the features",
        )


def _size(outputs: object) -> float:
    """The magnitude of the largest number among outputs, 0.0 of none."""
    if isinstance(outputs, dict):
        return max(map(_size, outputs.values()), default=0.0)
    if isinstance(outputs, list):
        return max(map(_size, outputs), default=0.0)
    return float(np.abs(outputs)) if isinstance(outputs, float) else 0.0
