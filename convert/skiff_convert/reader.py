"""Stage 4, seen from outside: runs read.py in a process of its own and takes back what it wrote."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import neutral
from .errors import ConvertError
from .find import Found
from .grid import Axis

SCRIPT = Path(__file__).with_name("read.py")
DONE = "read: done: "  # a line of progress


@dataclass(frozen=True)
class Source:
    """An MLflow model with the sklearn flavor, in a local folder."""

    folder: Path
    file: str  # the pipeline's file, inside folder
    trusted: tuple[str, ...]  # type names that the flavor declares for skops
    sklearn: str  # version that wrote the file, "" when the MLmodel does not say
    run_id: str
    created: str  # RFC 3339, UTC, whole seconds

    @classmethod
    def of(cls, found: Found) -> "Source":
        """What was found, where that is of the sklearn flavor."""
        mlmodel = found.mlmodel
        trusted = tuple(mlmodel.options.get("skops_trusted_types") or ())
        return cls(found.folder, mlmodel.file, trusted, mlmodel.wrote[1], found.run_id, found.created)


class Reader:
    """The original pipeline, in a process that may run the code in its pickle."""

    def __init__(self, source: Source, python: str = sys.executable):
        self._source = source
        self._python = python

    def learned(self) -> neutral.Pipeline:
        """What the pipeline learned. ConvertError when it cannot be loaded or is of another shape."""
        with tempfile.TemporaryDirectory(prefix="skiff-") as folder:
            self._run("dump", folder)
            return neutral.load(Path(folder))

    def predict(self, features: Sequence[dict]) -> tuple[np.ndarray, list[str]]:
        """What the original predicts, float64 [records], and why it refused each record ("": it did not)."""
        with tempfile.TemporaryDirectory(prefix="skiff-") as folder:
            lines, out = Path(folder, "features.jsonl"), Path(folder, "predictions.npz")
            with lines.open("w", encoding="utf-8") as file:
                file.writelines(json.dumps(record) + "\n" for record in features)
            self._run("predict", str(lines), str(out))
            with np.load(out, allow_pickle=False) as arrays:
                return arrays["predictions"], arrays["refused"].tolist()

    def table(self, axes: Sequence[Axis], say: Callable[[str], None]) -> np.ndarray:
        """What the original predicts over the product of axes, float64 [values, ...]; say: how far it is."""
        with tempfile.TemporaryDirectory(prefix="skiff-") as folder:
            asked, out = Path(folder, "axes.npz"), Path(folder, "cells.npy")
            arrays = [{f"index{i}": axis.index, f"given{i}": axis.given} for i, axis in enumerate(axes)]
            np.savez(asked, **{name: array for pair in arrays for name, array in pair.items()})
            self._run("table", str(asked), str(out), say=say)
            return np.load(out, allow_pickle=False)

    def _run(self, command: str, *paths: str, say: Callable[[str], None] | None = None) -> None:
        # -I keeps this package's folder out of the model's imports.
        call = [self._python, "-I", str(SCRIPT), *self._arguments(command, *paths)]
        stderr = []
        with subprocess.Popen(
            call, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8", errors="replace"
        ) as process:
            for line in process.stderr:
                if say and line.startswith(DONE):
                    say(line.removeprefix(DONE).strip())
                else:
                    stderr.append(line)
        if process.returncode:
            raise _error(process.returncode, "".join(stderr))

    def _arguments(self, command: str, *paths: str) -> list[str]:
        source = self._source
        trusted = [option for name in source.trusted for option in ("--trust", name)]
        return [command, str(source.folder / source.file), *paths, *trusted, "--written-by", source.sklearn]


def _error(code: int, stderr: str) -> ConvertError:
    said = dict(line.split(": ", 2)[1:] for line in stderr.splitlines() if line.startswith("read: "))
    if "error" in said:
        return ConvertError(said["error"], said.get("hint", ""))
    last = (stderr.strip().splitlines() or ["no message"])[-1]
    how = f"signal {-code}" if code < 0 else f"exit {code}"
    return ConvertError(f"reading the model failed ({how}): {last}", "is the file complete?")
