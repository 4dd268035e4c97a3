"""Reads what MLflow wrote beside a model: MLmodel, python_env.yaml, conda.yaml, requirements.txt, example."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

import yaml

from ..errors import ConvertError

# Flavors, the one that others are made of last; where each names its file, and the version that wrote it.
FLAVORS = {
    "xgboost": ("data", "xgb_version", "xgboost"),
    "lightgbm": ("data", "lgb_version", "lightgbm"),
    "catboost": ("data", "catboost_version", "catboost"),
    "sklearn": ("pickled_model", "sklearn_version", "scikit-learn"),
}
DEFAULT_FILE = {
    "sklearn": "model.pkl",
    "xgboost": "model.xgb",
    "lightgbm": "model.lgb",
    "catboost": "model.cb",
}
PACKAGE = re.compile(r"([A-Za-z0-9._-]+)\s*(?:==?\s*([A-Za-z0-9.!+_*-]+))?")  # of conda: name=version=build
NOT_PYPI = ("python", "pip")  # what conda.yaml names that pip does not install


@dataclass(frozen=True)
class MLmodel:
    """What is written down about a model; "" or empty is not."""

    flavor: str  # sklearn, xgboost, lightgbm or catboost
    options: Mapping  # of the flavor, as MLflow wrote them
    file: str  # relative to the folder
    wrote: tuple[str, str]  # (distribution, version) that wrote the file, as in ("scikit-learn", "1.2.2")
    mlflow: str  # the version that logged it
    run_id: str
    model_id: str
    uuid: str
    path: str  # the artifact path that it was logged as
    created: datetime | None  # UTC
    python: str
    requirements: tuple[str, ...]
    build: tuple[str, ...]  # pip, setuptools and wheel, pinned
    code: tuple[str, ...]  # folders to import from, relative
    predict_fn: str
    signature: Mapping | None
    example: object | None


def read(folder: Path, name: str) -> MLmodel:
    """What folder says. name: for messages. ConvertError when it is not a model that can be converted."""
    mlmodel = _yaml(folder / "MLmodel")
    if not isinstance(mlmodel, dict) or not isinstance(mlmodel.get("flavors", {}) or {}, dict):
        raise ConvertError(f"{folder / 'MLmodel'} is not an MLmodel", "mlflow.sklearn.log_model writes one")
    flavors = mlmodel.get("flavors") or {}
    flavor = next((f for f in FLAVORS if isinstance(flavors.get(f), dict)), None)
    if flavor is None:
        has = ", ".join(flavors) or "none"
        raise ConvertError(
            f"{name} has no sklearn flavor, nor one of a booster's (it has: {has})",
            "log the pipeline itself with mlflow.sklearn.log_model",
        )
    options, pyfunc = flavors[flavor], flavors.get("python_function") or {}
    key, version, distribution = FLAVORS[flavor]
    file = str(options.get(key) or pyfunc.get("model_path") or pyfunc.get("data") or DEFAULT_FILE[flavor])
    _check_inside(folder, file)
    code = [str(c) for c in dict.fromkeys((options.get("code"), pyfunc.get("code"))) if c]
    for path in code:
        _check_inside(folder, path)
    python_env, conda = _yaml(folder / "python_env.yaml"), _yaml(folder / "conda.yaml")
    path = str(mlmodel.get("artifact_path") or "")
    return MLmodel(
        flavor=flavor,
        options=options,
        file=file,
        wrote=(distribution, str(options.get(version) or "")),
        mlflow=str(mlmodel.get("mlflow_version") or ""),
        run_id=str(mlmodel.get("run_id") or ""),
        model_id=str(mlmodel.get("model_id") or ""),
        uuid=str(mlmodel.get("model_uuid") or ""),
        path="" if ":/" in path else path,  # MLflow 3 writes the URI
        created=_created(mlmodel.get("utc_time_created")),
        python=_python(python_env, conda, pyfunc),
        requirements=_requirements(folder / "requirements.txt", conda),
        build=tuple(str(r) for r in _get(python_env, "build_dependencies") if isinstance(r, str)),
        code=tuple(code),
        predict_fn=str(pyfunc.get("predict_fn") or "predict"),
        signature=_signature(mlmodel.get("signature")),
        example=_example(folder, mlmodel.get("saved_input_example_info")),
    )


def _yaml(path: Path) -> object:
    """The file's content, None where there is none."""
    if not path.is_file():
        return None
    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as err:
        raise ConvertError(f"{path} is not YAML", "is the copy complete?") from err


def _check_inside(folder: Path, path: str) -> None:
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ConvertError(
            f"{folder} names {path}, which is outside of it", "an MLmodel's paths are its folder's"
        )
    if not (folder / path).exists():
        raise ConvertError(f"{folder} has no {path}", "its MLmodel names that file: is the copy complete?")


def _created(value: object) -> datetime | None:
    try:
        return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return None


def _get(content: object, key: str) -> list:
    found = content.get(key) if isinstance(content, dict) else None
    return found if isinstance(found, list) else []


def _python(python_env: object, conda: object, pyfunc: dict) -> str:
    """As in 3.9.7: of python_env.yaml, or conda.yaml, or else MLmodel."""
    if isinstance(python_env, dict) and python_env.get("python"):
        return str(python_env["python"])
    for line in _get(conda, "dependencies"):
        match = re.fullmatch(r"python\s*={1,2}\s*([0-9.]+).*", str(line))
        if match:
            return match[1]
    return str(pyfunc.get("python_version") or "")


def _requirements(path: Path, conda: object) -> tuple[str, ...]:
    """Lines for pip, of requirements.txt, or else of conda.yaml."""
    if path.is_file():
        lines = path.read_text("utf-8", "replace").splitlines()
    else:
        dependencies = _get(conda, "dependencies")
        lines = [str(line) for d in dependencies if isinstance(d, dict) for line in _get(d, "pip")]
        for line in (d for d in dependencies if isinstance(d, str)):
            match = PACKAGE.match(line.rpartition("::")[2])
            if match and match[1] not in NOT_PYPI:
                lines.append(f"{match[1]}=={match[2]}" if match[2] else match[1])
    stripped = (re.sub(r"(^|\s)#.*", "", line).strip() for line in lines)
    return tuple(line for line in stripped if line)


def _signature(value: object) -> dict | None:
    """MLflow's signature: inputs, outputs and params, each the list that MLflow wrote as JSON."""
    if not isinstance(value, dict):
        return None
    try:
        return {key: json.loads(part) if isinstance(part, str) else part for key, part in value.items()}
    except ValueError as err:
        raise ConvertError("the MLmodel's signature is not JSON", "is the copy complete?") from err


def _example(folder: Path, info: object) -> object | None:
    """The input example: a data frame as a list of dicts, else what its JSON says; None: there is none."""
    if not isinstance(info, dict) or not str(info.get("artifact_path", "")).endswith(".json"):
        return None
    path = folder / str(info["artifact_path"])
    if not path.is_file():
        return None
    try:
        example = json.loads(path.read_text("utf-8"))
    except ValueError as err:
        raise ConvertError(f"{path} is not JSON", "is the copy complete?") from err
    if info.get("type") == "dataframe" and isinstance(example, dict) and "data" in example:
        rows = example["data"]
        columns = example.get("columns") or list(range(len(rows[0]) if rows else 0))
        return [dict(zip(columns, row, strict=True)) for row in rows]
    return example
