"""The joined sample: the pipeline's columns, the keys beside them, and golden rows whose tables agree with them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from ...tables.problems import TableError
from ..columns import Columns
from ..matrix import Matrix, scalar_column
from ..nulls import is_missing
from ..problems import ExportError, ExportProblem
from ..samples import Sample
from ..sources import Row, Source, json_value
from .agreement import check_agreement
from .brought import Brought, JoinedSource, at_of, is_same
from .references import Place
from .tables import Key, KnownTable, Record

_VARIED_ROWS = 2
"""Rows of the sample that are varied for each lookup."""


@dataclass
class Joined:
    """A lookup with its places in the sample's rows.

    Attributes:
        name: The lookup's name.
        table: Its table.
        key: For each of the table's key columns what holds it.
        key_at: Where a row holds them.
        brought: The columns that it brings, by where a row holds them.
        entries_at: For entries, where a row holds their key.
        is_request: Whether one key goes with a whole request.
        written: What the spec says of old rows and of fall-backs.
    """

    name: str
    table: KnownTable
    key: dict[str, Place]
    key_at: list[int] = field(default_factory=list)
    brought: dict[int, Brought] = field(default_factory=dict)
    entries_at: dict[int, int] = field(default_factory=dict)
    is_request: bool = False
    written: dict[str, Any] = field(default_factory=dict)

    @property
    def parents(self) -> set[str]:
        """The lookups whose columns are its key."""
        return {place.lookup for place in self.key.values() if place.lookup is not None}

    def key_of(self, row: Sequence[Any]) -> Key | None:
        """A row's key, or None where a part of it is missing."""
        values = [row[at] for at in self.key_at]
        if any(is_missing(value) for value in values):
            return None
        types = self.table.key.values()
        return tuple(int(value) if of.is_integer else value for value, of in zip(values, types, strict=True))

    def clear(self, row: list[Any]) -> None:
        """Makes a row one without a row of the table."""
        for at, source in self.brought.items():
            row[at] = source.no_row

    def clear_entries(self, row: list[Any]) -> None:
        """Makes entries without a key null."""
        for at, key_at in self.entries_at.items():
            if at in self.brought and is_missing(row[key_at]):
                row[at] = self.brought[at].null

    def fill(self, row: list[Any], record: Record) -> None:
        """Gives a row the values of the table's row."""
        for at, source in self.brought.items():
            row[at] = source.read(record, at_of(tuple(row), self.entries_at.get(at)))

    def agrees(self, row: Sequence[Any], record: Record) -> bool:
        """Whether a row has the values of the table's row, as far as those are known."""
        return all(
            is_same(row[at], source.read(record, at_of(tuple(row), self.entries_at.get(at))))
            for at, source in self.brought.items()
            if all(column in record for column in source.table_columns)
        )

    def note(self, row: Sequence[Any], record: Record) -> None:
        """Notes what the table's row must have where it is not known yet."""
        lacking = [
            at for at, source in self.brought.items() if any(column not in record for column in source.table_columns)
        ]
        for at in lacking:
            self.brought[at].write(row[at], record, at_of(tuple(row), self.entries_at.get(at)))
        for column in {self.brought[at].table_columns[0] for at in lacking if self.brought[at].stored.is_whole}:
            if any(is_missing(lane) for lane in record[column] or []):
                record[column] = None


@dataclass
class JoinedSample(Sample):
    """A sample whose rows were joined with tables.

    Attributes:
        width: The columns that the pipeline reads; the sources after them are keys and columns that hold keys.
        lookups: All lookups, each after those that hold its key.
        scopes: The scopes of keys, by column, as the lookups say.
    """

    width: int
    lookups: list[Joined]
    scopes: dict[str, str]
    _real: dict[str, dict[Key, Record]]
    _stored: dict[str, dict[Key, Record]] = field(default_factory=dict)
    _absent: dict[str, set[Key]] = field(default_factory=dict)
    _free: set[int] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        for lookup in self.lookups:
            self._stored[lookup.table.name] = {}
            keys = {lookup.key_of(row) for row in self.rows} - {None}
            missing = self._absent.setdefault(lookup.table.name, set())
            missing |= {key for key in keys if key is not None and key not in self._real[lookup.table.name]}

    def build(self, rows: Sequence[Row]) -> Any:
        """The pipeline's container of these rows."""
        columns = list(zip(*rows, strict=True)) if rows else [() for _ in self.sources]
        sources = [
            source.for_values(list(values)) if isinstance(source, JoinedSource) else source
            for source, values in zip(self.sources, columns, strict=True)
        ]
        return self.container.build(columns[: self.width], sources[: self.width])

    def matrix(self, rows: Sequence[Row]) -> Matrix:
        """The library's input for these rows, with its expressions."""
        columns = [
            source.column(label) if isinstance(source, JoinedSource) else scalar_column(label, source.expression)
            for label, source in zip(self._labels(), self.sources, strict=False)
        ]
        return Matrix(Columns.of(columns), self.build(rows))

    def _labels(self) -> list[str]:
        return [str(label) for label in self.container.labels or []]

    def requested(self, used: Sequence[Source]) -> list[Source]:
        """The inputs of a request: those that features read, and the keys of the lookups that they read."""
        positions = {at for at, source in enumerate(self.sources) if any(source is one for one in used)}
        for lookup in reversed(self.lookups):
            lookup.brought = {at: source for at, source in lookup.brought.items() if at in positions}
            if lookup.brought:
                positions |= set(lookup.key_at) | {
                    lookup.entries_at[at] for at in lookup.brought if at in lookup.entries_at
                }
        self.lookups = [lookup for lookup in self.lookups if lookup.brought]
        check_agreement(self.lookups, self.rows, self._real)
        read = {at for at, source in enumerate(self.sources) if any(source is one for one in used)}
        self._free = {at for lookup in self.lookups for at in lookup.key_at if at not in read}
        self._free -= {at for lookup in self.lookups for at in lookup.entries_at.values()}
        return [source for at, source in enumerate(self.sources) if at in positions and not isinstance(source, Brought)]

    def shared(self, request_scope: set[str]) -> set[str]:
        """The columns that all rows of a request share, those of lookups by a request's key among them."""
        shared = set(request_scope)
        for lookup in self.lookups:
            lookup.is_request = all(self.sources[at].name in shared for at in lookup.key_at)
            for at, source in lookup.brought.items():
                of_request = at not in lookup.entries_at or self.sources[lookup.entries_at[at]].name in shared
                shared |= {source.name} if lookup.is_request and of_request else set()
        return shared

    def key_rows(self, base: Sequence[Row]) -> list[Row]:
        """Rows of the sample, then others with keys that are missing and keys that no table has."""
        rows = [tuple(row) for row in base[:_VARIED_ROWS]]
        for row in list(rows):
            for lookup in self.lookups:
                at = lookup.key_at[0]
                rows.append((*row[:at], None, *row[at + 1 :]))
                strange = list(row)
                strange[at] = self._fresh(at)
                key = lookup.key_of(strange)
                if key is not None and key not in self._real[lookup.table.name]:
                    self._absent[lookup.table.name].add(key)
                    rows.append(tuple(strange))
        return rows

    def settled(self, rows: Sequence[Row], *, as_request: bool = False) -> list[Row]:
        """The rows with what the golden tables give for their keys.

        A key that is not in them yet is noted with the row's values. A row with other values than its key has gets a
        key of its own, unless the rows are one request's, which share a key. Rows for which a fall-back would answer
        are left out: the joined frame does not say what it gives.
        """
        settled = [self._settled(list(row), as_request) for row in rows]
        return [row for row in settled if not self._falls_back(row)]

    def _falls_back(self, row: Row) -> bool:
        keys = [(lookup, lookup.key_of(row)) for lookup in self.lookups if "fallbacks" in lookup.written]
        return any(key is None or key in self._absent[lookup.table.name] for lookup, key in keys)

    def _settled(self, row: list[Any], as_request: bool) -> Row:
        if not as_request:
            for lookup in reversed(self.lookups):
                self._give_own_key(lookup, row)
        for lookup in self.lookups:
            key = lookup.key_of(row)
            if key is None or key in self._absent[lookup.table.name]:
                lookup.clear(row)
                continue
            record = self._record(lookup, key)
            lookup.note(row, record)
            lookup.fill(row, record)
        return tuple(row)

    def _record(self, lookup: Joined, key: Key) -> Record:
        stored = self._stored[lookup.table.name]
        if key not in stored:
            stored[key] = dict(self._real[lookup.table.name].get(key, {}))
        return stored[key]

    def _give_own_key(self, lookup: Joined, row: list[Any]) -> None:
        key = lookup.key_of(row)
        name = lookup.table.name
        if key is None or key in self._absent[name]:
            return
        known = self._stored[name].get(key) or self._real[name].get(key)
        free = [at for at in lookup.key_at if at in self._free]
        if known is not None and free and not lookup.agrees(row, known):
            row[free[0]] = self._fresh(free[0])

    def _fresh(self, at: int) -> Any:
        """A key's value that no row has."""
        source = self.sources[at]
        number = next(self._numbers)
        if source.element == "string":
            return f"golden-{number}"
        present = [int(value) for value in source.values if not is_missing(value)]
        low, high = source.limits
        above = max(present, default=0) + number
        return above if above <= high else max(low, min(present) - number)

    def golden_tables(self) -> dict[str, Any]:
        """The tables of the golden rows, column by column."""
        columns: dict[str, list[str]] = {}
        for lookup in self.lookups:
            known = columns.setdefault(lookup.table.name, [])
            known += [name for source in lookup.brought.values() for name in source.table_columns if name not in known]
        return {name: self._golden_table(name, of_table) for name, of_table in columns.items()}

    def _golden_table(self, name: str, columns: list[str]) -> dict[str, list[Any]]:
        stored = self._stored[name]
        table = next(lookup.table for lookup in self.lookups if lookup.table.name == name)
        keys = {key: [json_value(of_row[at]) for of_row in stored] for at, key in enumerate(table.key)}
        return keys | {column: [_encoded(record.get(column)) for record in stored.values()] for column in columns}

    def document(self) -> list[dict[str, Any]]:
        """The spec's lookups."""
        return [
            {"name": lookup.name, "table": lookup.table.name, "key": _written_key(lookup)} | lookup.written
            for lookup in self.lookups
        ]

    @contextmanager
    def written_tables(self, repository: Path) -> Iterator[None]:
        """Writes the tables that were given as data, and takes them away again if the block fails."""
        prepared = {lookup.table.name: lookup.table.prepared for lookup in self.lookups}
        written: list[Path] = []
        try:
            written += [table.write(repository).path for table in prepared.values() if table is not None]
            yield
        except BaseException as error:
            for folder in written:
                shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, TableError):
                raise ExportError([ExportProblem("tables", str(problem)) for problem in error.problems]) from error
            raise


def _written_key(lookup: Joined) -> Any:
    parts = {column: place.written for column, place in lookup.key.items()}
    return next(iter(parts.values())) if len(parts) == 1 else parts


def _encoded(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [None if one is None else json_value(one) for one in value]
    return None if is_missing(value) else json_value(value)
