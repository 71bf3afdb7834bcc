"""Arrow's arrays, whole and in chunks."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..vectors import Coded, Lists, Mask, Numbers, Objects, Times, Unreadable, Vector, objects_of


def of_scalars(values: list[Any]) -> Vector:
    """A list with Arrow's scalars."""
    import pyarrow

    return read(pyarrow.array(values))


def read(values: Any) -> Vector:
    """A column of any of Arrow's types.

    Raises:
        Unreadable: If it is none, or of a type that no input has.
    """
    import pyarrow
    from pyarrow import types

    if not isinstance(values, (pyarrow.Array, pyarrow.ChunkedArray)):
        raise Unreadable(f"is a {type(values).__name__}, not a column of values")
    array = _whole(values)
    of = array.type
    if isinstance(of, pyarrow.BaseExtensionType):
        return read(array.storage)
    if types.is_dictionary(of):
        return _coded(array)
    if types.is_boolean(of) or types.is_integer(of) or types.is_floating(of):
        return _numbers(array)
    if types.is_temporal(of):
        return _times(array)
    if types.is_string(of) or types.is_large_string(of) or types.is_string_view(of):
        return Objects(array.to_pylist())
    if types.is_list(of) or types.is_large_list(of) or types.is_fixed_size_list(of):
        return _lists(array)
    if types.is_struct(of):
        raise Unreadable("is a struct column, whose rows can't leave a field out; send each field as a column")
    return Objects(array.to_pylist())


def _whole(values: Any) -> Any:
    """One array of all chunks."""
    if not hasattr(values, "chunks"):
        return values
    return values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()


def _missing(array: Any) -> Mask | None:
    return array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None


def _filled(array: Any, value: Any) -> Any:
    return array.fill_null(value) if array.null_count else array


def _numbers(array: Any) -> Numbers:
    """Without nulls the numbers stay where they lie."""
    from pyarrow import types

    absent = False if types.is_boolean(array.type) else 0
    return Numbers(_filled(array, absent).to_numpy(zero_copy_only=False), _missing(array))


def _times(array: Any) -> Times:
    import pyarrow
    from pyarrow import types

    of = array.type
    if types.is_time(of):
        raise Unreadable(f"holds {of}, times of day; send the durations since midnight")
    if types.is_interval(of):
        raise Unreadable(f"holds {of}, of no fixed length; send durations")
    plain = array.cast(pyarrow.int32()).cast(pyarrow.int64()) if types.is_date32(of) else array.cast(pyarrow.int64())
    counts = _filled(plain, 0).to_numpy(zero_copy_only=False)
    missing = _missing(array)
    if types.is_duration(of):
        return Times(counts, of.unit, "duration", missing)
    if types.is_timestamp(of):
        return Times(counts, of.unit, "local" if of.tz is None else "instant", missing)
    return Times(counts, "D" if types.is_date32(of) else "ms", "local", missing)


def _codes(array: Any) -> Any:
    indices = array.indices
    codes = _filled(indices, 0).to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
    missing = _missing(indices)
    return codes if missing is None else np.where(missing, -1, codes)


def _coded(array: Any) -> Vector:
    distinct = read(array.dictionary)
    if isinstance(distinct, Lists):
        raise Unreadable("is a dictionary of lists; decode it")
    return Coded(_codes(array), distinct.decoded() if isinstance(distinct, Coded) else distinct)


def _lists(array: Any) -> Lists:
    elements = read(array.flatten())
    lengths = array.value_lengths()
    if isinstance(elements, Lists):
        elements = Objects(objects_of(elements))
    return Lists(_filled(lengths, 0).to_numpy(zero_copy_only=False).astype(np.int64), elements, _missing(array))
