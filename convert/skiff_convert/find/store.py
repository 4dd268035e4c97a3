"""Where runs, logged models and registered models are written down."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from ..errors import ConvertError

READY = "READY"
HERE = ("mlflow.db", "mlruns")  # what MLflow uses where no store is named
DATABASES = ("postgres", "mysql", "mssql", "oracle")


@dataclass(frozen=True)
class Logged:
    """A model that MLflow 3 logged."""

    id: str
    name: str
    run_id: str
    experiment_id: str
    uri: str  # of its files
    status: str  # READY, or why there may be none
    created: int  # ms


@dataclass(frozen=True)
class Run:
    """A run."""

    id: str
    experiment_id: str
    artifact_uri: str
    paths: tuple[str, ...]  # of the models among its artifacts, as MLflow 1 and 2 wrote down
    models: tuple[Logged, ...]  # of MLflow 3, oldest first


@dataclass(frozen=True)
class Version:
    """A version of a registered model."""

    number: int
    stage: str  # Production, Staging, Archived, None
    run_id: str
    uri: str  # of its files, or of the model that it is: runs:/…, models:/m-…


class Store(Protocol):
    """Who knows; what it does not know is None."""

    name: str  # for messages, without a password
    folder: Path | None  # where relative paths start

    def run(self, run_id: str) -> Run | None: ...

    def logged(self, model_id: str) -> Logged | None: ...

    def versions(self, name: str) -> Sequence[Version] | None: ...

    def alias(self, name: str, alias: str) -> int | None: ...


def stores(tracking: str | None, registry: bool, wanted: str) -> list[Store]:
    """The stores to look in, in this order.

    tracking, or else MLFLOW_TRACKING_URI; where a registered model is wanted, MLFLOW_REGISTRY_URI before
    both; or else what MLflow would use here. ConvertError when there is none, or none that can be read.
    """
    named = [os.environ.get("MLFLOW_REGISTRY_URI")] if registry else []
    named += [tracking or os.environ.get("MLFLOW_TRACKING_URI")]
    there = [uri for uri in named if uri] or [uri for uri in HERE if os.path.exists(uri)]
    if not there:
        raise ConvertError(
            f"finding {wanted}: MLFLOW_TRACKING_URI is not set, and there is no store here",
            "set it to the tracking server or the store's file, as in sqlite:////path/to/mlflow.db",
        )
    return [open_store(uri) for uri in dict.fromkeys(there)]


def open_store(uri: str) -> Store:
    """The store at a tracking URI."""
    from .database import Database
    from .files import Files
    from .server import Server

    scheme = uri.split(":", 1)[0].lower() if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", uri) else ""
    if scheme in ("http", "https"):
        return Server(uri)
    if scheme.split("+")[0] == "sqlite":
        return Database(Path(uri.split("://", 1)[1].partition("?")[0].removeprefix("/")))
    if scheme.startswith(DATABASES):
        raise ConvertError(
            f"a tracking store in {scheme.split('+')[0]} cannot be read directly",
            "start `mlflow server --backend-store-uri …` on it, of its own MLflow, and name that",
        )
    if scheme not in ("", "file"):
        raise ConvertError(
            f"no tracking store is known by {scheme}:",
            "MLFLOW_TRACKING_URI: http(s)://…, sqlite:///… or a folder; or download the model",
        )
    path = Path(unquote(urlsplit(uri).path) if scheme else uri)
    if path.is_file():
        return Database(path)
    return Files(path)
