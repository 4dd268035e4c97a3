"""What the tests of a release share: the release that `make release` builds here, and bare environments."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NUMBER = re.search(r'^__version__ = "(.*)"$', (ROOT / "convert/skiff_convert/__init__.py").read_text(), re.M)[
    1
]
VERSION = f"v{NUMBER}"
LINEAR = "2d509b1feb1643cab3e531a19515ec7b"
MAKES = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ONNXRUNTIME_LIB", "PYTHONPATH")  # what make gives to its own


def run(*call: str | Path, cwd: Path = ROOT, env: dict | None = None) -> subprocess.CompletedProcess:
    """A command and what it printed; fails where the command does."""
    done = subprocess.run([str(part) for part in call], cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"{call}: {done.stdout}\n{done.stderr}"
    return done


def inherited() -> dict:
    """This process's variables, without what make adds to them."""
    return {name: value for name, value in os.environ.items() if name not in MAKES}


@dataclass
class Release:
    """What is in .build/release, after `make release`."""

    folder: Path

    def only(self, pattern: str) -> Path:
        """The one file there of that name."""
        (found,) = self.folder.glob(pattern)
        return found


@pytest.fixture(scope="session")
def release() -> Release:
    """`make release`, as the workflow calls it."""
    run("make", "release", f"VERSION={VERSION}", env=inherited())
    return Release(ROOT / ".build/release")


@pytest.fixture(scope="session")
def newcomer(tmp_path_factory) -> dict:
    """The variables of somebody who has uv and nothing of skiff: a home of their own."""
    home = tmp_path_factory.mktemp("home")
    kept = {
        name: value
        for name, value in inherited().items()
        if name.startswith(("UV_", "PIP_", "SSL_", "PYENV"))
    }
    path = f"{ROOT}/.build/uv/bin:{os.environ['PATH']}"
    cache = run(ROOT / ".build/uv/bin/uv", "cache", "dir").stdout.strip()  # no second download
    return {**kept, "HOME": str(home), "PATH": path, "UV_CACHE_DIR": cache}
