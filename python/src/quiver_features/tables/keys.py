"""Key columns: which they are, of a type that a key can have, without nulls, each key once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .converting import convert
from .problems import Refusal, TableError, TableProblem
from .reading import Columns, as_arrow
from .types import KEYS, ColumnType, infer

_SHOWN = 3


def with_keys(columns: Columns, key: Any) -> tuple[Columns, list[str]]:
    """All columns, those of the key among them, and the key columns' names.

    `key` names columns, or holds the keys themselves: one array, or a dict of a column's name and its keys.
    """
    if isinstance(key, str):
        names = [key]
    elif isinstance(key, Mapping):
        names = [str(name) for name in key]
        columns = {**_brought(dict(key), columns), **columns}
    elif _are_names(key, columns):
        names = list(key)
    else:
        name = getattr(key, "name", None)
        names = [name if isinstance(name, str) else "id"]
        columns = {**_brought({names[0]: key}, columns), **columns}
    problems = [
        TableProblem("", f"there is no key column {name!r}; the columns are {', '.join(columns)}{_hint(name, columns)}")
        for name in names
        if name not in columns
    ]
    if not names:
        problems.append(TableProblem("", "a table needs a key"))
    if problems:
        raise TableError(problems)
    return columns, names


def _hint(name: str, columns: Columns) -> str:
    """How to give keys to data that is vectors alone, as a matrix is."""
    return f"; give the keys themselves, as in key={{{name!r}: ids}}" if list(columns) == ["vector"] else ""


def _are_names(key: Any, columns: Columns) -> bool:
    """Whether strings name columns and are not the keys of the rows."""
    if not isinstance(key, Sequence) or not all(isinstance(name, str) for name in key):
        return False
    rows = {len(one) for one in columns.values() if not isinstance(one, Refusal)}
    return len(key) not in rows or set(key) <= set(columns)


def _brought(keys: dict[Any, Any], columns: Columns) -> Columns:
    rows = next((len(one) for one in columns.values() if not isinstance(one, Refusal)), None)
    found: Columns = {}
    problems = []
    for label, values in keys.items():
        name = str(label)
        try:
            column = found[name] = as_arrow(values)
        except Refusal as refusal:
            problems.append(TableProblem(name, str(refusal)))
            continue
        if name in columns:
            problems.append(TableProblem(name, "is in the data too; name the key otherwise"))
        if rows not in (None, len(column)):
            problems.append(TableProblem(name, f"has {len(column)} keys for {rows} rows"))
    if problems:
        raise TableError(problems)
    return found


def key_type(column: pa.ChunkedArray, asked: ColumnType | None) -> ColumnType:
    """The type of a key column: any integers are kept in 64 bits; floats that are all whole are integers."""
    if asked is None:
        found = infer(column)
        if found.is_integer:
            asked = ColumnType("uint64" if found.dtype == "uint64" else "int64")
        elif found.is_float and found.width is None and not found.list:
            asked = ColumnType("int64")
        else:
            asked = found
    if asked.dtype not in KEYS or asked.list:
        raise Refusal(f'is {asked}; a key is int64, uint64 or string: give one of them, as in "string"')
    return asked


def key_column(column: pa.ChunkedArray, asked: ColumnType | None) -> tuple[ColumnType, pa.ChunkedArray]:
    """The key column in its type; nulls are rejected with their rows."""
    if len(column) and column.null_count:
        positions = pc.indices_nonzero(column.is_null()).to_pylist()
        raise Refusal(f"{_counted(positions, 'a key is missing in row', 'keys are missing, in rows')}; leave them out")
    to = key_type(column, asked)
    try:
        return to, convert(column, to)
    except Refusal as refusal:
        raise Refusal(f"a key is whole numbers or strings: {refusal}") from None


def _counted(positions: list[int], one: str, several: str) -> str:
    shown = ", ".join(str(position) for position in positions[:_SHOWN])
    more = ", ..." if len(positions) > _SHOWN else ""
    return f"{one} {shown}" if len(positions) == 1 else f"{len(positions)} {several} {shown}{more}"


def duplicates(table: pa.Table) -> str | None:
    """What to say of keys that several rows have, if there are any."""
    numbered = table.append_column("", pa.array(range(len(table)), pa.int64()))
    groups = numbered.group_by(table.column_names).aggregate([("", "count"), ("", "min"), ("", "max")])
    several = groups.filter(pc.greater(groups["_count"], 1)).sort_by("_min")
    if not len(several):
        return None
    examples = [
        f"{_shown(row, table.column_names)} in rows {row['_min']} and {row['_max']}"
        for row in several.slice(0, _SHOWN).to_pylist()
    ]
    count = f"{len(several)} keys have" if len(several) > 1 else "a key has"
    more = ", ..." if len(several) > _SHOWN else ""
    return f"{count} several rows: {'; '.join(examples)}{more}; keep one row for each key"


def _shown(row: dict[str, Any], names: list[str]) -> str:
    values = [row[name] for name in names]
    return repr(values[0]) if len(values) == 1 else repr(tuple(values))
