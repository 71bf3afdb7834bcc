"""A server in front of others that passes calls on to one of them, as a balancer does during a rollout."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc

from quiver_features.client.exchange import as_it_is
from quiver_features.client.session import METHODS, SERVICE

_STREAM = "StreamFeatures"


class Front(grpc.GenericRpcHandler):
    """Passes bytes on.

    Attributes:
        backend: The address that calls go to.
        calls: The calls that were passed on.
        address: Its own address.
    """

    def __init__(self, backend: str) -> None:
        self.backend = backend
        self.calls: list[str] = []
        self.address = ""
        self._channels: dict[str, grpc.Channel] = {}

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        method = details.method.removeprefix(SERVICE)
        if method == _STREAM:
            return grpc.stream_stream_rpc_method_handler(self._stream)
        assert method in METHODS
        return grpc.unary_unary_rpc_method_handler(lambda message, context: self._pass_on(method, message, context))

    def _stream(self, messages: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        for message in messages:
            yield self._pass_on("GetFeatures", message, context)

    def _pass_on(self, method: str, message: bytes, context: grpc.ServicerContext) -> bytes:
        self.calls.append(method)
        channel = self._channels.setdefault(self.backend, grpc.insecure_channel(self.backend))
        try:
            return channel.unary_unary(f"{SERVICE}{method}", as_it_is, as_it_is)(message, timeout=30)
        except grpc.RpcError as error:
            context.set_trailing_metadata(error.trailing_metadata())  # type: ignore[attr-defined]
            context.abort(error.code(), error.details())  # type: ignore[attr-defined]
            raise

    def close(self) -> None:
        for channel in self._channels.values():
            channel.close()


@contextmanager
def fronting(backend: str) -> Iterator[Front]:
    """A front of a server; another one can be put behind it."""
    front = Front(backend)
    server = grpc.server(ThreadPoolExecutor(8), handlers=[front])
    front.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield front
    finally:
        server.stop(None).wait()
        front.close()
