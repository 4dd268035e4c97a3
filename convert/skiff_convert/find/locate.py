"""From a model's name to the place of its files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from ..errors import ConvertError
from .name import HINT, Logged, OfRun, Registered, Uri, parse
from .place import Folder, Place, below, open_place
from .server import Server
from .store import READY, Run, Store, stores
from .store import Logged as LoggedModel

T = TypeVar("T")
MANY = 10  # names in a hint


@dataclass(frozen=True)
class Located:
    """Where a model's files are."""

    place: Place
    name: str = ""  # that it was logged by
    run: Run | None = None
    store: Store | None = None  # that knows the run


def locate(model: str, tracking: str | None = None) -> Located:
    """Where the model is. ConvertError when there is no such run, name, version or folder."""
    name = parse(model)
    if isinstance(name, Uri):
        return _uri(name.uri, tracking)
    if isinstance(name, OfRun):
        store, run = _first(stores(tracking, False, model), lambda s: s.run(name.run), f"run {name.run}")
        return _of_run(store, run, name.path)
    if isinstance(name, Logged):
        store, logged = _first(
            stores(tracking, False, model), lambda s: s.logged(name.id), f"model {name.id}"
        )
        return _logged(store, store.run(logged.run_id), logged)
    return _registered(model, name, tracking)


def names(run: Run, store: Store | None) -> list[str]:
    """The names of a run's models."""
    found = [model.name for model in run.models] + list(run.paths)
    if not found:
        files = _artifacts(run, store)
        found = [path.rpartition("/")[0] for path in files if path.endswith("/MLmodel")]
    return list(dict.fromkeys(found))


def apart(run: Run, store: Store | None) -> list[str]:
    """A run's files that look like half of a pipeline: pickled, and not of a model that MLflow logged."""
    files = _artifacts(run, store)
    models = [path.removesuffix("MLmodel") for path in files if path.endswith("/MLmodel")]
    ends = (".b", ".bin", ".pkl", ".pickle", ".joblib", ".sav")
    return [path for path in files if path.endswith(ends) and not path.startswith(tuple(models))]


def _artifacts(run: Run, store: Store | None) -> list[str]:
    """The files of a run, for a hint: none where they cannot be listed."""
    try:
        return list(open_place(run.artifact_uri, store).files()) if run.artifact_uri else []
    except (ConvertError, OSError):
        return []


def _uri(uri: str, tracking: str | None) -> Located:
    scheme = urlsplit(uri).scheme
    if scheme in ("mlflow-artifacts", "http", "https"):
        store = next((s for s in stores(tracking, False, uri) if isinstance(s, Server)), None)
        return Located(open_place(uri, store), store=store)
    if scheme == "file":
        uri = unquote(urlsplit(uri).path)
    place = open_place(uri)
    if isinstance(place, Folder):
        path = Path(uri)
        if path.is_file():
            near = path if path.name == "MLmodel" else path.with_name("MLmodel")
            hint = (
                f"did you mean {path.parent}?" if near.is_file() else "name the folder that has its MLmodel"
            )
            raise ConvertError(f"{uri} is a file", hint)
        if not path.is_dir():
            raise ConvertError(f"no folder {uri}", HINT)
    return Located(place)


def _of_run(store: Store, run: Run, path: str) -> Located:
    has = names(run, store)
    if not path and len(has) == 1:
        path = has[0]
    if not path:
        if not has:
            raise _no_model(store, run, f"run {run.id} has no model")
        raise ConvertError(f"run {run.id} has {len(has)} models", f"name one: {_listed(run, has)}")
    same = [model for model in run.models if model.name == path]
    if same:
        return _logged(store, run, same[-1])  # the latest, as MLflow has it
    if not run.artifact_uri:
        raise ConvertError(f"run {run.id} has no artifacts", "was it deleted?")
    place = below(open_place(run.artifact_uri, store), path, store)
    files = list(place.files())
    if "MLmodel" in files or path in has:
        return Located(place, path, run, store)
    if has:
        raise ConvertError(f"run {run.id} has no model {path}", f"did you mean {_listed(run, has)}?")
    if files:
        raise _no_model(store, run, f"runs:/{run.id}/{path} has no MLmodel")
    raise _no_model(store, run, f"run {run.id} has no model {path}")


def _no_model(store: Store, run: Run, message: str) -> ConvertError:
    halves = apart(run, store)
    if halves:
        return ConvertError(message, f"it has {', '.join(halves[:MANY])}: {TOGETHER}")
    return ConvertError(message, "logging it failed or was left out: mlflow.sklearn.log_model writes one")


TOGETHER = "log a Pipeline of the vectorizer and the estimator with mlflow.sklearn.log_model"


def _listed(run: Run, has: Sequence[str]) -> str:
    more = [f"and {len(has) - MANY} more"] if len(has) > MANY else []
    return ", ".join([f"runs:/{run.id}/{name}" for name in has[:MANY]] + more)


def _logged(store: Store, run: Run | None, logged: LoggedModel) -> Located:
    place = open_place(logged.uri, store)
    if logged.status != READY and "MLmodel" not in place.files():
        raise ConvertError(
            f"logging the model {logged.name} ({logged.id}) was not finished: {logged.status}",
            "log it again; why it failed was said where it was logged",
        )
    return Located(place, logged.name, run, store)


def _registered(model: str, wanted: Registered, tracking: str | None) -> Located:
    registries = stores(tracking, True, model)
    what = f"registered model {wanted.name}"
    store, versions = _first(registries, lambda s: s.versions(wanted.name), what)
    by_number = {version.number: version for version in versions}
    if wanted.alias:
        number = store.alias(wanted.name, wanted.alias)
        missing = f"{what} has no alias {wanted.alias}"
    else:
        stage = wanted.version.lower()
        fitting = [v.number for v in versions if stage in ("latest", str(v.number), v.stage.lower())]
        number = max(fitting, default=None)
        missing = f"{what} has no version {wanted.version}"
    if number not in by_number:
        hint = ", ".join(f"models:/{wanted.name}/{number}" for number in sorted(by_number)[-MANY:])
        raise ConvertError(missing, f"it has {hint}" if hint else "it has no version at all")
    version = by_number[number]
    uri = (isinstance(store, Server) and store.download_uri(wanted.name, number)) or version.uri
    if uri.startswith(("models:/", "runs:/")):
        return locate(uri, tracking)
    runs = ((s, s.run(version.run_id)) for s in reversed(registries) if version.run_id)
    keeper, run = next((pair for pair in runs if pair[1]), (store, None))
    located = Located(open_place(uri, store), "", run, keeper)
    if run and uri.startswith(run.artifact_uri + "/"):
        return replace(located, name=uri.removeprefix(run.artifact_uri).strip("/"))
    return located


def _first(candidates: list[Store], ask: Callable[[Store], T | None], what: str) -> tuple[Store, T]:
    """The first store that knows, and what it says."""
    for store in candidates:
        answer = ask(store)
        if answer is not None:
            return store, answer
    where = " nor in ".join(store.name for store in candidates)
    raise ConvertError(
        f"no {what} in {where}", "MLFLOW_TRACKING_URI names the tracking store: is it that one?"
    )
