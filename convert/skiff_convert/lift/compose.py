"""Steps made of steps: Pipeline, ColumnTransformer, FeatureUnion."""

from ..form import Step, apply
from ..look.graph import Obj
from .table import Lifting, Matrix, picked


def steps_of(obj: Obj) -> list[tuple[str, object]]:
    """The steps of a Pipeline that do something."""
    return [(name, step) for name, step in obj.steps if step is not None and step != "passthrough"]


def pipeline(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """A Pipeline of transformers."""
    from . import transform

    for name, step in steps_of(obj):
        matrix = transform(step, matrix, lifting.at(name))
    return matrix


def column_transformer(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """ColumnTransformer: each transformer's columns, side by side; sparse or not as it was when fitted."""
    from . import transform

    names = _names(obj, matrix, lifting)
    values, transformers = [], _transformers(obj)
    for name, transformer, columns in transformers:
        if transformer == "drop" or transformer is None:
            continue
        part = Matrix([matrix.values[i] for i in picked(names, columns)], matrix.sparse)
        if not len(part):
            continue
        if transformer != "passthrough":
            part = transform(transformer, part, lifting.at(name))
        values += lifting.at(name).numbers(part)
    return Matrix(values, bool(obj.state.get("sparse_output_", False)))


def _names(obj: Obj, matrix: Matrix, lifting: Lifting) -> list[str]:
    """The names of its input's columns, where it knows them."""
    learned = obj.state.get("feature_names_in_", obj.state.get("_feature_names_in"))
    if learned is None:
        learned = obj.state.get("_df_columns")
    if learned is not None:
        names = [str(name) for name in (learned.items if isinstance(learned, Obj) else learned)]
        if len(names) == len(matrix):
            return names
    if len(lifting.names) == len(matrix):
        return list(lifting.names)
    return [f"x{i}" for i in range(len(matrix))]


def _transformers(obj: Obj) -> list[tuple[str, object, object]]:
    """(name, fitted transformer, columns), functions that choose columns replaced by what they chose."""
    chosen = obj.state.get("_transformer_to_input_indices", {})
    transformers = []
    for i, (name, transformer, columns) in enumerate(obj.transformers_):
        if name in chosen:
            columns = chosen[name]
        elif isinstance(columns, Obj) and i < len(obj.state.get("_columns", [])):
            columns = obj.state["_columns"][i]
        if isinstance(transformer, Obj) and transformer.name == "FunctionTransformer":
            func = transformer.state.get("func")
            transformer = "passthrough" if func is None else transformer
        transformers.append((name, transformer, columns))
    return transformers


def feature_union(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """FeatureUnion: what each transformer makes of all columns, side by side."""
    from . import transform

    weights = obj.state.get("transformer_weights") or {}
    values, sparse = [], False
    for name, transformer in obj.transformer_list:
        if transformer in (None, "drop"):
            continue
        part = matrix if transformer == "passthrough" else transform(transformer, matrix, lifting.at(name))
        made = lifting.at(name).numbers(part)
        if weights.get(name) is not None:
            made = [apply(value, Step("mul", float(weights[name]))) for value in made]
        values += made
        sparse |= part.sparse
    return Matrix(values, sparse)


TRANSFORMERS = {
    "Pipeline": pipeline,
    "ColumnTransformer": column_transformer,
    "FeatureUnion": feature_union,
}
