"""What models are asked about and what they answer, in worlds of old and new libraries."""

import json

import numpy as np
import pytest
from scipy import sparse
from worlds import folder_of, trained

from skiff_convert import world
from skiff_convert.errors import ConvertError
from skiff_convert.find import find
from skiff_convert.world import Frame, FrameColumn, Matrix, Records

pytestmark = pytest.mark.world

# A classifier of rides out of a data frame: words, categories, numbers with gaps, bools.
RIDES = """
import sys, pickle
import numpy as np, pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

n = 60
X = pd.DataFrame({
    "zone": np.array(["a", "b", None], object)[np.arange(n) % 3],
    "kind": pd.Categorical(np.array(["x", "y"])[np.arange(n) % 2], categories=["y", "x"]),
    "miles": np.where(np.arange(n) % 7 == 0, np.nan, np.arange(n) / 3.0),
    "riders": np.arange(n) % 5,
    "night": np.arange(n) % 2 == 0,
})
X["zone"] = X["zone"].where(X["zone"].notna(), "none")
encode = ColumnTransformer([
    ("words", OneHotEncoder(handle_unknown="ignore"), ["zone", "kind"]),
    ("numbers", SimpleImputer(), ["miles", "riders"]),
], remainder="passthrough")
forest = RandomForestClassifier(7, n_jobs=2, random_state=3)
model = Pipeline([("encode", encode), ("forest", forest)]).fit(X, np.arange(n) % 3 == 1)
model.same = FunctionTransformer()
pickle.dump(model, open(sys.argv[1], "wb"))
"""

OLD = ("3.9.18", ["scikit-learn==1.2.2", "pandas==1.5.3", "numpy==1.24.3"])
NEW = ("3.11.7", ["scikit-learn==1.9.1", "pandas==3.1.1", "numpy==2.4.6"])


@pytest.fixture(scope="module", params=[OLD, NEW], ids=["old", "new"])
def rides(request, tmp_path_factory):
    python, pins = request.param
    folder = folder_of(tmp_path_factory.mktemp("rides") / "model", pins, python, created="2026-11-01")
    _, made = trained(folder, RIDES)
    with made.open() as session:
        yield session


def frame(n: int = 4, zone: list | None = None) -> Frame:
    nan = float("nan")
    return Frame(
        [
            FrameColumn("zone", "object", zone or ["a", "b", "none", "new"][:n]),
            FrameColumn("kind", "category", ["x", "y", "x", "y"][:n], ["y", "x"]),
            FrameColumn("miles", "float64", np.array([1.5, nan, 1e30, -0.0])[:n]),
            FrameColumn("riders", "int64", [1, 2, 3, 2**40][:n]),
            FrameColumn("night", "bool", [True, False, True, False][:n]),
        ]
    )


def test_describe(rides):
    described = rides.describe()
    assert described["steps"] == [
        ["encode", "sklearn.compose._column_transformer.ColumnTransformer"],
        ["forest", "sklearn.ensemble._forest.RandomForestClassifier"],
    ]
    assert {"predict", "predict_proba"} <= set(described["methods"])
    assert described["classes"] == {"dtype": "bool", "values": [False, True]}
    assert described["feature_names_in"]["values"] == ["zone", "kind", "miles", "riders", "night"]
    assert described["n_features_in"] == 5
    assert rides.value("forest.n_jobs") == 1 and rides.value("1.estimators_.0.n_features_in_") == 8


def test_frames(rides):
    labels, odds = rides.call("predict", frame()), rides.call("predict_proba", frame())
    assert labels.values.dtype == bool and labels.values.shape == (4,) and not labels.refused
    assert odds.values.dtype == np.float64 and odds.values.shape == (4, 2)
    assert ((odds.values[:, 1] > 0.5) == labels.values).all()
    head = rides.call("transform", frame(), step="0").values
    again = rides.call("predict_proba", Matrix(np.asarray(head)), step="forest").values
    assert (again == odds.values).all()
    assert (rides.call("transform", frame(), step=":1").values == head).all()
    one_by_one = [rides.call("predict_proba", frame(1)).values[0]]
    assert (one_by_one[0] == odds.values[0]).all()


def test_refused_rows(rides):
    """Those alone, with the reason; the others are answered."""
    mixed = frame(4, zone=["a", {"not": "a word"}, "b", ["nor", "this"]])
    answer = rides.call("predict_proba", mixed)
    assert sorted(answer.refused) == [1, 3] and answer.values.shape == (2, 2)
    assert "unhashable" in answer.refused[1]
    short = Frame(frame().columns[:2])
    answer = rides.call("predict", short)
    assert answer.values is None and sorted(answer.refused) == [0, 1, 2, 3]
    assert "columns are missing" in answer.refused[0]


def test_what_cannot_be_asked(rides):
    for step, method, message in (
        ("", "transform", "has no transform"),
        ("", "fit", "has no fit"),
        ("7", "predict", "no step 7 in the model"),
        ("forest.nothing", "predict", "no step forest.nothing in the model"),
    ):
        with pytest.raises(ConvertError, match=message):
            rides.call(method, frame(), step=step)
    assert rides.call("predict", frame(1)).values.shape == (1,)  # it goes on


def test_every_kind_of_column(rides):
    """They get there as what they are, and back as what JSON has."""
    columns = [
        FrameColumn("words", "object", ["a", None, 3]),
        FrameColumn("text", "str", ["a", "", "ü"]),
        FrameColumn("half", "float32", [0.1, float("nan"), float("inf")]),
        FrameColumn("small", "int8", [1, -2, 3]),
        FrameColumn("maybe", "Int64", [1, None, 2**60]),
        FrameColumn("day", "datetime64[ns]", ["2026-01-02T03:04:05", None, "1970-01-01"]),
        FrameColumn(7, "category", [1, 2, None], [2, 1], ordered=True),
    ]
    answer = rides.call("transform", Frame(columns), step="same")
    assert answer.columns == ["words", "text", "half", "small", "maybe", "day", 7]
    half = float(np.float32(0.1))
    assert answer.values[0].tolist() == ["a", "a", half, 1, 1, "2026-01-02T03:04:05", 1]
    assert np.isnan(answer.values[1, 2])
    assert answer.values[1, [0, 1, 3, 4, 5]].tolist() == [None, "", -2, None, None]
    assert answer.values[2, :5].tolist() == [3, "ü", float("inf"), 3, 2**60]


SPARSE = """
import sys, pickle
import numpy as np
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline

X = [{"zone": "abc"[i % 3], "miles": float(i)} for i in range(30)]
y = np.array([[["low", "high"][i % 2], ["x", "y", "z"][i % 3]] for i in range(30)], object)
model = make_pipeline(DictVectorizer(dtype=np.float32), MultiOutputClassifier(LogisticRegression()))
pickle.dump(model.fit(X, y), open(sys.argv[1], "wb"))
"""


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    python, pins = OLD
    folder = folder_of(tmp_path_factory.mktemp("several") / "model", pins, python)
    _, made = trained(folder, SPARSE)
    with made.open() as session:
        yield session


def test_sparse_and_several_outputs(several):
    records = Records([{"zone": "a", "miles": 2.0}, {"zone": None, "miles": float("nan")}, {"miles": 3}])
    X = several.call("transform", records, step="0").values
    assert X.data.dtype == np.float32 and X.shape == (3, 4)
    assert X.toarray()[0].tolist() == [2.0, 1.0, 0.0, 0.0]
    same = sparse.csr_matrix((X.data, X.indices, X.indptr), X.shape)[[0, 2]]
    for matrix in (same, same.toarray()):
        answer = several.call("predict_proba", Matrix(matrix), step="1")
        assert [part.shape for part in answer.values] == [(2, 2), (2, 3)]
    answer = several.call("predict_proba", records)
    assert [part.shape for part in answer.values] == [(2, 2), (2, 3)] and list(answer.refused) == [1]
    labels = several.call("predict", Records(records.rows[:1])).values
    assert (
        labels.dtype == object and labels.shape == (1, 2) and set(labels[0]) <= set("xyz") | {"low", "high"}
    )
    assert [part["values"] for part in several.describe()["classes"]] == [["high", "low"], ["x", "y", "z"]]


def test_objects(several):
    """Arrays of objects go there and back."""
    words = np.array([["a", 1], ["b", None]], object)
    with pytest.raises(ConvertError, match="has no transform"):
        several.call("transform", Matrix(words), step="1")
    assert several.call("predict", Matrix(words), step="1").values is None


def test_many_that_are_all_refused(several):
    """It is not the rows: it ends, and says so, before each was tried."""
    with pytest.raises(ConvertError, match="all of 1000 rows are refused"):
        several.call("predict", Matrix(np.zeros((5000, 99))), step="1")


def test_a_process_that_dies(several, tmp_path):
    folder = folder_of(tmp_path / "model", OLD[1], OLD[0])
    (folder / "rides.py").write_text("")
    (folder / "model.pkl").write_bytes(b"\x80\x04cos\nkill\n(cos\ngetpid\n)RK\x09tR.")
    with pytest.raises(ConvertError, match=r"the model's process ended \(signal 9\)"):
        world.build(find(str(folder)), lambda text: None).open()


BOOSTERS = {
    "xgboost": "XGBRegressor(n_estimators=5).fit(X, y).save_model(path)",
    "xgboost booster": "XGBRegressor(n_estimators=5).fit(X, y).get_booster().save_model(path)",
    "lightgbm": "pickle.dump(LGBMRegressor(n_estimators=5, verbose=-1).fit(X, y), open(path, 'wb'))",
    "lightgbm booster": "LGBMRegressor(n_estimators=5, verbose=-1).fit(X, y).booster_.save_model(path)",
    "catboost": "CatBoostRegressor(iterations=5, silent=True).fit(X, y).save_model(path)",
}
OPTIONS = {
    "xgboost": ("model.ubj", {"model_class": "xgboost.sklearn.XGBRegressor", "xgb_version": "2.1.4"}),
    "xgboost booster": ("model.ubj", {"model_class": "xgboost.core.Booster", "xgb_version": "2.1.4"}),
    "lightgbm": ("model.pkl", {"model_class": "lightgbm.sklearn.LGBMRegressor", "lgb_version": "4.5.0"}),
    "lightgbm booster": ("model.lgb", {"model_class": "lightgbm.basic.Booster", "lgb_version": "4.5.0"}),
    "catboost": (
        "model.cb",
        {"model_type": "CatBoostRegressor", "save_format": "cbm", "catboost_version": "1.2.8"},
    ),
}


@pytest.mark.parametrize("kind", BOOSTERS)
def test_boosters(tmp_path, kind):
    """By the flavors that MLflow logs them with, a bare Booster too."""
    flavor, (file, options) = kind.split()[0], OPTIONS[kind]
    pins = ["xgboost==2.1.4", "lightgbm==4.5.0", "catboost==1.2.8", "scikit-learn==1.5.2"]
    script = f"""
import sys, pickle, numpy as np
from {flavor} import *
path, X = sys.argv[1], np.arange(600.0).reshape(300, 2) % 7
y = X[:, 0] + (X[:, 1] > 3)
{BOOSTERS[kind]}
"""
    folder = folder_of(tmp_path / "model", pins, "3.11.7", flavor, file, **options)
    _, made = trained(folder, script)
    with made.open() as session:
        X = np.array([[1.0, 2.0], [5.0, 6.0], [np.nan, 0.0]])
        answer = session.call("predict", Matrix(X))
        assert answer.values.shape == (3,) and answer.values.dtype in (np.float32, np.float64)
        assert answer.values[1] > answer.values[0]
        assert session.describe()["libraries"][flavor] == made.libraries[flavor]
        if kind == "xgboost":
            raw = session.call("predict", Matrix(X), options={"output_margin": True})
            assert (raw.values == answer.values).all()


SKOPS = """
import sys, numpy as np, skops.io
from sklearn.ensemble import RandomForestRegressor
X = np.arange(40.0).reshape(20, 2)
skops.io.dump(RandomForestRegressor(3, random_state=0).fit(X, X[:, 0]), sys.argv[1])
"""
JOBLIB = """
import sys, numpy as np, joblib
from sklearn.linear_model import Ridge
X = np.arange(40.0).reshape(20, 2)
joblib.dump(Ridge().fit(X, X[:, 0]), sys.argv[1], compress=COMPRESS)
"""


@pytest.mark.parametrize(
    ("file", "script"),
    [
        ("model.skops", SKOPS),
        ("model.pkl", JOBLIB.replace("COMPRESS", "0")),
        ("model.joblib", JOBLIB.replace("COMPRESS", "3")),
    ],
)
def test_files(tmp_path, file, script):
    """skops, with a tree that it does not trust by itself, and joblib, compressed or not."""
    _, made = trained(folder_of(tmp_path / "model", ["scikit-learn==1.5.2"], "3.11.7", file=file), script)
    with made.open({"NPY_DISABLE_CPU_FEATURES": "AVX512F"}) as session:
        assert session.call("predict", Matrix(np.array([[4.0, 5.0]]))).values.shape == (1,)
        assert json.dumps(session.describe())
