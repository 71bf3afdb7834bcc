"""Transforms of a column's distribution: QuantileTransformer, PowerTransformer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .. import expressions as ex
from ..columns import Column, Columns
from ..containers import dense
from ..expressions import Expression
from ..hard_values import Inside
from ..matrix import Matrix, elementwise, number, per_lane, scalar_column, scalars, work_type
from ..problems import Refusal
from ..registry import Context, exports
from .scaling import standard_scaler

_POWER_BY_SCIPY = (1, 9)
_KNOTS_TO_TRY = 5
_NEARLY_A_LOGARITHM = 1e-6
"""So near to the exponents of a logarithm the power's last bit decides on the difference to 1."""
_SEGMENTS_TO_TRY = 1000


@exports("QuantileTransformer")
def quantile_transformer(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """The mean of interpolations from both sides over the fitted quantiles."""
    if matrix.is_sparse:
        raise Refusal("its input is sparse; only dense input can be expressed")
    if not np.isfinite(estimator.quantiles_).all():
        raise Refusal("fitted quantiles are not finite; was a column missing throughout?")
    precision = work_type(matrix.data)
    references = [float(reference) for reference in estimator.references_]
    columns = []
    for position, (column, x) in enumerate(zip(matrix.columns, scalars(matrix.columns), strict=True)):
        quantiles = [float(knot) for knot in estimator.quantiles_[:, position]]
        context.hint(column.expression, _knots_to_try(quantiles))
        result = ex.quantile(number(x), quantiles, references, estimator.output_distribution, precision=precision)
        columns.append(scalar_column(column.name, result))
    return columns


def _knots_to_try(quantiles: list[float]) -> list[float]:
    step = max(1, len(quantiles) // _KNOTS_TO_TRY)
    repeated = [one for one, other in pairwise(quantiles) if one == other]
    return [quantiles[0], quantiles[-1], *quantiles[::step], *repeated[:2], *_segments(quantiles)]


def _segments(quantiles: list[float]) -> list[Inside]:
    """A value in every second segment: what it becomes depends on both knots beside it, and on their references."""
    segments = [(one, other) for one, other in pairwise(quantiles) if one < other]
    step = max(2, len(segments) // _SEGMENTS_TO_TRY)
    # The last one holds a knot that no other may hold.
    return [Inside(one + (other - one) / 3) for one, other in [*segments[::step], *segments[-1:]]]


def _cancelling(data: Any, lambdas: np.ndarray[Any, Any]) -> set[int]:
    """The rows for which Yeo-Johnson is a power of nearly 1, less 1, over nearly 0."""
    values = dense(data)
    above = (np.abs(lambdas) < _NEARLY_A_LOGARITHM) & (np.abs(lambdas) > np.spacing(1.0))
    below = (np.abs(lambdas - 2) < _NEARLY_A_LOGARITHM) & (np.abs(lambdas - 2) > np.spacing(1.0))
    rows = (((values >= 0) & above) | ((values < 0) & below)).any(axis=1)
    return {int(row) for row in np.flatnonzero(rows)}


@exports("PowerTransformer")
def power_transformer(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """Yeo-Johnson or Box-Cox with the fitted lambdas, then standardizing where the estimator says so."""
    method = estimator.method.replace("-", "_")
    float32 = work_type(matrix.data) == "float32"
    # Box-Cox has been scipy's in every version, Yeo-Johnson only later.
    form = "expm1" if method == "box_cox" or context.library >= _POWER_BY_SCIPY else "power"
    if float32 and form == "power":
        if estimator.lambdas_.dtype != np.float32:
            raise Refusal("was fitted with float64 data, here it gets float32: cast that to float64")
        form = "power_float32"

    def powered(x: Expression, at: Sequence[int]) -> Expression:
        result = ex.power(number(x), method, per_lane(estimator.lambdas_, at), form=form)
        return ex.cast(result.rough(), "float32") if float32 else result

    if form == "power":
        context.unsteady.add(context.path[-1])
        context.differing |= _cancelling(matrix.data, np.asarray(estimator.lambdas_, np.float64))
    for column in matrix.columns:
        context.hint(column.expression, [1e-10, -1e-10, -1.0, 1.0])
    columns = elementwise(matrix.columns, powered)
    if not estimator.standardize:
        return columns
    data = np.zeros((1, len(columns)), dtype=work_type(matrix.data))
    return standard_scaler(estimator._scaler, Matrix(Columns.of(columns), data), context)
