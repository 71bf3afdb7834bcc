"""Joins a sample with its lookups: follows every reference, checks every type, and compares with the tables' rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...tables.types import KEYS
from .. import containers
from ..expressions import Expression
from ..nulls import is_missing
from ..problems import ExportError, ExportProblem, Refusal
from ..samples import Sample, read_sample
from ..sources import NEVER, Source
from .brought import Brought, JoinedSource, lookup_column, reconciled
from .columns import Claim, SourceMaker, claims, limits_of
from .declared import Lookup, check_declared
from .joined import Joined, JoinedSample
from .references import Place, key_parts, place
from .tables import Key, KnownTable, Record, find_tables

_EXACT_FLOATS = 2.0**53


def join(
    fitted: Any, sample: Any, lookups: Sequence[Lookup], tables: Mapping[str, Any], repository: Path
) -> JoinedSample:
    """The sample with its lookups, or every problem of them."""
    check_declared(lookups, tables)
    labels = containers.labels_of(sample)
    if labels is None or not all(isinstance(label, str) for label in labels):
        raise ExportError.of("with lookups the sample must be a frame or a table whose columns have names")
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise ExportError.of(f"the sample has several columns of one name: {', '.join(repeated)}")
    known = find_tables(list(lookups), tables, repository)
    return _Joining(fitted, sample, list(lookups), known, list(labels)).joined()


class _Joining:
    """The parts of a join on their way."""

    def __init__(
        self, fitted: Any, sample: Any, lookups: list[Lookup], tables: dict[str, KnownTable], labels: list[str]
    ) -> None:
        self._lookups, self._tables, self._labels = lookups, tables, labels
        self._names = [lookup.name for lookup in lookups]
        self._claims = claims(lookups, tables, labels)
        self._places = {label: claim.place for label, claim in self._claims.items() if claim.lane is None}
        known = getattr(fitted, "feature_names_in_", None)
        self._read = [label for label in (labels if known is None else known) if label in labels]
        self._whole = read_sample(_selected(sample, self._read), None)
        others = [label for label in labels if label not in self._read]
        self._others = read_sample(_selected(sample, others), None) if others else Sample([], self._whole.container)
        self._by_label: dict[str, Source] = dict(
            zip([*self._read, *others], [*self._whole.sources, *self._others.sources], strict=True)
        )
        self._made: dict[str, Source] = {}
        self._problems: list[ExportProblem] = []

    def joined(self) -> JoinedSample:
        """The sample, or every problem."""
        keys = {lookup.name: self._key(lookup) for lookup in self._lookups}
        self._raise()
        order = self._order(keys)
        self._make_keys(keys)
        self._make_brought()
        self._raise()
        sources = self._sources(keys)
        joined = [self._placed(name, keys[name], sources) for name in order]
        real = self._real_records(joined, sources)
        by_place = [source for source in sources if isinstance(source, Brought)]
        self._refuse_names_like_lookups(sources, by_place)
        self._raise()
        return JoinedSample(sources, self._whole.container, len(self._read), joined, self._scopes(keys), real)

    def _scopes(self, keys: dict[str, dict[str, Place]]) -> dict[str, str]:
        """The scopes of the inputs that are keys, as the lookups say."""
        scopes: dict[str, str] = {}
        for lookup in self._lookups:
            for of in keys[lookup.name].values():
                if lookup.scope is None or of.lookup is not None:
                    continue
                if scopes.setdefault(of.column, lookup.scope) != lookup.scope:
                    self._refuse(
                        f"lookup {lookup.name!r}", f"{of.column!r} has the scope {scopes[of.column]!r} elsewhere"
                    )
        self._raise()
        return scopes

    def _raise(self) -> None:
        if self._problems:
            raise ExportError(self._problems)

    def _refuse(self, where: str, reason: str) -> None:
        self._problems.append(ExportProblem(where, reason))

    def _refuse_names_like_lookups(self, sources: list[Source], brought: list[Brought]) -> None:
        references = {name for source in brought for name in source.input_names}
        for source in sources:
            if not isinstance(source, Brought) and source.name in references:
                self._refuse(
                    f"column {source.name!r}", "the input has the name of a lookup's column: rename the lookup"
                )

    def _key(self, lookup: Lookup) -> dict[str, Place]:
        """What holds each part of a lookup's key."""
        table = self._tables[lookup.of_table]
        parts: dict[str, Place] = {}
        try:
            for column, reference in key_parts(lookup.key, list(table.key)).items():
                parts[column] = place(reference, self._labels, self._places, self._names)
                self._check_place(parts[column], table.key[column].dtype, f"{column!r} of table {table.name!r}")
            for claim in self._claims.values():
                if claim.is_entry and claim.lookup is lookup:
                    self._entry_place(claim)
        except Refusal as refusal:
            self._refuse(f"lookup {lookup.name!r}", str(refusal))
        return parts

    def _check_place(self, of: Place, wanted: str, where: str) -> None:
        """Rejects a key of another type than the table's."""
        if of.lookup is None:
            found = self._by_label[of.column]
            held = "lists" if found.is_list else found.element
            fits = held == wanted or {held, wanted} <= {"int64", "uint64"}
            if not fits and not (held == "float64" and wanted != "string" and _are_whole(found.values)):
                raise Refusal(_other_key_type(of.column, held, wanted, where))
            return
        columns = self._tables[self._lookup(of.lookup).of_table].columns
        if of.column not in columns:
            raise Refusal(f"lookup {of.lookup!r} has no column {of.column!r}; it has {', '.join(columns)}")
        stored = columns[of.column]
        if stored.list or stored.width is not None or stored.element != wanted:
            raise Refusal(f"{of.written} is {stored}, the key {where} is {wanted}: write both tables with one type")

    def _lookup(self, name: str) -> Lookup:
        found = next((lookup for lookup in self._lookups if lookup.name == name), None)
        if found is None:
            raise Refusal(f"there is no lookup {name!r}; there are {', '.join(self._names)}")
        return found

    def _order(self, keys: dict[str, dict[str, Place]]) -> list[str]:
        """The lookups, each after those whose columns are its key or its entries'."""
        needed = {name: {of.lookup for of in parts.values()} for name, parts in keys.items()}
        for claim in self._claims.values():
            if claim.is_entry:
                needed[claim.lookup.name] |= {self._entry_place(claim).lookup} - {claim.lookup.name}
        order: list[str] = []
        while len(order) < len(keys):
            ready = [name for name, of in needed.items() if name not in order and of <= {None, *order}]
            if not ready:
                left = ", ".join(name for name in keys if name not in order)
                raise ExportError.of(f"the keys of these lookups depend on themselves: {left}")
            order += ready
        return order

    def _make_keys(self, keys: dict[str, dict[str, Place]]) -> None:
        """Gives inputs that are keys the type of the table's key."""
        for lookup in self._lookups:
            table = self._tables[lookup.of_table]
            for column, of in keys[lookup.name].items():
                if of.lookup is None:
                    self._make_key(of.column, table.key[column].dtype, lookup.name)

    def _make_key(self, label: str, element: str, lookup: str) -> None:
        made = self._made.get(label)
        if made is None:
            self._made[label] = _key_source(self._by_label[label], element)
        elif made.element != element:
            reason = f"is the key of lookup {lookup!r} as {element} and of another as {made.element}"
            self._refuse(f"column {label!r}", reason)

    def _make_brought(self) -> None:
        maker = SourceMaker()
        for label, claim in self._claims.items():
            try:
                at = self._entry_key(claim) if claim.is_entry else None
                table = self._tables[claim.lookup.of_table]
                self._made[label] = maker.brought(claim, table, self._by_label[label], at)
            except Refusal as refusal:
                # Only of interest if a feature reads it.
                where = f"{claim.lookup.name}.{claim.column}"
                source = self._by_label[label]
                source.problem = source.problem or f"is not what {where} brings: {refusal}"

    def _entry_place(self, claim: Claim) -> Place:
        return place(claim.lookup.entries[claim.label].at, self._labels, self._places, self._names)

    def _entry_key(self, claim: Claim) -> Expression:
        """What holds an entry's key."""
        of = self._entry_place(claim)
        if of.lookup is not None:
            columns = self._tables[self._lookup(of.lookup).of_table].columns
            if of.column not in columns:
                raise Refusal(f"lookup {of.lookup!r} has no column {of.column!r}; it has {', '.join(columns)}")
            return lookup_column(of.lookup, of.column, columns[of.column])
        return self._made.get(of.column, self._by_label[of.column]).expression

    def _sources(self, keys: dict[str, dict[str, Place]]) -> list[Source]:
        """The pipeline's columns, then the keys that it does not read, then columns that only hold keys."""
        sources = [self._made.get(label, self._by_label[label]) for label in self._read]
        places = [of for parts in keys.values() for of in parts.values()]
        places += [self._entry_place(claim) for claim in self._claims.values() if claim.is_entry]
        for of in dict.fromkeys(places):
            if _position(of, sources) is None:
                sources.append(self._hidden(of, len(self._whole.rows)))
        return sources

    def _hidden(self, of: Place, rows: int) -> Source:
        if of.lookup is None:
            return self._made.get(of.column, self._by_label[of.column])
        stored = self._tables[self._lookup(of.lookup).of_table].columns[of.column]
        made = Brought(
            str(of.written),
            stored.element,
            [None] * rows,
            np.dtype(object),
            None,
            limits=limits_of(stored) if stored.is_integer else (0, 0),
            lookup=of.lookup,
            table_columns=(of.column,),
            stored=stored,
        )
        made.expression = lookup_column(of.lookup, of.column, stored)
        return made

    def _placed(self, name: str, key: dict[str, Place], sources: list[Source]) -> Joined:
        lookup = self._lookup(name)
        joined = Joined(name, self._tables[lookup.of_table], key, written=lookup.written)
        joined.key_at = [_found(_position(of, sources)) for of in key.values()]
        joined.brought = {
            at: source for at, source in enumerate(sources) if isinstance(source, Brought) and source.lookup == name
        }
        entries = {claim.label: claim for claim in self._claims.values() if claim.is_entry}
        joined.entries_at = {
            at: _found(_position(self._entry_place(entries[source.name]), sources))
            for at, source in joined.brought.items()
            if source.name in entries
        }
        # An entry's key may be another column of the same row.
        joined.brought = dict(sorted(joined.brought.items(), key=lambda one: one[0] in joined.entries_at))
        return joined

    def _real_records(self, lookups: list[Joined], sources: list[Source]) -> dict[str, dict[Key, Record]]:
        """The tables' rows of the sample's keys; fills in what only holds keys."""
        real: dict[str, dict[Key, Record]] = {}
        for lookup in lookups:
            rows = list(zip(*(source.values for source in sources), strict=True))
            keys = [lookup.key_of(row) for row in rows]
            columns = {name for source in lookup.brought.values() for name in source.table_columns}
            found = lookup.table.records([key for key in keys if key is not None], sorted(columns))
            known = real.setdefault(lookup.table.name, {})
            for key, record in found.items():
                known.setdefault(key, {}).update(record)
            for source in lookup.brought.values():
                if source.name == f"{lookup.name}.{source.table_columns[0]}" and source.dtype == np.dtype(object):
                    of_rows = [None if key is None else found.get(key) for key in keys]
                    if all(value is None for value in source.values):
                        source.values = [None if one is None else one[source.table_columns[0]] for one in of_rows]
        return real


def _selected(sample: Any, labels: list[str]) -> Any:
    if containers.is_pandas(sample):
        return sample[labels]
    return sample.select(labels)


def _found(position: int | None) -> int:
    assert position is not None
    return position


def _position(of: Place, sources: list[Source]) -> int | None:
    for at, source in enumerate(sources):
        if isinstance(source, Brought):
            if of.lookup == source.lookup and type(source) is Brought and source.table_columns == (of.column,):
                return at
        elif of.lookup is None and source.name == of.column:
            return at
    return None


def _key_source(source: Source, element: str) -> JoinedSource:
    """An input of the key's type, of which the pipeline reads what the frame holds."""
    missing = float("nan") if source.missing is NEVER else source.missing
    made = JoinedSource(
        source.name,
        element,
        source.values,
        source.dtype,
        missing,
        seen=source.seen,
        problem=source.problem,
        limits=source.limits if source.element == element else (0, (1 << 63) - 1),
    )
    made.joined = reconciled(made.expression, None, source) if source.element != "string" else made.expression
    return made


def _are_whole(values: Sequence[Any]) -> bool:
    present = [float(value) for value in values if not is_missing(value)]
    return all(value.is_integer() and abs(value) < _EXACT_FLOATS for value in present)


def _other_key_type(label: str, held: str, wanted: str, where: str) -> str:
    differs = f"the sample's {label!r} holds {held}, the key {where} is {wanted}: give the sample's column that type"
    if held not in KEYS:
        return f"{differs}; where some of its integers are missing, pandas' nullable Int64 keeps them as they are"
    return f"{differs}, or write the table with another one, as in write_table(..., columns={{...: {held!r}}})"
