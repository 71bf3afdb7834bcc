"""Missing values: SimpleImputer, MissingIndicator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .. import expressions as ex
from ..columns import Column
from ..containers import numpy_types
from ..expressions import Expression
from ..matrix import Matrix, parts, scalar_column, scalars
from ..nulls import is_missing
from ..problems import Refusal
from ..registry import Context, exports
from ..walk import transformed


@exports("SimpleImputer")
def simple_imputer(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """The fitted value in the place of what is missing, then the indicators of add_indicator."""
    statistics = list(estimator.statistics_)
    kept = [
        position
        for position, statistic in enumerate(statistics)
        if estimator.keep_empty_features or not is_missing(statistic)
    ]
    if any(not is_missing(one) and not isinstance(one, (str, int, float, np.number)) for one in statistics):
        raise Refusal("a fitted value is neither a number nor text")
    # Where the library computes in floats, None has become NaN.
    of_floats = estimator._fit_dtype.kind == "f"
    dtypes = _output_types(estimator, matrix)
    columns: list[Column] = []
    chosen = [matrix.columns[position] for position in kept]
    for part in parts(chosen):
        fills = [_fill(statistics[kept[at]], dtypes[at]) for at in part.positions]
        context.hint(part.expression, [] if is_missing(estimator.missing_values) else [estimator.missing_values])
        of_part = [chosen[at] for at in part.positions]
        x, missing = part.expression, estimator.missing_values
        is_held = of_floats or not is_missing(missing) or context.holds(x, missing)
        # Otherwise it leaves None alone where missing_values is NaN, and the other way round.
        columns += _imputed(x, fills, missing, of_part) if is_held else of_part
    if estimator.add_indicator:
        columns += _indicators(estimator.indicator_, matrix.columns, context, of_floats=of_floats)
    return columns


def _output_types(estimator: Any, matrix: Matrix) -> list[np.dtype[Any]]:
    """The type of each column that the library gives; without the indicators, which would make them one type."""
    return numpy_types(transformed(estimator, matrix.data))


def _fill(statistic: Any, dtype: np.dtype[Any]) -> Any:
    value = statistic.item() if isinstance(statistic, np.generic) else statistic
    if dtype.kind == "f" and isinstance(value, (bool, int, float)):
        return float(dtype.type(value))
    return value


def _imputed(x: Expression, fills: list[Any], missing: Any, columns: Sequence[Column]) -> Sequence[Column]:
    x = _of_fill_type(x, fills)
    element = x.type.element
    if not is_missing(missing):
        singles = scalars(columns)
        sentinel = _of_element(missing, element)
        return [
            scalar_column(column.name, _replaced(_of_fill_type(single, fills), sentinel, fill))
            for column, single, fill in zip(columns, singles, fills, strict=True)
        ]
    value = fills[0] if len(set(fills)) == 1 else fills
    result = ex.impute(x, value, nan="impute" if element == "float64" else "keep")
    scalar = result.type.width is None
    return [
        Column(column.name, result, None if scalar else lane, column.name if scalar else column.group)
        for lane, column in enumerate(columns)
    ]


def _of_fill_type(x: Expression, fills: list[Any]) -> Expression:
    """The expression in a type that can hold the fills."""
    if x.type.list:
        raise Refusal("takes single values, its input holds lists")
    strings = [isinstance(fill, str) for fill in fills]
    if any(strings) != (x.type.element == "string") or (any(strings) and not all(strings)):
        raise Refusal(f"fills {fills[0]!r} into a column of {x.type.element}")
    if x.type.element in {"int64", "uint64"} and all(float(fill).is_integer() for fill in fills):
        fills[:] = [int(fill) for fill in fills]
        return x
    if x.type.element == "bool" and all(fill in (0, 1) for fill in fills):
        fills[:] = [bool(fill) for fill in fills]
        return x
    return x if x.type.element == "string" else ex.cast(x, "float64")


def _of_element(value: Any, element: str) -> Any:
    """A sentinel as a value of the column's type."""
    value = value.item() if isinstance(value, np.generic) else value
    if element == "string":
        if isinstance(value, str):
            return value
    elif isinstance(value, (bool, int, float)):
        if element == "float64":
            return float(value)
        if float(value).is_integer():
            return bool(value) if element == "bool" else int(value)
    raise Refusal(f"missing_values is {value!r}, which a column of {element} does not hold")


def _replaced(x: Expression, sentinel: Any, fill: Any) -> Expression:
    return ex.choose(ex.equal(x, ex.constant(x, sentinel)), ex.constant(x, fill), x)


@exports("MissingIndicator")
def missing_indicator(estimator: Any, matrix: Matrix, context: Context) -> Sequence[Column]:
    """1 where a column's value is missing, for the columns that it was fitted to report."""
    return _indicators(estimator, matrix.columns, context)


def _indicators(
    estimator: Any, columns: Iterable[Column], context: Context, *, of_floats: bool = False
) -> Sequence[Column]:
    columns = list(columns)
    results = []
    for position in (int(feature) for feature in estimator.features_):
        x = scalars([columns[position]])[0]
        if is_missing(estimator.missing_values):
            if not of_floats and not context.holds(x, estimator.missing_values):
                raise Refusal(f"column {columns[position].name!r}: the sample's missing values are of another kind")
            indicator = ex.missing_indicator(x)
        else:
            sentinel = _of_element(estimator.missing_values, x.type.element)
            indicator = ex.cast(ex.equal(x, ex.constant(x, sentinel)), "float64")
        results.append(scalar_column(f"missingindicator_{columns[position].name}", indicator))
    return results
