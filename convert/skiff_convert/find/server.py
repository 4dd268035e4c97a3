"""A tracking server, by MLflow's REST API (1.26 to 3), and the artifacts that it passes on."""

import base64
import configparser
import json
import os
import shutil
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit

from ..errors import ConvertError
from .database import history
from .store import READY, Logged, Run, Version

TIMEOUT = 60.0  # seconds without a byte
PAGE = 100  # models asked for at a time
GONE = (404, 400)  # answers to what there is not: MLflow 1 says 400 to an id of the wrong form
FIRST = "mlflow/runs/get"  # every MLflow has it
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


class Server:
    """The store behind a URL."""

    folder = None

    def __init__(self, url: str):
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        self.name = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        self._authorization = _authorization(unquote(parts.username or ""), unquote(parts.password or ""))

    def run(self, run_id: str) -> Run | None:
        answer = self._get("mlflow/runs/get", run_id=run_id)
        if not answer:
            return None
        run = answer["run"]
        info, tags = run["info"], run.get("data", {}).get("tags", [])
        paths = [tag["value"] for tag in tags if tag["key"] == "mlflow.log-model.history"]
        outputs = run.get("outputs", {}).get("model_outputs", [])
        models = [self.logged(output["model_id"]) for output in outputs]
        return Run(
            run_id,
            str(info["experiment_id"]),
            info.get("artifact_uri", ""),
            history(paths),
            tuple(sorted(filter(None, models), key=lambda model: (model.created, model.id))),
        )

    def logged(self, model_id: str) -> Logged | None:
        answer = self._get(f"mlflow/logged-models/{quote(model_id)}")
        if not answer:
            return None
        info = answer["model"]["info"]
        return Logged(
            info["model_id"],
            info.get("name", ""),
            info.get("source_run_id", ""),
            str(info["experiment_id"]),
            info.get("artifact_uri", ""),
            str(info.get("status", READY)).removeprefix("LOGGED_MODEL_"),
            int(info.get("creation_timestamp_ms", 0)),
        )

    def versions(self, name: str) -> Sequence[Version] | None:
        if not self._get("mlflow/registered-models/get", name=name):
            return None
        return list(self._versions(name))

    def alias(self, name: str, alias: str) -> int | None:
        answer = self._get("mlflow/registered-models/alias", name=name, alias=alias)
        return int(answer["model_version"]["version"]) if answer else None

    def download_uri(self, name: str, number: int) -> str:
        """Of a version's files, which may be elsewhere than what was registered."""
        answer = self._get("mlflow/model-versions/get-download-uri", name=name, version=number)
        return (answer or {}).get("artifact_uri", "")

    def files(self, path: str) -> Iterator[str]:
        """Paths of all files below path, of the artifacts that the server passes on, relative to it."""
        answer = self._get("mlflow-artifacts/artifacts", path=path) or {}
        for file in answer.get("files", []):
            name = file["path"].rstrip("/").rpartition("/")[2]
            below = f"{path}/{name}".strip("/")
            if file.get("is_dir"):
                yield from (f"{name}/{inside}" for inside in self.files(below))
            elif below != path:
                yield name

    def download(self, path: str, to: Path) -> None:
        """Writes one of the artifacts that the server passes on."""
        with self._open(f"{ARTIFACTS}/{quote(path)}") as answer, to.open("wb") as file:
            shutil.copyfileobj(answer, file)

    def _versions(self, name: str) -> Iterator[Version]:
        token, filter_ = "", "name='{}'".format(name.replace("'", "\\'"))
        while True:
            asked = {"filter": filter_, "max_results": PAGE} | ({"page_token": token} if token else {})
            answer = self._get("mlflow/model-versions/search", **asked) or {}
            for version in answer.get("model_versions", []):
                yield Version(
                    int(version["version"]),
                    version.get("current_stage") or "None",
                    version.get("run_id", ""),
                    version.get("source", ""),
                )
            token = answer.get("next_page_token", "")
            if not token:
                return

    def _get(self, endpoint: str, **query: object) -> dict | None:
        """The answer of the API; None when there is no such thing."""
        try:
            with self._open(f"/api/2.0/{endpoint}" + (f"?{urlencode(query)}" if query else "")) as answer:
                body = json.load(answer)
        except NotThere as err:
            if not err.mlflow and endpoint == FIRST:
                raise ConvertError(
                    f"{self.name} does not answer as MLflow does", "is it the tracking server?"
                ) from err
            return None
        except ValueError as err:
            raise ConvertError(
                f"{self.name} does not answer as MLflow does", "is it the tracking server?"
            ) from err
        return body if isinstance(body, dict) else None

    def _open(self, path: str):
        headers = {"Authorization": self._authorization} if self._authorization else {}
        request = urllib.request.Request(self.name + path, headers=headers)
        try:
            return urllib.request.urlopen(request, timeout=TIMEOUT, context=_tls())
        except urllib.error.HTTPError as err:
            with err:
                said, known = _message(err)
            if err.code in (401, 403):
                hint = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
                raise ConvertError(f"{self.name} refuses: {err.code} {err.reason}", hint) from err
            if err.code in GONE:
                raise NotThere(f"{self.name}{path.partition('?')[0]}: {said}", mlflow=known) from err
            raise ConvertError(f"{self.name}: {err.code} {said}", "what does the server's log say?") from err
        except (urllib.error.URLError, OSError) as err:
            reason = getattr(err, "reason", err)
            raise ConvertError(
                f"no answer from {self.name}: {reason}", "is that the tracking server?"
            ) from err


class NotThere(ConvertError):
    """The server has no such thing, and says so as MLflow does; or has no such page."""

    def __init__(self, message: str, mlflow: bool):
        super().__init__(message, "does the store know of files that are gone?")
        self.mlflow = mlflow


def _authorization(user: str, password: str) -> str:
    """The header's value, from the URL, the variables or the file that MLflow reads, in this order."""
    file = configparser.ConfigParser()
    file.read(os.path.expanduser("~/.mlflow/credentials"))
    saved = file["mlflow"] if file.has_section("mlflow") else {}
    user = user or os.environ.get("MLFLOW_TRACKING_USERNAME") or saved.get("mlflow_tracking_username", "")
    password = (
        password or os.environ.get("MLFLOW_TRACKING_PASSWORD") or saved.get("mlflow_tracking_password", "")
    )
    token = os.environ.get("MLFLOW_TRACKING_TOKEN")
    if user and password:
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    return f"Bearer {token}" if token else ""


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or None)
    if os.environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in ("1", "true"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _message(err: urllib.error.HTTPError) -> tuple[str, bool]:
    """What the server says went wrong, one line, and whether it says so as MLflow does."""
    try:
        body = json.loads(err.read(1 << 16))
        said, known = str(body.get("message", "")), "error_code" in body
    except (ValueError, AttributeError):
        said, known = "", False
    return (said.strip() or str(err.reason)).splitlines()[0], known
