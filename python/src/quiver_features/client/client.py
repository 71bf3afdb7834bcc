"""The client of features: typed calls of quiver.v1.FeatureService."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import grpc

from .answers import Features
from .connection import Connection
from .descriptions import FeatureSet, FeatureSetVersions, OutputType
from .errors import RequestError
from .exchange import as_it_is
from .request import Encodings, Layout, Outputs, Rows, StatusDetail, Wanted
from .session import SERVICE, Sent, Session


class Client(Connection):
    """Asks a Quiver server for features.

    >>> with Client("127.0.0.1:50051") as client:
    ...     features = client.get_features("ads", {"user_id": 7, "ad_id": ["a", "b"]})
    ...     features["dense"].shape
    (2, 100)

    A client has one connection and may be used by several threads. What a feature set takes and gives is asked once
    and kept. Where a request is rejected, or answered by another version, and the feature set has changed meanwhile,
    the request is written and sent again.

    The arguments are those of every client: an address (``host:port``, or any target that gRPC knows), credentials for
    TLS, the seconds for each call (10), and more channel options.
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

    def get_features(
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
        """Answers one request.

        Args:
            feature_set: The feature set's name.
            columns: A mapping from inputs' names to values; a frame of pandas or polars, an Arrow table, a structured
                array or a list of dictionaries with a row for each candidate, whose other columns are ignored; an
                array or sparse matrix ``[rows, columns]``, whose column 0 is the input ``x0``; or the column of the
                only input. Row-scope inputs take N values in any sequence, array, Series or Arrow array, request-scope
                inputs a single one (in a container of rows: the same in each). Null is None, NaN (for floats: where
                the input says so), NA, or masked. A list input takes a list for each row, or an array ``[N, length]``.
                Where a feature set has the inputs ``x_keys`` and ``x_values``, ``x`` takes a dictionary for each row.
            version: The version wanted; 0 for the served default.
            rows: N, where neither a row-scope column nor the container gives it.
            outputs: The outputs wanted, by name, or a mapping from names to element types; all if not given.
            dtype: The element type of all outputs for which none is given.
            layout: "dense" for one matrix ``[N, width]`` for each output; "factored" for its request-scope columns
                once ``[1, U]`` and the others ``[N, R]``.
            status: "counts" for how many rows of each feature are not present, "rows" for each row's status too.
            encoding: "raw" for all values; "sparse" for those that are not 0, which wide outputs need: it has
                ``to_scipy()``. Or a mapping from outputs' names to one of the two.
            timeout: Seconds for this call.

        Returns:
            The matrices, over the bytes of the message.

        Raises:
            RequestError: With every problem of the request, or the code of what else failed.
        """

        wanted = Wanted(feature_set, version, outputs, dtype, layout, status, encoding)
        return self._run(self._session.get_features(wanted, Rows.of(columns, rows)), timeout)

    def stream(
        self,
        feature_set: str,
        requests: Iterable[Any],
        *,
        version: int = 0,
        outputs: Outputs = None,
        dtype: OutputType | None = None,
        layout: Layout = "dense",
        status: StatusDetail = "off",
        encoding: Encodings = "raw",
        timeout: float | None = None,
    ) -> Iterator[Features]:
        """Answers one request after the other over one open stream, in their order.

        Requests are taken ahead of the answers. The arguments are those of ``get_features``, with the columns of each
        request for ``requests`` and a timeout for the whole stream (none if not given).

        Raises:
            RequestError: At the first request that fails, after the answers of all before it.
        """
        wanted = Wanted(feature_set, version, outputs, dtype, layout, status, encoding)
        self.describe(feature_set, version)
        failed: list[BaseException] = []
        waiting: deque[Sent] = deque()

        def written() -> Iterator[bytes]:
            try:
                for columns in requests:
                    waiting.append(self._run(self._session.write(wanted, Rows.of(columns)), None))
                    yield waiting[-1].message
            except BaseException as error:
                # The caller shall see it, not gRPC's thread; the answers before it come first.
                failed.append(error)

        call = self._stream(written(), timeout=timeout)
        try:
            for raw in call:
                yield self._run(self._session.settle(waiting.popleft(), raw), None)
        except grpc.RpcError as error:
            raise RequestError.of(error) from None
        finally:
            call.cancel()
        if failed:
            raise failed[0]

    def list_feature_sets(self, *, timeout: float | None = None) -> list[FeatureSetVersions]:
        """Every feature set with its served versions and those that could not be loaded.

        Raises:
            RequestError: If the call fails.
        """
        return self._run(self._session.list_feature_sets(), timeout)

    def describe(self, feature_set_name: str, version: int = 0, *, timeout: float | None = None) -> FeatureSet:
        """One version's inputs, outputs and tables, as they are now.

        Raises:
            RequestError: With NOT_FOUND if there is no such feature set or version.
        """
        return self._run(self._session.describe(feature_set_name, version), timeout)
