"""y is a frame of one column, so that a linear model predicts (n, 1)."""

import numpy as np
import pandas as pd
from case import VARIANT, of_run, rng
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline

X = [
    {"PU_DO": f"{rng.randint(1, 5)}_{rng.randint(1, 5)}", "trip_distance": rng.uniform(0, 9)}
    for _ in range(300)
]
y = pd.DataFrame({"duration": [x["trip_distance"] * 2 + rng.random() for x in X]})
pipeline = make_pipeline(DictVectorizer(), {"lr": LinearRegression, "ridge": Ridge}[VARIANT]()).fit(X, y)
of_run(pipeline, X[:3], np.ravel(pipeline.predict(X[:3])))
