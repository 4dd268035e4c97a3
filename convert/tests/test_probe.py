"""What the original takes is found in few calls, and of each column by itself."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers import mixed_records, save, target
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction import DictVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, MinMaxScaler, OneHotEncoder
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor

from skiff_convert import cli, world
from skiff_convert.choose import Wish
from skiff_convert.columns import FLOAT32_LIMIT

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame({"a": RNG.normal(0, 3, 80), "b": RNG.uniform(1, 9, 80), "c": RNG.normal(5, 1, 80)})
Y = TABLE["a"] * 2 + TABLE["b"] - TABLE["c"]


@pytest.fixture
def calls(monkeypatch):
    """How often the original is asked while it is probed."""
    count = Counter()
    call = world.Session.call

    def counted(self, method, data, *args, **options):
        count["whole"] += options.get("whole", False)
        return call(self, method, data, *args, **options)

    monkeypatch.setattr(world.Session, "call", counted)
    return count


def columns_of(model, folder: Path) -> dict[str, dict]:
    """The columns of a model that was converted, by name."""
    saved = str(save(model, folder / "model"))
    bundle = cli.convert(saved, "none", folder / "bundles", None, Wish(), print)
    return {c["name"]: c for c in json.loads((bundle / "manifest.json").read_text())["columns"]}


def taken(model, row: dict, name: str, x: float) -> bool:
    """Whether the model predicts a number with another one in a column, of either sign."""
    try:
        return all(np.isfinite(model.predict(pd.DataFrame([{**row, name: v}]))[0]) for v in (x, -x))
    except ValueError:
        return False


def test_each_column_has_its_own_limit(tmp_path, calls):
    small = FunctionTransformer(np.arctan)
    scale = make_column_transformer((MaxAbsScaler(), ["a"]), (small, ["b"]), remainder="passthrough")
    model = make_pipeline(scale, DecisionTreeRegressor(max_depth=4, random_state=0)).fit(TABLE, Y)
    columns = columns_of(model, tmp_path)
    assert "limit" not in columns["b"]
    assert columns["c"]["limit"] == FLOAT32_LIMIT
    a = columns["a"]["limit"]
    row = TABLE.iloc[0].to_dict()
    assert not taken(model, row, "a", a) and taken(model, row, "a", np.nextafter(a, 0))
    assert calls["whole"] < 150


def test_a_limit_where_nothing_raises(tmp_path, calls):
    model = make_pipeline(MinMaxScaler(), SVR(kernel="poly", degree=3)).fit(TABLE, Y)
    columns = columns_of(model, tmp_path)
    row = TABLE.iloc[0].to_dict()
    for name, column in columns.items():
        if "limit" in column:
            limit = column["limit"]
            assert not taken(model, row, name, limit) and taken(model, row, name, np.nextafter(limit, 0))
    assert calls["whole"] < 250


def test_each_column_takes_nan_or_not(tmp_path):
    fill = make_column_transformer((SimpleImputer(), ["a", "c"]), remainder="passthrough")
    model = make_pipeline(fill, SVR()).fit(TABLE, Y)
    columns = columns_of(model, tmp_path)
    assert {name: column["null"] for name, column in columns.items()} == {
        "a": "nan",
        "b": "reject",
        "c": "nan",
    }


def test_each_entry_of_a_vectorizer_has_its_own_limit(tmp_path):
    records = mixed_records()
    model = make_pipeline(
        DictVectorizer(), MaxAbsScaler(), DecisionTreeRegressor(max_depth=5, random_state=0)
    )
    model.fit(records, target(records))
    limits = {name: column.get("limit") for name, column in columns_of(model, tmp_path).items()}
    assert limits["zone=a"] == FLOAT32_LIMIT < limits["distance"]


@pytest.mark.parametrize(
    ("refused", "rules"),
    [
        (lambda x: False, {"other": "unknown"}),
        (lambda x: abs(x) >= 2**63, {"other": "unknown", "limit": 2.0**63 - 1024}),
        (lambda x: abs(x) >= 2**1024, {"other": "unknown", "limit": sys.float_info.max}),
        (lambda x: True, {"other": "reject"}),
    ],
    ids=["takes all", "of 64 bits", "of float64", "takes none"],
)
def test_old_versions_fail_at_large_integers_where_words_are(tmp_path, monkeypatch, refused, rules):
    call = world.Session.call

    def old(self, method, data, *args, **options):
        bad = [
            i for i, x in enumerate(data.columns[0].values) if isinstance(x, int) and refused(x)
        ]  # as numpy.isnan and math.isnan fail
        if bad and options.get("whole"):
            return world.Answer(None, dict.fromkeys(range(len(data)), "TypeError"), None)
        assert not bad
        return call(self, method, data, *args, **options)

    monkeypatch.setattr(world.Session, "call", old)
    zones = np.array(["a", "b", "c"], object)[np.arange(60) % 3]
    table = pd.DataFrame({"zone": zones, "miles": np.arange(60.0)})
    one_hot = OneHotEncoder(handle_unknown="ignore")
    encode = make_column_transformer((one_hot, ["zone"]), remainder="passthrough")
    columns = columns_of(make_pipeline(encode, Ridge()).fit(table, table["miles"]), tmp_path)
    assert {k: columns["zone"][k] for k in ("other", "limit") if k in columns["zone"]} == rules


def test_numpy_is_the_c_librarys_whatever_the_processor():
    program = """
import skiff_convert, math, numpy as np
x = np.random.default_rng(0).uniform(-9, 9, 20_000)
assert np.cbrt(x).tolist() == [math.cbrt(v) for v in x]
assert np.exp(x).tolist() == [math.exp(v) for v in x]
"""
    env = {k: v for k, v in os.environ.items() if k != "NPY_DISABLE_CPU_FEATURES"}
    subprocess.run([sys.executable, "-c", program], env=env, check=True, cwd=Path(__file__).parents[1])
