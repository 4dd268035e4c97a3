"""Where files are: a folder, S3, or a tracking server that passes them on."""

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Protocol
from urllib.parse import unquote, urlsplit

from ..errors import ConvertError
from .s3 import S3
from .server import ARTIFACTS, Server
from .store import Store

ID = re.compile(r"(m-)?[0-9a-f]{32}")


class Place(Protocol):
    """Files, by their paths relative to it."""

    uri: str

    def files(self) -> Iterable[str]: ...

    def download(self, path: str, to: Path) -> None: ...


class Folder:
    """Files that are here already."""

    def __init__(self, path: Path):
        self.path, self.uri = path, str(path)

    def files(self) -> Iterable[str]:
        return sorted(str(p.relative_to(self.path)) for p in self.path.rglob("*") if p.is_file())


class Proxied:
    """Files that a tracking server passes on."""

    def __init__(self, server: Server, path: str):
        self._server, self._path = server, unquote(path).strip("/")
        self.uri = f"mlflow-artifacts:/{self._path}"

    def files(self) -> Iterable[str]:
        return self._server.files(self._path)

    def download(self, path: str, to: Path) -> None:
        self._server.download(f"{self._path}/{path}".lstrip("/"), to)


def open_place(uri: str, store: Store | None = None) -> Place:
    """The place at a URI, or a path, that store wrote down. ConvertError when it cannot be got at."""
    parts = urlsplit(uri)
    scheme = parts.scheme.lower() if len(parts.scheme) > 1 else ""  # one letter is a Windows drive
    if scheme == "":
        return Folder(_moved(Path(uri), store))
    if scheme == "file":
        return Folder(_moved(Path(unquote(parts.path)), store))
    if scheme in ("s3", "s3a"):
        return S3(parts.netloc, unquote(parts.path))
    if scheme == "mlflow-artifacts":
        return Proxied(_server(uri, store, parts.netloc), parts.path)
    if scheme in ("http", "https") and ARTIFACTS in parts.path:
        root, _, path = uri.partition(ARTIFACTS)
        # The store's own server is asked with what it was opened with: user and password.
        own = isinstance(store, Server) and root == store.name
        return Proxied(store if own else Server(root), urlsplit(path).path)
    raise ConvertError(
        f"files at {scheme}: cannot be fetched",
        "download them (`mlflow artifacts download -u …`), then name the folder",
    )


def below(place: Place, path: str, store: Store | None = None) -> Place:
    """The place inside another one."""
    return open_place(f"{place.uri}/{path}".rstrip("/"), store) if path else place


def fetch(place: Place, files: Iterable[str]) -> tuple[Path, tempfile.TemporaryDirectory | None]:
    """A folder that has the files: the place itself, or a copy, which lives as long as the second value."""
    if isinstance(place, Folder):
        return place.path, None
    copy = tempfile.TemporaryDirectory(prefix="skiff-")
    for path in files:
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise ConvertError(
                f"{place.uri} has a file {path}, which is outside of it", "is that an MLflow store?"
            )
        to = Path(copy.name, path)
        to.parent.mkdir(parents=True, exist_ok=True)
        place.download(path, to)
    return Path(copy.name), copy


def _moved(path: Path, store: Store | None) -> Path:
    """Where a folder that was written down is now: as written, or beside the store by its last parts.

    These have the id of the run or the model, so that nothing else is taken for it.
    """
    root = store.folder if store else None
    if root is None:
        return path
    if path.exists():
        return path
    names = path.parts[1:] if path.is_absolute() else path.parts
    last = max((i for i, name in enumerate(names) if ID.fullmatch(name)), default=-1)
    inside = (root.joinpath(*names[i:]) for i in range(last + 1))
    return next((folder for folder in inside if folder.is_dir()), path)


def _server(uri: str, store: Store | None, netloc: str) -> Server:
    if netloc:
        scheme = store.name.split(":")[0] if isinstance(store, Server) else "http"
        own = isinstance(store, Server) and urlsplit(store.name).netloc == netloc
        return store if own else Server(f"{scheme}://{netloc}")
    if isinstance(store, Server):
        return store
    raise ConvertError(
        f"{uri} is behind a tracking server",
        "MLFLOW_TRACKING_URI: the server's http(s)://…, not its database",
    )
