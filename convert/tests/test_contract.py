"""The vectors of inference/bundle against its schemas, and against what the converter makes of a record.

The worker's tests run the same vectors: what is written here is true of both.
"""

import json
import math
from pathlib import Path

import contract
import pytest
from helpers import ESTIMATORS, InProcess, fit, save, taxi_records

from skiff_convert import FORMAT, cli, goldens, vectorized
from skiff_convert.errors import ConvertError
from skiff_convert.records import Encoder, Reject

ROOT = Path(__file__).parents[2]
MANIFESTS, GOLDENS, OUTPUTS = map(contract.vectors, ("manifests", "goldens", "outputs"))
RECORDS = [
    group
    for name in ("records", "records-3", "records-entries", "records-spec")
    for group in contract.vectors(name)
]
MANIFEST_SCHEMAS = {n: contract.schema(f"manifest-{n}") for n in contract.FORMATS}
GOLDEN_SCHEMAS = {n: contract.schema(f"golden-{n}") for n in contract.FORMATS}
ID = {"name": "id", "path": ["id"]}
NOT_NUMBERS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf, "-0.0": -0.0}  # to JSON


def named(vectors):
    names = [vector["name"] for vector in vectors]
    assert len(set(names)) == len(names)
    return {"argvalues": vectors, "ids": names}


@pytest.mark.parametrize("vector", **named(MANIFESTS))
def test_manifests(vector):
    manifest = vector["manifest"]
    known = [n for n, schema in MANIFEST_SCHEMAS.items() if schema.is_valid(manifest)]
    assert bool(known) == (vector["ok"] or vector.get("schema", False))
    assert len(known) < 2
    assert vector["ok"] == ("error" not in vector)
    if known:
        assert known == [manifest["format"]]
        assert contract.beyond_manifest_schema(manifest) == vector.get("error", "")


@pytest.mark.parametrize("vector", **named(GOLDENS))
def test_golden_lines(vector):
    try:
        line = contract.golden(vector["line"])
    except ValueError:
        assert (vector["ok"], vector["error"]) == (False, "not JSON")
        return
    valid = GOLDEN_SCHEMAS[vector["format"]].is_valid(line)
    assert valid == (vector["ok"] or vector.get("schema", False))
    assert vector["ok"] == ("error" not in vector)
    if valid:
        assert contract.beyond_golden_schema(line, vector["outputs"]) == vector.get("error", "")


@pytest.mark.parametrize("group", **named(RECORDS))
def test_records(group):
    of_format = group["format"]
    columns = contract.columns(group["columns"], of_format)
    if of_format == FORMAT:
        assert [column.manifest() for column in columns] == group["columns"]
    encoder = Encoder(columns, tuple(group["id"]["path"]) if "id" in group else None, "empty" in group)
    for case in group["cases"]:
        try:
            encoded = encoder.encode(case["record"])
        except Reject as reject:
            assert case.get("reject") == {"reason": reject.reason, "field": reject.field}, case["record"]
            continue
        got, want = contract.bits(encoded.row), contract.bits(numbers(case["row"]))
        assert got == want, case["record"]
        assert encoded.unknown == case["unknown"], case["record"]
        assert ("id" in case) == ("id" in group)
        if "id" in case:
            record, path = json.loads(case["record"]), group["id"]["path"]
            for key in path:
                record = record[key]
            assert case["id"] in case["record"] and json.loads(case["id"]) == record


def numbers(row: list) -> list:
    """The numbers of a row, or of scores."""
    return [float(NOT_NUMBERS.get(x, x)) for x in row]


@pytest.mark.parametrize("vector", **named(OUTPUTS))
def test_outputs(vector):
    """The label and the numbers that goldens have are what the worker makes of the same scores."""
    for case in vector["cases"]:
        made = contract.prediction(vector["outputs"], numbers(case["scores"]))
        want = case.get("not_finite") or json.loads(case["prediction"])
        assert contract.bits(made) == contract.bits(want), case["scores"]


@pytest.mark.parametrize("group", **named(RECORDS))
def test_columns_of_records_are_of_the_schema(group):
    manifest = next(
        v["manifest"] for v in MANIFESTS if v["ok"] and v["manifest"]["format"] == group["format"]
    )
    manifest = {**manifest, "columns": group["columns"], "id": group.get("id", ID)}
    MANIFEST_SCHEMAS[group["format"]].validate(manifest)


def check(folder: Path, of_format: int = FORMAT) -> None:
    """Asserts that a bundle is of the contract."""
    manifest = json.loads((folder / "manifest.json").read_text())
    MANIFEST_SCHEMAS[of_format].validate(manifest)
    assert contract.beyond_manifest_schema(manifest) == ""
    outputs = contract.outputs(manifest)
    lines = (folder / "golden.jsonl").read_text().splitlines()
    assert len(lines) == manifest["parity"]["goldens"]
    for line in map(contract.golden, lines):
        GOLDEN_SCHEMAS[of_format].validate(line)
        assert contract.beyond_golden_schema(line, outputs) == ""


def test_shipped_bundles():
    runs = json.loads((ROOT / "models/taxi/runs.json").read_text())
    for run in runs.values():
        check(ROOT / "models" / run)
    for old in contract.FORMATS[:-1]:
        check(contract.CONTRACT / f"testdata/format{old}" / runs["linear"], of_format=old)


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize(("spec", "sparse"), [("taxi", True), ("none", False)])
def test_what_the_converter_writes(name, spec, sparse, tmp_path, monkeypatch):
    monkeypatch.setattr(vectorized, "Reader", InProcess)
    monkeypatch.setattr(goldens, "RANDOM", 100)
    monkeypatch.setattr(goldens, "SWEPT", 500)
    pipeline = fit(ESTIMATORS[name](), taxi_records() if spec == "taxi" else None, sparse=sparse)
    model = str(save(pipeline, tmp_path / "model"))
    check(cli.convert(model, spec, tmp_path, None, cli.Wish("auto"), lambda text: None))


def test_an_id_with_the_output_s_name_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(vectorized, "Reader", InProcess)
    spec = tmp_path / "spec.toml"
    spec.write_text('model = "m"\nid = "trip.y"\nprediction = "y"\n[features]\nPU_DO = "{a}_{b}"\n')
    model = str(save(fit(ESTIMATORS["Ridge"](), taxi_records()), tmp_path / "model"))
    with pytest.raises(ConvertError, match="id and prediction are both called y") as refused:
        cli.convert(model, str(spec), tmp_path, None, cli.Wish(), lambda text: None)
    assert refused.value.hint and not (tmp_path / ("r" * 32)).exists()
