"""Several columns out of few: PolynomialFeatures, SplineTransformer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .. import expressions as ex
from ..columns import Column
from ..hard_values import Inside
from ..matrix import Matrix, number, rounded, scalars, vector, vector_columns, work_type
from ..problems import Refusal
from ..registry import Context, exports

_KNOTS_TO_TRY = 100


@exports("PolynomialFeatures")
def polynomial_features(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """Products of powers, one for each row of powers_."""
    powers = np.asarray(estimator.powers_)
    whole = ex.polynomial(vector(matrix.columns), powers.tolist())
    if work_type(matrix.data) == "float32" and powers.sum(axis=1).max(initial=0) > 2:
        # Each of several multiplications is rounded to float32.
        whole = whole.rough()
    return rounded(vector_columns(whole, "polynomialfeatures"), matrix.data)


@exports("SplineTransformer")
def spline_transformer(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """The B-spline basis of each column."""
    columns: list[Column] = []
    if estimator.extrapolation == "linear" and estimator.degree <= 1 and len(matrix.columns) > 1:
        # Its loop over columns raises the degree for all columns after the first.
        raise Refusal(
            "extrapolation='linear' with a degree below 2 depends on a column's place; use one for each column"
        )
    zeros = getattr(estimator, "handle_missing", "error") == "zeros"
    for position, (column, x) in enumerate(zip(matrix.columns, scalars(matrix.columns), strict=True)):
        basis = estimator.bsplines_[position]
        knots = [float(knot) for knot in basis.t]
        if not np.isfinite(knots).all():
            raise Refusal("fitted knots are not finite; was a column missing throughout?")
        if knots[basis.k] >= knots[-basis.k - 1]:
            raise Refusal(f"column {column.name!r} was constant when it was fitted, its knots are all one")
        inner = knots[basis.k : -basis.k or None][:_KNOTS_TO_TRY]
        between = [Inside(one + (other - one) / 3) for one, other in pairwise(inner)]
        context.hint(column.expression, inner + between)
        splines = int(basis.c.shape[1])
        result = ex.spline(
            number(x), knots, int(basis.k), splines, estimator.extrapolation, bool(estimator.include_bias)
        )
        if zeros:
            result = ex.impute(result, 0.0, nan="impute")
        names = [f"sp_{spline}" for spline in range(result.type.lanes)]
        columns += vector_columns(result, column.name, names)
    return rounded(columns, matrix.data)
