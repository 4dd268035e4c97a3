"""A model that was loaded in its own world, and can be asked again and again."""

import json
import os
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..errors import ConvertError
from ..find import Found
from .data import Answer, Frame, Matrix, Records, Sparse, read_answer, read_array

ASK = Path(__file__).with_name("inside") / "ask.py"
LINES = 50  # of stderr that are kept
PATIENCE = 10.0  # seconds for the process to end by itself


class SessionError(ConvertError):
    """The model, or the process it is in, says no. kind: import, load, ask or died."""

    def __init__(self, message: str, kind: str, hint: str = ""):
        super().__init__(message, hint)
        self.kind = kind


class Session:
    """A process in the model's world. It ends with the `with` that it is used in."""

    def __init__(self, python: Path, env: Mapping[str, str] | None = None):
        self.warnings: list[str] = []  # what the libraries said when they loaded the model
        self._folder = tempfile.TemporaryDirectory(prefix="skiff-")
        self._stderr: deque[str] = deque(maxlen=LINES)
        gone = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
        variables = {name: value for name, value in os.environ.items() if name not in gone}
        # -I: neither this folder nor the user's packages get into the model's imports.
        self._process = subprocess.Popen(
            [str(python), "-I", str(ASK), "serve"],
            cwd=self._folder.name,
            env={**variables, **(env or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def load(self, found: Found) -> None:
        """Loads the model: code that came with it runs."""
        mlmodel = found.mlmodel
        options = {key: value for key, value in mlmodel.options.items() if isinstance(value, str)}
        self.warnings = self._request(
            do="load",
            path=str(found.file.absolute()),
            flavor=mlmodel.flavor,
            options=options,
            code=[str(path.absolute()) for path in found.code_paths],
        )["warnings"]

    def describe(self, step: str = "") -> dict:
        """What the model, or what is inside it at step, says of itself; see ask.py."""
        return self._request(do="describe", step=step)

    def value(self, step: str) -> np.ndarray | Sparse:
        """An attribute, as an array."""
        out = Path(self._folder.name, "out.npz")
        self._request(do="value", step=step, out=str(out))
        with np.load(out, allow_pickle=False) as npz:
            return read_array(npz, "a0")

    def call(
        self,
        method: str,
        data: Records | Frame | Matrix,
        step: str = "",
        options: Mapping | None = None,
        whole: bool = False,
    ) -> Answer:
        """What predict, predict_proba, decision_function, transform … say of the rows, all in one call.

        Where that raises, the rows that do are found, and said why. step: what is asked, inside the model, as
        in 1.regressor_ or 0:2. options: keywords for the method. whole: where it raises, all rows are
        refused, and none is asked again. ConvertError when it cannot be asked at all.
        """
        folder = Path(self._folder.name)
        out, source = folder / "out.npz", data.write(folder)
        told = self._request(
            do="call", method=method, step=step, options=dict(options or {}), whole=whole, input=source,
            out=str(out),
        )  # fmt: skip
        return read_answer(out, told)

    def onnx(self, step: str, method: str, width: int) -> tuple[bytes, dict]:
        """What sklearn-onnx, where it is installed, makes of a step, a graph of float64 [rows, width].

        The graph; its output for the method, and sklearn-onnx's version. SessionError where it makes none.
        """
        out = Path(self._folder.name, "step.onnx")
        told = self._request(do="onnx", step=step, method=method, width=width, out=str(out))
        return out.read_bytes(), told

    def close(self) -> None:
        """Ends the process."""
        if self._process.poll() is None:
            try:
                self._process.stdin.close()
                self._process.wait(PATIENCE)
            except (OSError, subprocess.TimeoutExpired):
                self._process.kill()
                self._process.wait()
        self._reader.join(PATIENCE)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            try:
                pipe.close()
            except OSError:
                continue  # what was not written any more
        self._folder.cleanup()

    def _request(self, **request: object) -> dict:
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError:
            line = b""
        if not line:
            raise self._died()
        answer = json.loads(line)
        if "error" in answer:
            raise SessionError(answer["error"], answer["kind"])
        return answer

    def _died(self) -> SessionError:
        code = self._process.wait()
        self._reader.join(PATIENCE)
        last = next((line for line in reversed(self._stderr) if line.strip()), "no message")
        how = f"signal {-code}" if code < 0 else f"exit {code}"
        return SessionError(
            f"the model's process ended ({how}): {last.strip()}", "died", "is there enough memory?"
        )

    def _drain(self) -> None:
        for line in self._process.stderr:
            self._stderr.append(line.decode("utf-8", "replace"))
