"""A classifier of text labels, whose dicts have other keys each."""

from case import of_run, rng
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction import DictVectorizer
from sklearn.pipeline import make_pipeline

X = [{f"wifi-{k}": rng.randint(0, 150) for k in rng.sample("abcd", 2)} for _ in range(300)]
y = ["kitchen" if x.get("wifi-a", 0) > 50 else "office" for x in X]
pipeline = make_pipeline(DictVectorizer(sparse=False), RandomForestClassifier(10, random_state=1)).fit(X, y)
of_run(pipeline, [*X[:9], {"wifi-z": 1}], [*pipeline.predict(X[:9]), None])
