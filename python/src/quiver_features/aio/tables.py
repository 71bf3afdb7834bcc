"""The client of live tables for asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from typing import Any

from ..client.errors import RequestError
from ..client.table_client import Progress
from ..client.writes.outcome import WriteError, Written
from ..client.writes.rows import containers_of
from ..client.writes.sending import SERVICE, send
from ..client.writes.writing import Columns, Writing, appending
from .connection import Connection


class TableClient(Connection):
    """Writes rows of live tables while they are served, within a running event loop.

    >>> async with TableClient("127.0.0.1:50051") as tables:
    ...     await tables.upsert("ads", frame)

    The arguments and what is sent are those of ``quiver_features.TableClient``; data may be an asynchronous iterator of
    containers too.
    """

    _service = SERVICE

    async def upsert(
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
        """Inserts rows, or changes some columns of those that are there, as ``quiver_features.TableClient`` does.

        Raises:
            RequestError: As there.
        """
        writing = Writing("Upsert", table, columns=columns, event_time=event_time, batch_rows=batch_rows)
        return await self._write(writing, data, progress, timeout)

    async def delete(
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
        """Removes rows, as ``quiver_features.TableClient`` does.

        Raises:
            RequestError: As there.
        """
        writing = Writing("Delete", table, columns=columns, event_time=event_time, batch_rows=batch_rows)
        return await self._write(writing, keys, progress, timeout)

    async def append(
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
        """Appends elements to lists of rows, as ``quiver_features.TableClient`` does.

        Raises:
            RequestError: As there.
        """
        writing = appending(table, key, cap, columns=columns, event_time=event_time, batch_rows=batch_rows)
        return await self._write(writing, data, progress, timeout)

    async def _write(self, writing: Writing, data: Any, progress: Progress | None, timeout: float | None) -> Written:
        written = Written()
        try:
            async for container in _containers(data):
                for message in writing.messages(container):
                    written = written.then(await self._run(send(message), timeout))
                    if progress is not None:
                        progress(message.rows)
        except RequestError as error:
            raise WriteError(error, written) from None
        return written


async def _containers(data: Any) -> AsyncIterator[Any]:
    if isinstance(data, AsyncIterable):
        async for container in data:
            yield container
    else:
        for container in containers_of(data):
            yield container
