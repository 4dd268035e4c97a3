"""Makes the files that look's tests read: small models of many versions, and what each holds.

    python make_fixtures.py [--only NAME] WORK_FOLDER

Each environment of ENVIRONMENTS is a virtualenv in WORK_FOLDER, made with uv, which finds Python on PATH.
There train_*.py train the environment's models. files/NAME.zip holds each model file and beside it
a .json of facts: values by their path in the object graph, inputs and predictions.
"""

import argparse
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

HERE = Path(__file__).parent

# name: Python, the train_*.py to run, packages. NumPy is pinned: what was there on the day.
ENVIRONMENTS = {
    "sklearn-0.24": (
        "3.8",
        "sklearn",
        "scikit-learn==0.24.2 numpy==1.19.5 scipy==1.6.3 pandas==1.2.5 joblib==1.0.1 cloudpickle==1.6.0",
    ),
    "sklearn-1.0": (
        "3.9",
        "sklearn",
        "scikit-learn==1.0.2 numpy==1.22.4 scipy==1.8.1 pandas==1.4.4 joblib==1.1.0 cloudpickle==2.0.0",
    ),
    "sklearn-1.2": (
        "3.9",
        "sklearn",
        "scikit-learn==1.2.2 numpy==1.24.4 scipy==1.10.1 pandas==1.5.3 joblib==1.2.0 cloudpickle==2.2.1",
    ),
    "sklearn-1.3": (
        "3.10",
        "sklearn skops",
        "scikit-learn==1.3.2 numpy==1.26.4 scipy==1.11.4 pandas==2.1.4 joblib==1.3.2 cloudpickle==2.2.1 "
        "skops==0.9.0",
    ),
    "sklearn-1.5": (
        "3.11",
        "sklearn skops",
        "scikit-learn==1.5.2 numpy==2.0.2 scipy==1.13.1 pandas==2.2.3 joblib==1.4.2 cloudpickle==3.0.0 "
        "skops==0.11.0",
    ),
    "sklearn-1.6": (
        "3.12",
        "sklearn",
        "scikit-learn==1.6.1 numpy==2.1.3 scipy==1.14.1 pandas==2.2.3 joblib==1.4.2 cloudpickle==3.1.0",
    ),
    "sklearn-1.9": (
        "3.13",
        "sklearn skops",
        "scikit-learn==1.9.1 numpy==2.5.5 scipy==1.18.1 pandas==3.1.1 pyarrow==26.0.1 joblib==1.6.0 "
        "cloudpickle==3.1.3 skops==0.16.0",
    ),
    "xgboost-0.90": ("3.8", "boosters", "xgboost==0.90 scikit-learn==0.24.2 numpy==1.19.5 pandas==1.2.5"),
    "xgboost-1.1": ("3.8", "boosters", "xgboost==1.1.1 scikit-learn==0.24.2 numpy==1.19.5 pandas==1.2.5"),
    "xgboost-1.5": ("3.9", "boosters", "xgboost==1.5.2 scikit-learn==1.0.2 numpy==1.22.4 pandas==1.4.4"),
    "xgboost-1.7": ("3.9", "boosters", "xgboost==1.7.6 scikit-learn==1.2.2 numpy==1.24.4 pandas==1.5.3"),
    "xgboost-2.1": ("3.11", "boosters", "xgboost==2.1.4 scikit-learn==1.5.2 numpy==2.0.2 pandas==2.2.3"),
    "xgboost-3": (
        "3.13",
        "boosters",
        "xgboost==3.2.0 scikit-learn==1.9.1 numpy==2.5.5 pandas==3.1.1 skops==0.16.0",
    ),
    "lightgbm-3.3": ("3.9", "boosters", "lightgbm==3.3.5 scikit-learn==1.2.2 numpy==1.22.4 pandas==1.5.3"),
    "lightgbm-4": (
        "3.13",
        "boosters",
        "lightgbm==4.6.0 scikit-learn==1.9.1 numpy==2.5.5 pandas==3.1.1 skops==0.16.0",
    ),
    "catboost-1.2": (
        "3.11",
        "boosters",
        "catboost==1.2.8 scikit-learn==1.6.1 numpy==2.0.2 pandas==2.2.3 skops==0.11.0",
    ),
    "catboost-1.0": ("3.9", "boosters", "catboost==1.0.6 scikit-learn==1.0.2 numpy==1.22.4 pandas==1.4.4"),
}
WITHOUT = ["nvidia-nccl-cu12", "matplotlib", "plotly", "graphviz"]  # large, and not needed to train


def make(name: str, work: Path) -> None:
    """Makes one environment and its fixtures."""
    python, groups, packages = ENVIRONMENTS[name]
    venv = work / name
    if not (venv / "ready").exists():
        overrides = work / "overrides.txt"
        overrides.write_text("".join(f"{package} ; python_version < '3'\n" for package in WITHOUT))
        subprocess.run(["uv", "venv", "-q", "--allow-existing", "-p", python, str(venv)], check=True)
        install = ["uv", "pip", "install", "-q", "-p", str(venv / "bin/python"), "setuptools<70"]
        subprocess.run([*install, "--overrides", str(overrides), *packages.split()], check=True)
        (venv / "ready").touch()
    made = work / "made" / name
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    for group in groups.split():
        # From stdin, so that no pickled function has this machine's path in it.
        train = [str(venv / "bin/python"), "-B", "-W", "ignore", "-", str(made), name]
        script = (HERE / f"train_{group}.py").read_text(encoding="utf-8")
        subprocess.run(
            train, input=script, text=True, check=True, env={**os.environ, "PYTHONPATH": str(HERE)}
        )
    with zipfile.ZipFile(HERE / "files" / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(made.iterdir()):
            packed.writestr(zipfile.ZipInfo(path.name), path.read_bytes(), zipfile.ZIP_DEFLATED)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--only", action="append")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    for name in options.only or ENVIRONMENTS:
        print(name, flush=True)
        make(name, options.work)


if __name__ == "__main__":
    main()
