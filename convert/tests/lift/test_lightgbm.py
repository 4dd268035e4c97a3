"""LightGBM's estimators against their lifted and folded forms, bit for bit."""

import lightgbm as lgb
import numpy as np
import pytest
from agree import Lifted, check, check_records, near, records, rows, same, table, target
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import DictVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from skiff_convert.errors import ConvertError
from skiff_convert.form import Evaluation
from skiff_convert.lift import Cell, Lifting, Matrix, estimate
from skiff_convert.look.graph import Obj

SMALL = {"n_estimators": 12, "min_child_samples": 5, "n_jobs": 1, "verbose": -1}
FOREST = {"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.7}


def regressor(**options):
    return lgb.LGBMRegressor(**{**SMALL, **options})


def classifier(**options):
    return lgb.LGBMClassifier(**{**SMALL, **options})


def halves(y):
    return np.where(y > np.median(y), "hi", "lo")


def thirds(y):
    return np.array(["x", "y", "z"])[np.digitize(y, np.quantile(y, [0.3, 0.6]))]


def twelve(y):
    return np.digitize(y, np.quantile(y, np.arange(1, 12) / 12))


def above_zero(y):
    return np.maximum(0.1, y - y.min())


ESTIMATORS = {
    "zeros are missing": (regressor, {"zero_as_missing": True}, np.asarray),
    "nothing is missing": (regressor, {"use_missing": False}, np.asarray),
    "square root": (regressor, {"reg_sqrt": True}, np.asarray),
    "dart": (regressor, {"boosting_type": "dart"}, np.asarray),
    "random forest": (regressor, FOREST, np.asarray),
    "random forest, multiclass": (classifier, FOREST, thirds),
    "binary": (classifier, {}, halves),
    "binary, sigmoid": (classifier, {"sigmoid": 0.7}, halves),
    "cross entropy": (classifier, {"objective": "cross_entropy"}, halves),
    "multiclass": (classifier, {}, thirds),
    "multiclass, twelve": (classifier, {"n_estimators": 4}, twelve),
    "one against all": (classifier, {"objective": "multiclassova", "sigmoid": 1.3}, thirds),
} | {
    objective: (regressor, {"objective": objective}, above_zero)
    for objective in [
        "regression",
        "regression_l1",
        "huber",
        "fair",
        "poisson",
        "quantile",
        "mape",
        "gamma",
        "tweedie",
    ]
}


def preprocessing(sparse):
    return ColumnTransformer(
        [
            ("words", OneHotEncoder(handle_unknown="ignore", sparse_output=sparse), ["zone"]),
            ("codes", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["hour"]),
            ("numbers", "passthrough", ["miles", "fare"]),
            ("scaled", make_pipeline(SimpleImputer(), StandardScaler()), ["code"]),
        ],
        sparse_threshold=1.0 if sparse else 0.0,
    )


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_behind_a_column_transformer(name, sparse):
    make, options, of = ESTIMATORS[name]
    frame = rows(3)
    model = make_pipeline(preprocessing(sparse), make(**options))
    check(model.fit(frame, of(target(frame, 3))), frame, 3)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_behind_a_dict_vectorizer(name):
    make, options, of = ESTIMATORS[name]
    frame = rows(4)
    vectorizer = DictVectorizer()
    matrix = vectorizer.fit_transform(records(frame, 4))
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    lifted = check_records(vectorizer, make(**options).fit(matrix, of(target(frame, 4))), frame, 4)
    assert not any(wanted.absent_missing for wanted in lifted.lifting.wanted)


@given(st.integers(0, 2**31), st.sampled_from(sorted(ESTIMATORS)), st.booleans())
@settings(max_examples=15)
def test_many_models(seed, name, sparse):
    make, options, of = ESTIMATORS[name]
    rng = np.random.default_rng(seed)
    frame = rows(seed, int(rng.integers(60, 500)), rng.random() / 2)
    options = {**options, "num_leaves": int(rng.integers(2, 40)), "n_estimators": int(rng.integers(1, 20))}
    model = make_pipeline(preprocessing(sparse), make(**options))
    check(model.fit(frame, of(target(frame, seed))), frame, seed)


def test_numbers_too_small_to_be_one():
    frame = rows(5).drop(columns="zone")
    rng = np.random.default_rng(5)
    tiny = float(np.float32(1e-35))
    frame["fare"] = rng.choice([-5e-36, 0.0, 1e-36, tiny, -tiny, 2e-35, -2e-35, 1.0, np.nan], len(frame))
    y = np.sign(frame.fare.fillna(3)) + rng.normal(0, 0.01, len(frame))
    for options in ({}, {"zero_as_missing": True}, {"use_missing": False}):
        check(regressor(**options).fit(frame, y), frame, 5)


def words(frame):
    return frame.assign(zone=frame.zone.astype("category"), hour=frame.hour.astype("category"))


@given(st.integers(0, 2**31))
@settings(max_examples=8)
def test_category_columns_by_the_models_own_lists(seed):
    frame = rows(seed)
    model = regressor(min_data_per_group=5, cat_smooth=1, max_cat_to_onehot=seed % 5 + 1)
    model.fit(words(frame), target(frame, seed))
    lifted = Lifted(model, list(frame.columns))
    test = near(frame, lifted.forests, seed)
    test.loc[::7, "zone"] = "new"
    X = lifted.table(test)
    lifted.agrees(words(test), X)
    lifted.folds(seed, X)


def test_codes_as_numbers_with_ones_that_are_none():
    frame = rows(9)[["code", "miles", "fare"]]
    model = regressor(min_data_per_group=5, cat_smooth=1)
    model.fit(frame.to_numpy(), target(rows(9), 9), categorical_feature=[0])
    lifted = Lifted(model, list(frame.columns))
    test = near(frame, lifted.forests, 9)
    X = lifted.table(test)
    lifted.agrees(test.to_numpy(), X)
    lifted.folds(9, X)


def test_best_iteration_ends_a_model():
    frame = rows(7).drop(columns="zone")
    y = target(rows(7), 7)
    model = regressor(n_estimators=80, learning_rate=0.9)
    model.fit(
        frame[:300],
        y[:300],
        eval_set=[(frame[300:], y[300:])],
        callbacks=[lgb.early_stopping(3, verbose=False)],
    )
    assert model.best_iteration_ < 80
    assert len(check(model, frame, 7).forests[0].target) == model.best_iteration_


@pytest.mark.parametrize(
    "name", ["regression", "poisson", "binary", "binary, sigmoid", "multiclass", "random forest"]
)
def test_a_booster_predicts_as_predict_does(name):
    make, options, of = ESTIMATORS[name]
    frame = rows(8).drop(columns="zone")
    booster = make(**options).fit(frame, of(target(rows(8), 8))).booster_
    obj = Obj("lightgbm.basic.Booster", (), {"_handle": booster.model_to_string()})
    lifting = Lifting(names=tuple(frame.columns))
    head = estimate(obj, Matrix([Cell(name) for name in frame.columns]), lifting)
    test = near(frame, [], 8)
    scores = Evaluation(table(lifting, test.to_dict("records"))).matrix(head.scores)
    want = booster.predict(test)
    same(head.numbers(scores) if want.ndim > 1 else head.numbers(scores)[:, 0], want)


def test_labels_of_probabilities_that_are_equal():
    frame = rows(10).drop(columns="zone")
    y = np.array(["b", "a"])[np.arange(len(frame)) % 2]
    check(classifier(learning_rate=1e-17, n_estimators=3).fit(frame, y), frame, 10)
    y = np.array(["b", "a", "c"])[np.arange(len(frame)) % 3]
    for objective in ("multiclass", "multiclassova"):
        model = classifier(learning_rate=1e-16, n_estimators=3, objective=objective, boost_from_average=False)
        check(model.fit(frame, y), frame, 10)


def test_refusals_name_the_reason():
    frame = rows(11).drop(columns="zone")
    y = target(rows(11), 11)
    names = list(frame.columns)
    with pytest.raises(ConvertError, match="linear trees"):
        Lifted(regressor(linear_tree=True).fit(frame.fillna(0), y), names)
    with pytest.raises(ConvertError, match="cross_entropy_lambda is not supported"):
        Lifted(regressor(objective="cross_entropy_lambda").fit(frame, (y > 5).astype(float)), names)
    with pytest.raises(ConvertError, match="trained on 4 columns and is given 3"):
        Lifted(regressor().fit(frame, y), names[1:])
    with pytest.raises(ConvertError, match="not fitted"):
        Lifted(regressor(), names)
    ordered = frame.assign(
        hour=frame.hour.astype("category").cat.as_ordered(), code=frame.code.astype("category")
    )
    with pytest.raises(ConvertError, match="2 category columns, and it does not say which"):
        Lifted(regressor().fit(ordered, y), names)
