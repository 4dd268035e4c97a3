"""What the converter writes is what the worker reads: operators, and the bounds of a bundle."""

import json
import re

import numpy as np
import pytest
from contract import CONTRACT
from onnx import numpy_helper

from skiff_convert import limits
from skiff_convert.columns import Column
from skiff_convert.errors import ConvertError
from skiff_convert.fold import MEMBER
from skiff_convert.lower_form import ARITHMETIC
from skiff_convert.lower_steps import PLAIN

GRAPH = CONTRACT.parent / "graph"
LOWERING = CONTRACT.parents[1] / "convert" / "skiff_convert"


def test_every_operator_of_the_list_is_written():
    """What is written is among the list in every test, by conftest; here the other way round."""
    listed = json.loads((GRAPH / "operators.json").read_text())["operators"]
    source = "".join(path.read_text() for path in [*LOWERING.glob("lower*.py"), *LOWERING.glob("[gs]*.py")])
    written = set(re.findall(r'"(\w+)"', source)) | set(PLAIN.values()) | set(ARITHMETIC.values())
    assert {name.split(":")[1] for name in listed} <= written


def test_the_bounds_are_the_workers():
    text = (CONTRACT / "limits.go").read_text() + (GRAPH / "value.go").read_text()
    text += (GRAPH / "ensemble.go").read_text()

    def of(name: str) -> object:
        return eval(re.search(rf"{name} += ([\d_]+(?: << \d+)?(?:\.0 / \d+)?)", text)[1])  # noqa: S307

    assert of("maxColumns") == limits.COLUMNS
    assert of("maxWords") == limits.WORDS
    assert of("maxNodes") == limits.NODES
    assert of("maxDepth") == limits.DEPTH
    assert of("tellsApart") == limits.TELLS_APART


def chain(questions: int, members: int = 0) -> dict:
    """A tree that asks one question after another; the last is about a set of so many members."""
    modes = np.zeros(questions, np.uint8)
    leaf = [0] * (questions - 1) + [1]
    tree = {
        "tree_roots": [0], "nodes_featureids": [0] * questions,
        "nodes_truenodeids": [0] * questions, "nodes_trueleafs": [1] * questions,
        "nodes_falsenodeids": [*range(1, questions), 0], "nodes_falseleafs": leaf,
    }  # fmt: skip
    if members:
        modes[-1] = MEMBER
        tree["membership_values"] = numpy_helper.from_array(np.array([*range(members), np.nan]))
    return tree | {"nodes_modes": numpy_helper.from_array(modes)}


@pytest.mark.parametrize(("questions", "members"), [(limits.DEPTH, 0), (1, limits.DEPTH), (8001, 192)])
def test_trees_that_are_too_deep(questions, members):
    limits.check_depth(chain(questions, members))
    with pytest.raises(ConvertError, match="asks more than 8,192 questions") as refused:
        limits.check_depth(chain(questions + (not members), members + bool(members)))
    assert "max_depth" in refused.value.hint


def number(name: str) -> Column:
    return Column(name, (name,), "number", "zero")


@pytest.mark.parametrize(
    ("columns", "nodes", "says"),
    [
        ([number("a")] * 10_001, 1, "10,001 columns"),
        ([Column("a", ("a",), "category", "none", vocabulary=tuple(range(2**20 + 1)))], 1, "1,048,577 words"),
        ([number("a")], 2**15 + 1, "32,769 nodes of its graph"),
    ],
)
def test_more_than_is_served_is_refused(columns, nodes, says):
    with pytest.raises(ConvertError, match=says):
        limits.check(columns, nodes)


@pytest.mark.parametrize(
    ("within", "refused"),
    [([1e-9, 0.001, 0.09], False), ([1e-9, 1e-9, 1e300], False), ([0.1, 1e300, 0.05], True)],
)
def test_bounds_that_prove_nothing_are_refused(within, refused):
    lines = [
        json.dumps(
            {"record": "{}", "outputs": {"y": y, "p": {"a": 0.5}, "l": "x"}} | ({"within": w} if w else {})
        )
        for y, w in zip((100.0, 1e6, 0.001), within, strict=True)
    ]
    lines.append('{"record": "1", "reject": "wrong_type", "field": ""}')
    if refused:
        with pytest.raises(ConvertError, match="of 3 predictions 2 are known so roughly"):
            limits.check_bounds(lines)
    else:
        limits.check_bounds(lines)
