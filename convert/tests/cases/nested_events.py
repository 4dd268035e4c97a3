"""The homework's model, and the course's events: their features are one level down."""

from case import of_run, rng
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction import DictVectorizer
from sklearn.pipeline import make_pipeline

X = [{"PUlocationID": str(rng.randint(1, 9)), "DOlocationID": str(rng.randint(1, 9))} for _ in range(2000)]
y = [4 + int(x["PUlocationID"]) * 1.5 + 2.5 * int(x["DOlocationID"]) + rng.gauss(0, 1) for x in X]
pipeline = make_pipeline(DictVectorizer(), RandomForestRegressor(10, max_depth=6, random_state=1)).fit(X, y)
nested = [{"ride": x, "ride_id": i} for i, x in enumerate(X[:4])]
other = [{"PULocationID": "7", "DOLocationID": "3"}, {}]
of_run(pipeline, X[:2] + nested + other, [*pipeline.predict(X[:2]), *[None] * 6])
