"""Models of the kinds that people have logged: each converts and serves what its pipeline predicts, or is
refused by name; and the store that it came from is as it was."""

import base64
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from skiff_convert.world.pythons import find_python
from skiff_convert.world.uv import find_uv

ROOT = Path(__file__).parents[2]
CASES = Path(__file__).with_name("cases")
ENV = {
    **os.environ,
    "PYTHONPATH": str(ROOT / "convert"),
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PYTHONHASHSEED": "0",
}

BY_NAME = ("--spec", "none", "--no-isolation")  # features by their names; asked with what is installed

CONVERTED = [
    "int_ids",
    "handmade_onehot ridge",
    "handmade_onehot forest",
    "none_nan",
    "list_values",
    "booleans",
    "registered alias",
    "registered version",
    "registered id",
    "columntransformer_xgb",
    "dictvec_xgb",
    "transformed_target outer",
    "transformed_target inner",
    "y_2d lr",
    "y_2d ridge",
    "classifier",
    "scaler",
    "hgb",
    "nested_events",
    "separator lr",
    "separator tree",
]
OLD = {  # of the course: Python, requirements, and the day
    "2022": ("3.9", ["mlflow==1.26.1", "scikit-learn==1.0.2"], "2022-07-01"),
    "2023": ("3.9", ["mlflow==2.3.2", "scikit-learn==1.2.2"], "2023-07-01"),
    "2024": ("3.10", ["mlflow==2.13.0", "scikit-learn==1.5.0"], "2024-07-01"),
}


def sums(folder: Path) -> dict[str, str]:
    """What is in a folder, by path."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def make(name: str, store: Path, python: str = sys.executable) -> dict:
    """Runs a case, "name variant", in a store of its own."""
    script, *variant = name.split()
    call = [python, str(CASES / f"{script}.py"), str(store), *variant]
    done = subprocess.run(call, cwd=store.parent, env=ENV, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads((store / "case.json").read_text())


def convert(case: dict, out: Path, *options: str) -> subprocess.CompletedProcess:
    """Converts a case's model. Its libraries are those of the tests, unless it is told otherwise."""
    call = [sys.executable, "-m", "skiff_convert", case["model"], "--out", str(out), *options]
    env = {**ENV, "MLFLOW_TRACKING_URI": case["tracking"]}
    return subprocess.run(call, cwd=out.parent, env=env, capture_output=True, text=True)


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    """The worker's binary."""
    if not shutil.which("go"):
        pytest.skip("no go")
    path = tmp_path_factory.mktemp("bin") / "worker"
    subprocess.run(["go", "build", "-o", str(path), "./cmd/worker"], cwd=ROOT, check=True)
    return path


def serve(worker: Path, bundle: Path, records: list) -> list:
    """What the worker predicts for each record; None where it rejects it."""
    predictions = []
    texts = [record if isinstance(record, str) else json.dumps(record) for record in records]
    data = [base64.b64encode(text.encode()).decode() for text in texts]
    events = [{"eventID": "s:1", "kinesis": {"data": one, "sequenceNumber": "1"}} for one in data]
    env = {**ENV, "RUN_ID": bundle.name, "MODEL_LOCATION": str(bundle), "TEST_RUN": "True"}
    env.setdefault("ONNXRUNTIME_LIB", str(ROOT / ".build/lib/libonnxruntime.so"))
    for event in events:  # each alone, so that it is seen which is rejected
        text, call = json.dumps({"Records": [event]}), [str(worker), "-event", "-"]
        done = subprocess.run(call, env=env, input=text, capture_output=True, text=True)
        answer = json.loads(done.stdout)["predictions"] if done.stdout else []
        assert answer or "not dealt with" in done.stderr, done.stderr
        predictions.append(next(iter(answer[0]["prediction"].values())) if answer else None)
    return predictions


def same(bundle: Path, got: object, want: object) -> bool:
    """Whether a prediction is the original's: its bits, or within the bound that the bundle states."""
    if not isinstance(want, float) or not isinstance(got, float):
        return got == want and type(got) is type(want)
    bound = json.loads((bundle / "manifest.json").read_text())["parity"]["bound"]
    if bound == "bits":
        return struct.pack("d", got) == struct.pack("d", want)
    return abs(got - want) <= int(bound.split()[0]) * 2**-52 * max(1.0, abs(want)) * 4


def check(worker: Path, bundle: Path, case: dict) -> None:
    """The worker predicts what the case says."""
    got = serve(worker, bundle, case["records"])
    for record, its, want in zip(case["records"], got, case["predictions"], strict=True):
        assert same(bundle, its, want), (record, its, want)


def bundle_of(done: subprocess.CompletedProcess, cwd: Path) -> Path:
    """The bundle that a conversion wrote."""
    assert done.returncode == 0, done.stderr
    return cwd / done.stdout.splitlines()[-1]


@pytest.mark.parametrize("name", CONVERTED)
def test_converted(name, worker, tmp_path):
    if "xgb" in name:
        pytest.importorskip("xgboost")
    case = make(name, tmp_path / "store")
    before = sums(tmp_path / "store")
    bundle = bundle_of(convert(case, tmp_path / "models", *BY_NAME), tmp_path)
    assert sums(tmp_path / "store") == before
    check(worker, bundle, case)


def test_a_bundle_never_replaces_that_of_another_model(worker, tmp_path):
    first = make("two_models", tmp_path / "store")
    second = json.loads((tmp_path / "store" / "second.json").read_text())
    before = sums(tmp_path / "store")
    bundle = bundle_of(convert(first, tmp_path / "models", *BY_NAME), tmp_path)
    written = sums(bundle)
    refused = convert(second, tmp_path / "models", *BY_NAME)
    assert refused.returncode == 1
    assert "is the bundle of another model of this run\nhint: name another --out" in refused.stderr
    assert sums(bundle) == written
    other = bundle_of(convert(second, tmp_path / "seconds", *BY_NAME), tmp_path)
    check(worker, bundle, first)
    check(worker, other, second)
    again = convert(first, tmp_path / "models", *BY_NAME)
    assert (again.returncode, sums(bundle)) == (0, written)
    assert sums(tmp_path / "store") == before


def test_an_estimator_apart_from_its_vectorizer(tmp_path):
    case = make("model_alone", tmp_path / "store")
    before = sums(tmp_path / "store")
    done = convert(case, tmp_path / "models", *BY_NAME)
    assert done.returncode == 1
    assert "a LinearRegression alone, of 26 columns without names: what makes them is apart" in done.stderr
    assert "hint: the run has preprocessor/preprocessor.b beside it: log a Pipeline" in done.stderr
    assert sums(tmp_path / "store") == before
    assert not (tmp_path / "models").exists()


def test_as_mlflow_logs_by_default(worker, tmp_path):
    case = make("skops_default", tmp_path / "store")
    before = sums(tmp_path / "store")
    done = convert(case, tmp_path / "models", *BY_NAME)
    if case["predictions"]:
        check(worker, bundle_of(done, tmp_path), case)
    else:  # MLflow itself refused to log it
        assert done.returncode == 1
        assert "hint: log" in done.stderr and "Traceback" not in done.stderr
    assert sums(tmp_path / "store") == before


@pytest.mark.world
@pytest.mark.parametrize("year", OLD)
def test_the_course(year, worker, tmp_path):
    if year != "2023" and not os.environ.get("SKIFF_ALL_WORLDS"):
        pytest.skip("SKIFF_ALL_WORLDS is not set")
    case = make("course23", tmp_path / "store", old_python(year))
    before = sums(tmp_path / "store")
    bundle = bundle_of(convert(case, tmp_path / "models", "--spec", "taxi"), tmp_path)
    assert sums(tmp_path / "store") == before  # its MLflow can open it still
    check(worker, bundle, case)


def old_python(year: str) -> str:
    """An environment with the libraries of a year's course, made once."""
    version, requirements, day = OLD[year]
    folder = ROOT / ".build" / "cases" / year
    python = folder / "bin" / "python"
    if not (folder / "done").exists():
        uv = find_uv()
        uv.run("venv", "-q", "--allow-existing", "--python", find_python(version, uv)[0], folder)
        old = ["pandas<2.1", "numpy<2", "setuptools<70"]
        uv.run("pip", "install", "-q", "--python", python, "--exclude-newer", day, *requirements, *old)
        (folder / "done").touch()
    return str(python)
