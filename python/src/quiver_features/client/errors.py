"""Why a request was rejected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

_DETAILS = "grpc-status-details-bin"


@dataclass(frozen=True)
class Violation:
    """One problem of a request.

    Attributes:
        field: Where: a path in the request such as ``columns[2].nulls[0]``, or an input's name where the client
            itself could not write the column.
        description: What is wrong there.
    """

    field: str
    description: str

    def __str__(self) -> str:
        return f"{self.field}: {self.description}" if self.field else self.description


class RequestError(Exception):
    """A call failed, or could not be made of the values given.

    Attributes:
        code: The gRPC code; INVALID_ARGUMENT also where the client found the problem.
        message: The server's message.
        violations: Every problem that was found, with its place.
        retry_after: Seconds after which to try again, where the server says so.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        violations: Sequence[Violation] = (),
        retry_after: float | None = None,
    ) -> None:
        self.code = code
        self.message = message
        self.violations = tuple(violations)
        self.retry_after = retry_after
        listed = "\n".join(str(violation) for violation in violations)
        super().__init__(f"{code.name}: {listed or message}")

    @classmethod
    def invalid(cls, violations: Sequence[Violation]) -> RequestError:
        """Values that can't be sent."""
        return cls(grpc.StatusCode.INVALID_ARGUMENT, "the request can't be written", violations)

    @classmethod
    def of(cls, error: Any) -> RequestError:
        """From the error of a call, with the details of google.rpc."""
        violations: list[Violation] = []
        retry_after = None
        metadata = error.trailing_metadata() or ()
        for value in (value for key, value in metadata if key == _DETAILS):
            for detail in status_pb2.Status.FromString(value).details:
                bad_request = error_details_pb2.BadRequest()
                retry = error_details_pb2.RetryInfo()
                if detail.Unpack(bad_request):
                    violations += [Violation(one.field, one.description) for one in bad_request.field_violations]
                elif detail.Unpack(retry):
                    retry_after = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
        return cls(error.code(), error.details() or "", violations, retry_after)
