"""What a caller passes as a request's columns: mappings, frames, tables, matrices, records, or one column alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import numpy as np

from ..names import column_name
from ..pairs import find_pair
from .descriptions import FeatureSet, Input
from .errors import RequestError, Violation
from .frames import Frame, frame_of
from .reading import is_column, library_of
from .vectors import Unreadable, is_missing, shown

_OF_ARRAY = re.compile(r"x(\d+)")
"""The name of an input that is a column of an array."""

_KEYS = re.compile(r"(.+)_keys(?:_\d+)?", re.DOTALL)
"""The name of an input that holds the keys of collections."""


@dataclass
class Given:
    """A request's columns as they were passed.

    Attributes:
        inputs: The feature set's inputs by name.
        pairs: By the name of a column of collections the names of its two inputs.
        columns: Values by the name of an input or of a column of collections.
        singles: Request-scope values that are known to stand in each row, by input.
        repeats: Whether a request-scope value stands in each row.
        rows: How many rows a container of rows has.
        violations: Names that no input has.
    """

    inputs: dict[str, Input]
    pairs: dict[str, tuple[str, str]]
    columns: dict[str, Any] = field(default_factory=dict)
    singles: dict[str, Any] = field(default_factory=dict)
    repeats: bool = False
    rows: int | None = None
    violations: list[Violation] = field(default_factory=list)

    @classmethod
    def of(cls, feature_set: FeatureSet) -> Given:
        """Nothing yet."""
        inputs = {one.name: one for one in feature_set.inputs}
        wholes = {match[1] for match in map(_KEYS.fullmatch, inputs) if match is not None}
        pairs = {name: find_pair(name, inputs) for name in wholes - inputs.keys()}
        return cls(inputs, {name: pair for name, pair in pairs.items() if pair is not None})

    @property
    def names(self) -> list[str]:
        """What columns are called, with each collection once."""
        halves = {half for pair in self.pairs.values() for half in pair}
        return [*(name for name in self.inputs if name not in halves), *self.pairs]

    def is_one_value(self, name: str) -> bool:
        """Whether a column is one value for the whole request."""
        one = self.inputs.get(name)
        return one is not None and one.scope == "request" and not one.is_list

    def knows(self, name: str) -> bool:
        """Whether there is an input or a collection of this name."""
        return name in self.inputs or name in self.pairs


def settled(columns: Any) -> Any:
    """The columns with lists for what can be read only once: a request may have to be written again."""
    if isinstance(columns, Iterator):
        return list(columns)
    if isinstance(columns, Mapping) and any(isinstance(values, Iterator) for values in columns.values()):
        return {name: list(values) if isinstance(values, Iterator) else values for name, values in columns.items()}
    return columns


def given(columns: Any, feature_set: FeatureSet) -> Given:
    """Finds the columns of a feature set's inputs.

    Raises:
        RequestError: If it is nothing that has columns.
    """
    found = Given.of(feature_set)
    try:
        _find(columns, found)
    except Unreadable as reason:
        raise RequestError.invalid([Violation("columns", str(reason))]) from None
    except Exception as error:
        # Whatever a caller's own container raises, it can't be read.
        problem = f"can't be read: {type(error).__name__}: {error}"
        raise RequestError.invalid([Violation("columns", problem)]) from error
    return found


def _find(columns: Any, found: Given) -> None:
    if isinstance(columns, Mapping):
        _of_mapping(columns, found)
        return
    frame = frame_of(columns)
    if frame is not None:
        _of_frame(frame, found)
    elif getattr(columns, "ndim", 1) == 2:
        _of_matrix(columns, found)
    elif is_column(columns):
        _of_sequence(columns, found)
    else:
        raise Unreadable(f"are {shown(columns)}; send a mapping from inputs' names to values, or a frame")


def _of_mapping(columns: Mapping[Any, Any], found: Given) -> None:
    for label, values in columns.items():
        name = column_name(label)
        if not found.knows(name):
            found.violations.append(Violation(name, _unknown(name, found)))
        elif name in found.columns:
            found.violations.append(Violation(name, "is there twice"))
        else:
            found.columns[name] = values


def _unknown(name: str, found: Given) -> str:
    """All names are listed once."""
    close = get_close_matches(name, found.names, n=1)
    hint = f"; is {close[0]!r} meant?" if close else ""
    names = "" if found.violations else f"; available: {', '.join(found.names)}"
    return f"there is no such input{hint}{names}"


def _of_frame(frame: Frame, found: Given) -> None:
    """Other columns than the inputs' are passed over."""
    found.repeats, found.rows = True, frame.rows
    wanted: dict[str, int] = {}
    for at, label in enumerate(frame.labels):
        name = column_name(label)
        if not found.knows(name):
            continue
        if name in wanted:
            found.violations.append(Violation(name, "is there twice"))
        wanted[name] = at
    if found.inputs and not wanted:
        _of_frame_without_names(frame, found)
        return
    of_request = {at: name for name, at in wanted.items() if found.is_one_value(name)}
    found.singles = {of_request[at]: value for at, value in frame.singles(list(of_request)).items()}
    others = {name: at for name, at in wanted.items() if name not in found.singles}
    found.columns = dict(zip(others, frame.columns(list(others.values())), strict=True))


def _of_frame_without_names(frame: Frame, found: Given) -> None:
    """The labels of an array that was made a frame are its columns' numbers."""
    if not len(frame.labels) or list(frame.labels) != list(range(len(frame.labels))):
        raise Unreadable(f"have none of the inputs; available: {', '.join(found.names)}")
    _numbered(frame.rows, len(frame.labels), lambda at: frame.columns([at])[0], found)


def _of_matrix(columns: Any, found: Given) -> None:
    """A matrix of NumPy or SciPy, whose columns the exporter names by their numbers."""
    if library_of(columns) == "scipy":
        columns = columns.tocsc()
    elif not isinstance(columns, np.ma.MaskedArray):
        columns = np.asarray(columns)
    rows, width = columns.shape

    def column(at: int) -> Any:
        return columns[:, [at]] if library_of(columns) == "scipy" else columns[:, at]

    _numbered(rows, width, column, found)


def _numbered(rows: int, width: int, column: Callable[[int], Any], found: Given) -> None:
    numbers = {name: _OF_ARRAY.fullmatch(name) for name in found.names}
    named = [name for name, number in numbers.items() if number is None]
    if named:
        raise Unreadable(
            f"are {width} columns without names, but inputs have names: {', '.join(named)}; send a frame or a mapping"
        )
    found.repeats, found.rows = True, rows
    places = {name: int(number[1]) for name, number in numbers.items() if number is not None}
    last = max(places.values(), default=-1)
    if last >= width:
        raise Unreadable(f"are {width} columns; the inputs are columns up to number {last}, counted from 0")
    found.columns = {name: column(at) for name, at in places.items()}


def _of_sequence(columns: Any, found: Given) -> None:
    """Records, rows, or the values of the only input."""
    names = found.names
    only = names[0] if len(names) == 1 else None
    rows = _rows(columns)
    present = [row for row in rows if not is_missing(row)]
    is_pairs = only in found.pairs
    if present and all(isinstance(row, Mapping) for row in present) and not is_pairs:
        _of_records(rows, found)
    elif only is not None and (is_pairs or found.inputs[only].is_list or not any(map(is_column, present))):
        found.repeats, found.rows, found.columns = True, len(rows), {only: columns}
    elif present and len(present) == len(rows) and all(map(is_column, rows)):
        _of_rows(rows, found)
    else:
        raise Unreadable(
            f"are {shown(columns)}, one column alone, but there are the inputs {', '.join(names)}; send a frame or a "
            "mapping from their names to values"
        )


def _rows(columns: Any) -> Sequence[Any]:
    if isinstance(columns, (list, tuple)):
        return columns
    if isinstance(columns, Iterable):
        return list(columns)
    raise Unreadable(f"are {shown(columns)}, which have no rows")


def _of_records(records: Sequence[Any], found: Given) -> None:
    """A mapping for each row; what one leaves out is null."""
    found.repeats, found.rows = True, len(records)
    names: dict[str, Any] = {}
    for record in records:
        for label in record or {}:
            names.setdefault(column_name(label), label)
    for name, label in names.items():
        if found.knows(name):
            found.columns[name] = [record.get(label) if isinstance(record, Mapping) else None for record in records]


def _of_rows(rows: Sequence[Any], found: Given) -> None:
    """A sequence for each row: named tuples, or values as a matrix has them."""
    width = len(rows[0])
    if any(len(row) != width for row in rows):
        raise Unreadable("are rows of several lengths")
    columns = [list(column) for column in zip(*rows, strict=True)]
    fields = getattr(rows[0], "_fields", None)
    if fields is None:
        _numbered(len(rows), width, columns.__getitem__, found)
    else:
        _of_frame(Frame(list(fields), len(rows), lambda places: [columns[at] for at in places]), found)
