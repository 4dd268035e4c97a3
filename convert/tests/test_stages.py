"""Models of kinds that once went wrong, through all stages: the proof is the test."""

import json
import sys

import lightgbm
import numpy as np
import pandas as pd
import pytest
from helpers import save
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures, StandardScaler
from xgboost import XGBRegressor

from skiff_convert import cli
from skiff_convert.choose import Wish
from skiff_convert.prove import open_session

RNG = np.random.default_rng(0)
WORDS = pd.Categorical(np.array(["b", "a", "c"])[RNG.integers(0, 3, 200)])
NUMBERS = pd.DataFrame({"miles": RNG.exponential(3, 200), "fare": RNG.normal(9, 4, 200)})
Y = NUMBERS["miles"] * 2 + NUMBERS["fare"].abs() + 4 * WORDS.codes


def columns_of(model, tmp_path, spec: str = "none") -> dict[str, dict]:
    """The columns of the converted model, by name. ConvertError where it and the original differ."""
    bundle = cli.convert(
        str(save(model, tmp_path / "model")), spec, tmp_path / "bundles", None, Wish(), print
    )
    return {c["name"]: c for c in json.loads((bundle / "manifest.json").read_text())["columns"]}


@pytest.mark.parametrize("words_first", [True, False])
def test_categories_of_a_histogram_stand_anywhere(tmp_path, words_first):
    frame = NUMBERS.assign(zone=WORDS)
    frame = frame[["zone", "miles", "fare"] if words_first else ["fare", "miles", "zone"]]
    model = HistGradientBoostingRegressor(max_iter=9, categorical_features="from_dtype").fit(frame, Y)
    columns_of(model, tmp_path)


@pytest.mark.parametrize("target", ["numbers", "words"])
def test_lightgbm_wants_category_columns_read_or_not(tmp_path, target):
    y = NUMBERS["miles"] if target == "numbers" else Y
    model = lightgbm.LGBMRegressor(n_estimators=5, min_child_samples=5, verbose=-1)
    columns_of(model.fit(NUMBERS.assign(zone=WORDS), y), tmp_path)


FUNCTIONS = {np.sqrt: 0.0, np.log1p: np.nextafter(-1.0, 0.0), np.log: np.nextafter(0.0, 1.0)}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("forest", [False, True])
def test_what_a_function_has_no_number_of_is_rejected(tmp_path, function, forest):
    encode = make_column_transformer((FunctionTransformer(function), ["miles"]), remainder=StandardScaler())
    estimator = RandomForestRegressor(5, max_depth=4, random_state=0) if forest else Ridge()
    column = columns_of(make_pipeline(encode, estimator).fit(NUMBERS, Y), tmp_path)["miles"]
    assert column["null"] == ("nan" if forest else "reject")
    missing = forest and function is np.sqrt  # of what is less
    assert column["least"] == (-sys.float_info.max if missing else FUNCTIONS[function])


def test_products_beyond_float32_are_rejected_as_trees_refuse_them(tmp_path):
    poly = PolynomialFeatures(interaction_only=True, include_bias=False)
    model = make_pipeline(poly, RandomForestRegressor(5, max_depth=4, random_state=0)).fit(NUMBERS, Y)
    columns_of(model, tmp_path)
    folder = next((tmp_path / "bundles").iterdir())
    session = open_session((folder / "model.onnx").read_bytes())
    rows = np.array([[1e30, 1e7], [1e30, 1e9], [-1e30, 1e9], [1.0, 2.0]])
    made = session.run(None, {"X": rows})[0][:, 0]
    assert np.isnan(made).tolist() == [False, True, True, False]
    with pytest.raises(ValueError, match="too large for dtype"):
        model.predict(pd.DataFrame(rows[1:2], columns=["miles", "fare"]))


def test_what_a_function_has_no_number_of_is_missing_to_xgboost(tmp_path):
    encode = make_column_transformer((FunctionTransformer(np.sqrt), ["miles"]), remainder="passthrough")
    frame = NUMBERS.assign(miles=NUMBERS["miles"].mask(RNG.random(200) < 0.2))
    columns = columns_of(
        make_pipeline(encode, XGBRegressor(n_estimators=5, n_jobs=1)).fit(frame, Y), tmp_path
    )
    assert "least" not in columns["miles"]


def test_a_classifier_behind_a_root(tmp_path):
    encode = make_column_transformer((FunctionTransformer(np.sqrt), ["miles"]), remainder="passthrough")
    model = make_pipeline(encode, RandomForestClassifier(5, max_depth=4, random_state=0))
    columns_of(model.fit(NUMBERS, Y.to_numpy() > 9), tmp_path)
