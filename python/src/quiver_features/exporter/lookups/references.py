"""What a lookup's key, or an entry's, refers to: a column of the sample, or of another lookup's table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...names import Reference, input_reference
from ..problems import Refusal


@dataclass(frozen=True)
class Place:
    """What a reference refers to.

    Attributes:
        lookup: The lookup's name, or None for an input.
        column: The table's column, or the input's name.
    """

    lookup: str | None
    column: str

    @property
    def written(self) -> Reference:
        """The reference as the spec has it."""
        return input_reference(self.column) if self.lookup is None else f"{self.lookup}.{self.column}"


def place(reference: Any, labels: list[str], brought: Mapping[str, Place], lookups: list[str]) -> Place:
    """Follows a reference.

    Args:
        labels: The sample's columns.
        brought: For those of them that a lookup brings, which column of its table they are.
        lookups: The lookups' names.
    """
    if isinstance(reference, Mapping):
        if set(reference) == {"lookup", "column"}:
            return Place(reference["lookup"], reference["column"])
        if set(reference) == {"input"}:
            return _of_label(reference["input"], labels, brought)
        raise Refusal(f'{dict(reference)!r} is no reference; {{"input": ...}} and {{"lookup": ..., "column": ...}} are')
    if not isinstance(reference, str):
        raise Refusal(f"{reference!r} is no reference: give a column's name")
    lookup, dot, column = reference.partition(".")
    of_lookup = Place(lookup, column) if dot and lookup in lookups else None
    if reference not in labels:
        if of_lookup is None:
            known = ", ".join(labels)
            raise Refusal(
                f"the sample has no column {reference!r} (keys stay in it beside what they brought) and there is no "
                f"such lookup; its columns are {known}"
            )
        return of_lookup
    of_sample = _of_label(reference, labels, brought)
    if of_lookup is not None and of_lookup != of_sample:
        raise Refusal(
            f"{reference!r} may be the sample's column or the lookup's: write {{'input': {reference!r}}} or "
            f"{{'lookup': {lookup!r}, 'column': {column!r}}}"
        )
    return of_sample


def _of_label(label: str, labels: list[str], brought: Mapping[str, Place]) -> Place:
    if label not in labels:
        raise Refusal(f"the sample has no column {label!r}; its columns are {', '.join(labels)}")
    return brought.get(label, Place(None, label))


def key_parts(key: Any, columns: list[str]) -> dict[str, Any]:
    """For each of the table's key columns what holds it."""
    is_reference = (
        isinstance(key, Mapping) and set(key) in ({"input"}, {"lookup", "column"}) and set(key) != set(columns)
    )
    if isinstance(key, Mapping) and not is_reference:
        if set(key) != set(columns):
            raise Refusal(f"the key has {', '.join(map(str, key))}; the table's is {', '.join(columns)}")
        return {column: key[column] for column in columns}
    if len(columns) != 1:
        shown = ", ".join(f"{column!r}: ..." for column in columns)
        raise Refusal(f"the table's key is {', '.join(columns)}: give what holds each of them, as in key={{{shown}}}")
    return {columns[0]: key}
