"""The client of live tables: typed calls of quiver.v1.TableService."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .connection import Connection
from .errors import RequestError
from .writes.outcome import WriteError, Written
from .writes.rows import containers_of
from .writes.sending import SERVICE, send
from .writes.writing import Columns, Writing, appending

Progress = Callable[[int], object]
"""Is called with the number of rows of each message that was acknowledged."""


class TableClient(Connection):
    """Writes rows of live tables while they are served.

    >>> with TableClient("127.0.0.1:50051") as tables:
    ...     tables.upsert("ads", pd.DataFrame({"ad_id": ["a", "b"], "price": [1.5, None]}))
    Written(applied=2, ignored=0, durable=True, table_version=3)

    Once a call has returned, every request that starts afterwards sees its rows. A client has one connection and may be
    used by several threads.

    Rows are a frame of pandas (named levels of its index are columns too) or polars, an Arrow table, record batches or
    a dataset, anything with Arrow's stream, a structured array, a mapping from columns' names to values, a list of
    dictionaries, or an iterator of these, of which one is held at a time. They are sent in messages of about a
    megabyte, one after the other; each is applied as a whole or not at all. A message for which the server has no room
    is sent again, for as long as the timeout allows.

    Values are sent in the types that they have: integers as integers, floats as floats, times in their unit; rows of a
    matrix, Arrow's fixed-size lists and lists of floats of one length as vectors. Where the table has another type,
    state it as in ``write_table``: ``columns={"price": "float64", "weights": "list<float32>"}``.
    """

    _service = SERVICE

    def upsert(
        self,
        table: str,
        data: Any,
        *,
        event_time: Any = None,
        columns: Columns = None,
        batch_rows: int | None = None,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Written:
        """Inserts rows, or changes some columns of those that are there.

        Args:
            table: The table's name.
            data: Every key column, and any of the others; the others keep what a row has, and are null in a new one.
            event_time: When the rows came about: a datetime, or one for each row, or the name of a column of the data,
                which is sent as a column only where ``columns`` names it. Numbers state what they count, as in
                ``Time(1_700_000_000, "s")``. A row that has a later event time is left as it is. If not given, it is
                the table's own column for it, or the moment at which the server reads the rows.
            columns: The columns to send; or a mapping from some of them to their types in the table.
            batch_rows: The most rows of a message, which is what is applied as a whole.
            progress: Is called with the number of rows of each message that was acknowledged, as ``tqdm.update`` is.
            timeout: Seconds for each message.

        Raises:
            RequestError: If an argument is wrong.
            WriteError: With every problem of a message, its column and its row among all rows, or the code of what else
                failed; ``written`` says what came of the messages before.
        """
        writing = Writing("Upsert", table, columns=columns, event_time=event_time, batch_rows=batch_rows)
        return self._write(writing, data, progress, timeout)

    def delete(
        self,
        table: str,
        keys: Any,
        *,
        event_time: Any = None,
        columns: Columns = None,
        batch_rows: int | None = None,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Written:
        """Removes rows.

        Args:
            table: The table's name.
            keys: Every key column and no other; ``columns`` chooses them among more.
            event_time: When the rows ceased to be, as for ``upsert``. A later upsert of an older row does not bring it
                back.
            columns: As for ``upsert``, as are the arguments that follow.

        Raises:
            RequestError: As for ``upsert``.
        """
        writing = Writing("Delete", table, columns=columns, event_time=event_time, batch_rows=batch_rows)
        return self._write(writing, keys, progress, timeout)

    def append(
        self,
        table: str,
        data: Any,
        *,
        key: str | Sequence[str],
        cap: int = 0,
        event_time: Any = None,
        columns: Columns = None,
        batch_rows: int | None = None,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Written:
        """Appends elements to lists of rows, such as a user's events.

        Args:
            table: The table's name.
            data: The key columns, and list columns with the elements to append to the row of each key: lists, or single
                values, of which each row appends one. So does a vector whose type is stated, as in ``"float32[32]"``.
                A key that has no row gets one. Several rows with one key are appended in their order.
            key: The names of the key columns.
            cap: The most elements that each list keeps, the newest; 0 for 10,000.
            event_time: When the elements came about, as for ``upsert``. They are appended whatever the row's event time
                is, but not to a row that was deleted later.
            columns: As for ``upsert``, as are the arguments that follow.

        Raises:
            RequestError: As for ``upsert``. After a failure other than a rejection, such as a timeout, the elements of
                the message on its way may have been appended.
        """
        writing = appending(table, key, cap, columns=columns, event_time=event_time, batch_rows=batch_rows)
        return self._write(writing, data, progress, timeout)

    def _write(self, writing: Writing, data: Any, progress: Progress | None, timeout: float | None) -> Written:
        written = Written()
        try:
            for container in containers_of(data):
                for message in writing.messages(container):
                    written = written.then(self._run(send(message), timeout))
                    if progress is not None:
                        progress(message.rows)
        except RequestError as error:
            raise WriteError(error, written) from None
        return written
