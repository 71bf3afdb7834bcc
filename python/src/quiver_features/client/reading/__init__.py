"""Reads columns of Python, NumPy, pandas, Arrow and polars; none of these libraries is imported before it is needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np

from ..vectors import Moment, Unreadable, Vector, shown
from . import arrays, arrow, pandas, polars
from .libraries import library_of as library_of
from .objects import of_objects
from .times import Time

_READERS = {"pandas": pandas.read, "pyarrow": arrow.read, "polars": polars.read, "scipy": arrays.of_sparse}


def is_column(value: Any) -> bool:
    """Whether an object holds values, rather than being one."""
    if type(value) is list or type(value) is np.ndarray:
        # Most are, and the checks below are slow.
        return getattr(value, "ndim", 1) > 0
    if isinstance(value, (str, bytes, bytearray, Mapping, np.generic, Moment)):
        return False
    if isinstance(value, (Sequence, AbstractSet, Time)):
        return True
    return hasattr(value, "__len__") and getattr(value, "ndim", 1) > 0 and not hasattr(value, "as_py")


def read(values: Any) -> Vector:
    """Reads a column.

    Raises:
        Unreadable: If it can't be read as one.
    """
    if type(values) is list:
        return of_objects(values)
    if isinstance(values, np.ndarray):
        return arrays.read(values)
    if isinstance(values, Time):
        return values.stamped(read(values.values if is_column(values.values) else [values.values]))
    reader = _READERS.get(library_of(values))
    if reader is not None:
        return reader(values)
    if isinstance(values, (str, bytes, bytearray, Mapping)) or not isinstance(values, Iterable):
        raise Unreadable(f"is {shown(values)}, not a column of values")
    if isinstance(values, AbstractSet):
        raise Unreadable("is a set, whose values have no order; send a list")
    if hasattr(values, "__array__"):
        return arrays.read(np.asarray(values))
    return of_objects(list(values))
