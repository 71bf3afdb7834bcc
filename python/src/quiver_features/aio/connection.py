"""A channel to a server, over which the steps of calls are awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from types import TracebackType
from typing import Any, ClassVar, TypeVar

import grpc
import grpc.aio

from ..client.exchange import CHANNEL_OPTIONS, Exchange, Steps, T, as_it_is

Own = TypeVar("Own", bound="Connection")


class Connection:
    """What the clients of all services have in common: one connection, which several tasks may use.

    It is opened within a running event loop. The arguments are those of the plain clients.
    """

    _service: ClassVar[str]
    """The path before its methods' names."""

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
        self._methods: dict[str, Any] = {}

    async def close(self) -> None:
        """Closes the connection; calls under way are cancelled."""
        await self._channel.close()

    async def __aenter__(self: Own) -> Own:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _run(self, steps: Steps[T], timeout: float | None) -> T:
        exchange = Exchange(steps, self._timeout if timeout is None else timeout)
        while (call := exchange.call) is not None:
            if call.pause is not None:
                await asyncio.sleep(call.pause.seconds)
            try:
                answer = await self._method(call.method)(call.message, timeout=exchange.timeout)
            except grpc.RpcError as error:
                exchange.failed(error)
            else:
                exchange.answered(answer)
        return exchange.result

    def _method(self, name: str) -> Any:
        method = self._methods.get(name)
        if method is None:
            method = self._methods[name] = self._channel.unary_unary(f"{self._service}{name}", as_it_is, as_it_is)
        return method


async def each(values: Iterable[Any] | AsyncIterable[Any]) -> AsyncIterator[Any]:
    """What a plain or an asynchronous iterable gives."""
    if isinstance(values, AsyncIterable):
        async for value in values:
            yield value
    else:
        for value in values:
            yield value
