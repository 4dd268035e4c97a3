"""Tells sklearn-onnx of onnxmltools' converters, as the documentation of both does it."""

import functools

import catboost
import lightgbm
import xgboost
from onnx import helper
from onnxmltools.convert import convert_catboost
from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
from skl2onnx import update_registered_converter
from skl2onnx.common import shape_calculator as shapes
from skl2onnx.common.data_types import Int64TensorType, StringTensorType

REGRESSOR = shapes.calculate_linear_regressor_output_shapes
CLASSIFIER = shapes.calculate_linear_classifier_output_shapes
OPTIONS = {"nocl": [True, False], "zipmap": [True, False, "columns"]}


@functools.cache
def register() -> None:
    """Once."""
    for kind, name, shape, converter, options in (
        (xgboost.XGBRegressor, "XGBoostXGBRegressor", REGRESSOR, convert_xgboost, None),
        (xgboost.XGBClassifier, "XGBoostXGBClassifier", CLASSIFIER, convert_xgboost, OPTIONS),
        (lightgbm.LGBMRegressor, "LightGbmLGBMRegressor", REGRESSOR, convert_lightgbm, {"split": None}),
        (lightgbm.LGBMClassifier, "LightGbmLGBMClassifier", CLASSIFIER, convert_lightgbm, OPTIONS),
        (catboost.CatBoostRegressor, "CatBoostRegressor", REGRESSOR, _catboost, None),
    ):
        update_registered_converter(kind, name, shape, converter, options=options)
    update_registered_converter(
        catboost.CatBoostClassifier, "CatBoostClassifier", CLASSIFIER, _catboost,
        parser=_classifier, options=OPTIONS,
    )  # fmt: skip


def _classifier(scope, model, inputs, custom_parsers=None):  # noqa: ANN001, ANN202
    """Declares the outputs of CatBoost's classifier: sklearn-onnx asks for classes that it has elsewhere."""
    this = scope.declare_local_operator("CatBoostClassifier", model)
    this.inputs.append(inputs[0])
    text = model.classes_.dtype.kind not in "iub"
    label = (StringTensorType if text else Int64TensorType)()
    this.outputs.append(scope.declare_local_variable("label", label))
    this.outputs.append(scope.declare_local_variable("probabilities", inputs[0].type.__class__()))
    return this.outputs


def _catboost(scope, operator, container) -> None:  # noqa: ANN001
    """The node of CatBoost's own export, which is what onnxmltools' convert_catboost returns."""
    exported = convert_catboost(operator.raw_operator, name="catboost")
    versions = {one.domain: one.version for one in exported.opset_import}
    node = exported.graph.node[0]
    attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    container.add_node(
        node.op_type, [operator.inputs[0].full_name], [one.full_name for one in operator.outputs],
        op_domain=node.domain, op_version=versions.get(node.domain), **attributes,
    )  # fmt: skip
