"""A conversion leaves nothing behind where nobody asked for it.

onnxruntime has telemetry on Linux: a device id and a database in the user's cache would show that it is on.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ESTIMATORS, fit, save, taxi_records

CONVERT = Path(__file__).parents[1]

# A session as prove has it, without a conversion around it.
SESSION = """
import numpy, onnx
from skiff_convert import prove
graph = "g (double[r, 1] X) => (double[r, 1] y) {y = Identity(X)}"
model = onnx.parser.parse_model('<ir_version: 10, opset_import: ["": 21]> ' + graph)
prove.score(prove.open_session(model.SerializeToString()), numpy.zeros((3, 1)), 2)
"""


@pytest.fixture
def run(tmp_path):
    """Runs Python in a home of its own; the files that are in it afterwards."""
    home, cache = tmp_path / "home", tmp_path / "cache"
    home.mkdir()
    cache.mkdir()
    own = {"HOME": str(home), "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(CONVERT)}

    def run(*args: str) -> list[Path]:
        here = {k: v for k, v in os.environ.items() if k not in ("CI", "PYTEST_CURRENT_TEST")}
        env = {**here, **own, "ORT_DISABLE_TELEMETRY": "0", "MLFLOW_DISABLE_TELEMETRY": "false"}
        result = subprocess.run(
            [sys.executable, *args], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stderr
        return [path for folder in (home, cache) for path in folder.rglob("*")]

    return run


def test_a_session(run):
    assert run("-c", SESSION) == []


def test_a_conversion(run, tmp_path):
    model = save(fit(ESTIMATORS["Ridge"](), taxi_records()), tmp_path / "model")
    assert run("-m", "skiff_convert", str(model), "--out", str(tmp_path / "out")) == []


def test_mlflow(run):
    asks = "from mlflow.telemetry import utils; raise SystemExit(not utils.is_telemetry_disabled())"
    asks = f"import skiff_convert; {asks}"
    assert run("-c", asks) == []
