"""What the worker does not serve: inference/bundle/SPEC.md has the bounds, and the worker holds to them."""

import json
from collections.abc import Sequence

import numpy as np

from .columns import Column
from .errors import ConvertError

COLUMNS = 10_000
WORDS = 2**20  # of all columns
NODES = 2**15  # of the graph; onnxruntime takes some 8 s to load as many
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
