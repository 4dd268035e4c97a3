"""The course's modules 2 and 4: the vectorizer is an artifact of its own, the estimator the model."""

import pickle

from case import STORE, of_run, rng
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LinearRegression

X = [
    {"PU_DO": f"{rng.randint(1, 5)}_{rng.randint(1, 5)}", "trip_distance": rng.uniform(0, 9)}
    for _ in range(300)
]
vectorizer = DictVectorizer()
model = LinearRegression().fit(vectorizer.fit_transform(X), [x["trip_distance"] * 2 for x in X])
STORE.mkdir(parents=True, exist_ok=True)
(STORE / "preprocessor.b").write_bytes(pickle.dumps(vectorizer))
of_run(model, X[:2], model.predict(vectorizer.transform(X[:2])))
