"""Models behind a real tracking server, and in S3: MLflow's own server, and ministack."""

import base64
import contextlib
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import mlflow
import pytest
from helpers import ESTIMATORS, fit, save

from skiff_convert.errors import ConvertError
from skiff_convert.find import find
from skiff_convert.find.s3 import client

START = 90.0  # seconds for a server to answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(call: list[str], url: str, folder: Path, **env: str):
    """A server, from when it answers until it is ended."""
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            call, cwd=folder, env={**os.environ, **env}, stdout=log, stderr=log, start_new_session=True
        )
        try:
            deadline = time.monotonic() + START
            while True:
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(url, timeout=5).close()
                    break
                assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.wait()


def log(tracking: str, **experiment: str) -> str:
    """A run with a model and a vectorizer beside it, registered; the run's id."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(tracking)
    try:
        with mlflow.start_run(experiment_id=mlflow.create_experiment("e", **experiment)) as run:
            mlflow.log_text("half of it", "preprocessor/dict_vectorizer.b")
            mlflow.sklearn.log_model(
                fit(ESTIMATORS["Ridge"]()),
                name="model",
                registered_model_name="rides",
                serialization_format="cloudpickle",
                pip_requirements=["scikit-learn"],
            )
        for number in range(2, 4):
            mlflow.register_model(f"runs:/{run.info.run_id}/model", "rides")
            mlflow.MlflowClient().set_registered_model_alias("rides", "champion", number)
        return run.info.run_id
    finally:
        mlflow.set_tracking_uri(before)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """(URL of a tracking server that passes artifacts on, a run)."""
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    url = f"http://127.0.0.1:{port}"
    call = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    call += [
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination",
        str(folder / "a"),
    ]
    with running(call, url + "/health", folder):
        yield url, log(url)


def test_a_tracking_server(server, monkeypatch):
    url, run = server
    monkeypatch.setenv("MLFLOW_TRACKING_URI", url + "/")
    by_run = find(f"runs:/{run}/model")
    names = ["models:/rides/1", "models:/rides/latest", "models:/rides@champion", f"runs:/{run}"]
    for name in [*names, f"models:/{by_run.mlmodel.model_id}"]:
        found = find(name)
        assert (found.run_id, found.name, found.mlmodel) == (run, "model", by_run.mlmodel)
        assert found.file.read_bytes() == by_run.file.read_bytes()
        assert found.artifact_uri.startswith("mlflow-artifacts:/") and run in found.artifact_uri
    assert "preprocessor/dict_vectorizer.b" in by_run.bare_hint()
    copy = found.folder
    del found
    assert not copy.exists()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (f"runs:/{'0' * 32}/model", f"no run {'0' * 32} in http://127.0.0.1:"),
        ("models:/nobody/1", "no registered model nobody in http://"),
        ("models:/rides/9", "registered model rides has no version 9"),
        ("models:/rides@loser", "registered model rides has no alias loser"),
        (f"models:/m-{'0' * 32}", f"no model m-{'0' * 32} in http://"),
        ("runs:/RUN/nothing", "run RUN has no model nothing"),
    ],
)
def test_what_the_server_does_not_have(server, model, message):
    url, run = server
    with pytest.raises(ConvertError) as raised:
        find(model.replace("RUN", run), tracking=url)
    assert str(raised.value).startswith(message.replace("RUN", run)) and raised.value.hint


def test_a_server_that_is_none(s3):
    with pytest.raises(ConvertError, match="does not answer as MLflow does|403|404"):
        find(f"runs:/{'0' * 32}/model", tracking=s3)


def test_passwords_stay_secret(server):
    url, _ = server
    with pytest.raises(ConvertError) as raised:
        find(f"runs:/{'0' * 32}/model", tracking=url.replace("//", "//me:secret@"))
    assert "secret" not in str(raised.value) + raised.value.hint


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    """The URL of a stand-in for S3, which the variables name."""
    folder, port = tmp_path_factory.mktemp("s3"), free_port()
    url = f"http://127.0.0.1:{port}"
    variables = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }
    ministack = Path(sys.executable).with_name("ministack")
    with (
        pytest.MonkeyPatch.context() as patch,
        running([str(ministack)], url, folder, GATEWAY_PORT=str(port)),
    ):
        for name, value in variables.items():
            patch.setenv(name, value)
        configuration = {"LocationConstraint": "eu-west-1"}
        client().create_bucket(Bucket="models", CreateBucketConfiguration=configuration)
        yield url


def upload(folder: Path, prefix: str) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            key = f"{prefix}/{path.relative_to(folder)}"
            client().put_object(Bucket="models", Key=key, Body=path.read_bytes())


def test_s3(s3, tmp_path):
    run = "b" * 32
    folder = save(fit(ESTIMATORS["Ridge"]()), tmp_path / "model", run_id=run)
    upload(folder, f"1/{run}/artifacts/model")
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "dv.pkl").write_bytes(b"")
    upload(tmp_path / "half", f"1/{run}/artifacts/preprocessor")
    found = find(f"s3://models/1/{run}/artifacts/model/")
    assert (found.run_id, found.experiment_id, found.name) == (run, "1", "model")
    assert found.artifact_uri == f"s3://models/1/{run}/artifacts"
    assert found.file.read_bytes() == (folder / "model.pkl").read_bytes()
    assert "preprocessor/dv.pkl" in found.bare_hint()


def test_what_s3_does_not_have(s3):
    upload(Path(__file__).parent / "stores" / "2.3" / "artifacts", "deep")
    with pytest.raises(ConvertError, match="s3://models/deep has no MLmodel") as raised:
        find("s3://models/deep")
    assert raised.value.hint.startswith("did you mean s3://models/deep/")
    with pytest.raises(ConvertError, match="has no MLmodel"):
        find("s3://models/nothing")
    with pytest.raises(ConvertError, match="listing s3://nobodys-bucket/x: NoSuchBucket"):
        find("s3://nobodys-bucket/x")


def test_no_credentials(s3, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(ConvertError, match="no AWS credentials"):
        find("s3://models/x")


def test_a_store_whose_artifacts_are_in_s3(s3, tmp_path):
    """The database is here, the model in the bucket: put there as MLflow would, which needs boto3 for it."""
    import sqlite3

    tracking = f"sqlite:///{tmp_path}/mlflow.db"
    run = log(tracking, artifact_location=(tmp_path / "artifacts").as_uri())
    upload(tmp_path / "artifacts", "1")
    with contextlib.closing(sqlite3.connect(tmp_path / "mlflow.db")) as writer:
        for table, column in (("runs", "artifact_uri"), ("logged_models", "artifact_location")):
            old, new = (tmp_path / "artifacts").as_uri(), "s3://models/1"
            writer.execute(f"update {table} set {column} = replace({column}, ?, ?)", [old, new])
        writer.execute("update model_versions set storage_location = source where 1")
        writer.commit()
    for name in (f"runs:/{run}/model", "models:/rides@champion"):
        found = find(name, tracking=tracking)
        assert (found.run_id, found.artifact_uri) == (run, f"s3://models/1/{run}/artifacts")
        assert found.file.is_file()


class Guarded(http.server.BaseHTTPRequestHandler):
    """A tracking server that wants a password, and knows no run."""

    def do_GET(self):
        known = self.headers.get("Authorization") == "Basic " + base64.b64encode(b"me:secret").decode()
        body = b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "nothing"}' if known else b"<html>who?"
        self.send_response(404 if known else 401)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_passwords(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Guarded)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        host = f"127.0.0.1:{server.server_port}"

        def said(tracking: str) -> str:
            with pytest.raises(ConvertError) as raised:
                find(f"runs:/{'0' * 32}/model", tracking=tracking)
            return f"{raised.value} {raised.value.hint}"

        assert "401" in said(f"http://{host}") and "MLFLOW_TRACKING_USERNAME" in said(f"http://{host}")
        assert said(f"http://me:secret@{host}").startswith(f"no run {'0' * 32} in http://{host} ")
        (tmp_path / ".mlflow").mkdir()
        (tmp_path / ".mlflow" / "credentials").write_text(
            "[mlflow]\nmlflow_tracking_username = me\nmlflow_tracking_password = secret\n"
        )
        assert said(f"http://{host}").startswith("no run ")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "wrong")
        assert "401" in said(f"http://{host}")
    finally:
        server.shutdown()
