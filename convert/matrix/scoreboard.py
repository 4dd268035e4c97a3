"""make scoreboard: the same pipelines through skiff and through other tools.

    usage: make scoreboard [SEEDS=50] [PIPELINES=7,40-60]

Each pipeline is made at random from its seed, and each tool is asked for the 200 records that it was not
trained on, but those that the pipeline itself refuses, and those of which rounding decides the answer, such
as which of equally near neighbours count. A tool is tried in every way that it documents (float32 and
double, whole numbers and missing words as this and as that, its options), and the best counts.

The last line of stdout is one JSON object, of each tool: pipelines, of the kind that it is for; converted,
those that it converts and answers; exact, those where every label is the same and every number has the same
bits; wrong, those where a label is another one, or a number off by more than FAR, which rounding to float32
does not explain; largest_error, of a number where the size of the original's is more than 1 by that;
us_per_row, the median over its pipelines, 1,000 rows at a time on one thread.
"""

import argparse
import importlib
import json
import logging
import statistics
import sys
import tempfile
import warnings
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import numpy as np

from .inside.make import Case
from .run import numbers
from .said import BATCH, Converted, NotForIt, Said

TOOLS = {  # the module of each, which its libraries are needed for, and its ways
    "skiff": ("scoreboard_skiff", "ways"),
    "sklearn-onnx": ("scoreboard_onnx", "sklearn"),
    "onnxmltools": ("scoreboard_onnx", "boosters"),
    "treelite": ("scoreboard_treelite", "ways"),
}
FAR = 1e-3  # thousands of float32's roundings
ROUNDS = 7


@dataclass
class Line:
    """What is said of a tool."""

    pipelines: int = 0
    converted: int = 0
    exact: int = 0
    wrong: int = 0
    largest_error: float = 0.0
    us_per_row: list[float] = field(default_factory=list)  # of each pipeline

    def json(self) -> dict:
        """As the last line has it."""
        took = round(statistics.median(self.us_per_row), 3) if self.us_per_row else None
        return vars(self) | {"largest_error": float(f"{self.largest_error:.2g}"), "us_per_row": took}


def main() -> int:
    """Runs the command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--pipelines", default="")
    options = parser.parse_args()
    from .scoreboard_skiff import decided

    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    seeds = list(numbers(options.pipelines)) if options.pipelines else list(range(options.seeds))
    board = {tool: Line() for tool in TOOLS}
    for seed in seeds:
        try:
            made = Case(seed)
        except SystemExit as err:
            say(f"seed {seed}: {err}")
            continue
        want, rows = Said.of(made)
        with tempfile.TemporaryDirectory() as folder:
            words, found = [], {}
            kept = decided(made, rows, Path(folder))
            want, rows = want.only([rows.index(i) for i in kept]), kept
            for tool, line in board.items():
                word, best = tried(tool, made, rows, want, line, Path(folder))
                words.append(f"{tool} {word}" if word else "")
                if best:
                    found[tool] = best
        for tool, seconds in timed(found).items():
            board[tool].us_per_row.append(seconds / BATCH * 1e6)
        say(f"seed {seed} {made.name}: {', '.join(filter(None, words))}")
    said = {tool: line.json() for tool, line in board.items()}
    print(table(said), end="")
    print(json.dumps(said))
    return 0


def say(text: str) -> None:
    """Progress."""
    print(f"scoreboard: {text}", file=sys.stderr, flush=True)


def tried(
    tool: str, made: Case, rows: list[int], want: Said, line: Line, folder: Path
) -> tuple[str, Converted | None]:
    """The best of a tool's ways, and a word for it; "" where the pipeline is not of its kind."""
    best: tuple[tuple, Converted] | None = None
    why: Exception | None = None
    try:
        module, name = TOOLS[tool]
        for way in getattr(importlib.import_module("." + module, __package__), name)(made, rows, folder):
            try:
                got = way()
                mark = want.judge(got.said, FAR)
            except NotForIt:
                raise
            except Exception as err:  # whatever a tool raises where it cannot
                why = why or err
                continue
            if best is None or mark < best[0]:
                best = mark, got
            if mark == (0, 0.0):
                break
    except NotForIt:
        return "", None
    line.pipelines += 1
    if best is None:
        return f"does not convert ({type(why).__name__}: {' '.join(str(why).split())[:80]})", None
    (place, error), got = best
    line.converted += 1
    line.exact += place == 0
    line.wrong += place == 2
    line.largest_error = max(line.largest_error, error)
    return (f"{('exact', 'near', 'wrong')[place]} ({got.how}, off by {error:.2g})"), got


def timed(found: dict[str, Converted]) -> dict[str, float]:
    """The median of seconds of a batch, by tool, one after another in each round."""
    took: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        for tool, one in found.items():
            start = perf_counter()
            one.batch()
            took[tool].append(perf_counter() - start)
    return {tool: float(np.median(times)) for tool, times in took.items()}


def table(said: dict[str, dict]) -> str:
    """The same for a person, as docs/exactness.md has it."""
    head = ["tool", "pipelines", "converted", "exact", "wrong", "largest error", "µs a row"]
    lines = [head, ["---", *["--:"] * 6]]
    for tool, line in said.items():
        lines.append([tool, *("–" if value is None else f"{value:g}" for value in line.values())])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
