"""Columns of rows that are written: single values, lists, vectors, and elements that are appended."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..column import column_field, named, offsets, positions, scalars
from ..reading.lists import as_lists
from ..values import floats
from ..values.unfit import Unfit
from ..vectors import Array, InRow, Lists, Mask, Numbers, Scalars, Unreadable, Vector
from ..wire import Part
from .rows import read_rows
from .types import TableType

_COLUMNS = 2
"""The field of all messages that holds their columns."""


def written(name: str, of: TableType, values: Any, appends: bool) -> list[Part]:
    """A message's field with a column.

    Args:
        name: The column's name.
        of: What is sent.
        values: A column in any container.
        appends: Whether each row's value, or values, are elements to append to a list.

    Raises:
        Unreadable: At the first value that does not fit the type.
    """
    vector = read_rows(values)
    if appends and not of.is_list:
        # A null is an element too: columns whose elements belong together stay so.
        elements = _elements(vector) if of.width is None else as_lists(vector)
        return _lists(name, of, np.ones(vector.rows, np.int64), elements, None)
    if of.is_list:
        lists = as_lists(vector)
        return _lists(name, of, lists.lengths, lists.elements, lists.missing)
    if of.width is None:
        return column_field(_COLUMNS, name, of, vector)
    lanes, missing = _lanes(as_lists(vector), of.width, of.dtype)
    parts, _ = scalars(of, lanes)
    return named(_COLUMNS, name, parts + positions(missing, "nulls"))


def _lists(name: str, of: TableType, lengths: Array, elements: Vector, missing: Mask | None) -> list[Part]:
    """A column of lists, whose elements are single values or vectors."""
    if of.width is None:
        return column_field(_COLUMNS, name, of.as_list, Lists(lengths, _elements(elements), missing))
    try:
        lanes, absent = _lanes(as_lists(elements), of.width, of.dtype)
    except InRow as reason:
        ends = np.cumsum(lengths)
        row = int(np.searchsorted(ends, reason.row, side="right"))
        raise InRow(row, f"element {reason.row - int(ends[row] - lengths[row])} {reason.problem}") from None
    parts, _ = scalars(of, lanes)
    nulls = positions(missing, "nulls") + positions(absent, "null_elements")
    return named(_COLUMNS, name, parts + offsets(lengths) + nulls)


def _elements(vector: Vector) -> Scalars:
    if isinstance(vector, Lists):
        raise Unreadable("holds a list in each row, must hold one value")
    return vector


def _lanes(lists: Lists, width: int, dtype: str) -> tuple[Numbers, Mask | None]:
    """All vectors' numbers, one vector after the other, and the rows that are null.

    A missing lane is NaN. A missing or an empty vector is null, and has its numbers all the same.
    """
    present = lists.lengths != 0
    wrong = present & (lists.lengths != width)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InRow(row, f"has {int(lists.lengths[row])} numbers, a vector has {width}")
    try:
        values, holes = floats(lists.elements, dtype)
    except Unfit as unfit:
        if unfit.at is None:
            raise
        row = int(np.flatnonzero(present)[unfit.at // width])
        raise InRow(row, f"holds {unfit.found} at {unfit.at % width}, {unfit.rule}") from None
    if holes is not None:
        values = np.where(holes, values.dtype.type(np.nan), values)
    if present.all():
        return Numbers(values), None
    padded = np.zeros((lists.rows, width), values.dtype)
    padded[present] = values.reshape(-1, width)
    return Numbers(padded.reshape(-1)), ~present


def problem(error: Exception, first: int = 0) -> str:
    """Why a column can't be written, with its row among all rows."""
    if isinstance(error, Unfit) and error.at is not None:
        return f"row {first + error.at} holds {error.found}, {error.rule}"
    if isinstance(error, InRow):
        return f"row {first + error.row} {error.problem}"
    if isinstance(error, Unreadable):
        return str(error)
    # Whatever a caller's own container raises, its column can't be read.
    return f"can't be read: {type(error).__name__}: {error}"
