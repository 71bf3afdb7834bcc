"""Compares the joined frame with the tables' rows: a wrong key or column is found before it is served."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..problems import ExportError, ExportProblem
from ..sources import Row, is_null
from .brought import at_of, is_same
from .tables import Key, Record

if TYPE_CHECKING:
    from .joined import Joined

_COMPARED = 2000


def check_agreement(lookups: list[Joined], rows: Sequence[Row], real: dict[str, dict[Key, Record]]) -> None:
    """Rejects a lookup that finds none of the sample's keys, or a column that has the table's value in no row.

    Some rows may differ: a log is often joined with the values of its day.
    """
    rows = rows[:: -(-len(rows) // _COMPARED) or 1]
    problems = []
    for lookup in lookups:
        records = real[lookup.table.name]
        keys = [lookup.key_of(row) for row in rows]
        present = [key for key in keys if key is not None]
        pairs = [(row, records[key]) for row, key in zip(rows, keys, strict=True) if key in records]
        if present and not pairs:
            shown = ", ".join(repr(part) for part in present[0])
            reason = f"table {lookup.table.name!r} has none of the sample's keys, such as {shown}"
            problems.append(ExportProblem(f"lookup {lookup.name!r}", reason))
        problems += [problem for at in lookup.brought if (problem := _disagreement(lookup, at, pairs))]
    if problems:
        raise ExportError(problems)


def _disagreement(lookup: Joined, at: int, pairs: list[tuple[Row, Record]]) -> ExportProblem | None:
    source = lookup.brought[at]
    values = [(row[at], source.read(record, at_of(row, lookup.entries_at.get(at)))) for row, record in pairs]
    values = [(one, other) for one, other in values if not (is_null(one) and is_null(other))]
    if not values or any(is_same(one, other) for one, other in values):
        return None
    mine, theirs = values[0]
    what = " and ".join(source.table_columns)
    reason = (
        f"has the value of {what!r} of table {lookup.table.name!r} in no row: it is {mine!r} where that is {theirs!r}"
    )
    return ExportProblem(f"column {source.name!r}", reason)
