from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TimeUnit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIME_UNIT_UNSPECIFIED: _ClassVar[TimeUnit]
    TIME_UNIT_SECONDS: _ClassVar[TimeUnit]
    TIME_UNIT_MILLISECONDS: _ClassVar[TimeUnit]
    TIME_UNIT_MICROSECONDS: _ClassVar[TimeUnit]
    TIME_UNIT_NANOSECONDS: _ClassVar[TimeUnit]
    TIME_UNIT_DAYS: _ClassVar[TimeUnit]

class Layout(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LAYOUT_UNSPECIFIED: _ClassVar[Layout]
    LAYOUT_DENSE: _ClassVar[Layout]
    LAYOUT_FACTORED: _ClassVar[Layout]

class Encoding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENCODING_UNSPECIFIED: _ClassVar[Encoding]
    ENCODING_RAW: _ClassVar[Encoding]
    ENCODING_VALUES: _ClassVar[Encoding]
    ENCODING_SPARSE: _ClassVar[Encoding]

class StatusDetail(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATUS_DETAIL_UNSPECIFIED: _ClassVar[StatusDetail]
    STATUS_DETAIL_OFF: _ClassVar[StatusDetail]
    STATUS_DETAIL_COUNTS: _ClassVar[StatusDetail]
    STATUS_DETAIL_ROWS: _ClassVar[StatusDetail]

class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATUS_PRESENT: _ClassVar[Status]
    STATUS_STALE: _ClassVar[Status]
    STATUS_OUT_OF_RANGE: _ClassVar[Status]
    STATUS_UNKNOWN_CATEGORY: _ClassVar[Status]
    STATUS_NULL: _ClassVar[Status]
    STATUS_KEY_NOT_FOUND: _ClassVar[Status]
    STATUS_FALLBACK: _ClassVar[Status]

class DataType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DATA_TYPE_UNSPECIFIED: _ClassVar[DataType]
    DATA_TYPE_FLOAT32: _ClassVar[DataType]
    DATA_TYPE_FLOAT16: _ClassVar[DataType]
    DATA_TYPE_BFLOAT16: _ClassVar[DataType]
    DATA_TYPE_FLOAT64: _ClassVar[DataType]
    DATA_TYPE_INT64: _ClassVar[DataType]

class TensorPart(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TENSOR_PART_ALL: _ClassVar[TensorPart]
    TENSOR_PART_REQUEST: _ClassVar[TensorPart]
    TENSOR_PART_ROW: _ClassVar[TensorPart]

class InputType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INPUT_TYPE_UNSPECIFIED: _ClassVar[InputType]
    INPUT_TYPE_FLOAT32: _ClassVar[InputType]
    INPUT_TYPE_FLOAT64: _ClassVar[InputType]
    INPUT_TYPE_INT64: _ClassVar[InputType]
    INPUT_TYPE_UINT64: _ClassVar[InputType]
    INPUT_TYPE_BOOL: _ClassVar[InputType]
    INPUT_TYPE_STRING: _ClassVar[InputType]
    INPUT_TYPE_TIMESTAMP: _ClassVar[InputType]
    INPUT_TYPE_DATE: _ClassVar[InputType]
    INPUT_TYPE_DURATION: _ClassVar[InputType]

class Scope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCOPE_UNSPECIFIED: _ClassVar[Scope]
    SCOPE_REQUEST: _ClassVar[Scope]
    SCOPE_ROW: _ClassVar[Scope]
TIME_UNIT_UNSPECIFIED: TimeUnit
TIME_UNIT_SECONDS: TimeUnit
TIME_UNIT_MILLISECONDS: TimeUnit
TIME_UNIT_MICROSECONDS: TimeUnit
TIME_UNIT_NANOSECONDS: TimeUnit
TIME_UNIT_DAYS: TimeUnit
LAYOUT_UNSPECIFIED: Layout
LAYOUT_DENSE: Layout
LAYOUT_FACTORED: Layout
ENCODING_UNSPECIFIED: Encoding
ENCODING_RAW: Encoding
ENCODING_VALUES: Encoding
ENCODING_SPARSE: Encoding
STATUS_DETAIL_UNSPECIFIED: StatusDetail
STATUS_DETAIL_OFF: StatusDetail
STATUS_DETAIL_COUNTS: StatusDetail
STATUS_DETAIL_ROWS: StatusDetail
STATUS_PRESENT: Status
STATUS_STALE: Status
STATUS_OUT_OF_RANGE: Status
STATUS_UNKNOWN_CATEGORY: Status
STATUS_NULL: Status
STATUS_KEY_NOT_FOUND: Status
STATUS_FALLBACK: Status
DATA_TYPE_UNSPECIFIED: DataType
DATA_TYPE_FLOAT32: DataType
DATA_TYPE_FLOAT16: DataType
DATA_TYPE_BFLOAT16: DataType
DATA_TYPE_FLOAT64: DataType
DATA_TYPE_INT64: DataType
TENSOR_PART_ALL: TensorPart
TENSOR_PART_REQUEST: TensorPart
TENSOR_PART_ROW: TensorPart
INPUT_TYPE_UNSPECIFIED: InputType
INPUT_TYPE_FLOAT32: InputType
INPUT_TYPE_FLOAT64: InputType
INPUT_TYPE_INT64: InputType
INPUT_TYPE_UINT64: InputType
INPUT_TYPE_BOOL: InputType
INPUT_TYPE_STRING: InputType
INPUT_TYPE_TIMESTAMP: InputType
INPUT_TYPE_DATE: InputType
INPUT_TYPE_DURATION: InputType
SCOPE_UNSPECIFIED: Scope
SCOPE_REQUEST: Scope
SCOPE_ROW: Scope

class GetFeaturesRequest(_message.Message):
    __slots__ = ("feature_set", "version", "rows", "columns", "outputs", "options")
    FEATURE_SET_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    feature_set: str
    version: int
    rows: int
    columns: _containers.RepeatedCompositeFieldContainer[Column]
    outputs: _containers.RepeatedCompositeFieldContainer[OutputSelection]
    options: Options
    def __init__(self, feature_set: _Optional[str] = ..., version: _Optional[int] = ..., rows: _Optional[int] = ..., columns: _Optional[_Iterable[_Union[Column, _Mapping]]] = ..., outputs: _Optional[_Iterable[_Union[OutputSelection, _Mapping]]] = ..., options: _Optional[_Union[Options, _Mapping]] = ...) -> None: ...

class OutputSelection(_message.Message):
    __slots__ = ("name", "dtype", "encoding")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    name: str
    dtype: DataType
    encoding: Encoding
    def __init__(self, name: _Optional[str] = ..., dtype: _Optional[_Union[DataType, str]] = ..., encoding: _Optional[_Union[Encoding, str]] = ...) -> None: ...

class Column(_message.Message):
    __slots__ = ("name", "floats", "doubles", "int64s", "uint64s", "bools", "strings", "dictionary", "list", "nulls", "null_elements", "time_unit")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FLOATS_FIELD_NUMBER: _ClassVar[int]
    DOUBLES_FIELD_NUMBER: _ClassVar[int]
    INT64S_FIELD_NUMBER: _ClassVar[int]
    UINT64S_FIELD_NUMBER: _ClassVar[int]
    BOOLS_FIELD_NUMBER: _ClassVar[int]
    STRINGS_FIELD_NUMBER: _ClassVar[int]
    DICTIONARY_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    NULLS_FIELD_NUMBER: _ClassVar[int]
    NULL_ELEMENTS_FIELD_NUMBER: _ClassVar[int]
    TIME_UNIT_FIELD_NUMBER: _ClassVar[int]
    name: str
    floats: FloatValues
    doubles: DoubleValues
    int64s: Int64Values
    uint64s: Uint64Values
    bools: BoolValues
    strings: StringValues
    dictionary: DictionaryValues
    list: ListOffsets
    nulls: _containers.RepeatedScalarFieldContainer[int]
    null_elements: _containers.RepeatedScalarFieldContainer[int]
    time_unit: TimeUnit
    def __init__(self, name: _Optional[str] = ..., floats: _Optional[_Union[FloatValues, _Mapping]] = ..., doubles: _Optional[_Union[DoubleValues, _Mapping]] = ..., int64s: _Optional[_Union[Int64Values, _Mapping]] = ..., uint64s: _Optional[_Union[Uint64Values, _Mapping]] = ..., bools: _Optional[_Union[BoolValues, _Mapping]] = ..., strings: _Optional[_Union[StringValues, _Mapping]] = ..., dictionary: _Optional[_Union[DictionaryValues, _Mapping]] = ..., list: _Optional[_Union[ListOffsets, _Mapping]] = ..., nulls: _Optional[_Iterable[int]] = ..., null_elements: _Optional[_Iterable[int]] = ..., time_unit: _Optional[_Union[TimeUnit, str]] = ...) -> None: ...

class FloatValues(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, values: _Optional[_Iterable[float]] = ...) -> None: ...

class DoubleValues(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, values: _Optional[_Iterable[float]] = ...) -> None: ...

class Int64Values(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, values: _Optional[_Iterable[int]] = ...) -> None: ...

class Uint64Values(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, values: _Optional[_Iterable[int]] = ...) -> None: ...

class BoolValues(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[bool]
    def __init__(self, values: _Optional[_Iterable[bool]] = ...) -> None: ...

class StringValues(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, values: _Optional[_Iterable[str]] = ...) -> None: ...

class DictionaryValues(_message.Message):
    __slots__ = ("dictionary", "indices")
    DICTIONARY_FIELD_NUMBER: _ClassVar[int]
    INDICES_FIELD_NUMBER: _ClassVar[int]
    dictionary: _containers.RepeatedScalarFieldContainer[str]
    indices: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, dictionary: _Optional[_Iterable[str]] = ..., indices: _Optional[_Iterable[int]] = ...) -> None: ...

class ListOffsets(_message.Message):
    __slots__ = ("offsets",)
    OFFSETS_FIELD_NUMBER: _ClassVar[int]
    offsets: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, offsets: _Optional[_Iterable[int]] = ...) -> None: ...

class Options(_message.Message):
    __slots__ = ("layout", "encoding", "status")
    LAYOUT_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    layout: Layout
    encoding: Encoding
    status: StatusDetail
    def __init__(self, layout: _Optional[_Union[Layout, str]] = ..., encoding: _Optional[_Union[Encoding, str]] = ..., status: _Optional[_Union[StatusDetail, str]] = ...) -> None: ...

class GetFeaturesResponse(_message.Message):
    __slots__ = ("version", "fingerprint", "rows", "outputs", "status_counts")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    STATUS_COUNTS_FIELD_NUMBER: _ClassVar[int]
    version: int
    fingerprint: str
    rows: int
    outputs: _containers.RepeatedCompositeFieldContainer[Tensor]
    status_counts: _containers.RepeatedCompositeFieldContainer[StatusCounts]
    def __init__(self, version: _Optional[int] = ..., fingerprint: _Optional[str] = ..., rows: _Optional[int] = ..., outputs: _Optional[_Iterable[_Union[Tensor, _Mapping]]] = ..., status_counts: _Optional[_Iterable[_Union[StatusCounts, _Mapping]]] = ...) -> None: ...

class Tensor(_message.Message):
    __slots__ = ("name", "dtype", "shape", "data", "values", "int64_values", "status", "status_values", "part", "indices", "row_offsets", "ragged", "row_offset_values")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    INT64_VALUES_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STATUS_VALUES_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    INDICES_FIELD_NUMBER: _ClassVar[int]
    ROW_OFFSETS_FIELD_NUMBER: _ClassVar[int]
    RAGGED_FIELD_NUMBER: _ClassVar[int]
    ROW_OFFSET_VALUES_FIELD_NUMBER: _ClassVar[int]
    name: str
    dtype: DataType
    shape: _containers.RepeatedScalarFieldContainer[int]
    data: bytes
    values: _containers.RepeatedScalarFieldContainer[float]
    int64_values: _containers.RepeatedScalarFieldContainer[int]
    status: bytes
    status_values: _containers.RepeatedScalarFieldContainer[Status]
    part: TensorPart
    indices: bytes
    row_offsets: bytes
    ragged: bool
    row_offset_values: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, name: _Optional[str] = ..., dtype: _Optional[_Union[DataType, str]] = ..., shape: _Optional[_Iterable[int]] = ..., data: _Optional[bytes] = ..., values: _Optional[_Iterable[float]] = ..., int64_values: _Optional[_Iterable[int]] = ..., status: _Optional[bytes] = ..., status_values: _Optional[_Iterable[_Union[Status, str]]] = ..., part: _Optional[_Union[TensorPart, str]] = ..., indices: _Optional[bytes] = ..., row_offsets: _Optional[bytes] = ..., ragged: _Optional[bool] = ..., row_offset_values: _Optional[_Iterable[int]] = ...) -> None: ...

class StatusCounts(_message.Message):
    __slots__ = ("output", "feature", "stale", "out_of_range", "unknown_category", "null", "key_not_found", "fallback")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    FEATURE_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    OUT_OF_RANGE_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    NULL_FIELD_NUMBER: _ClassVar[int]
    KEY_NOT_FOUND_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_FIELD_NUMBER: _ClassVar[int]
    output: str
    feature: str
    stale: int
    out_of_range: int
    unknown_category: int
    null: int
    key_not_found: int
    fallback: int
    def __init__(self, output: _Optional[str] = ..., feature: _Optional[str] = ..., stale: _Optional[int] = ..., out_of_range: _Optional[int] = ..., unknown_category: _Optional[int] = ..., null: _Optional[int] = ..., key_not_found: _Optional[int] = ..., fallback: _Optional[int] = ...) -> None: ...

class ListFeatureSetsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListFeatureSetsResponse(_message.Message):
    __slots__ = ("feature_sets",)
    FEATURE_SETS_FIELD_NUMBER: _ClassVar[int]
    feature_sets: _containers.RepeatedCompositeFieldContainer[FeatureSetVersions]
    def __init__(self, feature_sets: _Optional[_Iterable[_Union[FeatureSetVersions, _Mapping]]] = ...) -> None: ...

class FeatureSetVersions(_message.Message):
    __slots__ = ("name", "versions", "default_version", "failed_versions")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_VERSION_FIELD_NUMBER: _ClassVar[int]
    FAILED_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    name: str
    versions: _containers.RepeatedScalarFieldContainer[int]
    default_version: int
    failed_versions: _containers.RepeatedCompositeFieldContainer[FailedVersion]
    def __init__(self, name: _Optional[str] = ..., versions: _Optional[_Iterable[int]] = ..., default_version: _Optional[int] = ..., failed_versions: _Optional[_Iterable[_Union[FailedVersion, _Mapping]]] = ...) -> None: ...

class FailedVersion(_message.Message):
    __slots__ = ("version", "problem")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    version: int
    problem: str
    def __init__(self, version: _Optional[int] = ..., problem: _Optional[str] = ...) -> None: ...

class GetFeatureSetRequest(_message.Message):
    __slots__ = ("feature_set", "version")
    FEATURE_SET_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    feature_set: str
    version: int
    def __init__(self, feature_set: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class GetFeatureSetResponse(_message.Message):
    __slots__ = ("feature_set", "version", "fingerprint", "inputs", "outputs", "tables", "time_zone_database", "golden_rows", "lookups")
    FEATURE_SET_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_DATABASE_FIELD_NUMBER: _ClassVar[int]
    GOLDEN_ROWS_FIELD_NUMBER: _ClassVar[int]
    LOOKUPS_FIELD_NUMBER: _ClassVar[int]
    feature_set: str
    version: int
    fingerprint: str
    inputs: _containers.RepeatedCompositeFieldContainer[InputDescription]
    outputs: _containers.RepeatedCompositeFieldContainer[OutputDescription]
    tables: _containers.RepeatedCompositeFieldContainer[TableDescription]
    time_zone_database: str
    golden_rows: int
    lookups: _containers.RepeatedCompositeFieldContainer[LookupDescription]
    def __init__(self, feature_set: _Optional[str] = ..., version: _Optional[int] = ..., fingerprint: _Optional[str] = ..., inputs: _Optional[_Iterable[_Union[InputDescription, _Mapping]]] = ..., outputs: _Optional[_Iterable[_Union[OutputDescription, _Mapping]]] = ..., tables: _Optional[_Iterable[_Union[TableDescription, _Mapping]]] = ..., time_zone_database: _Optional[str] = ..., golden_rows: _Optional[int] = ..., lookups: _Optional[_Iterable[_Union[LookupDescription, _Mapping]]] = ...) -> None: ...

class LookupDescription(_message.Message):
    __slots__ = ("name", "table", "max_age", "stale", "fallbacks")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    MAX_AGE_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    FALLBACKS_FIELD_NUMBER: _ClassVar[int]
    name: str
    table: str
    max_age: str
    stale: str
    fallbacks: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., table: _Optional[str] = ..., max_age: _Optional[str] = ..., stale: _Optional[str] = ..., fallbacks: _Optional[_Iterable[str]] = ...) -> None: ...

class InputDescription(_message.Message):
    __slots__ = ("name", "dtype", "scope", "list", "required", "nan_is_null", "time_unit", "time_zone")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    NAN_IS_NULL_FIELD_NUMBER: _ClassVar[int]
    TIME_UNIT_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    name: str
    dtype: InputType
    scope: Scope
    list: bool
    required: bool
    nan_is_null: bool
    time_unit: TimeUnit
    time_zone: str
    def __init__(self, name: _Optional[str] = ..., dtype: _Optional[_Union[InputType, str]] = ..., scope: _Optional[_Union[Scope, str]] = ..., list: _Optional[bool] = ..., required: _Optional[bool] = ..., nan_is_null: _Optional[bool] = ..., time_unit: _Optional[_Union[TimeUnit, str]] = ..., time_zone: _Optional[str] = ...) -> None: ...

class OutputDescription(_message.Message):
    __slots__ = ("name", "dtype", "width", "features", "ragged")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    RAGGED_FIELD_NUMBER: _ClassVar[int]
    name: str
    dtype: DataType
    width: int
    features: _containers.RepeatedCompositeFieldContainer[FeatureDescription]
    ragged: bool
    def __init__(self, name: _Optional[str] = ..., dtype: _Optional[_Union[DataType, str]] = ..., width: _Optional[int] = ..., features: _Optional[_Iterable[_Union[FeatureDescription, _Mapping]]] = ..., ragged: _Optional[bool] = ...) -> None: ...

class FeatureDescription(_message.Message):
    __slots__ = ("name", "offset", "width", "scope", "part_offset", "columns", "column_names")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    PART_OFFSET_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    COLUMN_NAMES_FIELD_NUMBER: _ClassVar[int]
    name: str
    offset: int
    width: int
    scope: Scope
    part_offset: int
    columns: _containers.RepeatedScalarFieldContainer[str]
    column_names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., offset: _Optional[int] = ..., width: _Optional[int] = ..., scope: _Optional[_Union[Scope, str]] = ..., part_offset: _Optional[int] = ..., columns: _Optional[_Iterable[str]] = ..., column_names: _Optional[_Iterable[str]] = ...) -> None: ...

class TableDescription(_message.Message):
    __slots__ = ("name", "version", "rows", "bytes")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    rows: int
    bytes: int
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ..., rows: _Optional[int] = ..., bytes: _Optional[int] = ...) -> None: ...
