"""A tracking store of files: mlruns, as MLflow's file store writes it, wherever it was moved to."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from ..errors import ConvertError
from .database import STATUS, history
from .store import READY, Logged, Run, Version

REGISTRY = "models"  # of mlruns; that of an experiment has its logged models


class Files:
    """The store in a folder."""

    def __init__(self, root: Path):
        if not root.is_dir():
            raise ConvertError(
                f"no tracking store {root}", "MLFLOW_TRACKING_URI names it: is the path right?"
            )
        self.name, self.folder, self._root = str(root), root.absolute().parent, root

    def run(self, run_id: str) -> Run | None:
        for folder in self._every(run_id):
            meta = read_meta(folder)
            if meta.get("run_id", meta.get("run_uuid")) != run_id:
                continue
            tag = folder / "tags" / "mlflow.log-model.history"
            paths = history([tag.read_text("utf-8")]) if tag.is_file() else ()
            outputs = {path.name for path in folder.glob("outputs/m-*")}
            models = [self._logged(path) for path in folder.parent.glob("models/m-*")]
            mine = [model for model in models if model and (model.run_id == run_id or model.id in outputs)]
            own = folder / "artifacts"
            return Run(
                run_id,
                str(meta.get("experiment_id", folder.parent.name)),
                _here(meta.get("artifact_uri"), own),
                paths,
                tuple(sorted(mine, key=lambda model: (model.created, model.id))),
            )
        return None

    def logged(self, model_id: str) -> Logged | None:
        return next((self._logged(path) for path in self._every(f"models/{model_id}")), None)

    def versions(self, name: str) -> Sequence[Version] | None:
        folder = self._root / REGISTRY / name
        if not (folder / "meta.yaml").is_file():
            return None
        metas = [read_meta(path) for path in folder.glob("version-*")]
        return [
            Version(
                int(meta["version"]),
                str(meta.get("current_stage") or "None"),
                str(meta.get("run_id") or ""),
                str(meta.get("storage_location") or meta.get("source") or ""),
            )
            for meta in metas
            if meta.get("version")
        ]

    def alias(self, name: str, alias: str) -> int | None:
        path = self._root / REGISTRY / name / "aliases" / alias
        return int(path.read_text("utf-8")) if path.is_file() else None

    def _every(self, name: str) -> Iterator[Path]:
        """The folders of that name below an experiment."""
        if ".." not in name:
            yield from (path for path in self._root.glob(f"*/{name}") if (path / "meta.yaml").is_file())

    def _logged(self, folder: Path) -> Logged | None:
        meta = read_meta(folder)
        if not meta.get("model_id"):
            return None
        own, status = folder / "artifacts", meta.get("status", READY)
        return Logged(
            str(meta["model_id"]),
            str(meta.get("name") or ""),
            str(meta.get("source_run_id") or ""),
            str(meta.get("experiment_id", folder.parent.parent.name)),
            _here(meta.get("artifact_location"), own),
            STATUS.get(status, str(status)),
            int(meta.get("creation_timestamp") or 0),
        )


def _here(uri: str | None, own: Path) -> str:
    """Where files are: as written down, but in the folder itself when that is what was written down once."""
    away = uri and urlsplit(str(uri)).scheme not in ("", "file")
    return str(uri) if away or (uri and not own.is_dir()) else str(own)


def read_meta(folder: Path) -> dict:
    """A folder's meta.yaml, {} where it has none."""
    path = folder / "meta.yaml"
    if not path.is_file():
        return {}
    try:
        meta = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as err:
        raise ConvertError(f"{path} is not YAML", "is the copy complete?") from err
    return meta if isinstance(meta, dict) else {}
