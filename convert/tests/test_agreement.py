"""The converter's encoder and the worker's say the same of any record: row, or reason and field.

Thousands of strange documents become the goldens of a copy of the shipped forest, and the worker, the built
program, replays them. What it predicts must be the graph's prediction for the converter's row.
"""

import hashlib
import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from skiff_convert import goldens, prove
from skiff_convert.columns import Column
from skiff_convert.records import Encoder
from skiff_convert.spec import Template

ROOT = Path(__file__).parents[2]
FOREST = ROOT / "models" / json.loads((ROOT / "models/taxi/runs.json").read_text())["forest"]
DOCUMENTS = 20_000

# JSON values, and what is none, for places where a zone, a distance or an id belongs.
ATOMS = (
    *("130", "-0", "0", "1", "1.0", "130.0", "1e2", "1E400", "-1e400", "1e-400", "5e-324", "0.1", "1E-3"),
    *("3.4028235677973366e+38", "3.4028235677973362e+38", "-3.5e38", "9007199254740993", "1" * 4300),
    *("1e16", "12345678901234567.0", "0.0001", "0.00001234", "123456789012345678901234567890", "null"),
    *('"130"', '"3.66"', '""', '"é"', '"\\u0031"', '"\\ud83d\\ude00"', '"\\ud83d"', "true", "false"),
    *("[]", "{}", "[1]", '{"a": [1, {"b": null}]}'),
    *("NaN", "Infinity", "-Infinity", "01", "1.", ".5", "+1", '"a\\qb"', "tru", "1" * 4301, '"\n"', "'1'"),
)


def documents(vocabulary: list[str], n: int) -> list[str]:
    """Rides, most of them strange in some way: values, keys, escapes, spaces, duplicates, cuts."""
    rng = random.Random(5)
    pairs = [word.split("_") for word in vocabulary]

    def key(name: str) -> str:
        if rng.random() > 0.05:
            return f'"{name}"'
        return '"' + "".join(f"\\u{ord(c):04x}" if rng.random() < 0.3 else c for c in name) + '"'

    def space() -> str:
        return rng.choice(("", "", " ", "\n\t"))

    def members(items: list[tuple[str, str]]) -> str:
        rng.shuffle(items)
        return (
            "{" + ",".join(space() + key(k) + space() + ":" + space() + v for k, v in items) + space() + "}"
        )

    def document() -> str:
        pick_up, drop_off = rng.choice(pairs)
        miles = repr(round(rng.expovariate(0.3), 2))
        ride = [("PULocationID", pick_up), ("DOLocationID", drop_off), ("trip_distance", miles)]
        ride = [(k, rng.choice(ATOMS) if rng.random() < 0.15 else v) for k, v in ride]
        if rng.random() < 0.1:
            ride.pop(rng.randrange(3))
        if rng.random() < 0.1:
            ride.append(
                (rng.choice(("PULocationID", "trip_distance", "TRIP_DISTANCE", "x")), rng.choice(ATOMS))
            )
        outer = [("ride", members(ride) if rng.random() > 0.05 else rng.choice(ATOMS))]
        outer.append(("ride_id", rng.choice(ATOMS) if rng.random() < 0.2 else str(rng.randrange(10**6))))
        if rng.random() < 0.05:
            outer.pop(rng.randrange(2))
        if rng.random() < 0.05:
            outer.append(("ride", rng.choice((members(ride), "{}", "5"))))
        text = space() + members(outer) + space()
        if rng.random() < 0.02:
            text = text[: rng.randrange(len(text) + 1)]
        return text + rng.choice("x}],") if rng.random() < 0.01 else text

    return [document() for _ in range(n)]


def column(entry: dict) -> Column:
    """A column as the manifest has it."""
    words = tuple(entry.get("vocabulary", ()))
    if "template" in entry:
        source = Template(tuple(part.get("text") or tuple(part["path"]) for part in entry["template"]))
    else:
        source = tuple(entry["path"])
    rules = {key: entry[key] for key in ("null", "text", "limit") if key in entry}
    return Column(entry["name"], source, entry["kind"], entry["missing"], (), words, **rules)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The forest's bundle, its goldens replaced; and how many of them are of each kind."""
    manifest = json.loads((FOREST / "manifest.json").read_text())
    columns = [column(entry) for entry in manifest["columns"]]
    encoder = Encoder(columns, tuple(manifest["id"]["path"]))
    judged = [goldens.judge(encoder, text) for text in documents(columns[0].vocabulary, DOCUMENTS)]
    scored = [one for one in judged if isinstance(one, goldens.Scored)]
    X = np.array([one.encoded.row for one in scored], np.float64)
    y = prove.score(prove.open_session((FOREST / "model.onnx").read_bytes()), X, 1000)
    predictions = iter(y.tolist())
    lines, kinds = [], {}
    for one in judged:
        if isinstance(one, goldens.Scored):
            kind, line = "scored", {"prediction": next(predictions)}
        else:
            kind, line = one.reject.reason, {"reject": one.reject.reason, "field": one.reject.field}
        kinds[kind] = kinds.get(kind, 0) + 1
        lines.append(json.dumps({"record": one.text} | line) + "\n")
    folder = tmp_path_factory.mktemp("agreement") / manifest["run_id"]
    shutil.copytree(FOREST, folder)
    (folder / "golden.jsonl").write_text("".join(lines))
    manifest["files"]["golden.jsonl"] = hashlib.sha256((folder / "golden.jsonl").read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder, kinds


def check(folder: Path) -> subprocess.CompletedProcess:
    """The worker's own proof of a bundle."""
    env = (
        {"ONNXRUNTIME_LIB": str(ROOT / ".build/lib/libonnxruntime.so")}
        | os.environ
        | {"MODEL_LOCATION": str(folder)}
    )
    env.pop("RUN_ID", None)
    return subprocess.run(
        [ROOT / ".build/bin/worker", "-check"], env=env, capture_output=True, text=True, check=False
    )


def test_the_worker_agrees_with_the_converter(bundle):
    folder, kinds = bundle
    assert min(kinds[k] for k in ("scored", "not_json", "missing_field", "wrong_type", "not_finite")) > 100
    result = check(folder)
    assert result.returncode == 0, result.stderr
    assert f"{DOCUMENTS} goldens equal (bits)" in result.stdout


def test_a_disagreement_would_be_seen(bundle, tmp_path):
    folder, _ = bundle
    shutil.copytree(folder, tmp_path / "other")
    lines = (folder / "golden.jsonl").read_text().splitlines()
    at = next(i for i, line in enumerate(lines) if '"prediction"' in line)
    golden = json.loads(lines[at])
    golden["prediction"] = float(np.nextafter(golden["prediction"], np.inf))
    lines[at] = json.dumps(golden)
    text = "\n".join(lines) + "\n"
    (tmp_path / "other/golden.jsonl").write_text(text)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["golden.jsonl"] = hashlib.sha256(text.encode()).hexdigest()
    (tmp_path / "other/manifest.json").write_text(json.dumps(manifest))
    result = check(tmp_path / "other")
    assert result.returncode == 1
    assert f"is not equal to its golden {at + 1}: it predicts" in result.stderr
