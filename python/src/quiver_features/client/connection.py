"""A channel to a server, over which the steps of calls are run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, ClassVar, TypeVar

import grpc

from .exchange import CHANNEL_OPTIONS, Exchange, Steps, T, as_it_is

Own = TypeVar("Own", bound="Connection")


class Connection:
    """What the clients of all services have in common: one connection, which several threads may use.

    Args:
        address: ``host:port``, or any target that gRPC knows.
        credentials: For TLS; without them the connection is plain.
        timeout: Seconds for each call, unless the call says otherwise.
        options: More channel options.
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
            self._channel = grpc.insecure_channel(address, options=chosen)
        else:
            self._channel = grpc.secure_channel(address, credentials, options=chosen)
        self._timeout = timeout
        self._methods: dict[str, Any] = {}

    def close(self) -> None:
        """Closes the connection; calls under way are cancelled."""
        self._channel.close()

    def __enter__(self: Own) -> Own:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, steps: Steps[T], timeout: float | None) -> T:
        exchange = Exchange(steps, self._timeout if timeout is None else timeout)
        while (call := exchange.call) is not None:
            if call.pause is not None:
                time.sleep(call.pause.seconds)
            try:
                answer = self._method(call.method)(call.message, timeout=exchange.timeout)
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
