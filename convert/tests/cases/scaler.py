"""DictVectorizer(sparse=False), StandardScaler, Ridge: a dense sum, which has a bound."""

from case import of_run, rng
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

X = [{"length": rng.randint(3, 40), "zipf": rng.uniform(0, 7)} for _ in range(300)]
y = [x["length"] * 0.2 - x["zipf"] for x in X]
pipeline = make_pipeline(DictVectorizer(sparse=False), StandardScaler(), Ridge()).fit(X, y)
of_run(pipeline, X[:2], pipeline.predict(X[:2]))
