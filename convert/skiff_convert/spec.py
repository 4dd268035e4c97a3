"""Stage 3: the feature spec, a TOML file that says how a record becomes features.

    model = "ride_duration_prediction_model"
    id = "ride_id"                      # where the record's id is; may be left out
    prediction = "ride_duration"        # its name in the output
    unit = "minutes"                    # may be left out

    [features]
    PU_DO = "{ride.PULocationID}_{ride.DOLocationID}"   # a template: always a string
    trip_distance = "ride.trip_distance"                # a path: the value as it is

A path is keys with dots between; or, where a key has a dot in it, a list of keys. In a template it stands in
braces; {{ and }} are braces themselves. A table says more of a feature; feature.py has its options. A
classifier may have probabilities = "name" and margin = "name".
"""

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from .errors import ConvertError
from .feature import Feature, Keys, feature, path
from .feature import Template as Template

KEYS = {
    "model": True,
    "id": False,
    "prediction": True,
    "unit": False,
    "probabilities": False,
    "margin": False,
    "features": True,
}  # name: required


@dataclass(frozen=True)
class Spec:
    """How a record becomes features, and what the output is called."""

    model: str
    prediction: str
    unit: str
    id: Keys | None
    features: dict[str, Feature]
    probabilities: str = ""  # what a classifier's probabilities are called; "": left out
    margin: str = ""  # what its decision values are called; "": left out
    required: frozenset[str] = frozenset()  # features that a record must have where others may be absent


def load(name: str) -> Spec:
    """The spec in a file; "taxi" is the one that ships. ConvertError with the line that is wrong."""
    file = resources.files(__package__) / "taxi.toml" if name == "taxi" else Path(name)
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as err:
        raise ConvertError(f"reading spec {name}: {err.strerror}", "--spec FILE, taxi or none") from err
    except UnicodeDecodeError as err:
        raise ConvertError(f"spec {name} is not UTF-8", "a spec is TOML") from err
    return parse(text, name)


def parse(text: str, name: str = "spec") -> Spec:
    """The spec in a TOML text; name is for errors."""
    try:
        table = tomllib.loads(text)
        _check_keys(table)
        features = {key: feature(key, value) for key, value in table["features"].items()}
        spec = Spec(
            model=table["model"],
            prediction=table["prediction"],
            unit=table.get("unit", ""),
            id=path("id", table["id"]) if "id" in table else None,
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
    sources = {name: Feature((name,)) for name in features}
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
