"""Boosters of the library that is installed: regressors, classifiers, words, missing values, and more."""

import importlib.util
import os
import pickle

import numpy as np
from train import FOLDER, NAME, frames, keep, matrix

KEPT_ROWS = 24


def dump_skops(model, file):
    import skops.io

    file.write(skops.io.dumps(model))


def train_xgboost():
    import xgboost as xgb

    version = tuple(int(part) for part in xgb.__version__.split(".")[:2])
    X, y = matrix()
    labels = (np.digitize(y, np.quantile(y, [0.3, 0.6]))).astype(int)

    def kept(name, model, X=X, write=pickle.dump, **more):
        booster = model.get_booster() if hasattr(model, "get_booster") else model
        matrix = more.pop("matrix", None) or xgb.DMatrix(X)
        # Before 1.0 dart drops trees here too, unless their number is given.
        whole = {"ntree_limit": 5} if version < (1, 0) and name.startswith("dart") else {}
        margins = booster.predict(matrix, output_margin=True, **whole).reshape(len(X), -1)
        keep(name, model, write=write, inputs=X[:KEPT_ROWS], margins=margins[:KEPT_ROWS], **more)

    options = {"n_estimators": 5, "max_depth": 3, "random_state": 1}
    method = {"tree_method": "hist"}
    regressor = xgb.XGBRegressor(**options, **method).fit(X, y)
    kept("regressor.pkl", regressor)
    kept("classifier.pkl", xgb.XGBClassifier(**options, **method).fit(X, labels), multiclass=True)
    kept("binary.pkl", xgb.XGBClassifier(base_score=0.3, **options).fit(X, labels > 0))
    kept("dart.pkl", xgb.XGBRegressor(booster="dart", rate_drop=0.5, **options).fit(X, y))
    full = np.nan_to_num(X)
    kept(
        "linear.pkl",
        xgb.XGBRegressor(booster="gblinear", n_estimators=5, random_state=1).fit(full, y),
        X=full,
    )
    kept("booster.pkl", regressor.get_booster())
    if importlib.util.find_spec("skops"):
        kept("regressor.skops", regressor, write=dump_skops)
    names = {"ubj": version >= (1, 6), "json": True, "deprecated": version < (3, 1), "raw": version < (1, 6)}
    for suffix in [suffix for suffix, there in names.items() if there]:
        path = os.path.join(FOLDER, NAME + "-model." + suffix)
        regressor.get_booster().save_model(path)
        kept("model." + suffix, regressor.get_booster(), write=None)
    if version >= (1, 7):
        frame = frames(X)
        words = xgb.XGBRegressor(enable_categorical=True, max_cat_to_onehot=2, **options, **method).fit(
            frame, y
        )
        kept("words.pkl", words, matrix=xgb.DMatrix(frame, enable_categorical=True))
    if version >= (2, 0):
        vector = xgb.XGBRegressor(multi_strategy="multi_output_tree", **options, **method)
        kept("vector.pkl", vector.fit(X, np.c_[y, -y, y * y]))
        early = xgb.XGBRegressor(
            n_estimators=9, max_depth=2, early_stopping_rounds=2, random_state=1, **method
        )
        keep("early.pkl", early.fit(X[:80], y[:80], eval_set=[(X[80:], y[80:])], verbose=False))


def train_lightgbm():
    import lightgbm as lgb

    X, y = matrix(400)
    labels = np.array(["a", "b", "c"])[np.digitize(y, np.quantile(y, [0.3, 0.6]))]
    options = {"n_estimators": 5, "num_leaves": 6, "min_child_samples": 5, "random_state": 1, "verbose": -1}

    def kept(name, model, X=X, given=None, write=pickle.dump, **more):
        booster = getattr(model, "booster_", model)
        margins = booster.predict(X if given is None else given, raw_score=True).reshape(len(X), -1)
        keep(name, model, write=write, inputs=X[:KEPT_ROWS], margins=margins[:KEPT_ROWS], **more)

    regressor = lgb.LGBMRegressor(**options).fit(X, y)
    kept("regressor.pkl", regressor)
    kept("classifier.pkl", lgb.LGBMClassifier(**options).fit(X, labels))
    kept("binary.pkl", lgb.LGBMClassifier(**options).fit(X, labels == "a"))
    kept(
        "words.pkl",
        lgb.LGBMRegressor(min_data_per_group=5, cat_smooth=1, **options).fit(frames(X), y),
        given=frames(X),
    )
    zero = lgb.LGBMRegressor(zero_as_missing=True, **options)
    whole = np.round(np.nan_to_num(X))
    kept("zero.pkl", zero.fit(whole, y), X=whole)
    plain_ = lgb.LGBMRegressor(use_missing=False, **options)
    kept("none.pkl", plain_.fit(X, y))
    linear = lgb.LGBMRegressor(linear_tree=True, **options)
    kept("linear.pkl", linear.fit(np.nan_to_num(X), y), X=np.nan_to_num(X))
    forest = lgb.LGBMRegressor(boosting_type="rf", bagging_freq=1, bagging_fraction=0.7, **options)
    kept("forest.pkl", forest.fit(X, y))
    kept("dart.pkl", lgb.LGBMRegressor(boosting_type="dart", **options).fit(X, y))
    kept("booster.pkl", regressor.booster_)
    if importlib.util.find_spec("skops"):
        kept("regressor.skops", regressor, write=dump_skops)
    regressor.booster_.save_model(os.path.join(FOLDER, NAME + "-model.txt"))
    kept("model.txt", regressor.booster_, write=None)


def train_catboost():
    import catboost as cb

    X, y = matrix()
    labels = np.array(["a", "b", "c"])[np.digitize(y, np.quantile(y, [0.3, 0.6]))]
    options = {"iterations": 5, "depth": 3, "random_seed": 1, "verbose": False, "allow_writing_files": False}
    options["thread_count"] = 1

    def kept(name, model, X=X, given=None, write=pickle.dump, **more):
        margins = np.asarray(model.predict(X if given is None else given, prediction_type="RawFormulaVal"))
        keep(
            name,
            model,
            write=write,
            inputs=X[:KEPT_ROWS],
            margins=margins.reshape(len(X), -1)[:KEPT_ROWS],
            **more,
        )

    regressor = cb.CatBoostRegressor(**options).fit(X, y)
    kept("regressor.pkl", regressor)
    if importlib.util.find_spec("skops"):
        kept("regressor.skops", regressor, write=dump_skops)
    kept("binary.pkl", cb.CatBoostClassifier(**options).fit(X, labels == "a"))
    kept("classifier.pkl", cb.CatBoostClassifier(**options).fit(X, labels), classes=["a", "b", "c"])
    kept("max.pkl", cb.CatBoostRegressor(nan_mode="Max", **options).fit(X, y))
    kept("multi.pkl", cb.CatBoostRegressor(loss_function="MultiRMSE", **options).fit(X, np.c_[y, -y]))
    for policy in ("Lossguide", "Depthwise"):
        model = cb.CatBoostRegressor(grow_policy=policy, **options).fit(X, y)
        kept(policy.lower() + ".pkl", model)
    several = cb.CatBoostClassifier(grow_policy="Lossguide", **options).fit(X, labels)
    kept("lossguide-classes.pkl", several)
    frame = frames(X)
    hot = cb.CatBoostRegressor(cat_features=["c3"], one_hot_max_size=10, **dict(options, iterations=20)).fit(
        frame, y
    )
    kept("onehot.pkl", hot, given=frame, words=[str(word) for word in frame["c3"]][:KEPT_ROWS])
    ctr = cb.CatBoostRegressor(cat_features=["c3"], one_hot_max_size=1, **options).fit(frame, y)
    keep("ctr.pkl", ctr)
    regressor.save_model(os.path.join(FOLDER, NAME + "-model.cbm"))
    kept("model.cbm", regressor, write=None)


if __name__ == "__main__":
    for library in ("xgboost", "lightgbm", "catboost"):
        if importlib.util.find_spec(library):
            globals()["train_" + library]()
