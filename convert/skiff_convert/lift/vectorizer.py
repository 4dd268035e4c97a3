"""DictVectorizer: records, which come first, become a matrix."""

from ..look.graph import Obj
from .table import Lifting, Matrix


def dict_vectorizer(obj: Obj, _: Matrix, lifting: Lifting) -> Matrix:
    """Its columns: made beforehand, of the whole record: one model has one vectorizer."""
    if lifting.vectorized is None:
        raise lifting.refuse("a DictVectorizer after another step", "put it first")
    names, matrix = lifting.vectorized
    if list(obj.feature_names_) != list(names) or bool(obj.sparse) != matrix.sparse:
        raise lifting.refuse("a second DictVectorizer that learned other names", "use one for all")
    if "float64" not in str(obj.state.get("dtype", "numpy.float64")):
        raise lifting.refuse("DictVectorizer with another dtype than float64", "leave dtype out")
    return matrix


TRANSFORMERS = {"DictVectorizer": dict_vectorizer}
