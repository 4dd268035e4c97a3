"""One-hot keys made by hand, "country=DE": 1; ridge or forest. A record with the word itself is the same."""

from case import VARIANT, of_run, rng
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline


def row():
    return {
        "orders": float(rng.randint(1, 30)),
        "recency_days": rng.randint(0, 300),
        "country=" + rng.choice(["DE", "FR", "US"]): 1,
        "channel=" + rng.choice(["web", "shop"]): 1,
    }


X = [row() for _ in range(2000)]
y = [
    x["orders"] * 2 - 0.1 * x["recency_days"] + 40 * x.get("country=DE", 0) - 25 * x.get("channel=web", 0)
    for x in X
]
estimator = {"ridge": Ridge(), "forest": RandomForestRegressor(10, max_depth=6, random_state=1)}[VARIANT]
pipeline = make_pipeline(DictVectorizer(), estimator).fit(X, y)
words = {"orders": 3, "recency_days": 9, "country": "DE", "channel": "web"}
records = X[:6] + [words, {**words, "country": ["FR"]}, {**words, "country=DE": 0.5, "country": "FR"}]
twice = {**words, "country=DE": 1}  # what the vectorizer adds up, or not
of_run(pipeline, [*records, twice], [*pipeline.predict(records), None])
