"""The table of docs/exactness.md, row by row: which predictions have bits, and which a bound."""

import re
from pathlib import Path

import pytest
from catboost import CatBoostClassifier, CatBoostRegressor
from lifted import check, lift, rides, table, targets
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import all_estimators
from xgboost import XGBClassifier, XGBRegressor

from skiff_convert.form import Evaluation

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "exactness.md"
ROW = re.compile(r"^\| (`.+`) \| (anything exact|sparse columns|dense columns) \| (bits|bound) \|$", re.M)
BOOSTERS = [XGBRegressor, XGBClassifier, LGBMRegressor, LGBMClassifier, CatBoostRegressor, CatBoostClassifier]
CLASSES = dict(all_estimators()) | {made.__name__: made for made in BOOSTERS}
SMALL = {
    "n_estimators": 5, "iterations": 5, "max_iter": 20, "random_state": 0, "verbose": 0,
    "hidden_layer_sizes": (5,), "allow_writing_files": False, "min_child_samples": 5,
}  # fmt: skip
FRAME, TEST = rides(150), rides(120, seed=7)
Y = targets(FRAME)


def rows():
    """Each estimator of the table, with what it is behind and what its predictions are."""
    found = ROW.findall(DOCUMENT.read_text(encoding="utf-8"))
    return [
        (name, behind.split()[0], parity)
        for names, behind, parity in found
        for name in re.findall(r"`(\w+)`", names)
    ]


def small(name):
    """The estimator, of little work."""
    made = CLASSES[name]()
    known = {"iterations", "allow_writing_files"} if name.startswith("Cat") else made.get_params()
    options = {key: value for key, value in SMALL.items() if key in known}
    if name.startswith(("XGB", "LGBM", "Cat")):
        options |= {"n_estimators": 5} if not name.startswith("Cat") else {"verbose": 0}
        options |= {"verbose": -1} if name.startswith("LGBM") else {}
    if name in ("SGDRegressor", "LogisticRegression", "LinearSVR", "LinearSVC", "HuberRegressor"):
        options["max_iter"] = 2000
    return made.set_params(**options)


def columns(sparse):
    """Zones one-hot, and numbers: scaled where columns may be dense."""
    numbers = "passthrough" if sparse else StandardScaler()
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=sparse)
    steps = [("c", one_hot, ["zone"]), ("n", numbers, ["hour", "miles", "fare"])]
    return ColumnTransformer(steps, sparse_threshold=1.0 if sparse else 0.0)


def test_the_table_is_read():
    assert len(rows()) > 40
    assert {parity for _, _, parity in rows()} == {"bits", "bound"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "behind", "parity"), rows(), ids=lambda value: value)
def test_a_row(name, behind, parity):
    classifies = "Classifier" in name or name in (
        "LogisticRegression", "SVC", "LinearSVC", "GaussianNB", "LinearDiscriminantAnalysis",
    )  # fmt: skip
    y = Y["three"] if classifies else abs(Y["y"]) + 1
    if name == "XGBClassifier":
        y = Y["whole"] // 10  # it takes whole numbers from 0 on
    if name == "CatBoostClassifier":
        y = Y["two"]  # of more it predicts a column
    for sparse in {"anything": (True, False), "sparse": (True,), "dense": (False,)}[behind]:
        if sparse and name.startswith("HistGradient"):
            continue  # it takes no sparse columns
        model = make_pipeline(columns(sparse), small(name)).fit(FRAME, y)
        head = check(model, TEST, bits=parity == "bits", sure=0.9)
        scores = head.y
        allowance = Evaluation(table(lift(model, list(TEST.columns))[1], TEST)).allowance(scores)
        assert (allowance.max() > 0) == (parity == "bound")
