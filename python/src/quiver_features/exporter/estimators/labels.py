"""Labels to numbers: LabelEncoder, LabelBinarizer, MultiLabelBinarizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import expressions as ex
from ..categories import Categories, read
from ..columns import Column
from ..expressions import Expression
from ..matrix import Matrix, scalar_column, vector_columns
from ..problems import Refusal
from ..registry import Context, exports


def _read(labels: list[Any], name: str, x: Expression, context: Context) -> Categories:
    try:
        return read(labels, x, context)
    except Refusal as refusal:
        raise Refusal(f"column {name!r}: {refusal}") from None


def _labels(estimator: Any, matrix: Matrix, context: Context) -> tuple[Expression, list[Any]]:
    if len(matrix.columns) != 1:
        raise Refusal("takes one column of labels")
    column = matrix.columns[0]
    context.hint(column.expression, list(estimator.classes_))
    categories = _read(list(estimator.classes_), column.name, column.expression, context)
    if categories.missing is not None:
        raise Refusal(f"column {column.name!r}: a missing value is among the labels")
    return categories.expression, categories.values


@exports("LabelEncoder")
def label_encoder(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """A label's position."""
    x, labels = _labels(estimator, matrix, context)
    return [scalar_column(matrix.columns[0].name, ex.ordinal(x, labels, unknown=None, null=None))]


@exports("LabelBinarizer")
def label_binarizer(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """A column for each label, a single one for two labels; pos_label where it is the label, else neg_label."""
    if estimator.y_type_ not in {"binary", "multiclass"}:
        raise Refusal(f"was fitted to {estimator.y_type_} labels")
    x, labels = _labels(estimator, matrix, context)
    group = matrix.columns[0].name
    source = context.sources.get(matrix.columns[0].expression)
    if source is not None and not isinstance(source.dtype, np.dtype) and any(_is_large(label) for label in labels):
        raise Refusal(
            f"column {group!r}: integers beyond 2^53 of {source.dtype} are rounded when transformed; use int64"
        )
    low, high = float(estimator.neg_label), float(estimator.pos_label)
    if len(labels) == 1:
        only = ex.map_values(x, labels, [low], unknown=low, null=None)
        return [scalar_column(group, only)]
    drop = 0 if len(labels) == 2 else None
    hot = ex.one_hot(x, labels, [], drop=drop, unknown="zeros", null="null")
    if (low, high) != (0.0, 1.0):
        hot = ex.min_max(hot, high - low, low, clip="none", precision="float64")
    names = [str(label) for label in labels]
    return vector_columns(hot, group, names[1:] if drop == 0 else names)


def _is_large(label: Any) -> bool:
    return isinstance(label, int) and abs(label) >= 1 << 53


@exports("MultiLabelBinarizer")
def multi_label_binarizer(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """A column for each label, 1 where it is in the row's collection."""
    column = matrix.columns[0]
    of = column.expression.type
    if not of.list or len(matrix.columns) != 1:
        raise Refusal(f"column {column.name!r}: takes collections of labels")
    scalar = ex.source("", of.element)
    labels = _read(list(estimator.classes_), column.name, scalar, context).values
    context.hint(column.expression, [labels[:3], labels[::-1], labels[:1] * 2])
    return vector_columns(ex.multi_hot([column.expression], labels, weighting="binary"), column.name)
