"""What a caller passes as rows to write: columns by name, in one container or in one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...names import column_name
from ..errors import RequestError, Violation
from ..frames import Frame, frame_of
from ..reading import is_column, library_of, read
from ..reading.lists import as_lists
from ..reading.times import Time
from ..vectors import Objects, Unreadable, Vector, shown

_READ = "a frame of pandas or polars, Arrow data, a mapping from columns' names to values, or a list of dictionaries"


@dataclass(frozen=True)
class Rows:
    """Columns of one length.

    Attributes:
        columns: Values by name, as they were passed.
        count: The number of rows.
    """

    columns: dict[str, Any]
    count: int


def containers_of(data: Any) -> Iterator[Any]:
    """The containers of rows that data consists of: itself, or each that it gives."""
    if hasattr(data, "to_batches") and not hasattr(data, "column_names"):
        # A dataset of Arrow's, or what scans one.
        yield from data.to_batches()
    elif library_of(data) == "" and hasattr(data, "__arrow_c_stream__"):
        import pyarrow

        yield from pyarrow.RecordBatchReader.from_stream(data)
    elif isinstance(data, Iterator) or _is_reader(data) or (isinstance(data, (list, tuple)) and _holds_frames(data)):
        yield from data
    else:
        yield data


def _is_reader(data: Any) -> bool:
    """Whether data is Arrow's reader of record batches."""
    return hasattr(data, "read_next_batch")


def _holds_frames(data: Sequence[Any]) -> bool:
    return bool(data) and (hasattr(data[0], "columns") or hasattr(data[0], "column_names"))


def rows_of(container: Any) -> Rows:
    """The columns of one container.

    Raises:
        RequestError: If it has none, or they have several lengths.
    """
    try:
        labelled = _labelled(container)
    except Unreadable as reason:
        raise RequestError.invalid([Violation("data", str(reason))]) from None
    columns: dict[str, Any] = {}
    violations: list[Violation] = []
    for label, values in labelled:
        name = column_name(label)
        if name in columns:
            violations.append(Violation(name, "is there twice"))
        elif not is_column(values):
            violations.append(Violation(name, f"is {shown(values)}, not a column of values"))
        else:
            columns[name] = values
    counts = {name: _length(values) for name, values in columns.items()}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} has {count}" for name, count in counts.items())
        violations.append(Violation("data", f"the columns have different numbers of rows: {listed}"))
    if violations:
        raise RequestError.invalid(violations)
    return Rows(columns, max(counts.values(), default=0))


def _labelled(container: Any) -> list[tuple[Any, Any]]:
    if isinstance(container, Mapping):
        return [(label, _settled(values)) for label, values in container.items()]
    frame = frame_of(container)
    if frame is not None:
        return _of_frame(container, frame)
    if isinstance(container, (list, tuple)):
        return list(_of_records(container).items())
    raise Unreadable(f"are {shown(container)}; what is written is {_READ}, or an iterator of these")


def _settled(values: Any) -> Any:
    """A list for what can be read only once."""
    return list(values) if isinstance(values, Iterator) else values


def _of_frame(container: Any, frame: Frame) -> list[tuple[Any, Any]]:
    if library_of(container) != "pandas":
        return list(zip(frame.labels, frame.columns(range(len(frame.labels))), strict=True))
    # Where they lie: a frame may be most of the memory.
    columns = [(label, container.iloc[:, at]) for at, label in enumerate(frame.labels)]
    return [*_index_levels(container.index, set(frame.labels)), *columns]


def _index_levels(index: Any, labels: set[Any]) -> list[tuple[Any, Any]]:
    """Named levels of a pandas index, which are columns as much as the others."""
    names = [name for name in index.names if name is not None and name not in labels]
    return [(name, index.get_level_values(name).to_series()) for name in names]


def _of_records(records: Any) -> dict[Any, list[Any]]:
    """A mapping for each row; what one leaves out is null."""
    columns: dict[Any, list[Any]] = {}
    for row, record in enumerate(records):
        if not isinstance(record, Mapping):
            raise Unreadable(f"row {row} is {shown(record)}, not a dictionary; what is written is {_READ}")
        for label in record:
            columns.setdefault(label, [])
    for label, values in columns.items():
        values.extend(record.get(label) for record in records)
    return columns


def _length(values: Any) -> int:
    return len(values.values) if isinstance(values, Time) else len(values)


def part_of(values: Any, start: int, stop: int) -> Any:
    """Some rows of a column, whatever library it comes from."""
    if isinstance(values, Time):
        return Time(part_of(values.values, start, stop), values.unit)
    if hasattr(values, "iloc"):
        return values.iloc[start:stop]
    if library_of(values) in {"polars", "pyarrow"}:
        return values.slice(start, stop - start)
    if isinstance(values, (list, tuple, np.ndarray)) or hasattr(values, "__getitem__"):
        return values[start:stop]
    return list(values)[start:stop]


def read_rows(values: Any) -> Vector:
    """A column of single values or of lists.

    Raises:
        Unreadable: If it can't be read as one.
    """
    if isinstance(values, Time):
        return values.stamped(read_rows(values.values))
    if isinstance(values, np.ndarray) and values.ndim == 3:
        # As many vectors in each row.
        values = list(values)
    vector = read(values)
    if isinstance(vector, Objects) and any(map(is_column, vector.values)):
        return as_lists(vector)
    return vector
