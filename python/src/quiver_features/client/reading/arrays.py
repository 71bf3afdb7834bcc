"""NumPy's arrays, plain, masked and sparse."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..vectors import Array, Lists, Mask, Numbers, TimeKind, Times, Unreadable, Vector
from .objects import of_objects

_NAT = np.iinfo(np.int64).min


def read(array: Array) -> Vector:
    """An array of one dimension; of two as a list in each row.

    Raises:
        Unreadable: If it has more or fewer, or elements of a type that no input has.
    """
    if not isinstance(array, np.ma.MaskedArray):
        # Of a subclass such as a matrix, a part has dimensions of its own.
        array = np.asarray(array)
    if array.ndim == 2:
        rows, width = array.shape
        elements = read(array.reshape(-1))
        assert not isinstance(elements, Lists)
        return Lists(np.full(rows, width, np.int64), elements)
    if array.ndim != 1:
        raise Unreadable(f"has {array.ndim} dimensions, must have one")
    if isinstance(array, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(array)
        if array.dtype.kind in "biufMm":
            return _typed(array.data, mask)
        return of_objects([None if hidden else value for value, hidden in zip(array.data.tolist(), mask, strict=True)])
    return _typed(array, None)


def _typed(array: Array, missing: Mask | None) -> Vector:
    if array.dtype.kind in "Mm":
        return times(array, missing)
    if array.dtype.kind in "biuf":
        return Numbers(array, missing)
    if array.dtype.kind in "cV":
        raise Unreadable(f"holds {array.dtype}, which no input has")
    return of_objects(array.tolist())


def times(array: Array, missing: Mask | None = None, *, zoned: bool = False) -> Times:
    """datetime64 and timedelta64 of any unit.

    Args:
        array: Of one dimension.
        missing: The rows that are null beside those that are NaT.
        zoned: Whether moments are of UTC.

    Raises:
        Unreadable: If they have no unit, or one of no fixed length.
    """
    unit, many = np.datetime_data(array.dtype)
    kind: TimeKind = "duration" if array.dtype.kind == "m" else "instant" if zoned else "local"
    if kind == "duration" and unit in {"Y", "M"}:
        raise Unreadable(f"holds {array.dtype}, a unit of no fixed length; convert it to days or seconds")
    if unit == "generic":
        if not np.isnat(array).all():
            raise Unreadable(f"holds {array.dtype} without a unit; give it one, as in astype('{array.dtype.kind}8[s]')")
        unit = "s"
    if many != 1 or unit in {"Y", "M"}:
        unit = "D" if unit in {"Y", "M"} else unit
        array = array.astype(f"{array.dtype.kind}8[{unit}]")
    counts = array.astype(array.dtype.newbyteorder("="), copy=False).view(np.int64)
    absent = counts == _NAT
    if missing is not None:
        absent |= missing
    return Times(counts, unit, kind, absent if absent.any() else None)


def of_sparse(values: Any) -> Vector:
    """A column or a matrix of SciPy; what is not stored is 0."""
    if not hasattr(values, "toarray"):
        raise Unreadable(f"is a {type(values).__name__}, not a column of values")
    array = np.asarray(values.toarray())
    return read(array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array)
