"""The tables of an export: given as data, or in the repository already; their types, and rows by key."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from ...tables.problems import TableError
from ...tables.types import ColumnType
from ...tables.writing import PreparedTable, prepare
from ...versions import versions_in
from ..problems import ExportError, ExportProblem
from .declared import Lookup

Key = tuple[Any, ...]
Record = dict[str, Any]
"""A row's values by column."""


@dataclass(frozen=True)
class KnownTable:
    """A table's types, and where its rows are.

    Attributes:
        name: Its name.
        key: The key columns' types, in order.
        columns: The other columns' types.
        data: Its rows.
        prepared: The table itself, where it is yet to be written.
    """

    name: str
    key: dict[str, ColumnType]
    columns: dict[str, ColumnType]
    data: ds.Dataset
    prepared: PreparedTable | None = None

    def records(self, keys: Iterable[Key], columns: Iterable[str]) -> dict[Key, Record]:
        """The rows of these keys, as far as there are any."""
        wanted = set(keys)
        names, columns = list(self.key), list(columns)
        if not wanted:
            return {}
        first = pa.array(sorted({key[0] for key in wanted}), self.key[names[0]].arrow)
        field = ds.field(names[0])
        rows = self.data.to_table(columns=[*names, *columns], filter=pc.is_in(field.cast(first.type), value_set=first))
        found = {}
        for row in rows.to_pylist():
            key = tuple(row[name] for name in names)
            if key in wanted:
                found[key] = {column: row[column] for column in columns}
        return found


def find_tables(lookups: list[Lookup], given: Mapping[str, Any], repository: Path) -> dict[str, KnownTable]:
    """The tables of all lookups by name; those that are given are brought to their types."""
    names = dict.fromkeys(lookup.of_table for lookup in lookups)
    problems = [
        ExportProblem("tables", f"no lookup reads the table {name!r}; they read {', '.join(names)}")
        for name in given
        if name not in names
    ]
    found = {}
    for name in names:
        try:
            found[name] = _given(name, given[name], lookups) if name in given else _stored(name, repository)
        except TableError as error:
            problems += [ExportProblem(f"table {name!r}", str(problem)) for problem in error.problems]
    if problems:
        raise ExportError(problems)
    return found


def _given(name: str, data: Any, lookups: list[Lookup]) -> KnownTable:
    written = next(lookup.key for lookup in lookups if lookup.of_table == name)
    key = _key_columns(written, [lookup.name for lookup in lookups])
    prepared = prepare(name, data, key, None, False)
    return KnownTable(name, prepared.key, prepared.columns, ds.dataset(prepared.rows), prepared)


def _key_columns(key: str | Mapping[str, Any], lookups: list[str]) -> list[str]:
    """The table's key columns, which have the names of what holds the key unless others are given."""
    if isinstance(key, str):
        lookup, _, column = key.partition(".")
        return [column if lookup in lookups else key]
    if set(key) == {"lookup", "column"}:
        return [key["column"]]
    return [key["input"]] if set(key) == {"input"} else list(key)


def _stored(name: str, repository: Path) -> KnownTable:
    versions = versions_in(repository / "tables" / name)
    if not versions:
        raise TableError.of(
            f"is not in {repository}: write it with write_table, or give it in tables={{{name!r}: ...}}"
        )
    folder = repository / "tables" / name / str(versions[-1])
    try:
        document = json.loads((folder / "table.json").read_text(encoding="utf-8"))
        key = {one["name"]: ColumnType(one["dtype"]) for one in document["key"]}
        columns = {one["name"]: ColumnType.of_document(one) for one in document["columns"]}
        return KnownTable(name, key, columns, _dataset(folder))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TableError.of(f"{folder} can't be read: {type(error).__name__}: {error}") from error


def _dataset(folder: Path) -> ds.Dataset:
    formats = {"parquet": "parquet", "arrow": "ipc"}
    parts = [
        ds.dataset(files, format=kind)
        for ending, kind in formats.items()
        if (files := sorted(str(file) for file in folder.glob(f"*.{ending}") if not file.name.startswith(".")))
    ]
    return ds.dataset(parts)
