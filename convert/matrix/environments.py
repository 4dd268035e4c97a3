"""Environments of other years: pipelines are made there, and converted with their own environment rebuilt."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from skiff_convert.errors import ConvertError
from skiff_convert.world.pythons import find_python
from skiff_convert.world.uv import Uv, UvError, find_uv

from .case import Outcome, run

MAKE = Path(__file__).with_name("inside") / "make.py"
SECONDS = 900  # to train in one environment
STAMP = "made-of.json"


@dataclass(frozen=True)
class Environment:
    """What was there on a day. models: the estimators that are tried besides those of the seeds."""

    name: str
    python: str
    day: str  # "" for today
    packages: tuple[str, ...]
    models: tuple[str, ...]


FOREST = "RandomForestClassifier"
ENVIRONMENTS = [
    Environment(
        "sklearn0.24-mlflow1-lightgbm3.3", "3.8", "2022-06-15",
        ("scikit-learn==0.24.2", "mlflow==1.26.1", "lightgbm==3.3.2", "protobuf<4", "setuptools<60"),
        (FOREST, "LGBMRegressor"),
    ),
    Environment(
        "sklearn1.0-mlflow1-xgboost1.7", "3.9", "2022-12-10",
        ("scikit-learn==1.0.2", "mlflow==1.30.0", "xgboost==1.7.1", "setuptools<60"),
        (FOREST, "XGBRegressor", "XGBClassifier"),
    ),
    Environment(
        "sklearn1.2-mlflow2-xgboost1.7-lightgbm3.3", "3.9", "2023-06-15",
        ("scikit-learn==1.2.2", "mlflow==2.3.2", "xgboost==1.7.5", "lightgbm==3.3.5", "setuptools<60"),
        ("XGBRegressor", "LGBMClassifier"),
    ),
    Environment(
        "sklearn1.3-mlflow2-catboost1.2", "3.10", "2024-01-15",
        ("scikit-learn==1.3.2", "mlflow==2.9.2", "catboost==1.2.2", "setuptools<60"),
        ("CatBoostRegressor", "HistGradientBoostingClassifier"),
    ),
    Environment(
        "sklearn1.5-mlflow2-xgboost2.1-lightgbm4", "3.11", "2024-12-01",
        ("scikit-learn==1.5.2", "mlflow==2.17.2", "xgboost==2.1.2", "lightgbm==4.5.0"),
        ("XGBClassifier", "LGBMRegressor"),
    ),
    Environment(
        "sklearn1.6-mlflow3-xgboost3-catboost1.2", "3.12", "2025-07-15",
        ("scikit-learn==1.6.1", "mlflow==3.1.1", "xgboost==3.0.2", "catboost==1.2.8"),
        ("XGBRegressor", "CatBoostClassifier"),
    ),
    Environment(
        "sklearn1.9-mlflow3-xgboost3-lightgbm4", "3.13", "",
        ("scikit-learn==1.9.1", "mlflow==3.17.2", "xgboost==3.2.0", "lightgbm==4.6.0"),
        ("XGBClassifier", "LGBMClassifier"),
    ),
]  # fmt: skip
CI = ("sklearn1.2", "sklearn1.6")
SEEDS = 4  # of each environment


def some(
    build: Path, folder: Path, few: bool, words: str, jobs: int, say: Callable[[str], None]
) -> tuple[list[Outcome], int]:
    """The outcomes of environments, so many at a time, and how many there were."""
    asked = words.split(",") if words else list(CI) if few else [""]
    at = [i for i, one in enumerate(ENVIRONMENTS) if any(word in one.name for word in asked)]
    seeds = 1 if few else SEEDS
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        going = [pool.submit(_outcomes, ENVIRONMENTS[i], i, build, folder, seeds, say) for i in at]
        return [outcome for future in going for outcome in future.result()], len(at)


def _outcomes(
    environment: Environment, at: int, build: Path, folder: Path, seeds: int, say: Callable[[str], None]
) -> list[Outcome]:
    try:
        python = made(environment, build / "environments" / environment.name, find_uv(), say)
    except (UvError, ConvertError) as err:
        say(f"{environment.name}: {err}")
        return [Outcome(environment.name, 0, "wrong", f"the environment cannot be made: {err}")]
    here = folder / environment.name
    shutil.rmtree(here, ignore_errors=True)
    names = [f"{1000 * (at + 1) + i}" for i in range(seeds)]
    names += [f"{1000 * (at + 1) + 500 + i}-{name}" for i, name in enumerate(environment.models)]
    gone = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
    env = {k: v for k, v in os.environ.items() if k not in gone} | {"MATRIX_PIN_ALL": "1"}
    outcomes = []
    for name in names:
        with tempfile.TemporaryDirectory() as scratch:
            result = subprocess.run(
                [python, "-I", MAKE, here, name], env=env, cwd=scratch, capture_output=True, encoding="utf-8",
                errors="replace", timeout=SECONDS, check=False,
            )  # fmt: skip
        seed = int(name.partition("-")[0])
        if result.returncode:
            outcome = Outcome(environment.name, seed, "skipped", result.stderr.strip()[-300:])
        else:
            outcome = run(here / name, environment.name, isolate=True)
        what = f": {outcome.what[:400]}" if outcome.what else ""
        say(f"{environment.name} {name} {outcome.kind}{what}")
        outcomes.append(outcome)
    return outcomes


def made(environment: Environment, folder: Path, uv: Uv, say: Callable[[str], None]) -> Path:
    """The environment's Python, which is kept as long as what it is made of is the same."""
    stamp = folder / STAMP
    of = json.dumps([environment.python, environment.day, environment.packages])
    python = folder / "bin" / "python"
    if stamp.exists() and stamp.read_text() == of:
        return python
    base, exact = find_python(environment.python, uv)
    say(f"{environment.name}: making it, with Python {exact}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    uv.run("venv", "-q", "--python", base, folder)
    day = ("--exclude-newer", environment.day) if environment.day else ()
    uv.run("pip", "install", "-q", "--python", python, *day, "--no-build", *environment.packages)
    stamp.write_text(of)
    return python
