"""CatBoost's estimators of numbers against their lifted and folded forms, bit for bit."""

import catboost as cb
import numpy as np
import pytest
from agree import Lifted, check, check_records, records, rows, target
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import DictVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from skiff_convert.errors import ConvertError

SMALL = {"iterations": 12, "thread_count": 1, "verbose": False, "allow_writing_files": False}


def regressor(**options):
    return cb.CatBoostRegressor(**{**SMALL, **options})


def classifier(**options):
    return cb.CatBoostClassifier(**{**SMALL, **options})


def halves(y):
    return np.where(y > np.median(y), "hi", "lo")


def thirds(y):
    return np.digitize(y, np.quantile(y, [0.3, 0.6]))


ESTIMATORS = {
    "RMSE": (regressor, {}, np.asarray),
    "many trees": (regressor, {"iterations": 200}, np.asarray),
    "NaN is largest": (regressor, {"nan_mode": "Max"}, np.asarray),
    "MAE": (regressor, {"loss_function": "MAE"}, np.asarray),
    "quantile": (regressor, {"loss_function": "Quantile:alpha=0.3"}, np.asarray),
    "outputs": (regressor, {"loss_function": "MultiRMSE"}, lambda y: np.c_[y, -y]),
    "lossguide": (regressor, {"grow_policy": "Lossguide"}, np.asarray),
    "depthwise": (regressor, {"grow_policy": "Depthwise"}, np.asarray),
    "Logloss": (classifier, {}, halves),
    "Logloss, booleans": (classifier, {}, lambda y: y > np.median(y)),
    "CrossEntropy": (classifier, {"loss_function": "CrossEntropy"}, lambda y: (y > np.median(y)) * 1.0),
    "MultiClass": (classifier, {}, thirds),
    "MultiClassOneVsAll": (classifier, {"loss_function": "MultiClassOneVsAll"}, thirds),
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
    check_records(vectorizer, make(**options).fit(matrix, of(target(frame, 4))), frame, 4)


@given(st.integers(0, 2**31), st.sampled_from(sorted(ESTIMATORS)), st.booleans())
@settings(max_examples=15)
def test_many_models(seed, name, sparse):
    make, options, of = ESTIMATORS[name]
    rng = np.random.default_rng(seed)
    frame = rows(seed, int(rng.integers(60, 500)), rng.random() / 2)
    options = {**options, "depth": int(rng.integers(1, 8)), "iterations": int(rng.integers(1, 20))}
    model = make_pipeline(preprocessing(sparse), make(**options))
    check(model.fit(frame, of(target(frame, seed))), frame, seed)


@pytest.mark.parametrize("mode", ["Min", "Max", "Forbidden"])
@pytest.mark.parametrize("seen", [False, True])
def test_missing_numbers(mode, seen):
    frame = rows(6).drop(columns="zone")
    y = target(rows(6), 6)
    if not seen or mode == "Forbidden":
        model = regressor(nan_mode=mode).fit(frame.fillna(1.0), y)
    else:
        model = regressor(nan_mode=mode).fit(frame, y)
    check(model, frame, 6)


def test_refusals_name_the_reason():
    frame = rows(7)
    y = target(frame, 7)
    numbers = frame.drop(columns="zone")
    names = list(numbers.columns)
    with pytest.raises(ConvertError, match="CatBoost with text features"):
        texts = frame.assign(zone=np.where(y > np.median(y), "far away", "near"))
        Lifted(regressor(text_features=["zone"]).fit(texts, y), list(frame.columns))
    with pytest.raises(ConvertError, match="loss RMSEWithUncertainty"):
        Lifted(regressor(loss_function="RMSEWithUncertainty").fit(numbers, y), names)
    with pytest.raises(ConvertError, match="learned column 'hour' where the input has 'miles'"):
        Lifted(regressor().fit(numbers, y), ["miles", "hour", "fare", "code"])
    with pytest.raises(ConvertError, match="not fitted"):
        Lifted(regressor(), names)
    shifted = classifier().fit(numbers, halves(y))
    shifted.set_probability_threshold(0.3)
    with pytest.raises(ConvertError, match="probability threshold"):
        Lifted(shifted, names)
