"""A server of TableService within the process: takes writes as they come, and answers as a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

from quiver_features.client.exchange import as_it_is
from quiver_features.client.writes.sending import SERVICE
from quiver_features.proto import table_service_pb2 as pb

REQUESTS: dict[str, Any] = {"Upsert": pb.UpsertRequest, "Delete": pb.DeleteRequest, "Append": pb.AppendRequest}


@dataclass
class Refusal(Exception):
    """What a call is answered with instead."""

    code: grpc.StatusCode
    violations: tuple[tuple[str, str], ...] = ()
    retry_after_ms: int | None = None

    def details(self) -> bytes:
        """As the trailer has them."""
        found = []
        if self.violations:
            listed = [
                error_details_pb2.BadRequest.FieldViolation(field=place, description=problem)
                for place, problem in self.violations
            ]
            found.append(error_details_pb2.BadRequest(field_violations=listed))
        if self.retry_after_ms is not None:
            delay = duration_pb2.Duration(nanos=self.retry_after_ms * 1_000_000)
            found.append(error_details_pb2.RetryInfo(retry_delay=delay))
        packed = []
        for detail in found:
            packed.append(any_pb2.Any())
            packed[-1].Pack(detail)
        return status_pb2.Status(code=self.code.value[0], details=packed).SerializeToString()


def applied(request: Any) -> pb.WriteResponse:
    """An answer that all rows of a request were written."""
    columns = request.keys if isinstance(request, pb.DeleteRequest) else request.columns
    return pb.WriteResponse(applied=len(values_of(columns[0])), durable=True, table_version=3)


@dataclass
class Tables(grpc.GenericRpcHandler):
    """The server.

    Attributes:
        answer: Gives the answer to a request, or raises a Refusal.
        requests: Those that came.
        address: Where it listens.
    """

    answer: Callable[[Any], pb.WriteResponse] = applied
    requests: list[Any] = field(default_factory=list)
    address: str = ""

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        request = REQUESTS[details.method.removeprefix(SERVICE)]
        return grpc.unary_unary_rpc_method_handler(
            lambda raw, context: self._answer(request.FromString(raw), context), as_it_is, as_it_is
        )

    def _answer(self, request: Any, context: grpc.ServicerContext) -> bytes:
        self.requests.append(request)
        try:
            return self.answer(request).SerializeToString()
        except Refusal as refusal:
            context.set_trailing_metadata((("grpc-status-details-bin", refusal.details()),))
            context.abort(refusal.code, "refused")
            raise

    def columns(self) -> dict[str, list[Any]]:
        """The values of the only request, by column."""
        (request,) = self.requests
        columns = request.keys if isinstance(request, pb.DeleteRequest) else request.columns
        return {column.name: values_of(column) for column in columns}


@contextmanager
def taking_writes() -> Iterator[Tables]:
    """Starts a server."""
    tables = Tables()
    server = grpc.server(ThreadPoolExecutor(2), handlers=[tables], options=[("grpc.max_receive_message_length", -1)])
    tables.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield tables
    finally:
        server.stop(None).wait()


def values_of(column: Any) -> list[Any]:
    """A column's rows, null as None; the numbers of vectors one after the other."""
    kind = column.WhichOneof("values")
    sent = getattr(column, kind)
    values = [sent.dictionary[at] for at in sent.indices] if kind == "dictionary" else list(sent.values)
    if not column.HasField("list"):
        for row in column.nulls:
            values[row] = None
        return values
    for element in column.null_elements:
        values[element] = None
    offsets = column.list.offsets
    rows: list[Any] = [values[start:stop] for start, stop in pairwise(offsets)]
    for row in column.nulls:
        rows[row] = None
    return rows
