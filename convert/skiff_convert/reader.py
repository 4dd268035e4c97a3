"""Stage 4, seen from outside: runs read.py in a process of its own and takes back what it wrote."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from . import neutral
from .errors import ConvertError
from .source import Source

SCRIPT = Path(__file__).with_name("read.py")


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

    def _run(self, command: str, *paths: str) -> None:
        # -I keeps this package's folder out of the model's imports.
        call = [self._python, "-I", str(SCRIPT), *self._arguments(command, *paths)]
        result = subprocess.run(call, capture_output=True)
        if result.returncode:
            raise _error(result.returncode, result.stderr.decode("utf-8", "replace"))

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
