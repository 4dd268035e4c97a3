"""DictVectorizer: features by name; text becomes a column for each word, a number one of its own."""

from ..form import Through, Value, Word
from ..look.graph import Obj
from .table import Lifting, Matrix, Wanted


def dict_vectorizer(
    obj: Obj, features: dict[str, tuple[dict[str, int], int | None]], lifting: Lifting
) -> Matrix:
    """Its columns, of features: name to {word: column} and the number's column."""
    values: list[Value | None] = [None] * len(obj.feature_names_)
    for name, (words, number) in features.items():
        if words:
            column = lifting._column(Wanted(name, "category", tuple(words)))
            for code, at in enumerate(words.values(), 1):
                values[at] = Word(column, code)
        if number is not None:
            column = lifting._column(Wanted(name, "number"))
            values[number] = Through(column)
            if obj.sparse:
                lifting.held.add(column)
    assert all(v is not None for v in values)
    if str(obj.state.get("dtype", "numpy.float64")) != "numpy.float64":
        raise lifting.refuse("DictVectorizer with another dtype than float64")
    return Matrix(values, bool(obj.sparse))
