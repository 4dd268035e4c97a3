"""Another pipeline that candidates serve: XGBoost, 100 trees of depth 6, behind a ColumnTransformer.

Usage: PYTHONPATH=convert:models/taxi python boosted_model.py OUT_FOLDER

It is trained on the taxi rides of 2018, and writes what model.py writes.
"""

import sys
from pathlib import Path

import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
import train
import xgboost as xgb
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from model import save, say


def frame(rides):
    """What the pipeline takes: zones as words, and miles."""
    zones = {name: rides[name].to_numpy().astype(str) for name in ("PULocationID", "DOLocationID")}
    return pd.DataFrame(zones | {"trip_distance": rides["trip_distance"].to_numpy()})


def main():
    rides = pq.read_table(train.HERE / "rides.parquet")
    before = pc.less(rides["pickup"], train.SPLIT)
    known, streamed = rides.filter(before), rides.filter(pc.invert(before)).slice(0, train.STREAMED)
    say(f"fitting {len(known):,} rides of 2018")
    one_hot = OneHotEncoder(handle_unknown="ignore")
    zones = ColumnTransformer([("zones", one_hot, ["PULocationID", "DOLocationID"])], remainder="passthrough")
    pipeline = make_pipeline(zones, xgb.XGBRegressor(n_estimators=100, max_depth=6, n_jobs=1))
    pipeline.fit(frame(known), train.minutes(known))
    save(Path(sys.argv[1]), pipeline, pipeline.predict(frame(streamed)))


if __name__ == "__main__":
    main()
