"""The terms of a sum, with those of a category's words as one table."""

from collections.abc import Sequence

import numpy as np

from .form import Computed, Constant, Dot, Lookup, Through, Word


def terms(dot: Dot, weights: np.ndarray, codes: Sequence[int]) -> list:
    """The sum's terms in order: a number's place; (column, table); or a constant.

    Words and look-ups of one column are one term: of an ordered sum's words only one is not 0.
    """
    made: list = []
    tables: dict[int, int] = {}  # of a column: its term
    for i, (value, weight) in enumerate(zip(dot.values, weights.tolist(), strict=True)):
        if isinstance(value, Constant):
            made.append(float(value.value * weight))
        elif isinstance(value, (Through, Computed)):
            made.append(i)
        else:
            if value.column not in tables:
                tables[value.column] = len(made)
                made.append((value.column, []))
            made[tables[value.column]][1].append((value, weight))
    return [
        (t[0], _table(t[1], codes[t[0]] if t[0] < len(codes) else 1)) if isinstance(t, tuple) else t
        for t in made
    ]


def _table(group: list[tuple[Lookup | Word, float]], codes: int) -> np.ndarray:
    """What values of one column add to a sum, for each of its codes."""
    size = max(codes, 1 + max(v.code if isinstance(v, Word) else len(v.values) - 1 for v, _ in group))
    table = np.zeros(size)
    for value, weight in group:
        if isinstance(value, Lookup):
            table = table + value.values * weight
        else:
            table = table + value.no * weight if value.no else table
            table[value.code] += (value.yes - value.no) * weight if value.no else value.yes * weight
    return table
