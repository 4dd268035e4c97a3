"""Boolean features (sklearn-onnx#805)."""

from case import of_run, rng
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction import DictVectorizer
from sklearn.pipeline import make_pipeline

X = [
    {
        "member": rng.random() < 0.5,
        "rain": rng.random() < 0.3,
        "hour": rng.randint(0, 23),
        "zone": rng.choice("abc"),
    }
    for _ in range(1500)
]
y = [10 * x["member"] - 4 * x["rain"] + x["hour"] * 0.3 + rng.gauss(0, 0.2) for x in X]
pipeline = make_pipeline(DictVectorizer(), RandomForestRegressor(10, max_depth=6, random_state=1)).fit(X, y)
records = X[:4] + [
    {"member": "True", "rain": False, "hour": 3, "zone": "a"},
    {"member": 1, "rain": 0, "hour": 3, "zone": "a"},
]
of_run(pipeline, records, pipeline.predict(records))
