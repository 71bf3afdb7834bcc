"""Affine scalers: StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler; and the row-wise Normalizer.

For float32 data scikit-learn rounds after each operation. StandardScaler casts its parameters to float32 first from
1.8 on; the others keep them in float64. For sparse data all of them multiply by reciprocals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import expressions as ex
from ..columns import Columns
from ..expressions import Expression
from ..matrix import Matrix, elementwise, instead, number, numbers, per_lane, rounded, vector, work_type
from ..problems import Refusal
from ..registry import Context, exports

_STANDARD_CASTS_PARAMETERS = (1, 8)


def hint_range(context: Context, matrix: Matrix, low: Any, high: Any) -> None:
    """Gives golden rows the fitted range of each column."""
    for position, column in enumerate(matrix.columns):
        context.hint(column.expression, [low[position], high[position]])


def reciprocal(columns: Columns, scale: Any, precision: str) -> Columns:
    """x * (1 / scale) with the reciprocal in the scale's own type, as for sparse data."""
    factors = 1.0 / np.asarray(scale)

    def scaled(x: Expression, at: Sequence[int]) -> Expression:
        factor = per_lane(factors, at)
        return ex.standardize(number(x), 0.0, factor, form="multiply", precision=precision)

    return elementwise(columns, scaled)


@exports("StandardScaler")
def standard_scaler(estimator: Any, matrix: Matrix, context: Context) -> Columns:
    """(x - mean_) / scale_."""
    precision = work_type(matrix.data)
    count = len(matrix.columns)
    mean = estimator.mean_ if estimator.with_mean else np.zeros(count)
    scale = estimator.scale_ if estimator.with_std else np.ones(count)
    if not estimator.with_mean and not estimator.with_std:
        return numbers(matrix.columns)
    if matrix.is_sparse:
        return reciprocal(matrix.columns, scale, precision)
    if precision == "float32" and context.library >= _STANDARD_CASTS_PARAMETERS:
        mean, scale = np.asarray(mean).astype(np.float32), np.asarray(scale).astype(np.float32)
    hint_range(context, matrix, mean, mean + scale)

    def scaled(x: Expression, at: Sequence[int]) -> Expression:
        return ex.standardize(number(x), per_lane(mean, at), per_lane(scale, at), form="divide", precision=precision)

    return elementwise(matrix.columns, scaled)


@exports("MinMaxScaler")
def min_max_scaler(estimator: Any, matrix: Matrix, context: Context) -> Columns:
    """x * scale_ + min_, clipped where the estimator says so."""
    precision = work_type(matrix.data)
    clip: Any = "none"
    if estimator.clip:
        clip = [float(np.asarray(bound, dtype=precision)) for bound in estimator.feature_range]
    hint_range(context, matrix, estimator.data_min_, estimator.data_max_)

    def scaled(x: Expression, at: Sequence[int]) -> Expression:
        scale, minimum = per_lane(estimator.scale_, at), per_lane(estimator.min_, at)
        return ex.min_max(number(x), scale, minimum, clip=clip, precision=precision)

    return elementwise(matrix.columns, scaled)


@exports("MaxAbsScaler")
def max_abs_scaler(estimator: Any, matrix: Matrix, context: Context) -> Columns:
    """x / scale_, clipped to [-1, 1] where the estimator says so."""
    precision = work_type(matrix.data)
    hint_range(context, matrix, -estimator.max_abs_, estimator.max_abs_)
    if matrix.is_sparse:
        columns = reciprocal(matrix.columns, estimator.scale_, precision)
    else:
        columns = elementwise(
            matrix.columns,
            lambda x, at: ex.max_abs(number(x), per_lane(estimator.scale_, at), precision=precision),
        )
    if getattr(estimator, "clip", False):
        columns = elementwise(columns, lambda x, _: ex.clip(x, -1.0, 1.0))
    return columns


@exports("RobustScaler")
def robust_scaler(estimator: Any, matrix: Matrix, context: Context) -> Columns:
    """(x - center_) / scale_."""
    precision = work_type(matrix.data)
    count = len(matrix.columns)
    center = estimator.center_ if estimator.with_centering else np.zeros(count)
    scale = estimator.scale_ if estimator.with_scaling else np.ones(count)
    if not estimator.with_centering and not estimator.with_scaling:
        return numbers(matrix.columns)
    if matrix.is_sparse:
        return reciprocal(matrix.columns, scale, precision)
    hint_range(context, matrix, center, center + scale)

    def scaled(x: Expression, at: Sequence[int]) -> Expression:
        return ex.robust_scale(number(x), per_lane(center, at), per_lane(scale, at), precision=precision)

    return elementwise(matrix.columns, scaled)


@exports("Normalizer")
def normalizer(estimator: Any, matrix: Matrix, context: Context) -> Columns:
    """Each row divided by its norm."""
    if estimator.norm not in {"l1", "l2", "max"}:
        raise Refusal(f"norm is {estimator.norm!r}")
    precision = work_type(matrix.data)
    float32 = precision == "float32"
    # Of a sparse matrix only a norm of 0 counts as 0.
    zero_below = 0.0 if matrix.is_sparse else 10 * float(np.finfo(precision).eps)
    whole = ex.normalize(vector(matrix.columns), estimator.norm, zero_below)
    if float32 and estimator.norm != "max" and not matrix.is_sparse:
        # The sum is in float32 and in an order of its own. For sparse data it is in float64.
        whole = whole.rough()
    if not matrix.is_sparse and estimator.norm != "max":
        context.unsteady.add(context.path[-1])
        context.differing |= _at_the_limit(matrix.data, estimator.norm, precision)
    return rounded(instead(matrix.columns, whole, "normalizer"), matrix.data)


def _at_the_limit(data: Any, norm: str, precision: str) -> set[int]:
    """The rows whose norm is so near the limit below which it counts as 0 that the last bit of the sum decides."""
    values = np.abs(np.asarray(data, dtype=np.float64))
    norms = values.sum(axis=1) if norm == "l1" else np.sqrt((values**2).sum(axis=1))
    limit = 10 * float(np.finfo(precision).eps)
    return {int(row) for row in np.flatnonzero(np.abs(norms - limit) < 1e-5 * limit)}
