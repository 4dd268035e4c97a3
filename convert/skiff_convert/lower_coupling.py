"""Lowering libsvm's probabilities of classes where something reads them, as form.coupling has them.

The rounds are written down one after another, each only for rows that still go on. None of millions of rows
that were tried goes on after the fifth; what does after the eighth is NaN, which no record is served with.
"""

import math

from .errors import ConvertError
from .form.coupling import LEAST, NEAR, classes

ROUNDS = 8
MOST = 10  # classes: nodes of a graph grow as their square


def coupled(low, scores: list[str]) -> list[str]:
    """The probabilities of the classes, of a score for each pair."""
    k = classes(len(scores))
    if k > MOST:
        raise ConvertError(
            f"probabilities of an SVC of {k} classes, read by another step, cannot be lowered",
            f"up to {MOST} classes convert; or take it out of the ensemble",
        )
    add, c = low.graph.add, low.constant
    one, r = c(1.0), _pairs(low, scores, k)
    q = [[add("Neg", add("Mul", r[t, j], r[j, t])) if t != j else "" for j in range(k)] for t in range(k)]
    for t in range(k):
        q[t][t] = low.graph.sum(add("Mul", r[j, t], r[j, t]) for j in range(k) if j != t)
    p, going = [low.full(1.0 / k)] * k, ""
    for _ in range(ROUNDS):
        qp, pqp, more = _error(low, q, p)
        going = add("And", going, more) if going else more
        new = list(p)
        for t in range(k):
            diff = add("Div", add("Sub", pqp, qp[t]), q[t][t])
            by = add("Add", one, diff)
            new[t] = add("Add", new[t], diff)
            inner = add("Add", add("Mul", diff, q[t][t]), add("Mul", c(2.0), qp[t]))
            pqp = add("Div", add("Div", add("Add", pqp, add("Mul", diff, inner)), by), by)
            qp = [add("Div", add("Add", qp[j], add("Mul", diff, q[t][j])), by) for j in range(k)]
            new = [add("Div", x, by) for x in new]
        p = [add("Where", going, x, old) for x, old in zip(new, p, strict=True)]
    going = add("And", going, _error(low, q, p)[2])
    return [add("Where", going, c(math.nan), x) for x in p]


def _pairs(low, scores: list[str], k: int) -> dict[tuple[int, int], str]:
    """The probability of each class against each other."""
    add, c = low.graph.add, low.constant
    one, r, rest = c(1.0), {}, iter(scores)
    for i in range(k):
        for j in range(i + 1, k):
            f = next(rest)
            e = add("Exp", add("Neg", add("Abs", f)))
            above = add("Where", add("GreaterOrEqual", f, c(0.0)), e, one)
            r[i, j] = add("Clip", add("Div", above, add("Add", one, e)), c(LEAST), c(1 - LEAST))
            r[j, i] = add("Sub", one, r[i, j])
    return r


def _error(low, q: list[list[str]], p: list[str]) -> tuple[list[str], str, str]:
    """q p, p q p, and whether the error asks for another round."""
    add, sum_of = low.graph.add, low.graph.sum
    qp = [sum_of(add("Mul", x, y) for x, y in zip(row, p, strict=True)) for row in q]
    pqp = sum_of(add("Mul", x, y) for x, y in zip(p, qp, strict=True))
    error = add("Max", *(add("Abs", add("Sub", x, pqp)) for x in qp))
    return qp, pqp, add("GreaterOrEqual", error, low.constant(NEAR / len(p)))
