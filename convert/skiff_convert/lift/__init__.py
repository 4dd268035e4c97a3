"""Lifting: what a library's estimator learned becomes the intermediate form. One small file a family.

 table       the cells of the table, and what is known while lifting
 vectorizer  DictVectorizer
 compose     Pipeline, ColumnTransformer, FeatureUnion, selectors
 encoders    categories to numbers
 scalers     elementwise steps
 linear, trees, boosting, …   estimators
 boosters    what the next three share
 xgboost, lightgbm, catboost  estimators of other libraries, and boosters without one
 wrappers    models around models

A lifter takes the object as it was read, without its library (skiff_convert.look), what it works on, and the
Lifting; it is entered in its file's TRANSFORMERS or ESTIMATORS by the class's name.
"""

from ..form import Head
from ..look.graph import Code, Obj, Ref
from . import (
    adaboost,
    bagging,
    bayes,
    boosting,
    calibrated,
    catboost,
    compose,
    discriminant,
    distributions,
    dummy,
    encoders,
    lightgbm,
    linear,
    multi,
    neighbors,
    neural,
    polynomial,
    projections,
    scalers,
    selectors,
    svm,
    trees,
    vectorizer,
    voting,
    wrappers,
    xgboost,
)
from .refused import foreign, unsupported
from .table import Cell, Lifting, Matrix, Wanted

TRANSFORMERS = {
    name: lifter
    for family in (
        compose,
        distributions,
        encoders,
        polynomial,
        projections,
        scalers,
        selectors,
        vectorizer,
    )
    for name, lifter in family.TRANSFORMERS.items()
}
ESTIMATORS = {
    name: lifter
    for family in (
        adaboost,
        bagging,
        bayes,
        boosting,
        calibrated,
        catboost,
        discriminant,
        dummy,
        lightgbm,
        linear,
        multi,
        neighbors,
        neural,
        svm,
        trees,
        voting,
        wrappers,
        xgboost,
    )  # fmt: skip
    for name, lifter in family.ESTIMATORS.items()
}
BOOSTERS = {"xgboost": xgboost.BOOSTER, "lightgbm": lightgbm.BOOSTER}  # by the package of a Booster

__all__ = ["Cell", "Lifting", "Matrix", "Wanted", "estimate", "names_of", "transform"]


def transform(obj: Obj | Ref | Code, matrix: Matrix, lifting: Lifting) -> Matrix:
    """What a fitted transformer makes of a matrix. ConvertError that names a step that is not supported."""
    if not isinstance(obj, Obj):
        raise lifting.refuse(f"{obj} is no transformer")
    if obj.name not in TRANSFORMERS or obj.package not in ("sklearn",):
        if foreign(obj, lifting):
            return lifting.opaque.transform(obj, matrix, lifting)
        raise unsupported(obj, lifting)
    return TRANSFORMERS[obj.name](obj, matrix, lifting)


def estimate(obj: Obj | Ref | Code, matrix: Matrix, lifting: Lifting) -> Head:
    """What a fitted estimator predicts, a Pipeline's steps before it included."""
    if not isinstance(obj, Obj):
        raise lifting.refuse(f"{obj} is no estimator")
    if obj.name == "Pipeline":
        *before, (name, last) = compose.steps_of(obj)
        for step_name, step in before:
            matrix = transform(step, matrix, lifting.at(step_name))
        return estimate(last, matrix, lifting.at(name))
    if obj.name == "Booster" and obj.package in BOOSTERS:
        return BOOSTERS[obj.package](obj, matrix, lifting)
    if obj.name not in ESTIMATORS:
        if foreign(obj, lifting):
            return lifting.opaque.estimate(obj, matrix, lifting)
        raise unsupported(obj, lifting)
    return ESTIMATORS[obj.name](obj, matrix, lifting)


def names_of(obj: Obj) -> list[str]:
    """The columns that a booster was trained on, by its own names of them; [] of anything else."""
    if obj.package == "xgboost":
        booster, inner = xgboost.booster_of(obj, Lifting())
        names = booster.feature_names or list(inner.state.get("feature_names") or ())
        return names or [f"f{i}" for i in range(booster.num_feature)]
    if obj.package == "lightgbm":
        return lightgbm.booster_of(obj, Lifting())[0].feature_names
    if obj.package == "catboost":
        return catboost.names(obj, Lifting())
    return []
