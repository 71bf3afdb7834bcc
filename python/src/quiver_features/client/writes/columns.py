"""Columns of rows that are written: single values, lists, vectors, and elements that are appended."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..column import column_field, named, positions, scalars
from ..reading.lists import as_lists
from ..values import floats
from ..values.unfit import Unfit
from ..vectors import InRow, Lists, Mask, Numbers, Unreadable, Vector
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
    if appends and not of.is_list and of.width is None:
        # A null is an element too: columns whose elements belong together stay so.
        return column_field(_COLUMNS, name, of.as_list, Lists(np.ones(vector.rows, np.int64), _single(vector)))
    if of.is_list or appends:
        return column_field(_COLUMNS, name, of.as_list, as_lists(vector))
    if of.width is None:
        return column_field(_COLUMNS, name, of, vector)
    lanes, missing = _lanes(as_lists(vector), of.width, of.dtype)
    parts, _ = scalars(of, lanes)
    return named(_COLUMNS, name, parts + positions(missing, "nulls"))


def _single(vector: Vector) -> Any:
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
