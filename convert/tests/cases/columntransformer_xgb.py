"""ColumnTransformer (one-hot, imputer and scaler) and XGBRegressor (sklearn-onnx#1046, #1026)."""

import numpy as np
import pandas as pd
from case import of_run, rng
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBRegressor

df = pd.DataFrame(
    {
        "zone": [
            rng.choice(["a", "b", "c", "rare"] if rng.random() < 0.1 else ["a", "b"]) for _ in range(800)
        ],
        "miles": [rng.choice([np.nan, rng.uniform(0, 10), 3.0]) for _ in range(800)],
    }
)
y = df.miles.fillna(5) * 2 + (df.zone == "a") * 4
encode = ColumnTransformer(
    [
        ("c", OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20), ["zone"]),
        ("n", make_pipeline(SimpleImputer(), StandardScaler()), ["miles"]),
    ]
)
pipeline = make_pipeline(encode, XGBRegressor(n_estimators=10, max_depth=3)).fit(df, y)
rows = pd.DataFrame({"zone": ["a", "b", "rare", "none"], "miles": [1.5, np.nan, 3.0, 9.0]})
records = [{k: None if v != v else v for k, v in row.items()} for row in rows.to_dict("records")]
of_run(pipeline, records, pipeline.predict(rows), input_example=df[:2])
