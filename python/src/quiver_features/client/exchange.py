"""Calls as steps without any input or output: the plain and the asynchronous clients run the same ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

import grpc
from google.protobuf.message import DecodeError

from .errors import RequestError

_MIB = 1 << 20

CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", 256 * _MIB),
    ("grpc.max_send_message_length", 64 * _MIB),
    # The stream's window: an answer of a few MiB then needs no waiting for window updates.
    ("grpc.http2.lookahead_bytes", 16 * _MIB),
    ("grpc.http2.max_frame_size", 1 * _MIB),
    ("grpc.http2.bdp_probe", 0),
    # A client of its own connection: several clients in one process then use several cores.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_metadata_size", 64 << 10),
)
"""What the channel is opened with; the options given to the client come after and win."""

T = TypeVar("T")


@dataclass(frozen=True)
class Pause:
    """A wait before a call that is made again.

    Attributes:
        seconds: How long.
        error: Why it is made again; what the steps end with if there is no time left to wait.
    """

    seconds: float
    error: RequestError


@dataclass(frozen=True)
class Call:
    """A unary call to be made; the answer's bytes, or the RequestError, go back into the steps.

    Attributes:
        method: The method's name in its service.
        message: The request.
        pause: What is waited for first.
    """

    method: str
    message: bytes
    pause: Pause | None = None


Steps: TypeAlias = Generator[Call, bytes, T]


class Exchange(Generic[T]):
    """Steps on their way: whoever makes the calls hands the answers in until there is no further call.

    Attributes:
        call: The next call, or None at the end.
    """

    def __init__(self, steps: Steps[T], timeout: float | None) -> None:
        self._steps = steps
        self._end = None if timeout is None else time.monotonic() + timeout
        self._result: T | None = None
        self.call: Call | None = None
        self._advance(lambda: next(steps))

    @property
    def timeout(self) -> float | None:
        """The seconds that are left."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    @property
    def result(self) -> T:
        """What the steps result in, after the last call."""
        return self._result  # type: ignore[return-value]

    def answered(self, answer: bytes) -> None:
        """Goes on with a call's answer."""
        self._advance(lambda: self._steps.send(answer))

    def failed(self, error: grpc.RpcError) -> None:
        """Goes on with a call's failure.

        Raises:
            RequestError: Where the steps end with it.
        """
        self._advance(lambda: self._steps.throw(RequestError.of(error)))

    def _advance(self, step: Callable[[], Call]) -> None:
        try:
            self.call = step()
        except StopIteration as end:
            self.call, self._result = None, end.value
            return
        pause, left = self.call.pause, self.timeout
        if pause is not None and left is not None and pause.seconds >= left:
            self._steps.close()
            raise pause.error


def parsed(raw: bytes, parse: Callable[[bytes], T]) -> T:
    """An answer as it is read.

    Raises:
        RequestError: If it can't be.
    """
    try:
        return parse(raw)
    except (DecodeError, KeyError, ValueError) as error:
        problem = f"the answer can't be read by this client: {type(error).__name__}: {error}"
        raise RequestError(grpc.StatusCode.INTERNAL, problem) from error


def as_it_is(message: Any) -> Any:
    """Requests and answers pass as bytes: their numbers are not taken apart one by one."""
    return message
