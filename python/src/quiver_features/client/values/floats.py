"""Floats of 32 and 64 bits."""

from __future__ import annotations

import decimal
import numbers
from typing import Any

import numpy as np

from ..vectors import Array, Coded, Mask, Numbers, Objects, Vector, is_missing
from .unfit import Unfit, mask_of, unfit, unfit_column

_RULE = "must hold numbers"


def floats(vector: Vector, dtype: str) -> tuple[Array, Mask | None]:
    """The values in the type "float32" or "float64", little-endian, and the rows that are null.

    NaN is not null: the server knows what an input's NaN means. Decimals and integers become the nearest float.

    Raises:
        Unfit: At the first value that is no number, or too large for the type.
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
    with np.errstate(over="ignore", invalid="ignore"):
        packed = values.astype("<f4" if dtype == "float32" else "<f8", copy=False)
    if packed.dtype.itemsize < values.dtype.itemsize and values.dtype.kind == "f":
        _check_range(values, packed, dtype)
    return packed, missing


def _check_range(values: Array, packed: Array, dtype: str) -> None:
    beyond = np.isinf(packed) & np.isfinite(values)
    if beyond.any():
        at = int(np.argmax(beyond))
        raise Unfit(repr(values[at].item()), f"which is too large for {dtype}", at)


def _of_objects(values: list[Any]) -> tuple[Array, Mask | None]:
    if set(map(type, values)) <= {float, int, bool}:
        try:
            return np.array(values, dtype=np.float64), None
        except OverflowError:
            pass
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
