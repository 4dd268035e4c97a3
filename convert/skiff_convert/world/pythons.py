"""Finds a Python of some minor version: of this process, on PATH, under pyenv, or uv's own."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ..errors import ConvertError
from .uv import Uv, UvError

ASKS = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
SECONDS = 20.0  # a Python that takes longer to start is none


def minor_of(version: str) -> str:
    """3.9 of 3.9.7."""
    match = re.match(r"(\d+\.\d+)", version)
    return match[1] if match else ""


def find_python(version: str, uv: Uv) -> tuple[Path, str]:
    """(an interpreter of that minor version, its version). ConvertError when there is none here."""
    minor = minor_of(version)
    for path in _candidates(minor, version, uv):
        found = _version(path)
        if found and minor_of(found) == minor:
            return path, found
    raise ConvertError(
        f"the model was made with Python {version}, and no Python {minor} was found here",
        f"get it: `pyenv install {minor}`, or `uv python install {minor}`; then try again",
    )


def _candidates(minor: str, version: str, uv: Uv) -> Iterator[Path]:
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    pyenv = sorted(root.glob(f"{minor}.*/bin/python{minor}"), key=_order, reverse=True)
    yield from (path for path in pyenv if path.parts[-3] == version)
    if minor == minor_of(sys.version):
        yield Path(sys.executable)
    on_path = shutil.which(f"python{minor}")
    if on_path:
        yield Path(on_path)
    yield from pyenv
    try:
        yield Path(uv.run("python", "find", "--no-python-downloads", minor).strip())
    except UvError:
        return


def _order(path: Path) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", path.parts[-3])]


def _version(path: Path) -> str:
    """What a Python says it is; "" for what does not start, as pyenv's shims of other versions."""
    try:
        result = subprocess.run(
            [str(path), "-I", "-c", ASKS], capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""
