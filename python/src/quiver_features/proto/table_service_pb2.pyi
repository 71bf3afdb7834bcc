from . import feature_service_pb2 as _feature_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UpsertRequest(_message.Message):
    __slots__ = ("table", "columns", "event_times")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIMES_FIELD_NUMBER: _ClassVar[int]
    table: str
    columns: _containers.RepeatedCompositeFieldContainer[_feature_service_pb2.Column]
    event_times: EventTimes
    def __init__(self, table: _Optional[str] = ..., columns: _Optional[_Iterable[_Union[_feature_service_pb2.Column, _Mapping]]] = ..., event_times: _Optional[_Union[EventTimes, _Mapping]] = ...) -> None: ...

class DeleteRequest(_message.Message):
    __slots__ = ("table", "keys", "event_times")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIMES_FIELD_NUMBER: _ClassVar[int]
    table: str
    keys: _containers.RepeatedCompositeFieldContainer[_feature_service_pb2.Column]
    event_times: EventTimes
    def __init__(self, table: _Optional[str] = ..., keys: _Optional[_Iterable[_Union[_feature_service_pb2.Column, _Mapping]]] = ..., event_times: _Optional[_Union[EventTimes, _Mapping]] = ...) -> None: ...

class AppendRequest(_message.Message):
    __slots__ = ("table", "columns", "event_times", "cap")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIMES_FIELD_NUMBER: _ClassVar[int]
    CAP_FIELD_NUMBER: _ClassVar[int]
    table: str
    columns: _containers.RepeatedCompositeFieldContainer[_feature_service_pb2.Column]
    event_times: EventTimes
    cap: int
    def __init__(self, table: _Optional[str] = ..., columns: _Optional[_Iterable[_Union[_feature_service_pb2.Column, _Mapping]]] = ..., event_times: _Optional[_Union[EventTimes, _Mapping]] = ..., cap: _Optional[int] = ...) -> None: ...

class EventTimes(_message.Message):
    __slots__ = ("unit", "values")
    UNIT_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    unit: _feature_service_pb2.TimeUnit
    values: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, unit: _Optional[_Union[_feature_service_pb2.TimeUnit, str]] = ..., values: _Optional[_Iterable[int]] = ...) -> None: ...

class WriteRequest(_message.Message):
    __slots__ = ("upsert", "delete", "append")
    UPSERT_FIELD_NUMBER: _ClassVar[int]
    DELETE_FIELD_NUMBER: _ClassVar[int]
    APPEND_FIELD_NUMBER: _ClassVar[int]
    upsert: UpsertRequest
    delete: DeleteRequest
    append: AppendRequest
    def __init__(self, upsert: _Optional[_Union[UpsertRequest, _Mapping]] = ..., delete: _Optional[_Union[DeleteRequest, _Mapping]] = ..., append: _Optional[_Union[AppendRequest, _Mapping]] = ...) -> None: ...

class WriteResponse(_message.Message):
    __slots__ = ("applied", "ignored", "durable", "table_version")
    APPLIED_FIELD_NUMBER: _ClassVar[int]
    IGNORED_FIELD_NUMBER: _ClassVar[int]
    DURABLE_FIELD_NUMBER: _ClassVar[int]
    TABLE_VERSION_FIELD_NUMBER: _ClassVar[int]
    applied: int
    ignored: int
    durable: bool
    table_version: int
    def __init__(self, applied: _Optional[int] = ..., ignored: _Optional[int] = ..., durable: _Optional[bool] = ..., table_version: _Optional[int] = ...) -> None: ...
