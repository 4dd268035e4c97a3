"""What to install: every distribution pinned, as pip would have chosen on the model's day."""

import tomllib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from ..errors import ConvertError
from .needs import Needs, name_of
from .uv import Uv, UvError

# Wheels or nothing: they take minutes to compile, and mostly fail to.
WHEELS = (
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "xgboost",
    "lightgbm",
    "catboost",
    "pyarrow",
    "numba",
    "llvmlite",
    "onnx",
)

# Models are logged with libraries that were there for a while, but not for years: what was not pinned is
# taken from no later than this after the newest that was.
LATER = timedelta(days=180)


def resolve(
    uv: Uv, python: Path, needs: Needs, more: Sequence[str], created: datetime, say: Callable[[str], None]
) -> str:
    """A lock (pylock.toml) of what the model needs and more. ConvertError when there is no such set."""
    lock = _compile(uv, python, needs, more, created, say)
    newest = max((t for name, t in _uploaded(lock) if name in needs.pinned), default=None)
    if newest and newest + LATER < created.replace(tzinfo=UTC):
        day = newest + LATER
        say(f"what it pins is of {newest:%Y-%m-%d} and older: the rest is taken as of {day:%Y-%m-%d}")
        try:
            return _lock(uv, python, needs, more, day)
        except UvError:
            return lock
    return lock


def packages(lock: str) -> dict[str, str]:
    """The distributions in a lock, and their versions."""
    return {
        package["name"]: package.get("version", "") for package in tomllib.loads(lock).get("packages", [])
    }


def _compile(
    uv: Uv, python: Path, needs: Needs, more: Sequence[str], created: datetime, say: Callable[[str], None]
) -> str:
    try:
        return _lock(uv, python, needs, more, created)
    except UvError as err:
        words = str(err)
    try:
        lock = _lock(uv, python, needs, more, None)
    except UvError as err:
        raise ConvertError(
            f"the model's environment cannot be installed: {err}",
            "is it a package of your own? name its index by UV_INDEX; or --no-isolation",
        ) from err
    say(f"WARNING: as of {created:%Y-%m-%d} it does not resolve ({words}): today's packages are taken")
    return lock


def _lock(uv: Uv, python: Path, needs: Needs, more: Sequence[str], newest: datetime | None) -> str:
    lines = [
        line for line in needs.lines if name_of(line) not in {name_of(pin) for pin in more if "==" in pin}
    ]
    options = [option for name in WHEELS for option in ("--only-binary", name)]
    if newest:
        options += ["--exclude-newer", newest.replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")]
    with TemporaryDirectory(prefix="skiff-") as folder:
        asked = Path(folder, "requirements.txt")
        asked.write_text("\n".join([*lines, *more]) + "\n", "utf-8")
        call = ["pip", "compile", "-q", "--python", python, "--no-header", "--no-annotate"]
        return uv.run(*call, "--format", "pylock.toml", *options, asked)


def _uploaded(lock: str) -> list[tuple[str, datetime]]:
    """When each distribution in a lock was published: its first file."""
    found = []
    for package in tomllib.loads(lock).get("packages", []):
        files = package.get("wheels", []) + [package[key] for key in ("sdist", "archive") if key in package]
        times = [file["upload-time"] for file in files if "upload-time" in file]
        if times:
            found.append((package["name"], min(times)))
    return found
