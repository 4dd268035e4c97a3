"""The command, from the arguments to the bundle."""

import dataclasses
import hashlib
import json
import math
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from helpers import (
    ESTIMATORS,
    LINEAR,
    TREES,
    InProcess,
    fit,
    mixed_records,
    save,
    target,
    taxi_records,
    words_and_miles,
)
from sklearn.ensemble import RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

from skiff_convert import (
    FORMAT,
    choose,
    cli,
    columns,
    goldens,
    graph,
    lower_table,
    lower_trees,
    prove,
    search,
    vectorized,
)
from skiff_convert.records import Encoder, Reject


def taxi_forest():
    return fit(RandomForestRegressor(n_estimators=9, random_state=1), taxi_records())


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


@pytest.mark.parametrize(
    ("name", "wish", "lowering"),
    [(name, "auto", "linear") for name in LINEAR]
    + [(name, lowering, lowering) for name in TREES for lowering in ("trees", "table")],
)
@pytest.mark.parametrize("sparse", [True, False])
def test_every_estimator_without_a_spec(name, wish, lowering, sparse, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(goldens, "SWEPT", 4_000)
    records = mixed_records()
    asked = words_and_miles(records) if lowering == "table" else records
    pipeline = fit(ESTIMATORS[name](), asked, target(records), sparse=sparse)
    folder = save(pipeline, tmp_path / "model", how="skops")
    code, out, err = run(capsys, folder, "--out", tmp_path / "out", "--lowering", wish)
    assert code == 0, err
    manifest = json.loads(Path(out.strip(), "manifest.json").read_text())
    assert manifest["lowering"] == lowering
    assert (manifest["estimator"], manifest["model"], manifest["outputs"][0]["name"]) == (
        name,
        "model",
        "prediction",
    )
    assert "id" not in manifest
    lines = [json.loads(line) for line in Path(out.strip(), "golden.jsonl").read_text().splitlines()]
    bounded = manifest["parity"]["bound"] != "bits"
    assert bounded == (not sparse and manifest["lowering"] == "linear")
    assert all(("within" in line) == bounded for line in lines if "outputs" in line)


def one_threshold(monkeypatch):
    absorb = lower_trees.absorb_rounding

    def wrong(threshold):
        cut = np.array(absorb(threshold))
        asked = np.flatnonzero(threshold > 1)
        cut[asked[len(asked) // 2]] += 1e-12
        return cut

    monkeypatch.setattr(lower_trees, "absorb_rounding", wrong)


def rounding_forgotten(monkeypatch):
    monkeypatch.setattr(lower_trees, "absorb_rounding", lambda threshold: np.asarray(threshold))


def one_leaf(monkeypatch):
    attributes = lower_trees._attributes

    def wrong(trees, splits, accepts_nan):
        trees.value[np.flatnonzero(trees.left < 0)[5]] *= 1 + 2**-40
        return attributes(trees, splits, accepts_nan)

    monkeypatch.setattr(lower_trees, "_attributes", wrong)


def mean_forgotten(monkeypatch):
    lower = lower_trees.lower_trees

    def wrong(trees, columns, accepts_nan):
        nodes, constants = lower(trees, columns, accepts_nan)
        nodes[1].op_type = "Mul"
        return nodes, constants

    monkeypatch.setattr(vectorized.lower, "lower_trees", wrong)


@pytest.mark.parametrize("tamper", [one_threshold, rounding_forgotten, one_leaf, mean_forgotten])
def test_a_wrong_lowering_is_refused(model, tmp_path, capsys, monkeypatch, tamper):
    tamper(monkeypatch)
    code, out, err = run(capsys, model, "--out", tmp_path / "out", "--lowering", "trees")
    assert (code, out) == (1, "")
    assert "predictions differ from the original's, in batches of 1;" in err
    assert not (tmp_path / "out").exists()


def one_cell(monkeypatch):
    paginate = lower_table._paginate

    def wrong(bits):
        bits = bits.copy()
        bits[3, 30] += 1  # ulp
        return paginate(bits)

    monkeypatch.setattr(lower_table, "_paginate", wrong)


def one_cut(monkeypatch):
    write = search.Search.write

    def wrong(over, graph, x, suffix):
        cuts = over.cuts.copy()
        cuts[40] = np.nextafter(cuts[40], np.inf)
        return write(dataclasses.replace(over, cuts=cuts), graph, x, suffix)

    monkeypatch.setattr(search.Search, "write", wrong)


def one_bucket(monkeypatch):
    first = search.Search.first

    def wrong(over):
        bins = first(over)
        bins[over.buckets // 2] += 1
        return bins

    monkeypatch.setattr(search.Search, "first", wrong)


def one_code(monkeypatch):
    index = graph.Graph.index

    def wrong(self, name, value):
        if name == "rows0":
            value[5] = value[(value != value[5]).argmax()]
        return index(self, name, value)

    monkeypatch.setattr(graph.Graph, "index", wrong)


@pytest.mark.parametrize("tamper", [one_cell, one_cut, one_bucket, one_code, rounding_forgotten])
def test_a_wrong_table_is_refused(model, tmp_path, capsys, monkeypatch, tamper):
    tamper(monkeypatch)
    code, out, err = run(capsys, model, "--out", tmp_path / "out", "--lowering", "table")
    assert (code, out) == (1, "")
    assert "predictions differ from the original's, in batches of " in err
    assert not (tmp_path / "out").exists()


def test_a_table_over_its_budget(model, tmp_path, capsys):
    args = (model, "--out", tmp_path / "out", "--table-budget", "0.001")
    code, out, err = run(capsys, *args, "--lowering", "table")
    assert (code, out) == (1, "")
    *_, error, hint = err.splitlines()
    assert error.startswith("convert: error: cannot be lowered to a table: it takes ")
    assert error.endswith(" MB, over --table-budget 0.001")
    assert hint == "hint: --lowering trees (LOWERING=trees), or a larger --table-budget (TABLE_BUDGET=)"
    code, out, err = run(capsys, *args)
    assert code == 0 and "MB, over --table-budget 0.001\n" in err
    assert json.loads(Path(out.strip(), "manifest.json").read_text())["lowering"] == "trees"


def test_auto_takes_trees_where_they_are_as_fast(tmp_path, capsys):
    folder = save(fit(DecisionTreeRegressor(max_depth=2), taxi_records()), tmp_path / "model")
    code, out, err = run(capsys, folder, "--out", tmp_path / "out")
    assert code == 0 and "no table: trees are as fast\n" in err
    assert json.loads(Path(out.strip(), "manifest.json").read_text())["lowering"] == "trees"


@pytest.mark.parametrize(
    ("limit", "of", "error"),
    [
        ("MOST_CELLS", "auto", "no table: it has {cells} cells, more than 100"),
        ("MOST_CELLS", "table", "error: cannot be lowered to a table: it has {cells} cells, more than 100"),
        ("MOST_SECONDS", "auto", "no table: asking the original about {cells} cells takes 0 minutes"),
    ],
)
def test_too_many_cells(model, tmp_path, capsys, monkeypatch, limit, of, error):
    monkeypatch.setattr(choose, limit, {"MOST_CELLS": 100, "MOST_SECONDS": 0}[limit])
    code, _, err = run(capsys, model, "--out", tmp_path / "out", "--lowering", of)
    assert code == (of == "table")
    shape = re.search(r"a table of ([\d,]+) codes x ([\d,]+) bins", err).groups()
    cells = math.prod(int(n.replace(",", "")) for n in shape)
    assert error.format(cells=f"{cells:,}") in err
    assert ("hint: --lowering trees (LOWERING=trees) takes any number of thresholds\n" in err) == (
        of == "table"
    )


@pytest.mark.parametrize("lowering", ["trees", "table"])
def test_a_linear_model_is_neither(tmp_path, capsys, lowering):
    folder = save(fit(ESTIMATORS["Ridge"](), taxi_records()), tmp_path / "model")
    code, out, err = run(capsys, folder, "--out", tmp_path / "out", "--lowering", lowering)
    assert (code, out) == (1, "")
    assert f"error: a Ridge cannot be lowered to {lowering}\nhint: leave --lowering out" in err


def test_a_dense_sum_of_many_terms_has_a_bound_by_them(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(columns, "ENTRIES", 0)
    rng = random.Random(1)
    some = [{f"n{i}": rng.lognormvariate(0, 2) for i in range(60)} for _ in range(400)]
    folder = save(fit(ESTIMATORS["LinearRegression"](), some, sparse=False), tmp_path / "model")
    code, out, err = run(capsys, folder, "--out", tmp_path / "out")
    assert code == 0, err
    assert json.loads(Path(out.strip(), "manifest.json").read_text())["parity"]["bound"] == "61 ulp"


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
