"""polars' Series."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..vectors import Lists, Mask, Numbers, Objects, Times, Unreadable, Vector, objects_of

_BEYOND_NUMPY = {"Int128", "UInt128"}


def read(values: Any) -> Vector:
    """A column of any of polars' types.

    Raises:
        Unreadable: If it is none, or of a type that no input has.
    """
    import polars

    if not isinstance(values, polars.Series):
        raise Unreadable(f"is a polars {type(values).__name__}, not a column of values")
    dtype = values.dtype
    if dtype.is_numeric() and not dtype.is_decimal() and str(dtype) not in _BEYOND_NUMPY:
        return Numbers(_filled(values, 0).to_numpy(), _missing(values))
    if dtype == polars.Boolean:
        return Numbers(_filled(values, False).to_numpy(), _missing(values))
    if dtype in (polars.Datetime, polars.Date, polars.Duration):
        return _times(values)
    if dtype == polars.Array:
        values = values.arr.to_list()
    if values.dtype == polars.List:
        return _lists(values)
    if dtype == polars.Struct:
        raise Unreadable("is a struct column, whose rows can't leave a field out; send each field as a column")
    if dtype == polars.Time:
        raise Unreadable("holds times of day; send the durations since midnight")
    return Objects(values.to_list())


def _missing(values: Any) -> Mask | None:
    return values.is_null().to_numpy() if values.null_count() else None


def _filled(values: Any, value: Any) -> Any:
    return values.fill_null(value) if values.null_count() else values


def _times(values: Any) -> Times:
    import polars

    dtype = values.dtype
    counts = _filled(values.to_physical(), 0).to_numpy().astype(np.int64, copy=False)
    missing = _missing(values)
    if dtype == polars.Date:
        return Times(counts, "D", "local", missing)
    if dtype == polars.Duration:
        return Times(counts, dtype.time_unit, "duration", missing)
    return Times(counts, dtype.time_unit, "local" if dtype.time_zone is None else "instant", missing)


def _lists(values: Any) -> Lists:
    lengths = values.list.len()
    # A list without elements would become a null.
    elements = read(values.filter(_filled(lengths, 0) > 0).explode())
    if isinstance(elements, Lists):
        elements = Objects(objects_of(elements))
    return Lists(_filled(lengths, 0).to_numpy().astype(np.int64), elements, _missing(values))
