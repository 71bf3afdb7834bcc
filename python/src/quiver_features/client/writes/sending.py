"""The steps of a call that writes rows."""

from __future__ import annotations

from ...proto import table_service_pb2 as pb
from ..errors import RequestError
from ..exchange import Call, Pause, Steps, parsed
from .outcome import Message, located

SERVICE = "/quiver.v1.TableService/"

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0
"""Seconds before a message is sent again; twice as long each time."""


def send(message: Message) -> Steps[pb.WriteResponse]:
    """Sends a message until the server has room for it.

    Only what the server itself asks to be sent again is: after another failure the rows may have been written.
    """
    call = Call(message.method, message.data)
    pause = _FIRST_PAUSE
    while True:
        try:
            raw = yield call
        except RequestError as error:
            where = located(error, message)
            if error.retry_after is None:
                raise where from None
            call = Call(message.method, message.data, Pause(max(error.retry_after, pause), where))
            pause = min(2 * pause, _LONGEST_PAUSE)
        else:
            return parsed(raw, pb.WriteResponse.FromString)
