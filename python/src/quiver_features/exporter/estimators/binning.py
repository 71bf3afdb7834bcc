"""Numbers to bins: KBinsDiscretizer, Binarizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import expressions as ex
from ..columns import Column
from ..expressions import Expression
from ..matrix import Matrix, elementwise, number, scalar_column, scalars, vector_columns, work_type
from ..problems import Refusal
from ..registry import Context, exports

_EDGES_TO_TRY = 200


@exports("KBinsDiscretizer")
def k_bins_discretizer(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """The bin by the inner edges, closed on the left, as a number or one-hot."""
    narrows = estimator.dtype is not None and np.dtype(estimator.dtype) == np.float32
    narrows = narrows and work_type(matrix.data) == "float64"
    columns: list[Column] = []
    for position, (column, x) in enumerate(zip(matrix.columns, scalars(matrix.columns), strict=True)):
        edges = [float(edge) for edge in estimator.bin_edges_[position]]
        context.hint(column.expression, edges[:_EDGES_TO_TRY] + edges[-1:])
        values = ex.cast(number(x), "float32") if narrows else number(x)
        binned = ex.bucketize(values, edges[1:-1])
        if estimator.encode == "ordinal":
            columns.append(scalar_column(column.name, binned))
            continue
        count = int(estimator.n_bins_[position])
        hot = ex.one_hot(binned, range(count), [], drop=None, unknown="zeros", null="null")
        columns += vector_columns(hot, column.name)
    return columns


@exports("Binarizer")
def binarizer(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """1 above the threshold."""
    threshold: Any = estimator.threshold
    if not np.isscalar(threshold):
        raise Refusal("its threshold is not a single number")
    # A plain Python number is compared in the data's own float type.
    if work_type(matrix.data) == "float32" and not isinstance(threshold, np.float64):
        threshold = np.asarray(threshold, np.float32)

    def binarized(x: Expression, _: Sequence[int]) -> Expression:
        return ex.binarize(number(x), float(threshold))

    for column in matrix.columns:
        context.hint(column.expression, [float(threshold)])
    return elementwise(matrix.columns, binarized)
