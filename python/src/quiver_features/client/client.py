"""The client: typed calls of quiver.v1.FeatureService over one channel."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal

import grpc

from ..proto import feature_service_pb2 as pb
from .answers import Features, read_answer
from .columns import write_columns
from .descriptions import OUTPUT_TYPES, FeatureSet, FeatureSetVersions, OutputType, feature_set
from .errors import RequestError, Violation

_SERVICE = "/quiver.v1.FeatureService/"

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

_LAYOUTS = {"dense": pb.LAYOUT_DENSE, "factored": pb.LAYOUT_FACTORED}
_STATUSES = {
    "off": pb.STATUS_DETAIL_OFF,
    "counts": pb.STATUS_DETAIL_COUNTS,
    "rows": pb.STATUS_DETAIL_ROWS,
}
_DTYPES: dict[str, Any] = {name: number for number, name in OUTPUT_TYPES.items()}

Layout = Literal["dense", "factored"]
StatusDetail = Literal["off", "counts", "rows"]
Outputs = Sequence[str] | Mapping[str, OutputType | None] | None


class Client:
    """Asks a Quiver server for features.

    >>> with Client("127.0.0.1:50051") as client:
    ...     features = client.get_features("ads", {"user_id": 7, "ad_id": ["a", "b"]})
    ...     features["dense"].shape
    (2, 100)

    A client has one connection and may be used by several threads. What a feature set takes and gives is asked once
    and kept; where a request is refused and the feature set has changed meanwhile, it is sent again once.

    Args:
        address: ``host:port``, or any target that gRPC knows.
        credentials: For TLS; without them the connection is plain.
        timeout: Seconds for each call, unless the call says otherwise.
        options: More channel options.
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
            self._channel = grpc.insecure_channel(address, options=chosen)
        else:
            self._channel = grpc.secure_channel(address, credentials, options=chosen)
        self._timeout = timeout
        self._lock = threading.Lock()
        self._by_version: dict[tuple[str, int], FeatureSet] = {}
        self._by_fingerprint: dict[tuple[str, str], FeatureSet] = {}
        # Requests and answers pass as bytes: their numbers are not taken apart one by one.
        self._get = self._channel.unary_unary(f"{_SERVICE}GetFeatures", _as_it_is, _as_it_is)
        self._stream = self._channel.stream_stream(f"{_SERVICE}StreamFeatures", _as_it_is, _as_it_is)
        self._list = self._channel.unary_unary(
            f"{_SERVICE}ListFeatureSets",
            pb.ListFeatureSetsRequest.SerializeToString,
            pb.ListFeatureSetsResponse.FromString,
        )
        self._describe = self._channel.unary_unary(
            f"{_SERVICE}GetFeatureSet",
            pb.GetFeatureSetRequest.SerializeToString,
            pb.GetFeatureSetResponse.FromString,
        )

    def close(self) -> None:
        """Closes the connection; calls under way are cancelled."""
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

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
        timeout: float | None = None,
    ) -> Features:
        """Answers one request.

        Args:
            feature_set: The feature set's name.
            columns: A mapping from inputs' names to values, or a DataFrame with a row for each candidate, whose other
                columns are passed over. Row-scope inputs take N values (list, array, Series), request-scope inputs a
                single one (in a DataFrame: the same in each row). Null is None, NaN (for floats: where the input says
                so), pandas' NA, or masked. A list input takes a list for each row, or an array ``[N, length]``.
                Strings that repeat are sent once. Where a feature set has the inputs ``x_keys`` and ``x_values``,
                ``x`` takes a dictionary for each row.
            version: The version wanted; 0 for the served default.
            rows: N, where no row-scope column tells it.
            outputs: The outputs wanted, by name, or a mapping from names to element types; all if not given.
            dtype: The element type of all outputs for which none is given.
            layout: "dense" for one matrix ``[N, width]`` for each output; "factored" for its request-scope columns
                once ``[1, U]`` and the others ``[N, R]``.
            status: "counts" for how many rows of each feature are not present, "rows" for each row's status too.
            timeout: Seconds for this call.

        Returns:
            The matrices, over the bytes of the message.

        Raises:
            RequestError: With every problem of the request, or the code of what else failed.
        """

        def request(description: FeatureSet) -> bytes:
            return _request(description, version, columns, rows, outputs, dtype, layout, status)

        def call(description: FeatureSet) -> bytes:
            return self._call(self._get, request(description), timeout)

        key = (feature_set, version)
        known = self._by_version.get(key)
        try:
            raw = call(known or self.describe(feature_set, version))
        except RequestError as error:
            if known is None or error.code not in {
                grpc.StatusCode.INVALID_ARGUMENT,
                grpc.StatusCode.NOT_FOUND,
            }:
                raise
            now = self.describe(feature_set, version)
            if now.fingerprint == known.fingerprint:
                raise
            raw = call(now)
        return self._answer(raw, feature_set)

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
        timeout: float | None = None,
    ) -> Iterator[Features]:
        """Answers one request after the other over one open stream, in their order.

        Requests are taken ahead of the answers. The arguments are those of ``get_features``, with the columns of each
        request for ``requests`` and a timeout for the whole stream (none if not given).

        Raises:
            RequestError: At the first request that fails, after the answers of all before it.
        """
        description = self._known(feature_set, version)
        failed: list[BaseException] = []

        def written() -> Iterator[bytes]:
            try:
                for columns in requests:
                    yield _request(description, version, columns, None, outputs, dtype, layout, status)
            except BaseException as error:
                # The caller shall see it, not gRPC's thread; the answers before it come first.
                failed.append(error)

        call = self._stream(written(), timeout=timeout)
        try:
            for raw in call:
                yield self._answer(raw, feature_set)
        except grpc.RpcError as error:
            raise RequestError.of(error) from None
        finally:
            call.cancel()
        if failed:
            raise failed[0]

    def list_feature_sets(self, *, timeout: float | None = None) -> list[FeatureSetVersions]:
        """Every feature set with its served versions.

        Raises:
            RequestError: If the call fails.
        """
        answer = self._call(self._list, pb.ListFeatureSetsRequest(), timeout)
        return [FeatureSetVersions(one.name, tuple(one.versions), one.default_version) for one in answer.feature_sets]

    def describe(self, feature_set_name: str, version: int = 0, *, timeout: float | None = None) -> FeatureSet:
        """One version's inputs, outputs and tables, as they are now.

        Raises:
            RequestError: With NOT_FOUND if there is no such feature set or version.
        """
        message = pb.GetFeatureSetRequest(feature_set=feature_set_name, version=version)
        found = feature_set(self._call(self._describe, message, timeout))
        with self._lock:
            self._by_version[feature_set_name, version] = found
            self._by_fingerprint[feature_set_name, found.fingerprint] = found
        return found

    def _known(self, name: str, version: int) -> FeatureSet:
        return self._by_version.get((name, version)) or self.describe(name, version)

    def _call(self, method: Callable[..., Any], message: Any, timeout: float | None) -> Any:
        try:
            return method(message, timeout=self._timeout if timeout is None else timeout)
        except grpc.RpcError as error:
            raise RequestError.of(error) from None

    def _answer(self, raw: bytes, name: str) -> Features:
        def describe(answer: pb.GetFeaturesResponse) -> FeatureSet:
            known = self._by_fingerprint.get((name, answer.fingerprint))
            return known or self.describe(name, answer.version)

        return read_answer(raw, name, describe)


def _as_it_is(message: bytes) -> bytes:
    return message


def _request(
    description: FeatureSet,
    version: int,
    columns: Any,
    rows: int | None,
    outputs: Outputs,
    dtype: OutputType | None,
    layout: str,
    status: str,
) -> bytes:
    for what, value, known in (("layout", layout, _LAYOUTS), ("status", status, _STATUSES)):
        if value not in known:
            raise RequestError.invalid([Violation(what, f"is {value!r}, must be one of {', '.join(known)}")])
    options = pb.Options(layout=_LAYOUTS[layout], status=_STATUSES[status])
    head = pb.GetFeaturesRequest(feature_set=description.name, version=version, options=options)
    if rows is not None:
        head.rows = rows
    for name, of_output in _selected(description, outputs, dtype).items():
        if of_output is not None and of_output not in _DTYPES:
            raise RequestError.invalid([Violation("dtype", f"is {of_output!r}, must be one of {', '.join(_DTYPES)}")])
        number = pb.DATA_TYPE_UNSPECIFIED if of_output is None else _DTYPES[of_output]
        head.outputs.append(pb.OutputSelection(name=name, dtype=number))
    return b"".join([head.SerializeToString(), *write_columns(description, columns)])


def _selected(description: FeatureSet, outputs: Outputs, dtype: OutputType | None) -> dict[str, OutputType | None]:
    """The outputs wanted with their types; none for all as they are."""
    if outputs is None:
        return {} if dtype is None else dict.fromkeys((one.name for one in description.outputs), dtype)
    if isinstance(outputs, Mapping):
        return {name: of_output or dtype for name, of_output in outputs.items()}
    return dict.fromkeys([outputs] if isinstance(outputs, str) else outputs, dtype)
