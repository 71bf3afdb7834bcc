"""Columns of lists from rows that are Python's, or any library's, columns themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..vectors import Array, InRow, Lists, Objects, Scalars, Vector, is_missing, objects_of, shown
from . import is_column, read
from .times import Time


def read_lists(values: Any) -> Lists:
    """Reads a column of lists.

    Raises:
        Unreadable: If it can't be read as one.
    """
    if isinstance(values, Time):
        return values.stamped_lists(as_lists(read(values.values)))
    return as_lists(read(values))


def as_lists(vector: Vector) -> Lists:
    """A column as lists.

    Raises:
        InRow: If a row is no list.
    """
    if isinstance(vector, Lists):
        return vector
    rows = objects_of(vector)
    missing = np.zeros(len(rows), dtype=np.bool_)
    lists: list[Any] = []
    for at, row in enumerate(rows):
        if is_column(row):
            lists.append(row)
        elif is_missing(row):
            missing[at] = True
            lists.append(())
        else:
            raise InRow(at, f"is {shown(row)}, not a list")
    lengths = np.fromiter(map(len, lists), np.int64, len(lists))
    return Lists(lengths, _joined(lists), missing if missing.any() else None)


def _joined(lists: list[Any]) -> Scalars:
    """All lists' elements."""
    given = [one for one in lists if len(one)]
    if given and all(type(one) is np.ndarray and one.ndim == 1 for one in given):
        arrays: list[Array] = given
        if len({array.dtype for array in arrays}) == 1:
            joined = read(np.concatenate(arrays))
            return Objects(objects_of(joined)) if isinstance(joined, Lists) else joined
    elements: list[Any] = []
    for one in given:
        elements.extend(one if isinstance(one, (list, tuple, set, frozenset)) else objects_of(read(one)))
    return Objects(elements)
