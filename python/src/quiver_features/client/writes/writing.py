"""Rows as messages of bounded size: each column in the type that is stated for it, or that the data suggests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from ...proto import table_service_pb2 as pb
from ..errors import RequestError, Violation
from ..request import text, whole_number
from ..vectors import Unreadable
from ..wire import Part
from .columns import problem, written
from .event_times import EventTimes, event_times_of
from .event_times import violation as of_event_times
from .outcome import Message
from .rows import Rows, part_of, read_rows, rows_of
from .types import TableType, is_settled, joined, parse, suggested

Method = Literal["Upsert", "Delete", "Append"]
Columns = Sequence[str] | Mapping[str, str] | None
"""The columns to send, or types for some of them."""

_FIRST_ROWS, _MOST_ROWS = 512, 16_384
"""How many rows a message has: the first one, whose size says how many the others may have, and any."""

_USUAL_BYTES, _MOST_BYTES = 1 << 20, 8 << 20
"""The size that messages are meant to have, and the one at which rows are sent in two messages."""


class Writing:
    """One call that writes rows, of which a container after the other is made messages.

    Args:
        method: The call.
        table: The table's name.
        columns: The columns to send, or types for some of them; all as they are if not given.
        event_time: As the client takes it.
        batch_rows: The most rows of a message; as many as make about a megabyte if not given.
        key: Append's key columns; of all others each row's elements are appended.
        head: What a message has before its columns; the table if not given.

    Raises:
        RequestError: If one of these is wrong.
    """

    def __init__(
        self,
        method: Method,
        table: str,
        *,
        columns: Columns = None,
        event_time: Any = None,
        batch_rows: int | None = None,
        key: Sequence[str] = (),
        head: bytes | None = None,
    ) -> None:
        self._method = method
        self._head = pb.UpsertRequest(table=text("table", table)).SerializeToString() if head is None else head
        self._selected, self._types = _columns(columns)
        self._time_column = event_time if isinstance(event_time, str) else None
        self._event_times = _checked("event_time", lambda: event_times_of(event_time))
        self._most_rows = _MOST_ROWS if batch_rows is None else max(1, whole_number("batch_rows", batch_rows))
        self._rows = self._most_rows if batch_rows is not None else _FIRST_ROWS
        self._is_fixed = batch_rows is not None
        self._keys = frozenset(key)
        self._sent = 0

    def messages(self, container: Any) -> Iterator[Message]:
        """The rows of a container, after those of the containers before it.

        Raises:
            RequestError: With every column that can't be written, the rows counted over all containers.
        """
        rows = self._chosen(rows_of(container))
        if rows.count:
            self._settle_types(rows)
        start, first = 0, self._sent
        while start < rows.count:
            stop = min(rows.count, start + self._rows)
            for message in self._fitting(rows, start, stop, first + start):
                self._sent += message.rows
                yield message
            start = stop

    def _chosen(self, rows: Rows) -> Rows:
        """The columns that are sent, and that of the event times."""
        wanted = [*(rows.columns if self._selected is None else self._selected)]
        unknown = [name for name in [*wanted, *self._types, *self._keys] if name not in rows.columns]
        available = ", ".join(rows.columns)
        _raise([Violation(name, f"is not in the data, which has {available}") for name in dict.fromkeys(unknown)])
        columns = {name: rows.columns[name] for name in wanted}
        if self._time_column in rows.columns and self._time_column is not None:
            columns[self._time_column] = rows.columns[self._time_column]
        return Rows(columns, rows.count)

    def _appends(self, name: str) -> bool:
        """Whether a column holds elements to append, and no keys."""
        return self._method == "Append" and name not in self._keys

    def _sent_columns(self, rows: Rows) -> list[str]:
        """A column that only gives the event times is not one of the table."""
        if self._selected is not None:
            return list(self._selected)
        return [name for name in rows.columns if name != self._time_column]

    def _settle_types(self, rows: Rows) -> None:
        """Finds types for columns that have none yet."""
        violations = []
        for name in self._sent_columns(rows):
            if name in self._types:
                continue
            try:
                of = _suggested(rows.columns[name], rows.count)
            except Exception as error:
                violations.append(Violation(name, problem(error)))
                continue
            if of is not None:
                self._types[name] = of.as_list if self._appends(name) and not of.is_list and of.width else of
                continue
            stated = f"columns={{{name!r}: 'float64'}}"
            violations.append(Violation(name, f"holds only nulls, which have no type; state it, as in {stated}"))
        _raise(violations)

    def _fitting(self, rows: Rows, start: int, stop: int, first: int) -> Iterator[Message]:
        """One message, or several where it would be too large."""
        message = self._message(rows, start, stop, first)
        count = stop - start
        if len(message.data) > _MOST_BYTES and count > 1:
            middle = start + count // 2
            yield from self._fitting(rows, start, middle, first)
            yield from self._fitting(rows, middle, stop, first + middle - start)
            return
        if not self._is_fixed:
            self._rows = max(1, min(_MOST_ROWS, _USUAL_BYTES * count // len(message.data)))
        yield message

    def _message(self, rows: Rows, start: int, stop: int, first: int) -> Message:
        parts: list[Part] = [self._head]
        violations = []
        names = self._sent_columns(rows)
        for name in names:
            try:
                values = part_of(rows.columns[name], start, stop)
                parts += written(name, self._types[name], values, self._appends(name))
            except Exception as error:
                violations.append(Violation(name, problem(error, first)))
        try:
            parts += self._event_times.of_rows(rows, start, stop, first)
        except Unreadable as reason:
            violations.append(of_event_times(reason))
        _raise(violations)
        return Message(self._method, b"".join(parts), tuple(names), first, stop - start)


def appending(table: str, key: str | Sequence[str], cap: int, **options: Any) -> Writing:
    """A call that appends elements to lists.

    Raises:
        RequestError: If an argument is wrong.
    """
    head = pb.AppendRequest(table=text("table", table), cap=whole_number("cap", cap)).SerializeToString()
    return Writing("Append", table, key=[key] if isinstance(key, str) else list(key), head=head, **options)


def _columns(columns: Columns) -> tuple[list[str] | None, dict[str, TableType]]:
    """The columns that are selected, and the types that are stated."""
    if columns is None:
        return None, {}
    if not isinstance(columns, Mapping):
        return [columns] if isinstance(columns, str) else list(columns), {}
    types: dict[str, TableType] = {}
    violations = []
    for name, of in columns.items():
        try:
            types[name] = parse(of)
        except Unreadable as reason:
            violations.append(Violation(f"columns[{name!r}]", str(reason)))
    _raise(violations)
    return None, types


def _suggested(values: Any, count: int) -> TableType | None:
    """The type of a whole column, of which no more is read than has to be, and little at a time."""
    found: TableType | None = None
    for start in range(0, count, _MOST_ROWS):
        vector = read_rows(part_of(values, start, min(count, start + _MOST_ROWS)))
        found = joined(found, suggested(vector))
        if is_settled(found, vector):
            break
    return found


def _checked(what: str, make: Callable[[], EventTimes]) -> EventTimes:
    try:
        return make()
    except Unreadable as reason:
        raise RequestError.invalid([Violation(what, str(reason))]) from None


def _raise(violations: list[Violation]) -> None:
    if violations:
        raise RequestError.invalid(violations)
