"""A model that was found."""

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath

from ..errors import ConvertError
from .locate import TOGETHER, Located, apart, locate
from .mlmodel import MLmodel, read
from .place import Folder, fetch
from .store import Run

RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # it names a folder and goes into paths
MANY = 10_000  # files of a model; beyond that the place is something else
RUNS = re.compile(r"(?:(.*/)?([0-9]+)/)?([0-9a-f]{32})/artifacts(?:/(.*))?")  # MLflow 1 and 2
MODELS = re.compile(r"(.*/)?([0-9]+)/models/m-[0-9a-f]{32}/artifacts")  # MLflow 3


@dataclass(frozen=True)
class Found:
    """An MLflow model, its files in a local folder, which is only read. What is not known is ""."""

    folder: Path
    mlmodel: MLmodel  # what MLflow wrote beside it: requirements, Python, signature …
    run_id: str
    experiment_id: str
    artifact_uri: str  # of the run, as in s3://bucket/1/<run>/artifacts
    name: str  # that the run logged it by
    _beside: Callable[[], list[str]] = field(repr=False, compare=False)
    _copy: tempfile.TemporaryDirectory | None = field(repr=False, compare=False)  # removed with this

    @property
    def file(self) -> Path:
        """The model's file."""
        return self.folder / self.mlmodel.file

    @property
    def created(self) -> str:
        """RFC 3339, UTC, whole seconds."""
        return self.mlmodel.created.strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def code_paths(self) -> list[Path]:
        """Folders that its code is imported from."""
        return [self.folder / path for path in self.mlmodel.code]

    def halves(self) -> list[str]:
        """Pickled files of its run that are no models: a vectorizer may be one."""
        return self._beside()

    def bare_hint(self) -> str:
        """What to do about an estimator that was logged without the steps before it."""
        halves = self._beside()
        return f"the run has {', '.join(halves[:10])} beside it: {TOGETHER}" if halves else TOGETHER


def find(model: str, run_id: str | None = None, tracking: str | None = None) -> Found:
    """The model named by a folder or a URI (see name).

    run_id is for models that were saved outside a run; tracking stands for MLFLOW_TRACKING_URI. ConvertError
    when there is no such model, it is none that can be converted, or run_id contradicts it.
    """
    try:
        located = locate(model, tracking)
        folder, copy = _fetch(located, model)
        mlmodel = read(folder, model)
    except PermissionError as err:
        raise ConvertError(f"reading {err.filename}: permission denied", "may this user read it?") from err
    except OSError as err:
        raise ConvertError(f"finding {model}: {err.strerror or err}", "is the path right?") from err
    if mlmodel.created is None:
        raise ConvertError("the MLmodel has no utc_time_created", "is the MLmodel complete?")
    run, name = located.run, located.name or mlmodel.path
    experiment_id, artifact_uri, of_path = _by_layout(located.place.uri, mlmodel.run_id)
    if run and not name:
        name = next((model.name for model in run.models if model.id == mlmodel.model_id), "")
    if run and run.id == mlmodel.run_id:
        experiment_id, artifact_uri = run.experiment_id, run.artifact_uri or artifact_uri
    return Found(
        folder=folder,
        mlmodel=mlmodel,
        run_id=_run_id(mlmodel, run_id),
        experiment_id=experiment_id,
        artifact_uri=artifact_uri,
        name=name or of_path,
        _beside=lambda: _beside(located, artifact_uri, mlmodel.run_id, tracking),
        _copy=copy,
    )


def _fetch(located: Located, model: str) -> tuple[Path, tempfile.TemporaryDirectory | None]:
    place = located.place
    if isinstance(place, Folder) and (place.path / "MLmodel").is_file():
        return fetch(place, ())
    if isinstance(place, Folder) and not place.path.is_dir():
        hint = "are they on another machine? name its tracking server, or copy them here"
        raise ConvertError(f"{model}: its files are said to be at {place.uri}, which is not here", hint)
    files = list(islice(place.files(), MANY + 1))
    if len(files) > MANY:
        raise ConvertError(f"{model} has more than {MANY:,} files", "name the folder that has the MLmodel")
    if "MLmodel" not in files:
        inside = sorted(str(PurePosixPath(path).parent) for path in files if path.endswith("/MLmodel"))
        hint = f"did you mean {place.uri}/{inside[0]}?" if inside else "mlflow.sklearn.log_model writes one"
        raise ConvertError(f"{model} has no MLmodel", hint)
    return fetch(place, files)


def _by_layout(uri: str, run_id: str) -> tuple[str, str, str]:
    """(experiment id, artifact URI of the run, name of the model), by where MLflow keeps such files."""
    match = RUNS.search(uri)
    if match and match[3] == run_id:
        return match[2] or "", uri[: match.end() - len(match[4] or "")].rstrip("/"), match[4] or ""
    match = MODELS.fullmatch(uri)
    if match and run_id:
        return match[2], f"{match[1] or ''}{match[2]}/{run_id}/artifacts", ""
    return "", "", ""


def _beside(located: Located, artifact_uri: str, run_id: str, tracking: str | None) -> list[str]:
    if not located.run and not artifact_uri and run_id:  # a copy: the store may know the run
        try:
            return _beside(locate(f"runs:/{run_id}", tracking), "", "", tracking)
        except (ConvertError, OSError):
            return []
    run = located.run or Run("", "", artifact_uri, (), ())
    return apart(run, located.store)


def _run_id(mlmodel: MLmodel, given: str | None) -> str:
    logged = mlmodel.run_id
    if given and logged and given != logged:
        raise ConvertError(
            f"--run-id {given} contradicts the model, which is run {logged}", "leave --run-id out"
        )
    run_id = logged or given or mlmodel.uuid
    if not run_id:
        raise ConvertError("the model was saved outside a run", "give its bundle a name with --run-id")
    if not RUN_ID.fullmatch(run_id):
        raise ConvertError(
            f"run id {run_id!r} cannot name a bundle", "letters, digits, - and _, at most 64 of them"
        )
    return run_id
