"""Whole numbers."""

from __future__ import annotations

import decimal
from typing import Any

import numpy as np

from ..vectors import Array, Coded, Mask, Numbers, Objects, Vector, is_missing
from .unfit import Unfit, mask_of, unfit, unfit_column, zero_filled

INT64 = (-(1 << 63), (1 << 63) - 1)
UINT64 = (0, (1 << 64) - 1)

_RULE = "must hold integers"
_ROUNDED = (
    "which may have been rounded: its float type is exact only below 2^{bits}; send integers, where some are null as "
    "pandas' nullable Int64 or from Arrow"
)


def integers(vector: Vector, limits: tuple[int, int]) -> tuple[list[int], Mask | None]:
    """The values, 0 where they are null, and the rows that are.

    Floats are accepted where they are whole and can't have been rounded.

    Raises:
        Unfit: At the first value that is no integer or out of range.
    """
    if isinstance(vector, Coded):
        vector = vector.decoded()
    if isinstance(vector, Numbers):
        return _of_numbers(vector, limits)
    if isinstance(vector, Objects):
        return _of_objects(vector.values, limits)
    raise unfit_column(vector, _RULE)


def _of_numbers(vector: Numbers, limits: tuple[int, int]) -> tuple[list[int], Mask | None]:
    values, missing = zero_filled(vector)
    if values.dtype.kind == "f":
        _check_whole(values)
    if len(values):
        _check_limits(values, limits)
    return values.astype(np.int64).tolist() if values.dtype.kind == "f" else values.tolist(), missing


def _check_whole(values: Array) -> None:
    bits = np.finfo(values.dtype).nmant + 1
    with np.errstate(invalid="ignore"):
        wrong = (values != np.floor(values)) | (np.abs(values) >= 2.0**bits)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise _unfit_float(values[at], at)


def _unfit_float(value: Any, at: int) -> Unfit:
    whole = np.isfinite(value) and value == np.floor(value)
    return Unfit(repr(float(value)), _ROUNDED.format(bits=_bits(value)) if whole else _RULE, at)


def _bits(value: Any) -> int:
    """Whole numbers below 2 to this power are exact in a float's type."""
    return int(np.finfo(value.dtype if isinstance(value, np.floating) else np.float64).nmant) + 1


def _check_limits(values: Array, limits: tuple[int, int]) -> None:
    for edge in (values.min(), values.max()):
        if not limits[0] <= int(edge) <= limits[1]:
            at = int(np.argmax(values == edge))
            raise _out_of_range(int(edge), at)


def _out_of_range(value: int, at: int) -> Unfit:
    return unfit(value, "which is out of range", at)


def _of_objects(values: list[Any], limits: tuple[int, int]) -> tuple[list[int], Mask | None]:
    missing = None
    if set(map(type, values)) != {int}:
        nulls = [at for at, value in enumerate(values) if is_missing(value)]
        missing = mask_of(nulls, len(values))
        hidden = set(nulls)
        values = [0 if at in hidden else _integer(value, at) for at, value in enumerate(values)]
    if values and not (limits[0] <= min(values) and max(values) <= limits[1]):
        at = next(at for at, value in enumerate(values) if not limits[0] <= value <= limits[1])
        raise _out_of_range(values[at], at)
    return values, missing


def _integer(value: Any, at: int) -> int:
    if isinstance(value, (int, np.integer, np.bool_)) and not isinstance(value, np.timedelta64):
        return int(value)
    if isinstance(value, (float, np.floating)):
        if float(value).is_integer() and abs(float(value)) < 2.0 ** _bits(value):
            return int(value)
        raise _unfit_float(value, at)
    if isinstance(value, decimal.Decimal) and value.is_finite() and value == value.to_integral_value():
        return int(value)
    raise unfit(value, _RULE, at)
