"""What a model can be called."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..errors import ConvertError

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
RUN = re.compile(r"[0-9a-f]{32}")
LOGGED = re.compile(r"m-[0-9a-f]{32}")
HINT = "name a folder with an MLmodel, runs:/…, models:/… or s3://…"


@dataclass(frozen=True)
class Uri:
    """Files of their own: a folder's path, or a URI with a scheme that place knows."""

    uri: str


@dataclass(frozen=True)
class OfRun:
    """runs:/<run>/<path>; path is "" where the run has only one model."""

    run: str
    path: str


@dataclass(frozen=True)
class Registered:
    """models:/<name>/<version, stage or latest>, or models:/<name>@<alias>; the other of the two is ""."""

    name: str
    version: str
    alias: str


@dataclass(frozen=True)
class Logged:
    """models:/m-<id>, a model of MLflow 3."""

    id: str


def parse(model: str) -> Uri | OfRun | Registered | Logged:
    """What model names. ConvertError when it is no form of name."""
    scheme = SCHEME.match(model)
    kind = scheme[1].lower() if scheme else ""
    if kind == "runs":
        run, _, path = _path(model).partition("/")
        if not run:
            raise ConvertError(f"{model} names no run", "runs:/<RUN_ID>/<name of the model>")
        return OfRun(run, path.strip("/"))
    if kind == "models":
        return _registered(model)
    if kind:
        return Uri(model)
    if not Path(model).exists():
        if RUN.fullmatch(model):
            raise ConvertError(f"no folder {model}", f"did you mean runs:/{model}/model?")
        if LOGGED.fullmatch(model):
            raise ConvertError(f"no folder {model}", f"did you mean models:/{model}?")
    return Uri(model)


def _registered(model: str) -> Registered | Logged:
    path = _path(model)
    name, _, alias = path.rpartition("@")
    if name and alias and "/" not in path:
        return Registered(name, "", alias)
    name, _, version = path.partition("/")
    if name and version and "/" not in version:
        return Registered(name, version, "")
    if LOGGED.fullmatch(path):
        return Logged(path)
    raise ConvertError(
        f"{model} does not say which version",
        "models:/<name>/<version>, models:/<name>@<alias> or models:/m-<id>",
    )


def _path(model: str) -> str:
    return unquote(urlsplit(model).path).strip("/")
