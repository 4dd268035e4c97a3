"""How far numbers may be off where the scores that they are made of may be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skiff_convert import plan
from skiff_convert.form import Head, Through

WIDTHS = {"exp": 1, "expm1": 1, "expit": 1, "both": 1, "softmax": 3, "softmax_in_order": 3, "ovr": 3}
sizes = st.floats(-30, 30) | st.floats(-1e-3, 1e-3)


@pytest.mark.parametrize("link", WIDTHS)
@given(data=st.data())
def test_bounds_hold_for_scores_that_are_off(link, data):
    width = WIDTHS[link]
    head = Head(tuple(Through(i) for i in range(width)), link, labels=None)
    scores = np.array([[data.draw(sizes) for _ in range(width)]])
    off = np.array([[data.draw(st.floats(0, 1e-9) | st.floats(1e-22, 1e-15)) for _ in range(width)]])
    other = scores + off * data.draw(st.sampled_from([-1.0, 1.0]))
    far = np.abs(head.numbers(other) - head.numbers(scores))
    moved = off + np.spacing(np.abs(other)) * (other != scores)  # as it was rounded
    assert (far <= plan.bounds(head, scores, moved)).all()


@pytest.mark.parametrize("link", WIDTHS)
def test_exact_scores_have_exact_numbers(link):
    width = WIDTHS[link]
    head = Head(tuple(Through(i) for i in range(width)), link)
    scores = np.random.default_rng(0).normal(0, 3, (20, width))
    assert not plan.bounds(head, scores, np.zeros_like(scores)).any()
