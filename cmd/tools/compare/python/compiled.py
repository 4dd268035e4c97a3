"""Trees as other people's compilers have them: what skiff's operator is measured beside."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import lightgbm as lgb
import lleaves
import numpy as np
import tl2cgen
import treelite
import xgboost as xgb

Predict = Callable[[np.ndarray], np.ndarray]


def compiled(model: object) -> tuple[str, Predict]:
    """The name of a compiler that takes the model, and what it makes of it, for rows of float64.

    lleaves compiles LightGBM's trees by LLVM, tl2cgen the others' to C: in float32 where the model's are.
    It takes them up to a minute and a half.
    """
    if isinstance(model, lgb.LGBMModel):
        return "lleaves", by_lleaves(model.booster_)
    if isinstance(model, xgb.XGBModel):
        return "tl2cgen", by_tl2cgen(treelite.frontend.from_xgboost(model.get_booster()), np.float32)
    return "tl2cgen", by_tl2cgen(treelite.sklearn.import_model(model), np.float64)


def by_lleaves(booster: lgb.Booster) -> Predict:
    """LightGBM's booster, compiled by lleaves."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.txt")
        booster.save_model(file)
        model = lleaves.Model(model_file=file)
        model.compile()
    return lambda X: model.predict(X, n_jobs=1)


def by_tl2cgen(model: treelite.Model, dtype: type) -> Predict:
    """A model in treelite's form, compiled by tl2cgen and the C compiler that make found."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.so")
        tl2cgen.export_lib(model, toolchain="gcc", libpath=file, params={"parallel_comp": 8})
        predictor = tl2cgen.Predictor(file, nthread=1)
    return lambda X: predictor.predict(tl2cgen.DMatrix(X.astype(dtype))).reshape(-1)
