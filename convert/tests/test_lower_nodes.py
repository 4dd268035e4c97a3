"""What is lowered beside trees and sums: onnxruntime against the interpreter, within what the form says."""

import numpy as np
import onnxruntime as ort
import pytest

from skiff_convert.errors import ConvertError
from skiff_convert.form import (
    Computed,
    Constant,
    Dot,
    Head,
    Largest,
    Linked,
    Lookup,
    Median,
    Step,
    Sum,
    Table,
    Through,
    Votes,
    Word,
)  # fmt: skip
from skiff_convert.form.distances import Kernel, Neighbours
from skiff_convert.form.dot import Norm
from skiff_convert.form.splines import Spline
from skiff_convert.lower_form import lower, model_of
from skiff_convert.lower_steps import slack
from skiff_convert.proof import interpret

RNG = np.random.default_rng(0)
ROWS = np.vstack([RNG.normal(0, 3, (300, 4)), RNG.normal(0, 1e-6, (20, 4)), np.zeros((1, 4)), np.eye(4)])
A, B, C, D = (Through(i) for i in range(4))


def check(scores: tuple, X: np.ndarray = ROWS, exact: bool = True) -> None:
    """AssertionError unless the graph makes what the interpreter makes: exactly, or within its allowance."""
    head = Head(scores)
    nodes, constants = lower(head, X.shape[1])
    model = model_of(nodes, constants, X.shape[1], len(scores), {}, "test")
    want, near = interpret(head, X)
    got = ort.InferenceSession(model).run(None, {"X": X})[0]
    differ = ~((got == want) | (np.isnan(got) & np.isnan(want)))
    if exact:
        assert not differ.any(), (got[differ][:5], want[differ][:5])
    assert (np.abs(got - want)[differ] <= near[differ]).all(), np.abs(got - want)[differ].max()
    assert np.median(near) < 1e-4


def of(node: object) -> tuple:
    """All that a node makes."""
    return tuple(Computed(node, i) for i in range(node.width))


STEPS = [
    Step("floor"), Step("ceil"), Step("rint"), Step("trunc"), Step("sign"), Step("negative"), Step("abs"),
    Step("square"),
    Step("tiny", 0.5), Step("absent"), Step("absent", 0.5),
    Step("except", 0.0), Step("replace", (0.0, 7.0)), Step("is", 1.0),
    Step("signed_square"),
    Step("bin", (-1.0, 0.0, 0.5)), Step("bin", ()), Step("nearly", (1e-5, 1e-8)),
    Step("interp", ((-1.0, 0.0, 2.0), (3.0, 1.0, 1.5))),
    Step("quantile", ((-1.0, 0.0, 0.0, 2.0), (0.0, 0.3, 0.6, 1.0), False)),
    Step("quantile", ((0.0, 0.0, 1.0, 1.0), (0.0, 0.3, 0.6, 1.0), False)),
    Step("interp", ((0.0, 0.0, 1.0, 1.0), (3.0, 1.0, 1.5, 2.0))),
    Step("quantile", ((-5.0, 0.0, 3.0), (0.0, 0.5, 1.0), True)),
    Step("exp"), Step("expm1"), Step("tanh"), Step("arctan"), Step("cbrt"), Step("expit"), Step("exp2"),
    Step("raise", 2.0),
    Step("sin"), Step("cos"), Step("yeo_johnson", (0.4, True)), Step("yeo_johnson", (0.0, True)),
    Step("yeo_johnson", (2.0, True)),
    Step("yeo_johnson", (-1.3, False)),
]  # fmt: skip
POSITIVE = [Step(n) for n in ("log", "log1p", "log2", "log10", "sqrt", "cbrt")] + [
    Step("box_cox", 0.3), Step("box_cox", 0.0), Step("box_cox", -0.7), Step("power", 1.5),
]  # fmt: skip


@pytest.mark.parametrize("step", STEPS, ids=lambda s: f"{s.op}-{s.value}")
def test_steps(step):
    rows = np.vstack([ROWS, np.full((1, 4), np.nan)])
    check((Through(0, (step,)), Through(1, (Step("mul", 0.1), step))), rows, exact=not slack(step))


@pytest.mark.parametrize("step", POSITIVE, ids=lambda s: f"{s.op}-{s.value}")
def test_steps_of_positive_numbers(step):
    check((Through(0, (step,)), Through(1, (step,))), np.abs(ROWS) + 1e-9, exact=not slack(step))


def test_sums_of_every_kind_of_value():
    X = np.column_stack([ROWS[:, :2], RNG.integers(0, 4, (len(ROWS), 2))]).astype(np.float64)
    values = (A, Word(2, 3), Lookup(3, np.array([0.1, 0.2, 0.3, 0.4])), Constant(0.7), B, A)
    check(of(Sum(values, 2, 3.0)), X)


@pytest.mark.parametrize("last", [False, True])
def test_largest(last):
    check(of(Largest((A, B, C), last=last)))
    check(of(Largest((A,), 0.5)))


def test_table_of_the_largest():
    index = Computed(Largest((A, B, C)), 0)
    check(of(Table((index,), RNG.normal(size=(3, 2)))))


@pytest.mark.parametrize("many", [1, 2, 3, 4])
def test_median(many):
    check(of(Median((A, B, C, D)[:many], RNG.random(many))))


def test_votes():
    predictions = tuple(Computed(Largest((v,)), 0) for v in (A, B, C))
    check(of(Votes((*predictions, A, B, C), 3)))


@pytest.mark.parametrize("kind", ["rbf", "linear", "poly", "sigmoid"])
def test_kernels_and_what_they_are_summed_to(kind):
    kernel = Kernel((A, B, C), RNG.normal(size=(30, 3)), kind, 0.1, 0.5, 3)
    check(of(kernel), exact=False)
    dot = Dot(of(kernel), RNG.normal(size=(30, 2)), RNG.normal(size=2), ordered=False)
    check(of(dot), RNG.normal(size=(99, 4)), False)


@pytest.mark.parametrize("power", [1.0, 2.0, np.inf])
@pytest.mark.parametrize("weighted", [False, True])
def test_neighbours(power, weighted):
    learned, targets = RNG.normal(size=(40, 2)), RNG.normal(size=(40, 2))
    X = np.vstack([ROWS[:200], np.column_stack([learned, learned])])
    check(of(Neighbours((A, B), learned, targets, 3, power, weighted)), X, exact=False)


@pytest.mark.parametrize("kind", ["l1", "l2", "max"])
def test_norms(kind):
    check(of(Norm((A, B, C), kind, ordered=True)))


@pytest.mark.parametrize("degree", [0, 1, 3])
@pytest.mark.parametrize("outside", ["constant", "linear", "continue", "periodic", "error"])
def test_splines(degree, outside):
    knots = np.concatenate([np.full(degree, -2.0), [-2.0, -1.0, 0.5, 2.0], np.full(degree, 2.0)])
    bases = len(knots) - degree - 1
    rows = np.clip(np.vstack([ROWS, np.full((1, 4), np.nan)]), -9, 9)
    check(of(Spline((A,), knots, np.eye(bases), degree, outside)), rows, exact=False)


EXACT = ["both", "huber", "normalize", "normalize_plain", "ascending"]
NEAR = [
    "exp", "expm1", "expit", "expits", "softmax", "softmax_log", "softmax_pair", "softmax_in_order", "ovr",
    "exp32", "expit32",
    "expits32", "softmax32",
]  # fmt: skip


@pytest.mark.parametrize("link", EXACT + NEAR)
def test_links_in_the_middle(link):
    one = link in ("both", "expit", "softmax_pair", "expit32")
    values = (A,) if one else tuple(Through(i, (Step("abs"),)) for i in range(3))
    width = 2 if one else 3
    check(of(Linked(values, link, width)), exact=link in EXACT)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_coupled_probabilities(classes):
    """No row of these goes on after the rounds that are written down: it would be NaN."""
    pairs = classes * (classes - 1) // 2
    X = np.vstack([RNG.normal(0, s, (300, pairs)) for s in (0.0, 0.1, 1, 10, 1000)])
    head = Head(of(Linked(tuple(map(Through, range(pairs))), "coupled", classes)))
    nodes, constants = lower(head, pairs)
    model = model_of(nodes, constants, pairs, classes, {}, "test")
    got = ort.InferenceSession(model).run(None, {"X": X})[0]
    want, near = interpret(head, X)
    assert (np.abs(got - want) <= near).all() and (near < 1e-9).mean() > 0.9
    assert np.abs(got.sum(axis=1) - 1).max() < 1e-12


def test_coupled_probabilities_of_many_classes_are_refused():
    scores = of(Linked(tuple(map(Through, range(55))), "coupled", 11))
    with pytest.raises(ConvertError, match="SVC of 11 classes"):
        lower(Head(scores), 55)
