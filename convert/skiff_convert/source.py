"""Stage 2: finds the MLflow model and reads its MLmodel."""

import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import yaml

from .errors import ConvertError

RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # it names a folder and goes into paths
MLFLOW_RUN_ID = re.compile(r"[0-9a-f]{32}")
REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")
LOCAL_STORES = ("mlflow.db", "mlruns")  # what MLflow uses where no other is named


@dataclass(frozen=True)
class Source:
    """An MLflow model with the sklearn flavor, in a local folder."""

    folder: Path
    file: str  # the pipeline's file, inside folder
    trusted: tuple[str, ...]  # type names that the flavor declares for skops
    sklearn: str  # version that wrote the file, "" when the MLmodel does not say
    run_id: str
    created: str  # RFC 3339, UTC, whole seconds


def find(model: str, run_id: str | None = None) -> Source:
    """The model named by a folder or an MLflow URI.

    run_id is for models that were saved outside a run. ConvertError when there is no such model, it has no
    sklearn flavor, or run_id contradicts it.
    """
    folder = _download(model) if REMOTE.match(model) else Path(model)
    mlmodel = _load_mlmodel(folder)
    flavor = (mlmodel.get("flavors") or {}).get("sklearn")
    if not isinstance(flavor, dict):
        raise ConvertError(
            f"{folder} has no sklearn flavor", "log the pipeline with mlflow.sklearn.log_model"
        )
    file = str(flavor.get("pickled_model") or "model.pkl")
    if not (folder / file).is_file():
        raise ConvertError(f"{folder} has no {file}", "its MLmodel names that file: is the copy complete?")
    return Source(
        folder=folder,
        file=file,
        trusted=tuple(flavor.get("skops_trusted_types") or ()),
        sklearn=str(flavor.get("sklearn_version") or ""),
        run_id=_run_id(mlmodel, run_id),
        created=_created(mlmodel),
    )


def _load_mlmodel(folder: Path) -> dict:
    if not folder.is_dir():
        hint = "name a folder with an MLmodel, runs:/… or models:/…"
        if MLFLOW_RUN_ID.fullmatch(str(folder)):
            hint = f"did you mean runs:/{folder}/model?"
        raise ConvertError(f"no folder {folder}", hint)
    path = folder / "MLmodel"
    if not path.is_file():
        inside = sorted(p.parent for p in folder.glob("**/MLmodel"))
        hint = f"did you mean {inside[0]}?" if inside else "mlflow.sklearn.log_model writes one"
        raise ConvertError(f"{folder} has no MLmodel", hint)
    try:
        mlmodel = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as err:
        raise ConvertError(f"{path} is not YAML", "is the copy complete?") from err
    if not isinstance(mlmodel, dict):
        raise ConvertError(f"{path} is not an MLmodel", "mlflow.sklearn.log_model writes one")
    return mlmodel


def _download(uri: str) -> Path:
    """The local folder of an MLflow URI; MLflow knows where 2.x and 3.x keep the files."""
    of_a_store = uri.startswith(("runs:", "models:"))
    if of_a_store and "MLFLOW_TRACKING_URI" not in os.environ and not any(map(os.path.exists, LOCAL_STORES)):
        raise ConvertError(
            f"fetching {uri}: MLFLOW_TRACKING_URI is not set, and there is no store here",
            "set it to the tracking server or the store's file, as in sqlite:////path/to/mlflow.db",
        )
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # 7 take four minutes to fail
    try:
        import mlflow
    except ImportError as err:
        raise ConvertError(f"{uri} needs MLflow", "install mlflow, or name a local folder") from err
    try:
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri))
    except ImportError as err:
        raise ConvertError(f"{uri} needs the module {err.name}", "download it, then name the folder") from err
    except Exception as err:  # MLflow's stores raise whatever their back end does
        reason = (str(err).strip().splitlines() or [type(err).__name__])[0]
        raise ConvertError(
            f"fetching {uri}: {reason}",
            "MLFLOW_TRACKING_URI names the tracking store; or download it, then name the folder",
        ) from err


def _run_id(mlmodel: dict, given: str | None) -> str:
    logged = mlmodel.get("run_id")
    if given and logged and given != logged:
        raise ConvertError(
            f"--run-id {given} contradicts the model, which is run {logged}", "leave --run-id out"
        )
    run_id = str(logged or given or mlmodel.get("model_uuid") or "")
    if not run_id:
        raise ConvertError("the model was saved outside a run", "give its bundle a name with --run-id")
    if not RUN_ID.fullmatch(run_id):
        raise ConvertError(
            f"run id {run_id!r} cannot name a bundle", "letters, digits, - and _, at most 64 of them"
        )
    return run_id


def _created(mlmodel: dict) -> str:
    created = mlmodel.get("utc_time_created")
    try:
        moment = created if isinstance(created, datetime) else datetime.fromisoformat(str(created))
    except ValueError as err:
        raise ConvertError("the MLmodel has no utc_time_created", "is the MLmodel complete?") from err
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
