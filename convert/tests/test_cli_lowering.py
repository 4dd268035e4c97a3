"""The command, by what it lowers a model to: what it writes and refuses, and that wrong ones are seen."""

import dataclasses
import json
import math
import random
import re
from pathlib import Path

import numpy as np
import pytest
from helpers import (
    ESTIMATORS,
    LINEAR,
    TREES,
    fit,
    mixed_records,
    save,
    target,
    taxi_forest,
    taxi_records,
    words_and_miles,
)
from sklearn.tree import DecisionTreeRegressor

from skiff_convert import choose, columns, goldens, graph, lower_table, lower_trees, search, vectorized


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A taxi forest in a folder."""
    return save(taxi_forest(), tmp_path_factory.mktemp("taxi") / "model")


@pytest.fixture(autouse=True)
def few_goldens(monkeypatch):
    monkeypatch.setattr(goldens, "RANDOM", 500)


@pytest.mark.parametrize(
    ("name", "wish", "lowering"),
    [(name, "auto", "linear") for name in LINEAR]
    + [(name, lowering, lowering) for name in TREES for lowering in ("trees", "table")],
)
@pytest.mark.parametrize("sparse", [True, False])
def test_every_estimator_without_a_spec(name, wish, lowering, sparse, tmp_path, run, monkeypatch):
    monkeypatch.setattr(goldens, "SWEPT", 4_000)
    records = mixed_records()
    asked = words_and_miles(records) if lowering == "table" else records
    pipeline = fit(ESTIMATORS[name](), asked, target(records), sparse=sparse)
    folder = save(pipeline, tmp_path / "model", how="skops")
    code, out, err = run(folder, "--lowering", wish)
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
def test_a_wrong_lowering_is_refused(model, tmp_path, run, monkeypatch, tamper):
    tamper(monkeypatch)
    code, out, err = run(model, "--lowering", "trees")
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
def test_a_wrong_table_is_refused(model, tmp_path, run, monkeypatch, tamper):
    tamper(monkeypatch)
    code, out, err = run(model, "--lowering", "table")
    assert (code, out) == (1, "")
    assert "predictions differ from the original's, in batches of " in err
    assert not (tmp_path / "out").exists()


def test_a_table_over_its_budget(model, tmp_path, run):
    args = (model, "--table-budget", "0.001")
    code, out, err = run(*args, "--lowering", "table")
    assert (code, out) == (1, "")
    *_, error, hint = err.splitlines()
    assert error.startswith("convert: error: cannot be lowered to a table: it takes ")
    assert error.endswith(" MB, over --table-budget 0.001")
    assert hint == "hint: --lowering trees (LOWERING=trees), or a larger --table-budget (TABLE_BUDGET=)"
    code, out, err = run(*args)
    assert code == 0 and "MB, over --table-budget 0.001\n" in err
    assert json.loads(Path(out.strip(), "manifest.json").read_text())["lowering"] == "trees"


def test_auto_takes_trees_where_they_are_as_fast(tmp_path, run):
    folder = save(fit(DecisionTreeRegressor(max_depth=2), taxi_records()), tmp_path / "model")
    code, out, err = run(folder)
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
def test_too_many_cells(model, tmp_path, run, monkeypatch, limit, of, error):
    monkeypatch.setattr(choose, limit, {"MOST_CELLS": 100, "MOST_SECONDS": 0}[limit])
    code, _, err = run(model, "--lowering", of)
    assert code == (of == "table")
    shape = re.search(r"a table of ([\d,]+) codes x ([\d,]+) bins", err).groups()
    cells = math.prod(int(n.replace(",", "")) for n in shape)
    assert error.format(cells=f"{cells:,}") in err
    assert ("hint: --lowering trees (LOWERING=trees) takes any number of thresholds\n" in err) == (
        of == "table"
    )


@pytest.mark.parametrize("lowering", ["trees", "table"])
def test_a_linear_model_is_neither(tmp_path, run, lowering):
    folder = save(fit(ESTIMATORS["Ridge"](), taxi_records()), tmp_path / "model")
    code, out, err = run(folder, "--lowering", lowering)
    assert (code, out) == (1, "")
    assert f"error: a Ridge cannot be lowered to {lowering}\nhint: leave --lowering out" in err


def test_a_dense_sum_of_many_terms_has_a_bound_by_them(tmp_path, run, monkeypatch):
    monkeypatch.setattr(columns, "ENTRIES", 0)
    rng = random.Random(1)
    some = [{f"n{i}": rng.lognormvariate(0, 2) for i in range(60)} for _ in range(400)]
    folder = save(fit(ESTIMATORS["LinearRegression"](), some, sparse=False), tmp_path / "model")
    code, out, err = run(folder)
    assert code == 0, err
    assert json.loads(Path(out.strip(), "manifest.json").read_text())["parity"]["bound"] == "61 ulp"
