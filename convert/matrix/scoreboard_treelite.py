"""treelite on the scoreboard: the trees, in its own interpreter, behind the pipeline's own steps."""

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import treelite
from scipy import sparse
from treelite import gtil

from .inside.make import Case
from .said import Converted, NotForIt, Said, matrix, repeated
from .scoreboard_onnx import codes

SKLEARN = ("RandomForest", "ExtraTrees", "GradientBoosting", "HistGradientBoosting", "IsolationForest")


def ways(made: Case, rows: list[int], folder: Path) -> Iterator[Callable[[], Converted]]:
    """What the steps before the trees make, as doubles and as float32, sparse as it is and dense."""
    if not made.name.startswith((*SKLEARN, "XGB", "LGBM")):
        raise NotForIt
    for way in product((np.float64, np.float32), (True, False), (False, True)):
        yield lambda w=way: _converted(made, rows, *w)


def _converted(made: Case, rows: list[int], dtype: type, held: bool, rounded: bool) -> Converted:
    steps = getattr(made.model, "steps", None)
    last = steps[-1][1] if steps else made.model
    if made.name.startswith("XGB"):
        model = treelite.frontend.from_xgboost(last.get_booster())
    elif made.name.startswith("LGBM"):
        model = treelite.frontend.from_lightgbm(last.booster_)
    else:
        model = treelite.sklearn.import_model(last)
    X = _given(made, rows)
    if steps and len(steps) > 1:
        X = made.model[:-1].transform(X)
    if made.how == "categories":
        X = np.column_stack([codes(X[name]) for name in X.columns])
    X = sparse.csr_matrix(X) if sparse.issparse(X) and held else X.toarray() if sparse.issparse(X) else X
    X = X if sparse.issparse(X) else np.asarray(X, np.float64)
    if rounded:
        X = X.astype(np.float32)  # as scikit-learn's trees do
    X = X.astype(dtype)
    batch = X[repeated(len(rows))]
    said = _said(made, np.asarray(gtil.predict(model, X, nthread=1)).reshape(len(rows), -1))
    return Converted(said, lambda: gtil.predict(model, batch, nthread=1), np.dtype(dtype).name)


def _given(made: Case, rows: list[int]) -> object:
    return [made.asked[i] for i in rows] if made.records else made.asked.iloc[rows]


def _said(made: Case, out: np.ndarray) -> Said:
    if not made.classify:
        return Said(None, matrix(out))
    if out.shape[1] == 1:
        out = np.column_stack([1 - out, out])
    labels = np.asarray(made.model.classes_)[out.argmax(axis=1)].tolist()
    return Said(labels, matrix(out))
