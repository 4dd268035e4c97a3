"""PowerTransformer and QuantileTransformer: numbers made to be distributed otherwise."""

import numpy as np

from ..form import Step, apply
from ..look.graph import Obj
from .table import Lifting, Matrix
from .trees import version

YEO_JOHNSON_BY_LOGS = (1, 8)  # since then scikit-learn takes SciPy's


def power(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """PowerTransformer: Yeo-Johnson or Box-Cox, then standardised."""
    from .scalers import standard

    logs = version(obj) >= YEO_JOHNSON_BY_LOGS
    values = []
    for value, of in zip(lifting.numbers(matrix), np.asarray(obj.lambdas_, np.float64).tolist(), strict=True):
        step = Step("box_cox", of) if obj.method == "box-cox" else Step("yeo_johnson", (of, logs))
        values.append(apply(value, step))
    made = Matrix(values)
    return standard(obj._scaler, made, lifting) if obj.standardize else made


def quantile(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """QuantileTransformer: the share of training's values below, uniform or normal."""
    if matrix.sparse:
        raise lifting.refuse(
            "QuantileTransformer of a sparse matrix", "sparse_output=False in the step before converts"
        )
    references = tuple(np.asarray(obj.references_, np.float64).tolist())
    normal = obj.output_distribution == "normal"
    values = []
    for value, quantiles in zip(
        lifting.numbers(matrix), np.asarray(obj.quantiles_, np.float64).T, strict=True
    ):
        values.append(apply(value, Step("quantile", (tuple(quantiles.tolist()), references, normal))))
    return Matrix(values)


TRANSFORMERS = {"PowerTransformer": power, "QuantileTransformer": quantile}
