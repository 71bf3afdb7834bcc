"""Writes a table's version: ``table.json`` and a Parquet file of its rows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..versions import VersionError, checksum, name_problem, new_version, write_json
from .converting import convert, wanted_type
from .keys import duplicates, key_column, with_keys
from .problems import Refusal, TableError, TableProblem
from .reading import read, readable
from .types import ColumnType, parse

FORMAT = "quiver.table/1"
ROWS = "rows.parquet"

_ROW_GROUP_BYTES = 64 << 20
_ROW_GROUP_ROWS = 1 << 20


@dataclass(frozen=True)
class TableColumn:
    """A column as it is stored.

    Attributes:
        name: The column's name.
        type: Its type as people write it, such as "int64", "list<string>" and "float32[64]".
        is_key: Whether it is part of the key.
        nulls: The rows without a value.
    """

    name: str
    type: str
    is_key: bool
    nulls: int


@dataclass(frozen=True)
class WrittenTable:
    """A table as it was written.

    Attributes:
        name: The table's name.
        version: The version's number.
        path: The version's folder.
        rows: The number of rows.
        columns: All columns, the key's first.
        bytes: The size of its files.
    """

    name: str
    version: int
    path: Path
    rows: int
    columns: tuple[TableColumn, ...]
    bytes: int

    def __str__(self) -> str:
        width = max(len(column.name) for column in self.columns)
        types = max(len(column.type) for column in self.columns)
        lines = [f"table {self.name} version {self.version}: {self.rows:,} rows, {self.bytes:,} bytes, {self.path}"]
        for column in self.columns:
            note = "key" if column.is_key else f"{column.nulls:,} null" if column.nulls else _hint(column)
            lines.append(f"  {column.name:<{width}}  {column.type:<{types}}  {note}".rstrip())
        return "\n".join(lines)

    __repr__ = __str__


def _hint(column: TableColumn) -> str:
    if not column.type.startswith("float64["):
        return ""
    smaller = column.type.replace("float64", "float32")
    return f"as the data has it; columns={{{column.name!r}: {smaller!r}}} takes half the memory and rounds"


@dataclass(frozen=True)
class PreparedTable:
    """A table's types and rows before they are written.

    Attributes:
        name: The table's name.
        key: The key columns' types, in order.
        columns: The other columns' types.
        rows: All of them, the key's first, in their stored types.
        live: Whether the server takes writes of its rows.
        event_time: When the rows were true: a column's name, or a time with its offset for all rows.
    """

    name: str
    key: dict[str, ColumnType]
    columns: dict[str, ColumnType]
    rows: pa.Table
    live: bool = False
    event_time: str | None = None

    def document(self, version: int) -> dict[str, Any]:
        """The document in ``table.json``."""
        document: dict[str, Any] = {
            "format": FORMAT,
            "name": self.name,
            "version": version,
            "key": [{"name": name, "dtype": of.dtype} for name, of in self.key.items()],
            "columns": [of.document(name) for name, of in self.columns.items()],
        }
        if self.live:
            document["live"] = True
        if self.event_time is not None:
            document["event_time"] = self.event_time
        return document

    def write(self, repository: Path, version: int | None = None) -> WrittenTable:
        """Writes the table as a version of its own."""
        from pyarrow import parquet

        try:
            with new_version(repository, "tables", self.name, version) as new:
                parquet.write_table(
                    self.rows,
                    new.folder / ROWS,
                    compression="zstd",
                    row_group_size=self._row_group_rows(),
                    use_dictionary=[name for name, of in self._types().items() if of.dtype == "string"],
                )
                listing = {ROWS: checksum(new.folder / ROWS)}
                write_json(new.folder / "table.json", {**self.document(new.number), "files": listing})
        except VersionError as error:
            raise TableError.of(str(error)) from error
        size = sum(file.stat().st_size for file in new.target.iterdir())
        return WrittenTable(self.name, new.number, new.target, len(self.rows), self._described(), size)

    def _types(self) -> dict[str, ColumnType]:
        return {**self.key, **self.columns}

    def _row_group_rows(self) -> int:
        """Few enough rows that a reader holds a group in memory, enough that groups cost nothing."""
        of_row = max(1, self.rows.nbytes // max(1, len(self.rows)))
        return max(1, min(_ROW_GROUP_ROWS, _ROW_GROUP_BYTES // of_row))

    def _described(self) -> tuple[TableColumn, ...]:
        return tuple(
            TableColumn(name, str(of), name in self.key, self.rows[name].null_count)
            for name, of in self._types().items()
        )


def prepare(name: str, data: Any, key: Any, columns: Mapping[str, str] | None, lossy: bool) -> PreparedTable:
    """Reads the data and brings every column to its type, or reports every problem."""
    found, keys = with_keys(read(data), key)
    problem = name_problem(name)
    problems = [TableProblem("", problem)] if problem else []
    asked = _asked(dict(columns or {}), list(found), problems)
    types: dict[str, ColumnType] = {}
    arrays: dict[str, pa.ChunkedArray] = {}
    for column in [*keys, *(column for column in found if column not in keys)]:
        try:
            values = readable(found[column])
            if column in keys:
                types[column], arrays[column] = key_column(values, asked.get(column))
            else:
                types[column] = asked.get(column) or wanted_type(values, lossy)
                arrays[column] = convert(values, types[column])
        except Refusal as refusal:
            problems.append(TableProblem(column, str(refusal)))
    if not set(keys) - set(arrays):
        repeated = duplicates(pa.table({column: arrays[column] for column in keys}))
        problems += [TableProblem(", ".join(keys), repeated)] if repeated else []
    if problems:
        raise TableError(problems)
    of_columns = {column: of for column, of in types.items() if column not in keys}
    return PreparedTable(name, {column: types[column] for column in keys}, of_columns, pa.table(arrays))


def _asked(columns: dict[str, str], known: list[str], problems: list[TableProblem]) -> dict[str, ColumnType]:
    """The types that were asked for."""
    found = {}
    for column, text in columns.items():
        try:
            if column not in known:
                raise Refusal(f"is not in the data, which has {', '.join(known)}")
            found[column] = parse(text)
        except Refusal as refusal:
            problems.append(TableProblem(column, str(refusal)))
    return found


def write_table(
    repository: str | os.PathLike[str],
    name: str,
    data: Any,
    *,
    key: Any,
    version: int | None = None,
    columns: Mapping[str, str] | None = None,
    lossy: bool = False,
    live: bool = False,
    event_time: str | datetime | None = None,
) -> WrittenTable:
    """Writes ``<repository>/tables/<name>/<version>/`` from data of nearly any kind.

    The folder is written aside and renamed into place. Print the result to see every column's type.

    Args:
        repository: The repository's folder; made if it does not exist.
        name: The table's name.
        data: A pandas or polars frame, an Arrow table or record batches, a dict of columns, an array, or the path of a
            Parquet, Arrow or ``.npy`` file. Columns hold numbers, booleans, strings, lists of them, or vectors: rows of
            a matrix, Arrow's fixed-size lists, or lists of floats that all have one length. A column of dictionaries
            ``x`` becomes two columns of lists, ``x_keys`` and ``x_values``.
        key: The name of the key's column, or several for a composite key; for data without a key column the keys
            themselves, as an array or as ``{"ad_id": ids}``.
        version: The version's number; by default the highest one plus 1.
        columns: Types for columns by name where the data's own is not the one wanted: "int64", "float32",
            "list<string>", "float32[64]" for vectors, "float32[64, int8]" for those kept in another form. Floats are
            rounded to a narrower type that is given here.
        lossy: Stores decimals as float64, which rounds them.
        live: Lets clients write rows of the table while it is served.
        event_time: When the rows were true, for lookups with a `max_age`: the name of a column of timestamps or dates,
            or a datetime with a time zone for all rows.

    Raises:
        TableError: With every column that can't be stored, the reason and what to do; duplicate and missing keys with
            the first few of them. Nothing is written then.

    A value that is missing (None, NaN, NA) is null; in a vector a missing lane is NaN. Types are kept as the data has
    them: float64 vectors too, since a pipeline that was fitted on them computes otherwise with rounded ones.
    """
    prepared = prepare(name, data, key, columns, lossy)
    return replace(prepared, live=live, event_time=_event_time(event_time, prepared)).write(Path(repository), version)


def _event_time(event_time: str | datetime | None, table: PreparedTable) -> str | None:
    if isinstance(event_time, datetime):
        if event_time.tzinfo is None:
            raise TableError([TableProblem("event_time", f"{event_time} has no time zone")])
        return event_time.isoformat()
    if event_time is None:
        return None
    of = table.columns.get(event_time)
    if of is None:
        known = ", ".join(table.columns)
        raise TableError(
            [TableProblem("event_time", f"there is no column {event_time!r} beside the key; there are {known}")]
        )
    if not str(of).startswith(("timestamp", "date")):
        raise TableError([TableProblem("event_time", f"column {event_time!r} is {of}, must be a timestamp or a date")])
    return event_time
