"""The sketch of a sample: its bins, and that the worker, the built program, counts as the converter does."""

import json
import math
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import contract
import numpy as np
import pytest
import serving
from helpers import ESTIMATORS, fit, prepared_taxi, save, taxi_lines
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from strange import CASES, documents, prepared

from skiff_convert import cli, goldens, sketch
from skiff_convert.sample import read

ROOT = Path(__file__).parents[2]
SCHEMA = contract.schema("sketch-1")


@given(st.lists(st.floats(allow_infinity=False) | st.sampled_from([0.0, -0.0, 1.0]), max_size=300))
def test_each_number_has_one_bin(values):
    cuts = sketch.edges(values)
    assert cuts == sorted(set(cuts)) and len(cuts) < sketch.TENTHS
    for value in values:
        at = sketch.bin_of(value, cuts)
        assert at == (len(cuts) + 1 if math.isnan(value) else sum(value >= cut for cut in cuts))


def test_edges():
    assert sketch.edges([float(n) for n in range(100)]) == [10.0, 20, 30, 40, 50, 60, 70, 80, 90]
    assert sketch.edges([0.0] * 95 + [1.0] * 5) == []
    assert sketch.edges([0.0] * 50 + [1.0] * 50) == [1.0]
    assert sketch.edges([3.0, 3.0]) == [3.0, math.nextafter(3.0, 4.0)]
    assert sketch.edges([math.nan]) == sketch.edges([]) == []


@given(st.lists(st.integers(0, 60), max_size=400), st.integers(1, 60))
def test_each_word_has_one_bin(codes, words):
    codes = [code % (words + 1) for code in codes]
    bins = sketch.groups(codes, words)
    assert len(bins) == words and set(bins) == set(range(1, max(bins) + 1))
    assert max(bins) <= sketch.GROUPS + 2
    seen = np.bincount(codes, minlength=words + 1)[1:]
    if words > sketch.GROUPS and seen.any():
        there = {at for at, n in zip(bins, seen, strict=True) if n}
        assert there.isdisjoint(at for at, n in zip(bins, seen, strict=True) if not n)


NOT_NUMBERS = {"nan": math.nan, "inf": math.inf, "-0.0": -0.0}  # to JSON


@pytest.mark.parametrize("vector", contract.vectors("sketches"), ids=lambda vector: vector["name"])
def test_vectors(vector):
    made = vector["sketch"]
    assert SCHEMA.is_valid(made) == (vector["ok"] or vector.get("schema", False))
    if not vector["ok"]:
        return
    number = lambda x: NOT_NUMBERS.get(x, x)  # noqa: E731
    got = []
    for column in made["columns"]:
        values = [number(row[column["column"]]) for row in vector["X"]]
        if "bins" in column:
            bins = [[0, *column["bins"]][int(x)] for x in values]
        else:
            bins = [sketch.bin_of(x, column["edges"]) for x in values]
        got.append(sketch.count(bins, len(column["counts"])))
    for i, one in enumerate(made["outputs"]):
        if "edges" in one:
            bins = [sketch.bin_of(number(row[i]), one["edges"]) for row in vector["numbers"]]
        else:
            bins = [row[i] for row in vector["labels"]]
        got.append(sketch.count(bins, len(one["counts"])))
    assert got == vector["counts"]


def convert(model, spec: str, sample: list[str], folder: Path) -> Path:
    """The bundle of a fitted model with a sample's sketch."""
    folder.mkdir(exist_ok=True)
    (folder / "spec.toml").write_text(spec)
    (folder / "sample.jsonl").write_text("\n".join(sample), "utf-8")
    made = save(model, folder / "model")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(goldens, "RANDOM", 100)
        patch.setattr(goldens, "SWEPT", 500)
        say, name = (lambda text: None), str(folder / "spec.toml") if spec else "taxi"
        return cli.convert(
            str(made), name, folder / "out", None, cli.Wish(), say, False, sample=folder / "sample.jsonl"
        )


def counted(bundle: Path, records: list[str], folder: Path, drift: str = "words") -> list[dict]:
    """What the worker counts of records, of its log."""
    (folder / "records.jsonl").write_text("\n".join(records) + "\n", "utf-8")
    env = {"ONNXRUNTIME_LIB": str(ROOT / ".build/lib/libonnxruntime.so")} | os.environ
    env |= {"MODEL_LOCATION": str(bundle), "RUN_ID": "", "DRIFT": drift}
    call = [
        ROOT / ".build/bin/worker",
        "-score",
        folder / "records.jsonl",
        "-to",
        folder / "predictions.jsonl",
    ]
    (folder / "predictions.jsonl").unlink(missing_ok=True)
    done = subprocess.run(call, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    return [line["drift"] for line in lines if line["msg"] == "drift"]


def add_up(lines: list[dict]) -> dict:
    """The sum of lines, there being two where an hour ends between."""
    first, *others = lines
    for line in others:
        first["records"] += line["records"]
        first["rejected"] += line["rejected"]
        for to, of in zip(first["columns"], line["columns"], strict=True):
            to["counts"] = (np.array(to["counts"]) + of["counts"]).tolist()
            for key in ("missing", "null", "unknown"):
                to[key] += of[key]
        first["outputs"] = [
            (np.array(a) + b).tolist() for a, b in zip(first["outputs"], line["outputs"], strict=True)
        ]
    return first


def strange() -> tuple[object, str, list[str]]:
    """Values of every kind, most of them as they should not be."""
    case = replace(CASES["by options, with lists"], documents=2_500)
    model = fit(ESTIMATORS[case.estimator](), prepared(), sparse=False)
    return (
        model,
        case.spec,
        [text.replace("\n", " ").replace("\r", " ") for text in documents(case)],
    )


def labelled() -> tuple[object, str, list[str]]:
    """Labels, with probabilities beside them."""
    features = "".join(f'{name} = "{name}"\n' for name in serving.FRAME.columns)
    spec = f'model = "m"\nid = "id"\nprediction = "class"\nprobabilities = "p"\n[features]\n{features}'
    rows = serving.rides(1200, 3).to_dict("records")
    model = serving.encoded(LogisticRegression()).fit(serving.FRAME, serving.Y["three"])
    return model, spec, [json.dumps({"id": i, **row}) for i, row in enumerate(rows)]


def taxi() -> tuple[object, str, list[str]]:
    """Many words, and numbers that are predicted within a bound."""
    return fit(ESTIMATORS["LinearRegression"](), prepared_taxi()), "", taxi_lines(3_000)


@pytest.fixture(scope="module")
def again(tmp_path_factory) -> Path:
    """A bundle that is made twice."""
    return convert(*labelled(), tmp_path_factory.mktemp("again") / "a")


@pytest.mark.parametrize("made", [strange, labelled, taxi], ids=lambda made: made.__name__)
def test_the_worker_counts_what_the_converter_counts(made, tmp_path, again):
    model, spec, sample = made()
    bundle = convert(model, spec, sample, tmp_path / "a")
    raw = (bundle / sketch.FILE).read_bytes()
    expected = json.loads(raw)
    assert not list(SCHEMA.iter_errors(expected))
    records = read(tmp_path / "a" / "sample.jsonl").texts
    got = add_up(counted(bundle, records[1::2], tmp_path))
    assert (got["records"], got["rejected"]) == (expected["records"], expected["rejected"])
    keys = ("counts", "missing", "null", "unknown")
    for column, of in zip(expected["columns"], got["columns"], strict=True):
        assert {key: of[key] for key in keys} == {key: column[key] for key in keys}, column["name"]
        words = of.get("words", [])
        assert sum(word["n"] for word in words) <= of["unknown"] and bool(words) <= bool(of["unknown"])
    assert got["outputs"] == [one["counts"] for one in expected["outputs"]]
    assert sum(map(sum, got["outputs"]))
    if made is labelled:  # same input, same bytes
        assert (again / sketch.FILE).read_bytes() == raw


def test_a_small_sample_has_no_sketch():
    said = []
    judged = [goldens.Rejected("{}", None)] * sketch.LEAST
    assert sketch.files(judged, [], [], {}, said.append) == sketch.files([], [], [], {}, said.append) == {}
    assert said == ["no sketch: drift can be seen against a sample of 500 scored records or more"]


def test_words_are_told_where_they_are_asked_for(tmp_path, again):
    records = [json.dumps({"id": 1, "zone": zone, "miles": 1.5, "fare": 2}) for zone in "axyzyzz"]
    (told,) = counted(again, records, tmp_path)
    assert told["columns"][0]["words"] == [
        {"word": "z", "n": 3},
        {"word": "y", "n": 2},
        {"word": "x", "n": 1},
    ]
    for drift in ("on", "off"):
        lines = counted(again, records, tmp_path, drift)
        assert len(lines) == (drift == "on") and '"words"' not in json.dumps(lines)
