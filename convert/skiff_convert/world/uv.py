"""uv, which makes the environments."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..errors import ConvertError

BUILD = Path(__file__).parents[3] / ".build"  # of a checkout
BOX = "×╰─▶│├╭╯ \t"  # what uv draws around its words
CONCLUSION = ("we can conclude that", "your requirements are unsatisfiable", "hint:")


class UvError(Exception):
    """uv failed; its words, in one line."""


class Uv:
    """The uv command."""

    def __init__(self, path: Path):
        self.path = path
        self.version = self.run("--version").split()[1]

    def run(self, *args: str | Path, stdin: str = "") -> str:
        """What it prints. UvError when it fails."""
        # The user's settings count, those of the folder it happens to be started in do not.
        gone = (
            "VIRTUAL_ENV",
            "PYTHONPATH",
            "PYTHONHOME",
            "CONDA_PREFIX",
            "UV_PYTHON",
            "UV_PROJECT_ENVIRONMENT",
        )
        env = {name: value for name, value in os.environ.items() if name not in gone}
        env |= {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}
        with tempfile.TemporaryDirectory(prefix="skiff-") as folder:
            result = subprocess.run(
                [str(arg) for arg in (self.path, *args)],
                cwd=folder,
                env=env,
                input=stdin,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                check=False,
            )
        if result.returncode:
            raise UvError(last_words(result.stderr.splitlines()))
        return result.stdout


def find_uv() -> Uv:
    """uv of the checkout, that which runs this (uvx), beside this Python, or on PATH. ConvertError when there
    is none.
    """
    running = os.environ.get("UV")
    places = [BUILD / "uv" / "bin" / "uv", running, Path(sys.executable).with_name("uv"), shutil.which("uv")]
    for place in places:
        if place and os.access(place, os.X_OK):
            return Uv(Path(place).absolute())
    raise ConvertError(
        "uv, which rebuilds a model's environment, was not found",
        "make installs it; or `pip install uv`; or --no-isolation, with the model's libraries installed here",
    )


def cache_folder(uv: Uv | None) -> Path:
    """Where environments are kept: SKIFF_CACHE, or .build of the checkout uv is of, or the user's cache."""
    named = os.environ.get("SKIFF_CACHE")
    if named:
        return Path(named).absolute()
    if uv and uv.path.is_relative_to(BUILD):
        return BUILD / "worlds"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "skiff"


def last_words(lines: Sequence[str]) -> str:
    """What uv said went wrong, in one line, without the conclusion that everybody draws."""
    words = [
        line.strip(BOX) for line in lines if not line.startswith(("warning:", "Using Python", "Resolved"))
    ]
    text = " ".join(word for word in words if word)
    for part in CONCLUSION:
        text = text.partition(part)[0] if part in text else text
    text = text.removeprefix("error: ").removeprefix("No solution found when resolving dependencies: ")
    text = text.removeprefix("Because ").rstrip(" ,.:") or "no message"
    return text if len(text) <= 400 else text[:300].rstrip() + " … " + text[-90:].lstrip()
