"""Environments of models, rebuilt for real: Python, libraries and dates of several years."""

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from worlds import folder_of, trained

from skiff_convert import world
from skiff_convert.errors import ConvertError
from skiff_convert.find import find
from skiff_convert.world import Records, pythons, uv

DATA, STORES = Path(__file__).parent / "data", Path(__file__).parent / "stores"
PUBLISHED = DATA / "published_2022"
SLOW = 180.0  # seconds that an environment may take, on a machine that does other things

pytestmark = pytest.mark.world


def stored(version: str) -> Path:
    (mlmodel,) = (STORES / version / "artifacts").rglob("MLmodel")
    return mlmodel.parent


def frozen() -> str:
    call = [uv.find_uv().path, "pip", "freeze", "--python", sys.executable]
    return subprocess.run(call, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty one."""
    monkeypatch.setenv("SKIFF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_published_2022(cache, record_property):
    """scikit-learn 1.0.2 on Python 3.9: what the model's owner had, and nothing of what is here."""
    before, said, start = frozen(), [], time.perf_counter()
    found = find(str(PUBLISHED))
    made = world.build(found, said.append)
    seconds = time.perf_counter() - start
    record_property("seconds", round(seconds, 1))
    assert seconds < SLOW
    assert made.libraries["scikit-learn"] == "1.0.2" and made.libraries["numpy"] == "1.22.4"
    assert "mlflow" not in made.libraries
    with made.open() as session:
        assert session.warnings == []
        described = session.describe()
        assert described["class"] == "sklearn.pipeline.Pipeline" and described["methods"] == ["predict"]
        assert described["libraries"]["python"].startswith("3.9.")
        rides = [{"PU_DO": "130_205", "trip_distance": 3.66}, {"PU_DO": {}, "trip_distance": 1.0}]
        answer = session.call("predict", Records(rides))
        assert answer.values.dtype == np.float64 and answer.values.tolist() == [21.294545348333408]
        assert list(answer.refused) == [1] and answer.refused[1].startswith("TypeError: ")
    assert frozen() == before
    assert any("installing" in text for text in said)

    said.clear()
    again = world.build(found, said.append)
    assert again.python == made.python
    assert not any("installing" in text or "resolving" in text for text in said)
    assert not list(cache.glob("half-*"))


@pytest.mark.parametrize(
    ("version", "python", "sklearn"),
    [("1.26", "3.9", "1.0.2"), ("2.3", "3.9", "1.2.2"), ("2.22", "3.11", "1.6.1"), ("3.1", "3.12", "1.7.0")],
)
def test_of_several_years(version, python, sklearn, record_property):
    """They were logged in 2026 with libraries of years before: the rest has to be of those as well."""
    start = time.perf_counter()
    made = world.build(find(str(stored(version))), lambda text: None)
    with made.open() as session:
        libraries = session.describe()["libraries"]
        assert libraries["python"].startswith(python + ".") and libraries["scikit-learn"] == sklearn
        rows = [{"zone": "a", "miles": 3.0}, {"zone": "b", "miles": 3.0}, {"miles": 1}]
        values = session.call("predict", Records(rows)).values
        assert values.dtype == np.float64 and values.shape == (3,) and values[1] > values[0]
    record_property("seconds", round(time.perf_counter() - start, 1))


FOREST = """
import sys, pickle, numpy as np
from sklearn.ensemble import RandomForestClassifier
X = np.arange(40.0).reshape(20, 2)
forest = RandomForestClassifier(5, n_jobs=2, random_state=0).fit(X, ["a", "b"] * 10)
pickle.dump(forest, open(sys.argv[1], "wb"))
"""


@pytest.mark.parametrize(
    ("python", "pins", "numpy"),
    [
        ("3.8.18", ["scikit-learn==0.24.2"], "1.2"),
        ("3.12.1", ["scikit-learn==1.5.0"], ""),
        ("3.13.0", ["scikit-learn==1.9.1", "numpy==2.4.6"], "2.4.6"),
    ],
)
def test_other_pythons(tmp_path, python, pins, numpy):
    found, made = trained(folder_of(tmp_path / "model", pins, python, created="2026-11-01"), FOREST)
    assert made.libraries["numpy"].startswith(numpy)
    with made.open() as session:
        described = session.describe()
        assert described["classes"] == {"dtype": "<U1", "values": ["a", "b"]}
        assert session.value("n_jobs") == 1


def test_mended(tmp_path, cache):
    """Versions that cannot be together: numpy 2 would be taken, and breaks scikit-learn 1.2.2."""
    said = []
    folder = folder_of(
        tmp_path / "model", ["scikit-learn==1.2.2", "cloudpickle==3.1.2"], "3.9.18", created="2026-11-01"
    )
    made = world.build(find(str(folder)), said.append)
    assert made.libraries["numpy"].startswith("1.") and any("trying numpy<2" in text for text in said)


def test_what_the_requirements_forgot(tmp_path, cache):
    """A model whose file needs a package that its requirements do not name."""
    script = "import sys; open(sys.argv[1], 'wb').write(b'\\x80\\x04cpkg_resources\\nparse_version\\n.')"
    said = []
    folder = folder_of(tmp_path / "model", ["scikit-learn==1.2.2"], "3.9.18", created="2023-05-01")
    _, made = trained(folder, script, said.append)
    with made.open() as session:
        assert session.describe()["methods"] == []
    assert any("trying setuptools" in text for text in said)


@pytest.mark.parametrize(
    ("pins", "python", "message", "hint"),
    [
        (
            ["scikit-learn==1.2.2"],
            "3.99.1",
            "Python 3.99.1, and no Python 3.99 was",
            "pyenv install",
        ),
        (["skiff-has-no-such-package==1.0"], "3.11.7", "skiff-has-no-such-package was not found", "UV_INDEX"),
        (["scikit-learn==1.2.99"], "3.11.7", "there is no version of scikit-learn==1.2.99", "--no-isolation"),
        (["scikit-learn==1.0.2"], "3.11.7", "scikit-learn==1.0.2", "--no-isolation"),
        (["scikit-learn=="], "3.11.7", "scikit-learn==", "--no-isolation"),
        (None, "3.11.7", "says neither what the model needs nor what wrote it", "is the copy complete?"),
    ],
)
def test_what_cannot_be_built(tmp_path, cache, pins, python, message, hint):
    folder = folder_of(tmp_path / "model", pins, python)
    with pytest.raises(ConvertError) as raised:
        world.build(find(str(folder)), lambda text: None)
    text = str(raised.value)
    assert message in text and hint in raised.value.hint and "\n" not in text + raised.value.hint
    assert not list(cache.glob("[!a]*")) and len(text) < 600


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "loading model.pkl: EOFError"),
        (b"not a pickle", "loading model.pkl: UnpicklingError"),
        (PUBLISHED.joinpath("model.pkl").read_bytes()[:9000], "loading model.pkl: "),
        (b"PK\x03\x04broken", "loading model.pkl: "),
        (b"\x80\x04c__main__\nfeatures\n.", "loading model.pkl: AttributeError"),
        (b"\x80\x04cos\n_exit\n(K\x07tR.", "the model's process ended (exit 7)"),
    ],
)
def test_files_that_do_not_load(tmp_path, content, message):
    folder = tmp_path / "model"
    shutil.copytree(stored("2.3"), folder)
    (folder / "model.pkl").write_bytes(content)
    made = world.build(find(str(folder)), lambda text: None)
    with pytest.raises(ConvertError) as raised:
        made.open()
    assert message in str(raised.value) and raised.value.hint and "\n" not in str(raised.value)


def test_code_paths(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(stored("2.3"), folder)
    (folder / "code").mkdir()
    (folder / "code" / "rides.py").write_text(
        "class Fare:\n    def predict(self, X):\n        return [2.5] * len(X)\n"
    )
    (folder / "MLmodel").write_text((folder / "MLmodel").read_text().replace("code: null", "code: code"))
    (folder / "model.pkl").write_bytes(b"\x80\x04crides\nFare\n)R.")
    with world.build(find(str(folder)), lambda text: None).open() as session:
        assert session.call("predict", Records([{}, {}])).values.tolist() == [2.5, 2.5]


def test_no_isolation(tmp_path):
    said = []
    made = world.build(find(str(stored("3.1"))), said.append, isolate=False)
    assert made.python == Path(sys.executable) and "WARNING" in said[0]
    with made.open() as session:
        assert "1.7.0" in session.warnings[0]  # scikit-learn says that it is another one
    (tmp_path / "model").mkdir()
    for path in PUBLISHED.iterdir():
        shutil.copy(path, tmp_path / "model" / path.name)
    with pytest.raises(ConvertError) as raised:
        world.build(find(str(tmp_path / "model")), said.append, isolate=False).open()
    assert "--no-isolation" in raised.value.hint


def test_no_uv(monkeypatch, tmp_path):
    monkeypatch.setattr(uv, "BUILD", tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConvertError) as raised:
        world.build(find(str(PUBLISHED)), lambda text: None)
    assert "uv, which" in str(raised.value) and "pip install uv" in raised.value.hint


def test_the_uv_that_runs_this(monkeypatch, tmp_path):
    """uvx says where it is, and need not be on PATH."""
    path = uv.find_uv().path
    monkeypatch.setattr(uv, "BUILD", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(uv.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("UV", str(path))
    assert uv.find_uv().path == path


def test_pythons_that_do_not_start(monkeypatch, tmp_path):
    """pyenv's shim of a version that is not chosen: passed over."""
    shim = tmp_path / "python3.9"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    path, version = pythons.find_python("3.9.7", uv.find_uv())
    assert path != shim and version.startswith("3.9.")


def build_it(folder: str, said) -> None:
    lines = []
    made = world.build(find(folder), lines.append)
    said.put((str(made.python), sum("installing" in line for line in lines)))


def test_two_at_once(cache):
    """They wait for each other: one installs, both have it."""
    context = multiprocessing.get_context("spawn")
    said = context.Queue()
    both = [context.Process(target=build_it, args=(str(PUBLISHED), said)) for _ in range(2)]
    for process in both:
        process.start()
    answers = [said.get(timeout=SLOW) for _ in both]
    for process in both:
        process.join()
    assert answers[0][0] == answers[1][0] and sorted(count for _, count in answers) == [0, 1]


def test_a_python_that_is_gone(cache):
    """An environment whose Python was removed is made again."""
    found = find(str(PUBLISHED))
    first = world.build(found, lambda text: None)
    first.python.unlink()
    again = world.build(found, lambda text: None)
    with again.open() as session:
        assert json.dumps(session.describe())
