"""What a feature set takes and returns, as the server describes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..proto import feature_service_pb2 as pb

InputType = Literal[
    "float32", "float64", "int64", "uint64", "bool", "string", "timestamp", "date", "duration", "unknown"
]
TimeUnit = Literal["s", "ms", "us", "ns", "D"]
OutputType = Literal["float32", "float16", "bfloat16", "float64", "int64"]
ScopeName = Literal["request", "row"]

_INPUT_TYPES: dict[int, InputType] = {
    pb.INPUT_TYPE_FLOAT32: "float32",
    pb.INPUT_TYPE_FLOAT64: "float64",
    pb.INPUT_TYPE_INT64: "int64",
    pb.INPUT_TYPE_UINT64: "uint64",
    pb.INPUT_TYPE_BOOL: "bool",
    pb.INPUT_TYPE_STRING: "string",
    pb.INPUT_TYPE_TIMESTAMP: "timestamp",
    pb.INPUT_TYPE_DATE: "date",
    pb.INPUT_TYPE_DURATION: "duration",
}

TIME_UNITS: dict[int, TimeUnit] = {
    pb.TIME_UNIT_SECONDS: "s",
    pb.TIME_UNIT_MILLISECONDS: "ms",
    pb.TIME_UNIT_MICROSECONDS: "us",
    pb.TIME_UNIT_NANOSECONDS: "ns",
    pb.TIME_UNIT_DAYS: "D",
}

OUTPUT_TYPES: dict[int, OutputType] = {
    pb.DATA_TYPE_FLOAT32: "float32",
    pb.DATA_TYPE_FLOAT16: "float16",
    pb.DATA_TYPE_BFLOAT16: "bfloat16",
    pb.DATA_TYPE_FLOAT64: "float64",
    pb.DATA_TYPE_INT64: "int64",
}


@dataclass(frozen=True)
class FailedVersion:
    """A version that the server could not load and does not serve.

    Attributes:
        version: Its number.
        problem: What is wrong with it: a line for each problem with its file and place.
    """

    version: int
    problem: str


@dataclass(frozen=True)
class FeatureSetVersions:
    """One feature set of the server's repository.

    Attributes:
        name: Its name.
        versions: The served versions, increasing; none where all failed.
        default_version: The one that a request with version 0 gets; 0 where none is served.
        failed_versions: The versions that could not be loaded, increasing.
    """

    name: str
    versions: tuple[int, ...]
    default_version: int
    failed_versions: tuple[FailedVersion, ...] = ()


@dataclass(frozen=True)
class Input:
    """One column that a request carries.

    Attributes:
        name: Its name.
        dtype: The type of its values, or of its lists' elements; "unknown" for one that this client is too old for.
        scope: "request" for one value, "row" for one for each row.
        is_list: Whether each value is a list.
        required: Whether a request without it is rejected; otherwise it is all null then.
        nan_is_null: Whether NaN counts as null.
        time_unit: What a timestamp, duration or date counts, by NumPy's name; None for other types.
        time_zone: The zone that timestamps belong to, where they have one. They count from 1970-01-01T00:00:00Z with a
            zone and without one.
    """

    name: str
    dtype: InputType
    scope: ScopeName
    is_list: bool
    required: bool
    nan_is_null: bool
    time_unit: TimeUnit | None = None
    time_zone: str | None = None


@dataclass(frozen=True)
class Feature:
    """One feature's place in an output.

    Attributes:
        name: Its name.
        offset: Its first column in the dense tensor.
        width: How many columns it has.
        scope: "request" where it depends on request-scope inputs alone.
        part_offset: Its first column in its part of the factored layout.
        columns: The names of its columns, as the spec gives them; else the feature's own for one column, or with the
            category's name or the column's number after it.
    """

    name: str
    offset: int
    width: int
    scope: ScopeName
    part_offset: int
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Output:
    """One tensor of an answer.

    Attributes:
        name: Its name.
        dtype: Its element type.
        width: Its columns.
        features: Its features in order.
        ragged: Whether its features are lists: the tensor has the elements of all rows, and where each row begins.
    """

    name: str
    dtype: OutputType
    width: int
    features: tuple[Feature, ...]
    ragged: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns of the dense tensor."""
        return tuple(column for feature in self.features for column in feature.columns)


@dataclass(frozen=True)
class Table:
    """One table behind a feature set.

    Attributes:
        name: Its name.
        version: The version in memory.
        rows: Its keyed rows.
        bytes: Its memory.
    """

    name: str
    version: int
    rows: int
    bytes: int


@dataclass(frozen=True)
class FeatureSet:
    """One version of a feature set.

    Attributes:
        name: Its name.
        version: Its version.
        fingerprint: Of the spec and the lists beside it; answers carry it too.
        inputs: The columns of a request.
        outputs: The tensors of an answer.
        tables: What it looks rows up in.
        time_zone_database: The edition of the IANA time zone database that the server computes zones with.
        golden_rows: How many of the fitting library's golden rows it reproduces; 0 where it brings none.
    """

    name: str
    version: int
    fingerprint: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    tables: tuple[Table, ...]
    time_zone_database: str = ""
    golden_rows: int = 0

    def output(self, name: str) -> Output:
        """The output of this name.

        Raises:
            KeyError: If there is none.
        """
        for output in self.outputs:
            if output.name == name:
                return output
        raise KeyError(name)


def feature_set_versions(listed: pb.FeatureSetVersions) -> FeatureSetVersions:
    """Reads one entry of ListFeatureSets' answer."""
    failed = tuple(FailedVersion(one.version, one.problem) for one in listed.failed_versions)
    return FeatureSetVersions(listed.name, tuple(listed.versions), listed.default_version, failed)


def feature_set(message: pb.GetFeatureSetResponse) -> FeatureSet:
    """A description from its message."""
    return FeatureSet(
        message.feature_set,
        message.version,
        message.fingerprint,
        tuple(_input(one) for one in message.inputs),
        tuple(_output(one) for one in message.outputs),
        tuple(Table(one.name, one.version, one.rows, one.bytes) for one in message.tables),
        message.time_zone_database,
        message.golden_rows,
    )


def _input(one: pb.InputDescription) -> Input:
    dtype = _INPUT_TYPES.get(one.dtype, "unknown")
    unit = TIME_UNITS.get(one.time_unit)
    zone = one.time_zone or None
    return Input(one.name, dtype, _scope(one.scope), one.list, one.required, one.nan_is_null, unit, zone)


def _output(one: pb.OutputDescription) -> Output:
    features = tuple(_feature(feature) for feature in one.features)
    return Output(one.name, OUTPUT_TYPES[one.dtype], one.width, features, one.ragged)


def _feature(one: pb.FeatureDescription) -> Feature:
    if one.column_names:
        columns = tuple(one.column_names)
    elif one.columns:
        columns = tuple(f"{one.name}_{column}" for column in one.columns)
    elif one.width == 1:
        columns = (one.name,)
    else:
        columns = tuple(f"{one.name}_{number}" for number in range(one.width))
    return Feature(one.name, one.offset, one.width, _scope(one.scope), one.part_offset, columns)


def _scope(scope: int) -> ScopeName:
    return "request" if scope == pb.SCOPE_REQUEST else "row"
