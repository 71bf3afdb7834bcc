"""One column's message: values of any library as the type that the column has."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import numpy as np

from ..proto import feature_service_pb2 as pb
from . import values as typed
from .descriptions import TIME_UNITS, InputType, TimeUnit
from .values.unfit import Unfit
from .vectors import Array, InRow, Lists, Mask, Scalars, Unreadable, Vector
from .wire import Part, message, nested, packed

_NAME, _FLOATS, _DOUBLES, _BOOLS, _VALUES = 1, 2, 3, 6, 1
"""Fields of a column, and the one that holds the values in each of its kinds of values."""

NUMBER_OF_UNIT: dict[str, Any] = {unit: number for number, unit in TIME_UNITS.items()}

_MOST_ELEMENTS = (1 << 32) - 1


class ColumnType(Protocol):
    """What a column's values are."""

    @property
    def dtype(self) -> InputType: ...

    @property
    def is_list(self) -> bool: ...

    @property
    def time_unit(self) -> TimeUnit | None: ...

    @property
    def time_zone(self) -> str | None: ...


def column_field(field: int, name: str, of: ColumnType, vector: Vector) -> list[Part]:
    """A message's field with a column.

    Raises:
        Unreadable: At the first value that does not fit the type.
    """
    if not of.is_list or not isinstance(vector, Lists):
        written, missing = scalars(of, vector)
        return named(field, name, written + positions(missing, "nulls"))
    try:
        written, missing = scalars(of, vector.elements)
    except Unfit as unfit:
        raise _in_its_list(unfit, vector) from None
    nulls = positions(vector.missing, "nulls") + positions(missing, "null_elements")
    return named(field, name, written + offsets(vector.lengths) + nulls)


def named(field: int, name: str, parts: list[Part]) -> list[Part]:
    """A message's field with a column of this name and these parts."""
    return nested(field, [message(_NAME, name.encode()), *parts])


def _in_its_list(unfit: Unfit, lists: Lists) -> Unreadable:
    """The problem of an element, with its row and its place in the row's list."""
    if unfit.at is None:
        return unfit
    ends = np.cumsum(lists.lengths)
    row = int(np.searchsorted(ends, unfit.at, side="right"))
    place = unfit.at - int(ends[row] - lists.lengths[row])
    return InRow(row, f"holds {unfit.found} at {place}, {unfit.rule}")


def offsets(lengths: Array) -> list[Part]:
    """A column's field with where each row's list begins, from the lists' lengths.

    Raises:
        Unreadable: If there are more elements than a message can hold.
    """
    ends = np.cumsum(lengths)
    if len(ends) and int(ends[-1]) > _MOST_ELEMENTS:
        raise Unreadable(f"holds {int(ends[-1])} elements, more than a request can hold")
    return [pb.Column(list=pb.ListOffsets(offsets=[0, *ends.tolist()])).SerializeToString()]


def positions(missing: Mask | None, field: Literal["nulls", "null_elements"]) -> list[Part]:
    """A column's field with the rows, or elements, that are null."""
    if missing is None:
        return []
    rows = np.flatnonzero(missing).tolist()
    column = pb.Column(nulls=rows) if field == "nulls" else pb.Column(null_elements=rows)
    return [column.SerializeToString()]


def scalars(of: ColumnType, vector: Vector) -> tuple[list[Part], Mask | None]:
    """A column's field with the values, and where they are null.

    Raises:
        Unreadable: At the first value that does not fit the type.
    """
    if isinstance(vector, Lists):
        raise Unreadable("holds a list in each row, must hold one value")
    if of.dtype == "string":
        return _texts(vector)
    if of.dtype in {"float32", "float64"}:
        floats, missing = typed.floats(vector, of.dtype)
        return _packed(_FLOATS if of.dtype == "float32" else _DOUBLES, packed(floats)), missing
    if of.dtype == "bool":
        booleans, missing = typed.booleans(vector)
        return _packed(_BOOLS, packed(booleans)), missing
    if of.dtype == "int64":
        signed, missing = typed.integers(vector, typed.INT64)
        return [pb.Column(int64s=pb.Int64Values(values=signed)).SerializeToString()], missing
    if of.dtype == "uint64":
        unsigned, missing = typed.integers(vector, typed.UINT64)
        return [pb.Column(uint64s=pb.Uint64Values(values=unsigned)).SerializeToString()], missing
    return _times(of, vector)


def _packed(field: int, values: Part) -> list[Part]:
    return nested(field, nested(_VALUES, [values]))


def _times(of: ColumnType, vector: Scalars) -> tuple[list[Part], Mask | None]:
    if of.dtype == "unknown" or of.time_unit is None:
        raise Unreadable("has a type that this client does not know; install a newer quiver-features")
    counts, missing = typed.times(vector, typed.TimeType(of.dtype, of.time_unit, of.time_zone))
    column = pb.Column(int64s=pb.Int64Values(values=counts), time_unit=NUMBER_OF_UNIT[of.time_unit])
    return [column.SerializeToString()], missing


def _texts(vector: Scalars) -> tuple[list[Part], Mask | None]:
    texts, missing = typed.texts(vector)
    if texts.indices is None:
        column = pb.Column(strings=pb.StringValues(values=texts.values))
    else:
        column = pb.Column(dictionary=pb.DictionaryValues(dictionary=texts.values, indices=texts.indices))
    return [column.SerializeToString()], missing
