"""Columns of values, whatever library they come from: numbers, times, Python objects, codes into these, and lists."""

from __future__ import annotations

import datetime
import decimal
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]
Mask: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

TimeKind = Literal["instant", "local", "duration", "count"]
"""What counts of a unit are: since 1970-01-01 UTC, since 1970-01-01 of clocks of no stated zone, between two moments,
or what the caller says that the input has."""


class Unreadable(Exception):
    """Why something is not a column of values of an input's type."""


class InRow(Unreadable):
    """The same of one row.

    Attributes:
        row: The row.
        problem: What is wrong there.
    """

    def __init__(self, row: int, problem: str) -> None:
        self.row, self.problem = row, problem
        super().__init__(f"row {row} {problem}")


_MOST_SHOWN = 80


def shown(value: Any) -> str:
    """An object in a message; long ones are cut."""
    try:
        text = repr(value)
    except Exception:
        # An integer of thousands of digits, for one, has no text.
        return f"a {type(value).__name__} that can't be shown"
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


@dataclass(frozen=True)
class Numbers:
    """Booleans, integers and floats.

    Attributes:
        values: Of one dimension.
        missing: The rows that are null; None if there are none. NaN is a value.
    """

    values: Array
    missing: Mask | None = None

    @property
    def rows(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Times:
    """Moments and durations.

    Attributes:
        counts: int64.
        unit: What is counted, as NumPy names it.
        kind: What the counts mean.
        missing: The rows that are null.
    """

    counts: Array
    unit: str
    kind: TimeKind
    missing: Mask | None = None

    @property
    def rows(self) -> int:
        return len(self.counts)


@dataclass(frozen=True, repr=False)
class Moment:
    """One value of Times."""

    count: int
    unit: str
    kind: TimeKind

    def __repr__(self) -> str:
        if self.kind in {"count", "duration"}:
            return f"{self.count} {self.unit}"
        date = np.array(self.count).view(f"datetime64[{self.unit}]")
        return f"{date}Z" if self.kind == "instant" else str(date)


@dataclass(frozen=True)
class Objects:
    """Python objects: strings, and whatever else has no type of its own."""

    values: list[Any]

    @property
    def rows(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Coded:
    """Values that repeat.

    Attributes:
        codes: For each row the position of its value; negative for null.
        distinct: The values.
    """

    codes: Array
    distinct: Numbers | Times | Objects

    @property
    def rows(self) -> int:
        return len(self.codes)

    def decoded(self) -> Numbers | Times | Objects:
        """A value for each row."""
        missing = self.codes < 0
        if isinstance(self.distinct, Objects):
            values = self.distinct.values
            return Objects([None if code < 0 else values[code] for code in self.codes.tolist()])
        if not self.distinct.rows:
            return Objects([None] * self.rows)
        of_row = np.where(missing, 0, self.codes)
        if self.distinct.missing is not None:
            missing |= self.distinct.missing[of_row]
        if isinstance(self.distinct, Times):
            return Times(self.distinct.counts[of_row], self.distinct.unit, self.distinct.kind, missing)
        return Numbers(self.distinct.values[of_row], missing)


@dataclass(frozen=True)
class Lists:
    """A list in each row.

    Attributes:
        lengths: Of the rows' lists; 0 where there is none.
        elements: All lists' elements, one list after the other.
        missing: The rows that are null.
    """

    lengths: Array
    elements: Scalars
    missing: Mask | None = None

    @property
    def rows(self) -> int:
        return len(self.lengths)


Scalars: TypeAlias = Numbers | Times | Objects | Coded
Vector: TypeAlias = Scalars | Lists


def is_missing(value: Any) -> bool:
    """Whether an object stands for no value: None, NaN, NaT, NA, and what NumPy's masks hide."""
    if value is None or value is np.ma.masked or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return bool(np.isnat(value))
    if isinstance(value, decimal.Decimal):
        return value.is_nan()
    return isinstance(value, (float, np.floating)) and bool(value != value)


def is_time(value: Any) -> bool:
    """Whether an object is a moment, a date, a time of day or a duration."""
    kinds = (Moment, datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)
    return isinstance(value, kinds) or type(value).__name__ in {"Period", "Interval", "DateOffset"}


def objects_of(vector: Vector) -> list[Any]:
    """The values as Python objects, with None for null."""
    if isinstance(vector, Objects):
        return vector.values
    if isinstance(vector, Coded):
        return objects_of(vector.decoded())
    if isinstance(vector, Lists):
        ends, lengths = np.cumsum(vector.lengths).tolist(), vector.lengths.tolist()
        elements = objects_of(vector.elements)
        values: list[Any] = [elements[end - size : end] for end, size in zip(ends, lengths, strict=True)]
    elif isinstance(vector, Times):
        values = [Moment(count, vector.unit, vector.kind) for count in vector.counts.tolist()]
    else:
        # Floats of fewer bits stay what they are: their whole numbers end sooner.
        narrow = vector.values.dtype.kind == "f" and vector.values.dtype.itemsize < 8
        values = list(vector.values) if narrow else vector.values.tolist()
    if vector.missing is not None:
        for row in np.flatnonzero(vector.missing).tolist():
            values[row] = None
    return values


def first(vector: Vector) -> Vector:
    """The first row of at least one."""
    if isinstance(vector, Lists):
        size = int(vector.lengths[0])
        return Lists(vector.lengths[:1], _start(vector.elements, size), _cut(vector.missing, 1))
    return _start(vector, 1)


def _start(vector: Scalars, rows: int) -> Scalars:
    if isinstance(vector, Objects):
        return Objects(vector.values[:rows])
    if isinstance(vector, Coded):
        return Coded(vector.codes[:rows], vector.distinct)
    missing = _cut(vector.missing, rows)
    if isinstance(vector, Times):
        return Times(vector.counts[:rows], vector.unit, vector.kind, missing)
    return Numbers(vector.values[:rows], missing)


def _cut(missing: Mask | None, rows: int) -> Mask | None:
    return None if missing is None else missing[:rows]


def is_constant(vector: Vector) -> bool:
    """Whether all rows, of at least one, are the same; null is the same as null, and NaN as NaN."""
    if not isinstance(vector, Lists):
        return _repeats(vector, 1)
    if vector.missing is not None and vector.missing.any():
        return bool(vector.missing.all())
    size = int(vector.lengths[0])
    return bool((vector.lengths == size).all()) and (size == 0 or _repeats(vector.elements, size))


def _repeats(vector: Scalars, size: int) -> bool:
    """Whether each run of ``size`` values is the same as the first one."""
    if isinstance(vector, Coded):
        # Arrow's dictionaries may hold a value twice.
        return _repeats(Numbers(vector.codes), size) or _repeats(vector.decoded(), size)
    if isinstance(vector, Objects):
        if vector.values.count(vector.values[0]) == vector.rows:
            return True
        return all(_same(value, vector.values[at % size]) for at, value in enumerate(vector.values))
    values: Array = vector.counts if isinstance(vector, Times) else vector.values
    runs = values.reshape(-1, size)
    same = runs == runs[0]
    if vector.missing is None and same.all():
        return True
    if values.dtype.kind == "f":
        same |= np.isnan(runs) & np.isnan(runs[0])
    if vector.missing is None:
        return bool(same.all())
    missing = vector.missing.reshape(-1, size)
    return bool((missing == missing[0]).all()) and bool((same | missing).all())


def _same(value: Any, other: Any) -> bool:
    return value is other or bool(value == other) or (is_missing(value) and is_missing(other))
