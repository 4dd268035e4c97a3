"""HistGradientBoostingRegressor of a frame, categories by their dtype (sklearn-onnx#1192)."""

import pandas as pd
from case import of_run, rng
from sklearn.ensemble import HistGradientBoostingRegressor

df = pd.DataFrame(
    {
        "zone": pd.Categorical([rng.choice("abc") for _ in range(400)]),
        "miles": [rng.uniform(0, 9) for _ in range(400)],
    }
)
model = HistGradientBoostingRegressor(max_iter=10).fit(df, df.miles * 2 + (df.zone == "a") * 4)
of_run(model, df[:4].to_dict("records"), model.predict(df[:4]))
