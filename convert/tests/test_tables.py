"""Tables of any pipeline: bits on both sides of every cut, what is missing and unknown, and no wrong bit."""

import json
import os
import pickle
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from helpers import save
from lightgbm import LGBMRegressor
from onnx import TensorProto, helper, numpy_helper
from serving import RUN, served
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor, VotingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor
from xgboost import XGBClassifier, XGBRegressor

from skiff_convert import cli, goldens, grid, tables
from skiff_convert.axes import NoTable, axes_of
from skiff_convert.choose import Wish
from skiff_convert.columns import FLOAT32_LIMIT, Column
from skiff_convert.errors import ConvertError
from skiff_convert.form import Head
from skiff_convert.lift import Cell, Lifting, Matrix, estimate
from skiff_convert.look.pickles import read
from skiff_convert.lower_form import model_of
from skiff_convert.lower_table import lower_table
from skiff_convert.prove import open_session

ROOT = Path(__file__).parents[2]
NAMES = ["zone", "hour", "miles"]


def rides(n: int = 400) -> pd.DataFrame:
    """Text and two numbers, some of the miles missing, some zero."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"zone": rng.choice(list("abcdef"), n), "hour": rng.integers(0, 24, n) * 1.0})
    frame["miles"] = np.where(rng.random(n) < 0.2, 0.0, rng.exponential(3, n).round(1))
    frame.loc[rng.random(n) < 0.1, "miles"] = np.nan
    return frame


FRAME = rides()
Y = FRAME.miles.fillna(7).to_numpy() * 2 + FRAME.zone.isin(["a", "c"]) * 4 + FRAME.hour * 0.1


def behind(estimator, number="passthrough", sparse: float = 0.0, encoder=None):
    """The estimator behind a ColumnTransformer."""
    encoder = encoder or OneHotEncoder(handle_unknown="ignore")
    steps = [("c", encoder, ["zone"]), ("n", number, ["hour", "miles"])]
    return make_pipeline(ColumnTransformer(steps, sparse_threshold=sparse), estimator)


CODES = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
THREE = np.digitize(Y, np.quantile(Y, [0.3, 0.7]))
MODELS = {
    "xgboost": (behind(XGBRegressor(n_jobs=1, n_estimators=12, max_depth=3)), Y),
    "xgboost, zeros missing": (behind(XGBRegressor(n_jobs=1, n_estimators=12, max_depth=3), sparse=1.0), Y),
    "xgboost, scaled": (behind(XGBRegressor(n_jobs=1, n_estimators=12, max_depth=3), StandardScaler()), Y),
    "xgboost, scaled, zeros missing": (
        behind(XGBRegressor(n_jobs=1, n_estimators=12, max_depth=3), StandardScaler(), sparse=1.0), Y
    ),
    "xgboost, logarithm": (
        behind(XGBRegressor(n_jobs=1, n_estimators=12, max_depth=3), FunctionTransformer(np.log1p)), Y
    ),
    "xgboost, classes": (behind(XGBClassifier(n_jobs=1, n_estimators=4, max_depth=2)), THREE),
    "xgboost, two outputs": (
        behind(XGBRegressor(n_jobs=1, n_estimators=6, max_depth=2)), np.column_stack([Y, -Y**2])
    ),
    "lightgbm": (behind(LGBMRegressor(n_jobs=1, n_estimators=8, num_leaves=6, verbose=-1)), Y),
    "lightgbm, sets": (
        behind(LGBMRegressor(n_jobs=1, n_estimators=8, num_leaves=6, verbose=-1, categorical_feature=[1]),
               encoder=CODES), Y,
    ),
    "histograms": (behind(HistGradientBoostingRegressor(max_iter=9), encoder=CODES), Y),
    "histograms, sets": (
        behind(HistGradientBoostingRegressor(max_iter=9, categorical_features=[0, 1]), encoder=CODES), Y
    ),
    "forest": (behind(RandomForestRegressor(9, max_depth=4, random_state=0)), Y),
    "forests": (
        behind(VotingRegressor([(str(d), DecisionTreeRegressor(max_depth=d)) for d in (2, 4)])), Y
    ),
}  # fmt: skip


MANY = behind(XGBRegressor(n_jobs=1, n_estimators=150, max_depth=3, max_bin=8))  # trees, over few bins


def lifted(model, **bounds) -> tuple[Head, list[Column]]:
    """A fitted model in the form, and columns that take what is missing; bounds: of numbers."""
    lifting = Lifting(names=tuple(NAMES))
    head = estimate(read(pickle.dumps(model))[0], Matrix([Cell(name) for name in NAMES]), lifting)
    columns = [
        Column(w.name, (w.name,), w.kind, "nan", null="nan", **bounds)
        if w.kind == "number"
        else Column(w.name, (w.name,), w.kind, "reject", vocabulary=tuple(w.words), unknown="accept")
        for w in lifting.wanted
    ]
    return head, columns


def write(head, columns, table) -> bytes:
    return model_of(*lower_table(table, columns), len(columns), len(head.y), {}, "test")


def original(model, columns, X) -> np.ndarray:
    """The model's own answers; float64 [rows, outputs]."""
    frame = {}
    for column, x in zip(columns, X.T, strict=True):
        words = np.array(["?", *column.vocabulary], dtype=object)
        frame[column.name] = x if column.kind == "number" else words[x.astype(int)]
    frame = pd.DataFrame(frame)[NAMES]
    answer = model.predict_proba(frame) if hasattr(model, "predict_proba") else model.predict(frame)
    return np.asarray(answer, np.float64).reshape(len(X), -1)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MODELS)
def test_both_sides_of_every_cut_to_the_last_bit(name):
    model, y = MODELS[name]
    frame = FRAME.fillna(0.0) if name.startswith("forest") or "logarithm" in name else FRAME
    bounds = {"limit": FLOAT32_LIMIT} if name.startswith("forest") else {}
    bounds = {"least": -0.5} if "logarithm" in name else bounds
    head, columns = lifted(model.fit(frame, y), **bounds)
    table = tables.fill(head, columns, axes_of(head, columns))
    session = open_session(write(head, columns, table))
    assert "every score equal" in tables.prove(session, head, columns, table)
    kinds = [axis.category for axis in table.axes]
    assert kinds == sorted(kinds, reverse=True) and kinds.count(False) >= 1

    rng = np.random.default_rng(1)
    X = np.vstack([X for X, _ in grid.rows(table, columns)])
    X = X[rng.permutation(len(X))[:4000]]
    for axis in table.axes:  # and every cut, with codes that are asked like others
        some = X[: 3 * len(axis)].copy()
        some[:, axis.column] = np.resize(np.concatenate([axis.low, axis.high]), len(some))
        X = np.vstack([X, some])
        if not axis.category:  # what a sparse matrix has not
            some = X[: 4 * 50].copy()
            some[:, axis.column] = np.resize([0.0, -0.0, 5e-324, -5e-324], len(some))
            X = np.vstack([X, some])
    if "sets" in name:  # what categories the original refuses
        X = X[(X[:, 1] >= 0) & (X[:, 1] < 24) & (X[:, 1] == np.floor(X[:, 1])) | np.isnan(X[:, 1])]
    assert len(X) > 50
    numbers = head.numbers(session.run(None, {"X": X})[0])
    np.testing.assert_array_equal(numbers, original(model, columns, X))


def refused(model: onnx.ModelProto, head, columns, table) -> bool:
    try:
        tables.prove(open_session(model.SerializeToString()), head, columns, table)
    except ConvertError as err:
        return "--lowering trees" in err.hint
    except Exception as err:  # an index out of range
        return "Out of range value in index" in str(err)
    return False


def places_used(whole: onnx.ModelProto, columns, table) -> set[int]:
    """The values that answers come from: others pad a page."""
    seen = onnx.ModelProto()
    seen.CopyFrom(whole)
    at = [node.input[1] for node in whole.graph.node if node.input[0] == "values"]
    seen.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.INT32, None) for name in at)
    X = np.vstack([X for X, _ in grid.rows(table, columns)])
    return set(np.concatenate(open_session(seen.SerializeToString()).run(at, {"X": X})).tolist())


def test_every_wrong_bit_is_refused():
    """Each value, page, row and cut changed by the least that changes it; two outputs."""
    model = behind(XGBRegressor(n_jobs=1, n_estimators=2, max_depth=2), sparse=1.0)
    head, columns = lifted(model.fit(FRAME, np.column_stack([Y, -(Y**2)])))
    table = tables.fill(head, columns, axes_of(head, columns))
    whole = onnx.load_from_string(write(head, columns, table))
    assert not refused(whole, head, columns, table)
    used, wrong = places_used(whole, columns, table), 0
    for tensor in whole.graph.initializer:
        right = numpy_helper.to_array(tensor).copy()
        if tensor.name == "values":  # of which some only pad a page
            places = [at for at in range(len(right)) if at in used]
        elif tensor.name.startswith(("rows", "pages", "cuts", "output")):
            places = np.flatnonzero(np.isfinite(right.ravel()) & (np.abs(right.ravel()) < 1e300))
        else:
            continue
        for at in places:
            for way in (-np.inf, np.inf) if right.dtype == np.float64 else (1,):
                changed = right.copy()
                changed.flat[at] = np.nextafter(right.flat[at], way) if way != 1 else right.flat[at] + 1
                tensor.CopyFrom(numpy_helper.from_array(changed, tensor.name))
                assert refused(whole, head, columns, table), (tensor.name, at)
                wrong += 1
        tensor.CopyFrom(numpy_helper.from_array(right, tensor.name))
    assert wrong > 30


def test_a_fold_that_is_wrong_is_refused():
    """A cut that is one double off: the ends of a cell are not the same."""
    head, columns = lifted(behind(XGBRegressor(n_jobs=1, n_estimators=3, max_depth=2)).fit(FRAME, Y))
    axes = axes_of(head, columns)
    number = next(axis for axis in axes if not axis.category)
    for to in (-np.inf, np.inf):
        low, high = number.low.copy(), number.high.copy()
        high[0] = np.nextafter(high[0], to)
        low[1] = np.nextafter(low[1], to)
        moved = replace(number, low=low, high=high)
        with pytest.raises(ConvertError, match="at the other end of a cell"):
            tables.fill(head, columns, [moved if axis is number else axis for axis in axes])


@pytest.mark.parametrize(
    ("estimator", "number", "why"),
    [
        (VotingRegressor([("a", DecisionTreeRegressor()), ("b", Ridge())]), "passthrough", "computes with"),
        (DecisionTreeRegressor(), PCA(2), "computes with"),
    ],
)
def test_what_is_no_table(estimator, number, why):
    head, _ = lifted(behind(estimator, number).fit(FRAME.fillna(0.0), Y))
    columns = lifted(behind(DecisionTreeRegressor()).fit(FRAME.fillna(0.0), Y))[1]
    with pytest.raises(NoTable, match=why):
        axes_of(head, columns)


def converted(model, folder: Path, capsys, *options: str) -> tuple[int, str, str]:
    """Of the command, with the bundle's folder, or "", and what it said."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(goldens, "RANDOM", 60)
        patch.setattr(goldens, "SWEPT", 300)
        made = folder / "model"
        made = made if made.exists() else save(model, made, run_id=RUN)
        code = cli.main([str(made), "--out", str(folder / "out"), "--no-isolation", *options])
    said = capsys.readouterr()
    return code, said.out.strip(), said.err


def lowering(folder: str) -> str:
    return json.loads(Path(folder, "manifest.json").read_text())["lowering"]


def test_what_is_asked_for(tmp_path, capsys):
    """The same of this route as of the other."""
    model = MANY.fit(FRAME, Y)
    code, folder, said = converted(model, tmp_path, capsys)
    assert code == 0 and lowering(folder) == "table", said
    assert "rows on both ends of every cell, every score equal to the last bit" in said
    assert not Path(folder, "fast.onnx").exists()
    assert len(Path(folder, "golden.jsonl").read_text().splitlines()) > 100
    code, folder, said = converted(model, tmp_path, capsys, "--lowering", "trees")
    assert code == 0 and lowering(folder) == "trees"


def test_a_budget():
    says: list[str] = []
    assert chosen(MANY, "auto", says, budget=0.001) is None
    assert says[-1].startswith("no table: it takes ") and says[-1].endswith(" MB, over --table-budget 0.001")
    with pytest.raises(ConvertError, match="cannot be lowered to a table: it takes ") as err:
        chosen(MANY, "table", says, budget=0.001)
    assert err.value.hint == "--lowering trees (LOWERING=trees), or a larger --table-budget (TABLE_BUDGET=)"


def chosen(model, of: str, says: list[str], frame=FRAME, budget: float = 32.0):
    """The table and its model, or None."""
    head, columns = lifted(model.fit(frame, Y))
    make = lambda table: write(head, columns, table)  # noqa: E731
    return tables.lowered(head, columns, "Ridge", Wish(of, budget), True, make, says.append)


@pytest.mark.parametrize(
    ("limit", "value", "of", "what"),
    [
        ("MOST_CELLS", 100, "table", "cannot be lowered to a table: it has "),
        ("MOST_CELLS", 100, "auto", "no table: it has "),
        ("OWN_CELLS", 100, "auto", "cells, which take long to load"),
        ("MOST_SECONDS", 1e-3, "auto", "no table: computing "),
        ("CLEARLY", 100, "auto", "no table: trees are about as fast"),
    ],
)
def test_limits(monkeypatch, limit, value, of, what):
    says: list[str] = []
    monkeypatch.setattr(tables, limit, value)
    if of == "auto":
        assert chosen(MANY, of, says) is None and what in says[-1]
        return
    with pytest.raises(ConvertError, match=what) as err:
        chosen(MANY, of, says)
    assert err.value.hint == "--lowering trees (LOWERING=trees) takes any model of trees"


@pytest.mark.parametrize("of", ["trees", "table"])
def test_sums_are_neither(of):
    with pytest.raises(ConvertError, match=f"a Ridge cannot be lowered to {of}") as err:
        chosen(behind(Ridge()), of, [], FRAME.fillna(0.0))
    assert err.value.hint == "leave --lowering out"


def test_the_worker_serves_it(tmp_path, capsys):
    """The built program: words that are unknown, numbers that are missing, both sides of every cut."""
    model = behind(XGBRegressor(n_jobs=1, n_estimators=60, max_depth=3), StandardScaler(), sparse=1.0).fit(
        FRAME, Y
    )
    (tmp_path / "spec.toml").write_text(
        'model = "m"\nid = "id"\nprediction = "class"\n[features]\n'
        + "".join(f'{name} = "{name}"\n' for name in NAMES)
    )
    code, folder, said = converted(
        model, tmp_path, capsys, "--lowering", "table", "--spec", str(tmp_path / "spec.toml")
    )
    assert code == 0, said
    head, columns = lifted(model)
    table = tables.fill(head, columns, axes_of(head, columns))
    X = np.vstack([X for X, _ in grid.rows(table, columns)])
    X = X[(np.abs(X[:, 1:]) < 1e300).all(axis=1) | np.isnan(X).any(axis=1)]
    X = X[np.random.default_rng(2).permutation(len(X))[:300]]
    X[np.abs(X) > 1e300] = 5.0
    words = ["nowhere", *columns[0].vocabulary]
    frame = pd.DataFrame({"zone": [words[int(x)] for x in X[:, 0]], "hour": X[:, 1], "miles": X[:, 2]})
    records = frame.astype(object).where(frame.notna(), None)
    answers = served(Path(folder), records)
    assert [answer["class"] for answer in answers] == model.predict(frame).astype(float).tolist()
    call = [ROOT / ".build/bin/worker", "-check"]
    env = os.environ | {"RUN_ID": RUN, "MODEL_LOCATION": folder}
    env.setdefault("ONNXRUNTIME_LIB", str(ROOT / ".build/lib/libonnxruntime.so"))
    done = subprocess.run(call, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "XGBRegressor as table, " in done.stdout + done.stderr


def test_a_table_that_differs_is_not_taken():
    """Where nobody asked for it, trees are; where somebody did, it is an error."""
    head, columns = lifted(MANY.fit(FRAME, Y))

    def worse(table):
        cells = table.cells.copy()
        cells.ravel()[-1] = np.nextafter(cells.ravel()[-1], np.inf)
        return write(head, columns, replace(table, cells=cells))

    says: list[str] = []
    assert tables.lowered(head, columns, "XGBRegressor", Wish("auto"), True, worse, says.append) is None
    assert says[-1].startswith("WARNING: no table: ") and "in onnxruntime" in says[-1]
    with pytest.raises(ConvertError, match="in onnxruntime"):
        tables.lowered(head, columns, "XGBRegressor", Wish("table"), True, worse, says.append)
