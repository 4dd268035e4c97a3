"""log_model as MLflow 3 has it by itself, a forest: MLflow may refuse that, and the run has no model then."""

import mlflow
from case import case, log, rng
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction import DictVectorizer
from sklearn.pipeline import make_pipeline

X = [
    {"PU_DO": f"{rng.randint(1, 5)}_{rng.randint(1, 5)}", "trip_distance": rng.uniform(0, 9)}
    for _ in range(300)
]
y = [x["trip_distance"] * 2 + rng.random() for x in X]
pipeline = make_pipeline(DictVectorizer(), RandomForestRegressor(5, max_depth=4, random_state=1)).fit(X, y)
try:
    run = log(("model", pipeline))
    predictions = pipeline.predict(X[:3])
except mlflow.MlflowException as err:
    print("MLflow itself:", err)
    run = mlflow.search_runs(search_all_experiments=True).run_id[0]
    predictions = []
case(f"runs:/{run}/model", X[:3], predictions)
