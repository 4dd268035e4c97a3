"""Makes a store as some MLflow writes it: the fixtures beside this file came out of it, one a version.

    python make.py FOLDER        with the Python of an environment that has that MLflow

mlruns/ is a file store and mlflow.sql the dump of a SQLite one, less the tables that stayed empty, both of a
run that logged a pipeline as `model`, registered it as `rides` and left a vectorizer beside it. Paths are
written as if FOLDER were /home/someone/taxi, where it is not: reading them shows that a store may move.
"""

import os
import pickle
import sqlite3
import sys

import mlflow
import sklearn
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

HOME = "/home/someone/taxi"


def log(tracking, artifacts):
    """A run; artifacts: where they go, or None for the file store's own place."""
    mlflow.set_tracking_uri(tracking)
    experiment = mlflow.create_experiment("taxi", artifacts)
    X = [{"zone": zone, "miles": float(miles)} for zone in "ab" for miles in range(4)]
    y = [record["miles"] + (record["zone"] == "b") for record in X]
    pipeline = make_pipeline(DictVectorizer(), Ridge(alpha=0.1)).fit(X, y)
    with mlflow.start_run(experiment_id=experiment):
        with open("dict_vectorizer.b", "wb") as file:
            pickle.dump(pipeline[0], file)
        mlflow.log_artifact("dict_vectorizer.b", artifact_path="preprocessor")
        registry = tracking.startswith("sqlite:") or not mlflow.__version__.startswith("1.")
        name = {"registered_model_name": "rides"} if registry else {}
        mlflow.sklearn.log_model(pipeline, artifact_path="model", **name)
    if hasattr(mlflow.tracking.MlflowClient, "set_registered_model_alias"):
        mlflow.tracking.MlflowClient().set_registered_model_alias("rides", "champion", "1")
    with mlflow.start_run(experiment_id=experiment):
        mlflow.log_metric("rmse", 1.0)  # and no model


def dump(database, path):
    """The tables that have rows, as SQL."""
    connection = sqlite3.connect(database)
    tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
    empty = {name for name in tables if not connection.execute(f"select 1 from {name} limit 1").fetchone()}
    ends = [f" {name} (" for name in empty] + [f'"{name}" (' for name in empty]
    with open(path, "w") as file:
        for line in connection.iterdump():
            about = line.partition("(")[0] + "("  # CREATE TABLE name (, CREATE INDEX index ON name (
            if not (line.startswith("CREATE") and about.endswith(tuple(ends))):
                file.write(line + "\n")


def main():
    folder, script = os.path.abspath(sys.argv[1]), os.path.abspath(__file__).encode()
    os.makedirs(folder)
    os.chdir(folder)
    log("file://" + folder + "/mlruns", None)
    log("sqlite:///" + folder + "/mlflow.db", "file://" + folder + "/artifacts")
    dump("mlflow.db", "mlflow.sql")
    os.remove("mlflow.db")
    os.remove("dict_vectorizer.b")
    for parent, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(parent, name)
            with open(path, "rb") as file:
                content = file.read()
            with open(path, "wb") as file:
                file.write(content.replace(folder.encode(), HOME.encode()).replace(script, b"make.py"))
    for parent, _, files in os.walk(folder, topdown=False):  # what no test looks at
        for name in files:
            if parent.endswith("/tags") and name != "mlflow.log-model.history" or "/metrics" in parent:
                os.remove(os.path.join(parent, name))
        if not os.listdir(parent):
            os.rmdir(parent)
    print(mlflow.__version__, sklearn.__version__)


if __name__ == "__main__":
    main()
