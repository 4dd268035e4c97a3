"""What has to be installed to ask a model."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConvertError
from ..find import Found

NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(.*)")
ALWAYS = ("numpy", "scipy", "pandas", "scikit-learn")  # whether or not they are listed
SKIPPED = ("mlflow", "mlflow-skinny", "mlflow-tracking", "pip", "wheel")  # MLflow is large, and seldom needed

# What is imported to see whether versions fit: these break where they do not.
PROBED = ("numpy", "scipy", "pandas", "skops", "xgboost", "lightgbm", "catboost")
PARTS = ("sklearn", "sklearn.ensemble", "sklearn.linear_model", "sklearn.pipeline", "sklearn.compose")

# Errors of libraries that do not fit each other, and what makes them: the first that fits is tried.
REPAIRS = (
    (re.compile(r"No module named '(pkg_resources|setuptools|distutils)"), "setuptools<81"),
    (re.compile(r"Descriptors cannot"), "protobuf<4"),
    (re.compile(r"'numpy' has no attribute '(float|int|bool|object|str|complex|typeDict)'"), "numpy<1.24"),
    (re.compile(r"numpy\.(dtype|ufunc) size|numpy\.core|_ARRAY_API|NumPy 1\.x|'numpy' has no"), "numpy<2"),
    (re.compile(r"'scipy[^']*' has no attribute|cannot import name '[^']*' from 'scipy"), "scipy<1.12"),
    (re.compile(r"No module named 'mlflow"), "mlflow"),
)
MISSING = re.compile(r"No module named '([A-Za-z0-9_]+)")
IMPORTED_AS = {"yaml": "pyyaml", "dateutil": "python-dateutil", "sklearn": "scikit-learn", "PIL": "pillow"}
BY_NAME = ("pandas", "scipy", "joblib", "cloudpickle", "dill", "skops", "xgboost", "lightgbm", "catboost")


@dataclass(frozen=True)
class Needs:
    """Lines for uv, and what is imported to see whether they fit together."""

    lines: tuple[str, ...]
    pinned: frozenset[str]  # distributions that the model itself names a version of
    modules: tuple[str, ...]


def needs_of(found: Found, say: Callable[[str], None]) -> Needs:
    """What the model's own files ask for, mended where they forget something. ConvertError: they say none."""
    mlmodel = found.mlmodel
    wrote, version = mlmodel.wrote
    if not mlmodel.requirements and not version:
        raise ConvertError(
            f"{found.folder} says neither what the model needs nor what wrote it",
            "is the copy complete? or --no-isolation, with the model's libraries installed here",
        )
    if not mlmodel.requirements:
        say(
            f"WARNING: no requirements.txt, no conda.yaml: {wrote} {version} by the MLmodel, the rest by date"
        )
    lines = {}
    for line in mlmodel.requirements:
        name = name_of(line)
        if name not in SKIPPED:
            lines[name or line] = _absolute(line, found.folder)
    if version:
        pin = f"{wrote}=={version}"
        own = lines.get(wrote, "")
        if "==" in own and own.replace(" ", "").partition(";")[0] != pin:
            say(f"WARNING: requirements.txt has {own}, but {version} wrote the model: {pin} is taken")
        lines[wrote] = pin
    if mlmodel.file.endswith(".skops"):
        lines.setdefault("skops", "skops")
    for name in ALWAYS:
        lines.setdefault(name, name)
    pinned = frozenset(name for name, line in lines.items() if "==" in line)
    return Needs(tuple(lines.values()), pinned, modules_of(lines))


def modules_of(names: Iterable[str]) -> tuple[str, ...]:
    """What to import of the distributions."""
    return (*(name for name in PROBED if name in names), *PARTS)


def repair_of(error: str, mlflow: str) -> str:
    """A line that may mend an import that failed, "" where none is known. mlflow: the version that logged."""
    for pattern, line in REPAIRS:
        if pattern.search(error):
            return f"mlflow=={mlflow}" if line == "mlflow" and mlflow else line
    match = MISSING.search(error)
    if match:
        name = IMPORTED_AS.get(match[1], match[1])
        return name if name in BY_NAME or name in IMPORTED_AS.values() else ""
    return ""


def name_of(line: str) -> str:
    """The distribution that a line is about, normalised; "" for options, paths and URLs."""
    match = None if line.startswith(("-", ".", "/")) or "://" in line.partition("@")[0] else NAME.match(line)
    return re.sub(r"[-_.]+", "-", match[1]).lower() if match else ""


def _absolute(line: str, folder: Path) -> str:
    """Paths in it by the model's folder: constraints and wheels that MLflow put there."""
    option, _, path = line.partition(" ")
    if option in ("-c", "-r", "--constraint", "--requirement"):
        return f"{option} {folder / path.strip()}"
    return str(folder / line) if "==" not in line and (folder / line).exists() else line
