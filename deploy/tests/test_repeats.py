"""README's recipe: consumers drop repeats by the id of OUTPUT_META."""

import json
import os
import re
import sqlite3
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
RECIPE = re.search(r"```sql\n(.*?)```", (ROOT / "docs/stream.md").read_text(), re.S)[1]


def predictions(run):
    """What the worker answers to an event of three records, one of them an aggregate of five."""
    env = {**os.environ, "RUN_ID": run, "TEST_RUN": "True", "OUTPUT_META": "True"}
    worker = [
        ROOT / ".build/bin/worker",
        "-event",
        ROOT / "inference/source/testdata/01-kpl-aggregated/event.json",
    ]
    answer = subprocess.run(worker, env=env, cwd=ROOT, check=True, capture_output=True, timeout=60).stdout
    return json.loads(answer)["predictions"]


def row(p):
    return {**p["prediction"], "id": p["meta"]["id"], "run_id": p["meta"]["run_id"]}


def test_repeats_are_dropped():
    """The event comes three times, the last time under another run."""
    runs = json.loads((ROOT / "models/taxi/runs.json").read_text())
    db = sqlite3.connect(":memory:")
    create, insert = RECIPE.strip().splitlines()
    db.execute(create)
    for run in (runs["forest"], runs["forest"], runs["linear"]):
        db.executemany(insert, map(row, predictions(run)))
    got = db.execute("SELECT ride_id, run_id FROM predictions ORDER BY rowid").fetchall()
    assert got == [(ride, runs["forest"]) for ride in range(1, 8)]
