"""The client for asyncio: the same calls as those of ``quiver_features.Client``, to be awaited."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from types import TracebackType
from typing import Any

import grpc
import grpc.aio

from .client.answers import Features
from .client.descriptions import FeatureSet, FeatureSetVersions, OutputType
from .client.errors import RequestError
from .client.request import Encodings, Layout, Outputs, Rows, StatusDetail, Wanted
from .client.session import CHANNEL_OPTIONS, METHODS, SERVICE, Exchange, Sent, Session, Steps, T, as_it_is

__all__ = ["Client"]


class Client:
    """Asks a Quiver server for features, within a running event loop.

    >>> async with Client("127.0.0.1:50051") as client:
    ...     features = await client.get_features("ads", {"user_id": 7, "ad_id": ["a", "b"]})

    The arguments and what is kept are those of ``quiver_features.Client``; calls of several tasks share one
    connection.
    """

    def __init__(
        self,
        address: str,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        timeout: float | None = 10.0,
        options: Sequence[tuple[str, Any]] = (),
    ) -> None:
        chosen = (*CHANNEL_OPTIONS, *options)
        if credentials is None:
            self._channel = grpc.aio.insecure_channel(address, options=chosen)
        else:
            self._channel = grpc.aio.secure_channel(address, credentials, options=chosen)
        self._timeout = timeout
        self._session = Session()
        self._methods = {name: self._channel.unary_unary(f"{SERVICE}{name}", as_it_is, as_it_is) for name in METHODS}
        self._stream = self._channel.stream_stream(f"{SERVICE}StreamFeatures", as_it_is, as_it_is)

    async def close(self) -> None:
        """Closes the connection; calls under way are cancelled."""
        await self._channel.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

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
                async for columns in _each(requests):
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

    async def _run(self, steps: Steps[T], timeout: float | None) -> T:
        exchange = Exchange(steps, self._timeout if timeout is None else timeout)
        while (call := exchange.call) is not None:
            try:
                answer = await self._methods[call.method](call.message, timeout=exchange.timeout)
            except grpc.RpcError as error:
                exchange.failed(error)
            else:
                exchange.answered(answer)
        return exchange.result


async def _each(requests: Iterable[Any] | AsyncIterable[Any]) -> AsyncIterator[Any]:
    if isinstance(requests, AsyncIterable):
        async for columns in requests:
            yield columns
    else:
        for columns in requests:
            yield columns
