"""Makes the bundle beside it, a boosted model of three numbers, by the converter; `make ops` comes first.

    PYTHONPATH=convert .build/venv/bin/python inference/ort/testdata/trees.py
"""

import pickle
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn
import yaml
from sklearn.ensemble import HistGradientBoostingRegressor

from skiff_convert.cli import main

RUN = "7" * 32


def model() -> HistGradientBoostingRegressor:
    """Fitted on rides, some of their numbers missing."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.normal(0, 3, 500).round(2) for name in ("miles", "hour", "fare")})
    y = frame.miles * 2 + np.sin(frame.hour) + (frame.fare > 1)
    return HistGradientBoostingRegressor(max_iter=12, random_state=0).fit(frame.mask(rng.random(frame.shape) < 0.1), y)


with tempfile.TemporaryDirectory() as folder:
    Path(folder, "model.pkl").write_bytes(pickle.dumps(model()))
    flavor = {"pickled_model": "model.pkl", "serialization_format": "pickle", "sklearn_version": sklearn.__version__}
    mlmodel = {
        "flavors": {"sklearn": flavor},
        "model_uuid": "0" * 32,
        "utc_time_created": "2026-01-02 03:04:05.678901",
        "run_id": RUN,
    }
    Path(folder, "MLmodel").write_text(yaml.safe_dump(mlmodel))
    sys.exit(main([folder, "--spec", "none", "--no-isolation", "--out", str(Path(__file__).parent)]))
