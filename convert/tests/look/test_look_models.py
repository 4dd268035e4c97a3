"""Every file that a real library wrote: its facts are found, its margins come out."""

import json
import math
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from margins import margins

from skiff_convert.look import CatBooster, Code, Obj, Ref, XGBooster, booster, look, walk

FILES = sorted(
    name.removesuffix(".json")
    for packed in (Path(__file__).parent / "files").glob("*.zip")
    for name in zipfile.ZipFile(packed).namelist()
    if name.endswith(".json") and not name.endswith("model.json")
)
KINDS = {"joblib": "joblib", "skops": "skops", "txt": "lightgbm", "cbm": "catboost", "ubj": "xgboost"}
KINDS |= {"json": "xgboost", "deprecated": "xgboost", "raw": "xgboost"}
PACKED = {"gz": "gzip", "bz2": "bz2", "xz": "xz", "z": "zlib"}


def at(value, path: str):
    """What is at a path of attributes, keys and indices."""
    for part in path.split("/"):
        if isinstance(value, Obj):
            value = value.state[part]
        elif isinstance(value, dict) or isinstance(value, np.ndarray) and not part.isdigit():
            value = value[part]
        else:
            value = value[int(part)]
    return value


def plain(value):
    """As JSON holds it."""
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


@pytest.mark.parametrize("name", FILES)
def test_a_file_holds_what_its_library_says(models, name):
    facts = json.loads((models / f"{name}.json").read_text())
    found = look(models / name)
    parts = name.split(".")
    packed = PACKED.get(parts[-1], "")
    assert found.packed == packed
    assert found.kind == KINDS.get(parts[-2] if packed else parts[-1], "pickle")
    for path, value in facts["facts"].items():
        assert plain(at(found.root, path)) == plain(value), path
    wrapped = isinstance(found.root, Obj)
    if wrapped:
        assert found.root.cls == facts["cls"]
    if wrapped and found.root.package == "sklearn":
        assert found.versions["scikit-learn"] == facts["libraries"]["sklearn"]
    if found.kind == "skops":
        assert found.versions["skops"] == facts["libraries"]["skops"]


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith(("xgb", "lightgbm", "catboost"))])
def test_a_booster_answers_as_its_library(models, name):
    facts = json.loads((models / f"{name}.json").read_text())
    parsed = booster(look(models / name).root)
    if isinstance(parsed, XGBooster):
        given = facts["libraries"]["xgboost"].split(".")
        assert [str(part) for part in parsed.version] == given[: len(parsed.version)]
    if "inputs" not in facts:
        return
    X = np.array(facts["inputs"], float)
    assert (margins(parsed, X, facts.get("words", [])) == np.array(facts["margins"])).all()


def test_a_category_of_every_library_is_found(models):
    words = ["k", "lé☃", "m-12-34-56"]
    categories = booster(look(models / "xgboost-3-words.pkl").root).categories
    assert categories[:3] == [None] * 3 and (categories[3][0], len(categories[3])) == ("k", 6)
    assert booster(look(models / "lightgbm-3.3-words.pkl").root).pandas_categorical[0][:3] == words
    for name in ("xgboost-1.7-words.pkl", "xgboost-3-words.pkl"):
        assert any(tree.categories for tree in booster(look(models / name).root).trees)
    assert any(tree.cat_sets for tree in booster(look(models / "lightgbm-4-words.pkl").root).trees)


def test_what_catboost_models_hold_beyond_numbers(models):
    for name in ("catboost-1.0-ctr.pkl", "catboost-1.2-ctr.pkl"):
        parsed = booster(look(models / name).root)
        assert parsed.ctrs and not parsed.unsupported
        assert all(one.counts.places and len(one.borders) for one in parsed.ctrs)
    found = look(models / "catboost-1.2-classifier.pkl")
    parsed = booster(found.root)
    assert isinstance(parsed, CatBooster)
    assert (parsed.unsupported, parsed.class_names, parsed.loss) == ([], ["a", "b", "c"], "MultiClass")
    assert found.versions == {"catboost": "1.2.8"}


@pytest.mark.parametrize("version", ["0.24", "1.0", "1.2", "1.3", "1.5", "1.6", "1.9"])
def test_code_is_named_and_not_run(models, version):
    steps = [step for _, step in look(models / f"sklearn-{version}-lambda.pkl").root.steps]
    assert isinstance(steps[0].func, Code) and steps[0].func.name == "<lambda>"
    assert steps[1].func == Ref("numpy", "log1p")
    assert isinstance(steps[2].func, Code) and str(steps[2].func) == "__main__.named"
    assert steps[3].cls == "__main__.Local" and steps[3].factor == 3


@pytest.mark.parametrize("version", ["0.24", "1.0", "1.2", "1.3", "1.5", "1.6", "1.9"])
def test_values_of_pandas_indices(models, version):
    facts = json.loads((models / f"sklearn-{version}-pandas.pkl.json").read_text())
    held = look(models / f"sklearn-{version}-pandas.pkl").root
    assert {name: held[name].items for name in facts["values"]} == facts["values"]
    assert held["dtype"].categories.items == facts["values"]["index"] and held["dtype"].ordered
    assert held["integers"].categories.items == [5, 4]


@pytest.mark.parametrize("version", ["1.3", "1.5", "1.9"])
def test_all_that_skops_writes(models, version):
    held = look(models / f"sklearn-{version}-all.skops").root
    assert held["log"].func == Ref("numpy", "log1p")
    assert held["type"].qualname == "float64"
    assert held["slice"] == slice(1, None, 2)
    assert held["dtype"] == np.float32
    assert held["tuple"] == (1, "a", None, 2.5, math.inf)
    assert held["numbers"] == {1: "one", 2: "two"}
    assert (held["bytes"], held["set"]) == (b"\x00\x01", {1, 2})
    assert held["sparse"].name == "csr_matrix" and held["sparse"].state["_shape"] == (4, 6)
    loss = held["sgd"].state["loss_function_" if version == "1.3" else "_loss_function_"]
    assert (loss.name, loss.args) == ("Hinge", (1.0,))


@pytest.mark.parametrize("version", ["0.24", "1.0", "1.2", "1.3", "1.5", "1.6", "1.9"])
def test_a_zoo_of_estimators(models, version):
    zoo = look(models / f"sklearn-{version}-zoo.pkl").root
    classes = {value.name for _, value in walk(zoo) if isinstance(value, Obj)}
    assert {"KDTree", "BallTree", "Tree", "Pipeline", "GaussianNB", "RandomState"} - classes <= {
        "RandomState"
    }
    assert zoo["grid"].best_estimator_.coef_.shape == (1, 2)
    assert all(isinstance(model, Obj) for model in zoo.values())


def test_nothing_is_imported(models):
    script = (
        "import sys; from pathlib import Path; from skiff_convert.look import look\n"
        "for path in sorted(Path(sys.argv[1]).iterdir()):\n"
        "    if path.suffix != '.json': look(path)\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "print(names & set('sklearn scipy pandas skops xgboost lightgbm catboost joblib'.split()))"
    )
    root = Path(__file__).parents[2]
    result = subprocess.run([sys.executable, "-c", script, models], cwd=root, capture_output=True, text=True)
    assert result.stdout == "set()\n", result.stderr
