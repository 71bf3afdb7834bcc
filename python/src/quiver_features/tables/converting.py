"""Columns of one type to columns of another: what loses nothing, and what was asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .problems import Refusal
from .types import ColumnType, infer, is_list

_SHOWN = 3


def wanted_type(column: pa.ChunkedArray, lossy: bool) -> ColumnType:
    """The type of a column for which none was asked."""
    arrow = column.type.value_type if is_list(column.type) else column.type
    if lossy and pa.types.is_decimal(arrow):
        return ColumnType("float64", is_list(column.type))
    return infer(column)


def convert(column: pa.ChunkedArray, to: ColumnType) -> pa.ChunkedArray:
    """The column in its stored type, or the reason why it can't be.

    Values are rounded to a narrower float, since it was asked for; what is beyond its range is rejected all the same.
    """
    if to.width is not None and to.list:
        return _vector_lists(column, to)
    if to.width is not None:
        return _vectors(column, to)
    if to.list != is_list(column.type):
        raise Refusal(f"is {column.type}, which can't be stored as {to}")
    if not to.list:
        return _scalars(column, to)
    chunks = [_list(chunk, to) for chunk in column.chunks]
    return pa.chunked_array(chunks, pa.large_list(to.arrow))


def _list(chunk: pa.Array, to: ColumnType) -> pa.Array:
    lengths = pc.fill_null(pc.list_value_length(chunk), 0).to_numpy(zero_copy_only=False)
    elements = _scalars(pa.chunked_array([pc.list_flatten(chunk)]), to)
    return _lists(elements.combine_chunks(), lengths, chunk.is_null())


def _lists(elements: pa.Array, lengths: np.ndarray[Any, Any], missing: pa.Array) -> pa.Array:
    """Lists of these lengths, of which some are null."""
    ends = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    mask = np.append(missing.to_numpy(zero_copy_only=False), False)
    if isinstance(elements, pa.ChunkedArray):
        elements = elements.combine_chunks()
    return pa.LargeListArray.from_arrays(pa.array(ends, pa.int64(), mask=mask), elements)


def _scalars(column: pa.ChunkedArray, to: ColumnType) -> pa.ChunkedArray:
    if column.type == to.arrow:
        return column
    if pa.types.is_null(column.type):
        return pa.chunked_array([pa.nulls(len(column), to.arrow)])
    if to.dtype == "string" and not (_is_text(column.type) or pa.types.is_integer(column.type)):
        raise Refusal(f"is {column.type}, whose text has no one form: convert it to strings first")
    if to.is_time:
        return _times(column, to)
    if to.dtype == "bool":
        raise Refusal(f"is {column.type}, which can't be stored as bool")
    try:
        result = _cast(column, to)
    except pa.ArrowInvalid as error:
        raise Refusal(_why(column, to, str(error))) from None
    except pa.ArrowNotImplementedError:
        raise Refusal(f"is {column.type}, which can't be stored as {to.dtype}") from None
    if to.is_float and pa.types.is_floating(column.type):
        _refuse_beyond(column, result, to)
    if to.is_integer and pa.types.is_floating(column.type):
        _refuse_rounded(column)
    return result


def _cast(column: pa.ChunkedArray, to: ColumnType) -> pa.ChunkedArray:
    if pa.types.is_temporal(column.type):
        # A date of 32 bits is cast to 32 bits alone.
        column = column.cast(pa.int32() if pa.types.is_date32(column.type) else pa.int64())
    if pa.types.is_floating(column.type) and to.is_integer:
        column = pc.if_else(pc.is_nan(column), None, column)
    return column.cast(to.arrow, safe=not to.is_float)


def _times(column: pa.ChunkedArray, to: ColumnType) -> pa.ChunkedArray:
    """Times in another unit, each exactly the same."""
    if not pa.types.is_temporal(column.type):
        raise Refusal(f"is {column.type}, which has no unit: make times of it first, in pandas with to_datetime")
    if getattr(to.arrow, "tz", None) and not getattr(column.type, "tz", None):
        raise Refusal(f"has no time zone, and {to} has one: give the times theirs first, in pandas with tz_localize")
    try:
        result = column.cast(to.arrow)
        changed = pc.not_equal(result.cast(column.type), column)
    except pa.ArrowInvalid as error:
        raise Refusal(f"{str(error).splitlines()[0].rstrip('.')}: give a finer unit in columns=") from None
    except pa.ArrowNotImplementedError:
        raise Refusal(f"is {column.type}, which can't be stored as {to.dtype}") from None
    if pc.any(changed).as_py():
        raise Refusal(f"{_some(column, pc.fill_null(changed, False).to_numpy())} is not a whole {to.dtype}")
    return result


def _is_text(arrow: pa.DataType) -> bool:
    return pa.types.is_string(arrow) or pa.types.is_large_string(arrow) or pa.types.is_string_view(arrow)


def _why(column: pa.ChunkedArray, to: ColumnType, error: str) -> str:
    if to.is_integer and pa.types.is_floating(column.type):
        present = column.drop_null()
        values = present.to_numpy().astype(np.float64)
        fits = (values == np.trunc(values)) & (np.abs(values) < 2.0**53)
        return f"{_some(present, ~fits)} is not a whole number that {to.dtype} holds"
    return f"{error.splitlines()[0].rstrip('.')}: give another type in columns="


def _refuse_beyond(column: pa.ChunkedArray, result: pa.ChunkedArray, to: ColumnType) -> None:
    before, after = pc.is_inf(column), pc.is_inf(result)
    beyond = pc.fill_null(pc.and_not(after, before), False).to_numpy()
    if beyond.any():
        raise Refusal(f"{_some(column, beyond)} is beyond what {to.dtype} holds; give a wider type")


def _refuse_rounded(column: pa.ChunkedArray) -> None:
    """Rejects floats that may have been another integer before they were floats."""
    bits = {pa.float16(): 11, pa.float32(): 24}.get(column.type, 53)
    rounded = pc.fill_null(pc.greater_equal(pc.abs(column), pa.scalar(2.0**bits, column.type)), False).to_numpy()
    if rounded.any():
        raise Refusal(
            f"{_some(column, rounded)} may have been another integer, since float{column.type.bit_width} is exact only "
            f"below 2^{bits}: give integers, where some are missing as pandas' nullable Int64 or from Arrow"
        )


def _some(column: pa.ChunkedArray, mask: np.ndarray[Any, Any]) -> str:
    """The first few values of those that the mask names."""
    positions = np.flatnonzero(mask)
    values = [str(column[int(position)].as_py()) for position in positions[:_SHOWN]]
    more = f" and {len(positions) - _SHOWN} more" if len(positions) > _SHOWN else ""
    return ", ".join(values) + more


def _vector_lists(column: pa.ChunkedArray, to: ColumnType) -> pa.ChunkedArray:
    if not is_list(column.type):
        raise Refusal(f"is {column.type}, which holds no lists of vectors")
    chunks = []
    for chunk in column.chunks:
        lengths = pc.fill_null(pc.list_value_length(chunk), 0).to_numpy(zero_copy_only=False)
        vectors = _vectors(pa.chunked_array([pc.list_flatten(chunk)]), replace(to, list=False))
        chunks.append(_lists(vectors, lengths, chunk.is_null()))
    return pa.chunked_array(chunks, pa.large_list(pa.large_list(to.arrow)))


def _vectors(column: pa.ChunkedArray, to: ColumnType) -> pa.ChunkedArray:
    if not is_list(column.type):
        raise Refusal(f"is {column.type}, which holds no vectors of {to.width}")
    chunks, first = [], 0
    for chunk in column.chunks:
        chunks.append(_vectors_of(chunk, to, first))
        first += len(chunk)
    return pa.chunked_array(chunks, pa.large_list(to.arrow))


def _vectors_of(chunk: pa.Array, to: ColumnType, first: int) -> pa.Array:
    lengths = pc.fill_null(pc.list_value_length(chunk), 0).to_numpy(zero_copy_only=False)
    wrong = np.flatnonzero((lengths != to.width) & (lengths != 0))
    if len(wrong):
        at = int(wrong[0])
        raise Refusal(
            f"row {first + at} has {lengths[at]} numbers, a vector has {to.width}; "
            f'fill it up, or store lists with "list<{to.dtype}>"'
        )
    lanes = pa.chunked_array([pc.list_flatten(chunk)])
    # A missing lane is NaN; a missing or empty vector is null.
    lanes = pc.fill_null(_scalars(lanes, to), np.nan)
    return _lists(lanes, lengths, pa.array(lengths == 0))
