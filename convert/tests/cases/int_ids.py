"""Training had ids as text, the stream has them as integers (scikit-learn#4413)."""

from case import of_run, rng
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

X = [
    {"at": str(rng.randint(1, 9)), "to": str(rng.randint(1, 9)), "miles": round(rng.uniform(0.3, 20), 2)}
    for _ in range(2000)
]
y = [4 + int(x["at"]) * 1.5 + 2.5 * x["miles"] + rng.gauss(0, 1) for x in X]
pipeline = make_pipeline(DictVectorizer(), LinearRegression()).fit(X, y)
records = [{"at": 7, "to": 3, "miles": 2.5}, {"at": "7", "to": "3", "miles": 2.5}]
of_run(pipeline, records, pipeline.predict(records))
