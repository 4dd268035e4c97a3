"""Where models are found: folders, and MLflow's own URIs against a real tracking store."""

import mlflow
import pytest
import yaml
from helpers import ESTIMATORS, TRUSTED, fit, save

from skiff_convert import source
from skiff_convert.errors import ConvertError


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    """A run in an MLflow 3 store, its model registered; (run id, artifact folder of the store)."""
    folder = tmp_path_factory.mktemp("mlflow")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    experiment = mlflow.create_experiment("test", (folder / "artifacts").as_uri())
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.sklearn.log_model(
            fit(ESTIMATORS["DecisionTreeRegressor"]()),
            name="model",
            registered_model_name="rides",
            skops_trusted_types=TRUSTED,
            pip_requirements=[],
        )
    yield run.info.run_id, folder / "artifacts"
    mlflow.set_tracking_uri(before)


def test_mlflow_3(tracked):
    run_id, artifacts = tracked
    (folder,) = (artifacts / "models").glob("m-*/artifacts")
    for model in (f"runs:/{run_id}/model", "models:/rides/1", str(folder)):
        found = source.find(model)
        assert (found.run_id, found.file, found.trusted) == (run_id, "model.skops", tuple(TRUSTED))
        assert (found.folder / found.file).is_file()


def test_no_such_run(tracked):
    with pytest.raises(ConvertError, match=r"fetching runs:/0000/model: .*0000"):
        source.find("runs:/0000/model")


def test_mlflow_2(tmp_path):
    folder = tmp_path / "1" / ("a" * 32) / "artifacts" / "model"
    found = source.find(str(save(fit(ESTIMATORS["Ridge"]()), folder, run_id="a" * 32)))
    assert (found.run_id, found.file, found.created) == ("a" * 32, "model.pkl", "2026-01-02T03:04:05Z")


def test_a_folder_too_high_gets_a_hint(tmp_path):
    save(fit(ESTIMATORS["Ridge"]()), tmp_path / "artifacts" / "model")
    with pytest.raises(ConvertError, match="has no MLmodel") as raised:
        source.find(str(tmp_path))
    assert raised.value.hint == f"did you mean {tmp_path}/artifacts/model?"


def test_run_ids(tmp_path):
    pipeline = fit(ESTIMATORS["Ridge"]())
    in_run, outside = save(pipeline, tmp_path / "in"), save(pipeline, tmp_path / "outside", run_id=None)
    assert source.find(str(in_run), "r" * 32).run_id == "r" * 32
    assert source.find(str(outside)).run_id == "0" * 32
    assert source.find(str(outside), "mine").run_id == "mine"
    with pytest.raises(ConvertError, match="--run-id mine contradicts the model, which is run rrr"):
        source.find(str(in_run), "mine")
    for bad in ("../up", "a/b", "x" * 65, "ü"):
        with pytest.raises(ConvertError, match="cannot name a bundle"):
            source.find(str(outside), bad)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"flavors": {"xgboost": {}}}, "has no sklearn flavor"),
        ({"flavors": None}, "has no sklearn flavor"),
        ({"utc_time_created": None}, "the MLmodel has no utc_time_created"),
        ({"flavors": {"sklearn": {"pickled_model": "gone.pkl"}}}, "has no gone.pkl"),
        ({"run_id": None, "model_uuid": None}, "the model was saved outside a run"),
    ],
)
def test_wrong_mlmodels(tmp_path, change, error):
    folder = save(fit(ESTIMATORS["Ridge"]()), tmp_path / "model")
    mlmodel = yaml.safe_load((folder / "MLmodel").read_text())
    (folder / "MLmodel").write_text(yaml.safe_dump({**mlmodel, **change}))
    with pytest.raises(ConvertError, match=error):
        source.find(str(folder))


def test_no_folder():
    with pytest.raises(ConvertError, match="no folder nowhere"):
        source.find("nowhere")


def test_a_run_id_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConvertError) as refused:
        source.find("0123456789abcdef" * 2)
    assert refused.value.hint == "did you mean runs:/0123456789abcdef0123456789abcdef/model?"


@pytest.mark.parametrize("uri", ["runs:/0123/model", "models:/rides/1"])
def test_no_store_is_made_up(tmp_path, monkeypatch, uri):
    """MLflow would make an empty one here, and find nothing in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(ConvertError, match="MLFLOW_TRACKING_URI is not set"):
        source.find(uri)
    assert not list(tmp_path.iterdir())
