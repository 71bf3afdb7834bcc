"""When rows came about, as the caller states it: a column of theirs, one moment for all, or one for each."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ...proto import table_service_pb2 as pb
from ..column import NUMBER_OF_UNIT
from ..descriptions import TimeUnit
from ..errors import Violation
from ..reading import is_column, read
from ..reading.times import Time
from ..values import TimeType, times
from ..values.unfit import Unfit
from ..vectors import Unreadable, Vector, objects_of, shown
from ..wire import Part
from .rows import Rows, part_of
from .types import suggested

_EVENT_TIMES = "event_time"
"""The argument's name, under which its problems are reported."""


class EventTimes(Protocol):
    """Where rows' event times come from."""

    def of_rows(self, rows: Rows, start: int, stop: int, first: int) -> list[Part]:
        """The field of a message with some rows of a container, the first of which is row ``first`` of all.

        Raises:
            Unreadable: If they are no times, or one is missing.
        """


class Unstated:
    """The server takes them from the rows, or takes the moment at which it reads them."""

    def of_rows(self, rows: Rows, start: int, stop: int, first: int) -> list[Part]:
        return []


class OneForAll:
    """One moment."""

    def __init__(self, value: Any) -> None:
        self._field = _field(read(value if isinstance(value, Time) else [value]), 0)

    def of_rows(self, rows: Rows, start: int, stop: int, first: int) -> list[Part]:
        return self._field


class OfColumn:
    """A column of the rows."""

    def __init__(self, name: str) -> None:
        self._name = name

    def of_rows(self, rows: Rows, start: int, stop: int, first: int) -> list[Part]:
        if self._name not in rows.columns:
            raise Unreadable(f"is {self._name!r}, which is not in the data; it has {', '.join(rows.columns)}")
        return _field(read(part_of(rows.columns[self._name], start, stop)), first)


class OneForEach:
    """Moments beside the rows."""

    def __init__(self, values: Any) -> None:
        self._values = values
        self._count = len(values.values if isinstance(values, Time) else values)

    def of_rows(self, rows: Rows, start: int, stop: int, first: int) -> list[Part]:
        if first != start:
            raise Unreadable("is one for each row; where data comes in parts, name a column of theirs")
        if self._count != rows.count:
            raise Unreadable(f"has {self._count} times for {rows.count} rows")
        return _field(read(part_of(self._values, start, stop)), first)


def event_times_of(value: Any) -> EventTimes:
    """From what the caller passed.

    Raises:
        Unreadable: If it is nothing of the kind.
    """
    if value is None:
        return Unstated()
    if isinstance(value, str):
        return OfColumn(value)
    if is_column(value.values if isinstance(value, Time) else value):
        return OneForEach(value)
    return OneForAll(value)


def violation(reason: Unreadable) -> Violation:
    """What is wrong with event times."""
    return Violation(_EVENT_TIMES, str(reason))


def _field(vector: Vector, first: int) -> list[Part]:
    of = suggested(vector)
    if of is None or of.time_unit is None:
        example = 'datetimes, or quiver_features.Time(values, "ms")'
        raise Unreadable(f"holds {_first_value(vector)}, must hold times: {example}")
    unit: TimeUnit = "s" if of.time_unit == "D" else of.time_unit
    try:
        counts, missing = times(vector, TimeType("timestamp", unit))
    except Unfit as unfit:
        place = "" if unfit.at is None else f"row {first + unfit.at} "
        raise Unreadable(f"{place}holds {unfit.found}, {unfit.rule}") from None
    if missing is not None and missing.any():
        raise Unreadable(f"row {first + int(np.argmax(missing))} has none")
    message = pb.EventTimes(unit=NUMBER_OF_UNIT[unit], values=counts)
    return [pb.UpsertRequest(event_times=message).SerializeToString()]


def _first_value(vector: Vector) -> str:
    values = objects_of(vector)
    return shown(values[0]) if values else "nothing"
