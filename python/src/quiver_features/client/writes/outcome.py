"""What came of writing rows."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ...proto import table_service_pb2 as pb
from ..errors import RequestError, Violation

_COLUMN = re.compile(r"(?:columns|keys)\[(\d+)\](.*)", re.DOTALL)
_EVENT_TIME = re.compile(r"event_times\.values\[(\d+)\]")
_ROW = re.compile(r"\brow (\d+)\b")


@dataclass(frozen=True)
class Written:
    """What came of a call that writes rows.

    Attributes:
        applied: Rows that were written.
        ignored: Rows that were passed over, as what is there, or another row of their message, has a later event time.
        durable: Whether the rows survive the end of the server's process; False where there was no row.
        table_version: The table's version that they lie on; 0 where there was no row.
    """

    applied: int = 0
    ignored: int = 0
    durable: bool = False
    table_version: int = 0

    def then(self, answer: pb.WriteResponse) -> Written:
        """This and what came of the next rows."""
        is_first = self.table_version == 0
        return Written(
            self.applied + answer.applied,
            self.ignored + answer.ignored,
            answer.durable and (is_first or self.durable),
            answer.table_version,
        )


@dataclass(frozen=True)
class Message:
    """Rows on their way.

    Attributes:
        method: The call.
        data: Its bytes.
        columns: The names of the columns, as they stand in it.
        first: The number of its first row among all rows of the call.
        rows: How many there are.
    """

    method: str
    data: bytes
    columns: tuple[str, ...]
    first: int
    rows: int


class WriteError(RequestError):
    """Writing rows failed.

    Attributes:
        written: What came of the messages of rows before. Of the message that failed nothing was written where the
            server rejected it; where its answer did not come in time it is not known.
    """

    def __init__(self, error: RequestError, written: Written) -> None:
        super().__init__(error.code, error.message, error.violations, error.retry_after)
        self.written = written


def located(error: RequestError, message: Message) -> RequestError:
    """The error with columns' names for their places in the message, and rows counted over the whole call."""
    violations = [_located(violation, message) for violation in error.violations]
    return RequestError(error.code, error.message, violations, error.retry_after)


def _located(violation: Violation, message: Message) -> Violation:
    event_time = _EVENT_TIME.fullmatch(violation.field)
    if event_time is not None:
        return Violation("event_time", f"row {message.first + int(event_time[1])} {violation.description}")
    column = _COLUMN.fullmatch(violation.field)
    if column is None or int(column[1]) >= len(message.columns):
        return violation
    name = message.columns[int(column[1])]
    # The server has only the description to name the column in.
    description = violation.description.removeprefix(f'"{name}"').removeprefix(",").lstrip()
    description = _ROW.sub(lambda row: f"row {message.first + int(row[1])}", description)
    return replace(violation, field=f"{name}{column[2]}", description=description)
