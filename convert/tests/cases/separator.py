"""A separator that is in the features' names; lr or tree."""

from case import VARIANT, of_run, rng
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor

X = [
    {"pickup_zone": rng.choice(["queens", "bronx"]), "trip_distance": round(rng.uniform(0, 9), 2)}
    for _ in range(800)
]
y = [x["trip_distance"] * 2 + 5 * (x["pickup_zone"] == "queens") + rng.random() for x in X]
estimator = {"lr": LinearRegression(), "tree": DecisionTreeRegressor(max_depth=5)}[VARIANT]
pipeline = make_pipeline(DictVectorizer(separator="_"), estimator).fit(X, y)
records = X[:4] + [{"pickup": "zone_bronx", "trip": "distance"}]
of_run(pipeline, records, pipeline.predict(records))
