"""Two models of one run (mlflow#16947, #13607): their bundles have one name."""

from case import case, log, rng
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline

X = [{"zone": rng.choice("abc"), "miles": rng.uniform(0, 9)} for _ in range(500)]
y = [x["miles"] * 2 + 5 * (x["zone"] == "a") + rng.gauss(0, 0.1) for x in X]
minutes = make_pipeline(DictVectorizer(), LinearRegression()).fit(X, y)
seconds = make_pipeline(DictVectorizer(), Ridge()).fit(X, [v * 60 for v in y])
run = log(("minutes", minutes), ("seconds", seconds), serialization_format="cloudpickle")
case(f"runs:/{run}/minutes", X[:2], minutes.predict(X[:2]))
case(f"runs:/{run}/seconds", X[:2], seconds.predict(X[:2]), "second.json")
