"""Fitted categories as the engine takes them: of one type, with what is missing apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import expressions as ex
from .expressions import Expression
from .nulls import is_missing
from .problems import Refusal
from .registry import Context

_SAFE_INTEGER = 1 << 53


@dataclass(frozen=True)
class Categories:
    """Categories beside the expression that they are compared with.

    Attributes:
        expression: The input, cast where the categories are of another number type.
        values: The present categories as Python values of one type, in order.
        positions: For each of them its position among all categories.
        missing: The position of the missing category, or None where none was fitted.
    """

    expression: Expression
    values: list[Any]
    positions: list[int]
    missing: int | None


def read(categories: Sequence[Any], expression: Expression, context: Context) -> Categories:
    """Splits what is missing from the rest and brings both sides to one type."""
    present = [position for position, value in enumerate(categories) if not is_missing(value)]
    missing = [position for position, value in enumerate(categories) if is_missing(value)]
    if len(missing) > 1:
        raise Refusal("None and NaN are both categories of a column; a request knows only one kind of missing value")
    if missing and not context.holds(expression, categories[missing[0]]):
        raise Refusal(f"the category {categories[missing[0]]!r} is not what stands for missing values in the sample")
    values = [_plain(categories[position]) for position in present]
    expression, values = _of_one_type(values, expression)
    return Categories(expression, values, present, missing[0] if missing else None)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _of_one_type(values: list[Any], expression: Expression) -> tuple[Expression, list[Any]]:
    element = expression.type.element
    if expression.type.list:
        raise Refusal("takes single categories, its input holds lists")
    if element == "string":
        wrong = [value for value in values if not isinstance(value, str)]
        if wrong:
            raise Refusal(f"the category {wrong[0]!r} is not a string, the column's values are")
        return expression, values
    wrong = [value for value in values if not isinstance(value, (bool, int, float))]
    if wrong:
        raise Refusal(f"the category {wrong[0]!r} is not a number, the column's values are")
    if element == "bool" and all(isinstance(value, bool) or value in (0, 1) for value in values):
        return expression, [bool(value) for value in values]
    # Among floats from 2^53 on the library finds an integer's nearest float.
    rounded = any(isinstance(value, float) and abs(value) >= _SAFE_INTEGER for value in values)
    if element in {"int64", "uint64"} and not rounded and all(float(value).is_integer() for value in values):
        return expression, [int(value) for value in values]
    return ex.cast(expression, "float64"), [float(value) for value in values]
