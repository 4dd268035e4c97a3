"""Makes a model's own environment, as of the day it was logged."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ..errors import ConvertError
from ..find import Found
from .cache import Cache, key_of, python_of
from .needs import Needs, needs_of, repair_of
from .pythons import find_python
from .resolve import packages, resolve
from .session import ASK, Session, SessionError
from .uv import Uv, UvError, cache_folder, find_uv

REPAIRS = 4  # that are tried before giving up
LOCK = "pylock.toml"  # of an environment, inside it
WITHOUT = "install the model's libraries where --no-isolation runs, or mend its requirements.txt"


class World:
    """An environment that a model can be asked in. It is only ever asked: nothing else is run there."""

    def __init__(self, found: Found, python: Path, libraries: Mapping[str, str], repair=None):
        self.python, self.libraries = python, dict(libraries)
        self._found, self._repair = found, repair

    def open(self, env: Mapping[str, str] | None = None) -> Session:
        """Loads the model in a process of its own. Unpickling runs code that came with it: ask before.

        env: variables for that process, beside this one's. ConvertError when the model does not load.
        """
        tried: set[str] = set()
        while True:
            session = Session(self.python, env)
            try:
                session.load(self._found)
                return session
            except SessionError as err:
                session.close()
                line = repair_of(str(err), self._found.mlmodel.mlflow) if err.kind == "import" else ""
                if not self._repair or not line or line in tried or len(tried) == REPAIRS:
                    raise self._error(err) from err
                tried.add(line)
                self.python, self.libraries = self._repair(line, str(err))

    def _error(self, err: SessionError) -> ConvertError:
        name, text = self._found.mlmodel.file, str(err)
        if "__main__" in text:
            hint = "a pickle does not hold the functions of a script: log it with cloudpickle, or code_paths"
        elif err.kind == "import":
            hint = f"the model's requirements.txt does not fit its file: {WITHOUT}"
        elif self._repair:
            hint = "is the file complete, and its MLmodel its own?"
        else:
            hint = f"it loads only with the libraries that wrote it: {WITHOUT}"
        return ConvertError(f"loading {name}: {text}", hint)


def build(
    found: Found, say: Callable[[str], None], isolate: bool = True, beside: Sequence[str] = ()
) -> World:
    """The model's own environment, made where it is not there yet; this one, where isolate is false.

    say: what is being done. beside: distributions that are no part of it, for another environment that has
    them too. ConvertError when it cannot be made.
    """
    if not isolate and beside:
        raise ConvertError(
            f"{', '.join(beside)} would have to be installed here, and nothing is",
            "without --no-isolation it is put in an environment of its own",
        )
    if not isolate:
        say("WARNING: --no-isolation: the model is asked with the libraries that are installed here")
        return World(found, Path(sys.executable), {})
    uv = find_uv()
    needs = needs_of(found, say)
    needs = replace(needs, lines=(*needs.lines, *beside), modules=(*needs.modules, *beside))
    version = found.mlmodel.python
    if not version:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        say(f"WARNING: nothing says which Python made the model: {version} is taken")
    python, exact = find_python(version, uv)
    return _Builder(found, uv, needs, python, exact, say, beside).world()


class _Builder:
    def __init__(
        self, found: Found, uv: Uv, needs: Needs, python: Path, exact: str, say, beside: Sequence[str] = ()
    ):
        self._found, self._uv, self._needs, self._say = found, uv, needs, say
        self._beside = beside
        self._python, self._exact = python, exact
        self._cache, self._more = Cache(cache_folder(uv)), []  # more: lines that mended it
        self._asked = key_of([exact, needs.lines, found.created, uv.version])

    def world(self) -> World:
        with self._cache.locked(self._asked):
            folder = self._cache.answer(self._asked)
            if folder:
                self._say(f"its environment is at {_shown(folder)}")
            else:
                folder = self._make()
                self._cache.remember(self._asked, folder)
        return World(self._found, python_of(folder), _libraries(folder), self._repaired)

    def _make(self) -> Path:
        """An environment whose libraries fit together, mended where they do not."""
        while True:
            folder = self._install()
            error = _probe(python_of(folder), self._needs.modules)
            if not error:
                return folder
            line = repair_of(error, self._found.mlmodel.mlflow)
            if not line or line in self._more or len(self._more) == REPAIRS:
                raise ConvertError(f"the model's environment does not work: {error}", WITHOUT)
            self._mend(line, error)

    def _mend(self, line: str, error: str) -> None:
        self._say(f"{error}: trying {line}")
        self._more.append(line)

    def _install(self) -> Path:
        start = time.perf_counter()
        created = datetime.fromisoformat(self._found.created).replace(tzinfo=None)
        with_them = "".join(f", with {name}" for name in self._beside[:1])
        self._say(f"resolving its environment as of {created:%Y-%m-%d}{with_them}: {_pins(self._needs)}")
        lock = resolve(
            self._uv, self._python, self._needs, self._more, created.replace(tzinfo=None), self._say
        )

        def fill(folder: Path) -> None:
            names = packages(lock)
            self._say(f"installing {len(names)} packages under Python {self._exact}")
            self._uv.run("venv", "-q", "--allow-existing", "--relocatable", "--python", self._python, folder)
            path = folder / LOCK
            path.write_text(lock, "utf-8")
            self._uv.run("pip", "sync", "-q", "--python", python_of(folder), "--preview", path)

        try:
            folder = self._cache.make(key_of([self._exact, lock]), fill)
        except UvError as err:
            raise ConvertError(f"the model's environment cannot be installed: {err}", WITHOUT) from err
        except OSError as err:
            raise ConvertError(
                f"writing {err.filename}: {err.strerror}", "SKIFF_CACHE names another folder"
            ) from err
        self._say(f"environment at {_shown(folder)}, {time.perf_counter() - start:.1f} s")
        return folder

    def _repaired(self, line: str, error: str) -> tuple[Path, dict[str, str]]:
        """After the model itself did not load: with one more line."""
        with self._cache.locked(self._asked):
            self._mend(line, error)
            folder = self._make()
            self._cache.remember(self._asked, folder)
        return python_of(folder), _libraries(folder)


def _probe(python: Path, modules: tuple[str, ...]) -> str:
    """What goes wrong when the modules are imported there, "" when nothing does."""
    result = subprocess.run(
        [str(python), "-I", str(ASK), "probe", *modules], capture_output=True, encoding="utf-8", check=False
    )
    if result.returncode:
        last = (result.stderr.strip().splitlines() or [f"exit {result.returncode}"])[-1]
        return f"importing {', '.join(modules)}: {last}"
    return json.loads(result.stdout).get("error", "")


def _libraries(folder: Path) -> dict[str, str]:
    return packages((folder / LOCK).read_text("utf-8"))


def _pins(needs: Needs) -> str:
    return ", ".join(line for line in needs.lines if line.partition("==")[0] in needs.pinned)


def _shown(folder: Path) -> str:
    path = os.path.relpath(folder)
    return str(folder) if path.startswith("..") else path
