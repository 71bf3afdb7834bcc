"""The client of features for asyncio."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from typing import Any

import grpc

from ..client.answers import Features
from ..client.descriptions import FeatureSet, FeatureSetVersions, OutputType
from ..client.errors import RequestError
from ..client.exchange import as_it_is
from ..client.request import Encodings, Layout, Outputs, Rows, StatusDetail, Wanted
from ..client.session import SERVICE, Sent, Session
from .connection import Connection, each


class Client(Connection):
    """Asks a Quiver server for features, within a running event loop.

    >>> async with Client("127.0.0.1:50051") as client:
    ...     features = await client.get_features("ads", {"user_id": 7, "ad_id": ["a", "b"]})

    The arguments and what is kept are those of ``quiver_features.Client``; calls of several tasks share one
    connection.
    """

    _service = SERVICE

    def __init__(
        self,
        address: str,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        timeout: float | None = 10.0,
        options: Sequence[tuple[str, Any]] = (),
    ) -> None:
        super().__init__(address, credentials=credentials, timeout=timeout, options=options)
        self._session = Session()
        self._stream = self._channel.stream_stream(f"{SERVICE}StreamFeatures", as_it_is, as_it_is)

    async def get_features(
        self,
        feature_set: str,
        columns: Any,
        *,
        version: int = 0,
        rows: int | None = None,
        outputs: Outputs = None,
        dtype: OutputType | None = None,
        layout: Layout = "dense",
        status: StatusDetail = "off",
        encoding: Encodings = "raw",
        timeout: float | None = None,
    ) -> Features:
        """Answers one request, as ``quiver_features.Client.get_features`` does.

        Raises:
            RequestError: With every problem of the request, or the code of what else failed.
        """
        wanted = Wanted(feature_set, version, outputs, dtype, layout, status, encoding)
        return await self._run(self._session.get_features(wanted, Rows.of(columns, rows)), timeout)

    async def stream(
        self,
        feature_set: str,
        requests: Iterable[Any] | AsyncIterable[Any],
        *,
        version: int = 0,
        outputs: Outputs = None,
        dtype: OutputType | None = None,
        layout: Layout = "dense",
        status: StatusDetail = "off",
        encoding: Encodings = "raw",
        timeout: float | None = None,
    ) -> AsyncIterator[Features]:
        """Answers one request after the other, as ``quiver_features.Client.stream`` does.

        The requests may come from a plain or an asynchronous iterable.

        Raises:
            RequestError: At the first request that fails, after the answers of all before it.
        """
        wanted = Wanted(feature_set, version, outputs, dtype, layout, status, encoding)
        await self.describe(feature_set, version)
        failed: list[BaseException] = []
        waiting: deque[Sent] = deque()

        async def written() -> AsyncIterator[bytes]:
            try:
                async for columns in each(requests):
                    waiting.append(await self._run(self._session.write(wanted, Rows.of(columns)), None))
                    yield waiting[-1].message
            except Exception as error:
                # The caller shall see it, not gRPC's task; the answers before it come first.
                failed.append(error)

        call = self._stream(written(), timeout=timeout)
        try:
            async for raw in call:
                yield await self._run(self._session.settle(waiting.popleft(), raw), None)
        except grpc.RpcError as error:
            raise RequestError.of(error) from None
        finally:
            call.cancel()
        if failed:
            raise failed[0]

    async def list_feature_sets(self, *, timeout: float | None = None) -> list[FeatureSetVersions]:
        """Every feature set with its served versions and those that could not be loaded.

        Raises:
            RequestError: If the call fails.
        """
        return await self._run(self._session.list_feature_sets(), timeout)

    async def describe(self, feature_set_name: str, version: int = 0, *, timeout: float | None = None) -> FeatureSet:
        """One version's inputs, outputs and tables, as they are now.

        Raises:
            RequestError: With NOT_FOUND if there is no such feature set or version.
        """
        return await self._run(self._session.describe(feature_set_name, version), timeout)
