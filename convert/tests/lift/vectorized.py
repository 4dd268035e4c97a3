"""The matrix that a DictVectorizer makes, where nothing says which features there are but its own names."""

from collections.abc import Sequence

from skiff_convert.form import Through, Value, Word
from skiff_convert.lift import Lifting, Matrix, Wanted
from skiff_convert.look.graph import Obj


def vectorize(vectorizer: Obj, lifting: Lifting, features: Sequence[str] = ()) -> Matrix:
    """The vectorizer's matrix over a column for each feature's words and one for its number.

    features are the names in the order of their columns; those that only the vectorizer has come behind.
    """
    words: dict[str, dict[str, int]] = {name: {} for name in features}
    numbers: dict[str, int] = {}
    for at, of in enumerate(vectorizer.feature_names_):
        name, _, word = of.partition("=")
        of_name = words.setdefault(name, {})
        if word:
            of_name[word] = at
        else:
            numbers[name] = at
    values: list[Value | None] = [None] * len(vectorizer.feature_names_)
    for name, of_name in words.items():
        if of_name:
            column = lifting._column(Wanted(name, "category", tuple(of_name)))
            for code, at in enumerate(of_name.values(), 1):
                values[at] = Word(column, code)
        if name in numbers:
            column = lifting._column(Wanted(name, "number"))
            values[numbers[name]] = Through(column)
            if vectorizer.sparse:  # which holds the zeros that a record has
                lifting.held.add(column)
    assert all(value is not None for value in values)
    matrix = Matrix(values, bool(vectorizer.sparse))
    lifting.vectorized = (vectorizer.feature_names_, matrix)
    return matrix
