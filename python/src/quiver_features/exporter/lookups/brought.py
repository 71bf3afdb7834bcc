"""Columns of the joined frame that a table's row gives: their values of a record, and a record's of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...names import Reference
from ...pairs import split_pairs
from ...tables.types import ColumnType
from .. import expressions as ex
from ..columns import Column
from ..expressions import Expression, ValueType
from ..matrix import scalar_column
from ..nulls import is_missing
from ..problems import Refusal
from ..sources import Row, Source, is_null
from .tables import Record

_ANY_KEY = 0


@dataclass(frozen=True, eq=False)
class LookupColumn(Expression):
    """A column of a lookup's table."""

    lookup: str = ""
    column: str = ""

    @property
    def reference(self) -> Reference:
        """The column as specs refer to it."""
        return f"{self.lookup}.{self.column}"


def lookup_column(lookup: str, column: str, of: ColumnType) -> LookupColumn:
    """The expression of a table's column. A key can always be absent, so it is nullable."""
    of_value = ValueType(of.element, of.width, of.list)
    return LookupColumn(of_value, name=f"{lookup}.{column}", lookup=lookup, column=column)


@dataclass(eq=False)
class JoinedSource(Source):
    """A column of the joined frame whose expression is of another type than the frame's column.

    Attributes:
        joined: The expression cast to the frame's type.
    """

    joined: Expression | None = None

    def column(self, label: str) -> Column:
        """The column as the library's matrix has it."""
        return scalar_column(label, self.joined or self.expression)

    def for_values(self, values: list[Any]) -> Source:
        """The same with a type that holds the values: as merging does, integers and booleans give way to null."""
        kind = getattr(self.dtype, "kind", "") if isinstance(self.dtype, np.dtype) else ""
        if kind not in "iub" or not kind or not any(is_missing(value) for value in values):
            return self
        return replace(self, dtype=np.dtype(object if kind == "b" else np.float64))


@dataclass(eq=False)
class Brought(JoinedSource):
    """A column that a lookup brings: a scalar or a list of the table.

    Attributes:
        lookup: The lookup's name.
        table_columns: The columns of the table that it is made of.
        stored: The first one's type.
    """

    lookup: str = ""
    table_columns: tuple[str, ...] = ()
    stored: ColumnType = field(default_factory=lambda: ColumnType("string"))

    @property
    def input_names(self) -> list[str]:
        """The references that it stands for."""
        return [f"{self.lookup}.{column}" for column in self.table_columns]

    def read(self, record: Record, at: Any) -> Any:
        """The joined frame's value; `at` is an entry's key."""
        return self.filled(record[self.table_columns[0]])

    def write(self, value: Any, record: Record, at: Any) -> None:
        """Notes the value in a record."""
        record[self.table_columns[0]] = None if is_null(value) else self._stored(value)

    def can_hold(self, value: Any) -> bool:
        """Whether the table stores the value as it is."""
        record: Record = {}
        try:
            self.write(value, record, _ANY_KEY)
        except (ValueError, TypeError, OverflowError):
            return False
        return is_same(value, self.read(record, _ANY_KEY))

    def filled(self, value: Any) -> Any:
        """The value, or what the frame holds where there is none."""
        return self.null if is_null(value) else value

    @property
    def null(self) -> Any:
        """What the frame holds where there is no value."""
        missing = self.missing
        return float("nan") if type(missing).__name__ == "_Marker" else missing

    @property
    def has_two_nulls(self) -> bool:
        """Whether the frame holds None for no value, and a left join NaN for no row of the table."""
        return self.missing is None and isinstance(self.dtype, np.dtype) and self.dtype.hasobject

    @property
    def no_row(self) -> Any:
        """What the frame holds where the table has no row."""
        return float("nan") if self.has_two_nulls else self.null

    def _stored(self, value: Any) -> Any:
        if self.stored.list:
            return [None if is_missing(one) else one for one in value]
        if self.stored.is_float:
            return float(np.dtype(self.stored.dtype).type(value))
        return int(value) if self.stored.is_integer else value


@dataclass(eq=False)
class BroughtLane(Brought):
    """A lane of a vector.

    Attributes:
        lane: The lane.
    """

    lane: int = 0

    def column(self, label: str) -> Column:
        """The lane of the whole vector, so that neighbours stay one vector."""
        return Column(label, self.joined or self.expression, self.lane, self.table_columns[0])

    def read(self, record: Record, at: Any) -> Any:
        """The lane's number."""
        vector = record[self.table_columns[0]]
        return self.null if vector is None else self.filled(vector[self.lane])

    def write(self, value: Any, record: Record, at: Any) -> None:
        """Sets the lane; a vector without any number is null, which it is until a lane has one."""
        name = self.table_columns[0]
        vector = record.setdefault(name, None)
        if is_missing(value):
            return
        if vector is None:
            vector = record[name] = [float("nan")] * (self.stored.width or 0)
        vector[self.lane] = float(np.dtype(self.stored.dtype).type(value))


@dataclass(eq=False)
class BroughtVector(Brought):
    """A whole vector as one array a row."""

    def read(self, record: Record, at: Any) -> Any:
        """The array, of the type that the frame's arrays have."""
        vector = record[self.table_columns[0]]
        if is_null(vector):
            return self.null
        like = next((value for value in self.values if not is_null(value)), None)
        return np.asarray(vector, dtype=like.dtype) if isinstance(like, np.ndarray) else vector

    def can_hold(self, value: Any) -> bool:
        """Whether it is a vector of the table's width."""
        return hasattr(value, "__len__") and len(value) == self.stored.width

    def _stored(self, value: Any) -> Any:
        return [float(lane) for lane in np.asarray(value, dtype=self.stored.dtype)]


@dataclass(eq=False)
class BroughtPairs(Brought):
    """A dictionary for each row, as two lists of the table."""

    def read(self, record: Record, at: Any) -> Any:
        """The dictionary."""
        keys, values = (record[column] for column in self.table_columns)
        return self.null if keys is None or values is None else dict(zip(keys, values, strict=False))

    def write(self, value: Any, record: Record, at: Any) -> None:
        """Notes keys and values."""
        keys, values = (None, None) if is_null(value) else split_pairs(value)
        record.update(zip(self.table_columns, (keys, values), strict=True))


@dataclass(eq=False)
class BroughtEntry(Brought):
    """One entry of a map, whose keys and values are lists of the table.

    Attributes:
        absent: What stands for no such entry.
    """

    absent: float | None = None

    def read(self, record: Record, at: Any) -> Any:
        """The entry's value."""
        keys, values = (record[column] for column in self.table_columns)
        if keys is None or values is None or is_missing(at):
            return self.null
        of_key = [value for key, value in zip(keys, values, strict=False) if key == at and not is_missing(value)]
        return float(sum(of_key)) if of_key else self.filled(self.absent)

    def write(self, value: Any, record: Record, at: Any) -> None:
        """Adds the entry to the map; one without a value leaves it as it is."""
        keys, values = (record.setdefault(column, []) for column in self.table_columns)
        if not is_missing(value) and not is_missing(at) and at not in keys:
            # A left join has made a float of a whole number.
            keys.append(int(at) if isinstance(at, float) and at.is_integer() else at)
            values.append(float(np.dtype(self.stored.dtype).type(value)))


def reconciled(x: Expression, of: ColumnType | None, source: Source) -> Expression:
    """A stored value as the joined frame has it, exactly; rejects what is not the same value there.

    Args:
        of: The table column's type; None for an input.
        source: The frame's column.
    """
    mine, frames = x.type.element, source.element
    if x.type.list != source.is_list:
        what = "lists" if source.is_list else "single values"
        raise Refusal(f"the sample holds {what}, the table {of}")
    numbers = {"int64", "uint64", "bool", "float64"}
    if mine == frames or {mine, frames} <= {"int64", "uint64"}:
        narrower = source.float32 and (of is None or of.dtype not in {"float16", "float32"})
        return ex.cast(ex.cast(x, "float64"), "float32") if narrower and mine == "float64" else x
    if frames == "float64" and mine in numbers:
        # What merging makes of integers and booleans where a key is missing.
        as_float = ex.cast(x, "float64")
        return ex.cast(as_float, "float32") if source.float32 else as_float
    stored = mine if of is None else of
    raise Refusal(f"the sample holds {frames}, the table {stored}: give both the same type")


def is_same(one: Any, other: Any) -> bool:
    """Whether two of a joined frame's values are equal; missing ones are."""
    if is_null(one) or is_null(other):
        return is_null(one) and is_null(other)
    if isinstance(one, Mapping) or isinstance(other, (str, bytes)):
        return bool(one == other)
    both = (np.asarray(one), np.asarray(other))
    if both[0].shape != both[1].shape:
        return False
    return bool(np.array_equal(*both, equal_nan=both[0].dtype.kind == "f" and both[1].dtype.kind == "f"))


def at_of(row: Row, position: int | None) -> Any:
    """An entry's key in a row."""
    return None if position is None else row[position]
