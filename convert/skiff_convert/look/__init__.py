"""What a model file holds, as an object graph: no code of it is run and nothing it names is imported.

    found = look(Path("model.pkl"))
    found.root.steps[0][1].categories_

Pickles, cloudpickles and joblib's files, packed or not; skops files; and the own formats of XGBoost, LightGBM
and CatBoost, by themselves or inside of those. One file a format, each over errors, graph and arrays:

    unpack                     the file's bytes
    pickles, makers, frames    pickles, what is made of their calls, and of pandas' indices
    skops_zip                  skops
    xgb, xgb_binary, ubjson · lgb · cbm, cityhash, flatbuffer    boosters
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import cbm, lgb, pickles, skops_zip, unpack, xgb
from .cbm import CatBooster
from .errors import DAMAGED, LookError
from .graph import Code, Obj, Ref, walk
from .lgb import LGBooster
from .xgb import XGBooster

__all__ = [
    "CatBooster",
    "Code",
    "LGBooster",
    "Look",
    "LookError",
    "Obj",
    "Ref",
    "XGBooster",
    "booster",
    "look",
    "walk",
]

Booster = XGBooster | LGBooster | CatBooster

PICKLE, JOBLIB, SKOPS, XGBOOST, LIGHTGBM, CATBOOST = (
    "pickle",
    "joblib",
    "skops",
    "xgboost",
    "lightgbm",
    "catboost",
)


@dataclass(frozen=True)
class Look:
    """What a file holds.

    root      an Obj, a Booster, or a dict, list or tuple of some
    kind      PICKLE (a cloudpickle too), JOBLIB where arrays stand behind the pickle, SKOPS, XGBOOST,
              LIGHTGBM, CATBOOST
    versions  of libraries that the file names: "scikit-learn" (the outermost estimator's), "skops",
              "xgboost", "catboost"
    packed    "gzip", "zlib", "bz2", "xz", "lzma" or ""
    """

    root: Any
    kind: str
    versions: dict[str, str] = field(default_factory=dict)
    packed: str = ""


def look(path: Path) -> Look:
    """What the file holds, by its content. LookError when it is damaged, no model, or cannot be read so.

    Whatever has a booster's own format inside, an Obj, gets it as .parsed: see booster.
    """
    path = Path(path)
    data, packed = unpack.read(path)
    try:
        return _look(data, packed)
    except LookError as err:
        raise LookError(f"{path.name}: {err}", err.hint) from err.__cause__


def _look(data: bytes, packed: str) -> Look:
    if skops_zip.matches(data):
        root, versions, boosters = skops_zip.read(data)
        return Look(_model(root), SKOPS, {**versions, **_attach(boosters)}, packed)
    if data.startswith(cbm.MAGIC):
        return _own(cbm.read(data), CATBOOST, packed)
    if lgb.matches(data):
        return _own(lgb.read(data), LIGHTGBM, packed)
    if xgb.matches(data):
        return _own(xgb.read(data), XGBOOST, packed)
    if not _is_pickle(data):
        raise _unknown(data)
    root, unpickler = pickles.read(data)
    versions = {**unpickler.versions, **_attach(unpickler.boosters)}
    return Look(_model(root), JOBLIB if unpickler.joblib else PICKLE, versions, packed)


def booster(value: Any) -> Booster | None:
    """The booster of a scikit-learn wrapper, of a library's own Booster, or itself; None where none is."""
    if isinstance(value, Booster):
        return value
    if not isinstance(value, Obj):
        return None
    return value.state.get("parsed") or booster(value.state.get("_Booster"))


def _own(parsed: Booster, kind: str, packed: str) -> Look:
    return Look(parsed, kind, _version(parsed), packed)


def _attach(boosters: list[Obj]) -> dict[str, str]:
    """Gives each object the booster that it holds, as parsed; versions of their libraries."""
    versions = {}
    for held in boosters:
        parsed = _parse(held)
        if parsed is not None:
            held.state["parsed"] = parsed
            versions.update(_version(parsed))
    return versions


def _parse(held: Obj) -> Booster | None:
    if held.package == "catboost":
        model = held.state.get("__model")
        return cbm.read(model) if isinstance(model, (bytes, bytearray)) else None
    model = held.state.get("handle", held.state.get("_handle"))
    if held.cls == "xgboost.core.Booster" and isinstance(model, (bytes, bytearray)):
        return xgb.read(model)
    return lgb.read(model) if held.cls == "lightgbm.basic.Booster" and isinstance(model, str) else None


def _version(parsed: Booster) -> dict[str, str]:
    if isinstance(parsed, XGBooster):
        return {"xgboost": ".".join(map(str, parsed.version))} if parsed.version else {}
    return {"catboost": parsed.version} if isinstance(parsed, CatBooster) and parsed.version else {}


def _model(root: Any) -> Any:
    if isinstance(root, (Obj, dict, list, tuple)):
        return root
    raise LookError(f"holds {_kind(root)}, not a model", "is this the model's file, or its data?")


def _kind(root: Any) -> str:
    return f"a reference to {root}" if isinstance(root, (Ref, Code)) else f"data ({type(root).__name__})"


def _is_pickle(data: bytes) -> bool:
    """Whether these can be a pickle's bytes: with its protocol, or of protocol 0 or 1."""
    if data[:1] == b"\x80":
        return len(data) > 1 and 2 <= data[1] <= 5
    return data[:1] in b"(c]}" and (
        b"copy_reg" in data[:200] or b"copyreg" in data[:200] or data[:1] in b"]}("
    )


def _unknown(data: bytes) -> LookError:
    start = data[:200].lstrip().lower()
    if start.startswith(b"version https://git-lfs"):
        return LookError("is a Git LFS pointer, not the file itself", "git lfs pull")
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return LookError("is a web page or an error's text, not a model", DAMAGED)
    if data[:1] == b"\x80":
        return LookError("is a pickle of a protocol that is not known, or damaged", DAMAGED)
    return LookError(
        "is no model file that is known",
        "known: pickle, cloudpickle, joblib, skops, and XGBoost's, LightGBM's and CatBoost's own files",
    )
