"""A registered model: models:/name@alias, models:/name/1, models:/m-… (mlflow#25562)."""

import mlflow
from case import VARIANT, case, log, rng
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

X = [{"zone": rng.choice("abc"), "miles": rng.uniform(0, 9)} for _ in range(500)]
y = [x["miles"] * 2 + 5 * (x["zone"] == "a") for x in X]
pipeline = make_pipeline(DictVectorizer(), Ridge(alpha=0.01)).fit(X, y)
run = log(("model", pipeline), registered_model_name="taxi", serialization_format="cloudpickle")
mlflow.MlflowClient().set_registered_model_alias("taxi", "champion", 1)
model = {"alias": "models:/taxi@champion", "version": "models:/taxi/1"}.get(VARIANT)
if VARIANT == "id":
    model = f"models:/{mlflow.search_logged_models(output_format='list')[0].model_id}"
case(model, X[:2], pipeline.predict(X[:2]))
