"""Searches, transformed targets, histogram boosting with categories."""

import numpy as np
import pytest
from lifted import check, lift, rides, targets
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)

from skiff_convert.errors import ConvertError

FRAME = rides()
Y = targets(FRAME)
TEST = rides(200, seed=7)


def encoded():
    return ColumnTransformer(
        [("c", OneHotEncoder(handle_unknown="ignore"), ["zone"])], remainder="passthrough", sparse_threshold=0
    )


@pytest.mark.parametrize(
    "of",
    [
        {"func": np.log1p, "inverse_func": np.expm1},
        {"func": np.log, "inverse_func": np.exp},
        {"func": np.sqrt, "inverse_func": np.square},
        {"transformer": StandardScaler()},
        {"transformer": MinMaxScaler()},
        {
            "transformer": make_pipeline(
                FunctionTransformer(np.cbrt, inverse_func=np.square, check_inverse=False), StandardScaler()
            )
        },
        {},
    ],
)
def test_transformed_targets(of):
    y = np.exp(Y["y"] / 10)
    for regressor in (RandomForestRegressor(4, max_depth=4), GradientBoostingRegressor(n_estimators=4)):
        model = TransformedTargetRegressor(regressor, check_inverse=False, **of)
        check(make_pipeline(encoded(), model).fit(FRAME, y), TEST)


def test_searches():
    search = GridSearchCV(RandomForestClassifier(3, random_state=0), {"max_depth": [2, 4]}, cv=2)
    check(make_pipeline(encoded(), search).fit(FRAME, Y["three"]), TEST)
    whole = GridSearchCV(
        make_pipeline(encoded(), RandomForestClassifier(3)), {"randomforestclassifier__max_depth": [3]}, cv=2
    )
    check(whole.fit(FRAME, Y["two"]), TEST)


def test_categories_of_histograms():
    frame, test = FRAME.copy(), TEST.copy()
    test.loc[:20, "miles"] = np.nan
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    pre = ColumnTransformer([("c", codes, ["zone", "hour"]), ("p", "passthrough", ["miles", "fare"])])
    frame.loc[::9, "miles"] = np.nan
    for estimator, target in (
        (HistGradientBoostingRegressor(max_iter=10, categorical_features=[0, 1]), "y"),
        (
            HistGradientBoostingClassifier(max_iter=5, categorical_features=[True, True, False, False]),
            "three",
        ),
    ):
        test.loc[30:40, "zone"] = "new"
        check(make_pipeline(pre, estimator).fit(frame, Y[target]), test)


def test_refusals_say_what_to_do():
    from sklearn.impute import KNNImputer
    from sklearn.neighbors import RadiusNeighborsRegressor

    numbers = FRAME[["hour", "miles"]]
    for model, name in (
        (make_pipeline(KNNImputer(), GradientBoostingRegressor(n_estimators=2)), "KNNImputer"),
        (make_pipeline(StandardScaler(), RadiusNeighborsRegressor(10.0)), "RadiusNeighborsRegressor"),
        (make_pipeline(FunctionTransformer(np.sinc), GradientBoostingRegressor(n_estimators=2)), "sinc"),
    ):
        with pytest.raises(ConvertError, match=name) as refused:
            lift(model.fit(numbers, Y["y"]), list(numbers.columns))
        of_a_step = name != "sinc"  # which is a function
        assert refused.value.hint and ("ACCEPT_BOUND=1" in refused.value.hint) is of_a_step
