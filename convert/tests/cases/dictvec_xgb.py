"""A sparse DictVectorizer and XGBRegressor: absent means missing, not 0 (onnxmltools#371, xgboost#5960)."""

from case import of_run, rng
from sklearn.feature_extraction import DictVectorizer
from sklearn.pipeline import make_pipeline
from xgboost import XGBRegressor

X = [
    {"PU_DO": f"{rng.randint(1, 5)}_{rng.randint(1, 5)}", "trip_distance": round(rng.uniform(0, 9), 2)}
    for _ in range(800)
]
y = [x["trip_distance"] * 2 + 5 for x in X]
pipeline = make_pipeline(DictVectorizer(), XGBRegressor(n_estimators=10, max_depth=3)).fit(X, y)
records = X[:2] + [{"PU_DO": "1_1"}, {"PU_DO": "1_1", "trip_distance": 0}, {"trip_distance": 4}]
of_run(pipeline, records, pipeline.predict(records))
