"""--init: a first spec, of what the pipeline learned, the signature and a sample."""

from pathlib import Path

import numpy as np
import pytest
from helpers import fit, save
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from test_sample import ZONES, last_two, table_model

from skiff_convert import goldens, spec


@pytest.fixture(autouse=True)
def fewer(monkeypatch):
    monkeypatch.setattr(goldens, "RANDOM", 300)
    monkeypatch.setattr("skiff_convert.report.SECONDS", 0.0)


@pytest.fixture(scope="module")
def labels(tmp_path_factory) -> Path:
    return table_model(DecisionTreeClassifier(max_depth=3), tmp_path_factory.mktemp("labels") / "model")


@pytest.mark.parametrize("how", ["names", "nested"])
def test_a_first_spec_converts(labels, run, file, tmp_path, how):
    records = [{"zone": "a", "miles": 1.0}]
    args = []
    if how == "nested":
        records = [{"ride_id": 7, "trip": {"Zone": "a", "miles": 1.0}}]
        args = ["--sample", file(records)]
    path = tmp_path / "first.toml"
    code, out, err = run(labels, "--init", path, *args)
    assert (code, out) == (0, f"{path}\n"), err
    text = path.read_text()
    assert '# text, 4 words: "a", "b", "c" …; string in the signature' in text
    assert "# number; double in the signature, optional" in text
    first = spec.load(str(path))
    assert {name: one.source for name, one in first.features.items()} == (
        {"zone": ("zone",), "miles": ("miles",)}
        if how == "names"
        else {"zone": ("trip", "Zone"), "miles": ("trip", "miles")}
    )
    assert first.id == (None if how == "names" else ("ride_id",))
    code, out, err = run(labels, "--spec", path, "--sample", file(records))
    assert code == 0, err
    code, _, err = run(labels, "--init", path)
    assert code == 1
    assert last_two(err) == [
        f"convert: error: {path} is there already",
        "hint: remove it, or name another file",
    ]


def test_a_first_spec_on_stdout_says_what_the_sample_lacks(labels, run, file):
    code, out, _ = run(labels, "--init", "-", "--sample", file([{"zone": "a"}]))
    assert code == 0
    assert [line for line in out.splitlines() if "NOT IN THE SAMPLE" in line][0].startswith('miles = "miles"')


def test_a_first_spec_of_what_a_sample_suggests(run, tmp_path, file):
    rng = np.random.default_rng(3)
    features = [
        {
            "pickup_hour": str(i % 24),
            "weekday": i % 7,
            "miles": float(i % 9),
            "zone": ZONES[i % 4],
            "tags": tags,
        }
        for i, tags in enumerate(
            rng.choice(["x", "y"], rng.integers(3), replace=False).tolist() for _ in range(99)
        )
    ]
    folder = save(fit(DecisionTreeRegressor(max_depth=4), features), tmp_path / "model")
    trip = {"zone": "a", "miles": "1.5", "pickup": "2026-03-04T05:06:07+01:00", "dropoff": 1614834367000}
    records = [{"id": 1, "trip": trip, "tags": ["x"]}, {"id": 2, "trip": {**trip, "zone": None}, "tags": []}]
    records.append({"id": 3, "trip": trip})
    path = tmp_path / "first.toml"
    code, _, err = run(folder, "--init", path, "--sample", file(records))
    assert code == 0, err
    text = path.read_text()
    lines = dict(line.split(" = ", 1) for line in text.splitlines() if " = " in line)
    lines = {name.strip(): line for name, line in lines.items()}
    assert lines["miles"].startswith('{ from = "trip.miles", text = "number" }')
    assert lines["tags"].startswith('{ from = "tags", list = true }')
    assert "missing in 1 of 3: has it a default?" in lines["tags"]
    assert "null in 1: has it a default?" in lines["zone"]
    assert lines["pickup_hour"].startswith('{ from = "trip.pickup", time = "hour" }')
    assert "OF A TIME IN THE SAMPLE, by its name" in lines["pickup_hour"]
    assert lines["weekday"].startswith('{ from = "trip.pickup", time = "weekday" }')
    epoch = 'hour = { from = "trip.dropoff", time = "hour", epoch = "ms" }'
    assert f'# "trip.dropoff" is a time: {epoch}\n' in text
    code, _, err = run(folder, "--spec", path, "--sample", file(records))
    assert code == 0, err
    assert "sample.jsonl: 3 records, 2 scored, 1 rejected" in err
