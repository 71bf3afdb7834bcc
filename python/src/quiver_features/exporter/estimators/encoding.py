"""Categories to numbers: OneHotEncoder, OrdinalEncoder, TargetEncoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import expressions as ex
from ..categories import Categories, read
from ..columns import Column, Columns
from ..matrix import Matrix, scalar_column, scalars, vector_columns
from ..nulls import is_missing
from ..problems import Refusal
from ..registry import Context, exports

_TO_TRY = 500
_WARN_IS_INFREQUENT = (1, 8)
"""Before, handle_unknown="warn" made zeros of unknown categories even where there are infrequent ones."""


def _categories(estimator: Any, matrix: Matrix, context: Context) -> list[Categories]:
    found = []
    for column, x, categories in zip(matrix.columns, scalars(matrix.columns), estimator.categories_, strict=True):
        context.hint(column.expression, list(categories[:_TO_TRY]))
        try:
            found.append(read(list(categories), x, context))
        except Refusal as refusal:
            raise Refusal(f"column {column.name!r}: {refusal}") from None
    return found


def _infrequent(estimator: Any, position: int) -> set[int]:
    """The positions of the infrequent categories of a column."""
    if not getattr(estimator, "_infrequent_enabled", False):
        return set()
    positions = estimator._infrequent_indices[position]
    return set() if positions is None else {int(position) for position in positions}


@exports("OneHotEncoder")
def one_hot_encoder(estimator: Any, matrix: Matrix, context: Context) -> Columns:
    """A column for each category that is neither infrequent nor dropped, then one for all infrequent ones."""
    drops = estimator._drop_idx_after_grouping
    vectors: list[Columns] = []
    for position, categories in enumerate(_categories(estimator, matrix, context)):
        infrequent = _infrequent(estimator, position)
        drop = None if drops is None or drops[position] is None else int(drops[position])
        unknown = _unknown(estimator.handle_unknown, bool(infrequent), context)
        if categories.missing is None:
            null = unknown
        else:
            null = "infrequent" if categories.missing in infrequent else "column"
        frequent_values: list[Any] = []
        infrequent_values: list[Any] = []
        for at, value in zip(categories.positions, categories.values, strict=True):
            (infrequent_values if at in infrequent else frequent_values).append(value)
        if infrequent and not infrequent_values:
            raise Refusal(f"column {matrix.columns[position].name!r}: only missing values are infrequent")
        names = len(frequent_values) + (null == "column") + bool(infrequent_values) - (drop is not None)
        if names == 0:
            continue
        hot = ex.one_hot(
            categories.expression, frequent_values, infrequent_values, drop=drop, unknown=unknown, null=null
        )
        vectors.append(vector_columns(hot, matrix.columns[position].name))
    return Columns.joined(vectors)


def _unknown(handle_unknown: str, has_infrequent: bool, context: Context) -> str:
    if handle_unknown == "error":
        return "null"
    as_infrequent = {"infrequent_if_exist"} | ({"warn"} if context.library >= _WARN_IS_INFREQUENT else set())
    return "infrequent" if has_infrequent and handle_unknown in as_infrequent else "zeros"


@exports("OrdinalEncoder")
def ordinal_encoder(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """A category's number; infrequent categories share the last one."""
    columns: list[Column] = []
    unknown = None
    if estimator.handle_unknown == "use_encoded_value" and not is_missing(estimator.unknown_value):
        unknown = int(estimator.unknown_value)
    for position, categories in enumerate(_categories(estimator, matrix, context)):
        null = unknown
        if categories.missing is not None:
            null = _missing_code(estimator, position, categories.missing)
        codes = _codes(estimator, position, categories.positions)
        if codes == list(range(len(codes))):
            result = ex.ordinal(categories.expression, categories.values, unknown=unknown, null=null)
        else:
            values = [float(code) for code in codes]
            result = ex.map_values(
                categories.expression, categories.values, values, unknown=_float(unknown), null=_float(null)
            )
        columns.append(scalar_column(matrix.columns[position].name, result))
    return columns


def _codes(estimator: Any, position: int, positions: Sequence[int]) -> list[int]:
    """The numbers of categories at these positions."""
    mapping = None
    if getattr(estimator, "_infrequent_enabled", False):
        mapping = estimator._default_to_infrequent_mappings[position]
    return [int(at if mapping is None else mapping[at]) for at in positions]


def _missing_code(estimator: Any, position: int, missing: int) -> int | None:
    """What the missing category becomes, None for NaN. Only NaN is encoded apart; None is a category as others are."""
    if position not in estimator._missing_indices:
        return _codes(estimator, position, [missing])[0]
    code = estimator.encoded_missing_value
    if is_missing(code):
        return None
    if int(code) != code:
        raise Refusal(f"encoded_missing_value is {code}, not an integer")
    return int(code)


def _float(value: int | None) -> float | None:
    return None if value is None else float(value)


@exports("TargetEncoder")
def target_encoder(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """A category's mean target, one for each class of a multiclass target; the overall mean for unknown ones."""
    multiclass = estimator.target_type_ == "multiclass"
    classes = len(estimator.classes_) if multiclass else 1
    means = [float(mean) for mean in np.atleast_1d(estimator.target_mean_)]
    columns: list[Column] = []
    for position, categories in enumerate(_categories(estimator, matrix, context)):
        encodings = estimator.encodings_[position * classes : (position + 1) * classes]

        def encoded(at: int, encodings: Sequence[Any] = encodings) -> Any:
            values = [float(encoding[at]) for encoding in encodings]
            return values if multiclass else values[0]

        unknown: Any = means if multiclass else means[0]
        null = unknown if categories.missing is None else encoded(categories.missing)
        values = [encoded(at) for at in categories.positions]
        result = ex.map_values(categories.expression, categories.values, values, unknown=unknown, null=null)
        name = matrix.columns[position].name
        if multiclass:
            columns += vector_columns(result, name, [str(label) for label in estimator.classes_])
        else:
            columns.append(scalar_column(name, result))
    return columns
