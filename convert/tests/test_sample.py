"""The command over the user's records: samples, signatures, first specs, labels, reports; in no world."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from helpers import Converted, fit, save, taxi_records
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skiff_convert import columns, goldens, sample, spec
from skiff_convert.errors import ConvertError
from skiff_convert.feature import Feature

ZONES = ("a", "b", "c", "d")
INPUTS = [
    {"type": "string", "name": "zone", "required": True},
    {"type": "double", "name": "miles", "required": False},
]


@pytest.fixture(autouse=True)
def fewer(monkeypatch):
    monkeypatch.setattr(goldens, "RANDOM", 300)
    monkeypatch.setattr("skiff_convert.report.SECONDS", 0.0)


def rides(n: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    return pd.DataFrame({"zone": rng.choice(ZONES, n), "miles": rng.uniform(0, 9, n).round(2)})


def table_model(estimator, folder: Path, *, signature: bool = True, example: bool = False, **mlmodel) -> Path:
    X = rides()
    steps = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["zone"]), (StandardScaler(), ["miles"]), sparse_threshold=0
    )
    y = np.where(X.miles > 4, "far", "near") if hasattr(estimator, "predict_proba") else X.miles * 2
    save(make_pipeline(steps, estimator).fit(X, y), folder)
    file = folder / "MLmodel"
    content = yaml.safe_load(file.read_text()) | mlmodel
    if signature:
        content["signature"] = {"inputs": json.dumps(INPUTS)}
    if example:
        info = {"artifact_path": "input_example.json", "type": "dataframe", "pandas_orient": "split"}
        content["saved_input_example_info"] = info
        (folder / "input_example.json").write_text(X.head(2).to_json(orient="split", index=False))
    file.write_text(yaml.safe_dump(content))
    return folder


@pytest.fixture(scope="module")
def labels(tmp_path_factory) -> Path:
    return table_model(DecisionTreeClassifier(max_depth=3), tmp_path_factory.mktemp("labels") / "model")


def bundle(out: str) -> tuple[dict, list[dict]]:
    folder = Path(out.splitlines()[-1])
    lines = (folder / "golden.jsonl").read_text().splitlines()
    return json.loads((folder / "manifest.json").read_text()), [json.loads(line) for line in lines]


def last_two(err: str) -> list[str]:
    return err.splitlines()[-2:]


def test_what_a_sample_holds(labels, run, file):
    records = [
        {"zone": "a", "miles": 1.5, "at": "2026"},
        {"zone": "q", "miles": 5},
        {"zone": "b", "miles": None},
        {"zone": "b"},
        {"miles": 3},
        {"zone": "c", "miles": "far"},
        "nonsense",
    ]
    code, out, err = run(labels, "--spec", "none", "--sample", file(records))
    assert code == 0, err
    start = err.index("sample.jsonl: ")
    said = err[start:].splitlines()
    assert said[0] == "sample.jsonl: 7 records, 4 scored, 3 rejected"
    assert [line.split() for line in said[1:4]] == [
        ["feature", "from", "found", "missing", "null", "unknown", "rejected"],
        ["zone", "zone", "5", "1", "0", "1", "1", "missing_field", "1"],
        ["miles", "miles", "4", "1", "1", "0", "1", "wrong_type", "1"],
    ]
    assert "bundle" in err and '"near"' in err and "  equal\n" in err
    _, lines = bundle(out)
    texts = [line["record"] for line in lines]
    assert all((r if isinstance(r, str) else json.dumps(r)) in texts for r in records)


def test_only_some_records_become_goldens(labels, run, file):
    records = [{"zone": "a", "miles": i / 7, "who": "me"} for i in range(500)]
    code, out, err = run(labels, "--sample", file(records))
    assert code == 0, err
    kept = [line for line in bundle(out)[1] if '"who"' in line["record"]]
    assert len(kept) == sample.KEPT
    assert "of them from the sample\n" in err


@pytest.mark.parametrize(
    ("records", "error", "hint"),
    [
        (
            [{"ride": {"zone": "a", "miles": 1}}],
            "no record of {} has zone, which the spec finds at zone",
            "did you mean ride.zone?",
        ),
        (
            [{"zone": "a", "distance": 1}],
            "no record of {} has miles, which the spec finds at miles",
            "is it the spec of these records?",
        ),
        (
            [{"zone": "a", "miles": "1"}, {"zone": "b", "miles": "2"}],
            "{} has 2 records, and all are rejected, most of them as wrong_type miles",
            "is it the spec of these records? the table above has each feature",
        ),
        (
            ["{"],
            "{} has 1 records, and all are rejected, most of them as not_json",
            "is it the spec of these records? the table above has each feature",
        ),
        ("\n \n", "sample {} has no records", "a sample is JSON, one record a line"),
    ],
)
def test_samples_of_something_else(labels, run, file, tmp_path, records, error, hint):
    path = file(records)
    code, out, err = run(labels, "--sample", path)
    assert (code, out) == (1, "")
    assert last_two(err) == [f"convert: error: {error.format(path)}", f"hint: {hint}"]
    assert not (tmp_path / "out").exists()


def test_no_sample_there(labels, run, tmp_path):
    code, out, err = run(labels, "--sample", tmp_path / "none.jsonl")
    assert (code, out) == (1, "")
    assert last_two(err) == [
        f"convert: error: reading sample {tmp_path}/none.jsonl: No such file or directory",
        "hint: --sample FILE.jsonl",
    ]


def test_words_that_training_never_had(labels, run, file):
    records = [{"zone": 7, "miles": 1}, {"zone": 8, "miles": 1}]
    code, _, err = run(labels, "--sample", file(records))
    assert code == 0, err
    assert (
        "convert: WARNING: no value of zone is one that training had: the sample has such as 7, training had "
        'such as "a"\n'
    ) in err


def test_an_example_is_a_sample(run, tmp_path, file):
    folder = table_model(DecisionTreeRegressor(max_depth=3), tmp_path / "model", example=True)
    code, _, err = run(folder)
    assert code == 0, err
    assert "MLflow's input example: 2 records, 2 scored, 0 rejected\n" in err
    text = 'model = "m"\nprediction = "p"\nid = "id"\n[features]\nzone = "r.z"\nmiles = "r.m"'
    code, out, err = run(folder, "--spec", file(text, "spec.toml"))
    assert code == 0, err
    assert "MLflow's input example: 2 records, 2 scored, 0 rejected\n" in err
    code, _, err = run(folder, "--sample", file([{"zone": "a", "miles": 1}]))
    assert code == 0 and "input example" not in err


def test_what_the_signature_requires(labels, run):
    code, out, err = run(labels)
    assert code == 0, err
    assert (
        "WARNING: no spec is given: each feature is the record's key of that name, from MLflow's signature"
        in err
    )
    zone, miles = bundle(out)[0]["columns"]
    assert (zone["name"], zone["missing"], miles["missing"]) == ("zone", "reject", "nan")
    assert "WARNING: no spec" not in run(labels, "--spec", "none")[2]


def test_a_sample_of_a_vectorizer_s_records(run, tmp_path, file):
    folder = save(fit(DecisionTreeRegressor(max_depth=2), taxi_records()), tmp_path / "model")
    rides = [
        {"ride_id": i, "ride": {"PULocationID": 1 + i % 3, "DOLocationID": 2, "trip_distance": i / 3}}
        for i in range(30)
    ]
    rides[4]["ride"].pop("trip_distance")
    rides[7].pop("ride_id")
    code, out, err = run(folder, "--spec", "taxi", "--sample", file(rides))
    assert code == 0, err
    assert "sample.jsonl: 30 records, 28 scored, 2 rejected\n" in err
    said = [line.split() for line in err.splitlines() if "ride" in line and "_field 1" in line]
    assert said == [
        ["trip_distance", "ride.trip_distance", "29", "1", "0", "0", "1", "missing_field", "1"],
        ["(id)", "ride_id", "29", "1", "0", "0", "1", "missing_field", "1"],
    ]
    lines = {line["record"] for line in bundle(out)[1]}
    assert {json.dumps(ride) for ride in rides[::2]} <= lines
    flat = [{"PU_DO": "1_2", "trip_distance": 1.0}]
    code, out, err = run(folder, "--sample", file(flat))
    assert (code, out) == (1, "")
    assert last_two(err) == [
        f"convert: error: no record of {tmp_path}/sample.jsonl has PU_DO, which the spec finds at "
        "{ride.PULocationID}_{ride.DOLocationID}",
        "hint: is it the spec of these records?",
    ]


def test_taxi_is_not_taken_quietly(run, tmp_path):
    folder = save(fit(DecisionTreeRegressor(max_depth=2), taxi_records()), tmp_path / "model")
    code, _, err = run(folder)
    assert code == 0, err
    assert "WARNING: no spec is given: the spec taxi is taken by itself" in err
    code, _, err = run(folder, "--spec", "taxi")
    assert code == 0 and "WARNING: no spec" not in err


def test_a_spec_that_leaves_a_feature_out(labels, run, file):
    code, out, err = run(
        labels, "--spec", file('model="m"\nprediction="p"\n[features]\nzone="zone"', "s.toml")
    )
    assert (code, out) == (1, "")
    assert last_two(err) == [
        "convert: error: the pipeline wants feature miles, which the spec does not give",
        'hint: add it under [features], miles = "key.key", or use --spec none',
    ]


HEAD = 'model = "m"\nprediction = "far"\n'
FEATURES = '[features]\nzone = "zone"\nmiles = "miles"\n'


def test_probabilities_and_margin(run, tmp_path, file):
    folder = table_model(LogisticRegression(), tmp_path / "model")
    text = f'{HEAD}probabilities = "p"\nmargin = "score"\n{FEATURES}'
    code, out, err = run(folder, "--spec", file(text, "spec.toml"))
    assert code == 0, err
    manifest, lines = bundle(out)
    (output,) = manifest["outputs"]
    assert (output["name"], output["probabilities"], output["margin"]) == ("far", "p", "score")
    scored = [line["outputs"] for line in lines if "outputs" in line]
    assert {tuple(one) for one in scored} == {("far", "p", "score")}
    assert all((one["score"] > 0) == (one["far"] == "near") for one in scored)
    assert all(abs(sum(one["p"].values()) - 1) < 1e-12 for one in scored)
    assert "far (a label of 2), p (probabilities), score (margin)" in err


@pytest.mark.parametrize(
    ("estimator", "key", "error"),
    [
        (DecisionTreeClassifier(max_depth=2), "margin", "a DecisionTreeClassifier has no decision_function"),
        (DecisionTreeRegressor(max_depth=2), "margin", "a regressor has no margin"),
        (DecisionTreeRegressor(max_depth=2), "probabilities", "a regressor has no probabilities"),
    ],
)
def test_what_a_model_does_not_have(run, tmp_path, file, estimator, key, error):
    folder = table_model(estimator, tmp_path / "model")
    code, out, err = run(folder, "--spec", file(f'{HEAD}{key} = "x"\n{FEATURES}', "spec.toml"))
    assert (code, out) == (1, "")
    assert last_two(err) == [f"convert: error: {error}", f"hint: leave {key} out of the spec"]
    assert not (tmp_path / "out").exists()


def test_names_that_the_model_never_learned_are_the_spec_s(run, tmp_path, file):
    X = rides()[["miles"]].assign(late=lambda X: X.miles > 4).to_numpy(float)
    folder = save(DecisionTreeRegressor(max_depth=3).fit(X, X[:, 0]), tmp_path / "model")
    text = 'model = "m"\nprediction = "p"\n[features]\nlate = "late"\nmiles = "miles"\n'
    code, _, err = run(folder, "--spec", file(text, "spec.toml"))
    assert code == 0, err
    given = "of the spec, in its order: late, miles"
    assert f"  names       WARNING: {given}\n" in err


def test_a_record_of_nothing_but_defaults_is_rejected(labels, run, file):
    text = HEAD + '[features]\nzone = { from = "z", default = "a" }\nmiles = { from = "m", default = 1 }\n'
    spec = file(text, "spec.toml")
    code, out, err = run(labels, "--spec", spec, "--sample", file([{"z": "b", "m": 2}, {"m": 2}, {}]))
    assert code == 0, err
    assert bundle(out)[0]["empty"] == "reject"
    assert "sample.jsonl: 3 records, 2 scored, 1 rejected" in err
    code, out, err = run(labels, "--spec", spec, "--sample", file([{"place": "b", "m": 2}]))
    assert (code, out) == (1, "")
    assert last_two(err)[0].endswith("has zone, which the spec finds at z")
    assert last_two(err)[1] == 'hint: is it always "a"? zone = { value = … } says so'


def test_keys_with_dots():
    parsed = spec.parse('model="m"\nprediction="p"\nid=["a.b"]\n[features]\n"x.y" = ["ride", "x.y"]')
    assert (parsed.id, parsed.features) == (("a.b",), {"x.y": Feature(("ride", "x.y"))})
    with pytest.raises(ConvertError, match="spec s: features.a must be a list of keys, which are strings"):
        spec.parse('model="m"\nprediction="p"\n[features]\na = ["b", 3]', "s")


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ('probabilities = "p"', "prediction and probabilities are both called p"),
        ('margin = "p"', "prediction and margin are both called p"),
        ('margin = "x"\nprobabilities = "x"', "probabilities and margin are both called x"),
    ],
)
def test_names_are_distinct(keys, error):
    with pytest.raises(ConvertError, match=f"spec s: {error}"):
        spec.parse(f'model="m"\nprediction="p"\n{keys}\n[features]\na="a"', "s")


def test_explain(labels, run, tmp_path):
    code, out, err = run(labels, "--explain")
    assert code == 0, err
    assert out.startswith(
        "DecisionTreeClassifier\n\ncolumns\n  X0  zone   4 words\n  X1  miles  number\n\nforest 1: 1 trees"
    )
    assert out.endswith("\n  probabilities by identity\n")
    code, out, err = run(labels, "--explain", tmp_path / "form.svg")
    assert (code, out) == (0, f"{tmp_path}/form.svg\n"), err
    text = (tmp_path / "form.svg").read_text()
    assert text.startswith('<svg xmlns="http://www.w3.org/2000/svg"') and text.count("<rect ") == 4
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (("a", "--init", "--explain"), "--init or --explain? one at a time"),
        (("a", "--explain", "x.png"), "--explain x.png: the picture is an .svg"),
        (("a", "--sample"), "argument --sample: expected one argument"),
    ],
)
def test_usage(run, args, error):
    code, out, err = run(*args)
    assert (code, out) == (2, "")
    assert err == f"convert: error: {error}\nhint: --help shows the options, with an example\n"


def test_the_report(labels, run):
    _, out, err = run(labels)
    report = err[err.index("  estimator ") :].splitlines()
    assert [line.split()[0] for line in report] == [
        "estimator", "columns", "outputs", "lowered", "bytes", "goldens", "parity", "speed",
    ]  # fmt: skip
    assert len({line.index(line[14:].lstrip()[0], 14) for line in report}) == 1  # aligned
    assert "every prediction equal to the last bit" in report[6]
    assert " µs a row, batches of 1,000, onnxruntime " in report[7]


def test_a_signature_says_which_names_have_the_separator(tmp_path):
    pipeline = fit(DecisionTreeRegressor(max_depth=2), [{"a=b": w, "n": i} for i, w in enumerate("xyx")])
    learned = Converted(pipeline, tmp_path).learned
    given, name = columns.choose(learned, "none", ["a=b", "n", "unused"], {"n"})
    assert (name, list(given.features), given.required) == ("none", ["a=b", "n"], {"n"})
    word, number = columns.build(learned, given, optional=True)
    assert (word.vocabulary, word.missing, number.missing) == (("x", "y"), "none", "reject")
    given, _ = columns.choose(learned, "none", ["something", "else"])
    assert list(given.features) == ["a", "n"]
