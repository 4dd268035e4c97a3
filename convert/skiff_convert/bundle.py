"""Stage 10: writes a bundle, whole or not at all."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from .errors import ConvertError
from .sign import FILE as SIGNATURE

Signer = Callable[[bytes], bytes]


def write(
    out: Path, run_id: str, manifest: Mapping, files: Mapping[str, bytes], sign: Signer | None = None
) -> Path:
    """Writes out/run_id with the files and a manifest that has their sha256; the folder.

    sign makes the manifest's signature, which is written beside it.

    It is made beside and renamed, so that nobody sees half of one. An identical bundle is left as it is,
    another one replaced. ConvertError when what is there is not a bundle.
    """
    folder = out / run_id
    sums = {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)}
    contents = {**files, "manifest.json": to_text({**manifest, "files": sums}).encode("utf-8")}
    if sign:
        contents[SIGNATURE] = sign(contents["manifest.json"])
    if folder.exists():
        there = _contents(folder) or {}
        if there == contents or {k: v for k, v in there.items() if k != SIGNATURE} == contents:
            return folder
        if not (folder / "manifest.json").is_file():
            raise ConvertError(f"{folder} is there and is not a bundle", "remove it, or name another --out")
        if model_of(json.loads(contents["manifest.json"])) != model_of(_manifest(folder)):
            raise ConvertError(
                f"{folder} is the bundle of another model of this run",
                f"name another --out, and MODEL_LOCATION=OUT/{run_id} for the worker; or remove it",
            )
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{run_id}.", dir=out) as beside:
            new = Path(beside, "new")
            new.mkdir()
            for name, content in contents.items():
                (new / name).write_bytes(content)
            if folder.exists():
                os.rename(folder, Path(beside, "old"))
            os.rename(new, folder)
    except OSError as err:
        raise ConvertError(
            f"writing {folder}: {err.strerror}", "is --out a folder you may write to?"
        ) from err
    return folder


def to_text(manifest: Mapping) -> str:
    """The manifest as JSON, one key a line, so that a difference can be read."""
    lines = ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in manifest.items())
    return "{\n" + lines + "\n}\n"


def _manifest(folder: Path) -> dict:
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    except ValueError:
        return {}
    return manifest if isinstance(manifest, dict) else {}


def model_of(manifest: Mapping) -> tuple:
    """What tells a run's models apart: the id that MLflow gave it, and when."""
    converter = manifest.get("converter")
    return manifest.get("created"), converter.get("model") if isinstance(converter, dict) else None


def _contents(folder: Path) -> dict[str, bytes] | None:
    if not folder.is_dir():
        return None
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
