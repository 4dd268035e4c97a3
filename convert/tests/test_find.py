"""Where models are found: the stores of MLflow 1.26 to 3, read without MLflow and never written to.

stores/ has what MLflow itself wrote (stores/make.py); what the locked MLflow writes is made here.
"""

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import mlflow
import pytest
import yaml
from helpers import ESTIMATORS, fit, save

from skiff_convert.errors import ConvertError
from skiff_convert.find import find

STORES = Path(__file__).parent / "stores"
VERSIONS = ("1.26", "2.3", "2.22", "3.1")
ALIASES = VERSIONS[1:]  # those that have them


def contents(folder: Path) -> dict[str, tuple[str, int]]:
    """Every file, with its bytes' digest and when it was written."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in files
    }


def refused(model: str, tracking: str | None = None) -> tuple[str, str]:
    with pytest.raises(ConvertError) as raised:
        find(model, tracking=tracking)
    message, hint = str(raised.value), raised.value.hint
    assert "\n" not in message + hint
    return message, hint


@pytest.fixture(scope="module", params=[f"{v} {kind}" for v in VERSIONS for kind in ("database", "files")])
def store(request, tmp_path_factory):
    """(version, tracking URI, run with a model, run without, folder) of a store written elsewhere."""
    version, kind = request.param.split()
    folder = tmp_path_factory.mktemp("store") / "moved"
    shutil.copytree(STORES / version, folder)
    if kind == "files":
        runs = {path.parent.name for path in folder.glob("mlruns/*/*/meta.yaml")} - {"rides"}
        (run,) = {path.parent.parent.name for path in folder.glob("mlruns/*/*/artifacts/preprocessor")}
        (empty,) = {name for name in runs - {run} if not name.startswith("m-")}
        return version, str(folder / "mlruns"), run, empty, folder
    with closing(sqlite3.connect(folder / "mlflow.db")) as database:
        database.executescript((folder / "mlflow.sql").read_text())
        runs = database.execute("select run_uuid from runs order by start_time")
        (run,), (empty,) = runs
    return version, f"sqlite:///{folder}/mlflow.db", run, empty, folder


def test_stores(store):
    version, tracking, run, _, folder = store
    before = contents(folder)
    names = [f"runs:/{run}/model", f"runs:/{run}"]
    if version != "1.26" or tracking.startswith("sqlite"):
        names += ["models:/rides/1", "models:/rides/latest", "models:/rides/none"]
        names += ["models:/rides@champion"] if version in ALIASES else []
    for name in names:
        found = find(name, tracking=tracking)
        assert (found.run_id, found.name, found.mlmodel.flavor) == (run, "model", "sklearn")
        assert found.file.read_bytes()[:1] == b"\x80"
        assert folder in found.folder.parents
        assert found.experiment_id.isdigit() and found.artifact_uri.endswith(f"{run}/artifacts")
        assert found.mlmodel.wrote[1] and found.mlmodel.python.startswith("3.")
        assert any(line.startswith("scikit-learn==") for line in found.mlmodel.requirements)
        assert "preprocessor/dict_vectorizer.b" in found.bare_hint()
        if found.mlmodel.model_id:
            assert find(f"models:/{found.mlmodel.model_id}", tracking=tracking).folder == found.folder
        by_folder = find(str(found.folder))
        assert (by_folder.run_id, by_folder.mlmodel) == (run, found.mlmodel)
    assert contents(folder) == before


def test_what_is_not_there(store):
    version, tracking, run, empty, _ = store
    nobody = "0" * 32
    assert refused(f"runs:/{nobody}/model", tracking)[0].startswith(f"no run {nobody} in ")
    assert refused(f"runs:/{run}/modle", tracking) == (
        f"run {run} has no model modle",
        f"did you mean runs:/{run}/model?",
    )
    assert refused(f"runs:/{run}/preprocessor", tracking)[1] == f"did you mean runs:/{run}/model?"
    message, hint = refused(f"runs:/{empty}/model", tracking)
    assert message == f"run {empty} has no model model" and hint.startswith("logging it failed")
    assert refused(f"runs:/{empty}", tracking)[0] == f"run {empty} has no model"
    assert refused("models:/nobody/1", tracking)[0].startswith("no registered model nobody in ")
    assert refused(f"models:/m-{nobody}", tracking)[0].startswith(f"no model m-{nobody} in ")
    if version in ALIASES:
        assert refused("models:/rides/7", tracking) == (
            "registered model rides has no version 7",
            "it has models:/rides/1",
        )
        assert refused("models:/rides@loser", tracking)[0] == "registered model rides has no alias loser"


def test_files_of_another_machine(store):
    version, tracking, run, _, folder = store
    if tracking.startswith("sqlite"):
        (folder / "artifacts").rename(folder / "elsewhere")
        message, hint = refused(f"runs:/{run}/model", tracking)
        assert "said to be at /home/someone/taxi/" in message and "on another machine" in hint
        (folder / "elsewhere").rename(folder / "artifacts")


def test_a_checkout(store, monkeypatch):
    """Where no store is named, the ones here are looked in, as MLflow does."""
    _, _, run, _, folder = store
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert find(f"runs:/{run}/model").run_id == run


def test_a_database_that_is_being_written(store):
    """One with a write-ahead log is read as it is, and nothing is left beside it."""
    _, tracking, run, _, folder = store
    if not tracking.startswith("sqlite"):
        pytest.skip("a file store")
    with closing(sqlite3.connect(folder / "mlflow.db")) as writer:
        writer.execute("pragma journal_mode = wal")
        writer.execute("update runs set name = 'not checkpointed' where 1")
        writer.commit()
        before = contents(folder)
        assert find(f"runs:/{run}/model", tracking=tracking).run_id == run
        assert contents(folder) == before
        writer.execute("pragma journal_mode = delete")


@pytest.fixture(scope="module")
def newest(tmp_path_factory):
    """(tracking URI, run) of the locked MLflow: two models in one run, one of them logged twice."""
    folder = tmp_path_factory.mktemp("newest")
    before, tracking = mlflow.get_tracking_uri(), f"sqlite:///{folder}/mlflow.db"
    mlflow.set_tracking_uri(tracking)
    experiment = mlflow.create_experiment("e", (folder / "artifacts").as_uri())
    pipeline = fit(ESTIMATORS["Ridge"]())
    with mlflow.start_run(experiment_id=experiment) as run:
        for name in ("minutes", "seconds", "minutes"):
            mlflow.sklearn.log_model(
                pipeline, name=name, serialization_format="cloudpickle", pip_requirements=["scikit-learn"]
            )
    mlflow.register_model(f"runs:/{run.info.run_id}/seconds", "rides")
    mlflow.MlflowClient().set_registered_model_alias("rides", "champion", 1)
    models = mlflow.search_logged_models(experiment_ids=[experiment], output_format="list")
    mlflow.set_tracking_uri(before)
    return tracking, run.info.run_id, {model.model_id: model for model in models}


def test_several_models_in_a_run(newest):
    tracking, run, models = newest
    message, hint = refused(f"runs:/{run}", tracking)
    assert (message, hint) == (
        f"run {run} has 2 models",
        f"name one: runs:/{run}/minutes, runs:/{run}/seconds",
    )
    assert refused(f"runs:/{run}/model", tracking)[1] == hint.replace("name one: ", "did you mean ") + "?"
    seconds = find(f"runs:/{run}/seconds", tracking=tracking)
    assert models[seconds.mlmodel.model_id].name == seconds.name == "seconds"
    latest = max((m for m in models.values() if m.name == "minutes"), key=lambda m: m.creation_timestamp)
    assert find(f"runs:/{run}/minutes", tracking=tracking).mlmodel.model_id == latest.model_id
    for name in ("models:/rides/1", "models:/rides@champion", f"models:/{seconds.mlmodel.model_id}"):
        assert find(name, tracking=tracking).folder == seconds.folder
        assert find(name, tracking=tracking).name == "seconds"


def test_a_model_whose_logging_failed(newest, tmp_path):
    tracking, run, models = newest
    database = tmp_path / "mlflow.db"
    shutil.copy(tracking.removeprefix("sqlite:///"), database)
    with closing(sqlite3.connect(database)) as writer:
        writer.execute(
            "update logged_models set status = 3, artifact_location = ? where name = 'seconds'",
            [str(tmp_path)],
        )
        writer.commit()
    message, _ = refused(f"runs:/{run}/seconds", f"sqlite:///{database}")
    assert message.startswith("logging the model seconds (m-") and message.endswith("UPLOAD_FAILED")


@pytest.mark.parametrize(
    ("tracking", "message", "hint"),
    [
        ("postgresql://me:secret@host/db", "a tracking store in postgresql cannot be read", "mlflow server"),
        ("mysql+pymysql://me:secret@host/db", "a tracking store in mysql cannot be read", "mlflow server"),
        ("databricks://profile", "no tracking store is known by databricks:", "download the model"),
        ("sqlite:////nowhere/mlflow.db", "no database /nowhere/mlflow.db", "sqlite:///"),
        ("/nowhere/mlruns", "no tracking store /nowhere/mlruns", "MLFLOW_TRACKING_URI"),
        ("http://127.0.0.1:9", "no answer from http://127.0.0.1:9: ", "tracking server"),
    ],
)
def test_stores_that_cannot_be_read(tracking, message, hint):
    said = refused(f"runs:/{'0' * 32}/model", tracking)
    assert said[0].startswith(message) and hint in said[1] and "secret" not in "".join(said)


def test_no_database(tmp_path):
    for content in (b"", b"not a database, but long enough to be looked at" * 9):
        (tmp_path / "mlflow.db").write_bytes(content)
        said = refused(f"runs:/{'0' * 32}/model", f"sqlite:///{tmp_path}/mlflow.db")
        assert "mlflow.db" in said[0]
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]


def test_folders(tmp_path):
    pipeline, folder = (
        fit(ESTIMATORS["Ridge"]()),
        tmp_path / "mlruns" / "1" / ("a" * 32) / "artifacts" / "model",
    )
    save(pipeline, folder, run_id="a" * 32)
    for name in (str(folder), folder.as_uri(), str(folder) + "/"):
        found = find(name)
        assert (found.run_id, found.experiment_id, found.name) == ("a" * 32, "1", "model")
        assert found.artifact_uri.endswith(f"/mlruns/1/{'a' * 32}/artifacts")
        assert found.created == "2026-01-02T03:04:05Z"
    assert refused(str(tmp_path))[1] == f"did you mean {folder}?"
    assert refused(str(folder / "MLmodel")) == (f"{folder / 'MLmodel'} is a file", f"did you mean {folder}?")
    assert refused(str(folder / "model.pkl"))[1] == f"did you mean {folder}?"
    assert refused(str(tmp_path / "nowhere"))[0] == f"no folder {tmp_path / 'nowhere'}"
    assert refused("a" * 32)[1] == f"did you mean runs:/{'a' * 32}/model?"
    assert refused("models:/rides")[0] == "models:/rides does not say which version"
    assert refused("gs://bucket/model")[0] == "files at gs: cannot be fetched"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"flavors": {"statsmodels": {}, "python_function": {}}}, "(it has: python_function, statsmodels)"),
        ({"flavors": None}, "has no sklearn flavor"),
        ({"utc_time_created": None}, "the MLmodel has no utc_time_created"),
        ({"flavors": {"sklearn": {"pickled_model": "gone.pkl"}}}, "has no gone.pkl"),
        ({"flavors": {"sklearn": {"pickled_model": "../../secret"}}}, "which is outside of it"),
        ({"flavors": {"sklearn": {"pickled_model": "model.pkl", "code": "/etc"}}}, "which is outside of it"),
        ({"run_id": None, "model_uuid": None}, "the model was saved outside a run"),
        ({"signature": {"inputs": "["}}, "the MLmodel's signature is not JSON"),
    ],
)
def test_wrong_mlmodels(tmp_path, change, error):
    folder = save(fit(ESTIMATORS["Ridge"]()), tmp_path / "model")
    mlmodel = yaml.safe_load((folder / "MLmodel").read_text())
    (folder / "MLmodel").write_text(yaml.safe_dump({**mlmodel, **change}))
    assert error in refused(str(folder))[0]


@pytest.mark.parametrize("content", ["[", "a text", b"\xff\xfe"])
def test_not_an_mlmodel(tmp_path, content):
    (tmp_path / "MLmodel").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert "MLmodel" in refused(str(tmp_path))[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_permissions(tmp_path):
    folder = save(fit(ESTIMATORS["Ridge"]()), tmp_path / "model")
    (folder / "MLmodel").chmod(0)
    assert refused(str(folder))[0].endswith("permission denied")


def test_what_mlflow_wrote_beside_it(tmp_path):
    import pandas as pd

    (tmp_path / "taxi_features.py").write_text("x = 1\n")
    X = pd.DataFrame({"miles": [1.5, 2.5], "zone": ["a", "b"]})
    mlflow.sklearn.save_model(
        fit(ESTIMATORS["Ridge"]()),
        tmp_path / "model",
        serialization_format="cloudpickle",
        signature=mlflow.models.infer_signature(X, [1.0]),
        input_example=X,
        code_paths=[str(tmp_path / "taxi_features.py")],
        pip_requirements=["scikit-learn==1.9.1", "pandas"],
    )
    mlmodel = (tmp_path / "model" / "MLmodel").read_text()
    (tmp_path / "model" / "MLmodel").write_text(
        mlmodel.replace("predict_fn: predict\n", "predict_fn: predict_proba\n")
    )
    found = find(str(tmp_path / "model"), "mine")
    assert found.run_id == "mine" and found.mlmodel.predict_fn == "predict_proba"
    assert [(path.parent, path.name) for path in found.code_paths] == [(found.folder, "code")]
    assert [(i["name"], i["type"]) for i in found.mlmodel.signature["inputs"]] == [
        ("miles", "double"),
        ("zone", "string"),
    ]
    assert found.mlmodel.example == [{"miles": 1.5, "zone": "a"}, {"miles": 2.5, "zone": "b"}]
    assert "scikit-learn==1.9.1" in found.mlmodel.requirements
    for name in ("requirements.txt", "python_env.yaml"):
        (found.folder / name).unlink()
    again = find(str(tmp_path / "model")).mlmodel  # conda.yaml says the same
    assert set(again.requirements) == set(found.mlmodel.requirements) and again.python == found.mlmodel.python
