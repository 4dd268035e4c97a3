"""Environments on disk: each made once, by one process, whole or not at all."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

OLD = 24 * 3600.0  # seconds after which what was left half made is nobody's
DIGITS = 20  # of a key


def key_of(content: object) -> str:
    """A name by content, which JSON has to be able to say."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:DIGITS]


def python_of(folder: Path) -> Path:
    """The interpreter of an environment."""
    return folder / "bin" / "python"


class Cache:
    """A folder of environments, by key, and of which one answers a request."""

    def __init__(self, root: Path):
        self.root = root

    @contextlib.contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """One process at a time; the others wait."""
        (self.root / "asked").mkdir(parents=True, exist_ok=True)
        with (self.root / "asked" / f"{key}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def answer(self, asked: str) -> Path | None:
        """The environment that answered the request before, if it is still there."""
        note = self.root / "asked" / asked
        folder = self.root / note.read_text("utf-8") if note.is_file() else None
        return folder if folder and python_of(folder).exists() else None

    def remember(self, asked: str, folder: Path) -> None:
        """Writes down which environment answers the request."""
        note = self.root / "asked" / asked
        temporary = note.with_name(f"{note.name}.{os.getpid()}")
        temporary.write_text(folder.name, "utf-8")
        temporary.replace(note)

    def make(self, key: str, fill: Callable[[Path], None]) -> Path:
        """The environment of that key, made by fill where it is not there or its Python is gone."""
        folder = self.root / key
        if python_of(folder).exists():
            return folder
        self._sweep()
        temporary = Path(tempfile.mkdtemp(prefix="half-", dir=self.root))
        try:
            fill(temporary)
            shutil.rmtree(folder, ignore_errors=True)
            try:
                temporary.rename(folder)
            except OSError:  # somebody else was faster
                if not python_of(folder).exists():
                    raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return folder

    def _sweep(self) -> None:
        for path in self.root.glob("half-*"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > OLD:
                    shutil.rmtree(path, ignore_errors=True)
