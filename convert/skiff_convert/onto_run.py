"""--log: puts a bundle on its run, as artifacts onnx/, by MLflow's client. Nothing else writes to a store."""

import os
import sqlite3
from pathlib import Path

from .errors import ConvertError
from .find import Found

FOLDER = "onnx"  # artifacts of the run; where the worker looks
SQLITE = "sqlite:///"


def check_log(found: Found) -> None:
    """ConvertError where log would fail, or would change more than the run; before anything is converted."""
    uri = os.environ.get("MLFLOW_TRACKING_URI", "")
    if not found.mlmodel.run_id:
        raise ConvertError("--log: the model was saved outside a run", "leave --log out")
    if not uri:
        raise ConvertError(
            "--log: MLFLOW_TRACKING_URI is not set", "it names the store that has the run, and is written to"
        )
    try:
        from mlflow.store.db.utils import _get_latest_schema_revision
    except ImportError as err:
        raise ConvertError(
            "--log needs MLflow", "install mlflow beside the converter, of the store's version"
        ) from err
    if not uri.startswith(SQLITE):
        return
    path = Path(uri.removeprefix(SQLITE))
    if not path.is_file():
        raise ConvertError(f"--log: there is no database {path}", "is MLFLOW_TRACKING_URI right?")
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        has = database.execute("SELECT version_num FROM alembic_version").fetchone()
    if not has or has[0] != _get_latest_schema_revision():
        raise ConvertError(
            "--log: the tracking database is of another MLflow, and this one would migrate it",
            f"with the MLflow that it is of: MlflowClient().log_artifacts(run_id, folder, {FOLDER!r})",
        )


def log(found: Found, folder: Path) -> str:
    """Where the bundle now is. ConvertError when MLflow does not take it."""
    from mlflow.tracking import MlflowClient

    try:
        client = MlflowClient(os.environ["MLFLOW_TRACKING_URI"])
        uri = client.get_run(found.run_id).info.artifact_uri
        client.log_artifacts(found.run_id, str(folder), FOLDER)
    except Exception as err:  # MLflow's stores raise whatever their back end does
        reason = (str(err).strip().splitlines() or [type(err).__name__])[0]
        raise ConvertError(
            f"--log: putting {folder} on run {found.run_id}: {reason}",
            "the bundle itself is good: may you write to the run's artifacts?",
        ) from err
    return f"{uri.rstrip('/')}/{FOLDER}/"
