"""libsvm's probabilities of classes: a sigmoid of each pair's decision, then coupled (svm.cpp)."""

import math

import numpy as np

# The least probability of a pair; the error by classes that is near enough; the most rounds.
LEAST, NEAR, ROUNDS = 1e-7, 0.005, 100


def classes(pairs: int) -> int:
    """How many classes have so many pairs."""
    return (1 + math.isqrt(1 + 8 * pairs)) // 2


def coupled(f: np.ndarray, e: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities [rows, classes], and how near each row was to stopping at another round.

    f is [rows, pairs], of which 1 / (1 + exp(f)) is the probability of the pair's first; e is exp(-|f|). Sums
    are made from the first to the last.
    """
    k, at = classes(f.shape[1]), 0
    r = np.zeros((len(f), k, k))
    for i in range(k):
        for j in range(i + 1, k):
            p = np.where(f[:, at] >= 0, e[:, at], 1.0) / (1 + e[:, at])
            r[:, i, j] = np.minimum(np.maximum(p, LEAST), 1 - LEAST)
            r[:, j, i] = 1 - r[:, i, j]
            at += 1
    q = -r * r.transpose(0, 2, 1)
    for t in range(k):
        q[:, t, t] = sum(r[:, j, t] ** 2 for j in range(k) if j != t)
    p = np.full((len(f), k), 1.0 / k)
    near, going = np.full(len(f), np.inf), np.ones(len(f), bool)
    for _ in range(max(ROUNDS, k)):
        qp = np.column_stack([sum((q[:, t, :] * p).T) for t in range(k)])
        pqp = sum((p * qp).T)
        error = np.abs(qp - pqp[:, None]).max(axis=1)
        near[going] = np.minimum(near, np.abs(error - NEAR / k))[going]
        going &= error >= NEAR / k
        if not going.any():
            break
        new = p.copy()
        for t in range(k):
            diff = (-qp[:, t] + pqp) / q[:, t, t]
            new[:, t] += diff
            pqp = (pqp + diff * (diff * q[:, t, t] + 2 * qp[:, t])) / (1 + diff) / (1 + diff)
            qp = (qp + diff[:, None] * q[:, t, :]) / (1 + diff)[:, None]
            new /= (1 + diff)[:, None]
        p[going] = new[going]
    return p, near
