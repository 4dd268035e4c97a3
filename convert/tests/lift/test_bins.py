"""XGBoost behind functions whose bits onnxruntime has not: it is asked about bins, which are exact."""

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from lifted import lift, rides, targets
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from skiff_convert import fold as folding
from skiff_convert import plan
from skiff_convert.form import Step
from skiff_convert.form.steps import spread
from skiff_convert.lower_form import lower, model_of
from skiff_convert.proof import interpret
from skiff_convert.prove import open_session

FRAME = rides(400)
FRAME.loc[::4, "miles"] = 0.0  # of which a sparse matrix has nothing: that is missing
Y = targets(FRAME)
NUMBERS = ["miles", "hour"]


def both_sides(head, lifting) -> np.ndarray:
    """Rows of X on both sides of every threshold, at 0 and beside it, and missing."""
    rows = np.ones((1, len(lifting.wanted)))
    made = [rows]
    for forest in plan.forests(head):
        for column, ends in folding.fold(forest, len(lifting.wanted), compute=True).bins:
            for x in (*ends, *np.nextafter(ends, np.inf), 0.0, -0.0, 5e-324, np.nan):
                made.append(rows.copy())
                made[-1][0, column] = x
    return np.vstack(made)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("func", "sparse"),
    [(np.cbrt, 1.0), (np.cbrt, 0.0), (np.log1p, 1.0), (np.log1p, 0.0), (np.exp, 0.0), (np.tanh, 1.0)],
)
def test_both_sides_of_every_threshold_to_the_last_bit(func, sparse):
    encoder = OneHotEncoder(handle_unknown="ignore")
    steps = [("c", encoder, ["zone"]), ("n", FunctionTransformer(func), NUMBERS)]
    model = make_pipeline(
        ColumnTransformer(steps, sparse_threshold=sparse),
        xgb.XGBRegressor(n_estimators=12, max_depth=4, n_jobs=1),
    ).fit(FRAME, Y["y"])
    head, lifting = lift(model, list(FRAME.columns))
    X = both_sides(head, lifting)
    assert len(X) > 100
    want, allowed = interpret(head, X)
    assert not allowed.any()
    nodes, constants = lower(head, X.shape[1], [1 + len(w.words) for w in lifting.wanted])
    session = open_session(model_of(nodes, constants, X.shape[1], 1, {}, "test"))
    got = session.run(None, {"X": X})[0]
    np.testing.assert_array_equal(got.view(np.int64), want.view(np.int64))
    places = {w.name: i for i, w in enumerate(lifting.wanted)}
    words = [None, *lifting.wanted[places["zone"]].words]
    frame = pd.DataFrame({name: X[:, places[name]] for name in NUMBERS})
    frame["zone"] = [words[int(code)] for code in X[:, places["zone"]]]
    frame["fare"], frame["vip"] = 0.0, False
    original = model.predict(frame[list(FRAME.columns)])
    np.testing.assert_array_equal(original, want[:, 0].astype(np.float32))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("func", [np.sqrt, np.log1p])
def test_what_an_imputer_puts_below_is_in_no_order(func):
    """Of what is below 0 there is no root, and an imputer puts something among the others in its place."""
    filled = make_pipeline(FunctionTransformer(func), SimpleImputer())
    estimator = xgb.XGBRegressor(n_estimators=12, max_depth=4, n_jobs=1)
    model = make_pipeline(ColumnTransformer([("n", filled, NUMBERS)]), estimator).fit(FRAME, Y["y"])
    head, lifting = lift(model, list(FRAME.columns))
    X = np.vstack([both_sides(head, lifting), np.linspace(-9.0, 9.0, 4 * len(NUMBERS)).reshape(4, -1)])
    want, _ = interpret(head, X)
    nodes, constants = lower(head, X.shape[1], [1 + len(w.words) for w in lifting.wanted])
    session = open_session(model_of(nodes, constants, X.shape[1], 1, {}, "test"))
    got = session.run(None, {"X": X})[0]
    np.testing.assert_array_equal(got.view(np.int64), want.view(np.int64))


def test_too_many_bins_are_none(monkeypatch):
    steps = [("n", FunctionTransformer(np.cbrt), NUMBERS)]
    model = make_pipeline(ColumnTransformer(steps), xgb.XGBRegressor(n_estimators=3)).fit(FRAME, Y["y"])
    head, lifting = lift(model, list(FRAME.columns))
    X = both_sides(head, lifting)
    assert not interpret(head, X)[1].any()
    monkeypatch.setattr(folding, "BINS", 3)
    _, allowed = interpret(head, X)
    assert np.isinf(allowed).any() and (allowed == 0).any()


@pytest.mark.parametrize(
    ("step", "x", "off", "far"),
    [
        (Step("absent"), 2.0, 0.5, 0.5),
        (Step("absent"), 0.0, 0.5, np.inf),
        (Step("absent"), 0.5, 1.0, np.inf),
        (Step("absent"), 0.0, 0.0, 0.0),
        (Step("absent", 1e-3), 2e-3, 1e-2, np.inf),
        (Step("except", 7.0), 7.5, 1.0, np.inf),
        (Step("except", 7.0), 9.0, 1.0, 1.0),
        (Step("from", 1.0), 1.5, 1.0, np.inf),
        (Step("from", 1.0), 0.5, 1.0, np.inf),
        (Step("from", 1.0), 3.0, 1.0, 1.0),
        (Step("negative_missing"), np.nan, 1.0, 0.0),
    ],
)
def test_a_number_or_none_is_certain_or_nothing_is(step, x, off, far):
    assert spread((step,), np.array([x]), np.array([off]))[0] == pytest.approx(far)
