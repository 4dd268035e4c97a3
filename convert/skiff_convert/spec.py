"""Stage 3: the feature spec, a TOML file that says how a record becomes features.

    model = "ride_duration_prediction_model"
    id = "ride_id"                      # where the record's id is; may be left out
    prediction = "ride_duration"        # its name in the output
    unit = "minutes"                    # may be left out

    [features]
    PU_DO = "{ride.PULocationID}_{ride.DOLocationID}"   # a template: always a string
    trip_distance = "ride.trip_distance"                # a path: the value as it is

A path is keys with dots between. In a template it stands in braces; {{ and }} are braces themselves.
"""

import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from .errors import ConvertError

Keys = tuple[str, ...]  # a path into a record, outermost key first

KEYS = {"model": True, "id": False, "prediction": True, "unit": False, "features": True}  # name: required
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
        )
        if spec.id and spec.id[-1] == spec.prediction:
            raise ValueError(f"id and prediction are both called {spec.prediction}")
    except ValueError as err:  # tomllib's errors are ValueErrors too
        raise ConvertError(
            f"spec {name}: {err}", "convert/skiff_convert/taxi.toml is one that works"
        ) from err
    return spec


def by_name(features: list[str]) -> Spec:
    """The spec when none is given: each feature is the record's key of that name; no id."""
    return Spec("model", "prediction", "", None, {name: (name,) for name in features})


def _check_keys(table: dict) -> None:
    for key in table:
        if key not in KEYS:
            raise ValueError(f"unknown key {key}")
    for key, required in KEYS.items():
        if key not in table:
            if required:
                raise ValueError(f"{key} is missing")
        elif not isinstance(table[key], dict if key == "features" else str):
            raise ValueError(f"{key} must be a {'table' if key == 'features' else 'string'}")
        elif required and not table[key]:
            raise ValueError(f"{key} is empty")


def _source(feature: str, value: object) -> Template | Keys:
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


def _path(key: str, value: str) -> Keys:
    path = tuple(value.split("."))
    if not all(path) or path[0] == "$" or any(part != part.strip() for part in path):
        raise ValueError(f"{key}: {value!r} is not a path")
    return path
