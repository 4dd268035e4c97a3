"""--log: puts a bundle on its run, as artifacts onnx/, by MLflow's client. Nothing else writes to a store.

A run may have several models. What is at onnx/ already, and is not the same model's, stays: the bundle then
goes to onnx/NAME/, by the name that the run logged its model by.
"""

import json
import os
import re
import sqlite3
import tempfile
from pathlib import Path

from . import bundle
from .errors import ConvertError
from .find import Found

FOLDER = "onnx"  # artifacts of the run; where the worker looks
SQLITE = "sqlite:///"
NAME = re.compile(r"[A-Za-z0-9_.-]+")


def check_log(found: Found) -> str:
    """Where log will put the bundle, of the run's artifacts.

    ConvertError where that would fail, or change more than the run, or replace what is there; before anything
    is converted.
    """
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
    if uri.startswith(SQLITE):
        _check_database(uri, _get_latest_schema_revision())
    return _place(found, uri)


def _check_database(uri: str, revision: str) -> None:
    path = Path(uri.removeprefix(SQLITE))
    if not path.is_file():
        raise ConvertError(f"--log: there is no database {path}", "is MLFLOW_TRACKING_URI right?")
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        has = database.execute("SELECT version_num FROM alembic_version").fetchone()
    if not has or has[0] != revision:
        raise ConvertError(
            "--log: the tracking database is of another MLflow, and this one would migrate it",
            f"with the MLflow that it is of: MlflowClient().log_artifacts(run_id, folder, {FOLDER!r})",
        )


def _place(found: Found, uri: str) -> str:
    """The first place that is empty, or has a bundle of this very model."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(uri)
    name = found.name.strip("/").rpartition("/")[2]
    places = [FOLDER, *([f"{FOLDER}/{name}"] if NAME.fullmatch(name) and name.strip(".") else [])]
    mine = found.created, found.mlmodel.model_id or found.mlmodel.uuid
    for place in places:
        try:
            if _theirs(client, found.run_id, place) in (None, mine):
                return place
        except Exception as err:  # MLflow's stores raise whatever their back end does
            raise _failed(
                err, f"looking at {place}/ of run {found.run_id}", "is the run in that store?"
            ) from err
    raise ConvertError(
        f"--log: {' and '.join(places)} of run {found.run_id} are of something else",
        "leave --log out; a bundle may be anywhere, MODEL_LOCATION tells the worker where",
    )


def _theirs(client, run_id: str, place: str) -> tuple | None:  # noqa: ANN001
    """What tells the model apart whose bundle is there; () of other files, None where there are none."""
    files = [one.path for one in client.list_artifacts(run_id, place) if not one.is_dir]
    if not files:
        return None
    if f"{place}/manifest.json" not in files:
        return ()
    with tempfile.TemporaryDirectory(prefix="skiff-") as folder:
        path = client.download_artifacts(run_id, f"{place}/manifest.json", folder)
        try:
            return bundle.model_of(json.loads(Path(path).read_text("utf-8")))
        except (ValueError, AttributeError):
            return ()


def _failed(err: Exception, doing: str, hint: str) -> ConvertError:
    reason = (str(err).strip().splitlines() or [type(err).__name__])[0]
    return ConvertError(f"--log: {doing}: {reason}", hint)


def log(found: Found, folder: Path, place: str) -> str:
    """Puts it at the place that check_log found; its URI. ConvertError when MLflow does not take it."""
    from mlflow.tracking import MlflowClient

    try:
        client = MlflowClient(os.environ["MLFLOW_TRACKING_URI"])
        uri = client.get_run(found.run_id).info.artifact_uri
        client.log_artifacts(found.run_id, str(folder), place)
    except Exception as err:  # as above
        raise _failed(
            err,
            f"putting {folder} on run {found.run_id}",
            "the bundle itself is good: may you write to the run's artifacts?",
        ) from err
    return f"{uri.rstrip('/')}/{place}/"


def told(found: Found, place: str, uri: str) -> str:
    """What a person is told of where the bundle is: the worker finds onnx/ by RUN_ID, another place not."""
    if place == FOLDER:
        return f"it is at {uri}"
    return (
        f"it is at {uri}, as {FOLDER}/ is of something else: "
        f"MODEL_LOCATION={uri.removeprefix('file://')} RUN_ID={found.run_id} worker"
    )
