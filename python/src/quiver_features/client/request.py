"""A request's bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..proto import feature_service_pb2 as pb
from .columns import write_columns
from .containers import settled
from .descriptions import OUTPUT_TYPES, FeatureSet, OutputType
from .errors import RequestError, Violation
from .vectors import shown

_LAYOUTS = {"dense": pb.LAYOUT_DENSE, "factored": pb.LAYOUT_FACTORED}
_STATUSES = {
    "off": pb.STATUS_DETAIL_OFF,
    "counts": pb.STATUS_DETAIL_COUNTS,
    "rows": pb.STATUS_DETAIL_ROWS,
}
_ENCODINGS = {"raw": pb.ENCODING_RAW, "sparse": pb.ENCODING_SPARSE}
_DTYPES: dict[str, Any] = {name: number for number, name in OUTPUT_TYPES.items()}

_UINT32 = (1 << 32) - 1

Layout = Literal["dense", "factored"]
StatusDetail = Literal["off", "counts", "rows"]
Encoding = Literal["raw", "sparse"]
Encodings = Encoding | Mapping[str, Encoding]
Outputs = Sequence[str] | Mapping[str, OutputType | None] | None


@dataclass(frozen=True)
class Wanted:
    """What is asked of a feature set, whatever its inputs are.

    Attributes:
        feature_set: Its name.
        version: The version; 0 for the served default.
        outputs: As the client takes them.
        dtype: The element type of outputs for which none is given.
        layout: The layout.
        status: How much is said about statuses.
        encoding: Of all outputs, or of outputs by name.
    """

    feature_set: str
    version: int = 0
    outputs: Outputs = None
    dtype: OutputType | None = None
    layout: Layout = "dense"
    status: StatusDetail = "off"
    encoding: Encodings = "raw"

    def of_version(self, version: int) -> Wanted:
        """The same of one version."""
        return replace(self, version=version)


@dataclass(frozen=True)
class Rows:
    """What a request is about.

    Attributes:
        columns: As the client takes them; may be read several times.
        count: N, where the caller gives it.
    """

    columns: Any
    count: int | None = None

    @classmethod
    def of(cls, columns: Any, count: int | None = None) -> Rows:
        """Columns as they were passed."""
        return cls(settled(columns), count)


def write_request(description: FeatureSet, wanted: Wanted, rows: Rows) -> bytes:
    """A whole request.

    Raises:
        RequestError: With every problem of the columns, or the first one of what is wanted.
    """
    head = _head(description, wanted)
    columns, count = write_columns(description, rows.columns)
    count = count if rows.count is None else rows.count
    if count is not None:
        head.rows = whole_number("rows", count)
    return b"".join([head.SerializeToString(), *columns])


def _head(description: FeatureSet, wanted: Wanted) -> pb.GetFeaturesRequest:
    encodings = wanted.encoding if isinstance(wanted.encoding, Mapping) else {}
    options = pb.Options(
        layout=_choice("layout", wanted.layout, _LAYOUTS),
        encoding=pb.ENCODING_RAW if encodings else _choice("encoding", wanted.encoding, _ENCODINGS),
        status=_choice("status", wanted.status, _STATUSES),
    )
    version = whole_number("version", wanted.version)
    head = pb.GetFeaturesRequest(feature_set=text("feature_set", wanted.feature_set), version=version, options=options)
    for name, dtype in _selected(description, wanted).items():
        number = pb.DATA_TYPE_UNSPECIFIED if dtype is None else _choice("dtype", dtype, _DTYPES)
        encoding = _choice("encoding", encodings[name], _ENCODINGS) if name in encodings else pb.ENCODING_UNSPECIFIED
        head.outputs.append(pb.OutputSelection(name=text("outputs", name), dtype=number, encoding=encoding))
    for name in encodings:
        if name not in {one.name for one in head.outputs}:
            raise _wrong("encoding", f"names {shown(name)}, which is not among the outputs wanted")
    return head


def _selected(description: FeatureSet, wanted: Wanted) -> dict[Any, Any]:
    """The outputs wanted with their types; none for all as they are."""
    outputs, dtype = wanted.outputs, wanted.dtype
    if dtype is not None:
        _choice("dtype", dtype, _DTYPES)
    if outputs is None:
        as_they_are = dtype is None and not isinstance(wanted.encoding, Mapping)
        return {} if as_they_are else dict.fromkeys((one.name for one in description.outputs), dtype)
    if isinstance(outputs, Mapping):
        return {name: of_output or dtype for name, of_output in outputs.items()}
    try:
        return dict.fromkeys([outputs] if isinstance(outputs, str) else outputs, dtype)
    except TypeError:
        raise _wrong("outputs", f"are {shown(outputs)}, must be outputs' names") from None


def _choice(what: str, value: Any, known: Mapping[str, Any]) -> Any:
    if not isinstance(value, str) or value not in known:
        raise _wrong(what, f"is {shown(value)}, must be one of {', '.join(known)}")
    return known[value]


def whole_number(what: str, value: Any) -> int:
    """A version or a number of rows.

    Raises:
        RequestError: If it is none.
    """
    try:
        number = int(value.__index__())
    except (AttributeError, TypeError):
        number = -1
    if not 0 <= number <= _UINT32:
        raise _wrong(what, f"is {shown(value)}, must be an integer from 0 to {_UINT32}")
    return number


def text(what: str, value: Any) -> str:
    """A name.

    Raises:
        RequestError: If it is none.
    """
    try:
        if isinstance(value, str) and value.encode() is not None:
            return value
    except UnicodeEncodeError:
        pass
    raise _wrong(what, f"is {shown(value)}, must be a name")


def _wrong(what: str, problem: str) -> RequestError:
    return RequestError.invalid([Violation(what, problem)])
