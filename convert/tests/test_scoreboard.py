"""What make scoreboard prints, and the documents' table of it."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

DOCUMENT = (Path(__file__).parents[2] / "docs/exactness.md").read_text(encoding="utf-8")
KEYS = ["pipelines", "converted", "exact", "wrong", "largest_error", "us_per_row"]


@pytest.fixture(scope="module")
def scoreboard():
    before = dict(os.environ)
    from matrix import scoreboard  # it turns off some of numpy in this process's children

    os.environ.clear()
    os.environ.update(before)
    return scoreboard


@pytest.fixture
def said(scoreboard):
    return __import__("matrix.said", fromlist=["Said"]).Said


def test_document_has_the_table_that_is_printed(scoreboard):
    empty = {tool: scoreboard.Line().json() for tool in scoreboard.TOOLS}
    head, rule, *lines = scoreboard.table(empty).splitlines()
    assert f"\n{head}\n{rule}\n" in DOCUMENT
    after = DOCUMENT.partition(f"{head}\n{rule}\n")[2].split("\n\n")[0].splitlines()
    assert [line.split(" | ")[0] for line in after] == [line.split(" | ")[0] for line in lines]
    assert {line.count("|") for line in after} == {head.count("|")}


def test_each_tool_has_the_keys(scoreboard):
    lines = {tool: scoreboard.Line(3, 2, 1, 1, 0.0123, [2.0, 1.0, 4.0]).json() for tool in scoreboard.TOOLS}
    for line in json.loads(json.dumps(lines)).values():
        assert list(line) == KEYS
        assert list(line.values()) == [3, 2, 1, 1, 0.012, 2.0]


ONE = [[0.25, 0.75], [1.0, 0.0]]


@pytest.mark.parametrize(
    ("labels", "numbers", "place"),
    [
        (["a", "b"], ONE, 0),
        (["a", "b"], [[0.25, 0.7500001], [1.0, 0.0]], 1),
        (["a", "b"], [[0.25, 0.7500001], [1.002, 0.0]], 2),
        (["a", "a"], ONE, 2),
        (["a", "b"], [[0.25, np.nan], [1.0, 0.0]], 2),
    ],
)
def test_what_is_exact_near_and_wrong(said, labels, numbers, place):
    want = said(["a", "b"], np.array(ONE))
    assert want.judge(said(labels, np.array(numbers)), 1e-3)[0] == place


def test_errors_are_relative_above_one(said):
    want = said(None, np.array([[1000.0], [0.5]]))
    assert want.judge(said(None, np.array([[1000.5], [0.5]])), 1e-3) == (1, 0.0005)
    assert want.judge(said(None, np.array([[1000.0], [0.502]])), 1e-3)[0] == 2


def test_what_lacks_an_answer_is_not_converted(said):
    want = said(["a"], np.array([[1.0]]))
    for got in (said(["a", "a"], np.array([[1.0]])), said(["a"], None), said(["a"], np.array([[1.0, 0.0]]))):
        with pytest.raises(ValueError):
            want.judge(got, 1e-3)
