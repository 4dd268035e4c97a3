"""What can be read, and what is said about the rest."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import yaml
from helpers import ESTIMATORS, InProcess, fit, mixed_records, save, target
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skiff_convert import grid, read, reader
from skiff_convert.errors import ConvertError
from skiff_convert.find import find
from skiff_convert.reader import Source


def learned(pipeline, folder: Path, **options):
    return InProcess(Source.of(find(str(save(pipeline, folder / "model", **options))))).learned()


@pytest.mark.parametrize(
    ("how", "reads"), [("pickle", InProcess), ("cloudpickle", InProcess), ("skops", reader.Reader)]
)
def test_formats(tmp_path, how, reads):
    pipeline = fit(RandomForestRegressor(n_estimators=3, n_jobs=2))
    original = reads(Source.of(find(str(save(pipeline, tmp_path / "model", how=how)))))
    assert original.learned().estimator_class == "RandomForestRegressor"
    records = [{"zone": "a", "distance": 3}, {"distance": [1]}, {"distance": 10**400}, {}]
    predictions, refused = original.predict(records)
    pipeline[1].n_jobs = 1
    assert predictions[[0, 3]].tolist() == pipeline.predict([records[0], {}]).tolist()
    assert np.isnan(predictions[[1, 2]]).all()
    assert [bool(reason) for reason in refused] == [False, True, True, False]
    assert refused[2] == "OverflowError: int too large to convert to float"


def test_a_table_in_chunks(tmp_path, monkeypatch):
    """The process tells how far it is; dense rows are made no more at a time than memory holds."""
    pipeline = fit(ESTIMATORS["DecisionTreeRegressor"](), sparse=False)
    width = len(pipeline[0].feature_names_)
    axes = [
        grid.Axis(0, False, *[np.arange(9.0)] * 3, np.full(9, 2), np.arange(9.0)),
        grid.Axis(1, True, *[np.arange(3.0)] * 3, np.array([-1, 4, 5]), np.ones(3)),
    ]
    monkeypatch.setattr(read, "QUIET", -1.0)
    monkeypatch.setattr(read, "DENSE", 10 * width)
    model = Source.of(find(str(save(pipeline, tmp_path / "model"))))
    told = []
    cells = InProcess(model).table(axes, told.append)
    assert told == ["10 of 27", "20 of 27", "27 of 27"]
    X = np.zeros((9, 3, width))
    X[:, :, 2], X[:, 1, 4], X[:, 2, 5] = np.arange(9)[:, None], 1, 1
    assert cells.shape == (9, 3) and (cells.ravel() == pipeline[1].predict(X.reshape(27, -1))).all()
    assert (reader.Reader(model).table(axes, told.append) == cells).all()


def fitted(*steps):
    records = mixed_records(30)
    return make_pipeline(*steps).fit(records, target(records))


NOT_SUPPORTED = {
    "step gradientboostingregressor (GradientBoostingRegressor) is not supported": lambda: fitted(
        DictVectorizer(), GradientBoostingRegressor(n_estimators=2)
    ),
    "step standardscaler (StandardScaler) is not supported": lambda: fitted(
        DictVectorizer(), StandardScaler(with_mean=False), LinearRegression()
    ),
    "step truncatedsvd (TruncatedSVD) is not supported": lambda: fitted(
        DictVectorizer(), TruncatedSVD(), LinearRegression()
    ),
    "the pipeline does not start with a DictVectorizer: step functiontransformer is a FunctionTransformer": (
        lambda: fitted(FunctionTransformer(), DictVectorizer(), LinearRegression())
    ),
    "step transformedtargetregressor (TransformedTargetRegressor) is not supported": lambda: fitted(
        DictVectorizer(), TransformedTargetRegressor(LinearRegression())
    ),
    "the model is a LinearRegression, not a Pipeline": lambda: LinearRegression().fit([[1], [2]], [1, 2]),
    "an estimator is missing": lambda: fitted(DictVectorizer()),
    "step vectorizer makes float32 columns": lambda: fit(LinearRegression(), dtype=np.float32),
    "step vectorizer has an empty separator": lambda: fit(LinearRegression(), separator=""),
    "step estimator has 2 outputs": lambda: fit(
        LinearRegression(), mixed_records(9), np.arange(18.0).reshape(9, 2)
    ),
}


@pytest.mark.parametrize("message", NOT_SUPPORTED)
def test_not_supported(tmp_path, message):
    with pytest.raises(ConvertError) as raised:
        learned(NOT_SUPPORTED[message](), tmp_path)
    assert str(raised.value) == message


def test_two_outputs_of_trees(tmp_path):
    records = mixed_records(9)
    pipeline = fit(ESTIMATORS["DecisionTreeRegressor"](), records, np.arange(18.0).reshape(9, 2))
    with pytest.raises(ConvertError, match="step estimator has 2 outputs"):
        learned(pipeline, tmp_path)


def test_a_column_that_was_learned_twice(tmp_path):
    pipeline = fit(ESTIMATORS["Ridge"]())
    names = pipeline[0].feature_names_
    names[1] = names[0]
    with pytest.raises(ConvertError, match=f"step vectorizer learned {names[0]!r} twice"):
        learned(pipeline, tmp_path)


def test_passthrough_steps_do_nothing(tmp_path):
    assert learned(fitted(DictVectorizer(), "passthrough", LinearRegression()), tmp_path).vectorizer.sparse


def test_skops_types_that_nobody_vouched_for(tmp_path):
    pipeline = fit(ESTIMATORS["DecisionTreeRegressor"]())
    with pytest.raises(ConvertError) as raised:
        learned(pipeline, tmp_path, how="skops", skops_trusted_types=None)
    assert str(raised.value) == "model.skops holds types that nobody vouched for: sklearn.tree._tree.Tree"
    assert "skops_trusted_types" in raised.value.hint


def test_another_scikit_learn(tmp_path):
    with pytest.raises(ConvertError, match="the model was written by scikit-learn 1.0.2, this is "):
        learned(fit(LinearRegression()), tmp_path, sklearn_version="1.0.2")


class NotThere:
    def __reduce__(self):
        return (pickle.loads, (b"cnowhere\nThing\n.",))


class Exits:
    def __reduce__(self):
        return (exec, ("import os; os._exit(9)",))


@pytest.mark.parametrize(
    ("reads", "content", "message"),
    [
        (InProcess, b"", "loading model.pkl: EOFError: Ran out of input"),
        (InProcess, b"not a pickle", "loading model.pkl: UnpicklingError: "),
        (
            InProcess,
            pickle.dumps(NotThere()),
            "loading model.pkl: ModuleNotFoundError: No module named 'nowhere'",
        ),
        (reader.Reader, pickle.dumps(Exits()), "reading the model failed (exit 9): no message"),
    ],
)
def test_files_that_do_not_load(tmp_path, reads, content, message):
    folder = save(fit(LinearRegression()), tmp_path / "model")
    (folder / "model.pkl").write_bytes(content)
    with pytest.raises(ConvertError) as raised:
        reads(Source.of(find(str(folder)))).learned()
    assert str(raised.value).startswith(message)


def test_model_cannot_import_the_converter_s_files(tmp_path):
    folder = save(fit(LinearRegression()), tmp_path / "model")
    (folder / "model.pkl").write_bytes(b"cneutral\nPipeline\n.")
    with pytest.raises(ConvertError, match="No module named 'neutral'"):
        reader.Reader(Source.of(find(str(folder)))).learned()


def test_damaged_trees_are_refused(tmp_path):
    pipeline = fit(ESTIMATORS["DecisionTreeRegressor"]())
    tree = pipeline[1].tree_
    state = tree.__getstate__()
    state["nodes"]["left_child"][1] = 0  # a loop
    tree.__setstate__(state)
    with pytest.raises(ConvertError, match="a tree's nodes are out of order|reading the model failed"):
        learned(pipeline, tmp_path)


def test_mlmodel_is_data(tmp_path):
    folder = save(fit(LinearRegression()), tmp_path / "model")
    (folder / "MLmodel").write_text("flavors: !!python/object/apply:os.getcwd []")
    with pytest.raises(ConvertError, match="is not YAML"):
        find(str(folder))


def test_yaml_timestamps(tmp_path):
    folder = save(fit(LinearRegression()), tmp_path / "model")
    mlmodel = yaml.safe_load((folder / "MLmodel").read_text())
    (folder / "MLmodel").write_text(
        yaml.safe_dump({**mlmodel, "utc_time_created": yaml.safe_load("2026-01-02 03:04:05")})
    )
    assert find(str(folder)).created == "2026-01-02T03:04:05Z"
