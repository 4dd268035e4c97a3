"""fast.onnx in the bundle: where the operators' library is, and what is said where it isn't."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers import InProcess, fit, mixed_records, save, target
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

from skiff_convert import cli, fast, general, goldens, ops, vectorized
from skiff_convert.lower_blend import TooMany


@pytest.fixture(autouse=True)
def in_process(monkeypatch):
    monkeypatch.setattr(vectorized, "Reader", InProcess)
    monkeypatch.setattr(goldens, "RANDOM", 300)
    monkeypatch.setattr(goldens, "SWEPT", 2_000)
    monkeypatch.delenv(ops.VARIABLE, raising=False)


def boosted(folder: Path) -> Path:
    """Of the route of any pipeline."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.normal(0, 3, 300).round(2) for name in ("miles", "fare")})
    model = HistGradientBoostingRegressor(max_iter=9).fit(frame.mask(frame > 5), frame.miles + frame.fare)
    return save(model, folder)


def forest(folder: Path) -> Path:
    """Of a DictVectorizer's own."""
    records = mixed_records()
    return save(fit(RandomForestRegressor(5, random_state=0), records, target(records)), folder)


def converted(model: Path, out: Path, capsys) -> tuple[dict, Path, str]:
    code = cli.main([str(model), "--out", str(out), "--lowering", "trees"])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    folder = Path(captured.out.strip())
    return json.loads((folder / "manifest.json").read_text()), folder, captured.err


@pytest.mark.parametrize("make", [boosted, forest])
def test_a_bundle_has_both_graphs(make, tmp_path, capsys):
    manifest, folder, said = converted(make(tmp_path / make.__name__), tmp_path / "out", capsys)
    content = (folder / fast.FILE).read_bytes()
    assert manifest["files"][fast.FILE] == hashlib.sha256(content).hexdigest()
    assert f"{fast.FILE}: " in said and "WARNING: no fast" not in said
    again = converted(tmp_path / make.__name__, tmp_path / "again", capsys)[1]
    assert (again / fast.FILE).read_bytes() == content


@pytest.mark.parametrize("make", [boosted, forest])
def test_without_the_library_it_is_left_out_and_said(make, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv(ops.VARIABLE, "none")
    manifest, folder, said = converted(make(tmp_path / make.__name__), tmp_path / "out", capsys)
    assert fast.FILE not in manifest["files"] and not (folder / fast.FILE).exists()
    assert said.count("WARNING: no fast.onnx: the library of skiff's operators is not there") == 1


def test_a_library_that_is_named_and_is_not_there_is_an_error(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv(ops.VARIABLE, str(tmp_path / "libskiff.so"))
    assert cli.main([str(boosted(tmp_path / "model")), "--out", str(tmp_path / "out")]) == 1
    assert (
        f"{ops.VARIABLE} names {tmp_path}/libskiff.so, which is not there\nhint: " in capsys.readouterr().err
    )


def test_too_many_questions_leave_it_out(tmp_path, capsys, monkeypatch):
    def too_many(*args, fast):
        if fast:
            raise TooMany
        return lower(*args)

    lower = general.lower
    monkeypatch.setattr(general, "lower", too_many)
    _, folder, said = converted(boosted(tmp_path / "model"), tmp_path / "out", capsys)
    assert "WARNING: no fast.onnx: the trees ask more questions" in said
    assert not (folder / fast.FILE).exists()
