"""Floats of 32 and 64 bits."""

from __future__ import annotations

import decimal
import numbers
from typing import Any

import numpy as np

from ..vectors import Array, Coded, Mask, Numbers, Objects, Vector, is_missing
from .unfit import Unfit, mask_of, unfit, unfit_column

_RULE = "must hold numbers"

_EXACT = 1 << 53
"""Integers up to here are floats."""


def floats(vector: Vector, dtype: str) -> tuple[Array, Mask | None]:
    """The values in the type "float32" or "float64", little-endian, and the rows that are null.

    NaN is not null: the server knows what an input's NaN means. Floats and decimals become the type's nearest float,
    integers must be exact.

    Raises:
        Unfit: At the first value that is no number, too large for the type, or an integer that would be rounded.
    """
    if isinstance(vector, Coded):
        vector = vector.decoded()
    if isinstance(vector, Numbers):
        values, missing = vector.values, vector.missing
        if missing is not None:
            # What a mask hides is not sent.
            values = np.where(missing, values.dtype.type(0), values)
    elif isinstance(vector, Objects):
        values, missing = _of_objects(vector.values)
    else:
        raise unfit_column(vector, _RULE)
    if values.dtype.kind in "iu":
        _check_exact(values)
    with np.errstate(over="ignore", invalid="ignore"):
        packed = values.astype("<f4" if dtype == "float32" else "<f8", copy=False)
    if packed.dtype.itemsize < values.dtype.itemsize and values.dtype.kind == "f":
        _check_range(values, packed, dtype)
    return packed, missing


def _check_exact(values: Array) -> None:
    """Looks closely only at integers that a float may not hold."""
    large = (values > _EXACT) | (values < -_EXACT) if values.dtype.kind == "i" else values > _EXACT
    for at in np.flatnonzero(large).tolist():
        _exact(int(values[at]), at)


def _exact(value: int, at: int) -> float:
    """An integer as the same float."""
    try:
        number = float(value)
    except OverflowError:
        raise unfit(value, "which is too large for float64", at) from None
    if int(number) != value:
        raise unfit(value, "which a float would round; send it as the float that the pipeline was fitted on", at)
    return number


def _check_range(values: Array, packed: Array, dtype: str) -> None:
    beyond = np.isinf(packed) & np.isfinite(values)
    if beyond.any():
        at = int(np.argmax(beyond))
        raise Unfit(repr(values[at].item()), f"which is too large for {dtype}", at)


def _of_objects(values: list[Any]) -> tuple[Array, Mask | None]:
    kinds = set(map(type, values))
    if kinds <= {float, int, bool} and not (int in kinds and any(abs(one) > _EXACT for one in values)):
        return np.array(values, dtype=np.float64), None
    array = np.zeros(len(values))
    nulls = []
    for at, value in enumerate(values):
        if isinstance(value, (float, np.floating)):
            array[at] = value
        elif is_missing(value) and not isinstance(value, decimal.Decimal):
            nulls.append(at)
        else:
            array[at] = _float(value, at)
    return array, mask_of(nulls, len(values))


def _float(value: Any, at: int) -> float:
    if isinstance(value, (int, np.integer)) and not isinstance(value, np.timedelta64):
        return _exact(int(value), at)
    if not isinstance(value, (numbers.Real, np.bool_, decimal.Decimal)):
        raise unfit(value, _RULE, at)
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    except ValueError:
        # A signalling NaN.
        raise unfit(value, _RULE, at) from None
    if abs(number) == float("inf") and not (isinstance(value, decimal.Decimal) and value.is_infinite()):
        raise unfit(value, "which is too large for float64", at)
    return number
