"""A tracking database in SQLite, of MLflow 1.26 to 3: opened to be read only, so it is never migrated."""

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from ..errors import ConvertError
from .store import READY, Logged, Run, Version

STATUS = {0: "UNSPECIFIED", 1: "PENDING", 2: READY, 3: "UPLOAD_FAILED"}  # LoggedModelStatus, mlflow 3
WAL = 2  # SQLite's file header, byte 18: writes go to a file beside it
WAIT = 5.0  # seconds for a writer to finish


class Database:
    """The store in one SQLite file."""

    def __init__(self, path: Path):
        if not path.is_file():
            raise ConvertError(f"no database {path}", "MLFLOW_TRACKING_URI: sqlite:////path/to/mlflow.db")
        self.name, self.folder = str(path), path.absolute().parent
        self._path = path
        self._has = {name for (name,) in self._all("select name from sqlite_master where type = 'table'")}
        if "runs" not in self._has:
            raise ConvertError(f"{path} is not an MLflow database", "it has no table runs")

    def run(self, run_id: str) -> Run | None:
        rows = self._all("select experiment_id, artifact_uri from runs where run_uuid = ?", run_id)
        if not rows:
            return None
        tags = self._all(
            "select value from tags where run_uuid = ? and key = 'mlflow.log-model.history'", run_id
        )
        return Run(run_id, str(rows[0][0]), rows[0][1] or "", history(*tags[:1]), self._of_run(run_id))

    def logged(self, model_id: str) -> Logged | None:
        return next(iter(self._models("model_id = ?", model_id)), None)

    def versions(self, name: str) -> Sequence[Version] | None:
        if not self._all("select 1 from registered_models where name = ?", name):
            return None
        columns = {row[1] for row in self._all("pragma table_info(model_versions)")}
        where = "coalesce(storage_location, source)" if "storage_location" in columns else "source"
        rows = self._all(
            f"select version, current_stage, run_id, {where} from model_versions where name = ?", name
        )
        return [Version(int(v), stage or "None", run or "", uri or "") for v, stage, run, uri in rows]

    def alias(self, name: str, alias: str) -> int | None:
        if "registered_model_aliases" not in self._has:
            return None
        rows = self._all(
            "select version from registered_model_aliases where name = ? and alias = ?", name, alias
        )
        return int(rows[0][0]) if rows else None

    def _of_run(self, run_id: str) -> tuple[Logged, ...]:
        if "logged_models" not in self._has:
            return ()
        # A run's models are those it made; outputs also has those that were made elsewhere and logged on it.
        outputs = "select destination_id from inputs where source_type = 'RUN_OUTPUT' and source_id = ?"
        return self._models(f"source_run_id = ? or model_id in ({outputs})", run_id, run_id)

    def _models(self, where: str, *values: str) -> tuple[Logged, ...]:
        if "logged_models" not in self._has:
            return ()
        rows = self._all(
            "select model_id, name, source_run_id, experiment_id, artifact_location, status, "
            f"creation_timestamp_ms from logged_models where ({where}) and lifecycle_stage = 'active' "
            "order by creation_timestamp_ms, model_id",
            *values,
        )
        return tuple(
            Logged(id_, name, run or "", str(experiment), uri, STATUS.get(status, str(status)), created)
            for id_, name, run, experiment, uri, status, created in rows
        )

    def _all(self, query: str, *values: str) -> list[tuple]:
        try:
            with open(self._path, "rb") as file:
                wal = file.read(19)[18:19] == bytes([WAL])
            if not wal:
                return _read(self._path, query, values)
            # To read beside a write-ahead log, SQLite makes a file: it may do so in a folder of ours.
            with tempfile.TemporaryDirectory(prefix="skiff-") as folder:
                for end in ("", "-wal"):
                    path = Path(f"{self._path}{end}")
                    if path.exists():
                        shutil.copy(path, Path(folder, "copy.db" + end))
                return _read(Path(folder, "copy.db"), query, values)
        except sqlite3.Error as err:
            busy = "locked" in str(err)
            hint = "somebody is writing to it: try again" if busy else "is it an MLflow tracking database?"
            raise ConvertError(f"reading {self._path}: {err}", hint) from err


def _read(path: Path, query: str, values: Sequence[str]) -> list[tuple]:
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=WAIT)) as connection:
        return connection.execute(query, values).fetchall()


def history(row: Sequence[str] = ()) -> tuple[str, ...]:
    """The artifact paths in the tag mlflow.log-model.history of MLflow 1 and 2: a JSON text, or none."""
    try:
        return tuple(dict.fromkeys(str(model["artifact_path"]) for model in json.loads(row[0])))
    except (IndexError, ValueError, TypeError, KeyError):
        return ()
