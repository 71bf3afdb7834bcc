"""pandas' Series, indexes and arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..vectors import Coded, Lists, Numbers, Objects, Unreadable, Vector
from . import arrays, arrow
from .objects import of_objects


def read(values: Any) -> Vector:
    """A column of any of pandas' types.

    Raises:
        Unreadable: If it is none, or of a type that no input has.
    """
    dtype = getattr(values, "dtype", None)
    if dtype is None or getattr(values, "ndim", 1) != 1:
        raise Unreadable(f"is a {type(values).__name__}, not a column of values")
    if isinstance(dtype, np.dtype):
        return arrays.read(np.asarray(values))
    extension = getattr(values, "array", values)
    if hasattr(extension, "__arrow_array__") and "Arrow" in type(extension).__name__:
        return arrow.read(extension.__arrow_array__())
    kind = type(dtype).__name__
    if kind == "CategoricalDtype":
        return _categories(extension)
    if kind == "DatetimeTZDtype":
        utc = extension.tz_convert("UTC").tz_localize(None)
        return arrays.times(np.asarray(utc), zoned=True)
    if kind == "SparseDtype":
        return arrays.read(np.asarray(extension))
    if kind in {"PeriodDtype", "IntervalDtype"}:
        raise Unreadable(f"holds {dtype}, spans of time or numbers; send their starts")
    plain = getattr(dtype, "numpy_dtype", None)
    if isinstance(plain, np.dtype) and plain.kind in "biuf":
        missing = np.asarray(extension.isna())
        filled = extension.to_numpy(dtype=plain, na_value=plain.type(0))
        return Numbers(filled, missing if missing.any() else None)
    return of_objects(list(extension))


def _categories(column: Any) -> Vector:
    distinct = read(column.categories)
    if isinstance(distinct, (Coded, Lists)):
        distinct = Objects(list(column.categories))
    return Coded(np.asarray(column.codes), distinct)
