"""Models for tests that are made in a world of their own."""

import subprocess
from pathlib import Path

import yaml

from skiff_convert import world
from skiff_convert.find import Found, find

RUN = "c" * 32


def folder_of(
    folder: Path,
    requirements: list[str] | None,
    python: str,
    flavor: str = "sklearn",
    file: str = "model.pkl",
    created: str = "2026-06-01 00:00:00.000000",
    **options: object,
) -> Path:
    """A model's folder as MLflow writes it, its file empty."""
    folder.mkdir(parents=True)
    key = "pickled_model" if flavor == "sklearn" else "data"
    pyfunc = {"loader_module": f"mlflow.{flavor}", "python_version": python}
    mlmodel = {
        "flavors": {"python_function": pyfunc, flavor: {key: file, **options}},
        "run_id": RUN,
        "utc_time_created": created,
    }
    (folder / "MLmodel").write_text(yaml.safe_dump(mlmodel))
    (folder / file).write_bytes(b"")
    if requirements is not None:
        (folder / "requirements.txt").write_text("\n".join(requirements) + "\n")
    return folder


def trained(folder: Path, script: str, say=lambda text: None) -> tuple[Found, world.World]:
    """The world of the folder's model, once script, run there, has made the model's file."""
    found = find(str(folder))
    made = world.build(found, say)
    subprocess.run([str(made.python), "-I", "-c", script, str(found.file)], check=True, cwd=folder)
    return found, made
