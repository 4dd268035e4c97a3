"""Boosters of many versions, as their libraries wrote them years ago: their margins, bit for bit."""

import json
import zipfile
from pathlib import Path

import catboost
import numpy as np
import pytest
from agree import same

from skiff_convert.column import hashed
from skiff_convert.errors import ConvertError
from skiff_convert.form import Evaluation
from skiff_convert.lift import Cell, Lifting, Matrix, estimate
from skiff_convert.look import pickles, skops_zip
from skiff_convert.look.graph import Obj

FILES = Path(__file__).parent.parent / "look" / "files"
REFUSED = {
    "lightgbm-3.3-linear.pkl": "linear trees",
    "lightgbm-4-linear.pkl": "linear trees",
    "xgboost-1.7-words.pkl": "does not keep the categories",
    "xgboost-2.1-words.pkl": "does not keep the categories",
    "xgboost-3-words.pkl": "not ASCII",
}
# Of every length that CatBoost hashes in its own way: tests/look/train.py.
WORDS = ["k", "l\u00e9\u2603", "m-12-34-56"] + [
    letter + "0123456789" * times for letter, times in (("n", 2), ("o", 4), ("p", 8))
]


def models():
    """(zip, name) of every model of a booster whose answers are known."""
    for packed in sorted(FILES.glob("*.zip")):
        if packed.name.startswith("sklearn"):
            continue
        with zipfile.ZipFile(packed) as files:
            for name in sorted(files.namelist()):
                if name + ".json" in files.namelist():
                    known = json.loads(files.read(name + ".json"))
                    if "margins" in known or name.endswith(("ctr.pkl", *REFUSED)):
                        yield packed, name


def booster(name: str, data: bytes) -> Obj:
    """What stands for a bare booster's file, or the object of a pickle."""
    if name.endswith((".pkl", ".skops")):
        root = (skops_zip if name.endswith(".skops") else pickles).read(data)[0]
        # Margins were asked of the Booster: with dart, an estimator sums in another order.
        return root.state.get("_Booster", root)
    if name.startswith("xgboost"):
        return Obj("xgboost.core.Booster", (), {"handle": data})
    if name.startswith("lightgbm"):
        return Obj("lightgbm.basic.Booster", (), {"_handle": data.decode()})
    return Obj("catboost.core.CatBoostRegressor", (), {"__model": data})


def asked_today(packed: Path, name: str, data: bytes) -> dict:
    """The rows of the model beside it, and what today's CatBoost makes of them: none was kept."""
    with zipfile.ZipFile(packed) as files:
        given = json.loads(files.read(name.replace("ctr", "onehot") + ".json"))["inputs"]
    model = catboost.CatBoost()
    model.load_model(blob=bytes(booster(name, data).state["__model"]), format="cbm")
    rows = [[*row[:3], WORDS[int(row[3])]] for row in given]
    return {
        "inputs": given,
        "margins": model.predict(rows, prediction_type="RawFormulaVal")[:, None].tolist(),
    }


@pytest.mark.parametrize("packed, name", list(models()), ids=lambda value: getattr(value, "stem", value))
def test_margins(packed, name):
    with zipfile.ZipFile(packed) as files:
        data, known = files.read(name), json.loads(files.read(name + ".json"))
    lifting, cells = Lifting(), [Cell(f"c{i}") for i in range(4)]
    for ending, reason in REFUSED.items():
        if name.endswith(ending):
            with pytest.raises(ConvertError, match=reason):
                estimate(booster(name, data), Matrix(cells), lifting)
            return
    head = estimate(booster(name, data), Matrix(cells), lifting)
    if name.endswith("ctr.pkl"):
        known |= asked_today(packed, name, data)
    X = np.array([[np.nan if v is None else v for v in row] for row in known["inputs"]], np.float64)
    columns = []
    for wanted in lifting.wanted:
        column = X[:, int(wanted.name[1:])]
        if wanted.kind == "category":
            key = hashed if wanted.hashed else str
            codes = {key(word): i for i, word in enumerate(wanted.words, 1)}
            column = np.array([codes.get(key(WORDS[int(code)]), 0) for code in column], np.float64)
        columns.append(column)
    scores = Evaluation(np.column_stack(columns)).matrix(head.scores)
    divisor = head.scores[0].node.divisor if "forest" in name else 1.0  # raw scores are not averaged
    same(scores, np.array(known["margins"]) / divisor)
