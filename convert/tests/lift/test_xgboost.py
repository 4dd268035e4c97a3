"""XGBoost's estimators against their lifted and folded forms, bit for bit."""

import json

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from agree import Lifted, check, check_records, near, records, rows, same, target
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

SMALL = {"n_estimators": 12, "max_depth": 4, "n_jobs": 1}


def regressor(**options):
    return xgb.XGBRegressor(**{**SMALL, **options})


def classifier(**options):
    return xgb.XGBClassifier(**{**SMALL, **options})


def halves(y):
    return (y > np.median(y)).astype(int)


def thirds(y):
    return np.digitize(y, np.quantile(y, [0.3, 0.6]))


def above_zero(y):
    return np.maximum(0.1, y - y.min())


def three(y):
    return np.c_[y, -y, y * y]


ESTIMATORS = {
    "squared error": (regressor, {}, np.asarray),
    "exact": (regressor, {"tree_method": "exact"}, np.asarray),
    "base score": (regressor, {"base_score": 0.7}, np.asarray),
    "missing": (regressor, {"missing": 3.0}, np.asarray),
    "dart": (regressor, {"booster": "dart", "rate_drop": 0.4}, np.asarray),
    "random forest": (xgb.XGBRFRegressor, SMALL, np.asarray),
    "outputs": (regressor, {}, three),
    "vector leaves": (regressor, {"multi_strategy": "multi_output_tree"}, three),
    "quantiles": (
        regressor,
        {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.5, 0.9]},
        np.asarray,
    ),
    "reg:logistic": (regressor, {"objective": "reg:logistic"}, halves),
    "binary": (classifier, {}, halves),
    "binary, base score": (classifier, {"base_score": 0.3}, halves),
    "hinge": (classifier, {"objective": "binary:hinge"}, halves),
    "logitraw": (classifier, {"objective": "binary:logitraw"}, halves),
    "softprob": (classifier, {}, thirds),
    "softmax": (classifier, {"objective": "multi:softmax"}, thirds),
    "dart, softprob": (classifier, {"booster": "dart", "rate_drop": 0.4}, thirds),
    "random forest, softprob": (xgb.XGBRFClassifier, SMALL, thirds),
} | {
    objective: (regressor, {"objective": objective}, above_zero)
    for objective in [
        "count:poisson",
        "reg:gamma",
        "reg:tweedie",
        "reg:absoluteerror",
        "reg:pseudohubererror",
        "reg:squaredlogerror",
        "survival:cox",
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
    check_records(vectorizer, make(**options).fit(matrix, of(target(frame, 4))), frame, 4)


@given(st.integers(0, 2**31), st.sampled_from(sorted(ESTIMATORS)), st.booleans())
@settings(max_examples=15)
def test_many_models(seed, name, sparse):
    make, options, of = ESTIMATORS[name]
    rng = np.random.default_rng(seed)
    frame = rows(seed, int(rng.integers(60, 500)), rng.random() / 2)
    options = {**options, "max_depth": int(rng.integers(1, 7)), "n_estimators": int(rng.integers(1, 20))}
    model = make_pipeline(preprocessing(sparse), make(**options))
    check(model.fit(frame, of(target(frame, seed))), frame, seed)


def test_a_zero_that_a_record_has_is_not_missing_and_an_absent_key_is():
    frame = rows(5)
    given_ = [{"fare": row.fare, "hour": float(row.hour)} for row in frame.fillna({"fare": 0.0}).itertuples()]
    for record in given_[::3]:
        del record["fare"]
    vectorizer = DictVectorizer()
    matrix = vectorizer.fit_transform(given_)
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    y = np.array(
        [5.0 if record.get("fare") == 0 else -5.0 if "fare" not in record else 0.0 for record in given_]
    )
    model = regressor().fit(matrix, y)
    lifted = check_records(vectorizer, model, frame, 5)
    assert [w.absent_missing for w in lifted.lifting.wanted if w.name == "fare"] == [False, True]


def linear_rows(seed):
    frame = rows(seed).drop(columns="zone")
    return frame.fillna({"fare": 0.0})


def test_gblinear_adds_in_float32():
    frame = linear_rows(6)
    model = regressor(booster="gblinear").fit(frame, target(rows(6), 6))
    lifted = Lifted(model, list(frame.columns))
    test = near(frame, [], 6)
    test = test.where(test.abs() < 1e30, 1.0).astype(float)
    lifted.agrees(test, lifted.table(test))


def test_best_iteration_ends_an_estimator_and_not_a_booster():
    frame = rows(7).drop(columns="zone")
    y = target(rows(7), 7)
    model = regressor(n_estimators=60, learning_rate=0.9, early_stopping_rounds=3, num_parallel_tree=2)
    model.fit(frame[:300], y[:300], eval_set=[(frame[300:], y[300:])], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    lifted = check(model, frame, 7)
    assert len(lifted.forests[0].target) == 2 * (model.best_iteration + 1)
    booster = bare(model.get_booster(), list(frame.columns))
    assert len(booster[0].scores[0].node.target) == 2 * model.get_booster().num_boosted_rounds()


def bare(booster, names):
    lifting = Lifting(names=tuple(names))
    obj = Obj("xgboost.core.Booster", (), {"handle": bytes(booster.save_raw())})
    return estimate(obj, Matrix([Cell(name) for name in names]), lifting), lifting


@pytest.mark.parametrize(
    "name", ["squared error", "dart", "binary", "softprob", "softmax", "hinge", "count:poisson"]
)
def test_a_booster_predicts_as_predict_does(name):
    make, options, of = ESTIMATORS[name]
    frame = rows(8).drop(columns="zone")
    booster = make(**options).fit(frame, of(target(rows(8), 8))).get_booster()
    head, lifting = bare(booster, list(frame.columns))
    test = near(frame, [head.scores[0].node], 8) if hasattr(head.scores[0], "node") else frame
    test = test.where(~(test.abs() > 1e30), 1.0)
    lifted = Lifted.__new__(Lifted)
    lifted.lifting = lifting
    scores = Evaluation(lifted.table(test)).matrix(head.scores)
    want = booster.predict(xgb.DMatrix(test))
    if head.labels is not None:
        same(np.array(head.labels)[head.label(scores)], want)
    else:
        same(head.numbers(scores) if want.ndim > 1 else head.numbers(scores)[:, 0], want)


def words(frame):
    return frame.assign(zone=frame.zone.astype("category"), hour=frame.hour.astype("category"))


@given(st.integers(0, 2**31), st.sampled_from([1, 4, 100]))
@settings(max_examples=8)
def test_category_columns_by_the_categories_that_the_booster_keeps(seed, to_one_hot):
    frame = rows(seed)
    model = regressor(enable_categorical=True, max_cat_to_onehot=to_one_hot, tree_method="hist")
    model.fit(words(frame), target(frame, seed))
    lifted = Lifted(model, list(frame.columns))
    test = near(frame, lifted.forests, seed).sample(frac=1, random_state=1)[
        :50
    ]  # some categories are not there
    X = lifted.table(test)
    lifted.agrees(words(test), X)
    lifted.folds(seed, X)
    assert all(w.strict for w in lifted.lifting.wanted if w.kind == "category")


def test_codes_as_numbers_with_ones_that_are_none():
    frame = rows(9)[["code", "miles", "fare"]]
    model = regressor(
        feature_types=["c", "q", "q"], tree_method="hist", enable_categorical=True, max_cat_to_onehot=1
    )
    model.fit(frame.to_numpy(), target(rows(9), 9))
    lifted = Lifted(model, list(frame.columns))
    test = near(frame, lifted.forests, 9)
    X = lifted.table(test)
    lifted.agrees(test.to_numpy(), X)
    lifted.folds(9, X)


def test_encoded_codes():
    frame = rows(10)
    encode = ColumnTransformer(
        [
            ("zone", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["zone"]),
            ("rest", "passthrough", ["miles", "fare"]),
        ]
    )
    model = regressor(
        feature_types=["c", "q", "q"], tree_method="hist", enable_categorical=True, max_cat_to_onehot=2
    )
    pipeline = make_pipeline(encode, model).fit(frame, target(frame, 10))
    check(pipeline, frame, 10)


def test_labels_of_probabilities_that_are_equal():
    frame = rows(12).drop(columns="zone")
    y = target(rows(12), 12)
    for of in (halves, thirds):
        model = classifier(learning_rate=1e-8, base_score=0.5, n_estimators=3)
        check(model.fit(frame, of(y)), frame, 12)


def test_refusals_name_the_reason():
    frame = rows(11)
    y = target(frame, 11)
    numbers = frame.drop(columns="zone")
    model = regressor().fit(numbers, y)
    with pytest.raises(ConvertError, match="learned column 'hour' where the input has 'miles'"):
        Lifted(model, ["miles", "hour", "fare", "code"])
    with pytest.raises(ConvertError, match="trained on 4 columns and is given 3"):
        Lifted(model, ["hour", "miles", "fare"])
    with pytest.raises(ConvertError, match="not fitted"):
        Lifted(regressor(), ["hour"])
    both = classifier().fit(numbers, np.c_[halves(y), 1 - halves(y)])
    snow = pd.DataFrame({"zone": frame.zone.map(lambda z: "☃" if z == "a" else z).astype("category")})
    if tuple(map(int, xgb.__version__.split("."))) < (3, 4, 0):
        with pytest.raises(ConvertError, match="ASCII|does not keep the categories"):
            Lifted(regressor(enable_categorical=True).fit(snow, y), ["zone"])
    with pytest.raises(ConvertError, match="2 outputs and 2 classes"):
        Lifted(both, list(numbers.columns))
    old = pd.DataFrame({"zone": frame.zone.astype("category"), "miles": frame.miles})
    kept = regressor(enable_categorical=True).fit(old, y)
    document = json.loads(bytes(kept.get_booster().save_raw("json")))
    document["learner"]["gradient_booster"]["model"].pop("cats", None)  # there is none before 3.1
    obj = Obj("xgboost.core.Booster", (), {"handle": json.dumps(document).encode()})
    with pytest.raises(ConvertError, match="does not keep the categories"):
        estimate(obj, Matrix([Cell("zone"), Cell("miles")]), Lifting(names=("zone", "miles")))
