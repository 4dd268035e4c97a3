"""Stage 3: the feature spec, a TOML file that says how a record becomes features.

    model = "ride_duration_prediction_model"
    id = "ride_id"                      # where the record's id is; may be left out
    prediction = "ride_duration"        # its name in the output
    unit = "minutes"                    # may be left out

    [features]
    PU_DO = "{ride.PULocationID}_{ride.DOLocationID}"   # a template: always a string
    trip_distance = "ride.trip_distance"                # a path: the value as it is

A path is keys with dots between; or, where a key has a dot in it, a list of keys. In a template it stands in
braces; {{ and }} are braces themselves. A classifier may have probabilities = "name" and margin = "name".
"""

import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from .errors import ConvertError

Keys = tuple[str, ...]  # a path into a record, outermost key first

KEYS = {
    "model": True,
    "id": False,
    "prediction": True,
    "unit": False,
    "probabilities": False,
    "margin": False,
    "features": True,
}  # name: required
PIECE = re.compile(r"(?P<text>(?:[^{}]|\{\{|\}\})+)|\{(?P<path>[^{}]+)\}")


@dataclass(frozen=True)
class Template:
    """A string put together from a record: each part is a text, or the path of a value."""

    parts: tuple[str | Keys, ...]


@dataclass(frozen=True)
class Spec:
    """How a record becomes features, and what the output is called."""

    model: str
    prediction: str
    unit: str
    id: Keys | None
    features: dict[str, Template | Keys]
    probabilities: str = ""  # what a classifier's probabilities are called; "": left out
    margin: str = ""  # what its decision values are called; "": left out
    required: frozenset[str] = frozenset()  # features that a record must have where others may be absent


def load(path: str) -> Spec:
    """The spec in a file; "taxi" is the one that ships. ConvertError with the line that is wrong."""
    file = resources.files(__package__) / "taxi.toml" if path == "taxi" else Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as err:
        raise ConvertError(f"reading spec {path}: {err.strerror}", "--spec FILE, taxi or none") from err
    except UnicodeDecodeError as err:
        raise ConvertError(f"spec {path} is not UTF-8", "a spec is TOML") from err
    return parse(text, path)


def parse(text: str, name: str = "spec") -> Spec:
    """The spec in a TOML text; name is for errors."""
    try:
        table = tomllib.loads(text)
        _check_keys(table)
        features = {key: _source(key, value) for key, value in table["features"].items()}
        spec = Spec(
            model=table["model"],
            prediction=table["prediction"],
            unit=table.get("unit", ""),
            id=_path("id", table["id"]) if "id" in table else None,
            features=features,
            probabilities=table.get("probabilities", ""),
            margin=table.get("margin", ""),
        )
        _check_names(spec)
    except ValueError as err:  # tomllib's errors are ValueErrors too
        raise ConvertError(
            f"spec {name}: {err}", "convert/skiff_convert/taxi.toml is one that works"
        ) from err
    return spec


def by_name(features: list[str], required: Collection[str] = ()) -> Spec:
    """The spec when none is given: each feature is the record's key of that name; no id."""
    sources: dict[str, Template | Keys] = {name: (name,) for name in features}
    return Spec("model", "prediction", "", None, sources, required=frozenset(required))


def _check_names(spec: Spec) -> None:
    names = {"prediction": spec.prediction, "probabilities": spec.probabilities, "margin": spec.margin}
    called = {spec.id[-1]: "id"} if spec.id else {}
    for key, name in names.items():
        if name and name in called:
            raise ValueError(f"{called[name]} and {key} are both called {name}")
        called[name] = key


def _check_keys(table: dict) -> None:
    for key in table:
        if key not in KEYS:
            raise ValueError(f"unknown key {key}")
    for key, required in KEYS.items():
        if key not in table:
            if required:
                raise ValueError(f"{key} is missing")
        elif key == "id" and isinstance(table[key], list):
            continue  # keys, as a path has them
        elif not isinstance(table[key], dict if key == "features" else str):
            raise ValueError(f"{key} must be a {'table' if key == 'features' else 'string'}")
        elif required and not table[key]:
            raise ValueError(f"{key} is empty")


def _source(feature: str, value: object) -> Template | Keys:
    if isinstance(value, list):
        return _path(f"features.{feature}", value)
    if not isinstance(value, str):
        raise ValueError(f"features.{feature} must be a string")
    if not re.search(r"[{}]", value):
        return _path(f"features.{feature}", value)
    parts: list[str | Keys] = []
    at = 0
    for piece in PIECE.finditer(value):
        if piece.start() != at:
            break
        at = piece.end()
        if piece["path"] is not None:
            parts.append(_path(f"features.{feature}", piece["path"]))
        else:
            parts.append(piece["text"].replace("{{", "{").replace("}}", "}"))
    if at != len(value):
        raise ValueError(f"features.{feature}: stray brace at character {at + 1}")
    return Template(tuple(parts))


def _path(key: str, value: str | list) -> Keys:
    if isinstance(value, list):
        if not value or not all(isinstance(part, str) for part in value):
            raise ValueError(f"{key} must be a list of keys, which are strings")
        return tuple(value)
    path = tuple(value.split("."))
    if not all(path) or path[0] == "$" or any(part != part.strip() for part in path):
        raise ValueError(f"{key}: {value!r} is not a path")
    return path
