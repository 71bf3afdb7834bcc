"""From a column's type, as NumPy, pandas, Arrow and polars have it, to the input that a request has for it."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .nulls import is_missing
from .sources import EITHER, NEVER, UNDECIDED, Source, is_null

_NAN = float("nan")
_SAFE_INTEGER = 1 << 53


@dataclass(frozen=True)
class _Column:
    """A column on its way to a source.

    Attributes:
        name: The input's name.
        values: As Python objects.
        dtype: The container's own type.
        missing: As in Source.
        seen: As in Source.
    """

    name: str
    values: list[Any]
    dtype: Any
    missing: Any
    seen: Any = None

    def source(self, element: str, **more: Any) -> Source:
        return Source(self.name, element, self.values, self.dtype, self.missing, seen=self.seen, **more)

    def unusable(self, reason: str = "") -> Source:
        hint = _TIMES_HINT if _is_of_time(self) else ""
        return self.source(
            "unusable", problem=reason or f"its type is {self.dtype}, which the exporter does not read{hint}"
        )


_TIMES_HINT = (
    "; to use times as categories, cast them to text; to use a part of them, such as the hour, give the sample "
    "a column of it"
)


def _is_of_time(column: _Column) -> bool:
    """Whether it holds dates, times or durations of any library."""
    if getattr(column.dtype, "kind", "") in {"m", "M"}:
        return True
    kinds = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)
    present = [value for value in column.values if not is_null(value)]
    return bool(present) and all(isinstance(value, kinds) or hasattr(value, "freq") for value in present[:10])


def of_numpy(name: str, array: np.ndarray[Any, Any]) -> Source:
    """A column of an array."""
    dtype = array.dtype
    if dtype.hasobject or dtype.kind in "US":
        return of_objects(name, list(array), dtype)
    missing = _NAN if dtype.kind == "f" else NEVER
    return _of_numbers(_Column(name, [_plain(value) for value in array], dtype, missing), dtype)


def of_pandas(name: str, column: Any) -> Source:
    """A Series."""
    import pandas as pd

    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        return of_numpy(name, np.asarray(column))
    values = [_plain(value) for value in column]
    if isinstance(dtype, pd.CategoricalDtype):
        return _of_categories(name, values, dtype)
    if isinstance(dtype, pd.ArrowDtype):
        return _of_arrow_type(_Column(name, values, dtype, pd.NA), dtype.pyarrow_dtype)
    if isinstance(dtype, pd.SparseDtype) and dtype.subtype.kind == "b":
        # scikit-learn computes in booleans then.
        return _Column(name, values, dtype, NEVER).unusable(f"its type is {dtype}; cast it to Sparse[float64]")
    if isinstance(dtype, pd.SparseDtype):
        missing = _NAN if dtype.subtype.kind == "f" else NEVER
        return _of_numbers(_Column(name, values, dtype, missing), dtype.subtype)
    if isinstance(dtype, pd.StringDtype):
        return _Column(name, values, dtype, dtype.na_value).source("string")
    of_numpy_type = getattr(dtype, "numpy_dtype", None)
    column_of = _Column(name, values, dtype, pd.NA)
    return column_of.unusable() if of_numpy_type is None else _of_numbers(column_of, of_numpy_type)


def of_arrow(name: str, column: Any) -> Source:
    """A column of a Table. What the library makes of null depends on the other columns: NaN, or None among strings."""
    from pyarrow import types

    found = _of_arrow_type(_Column(name, column.to_pylist(), column.type, None, EITHER), column.type)
    if types.is_dictionary(column.type):
        if column.null_count:
            found.problem = f"its type is {column.type}, of which NumPy takes null for the last value; decode it"
        found.missing = found.seen = NEVER
    return _whole_beside_null(found)


def of_polars(name: str, column: Any) -> Source:
    """A polars Series."""
    of = column.to_arrow().type
    found = _of_arrow_type(_Column(name, column.to_list(), column.dtype, None, EITHER), of)
    found = _whole_beside_null(found)
    if found.element == "bool" and None not in found.values:
        # Beside none of their own, the library takes null for False.
        found.missing = found.seen = NEVER
    if found.element == "int64" and of.bit_width < 32:
        found.problem = f"its type is {column.dtype}, which becomes float32 where a row is null; cast it to Int64"
    return found


def numpy_type(dtype: Any) -> np.dtype[Any]:
    """The type in which NumPy computes a column of one of NumPy's, pandas' or Arrow's types; object for others."""
    if isinstance(dtype, np.dtype):
        return dtype
    # ArrowDtype has a NumPy type too, which is wrong for dictionaries.
    dtype = getattr(dtype, "pyarrow_dtype", dtype)
    found = getattr(dtype, "numpy_dtype", None) or getattr(dtype, "subtype", None)
    if found is None and hasattr(dtype, "to_pandas_dtype"):
        try:
            found = dtype.to_pandas_dtype()
        except NotImplementedError:
            # A dictionary, a time of day.
            found = None
    return np.dtype(found) if isinstance(found, (type, np.dtype)) else np.dtype(object)


def _of_numbers(column: _Column, dtype: np.dtype[Any]) -> Source:
    """A column of one of NumPy's types, whatever holds it."""
    if dtype.kind == "f":
        if dtype.itemsize not in (4, 8):
            return column.source("float64", problem=f"its type is {column.dtype}; cast it to float32 or float64")
        return column.source("float64", float32=dtype.itemsize == 4)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        element = "uint64" if dtype == np.uint64 else "int64"
        return column.source(element, limits=(int(limits.min), int(limits.max)))
    return column.source("bool") if dtype.kind == "b" else column.unusable()


def _of_arrow_type(column: _Column, of: Any) -> Source:
    from pyarrow import types

    if types.is_dictionary(of):
        return _of_arrow_type(column, of.value_type)
    if types.is_string(of) or types.is_large_string(of) or types.is_string_view(of):
        return replace(column, seen=None if column.seen is EITHER else column.seen).source("string")
    if types.is_boolean(of):
        return replace(column, seen=None if column.seen is EITHER else column.seen).source("bool")
    if types.is_floating(of) or types.is_integer(of):
        return _of_numbers(column, np.dtype(of.to_pandas_dtype()))
    if types.is_list(of) or types.is_large_list(of) or types.is_fixed_size_list(of) or types.is_struct(of):
        return of_objects(column.name, column.values, column.dtype)
    return column.unusable()


def _of_categories(name: str, values: list[Any], dtype: Any) -> Source:
    """A categorical column, whose missing values the library finds as NaN whatever the categories are."""
    found = of_objects(name, [_NAN if is_missing(value) else value for value in values], dtype)
    found.missing = found.seen = _NAN
    return _whole_beside_null(found)


def _whole_beside_null(source: Source) -> Source:
    """Has no golden rows with null in a column of large integers without it.

    One null makes floats of all integers of a call, so that they would be rounded, which they are not by themselves.
    """
    if source.element in {"int64", "uint64"} and not any(map(is_missing, source.values)):
        is_large = any(abs(value) >= _SAFE_INTEGER for value in source.values)
        source.missing, source.seen = (NEVER, NEVER) if is_large else (source.missing, source.seen)
    return source


def of_objects(name: str, values: Sequence[Any], dtype: Any) -> Source:
    """A column of Python objects, by what they are."""
    values = [_plain(value) for value in values]
    present = [value for value in values if not is_null(value)]
    absent = next((value for value in values if is_null(value)), UNDECIDED)
    column = _Column(name, values, dtype, absent)
    of_arrays = _element_of_arrays(present)
    if of_arrays is not None:
        return column.source(of_arrays, is_list=True)
    scalar = _element_of(present)
    if scalar is not None:
        return column.source(scalar, **_limits_of(scalar))
    if all(isinstance(value, Mapping) for value in present):
        return column.source("pairs")
    if all(isinstance(value, Iterable) and not isinstance(value, (str, bytes)) for value in present):
        elements = [_plain(element) for value in present for element in value]
        if elements and all(isinstance(element, tuple) and len(element) == 2 for element in elements):
            return column.source("pairs")
        element = _element_of([element for element in elements if not is_missing(element)])
        if element is not None:
            return column.source(element, is_list=True)
    if _is_of_time(column):
        return column.unusable()
    kinds = ", ".join(sorted({type(value).__name__ for value in present}))
    return column.unusable(f"its values are of several kinds or of one that no input has: {kinds}")


def _element_of_arrays(values: list[Any]) -> str | None:
    """The element type of arrays by theirs, so that vectors need not be looked at number by number."""
    kinds = {value.dtype.kind if isinstance(value, np.ndarray) and value.ndim == 1 else "" for value in values}
    return {"f": "float64", "i": "int64", "b": "bool"}.get(kinds.pop()) if len(kinds) == 1 else None


def _limits_of(element: str) -> dict[str, tuple[int, int]]:
    return {"limits": (0, (1 << 64) - 1)} if element == "uint64" else {}


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _element_of(values: list[Any]) -> str | None:
    """The element type of scalars, or None where they have none in common."""
    if all(isinstance(value, str) for value in values):
        return "string"
    if all(isinstance(value, bool) for value in values):
        return "bool"
    if any(isinstance(value, bool) for value in values):
        return None
    if all(isinstance(value, int) for value in values):
        if all(-(1 << 63) <= value < 1 << 63 for value in values):
            return "int64"
        return "uint64" if all(0 <= value < 1 << 64 for value in values) else None
    return "float64" if all(isinstance(value, (int, float)) for value in values) else None
