"""The pipeline as skl2onnx converts it, with one converter more: it knows no MissingIndicator.

Its searches for quantiles take minutes to convert, so that this is measured only where it is asked for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from fitted import NUMBERS, TEXTS
from onnx import TensorProto
from skl2onnx import to_onnx, update_registered_converter
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator

OPSETS = {"": 18, "ai.onnx.ml": 3}


def convert(pipeline: ColumnTransformer) -> bytes:
    """A model with an input [N, 1] for each column."""
    update_registered_converter(MissingIndicator, "MissingIndicator", _shape, _indicator)
    inputs = [(name, FloatTensorType([None, 1])) for name in NUMBERS]
    inputs += [(name, StringTensorType([None, 1])) for name in TEXTS]
    return to_onnx(pipeline, initial_types=inputs, target_opset=OPSETS).SerializeToString()


def arrays(frame: Any) -> dict[str, Any]:
    """The model's inputs; a missing text is the empty one, which is no category."""
    feeds = {name: frame[name].to_numpy(np.float32).reshape(-1, 1) for name in NUMBERS}
    return feeds | {name: frame[name].fillna("").to_numpy(object).reshape(-1, 1) for name in TEXTS}


def _shape(operator: Any) -> None:
    operator.outputs[0].type = FloatTensorType([None, operator.inputs[0].type.shape[1]])


def _indicator(scope: Any, operator: Any, container: Any) -> None:
    missing = scope.get_unique_variable_name("missing")
    container.add_node(
        "IsNaN", operator.inputs[0].full_name, missing, op_version=13, name=scope.get_unique_operator_name("IsNaN")
    )
    container.add_node(
        "Cast",
        missing,
        operator.outputs[0].full_name,
        op_version=13,
        name=scope.get_unique_operator_name("Cast"),
        to=TensorProto.FLOAT,
    )
