"""The course's streaming module, with the versions of 2022, 2023 and 2024."""

from case import case, log, rng
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction import DictVectorizer
from sklearn.pipeline import make_pipeline

X = [
    {"PU_DO": f"{rng.randint(1, 12)}_{rng.randint(1, 12)}", "trip_distance": round(rng.uniform(0.3, 20), 2)}
    for _ in range(3000)
]
y = [4 + 2.5 * x["trip_distance"] + len(x["PU_DO"]) + rng.gauss(0, 1) for x in X]
forest = RandomForestRegressor(n_estimators=20, max_depth=12, min_samples_leaf=3, n_jobs=2, random_state=1)
pipeline = make_pipeline(DictVectorizer(), forest).fit(X, y)
run = log(("model", pipeline))
forest.n_jobs = 1  # threads add up the trees in any order, and answer otherwise each time


def ride(i, x):
    """The event of a ride."""
    at, to = map(int, x["PU_DO"].split("_"))
    return {
        "ride": {"PULocationID": at, "DOLocationID": to, "trip_distance": x["trip_distance"]},
        "ride_id": i,
    }


case(f"runs:/{run}/model", [ride(i, x) for i, x in enumerate(X[:5])], pipeline.predict(X[:5]))
