"""What the cases share: each is run with a folder for its store, makes a model there, and says in case.json
what records the worker is sent and what the model's own pipeline predicts for them."""

import json
import random
import sys
from pathlib import Path

import mlflow

STORE = Path(sys.argv[1]).absolute()
VARIANT = sys.argv[2] if len(sys.argv) > 2 else ""
TRACKING = f"sqlite:///{STORE}/mlflow.db"
rng = random.Random(7)


def log(*models, **options):
    """Logs (name, model) pairs in one run; its id."""
    STORE.mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri(TRACKING)
    if not mlflow.get_experiment_by_name("e"):
        mlflow.create_experiment("e", artifact_location=f"file://{STORE}/artifacts")
    mlflow.set_experiment("e")
    with mlflow.start_run() as run:
        for name, model in models:
            mlflow.sklearn.log_model(model, **named(name), **options)
        for file in STORE.glob("*.b"):
            mlflow.log_artifact(str(file), artifact_path="preprocessor")
    return run.info.run_id


def named(name):
    """How a model is named: MLflow 3 has another word for it."""
    return {"name" if int(mlflow.__version__.split(".")[0]) >= 3 else "artifact_path": name}


def case(model, records, predictions, file="case.json"):
    """Writes the case: records, text or values, and a prediction each, None for one that is rejected."""
    content = {"model": model, "tracking": TRACKING, "records": records, "predictions": list(predictions)}
    (STORE / file).write_text(json.dumps(content, default=lambda x: x.item()))


def of_run(model, records, predictions, **options):
    """A run with one model, which is the case's."""
    options = {"serialization_format": "cloudpickle", **options}
    case(f"runs:/{log(('model', model), **options)}/model", records, predictions)
