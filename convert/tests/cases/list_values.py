"""A feature that is a list of words (scikit-learn#17367)."""

from case import of_run, rng
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

GENRES = ["action", "drama", "scifi", "kids"]
X = [{"genres": rng.sample(GENRES, rng.randint(1, 3)), "year": rng.randint(1980, 2020)} for _ in range(1500)]
y = [
    5 * ("drama" in x["genres"]) + 3 * ("kids" in x["genres"]) + 0.1 * (x["year"] - 1980) + rng.gauss(0, 0.1)
    for x in X
]
pipeline = make_pipeline(DictVectorizer(), Ridge()).fit(X, y)
records = X[:4] + [{"genres": [], "year": 2000}, {"genres": ["opera"], "year": 2000}, {"genres": "kids"}]
refused = [{"genres": ["kids", "kids"]}, {"genres": ["kids", 1]}, {"genres": {"a": 1}}]
of_run(pipeline, records + refused, [*pipeline.predict(records), *[None] * 3])
