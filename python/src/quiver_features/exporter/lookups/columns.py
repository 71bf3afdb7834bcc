"""Which columns of the joined frame each lookup brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from ...tables.types import ColumnType
from .. import expressions as ex
from ..expressions import Expression, ValueType
from ..problems import ExportError, ExportProblem, Refusal
from ..sources import PairsExpression, Source
from .brought import Brought, BroughtEntry, BroughtLane, BroughtPairs, BroughtVector, lookup_column, reconciled
from .declared import Lookup
from .references import Place
from .tables import KnownTable

Kind = TypeVar("Kind", bound=Brought)


@dataclass(frozen=True)
class Claim:
    """A column of the sample that a lookup brings.

    Attributes:
        lookup: The lookup.
        label: The sample's column.
        column: The table's column, or the name of the map that is two columns of it.
        lane: The lane of a vector.
        is_entry: Whether it is one entry of the map.
    """

    lookup: Lookup
    label: str
    column: str
    lane: int | None = None
    is_entry: bool = False

    @property
    def place(self) -> Place:
        """The table's column as references name it."""
        return Place(self.lookup.name, self.column)


def claims(lookups: list[Lookup], tables: Mapping[str, KnownTable], labels: list[str]) -> dict[str, Claim]:
    """Each brought column of the sample once; a column that several lookups could bring is an error."""
    keys = _plain_keys(lookups)
    found: dict[str, list[Claim]] = {}
    problems = []
    for lookup in lookups:
        table = tables[lookup.of_table]
        for claim in _claims_of(lookup, table, labels):
            found.setdefault(claim.label, []).append(claim)
            problems += [ExportProblem(f"lookup {lookup.name!r}", why) for why in _misfits(claim, table, labels)]
    for label, candidates in found.items():
        names = [f"{claim.lookup.name}.{claim.column}" for claim in candidates]
        if label in keys and candidates[0].lookup.columns is None:
            names.append(f"the input {label}")
        if len(names) > 1:
            reason = f"may be {' or '.join(names)}: say which columns each lookup brings, in Lookup(columns=...)"
            problems.append(ExportProblem(f"column {label!r}", reason))
    if problems:
        raise ExportError(problems)
    return {label: candidates[0] for label, candidates in found.items()}


def _plain_keys(lookups: list[Lookup]) -> set[str]:
    """The references that keys are made of."""
    references = [
        reference
        for lookup in lookups
        for reference in (lookup.key.values() if isinstance(lookup.key, Mapping) else [lookup.key])
    ]
    return {reference for reference in references if isinstance(reference, str)}


def _claims_of(lookup: Lookup, table: KnownTable, labels: list[str]) -> list[Claim]:
    prefix = lookup.prefix
    if isinstance(lookup.columns, Mapping):
        named = dict(lookup.columns)
    elif lookup.columns is not None:
        named = {prefix + column: column for column in lookup.columns}
    else:
        maps = [column[: -len("_keys")] for column in table.columns if _is_map(column[: -len("_keys")], table)]
        named = {prefix + column: column for column in [*table.columns, *maps] if prefix + column in labels}
    found = [Claim(lookup, label, column) for label, column in named.items()]
    for column, lanes in lookup.vectors.items():
        found += [Claim(lookup, label, column, lane) for lane, label in enumerate(lanes)]
    return found + [Claim(lookup, label, entry.column, is_entry=True) for label, entry in lookup.entries.items()]


def _is_map(name: str, table: KnownTable) -> bool:
    keys, values = table.columns.get(f"{name}_keys"), table.columns.get(f"{name}_values")
    return bool(keys and values and keys.list and values.list and values.is_float)


def _misfits(claim: Claim, table: KnownTable, labels: list[str]) -> list[str]:
    """Why a claim can't be."""
    problems = []
    known = ", ".join(table.columns)
    if claim.label not in labels:
        problems.append(f"the sample has no column {claim.label!r}; it has {', '.join(labels)}")
    of = table.columns.get(claim.column)
    if claim.is_entry or of is None:
        if not _is_map(claim.column, table):
            what = f"map (lists {claim.column}_keys and {claim.column}_values)" if claim.is_entry else "column"
            problems.append(f"table {table.name!r} has no {what} {claim.column!r}; it has {known}")
    elif claim.lane is not None and (of.width is None or len(claim.lookup.vectors[claim.column]) != of.width):
        count = len(claim.lookup.vectors[claim.column])
        problems.append(f"vectors names {count} lanes of {claim.column!r}, which is {of}")
    return problems


class SourceMaker:
    """Makes the sources of brought columns; lanes of one vector share their expression."""

    def __init__(self) -> None:
        self._vectors: dict[tuple[str, str, bool], tuple[Expression, Expression]] = {}

    def brought(self, claim: Claim, table: KnownTable, source: Source, at: Expression | None) -> Brought:
        """The source of a column, or the reason why the frame's values are not the table's.

        Args:
            source: The frame's column.
            at: What holds an entry's key.
        """
        if claim.is_entry:
            return self._entry(claim, table, source, at)
        of = table.columns.get(claim.column)
        if of is None:
            return self._pairs(claim, source)
        if claim.lane is not None:
            return self._lane(claim, of, source)
        x: Expression = lookup_column(claim.lookup.name, claim.column, of)
        if of.width is None:
            made = _made(Brought, claim, (claim.column,), of, source)
            return _with(made, x, reconciled(x, of, source))
        if not source.is_list or source.element != "float64":
            raise Refusal(f"the sample holds {source.element}, the table vectors of {of}")
        return _with(_made(BroughtVector, claim, (claim.column,), of, source), x, x)

    def _lane(self, claim: Claim, of: ColumnType, source: Source) -> Brought:
        identity = (claim.lookup.name, claim.column, source.float32)
        if identity not in self._vectors:
            x = lookup_column(claim.lookup.name, claim.column, of)
            self._vectors[identity] = (x, reconciled(x, of, source))
        made = _made(BroughtLane, claim, (claim.column,), of, source)
        made.lane = claim.lane or 0
        return _with(made, *self._vectors[identity])

    def _pairs(self, claim: Claim, source: Source) -> Brought:
        if source.element != "pairs":
            raise Refusal(f"the sample holds {source.element}, the table dictionaries as two lists")
        columns = (f"{claim.column}_keys", f"{claim.column}_values")
        keys, values = (
            lookup_column(claim.lookup.name, column, ColumnType(dtype, True))
            for column, dtype in zip(columns, ("string", "float64"), strict=True)
        )
        x = PairsExpression(ValueType("pairs", list=True), name=source.name, keys=keys, values=values)
        return _with(_made(BroughtPairs, claim, columns, ColumnType("float64", True), source), x, x)

    def _entry(self, claim: Claim, table: KnownTable, source: Source, at: Expression | None) -> Brought:
        columns = (f"{claim.column}_keys", f"{claim.column}_values")
        keys, values = (lookup_column(claim.lookup.name, column, table.columns[column]) for column in columns)
        if at is None or at.type.element != keys.type.element:
            held = "nothing" if at is None else at.type.element
            raise Refusal(f"its key is {held}, those of {claim.column!r} are {keys.type.element}")
        absent = claim.lookup.entries[claim.label].missing
        x = ex.kv_lookup(keys, ex.cast(values, "float64"), at, missing=absent)
        made = _made(BroughtEntry, claim, columns, table.columns[columns[1]], source)
        made.absent = absent
        return _with(made, x, reconciled(x, table.columns[columns[1]], source) if source.float32 else x)


def _made(kind: type[Kind], claim: Claim, columns: tuple[str, ...], of: ColumnType, source: Source) -> Kind:
    """A source with the frame's container type and, where it is a scalar, the table's values."""
    is_scalar = issubclass(Brought, kind) and not of.list
    return kind(
        source.name,
        of.element if is_scalar else source.element,
        source.values,
        source.dtype,
        source.missing,
        is_list=source.is_list,
        float32=source.float32 or of.dtype in {"float16", "float32"},
        seen=source.seen,
        limits=limits_of(of) if is_scalar and of.is_integer else source.limits,
        problem=source.problem,
        lookup=claim.lookup.name,
        table_columns=columns,
        stored=of,
    )


def limits_of(of: ColumnType) -> tuple[int, int]:
    """The least and the greatest integer of a type."""
    limits = np.iinfo(of.dtype)
    return int(limits.min), int(limits.max)


def _with(made: Brought, x: Expression, joined: Expression) -> Brought:
    made.expression, made.joined = x, joined
    return made
