"""Lookups as people declare them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ...versions import name_problem
from ..problems import ExportError, ExportProblem

Reference = str | Mapping[str, str]
"""What holds a key: a column of the sample or ``lookup.column``; where a string could mean both ``{"input": ...}`` or
``{"lookup": ..., "column": ...}``."""


@dataclass(frozen=True)
class Entry:
    """A column of the joined frame that holds one entry of a row's map: a user's affinity to the candidate's category.

    Attributes:
        column: The map: the table's lists ``<column>_keys`` and ``<column>_values``.
        at: What holds the entry's key: a column of the sample, or ``lookup.column``.
        missing: What the joined frame holds where the map has no such entry; None for no value.
    """

    column: str
    at: Reference
    missing: float | None = None


@dataclass(frozen=True)
class Lookup:
    """A table whose columns the sample was joined with.

    Attributes:
        name: The lookup's name, and that of its table unless that is given.
        key: What holds the key: a column of the sample or ``lookup.column``; for a composite key, or one whose name in
            the table is another, from each of the table's key columns to what holds it.
        table: The table's name.
        columns: The sample's columns that the lookup brings, if they have the table's names; or from each of the
            sample's columns to the table's. By default all columns of the table that the sample has.
        prefix: What the sample's names have before the table's.
        vectors: For vectors of the table the sample's columns of their lanes, in order.
        entries: For columns of the sample that hold one entry of a map of the table: which one.
        scope: "request" where one key goes with a whole request (the user), else "row". By default what `scopes` says
            of the key.
        max_age: How old a row may be, by the event time of the table, such as "6h" or a timedelta.
        stale: What is served of an older row: "serve" its values, or "null".
        fallbacks: What answers where there is no row, in the order of trying, as specs write them.
    """

    name: str
    key: str | Mapping[str, Any]
    table: str | None = None
    columns: Sequence[str] | Mapping[str, str] | None = None
    prefix: str = ""
    vectors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    entries: Mapping[str, Entry] = field(default_factory=dict)
    scope: str | None = None
    max_age: str | timedelta | None = None
    stale: str | None = None
    fallbacks: Sequence[Mapping[str, Any]] = ()

    @property
    def of_table(self) -> str:
        """The table's name."""
        return self.table or self.name

    @property
    def written(self) -> dict[str, Any]:
        """What the spec says of old rows and of fall-backs."""
        fields: dict[str, Any] = {}
        if self.max_age is not None:
            fields["max_age"] = _span(self.max_age)
        if self.stale is not None:
            fields["stale"] = self.stale
        if self.fallbacks:
            fields["fallbacks"] = [dict(fallback) for fallback in self.fallbacks]
        return fields


def _span(age: str | timedelta) -> str:
    if isinstance(age, str):
        return age
    seconds, rest = divmod(age, timedelta(seconds=1))
    return f"{age // timedelta(microseconds=1)}us" if rest else f"{seconds}s"


def check_declared(lookups: Any, tables: Any) -> None:
    """Rejects what is no lookup, or has a name that no lookup can have."""
    if not isinstance(tables, Mapping):
        raise ExportError.of(f'tables is a {type(tables).__name__}; give each table its name, as in {{"ads": ads}}')
    if not isinstance(lookups, Sequence) or not all(isinstance(lookup, Lookup) for lookup in lookups):
        raise ExportError.of('lookups is no list of Lookup(...), as in [Lookup("ads", key="ad_id")]')
    if not lookups:
        raise ExportError.of(f"no lookup reads the tables that are given: {', '.join(tables)}")
    names = [lookup.name for lookup in lookups]
    problems = [
        ExportProblem(f"lookup {lookup.name!r}", reason)
        for at, lookup in enumerate(lookups)
        for reason in _problems(lookup, names[:at])
    ]
    if problems:
        raise ExportError(problems)


def _problems(lookup: Lookup, earlier: list[str]) -> list[str]:
    found = []
    problem = name_problem(lookup.name)
    if problem or lookup.name == "feature":
        found.append(problem or 'the name "feature" stands for features')
    if lookup.name in earlier:
        found.append("there are two lookups of this name: give table= to look up one table twice")
    if lookup.scope not in {None, "request", "row"}:
        found.append(f'the scope is {lookup.scope!r}; "request" and "row" are known')
    if (lookup.max_age is None) != (lookup.stale is None):
        found.append('max_age and stale go together: how old a row may be, and "serve" or "null" for older ones')
    if lookup.stale not in {None, "serve", "null"}:
        found.append(f'stale is {lookup.stale!r}; "serve" and "null" are known')
    if isinstance(lookup.fallbacks, (str, Mapping)):
        found.append('fallbacks is no list; give one, as in fallbacks=[{"row": {"price": 1.5}}]')
    if isinstance(lookup.columns, str):
        found.append(f"columns is {lookup.columns!r}; give a list, as in columns=[{lookup.columns!r}]")
    found += [
        f'vectors gives {column!r} the string {lanes!r}; give the columns of its lanes, as in ["{lanes}0", "{lanes}1"]'
        for column, lanes in lookup.vectors.items()
        if isinstance(lanes, str)
    ]
    return found + [
        f'entries gives {label!r} a {type(entry).__name__}; give Entry(map, at="column")'
        for label, entry in lookup.entries.items()
        if not isinstance(entry, Entry)
    ]
