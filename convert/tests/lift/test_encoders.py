"""Encoders, in all of their settings, against the originals: known, unknown and missing words."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lifted import check, check_transform, targets
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, OrdinalEncoder, TargetEncoder

TEXT = st.sampled_from(["a", "b", "c", "d", "true", "1"])
WHOLE = st.integers(0, 5)
KINDS = {
    "text": (TEXT, ["new", "", "a"]),
    "text or None": (st.one_of(TEXT, st.none()), ["new", None, "a"]),
    "text or NaN": (st.one_of(TEXT, st.just(float("nan"))), ["new", float("nan"), "a"]),
    "whole": (WHOLE, [77, -1, 0]),
    "number or NaN": (st.one_of(WHOLE.map(float), st.just(float("nan"))), [77.5, float("nan"), 0.0]),
    "truth": (st.booleans(), [True, False]),
}
columns = st.sampled_from(sorted(KINDS)).flatmap(
    lambda kind: st.tuples(st.just(kind), st.lists(KINDS[kind][0], min_size=6, max_size=30))
)
frequency = st.sampled_from([None, 2, 3, 0.2])
most = st.sampled_from([None, 1, 2, 3, 4])


def frames(columns):
    """What to fit on, and what to ask: what was seen, what was not, what is missing."""
    rows = min(len(cells) for _, cells in columns)
    fit = {f"c{i}": _series(kind, cells[:rows]) for i, (kind, cells) in enumerate(columns)}
    asked = {f"c{i}": cells[:rows] + KINDS[kind][1] for i, (kind, cells) in enumerate(columns)}
    longest = max(len(cells) for cells in asked.values())
    ask = {
        name: _series(columns[i][0], [cells[j % len(cells)] for j in range(longest)])
        for i, (name, cells) in enumerate(asked.items())
    }
    return pd.DataFrame(fit), pd.DataFrame(ask)


def _series(kind, cells):
    dtype = {"whole": np.int64, "truth": bool, "number or NaN": np.float64}.get(kind, object)
    return pd.Series(cells, dtype=dtype)


def known(encoder, fit, ask):
    """The rows that the encoder takes; of one that takes everything, all."""
    if encoder.handle_unknown != "error":
        return ask
    words = [pd.Series(list(of), dtype=object) for of in encoder.categories_]
    rows = np.ones(len(ask), bool)
    for name, of in zip(ask.columns, words, strict=True):
        cells = ask[name].astype(object)
        rows &= (cells.isin(of.dropna()) | (cells.isna() & of.isna().any())).to_numpy()
    return ask[rows]


@settings(max_examples=150)
@given(
    st.lists(columns, min_size=1, max_size=2),
    st.sampled_from(["error", "ignore", "infrequent_if_exist", "warn"]),
    st.sampled_from([None, "first", "if_binary", "array"]),
    frequency,
    most,
    st.booleans(),
)
def test_one_hot(columns, unknown, drop, min_frequency, max_categories, sparse):
    fit, ask = frames(columns)
    if drop == "array":
        drop = [fit[name].iloc[0] for name in fit]
    encoder = OneHotEncoder(
        handle_unknown=unknown,
        drop=drop,
        min_frequency=min_frequency,
        max_categories=max_categories,
        sparse_output=sparse,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            encoder.fit(fit)
        except (ValueError, AttributeError):  # a word to drop that is infrequent
            assume(False)
        ask = known(encoder, fit, ask)
        assume(len(ask))
        check_transform(encoder, ask)


@settings(max_examples=100)
@given(
    st.lists(columns, min_size=1, max_size=2),
    st.sampled_from(["error", "use_encoded_value"]),
    st.sampled_from([-1, 99, float("nan")]),
    st.sampled_from([float("nan"), -2]),
    frequency,
    most,
)
def test_ordinal(columns, unknown, value, missing, min_frequency, max_categories):
    fit, ask = frames(columns)
    encoder = OrdinalEncoder(
        handle_unknown=unknown,
        unknown_value=value if unknown != "error" else None,
        encoded_missing_value=missing,
        min_frequency=min_frequency,
        max_categories=max_categories,
    )
    try:
        encoder.fit(fit)
    except ValueError:  # the value is a category's already
        assume(False)
    ask = known(encoder, fit, ask)
    assume(len(ask))
    check_transform(encoder, ask)


@settings(max_examples=100)
@given(
    st.lists(columns, min_size=1, max_size=2),
    st.sampled_from(["two", "three", "number"]),
    st.sampled_from(["auto", 2.0]),
)
def test_target(columns, kind, smooth):
    fit, ask = frames(columns)
    n = len(fit)
    y = {"two": np.arange(n) % 2, "three": np.arange(n) % 3, "number": np.arange(n) * 0.37}[kind]
    assume(len(np.unique(y)) > 2 or kind == "two")
    encoder = TargetEncoder(
        smooth=smooth, target_type={"two": "binary", "three": "multiclass"}.get(kind, "continuous")
    )
    encoder.fit(fit, y)
    check_transform(encoder, ask)


def test_both_kinds_of_missing():
    fit = pd.DataFrame({"c": pd.Series(["a", None, float("nan"), "b"], dtype=object)})
    ask = pd.DataFrame({"c": pd.Series(["a", float("nan"), "new"], dtype=object)})  # null is taken for NaN
    check_transform(OneHotEncoder(handle_unknown="ignore").fit(fit), ask)
    check_transform(OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(fit), ask)


@pytest.mark.parametrize("strategy", ["most_frequent", "constant"])
def test_imputed_words(strategy):
    rng = np.random.default_rng(0)
    cells = rng.choice(["a", "b", "c", None], 100, p=[0.5, 0.2, 0.2, 0.1])
    frame = pd.DataFrame({"c": pd.Series(cells, dtype=object)})
    for missing in (None, np.nan):
        filled = frame.where(frame.notna(), missing).astype(object)
        imputer = SimpleImputer(
            missing_values=missing, strategy=strategy, fill_value="none" if strategy == "constant" else None
        )
        for encoder in (
            OneHotEncoder(handle_unknown="ignore"),
            OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        ):
            check_transform(make_pipeline(imputer, encoder).fit(filled), filled)


def test_before_a_forest():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "zone": pd.Series(rng.choice(["a", "b", "c", None], 300), dtype=object),
            "hour": rng.integers(0, 24, 300),
            "miles": rng.exponential(3, 300),
            "fare": rng.normal(10, 5, 300),
        }
    )
    y = targets(frame)["three"]
    for encoder in (
        OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=-5),
        TargetEncoder(random_state=0),
    ):
        model = make_pipeline(encoder, RandomForestClassifier(5, max_depth=5, random_state=0))
        ask = frame.copy()
        ask.loc[:10, "zone"] = "new"
        check(model.fit(frame[["zone", "hour"]], y), ask[["zone", "hour"]])


def test_of_what_was_computed():
    """Codes of codes, and numbers that an imputer has filled."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "zone": rng.choice(list("abcd"), 60),
            "hour": np.where(rng.random(60) < 0.2, np.nan, rng.integers(0, 6, 60)),
        }
    )
    codes = ColumnTransformer(
        [("c", OrdinalEncoder(), ["zone"]), ("n", SimpleImputer(strategy="most_frequent"), ["hour"])]
    )
    ask = frame.copy()
    ask.loc[:3, "hour"] = 77.0
    for encoder in (
        OneHotEncoder(handle_unknown="ignore"),
        OneHotEncoder(
            handle_unknown="infrequent_if_exist", min_frequency=10, drop="first", sparse_output=False
        ),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        TargetEncoder(target_type="continuous"),
    ):
        check_transform(make_pipeline(codes, encoder).fit(frame, np.arange(60) * 0.3), ask)
    check_transform(
        make_pipeline(KBinsDiscretizer(3, encode="ordinal"), OneHotEncoder()).fit(frame[["hour"]].fillna(0)),
        frame[["hour"]].fillna(2),
    )
