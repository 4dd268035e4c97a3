"""TransformedTargetRegressor over the pipeline, or in it: a logarithm (sklearn-onnx#390)."""

import numpy as np
from case import VARIANT, of_run, rng
from sklearn.compose import TransformedTargetRegressor
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

X = [{"zone": rng.choice("abc"), "miles": rng.uniform(0, 9)} for _ in range(500)]
y = np.exp([x["miles"] * 0.2 + (x["zone"] == "a") for x in X])
log = {"func": np.log1p, "inverse_func": np.expm1, "check_inverse": False}
if VARIANT == "outer":
    pipeline = TransformedTargetRegressor(make_pipeline(DictVectorizer(), Ridge()), **log)
else:
    pipeline = make_pipeline(DictVectorizer(), TransformedTargetRegressor(Ridge(), **log))
pipeline.fit(X, y)
of_run(pipeline, X[:2], pipeline.predict(X[:2]))
