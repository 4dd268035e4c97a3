"""DataFrame.to_dict("records") with missing values: None in a text column, NaN in a number."""

import numpy as np
from case import of_run, rng
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction import DictVectorizer
from sklearn.pipeline import make_pipeline

X = [
    {
        "zone": rng.choice(["a", "b", "c", None]),
        "miles": rng.choice([np.nan, rng.uniform(0, 10), rng.uniform(0, 10)]),
    }
    for _ in range(1500)
]
y = [
    5 + (20 if np.isnan(x["miles"]) else x["miles"]) * 2 + 7 * (x["zone"] == "a") + 30 * (x["zone"] is None)
    for x in X
]
forest = RandomForestRegressor(10, max_depth=6, random_state=1)
pipeline = make_pipeline(DictVectorizer(sparse=False), forest).fit(X, y)
records = [
    {"zone": "a", "miles": 3.5},
    {"zone": None, "miles": 3.5},
    {"zone": "b", "miles": None},
    {"zone": None, "miles": None},
    {"miles": 1.0},
    {"zone": "a"},
    {"zone": "zz", "miles": 2.0},
]
nan = '{"zone": "a", "miles": NaN}'  # is no JSON
of_run(pipeline, [*records, nan], [*(pipeline.predict([x])[0] for x in records), None])
