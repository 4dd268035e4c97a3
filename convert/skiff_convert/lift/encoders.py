"""Encoders: a category becomes numbers, by a table over its codes."""

import numpy as np

from ..form import Computed, Lookup, Step, Sum, Table, Value, Word, apply
from ..look.graph import Obj
from .table import Cell, Lifting, Matrix, word_of


def _category(
    cell: Cell | Value, words: list, strict: bool, lifting: Lifting
) -> tuple[int | Value, np.ndarray]:
    """The column of X, and for each code the index of its category, -1 for what is unknown.

    A missing cell that an imputer fills is the category it is filled with. Of what another step has computed
    it is a value in the column's place: 0 for what is unknown, 1 + the category's index.
    """
    if not isinstance(cell, Cell):
        return _of_computed(cell, words, lifting)
    known = {_key(word_of(w)): i for i, w in enumerate(words)}  # of None and NaN the last
    all_words = list(dict.fromkeys(word_of(w) for w in words))
    index = [known[_key(w)] for w in all_words]
    if None in all_words:
        lifting.missing[cell.name] = words[known[_key(None)]]
    if cell.fill is not None and None not in all_words:
        lifting.nan.add(cell.name)
        all_words.append(None)
        index.append(known.get(_key(word_of(cell.fill)), -1))
    elif None in all_words:
        lifting.nan.add(cell.name)
        if cell.fill is not None:
            index[all_words.index(None)] = known.get(_key(word_of(cell.fill)), -1)
    column = lifting.category(cell, all_words, strict)
    return column, np.array([-1, *index])


def _of_computed(value: Value, words: list, lifting: Lifting) -> tuple[int | Value, np.ndarray]:
    """A number's category: by its code, where it is a look-up of one; else by comparing it with all of
    them."""
    if any(isinstance(word, str) for word in words):
        raise lifting.refuse(
            "text is encoded that another step has computed", "encode the columns themselves"
        )
    numbers = np.array([np.nan if word_of(word) is None else float(word) for word in words])
    if isinstance(value, Word):
        codes = np.arange(1 + len(lifting.wanted[value.column].words))
        value = Lookup(value.column, np.where(codes == value.code, value.yes, value.no))
    if isinstance(value, Lookup):
        same = (value.values[:, None] == numbers) | (np.isnan(value.values)[:, None] & np.isnan(numbers))
        return value.column, np.where(same.any(axis=1), same.argmax(axis=1), -1)
    ask = [Step("missing") if np.isnan(number) else Step("is", float(number)) for number in numbers]
    each = tuple(apply(value, step, Step("mul", float(i))) for i, step in enumerate(ask, 1))
    return Computed(Sum(each), 0), np.arange(-1, len(words))


def _look_up(place: int | Value, values: np.ndarray) -> Value:
    """The number of each code."""
    if isinstance(place, int):
        return Lookup(place, values)
    return Computed(Table((place,), values[:, None]), 0)


def _key(word: object) -> object:
    """Words are equal as Python has it, true is 1, but text is never a number."""
    return ("text", word) if isinstance(word, str) else word


def _columns(column: int | Value, of_code: np.ndarray, outputs: int) -> list[Value]:
    """One-hot columns: output j is 1 for the codes whose output is j."""
    values: list[Value] = []
    for j in range(outputs):
        codes = np.flatnonzero(of_code == j)
        if len(codes) == 1 and codes[0] > 0 and isinstance(column, int):
            values.append(Word(column, int(codes[0])))
        else:
            values.append(_look_up(column, (of_code == j).astype(np.float64)))
    return values


def one_hot(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """OneHotEncoder: drop, infrequent categories, every handle_unknown."""
    unknown = obj.state.get("handle_unknown", "error")
    values: list[Value] = []
    mappings = obj.state.get("_default_to_infrequent_mappings") or [None] * len(obj.categories_)
    if not obj.state.get("_infrequent_enabled", False):
        mappings = [None] * len(obj.categories_)
    drops = obj.state.get("_drop_idx_after_grouping", obj.state.get("drop_idx_"))
    drops = [None] * len(obj.categories_) if drops is None else list(drops)
    for cell, words, mapping, drop in zip(matrix.values, obj.categories_, mappings, drops, strict=True):
        column, index = _category(cell, list(words), unknown == "error", lifting)
        outputs = len(words)
        infrequent = -1
        if mapping is not None:
            outputs = int(max(mapping)) + 1
            infrequent = outputs - 1
            index = np.where(index >= 0, np.asarray(mapping)[index], -1)
        if unknown in ("infrequent_if_exist", "warn") and infrequent >= 0:
            index = np.where(index < 0, infrequent, index)
        if drop is not None:
            drop = int(drop)
            index = np.where(index == drop, -1, np.where(index > drop, index - 1, index))
            outputs -= 1
        values += _columns(column, index, outputs)
    sparse = obj.state.get("sparse_output", obj.state.get("sparse", True))
    return Matrix(values, bool(sparse))


def ordinal(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """OrdinalEncoder: a category's index; unknown and missing ones by its settings."""
    values: list[Value] = []
    strict = obj.state.get("handle_unknown", "error") == "error"
    unknown = np.nan if strict else float(obj.unknown_value)
    mappings = obj.state.get("_default_to_infrequent_mappings") or [None] * len(obj.categories_)
    if not obj.state.get("_infrequent_enabled", False):
        mappings = [None] * len(obj.categories_)
    for cell, words, mapping in zip(matrix.values, obj.categories_, mappings, strict=True):
        column, index = _category(cell, list(words), strict, lifting)
        of_index = np.arange(len(words), dtype=np.float64)
        if mapping is not None:
            of_index[: len(mapping)] = mapping  # NaN, the last, is in no group
        for i, word in enumerate(words):
            if isinstance(word, float) and np.isnan(word):  # None is a category as any other
                of_index[i] = float(obj.state.get("encoded_missing_value", np.nan))
        values.append(_look_up(column, np.where(index < 0, unknown, of_index[index])))
    return Matrix(values)


def target(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """TargetEncoder: a category's encoding for each target, the target's mean for an unknown one."""
    values: list[Value] = []
    means = np.atleast_1d(np.asarray(obj.target_mean_, np.float64))
    cells, targets = matrix.values, len(means)
    for i, (cell, words) in enumerate(zip(cells, obj.categories_, strict=True)):
        column, index = _category(cell, list(words), False, lifting)
        for j in range(targets):
            encodings = np.asarray(obj.encodings_[i * targets + j], np.float64)
            values.append(_look_up(column, np.where(index < 0, means[j], encodings[index])))
    return Matrix(values)


TRANSFORMERS = {"OneHotEncoder": one_hot, "OrdinalEncoder": ordinal, "TargetEncoder": target}
