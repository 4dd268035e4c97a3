"""The command, from the arguments to the bundle."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from helpers import InProcess, fit, mixed_records, save, taxi_forest, words_and_miles
from sklearn.tree import DecisionTreeRegressor

from skiff_convert import (
    FORMAT,
    cli,
    goldens,
    prove,
    vectorized,
)
from skiff_convert.records import Encoder, Reject


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A taxi forest in a folder."""
    return save(taxi_forest(), tmp_path_factory.mktemp("taxi") / "model", run_id="f" * 32)


@pytest.fixture(autouse=True)
def in_process(monkeypatch):
    """Only test_bundle has the real reader, and as many records at random."""
    monkeypatch.setattr(vectorized, "Reader", InProcess)
    monkeypatch.setattr(goldens, "RANDOM", 500)


def run(capsys, *args) -> tuple[int, str, str]:
    try:
        code = cli.main([str(arg) for arg in args])
    except SystemExit as stopped:
        code = stopped.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_bundle(model, tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "skiff_convert", str(model), "--out", "models"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
    )
    assert (result.returncode, result.stdout) == (0, "models/" + "f" * 32 + "\n")
    assert result.stderr.count("every prediction equal to the last bit") == 3  # records, bins, the report

    folder = tmp_path / "models" / ("f" * 32)
    manifest = json.loads((folder / "manifest.json").read_text())
    lines = [json.loads(line) for line in (folder / "golden.jsonl").read_text().splitlines()]
    assert (manifest["format"], manifest["run_id"], manifest["lowering"]) == (FORMAT, "f" * 32, "table")
    assert manifest["created"] == "2026-01-02T03:04:05Z"
    assert manifest["id"] == {"name": "ride_id", "path": ["ride_id"]}
    number = {"kind": "number", "width": 1, "unit": "minutes", "link": "identity"}
    assert manifest["outputs"] == [{"name": "ride_duration", **number}]
    assert manifest["parity"]["bound"] == "bits"
    assert manifest["parity"]["goldens"] == len(lines) >= 200
    assert manifest["parity"]["generated"] >= 5000
    category, number = manifest["columns"]
    assert category["template"] == [
        {"path": ["ride", "PULocationID"]},
        {"text": "_"},
        {"path": ["ride", "DOLocationID"]},
    ]
    assert (category["missing"], number["missing"]) == ("reject", "reject")
    assert (number["null"], number["text"], number["limit"]) == ("reject", "reject", 2.0**128 - 2.0**103)
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    graph = onnx.load(folder / "model.onnx")
    words = json.dumps(manifest["columns"], separators=(",", ":")).encode()
    fingerprint = hashlib.sha256(words).hexdigest()
    metadata = {p.key: p.value for p in graph.metadata_props}
    assert metadata == {"run_id": "f" * 32, "format": str(FORMAT), "columns": fingerprint}
    assert {line.get("reject") for line in lines} == {
        None,
        "not_json",
        "missing_field",
        "wrong_type",
        "not_finite",
    }


def test_same_input_same_bytes(model, tmp_path, capsys):
    run(capsys, model, "--out", tmp_path / "a")
    run(capsys, model, "--out", tmp_path / "b")
    assert contents(tmp_path / "a" / ("f" * 32)) == contents(tmp_path / "b" / ("f" * 32))


def test_goldens_are_what_the_original_says(model, tmp_path, converted):
    pipeline = taxi_forest()
    both = converted(pipeline, "taxi")
    folder = cli.convert(str(model), None, tmp_path, None, cli.Wish(), lambda text: None)
    for line in map(json.loads, (folder / "golden.jsonl").read_text().splitlines()):
        try:
            encoded = Encoder(both.columns, both.spec.id).encode(line["record"])
        except Reject as reject:
            assert (line["reject"], line.get("field", "")) == (reject.reason, reject.field)
        else:
            assert line["outputs"]["ride_duration"] == pipeline.predict([encoded.features])[0]


def test_proof_is_not_fooled_by_nan_and_signs():
    model = onnx.parser.parse_model(
        '<ir_version: 10, opset_import: ["": 21]> '
        "g (double[rows, 1] X) => (double[rows, 1] y) {y = Identity(X)}"
    ).SerializeToString()
    X = np.array([[0.0], [1.0], [np.nan]])
    prove.prove(model, X[:2], X[:2, 0], None)
    for expected in ([-0.0, 1.0], [0.0, 1.0 + 2**-52]):
        with pytest.raises(cli.ConvertError, match="1 of 2 predictions differ"):
            prove.prove(model, X[:2], np.array(expected), None)
    with pytest.raises(cli.ConvertError, match="1 of 3 predictions differ"):
        prove.prove(model, X, np.zeros(3), np.array([0.0, 2.0, np.inf]))


def test_existing_bundles(model, tmp_path, capsys):
    assert run(capsys, model, "--out", tmp_path)[0] == 0
    bundle = tmp_path / ("f" * 32)
    whole, inode = contents(bundle), bundle.stat().st_ino
    assert run(capsys, model, "--out", tmp_path)[0] == 0
    assert bundle.stat().st_ino == inode  # left alone
    (bundle / "golden.jsonl").write_text("")
    (bundle / "extra").write_text("")
    assert run(capsys, model, "--out", tmp_path)[0] == 0
    assert contents(bundle) == whole
    assert [path.name for path in tmp_path.iterdir()] == [bundle.name]  # nothing left beside
    (bundle / "manifest.json").unlink()
    code, _, err = run(capsys, model, "--out", tmp_path)
    assert code == 1 and "is there and is not a bundle" in err


def test_help(capsys):
    code, out, err = run(capsys, "--help")
    assert (code, err) == (0, "")
    assert out.startswith("usage: ") and "convert only models you trust" in out


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ((), "convert: error: which model? name a folder, runs:/… or models:/…"),
        (("a", "b"), "convert: error: unrecognized arguments: b"),
        (("a", "--out"), "convert: error: argument --out: expected one argument"),
        (
            ("a", "--lowering", "x"),
            "convert: error: argument --lowering: invalid choice: 'x' (choose from 'auto', 'trees', 'table')",
        ),
        (
            ("a", "--table-budget", "x"),
            "convert: error: argument --table-budget: invalid float value: 'x'",
        ),
        (("a", "--table-budget", "-1"), "convert: error: --table-budget has to be above 0"),
    ],
)
def test_usage(capsys, args, error):
    code, out, err = run(capsys, *args)
    assert (code, out) == (2, "")
    assert err == f"{error}\nhint: --help shows the options, with an example\n"


@pytest.mark.parametrize(
    ("zone", "error"),
    [
        (
            "trip",
            r"of [\d,]+ records made by the spec, it rejects all but \d+, most of them as wrong_type trip",
        ),
        ("trip.miles", r"of the \d+ words of zone the spec makes only 0"),
    ],
)
def test_a_spec_that_contradicts_itself(tmp_path, capsys, zone, error):
    """Nothing could be predicted, or next to nothing: that is no proof."""
    folder = save(fit(DecisionTreeRegressor(), words_and_miles(mixed_records(60))), tmp_path / "model")
    spec = tmp_path / "spec.toml"
    spec.write_text(f'model = "m"\nprediction = "p"\n[features]\nzone = "{zone}"\ndistance = "trip.miles"\n')
    code, out, err = run(capsys, folder, "--spec", spec, "--out", tmp_path / "out")
    *_, said, hint = err.splitlines()
    assert (code, out) == (1, "") and not (tmp_path / "out").exists()
    assert re.fullmatch(f"convert: error: {error}", said)
    assert hint == "hint: do two features read one value as different things?"


def test_errors_are_two_lines(capsys, tmp_path):
    code, out, err = run(capsys, tmp_path / "nowhere")
    assert (code, out) == (1, "")
    *_, error, hint = err.splitlines()
    assert error == f"convert: error: no folder {tmp_path}/nowhere"
    assert hint == "hint: name a folder with an MLmodel, runs:/…, models:/… or s3://…"


def test_a_spec_of_another_model(model, tmp_path, capsys):
    spec = tmp_path / "spec.toml"
    spec.write_text(
        'model = "m"\nprediction = "p"\n[features]\nPU_DO = "{a}-{b}"\ntrip_distance = "trip_distance"\n'
    )
    code, _, err = run(capsys, model, "--spec", spec, "--out", tmp_path)
    assert code == 1 and "can come from the spec's template" in err
