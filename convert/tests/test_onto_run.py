"""--log, and what is said about where a bundle goes."""

import json
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers import ESTIMATORS, fit, save

from skiff_convert import cli, goldens, report

mlflow = pytest.importorskip("mlflow")


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A tracking database with a run that has a model; (client, run id, model's folder)."""
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setattr(goldens, "RANDOM", 100)
    client = mlflow.MlflowClient(uri)
    experiment = client.create_experiment("rides", artifact_location=(tmp_path / "store").as_uri())
    run_id = client.create_run(experiment).info.run_id
    folder = save(fit(ESTIMATORS["Ridge"]()), tmp_path / "model", run_id=run_id)
    client.log_artifacts(run_id, str(folder), "model")
    return client, run_id, folder


def run(capsys, tmp_path, *args) -> tuple[int, str, str]:
    code = cli.main([*map(str, args), "--out", str(tmp_path / "out"), "--no-isolation", "--spec", "none"])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_bundle_on_its_run(store, tmp_path, capsys):
    client, run_id, _ = store
    before = sorted(file.path for file in client.list_artifacts(run_id))
    code, out, err = run(capsys, tmp_path, f"runs:/{run_id}/model")
    assert code == 0, err
    assert sorted(file.path for file in client.list_artifacts(run_id)) == before == ["model"]
    assert f"  aws s3 cp --recursive {out.strip()} s3://$MODEL_BUCKET/1/{run_id}/artifacts/onnx/\n" in err
    assert f"  MODEL_BUCKET=… MLFLOW_EXPERIMENT_ID=1 RUN_ID={run_id} worker\n" in err

    code, out, err = run(capsys, tmp_path, f"runs:/{run_id}/model", "--log")
    assert code == 0, err
    logged = client.list_artifacts(run_id, "onnx")
    assert [file.path for file in logged] == ["onnx/golden.jsonl", "onnx/manifest.json", "onnx/model.onnx"]
    here = Path(out.strip())
    there = tmp_path / "store" / run_id / "artifacts" / "onnx"
    assert {p.name: p.read_bytes() for p in here.iterdir()} == {
        p.name: p.read_bytes() for p in there.iterdir()
    }
    assert f"it is at file://{there}/\n" in err
    assert json.loads((there / "manifest.json").read_text())["run_id"] == run_id


def test_another_models_bundle_stays(store, tmp_path, capsys):
    client, run_id, _ = store
    there = tmp_path / "store" / run_id / "artifacts" / "onnx"
    code, _, err = run(capsys, tmp_path, f"runs:/{run_id}/model", "--log")
    assert code == 0, err
    first = {path.name: path.read_bytes() for path in there.iterdir()}
    for name in ("second", "nested/second"):
        folder = save(fit(ESTIMATORS["Lasso"]()), tmp_path / name, run_id=run_id)
        mlmodel = folder / "MLmodel"
        mlmodel.write_text(mlmodel.read_text().replace("0" * 32, name[0] * 32))
        client.log_artifacts(run_id, str(folder), name)
    out = tmp_path / "seconds"
    for _ in range(2):  # its own is replaced
        code, _, err = run(capsys, out, f"runs:/{run_id}/second", "--log")
        assert code == 0, err
        where = f"{there}/second/"
        assert f"it is at file://{where}, as onnx/ is of something else: " in err
        assert err.splitlines()[-1].endswith(f"MODEL_LOCATION={where} RUN_ID={run_id} worker")
        assert {path.name: path.read_bytes() for path in there.iterdir() if path.is_file()} == first
        assert sorted(path.name for path in (there / "second").iterdir()) == sorted(first)
    code, _, err = run(capsys, tmp_path / "thirds", f"runs:/{run_id}/nested/second", "--log")
    assert code == 1 and not (tmp_path / "thirds").exists()
    assert err.splitlines()[-2:] == [
        f"convert: error: --log: onnx and onnx/second of run {run_id} are of something else",
        "hint: leave --log out; a bundle may be anywhere, MODEL_LOCATION tells the worker where",
    ]


def test_other_files_at_its_place_stay(store, tmp_path, capsys):
    client, run_id, folder = store
    there = tmp_path / "store" / run_id / "artifacts" / "onnx"
    there.mkdir()
    (there / "model.onnx").write_text("another's")
    code, _, err = run(capsys, tmp_path, f"runs:/{run_id}/model", "--log")
    assert code == 0, err
    assert (there / "model.onnx").read_text() == "another's"
    assert (there / "model" / "manifest.json").is_file()


def test_another_mlflows_database_is_left_alone(store, tmp_path, capsys):
    _, _, folder = store
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as database:
        database.execute("UPDATE alembic_version SET version_num = 'cafe'")
    database.close()
    before = path.read_bytes()
    code, out, err = run(capsys, tmp_path, folder, "--log")
    assert (code, out) == (1, "")
    assert err.splitlines()[-2:] == [
        "convert: error: --log: the tracking database is of another MLflow, and this one would migrate it",
        "hint: with the MLflow that it is of: MlflowClient().log_artifacts(run_id, folder, 'onnx')",
    ]
    assert path.read_bytes() == before and not (tmp_path / "out").exists()


def test_nowhere_to_log_to(store, tmp_path, capsys, monkeypatch):
    _, _, folder = store
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    code, out, err = run(capsys, tmp_path, folder, "--log")
    assert (code, out) == (1, "")
    assert err.splitlines()[-2:] == [
        "convert: error: --log: MLFLOW_TRACKING_URI is not set",
        "hint: it names the store that has the run, and is written to",
    ]
    alone = save(fit(ESTIMATORS["Ridge"]()), tmp_path / "alone", run_id=None)
    code, out, err = run(capsys, tmp_path, alone, "--log")
    assert (code, out) == (1, "")
    assert err.splitlines()[-2:] == [
        "convert: error: --log: the model was saved outside a run",
        "hint: leave --log out",
    ]


@pytest.mark.parametrize(
    ("uri", "lines"),
    [
        ("", []),
        (
            "s3://bucket/1/r/artifacts",
            [
                "  aws s3 cp --recursive models/r s3://bucket/1/r/artifacts/onnx/",
                "  MODEL_BUCKET=bucket MLFLOW_EXPERIMENT_ID=1 RUN_ID=r worker",
            ],
        ),
        (
            "s3://bucket/deep/1/r/artifacts",
            [
                "  aws s3 cp --recursive models/r s3://bucket/deep/1/r/artifacts/onnx/",
                "  MODEL_LOCATION=s3://bucket/deep/1/r/artifacts/onnx/ RUN_ID=r worker",
            ],
        ),
    ],
)
def test_how_to_serve_it(uri, lines):
    found = SimpleNamespace(experiment_id="1" if uri else "", run_id="r", artifact_uri=uri)
    assert report.serving(found, Path("models/r"))[1:] == lines
