"""ColumnTransformer in all of its forms."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from lifted import check, check_transform, rides, targets
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)

FRAME = rides()
Y = targets(FRAME)
TEST = rides(100, seed=3)


def numeric(frame):
    return [name for name in frame.columns if name in ("miles", "fare")]


def hot(**kwargs):
    return OneHotEncoder(handle_unknown="ignore", **kwargs)


FORMS = {
    "names": [("a", hot(), ["zone"]), ("b", StandardScaler(), ["fare", "miles"])],
    "a name": [("a", hot(), ["zone"]), ("b", "passthrough", ["hour"])],
    "numbers": [("a", hot(), [0]), ("b", StandardScaler(), [3, 2])],
    "negative": [("a", hot(), [-5]), ("b", MinMaxScaler(), [-2, -3])],
    "slice": [("a", hot(), slice(0, 1)), ("b", MinMaxScaler(), slice(1, 4))],
    "slice of names": [("a", hot(), ["zone"]), ("b", MinMaxScaler(), slice("hour", "fare"))],
    "open slice": [("a", hot(), slice(None, 1)), ("b", MinMaxScaler(), slice(-3, None))],
    "mask": [
        ("a", hot(), [True, False, False, False, True]),
        ("b", MinMaxScaler(), np.array([False, True, True, False, False])),
    ],
    "function": [("a", hot(), ["zone"]), ("b", StandardScaler(), numeric)],
    "selectors": [
        ("a", hot(), make_column_selector(dtype_include=["object", "str", "string"])),
        ("b", StandardScaler(), make_column_selector(dtype_include=np.float64)),
    ],
    "pattern": [("a", hot(), ["zone"]), ("b", StandardScaler(), make_column_selector(pattern="^[mf]"))],
    "dropped": [("a", hot(), ["zone"]), ("b", "drop", ["fare"]), ("c", "passthrough", ["miles"])],
    "nothing": [("a", hot(), ["zone"]), ("b", StandardScaler(), []), ("c", "passthrough", ["miles"])],
    "twice": [("a", hot(), ["zone"]), ("b", OrdinalEncoder(), ["zone"]), ("c", StandardScaler(), ["miles"])],
    "nested": [
        ("a", hot(), ["zone"]),
        (
            "b",
            ColumnTransformer(
                [("x", StandardScaler(), ["fare"]), ("y", MinMaxScaler(), [0])], remainder="passthrough"
            ),
            ["miles", "fare", "hour"],
        ),
    ],
    "pipelines": [
        ("a", make_pipeline(SimpleImputer(strategy="most_frequent"), hot()), ["zone"]),
        (
            "b",
            make_pipeline(
                SimpleImputer(add_indicator=True), StandardScaler(), SelectKBest(f_regression, k=1)
            ),
            ["miles", "fare"],
        ),
    ],
    "union": [
        ("a", FeatureUnion([("x", StandardScaler()), ("y", MinMaxScaler())]), ["miles", "fare"]),
        ("b", hot(), ["zone"]),
    ],
    "functions": [
        ("a", FunctionTransformer(), ["miles"]),
        ("b", FunctionTransformer(np.log1p), ["hour"]),
        ("c", hot(), ["zone"]),
    ],
    "clipped": [("a", FunctionTransformer(np.clip, kw_args={"a_min": 1.0, "a_max": 5.0}), ["miles", "fare"])],
    "rounded": [("a", FunctionTransformer(np.round, kw_args={"decimals": 1}), ["miles", "fare"])],
    "cut off": [("a", FunctionTransformer(partial(np.clip, a_min=2, a_max=None)), ["miles", "fare"])],
    "filled": [("a", FunctionTransformer(np.nan_to_num, kw_args={"nan": 3.0}), ["miles"])],
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("remainder", ["drop", "passthrough", "scaled"])
def test_forms(name, remainder):
    rest = FORMS[name]
    frame, test = FRAME, TEST
    if remainder == "scaled":
        remainder = MinMaxScaler()
    left_over_text = name in (
        "clipped",
        "rounded",
        "cut off",
        "filled",
        "union",
        "functions",
    ) and "zone" not in str(rest)
    if left_over_text and remainder != "drop":
        frame, test = FRAME.drop(columns="zone"), TEST.drop(columns="zone")
    for threshold in (0.0, 0.3, 1.0):
        model = ColumnTransformer(rest, remainder=remainder, sparse_threshold=threshold).fit(frame, Y["y"])
        check_transform(model, test)


@pytest.mark.parametrize("verbose", [True, False])
def test_pandas_output(verbose):
    model = ColumnTransformer(
        [
            ("a", hot(sparse_output=False), ["zone"]),
            ("b", make_pipeline(StandardScaler(), MinMaxScaler()), ["miles", "fare"]),
        ],
        remainder="passthrough",
        verbose_feature_names_out=verbose,
    ).set_output(transform="pandas")
    check_transform(model.fit(FRAME), TEST)
    then = ColumnTransformer(
        [("z", StandardScaler(), make_column_selector(pattern="miles")), ("o", "passthrough", [0, -1])]
    )
    both = make_pipeline(model, then).set_output(transform="pandas").fit(FRAME)
    check_transform(both, TEST)
    check(make_pipeline(model, RandomForestRegressor(5, max_depth=4)).fit(FRAME, Y["y"]), TEST)


def test_arrays():
    """Without names, columns are numbers."""
    model = ColumnTransformer(
        [("a", StandardScaler(), [1]), ("b", MinMaxScaler(), slice(2, 4))], remainder="passthrough"
    )
    names = ["hour", "miles", "fare", "vip"]
    values = FRAME[names].to_numpy(np.float64)
    check_transform(model.fit(values), TEST[names], TEST[names].to_numpy(np.float64))


def test_missing_numbers():
    frame = FRAME.copy()
    frame.loc[::7, "miles"] = np.nan
    frame.loc[::5, "fare"] = np.nan
    for imputer in (
        SimpleImputer(),
        SimpleImputer(strategy="median", add_indicator=True),
        SimpleImputer(strategy="constant", fill_value=-1.0),
        SimpleImputer(strategy="most_frequent"),
    ):
        model = make_pipeline(ColumnTransformer([("n", imputer, ["miles", "fare", "hour"])]), Ridge())
        check(model.fit(frame, Y["y"]), frame, bits=False)


def test_empty_column_that_is_kept():
    frame = pd.DataFrame({"a": [np.nan] * 4, "b": [1.0, np.nan, 3.0, 4.0]})
    check_transform(SimpleImputer(keep_empty_features=True).fit(frame), frame)
    check_transform(
        SimpleImputer(keep_empty_features=True, strategy="constant", fill_value=7).fit(frame), frame
    )
    check_transform(SimpleImputer().fit(frame), frame)
    check_transform(SimpleImputer(strategy="constant", fill_value=7).fit(frame), frame)


def test_missing_values_of_its_own():
    frame = pd.DataFrame({"a": [-1.0, 2.0, -1.0, 5.0], "b": [1.0, -1.0, 3.0, 4.0]})
    check_transform(SimpleImputer(missing_values=-1.0).fit(frame), frame)
