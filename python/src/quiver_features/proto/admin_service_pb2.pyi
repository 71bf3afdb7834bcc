from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ChangeKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANGE_KIND_UNSPECIFIED: _ClassVar[ChangeKind]
    CHANGE_KIND_LOADED: _ClassVar[ChangeKind]
    CHANGE_KIND_REBOUND: _ClassVar[ChangeKind]
    CHANGE_KIND_RETIRED: _ClassVar[ChangeKind]
    CHANGE_KIND_REMOVED: _ClassVar[ChangeKind]
    CHANGE_KIND_FAILED: _ClassVar[ChangeKind]
    CHANGE_KIND_POLICY_CHANGED: _ClassVar[ChangeKind]
    CHANGE_KIND_POLICY_FAILED: _ClassVar[ChangeKind]

class VersionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERSION_STATE_UNSPECIFIED: _ClassVar[VersionState]
    VERSION_STATE_SERVING: _ClassVar[VersionState]
    VERSION_STATE_CANDIDATE: _ClassVar[VersionState]
    VERSION_STATE_SHADOW: _ClassVar[VersionState]
    VERSION_STATE_PREPARING: _ClassVar[VersionState]
    VERSION_STATE_FAILED: _ClassVar[VersionState]
    VERSION_STATE_RETIRED: _ClassVar[VersionState]
CHANGE_KIND_UNSPECIFIED: ChangeKind
CHANGE_KIND_LOADED: ChangeKind
CHANGE_KIND_REBOUND: ChangeKind
CHANGE_KIND_RETIRED: ChangeKind
CHANGE_KIND_REMOVED: ChangeKind
CHANGE_KIND_FAILED: ChangeKind
CHANGE_KIND_POLICY_CHANGED: ChangeKind
CHANGE_KIND_POLICY_FAILED: ChangeKind
VERSION_STATE_UNSPECIFIED: VersionState
VERSION_STATE_SERVING: VersionState
VERSION_STATE_CANDIDATE: VersionState
VERSION_STATE_SHADOW: VersionState
VERSION_STATE_PREPARING: VersionState
VERSION_STATE_FAILED: VersionState
VERSION_STATE_RETIRED: VersionState

class Target(_message.Message):
    __slots__ = ("feature_set", "table")
    FEATURE_SET_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    feature_set: str
    table: str
    def __init__(self, feature_set: _Optional[str] = ..., table: _Optional[str] = ...) -> None: ...

class ReloadRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReloadResponse(_message.Message):
    __slots__ = ("changes", "seconds")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[VersionChange]
    seconds: float
    def __init__(self, changes: _Optional[_Iterable[_Union[VersionChange, _Mapping]]] = ..., seconds: _Optional[float] = ...) -> None: ...

class VersionChange(_message.Message):
    __slots__ = ("target", "version", "kind", "problems")
    TARGET_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    target: Target
    version: int
    kind: ChangeKind
    problems: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, target: _Optional[_Union[Target, _Mapping]] = ..., version: _Optional[int] = ..., kind: _Optional[_Union[ChangeKind, str]] = ..., problems: _Optional[_Iterable[str]] = ...) -> None: ...

class ListVersionsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListVersionsResponse(_message.Message):
    __slots__ = ("feature_sets", "tables", "last_reload")
    FEATURE_SETS_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    LAST_RELOAD_FIELD_NUMBER: _ClassVar[int]
    feature_sets: _containers.RepeatedCompositeFieldContainer[FeatureSetState]
    tables: _containers.RepeatedCompositeFieldContainer[TableState]
    last_reload: ReloadState
    def __init__(self, feature_sets: _Optional[_Iterable[_Union[FeatureSetState, _Mapping]]] = ..., tables: _Optional[_Iterable[_Union[TableState, _Mapping]]] = ..., last_reload: _Optional[_Union[ReloadState, _Mapping]] = ...) -> None: ...

class ReloadState(_message.Message):
    __slots__ = ("ended_at_ms", "seconds", "published", "running")
    ENDED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    ended_at_ms: int
    seconds: float
    published: int
    running: bool
    def __init__(self, ended_at_ms: _Optional[int] = ..., seconds: _Optional[float] = ..., published: _Optional[int] = ..., running: _Optional[bool] = ...) -> None: ...

class FeatureSetState(_message.Message):
    __slots__ = ("name", "policy", "policy_problems", "default_version", "previous_versions", "versions", "shadow")
    NAME_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    POLICY_PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_VERSION_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    name: str
    policy: TrafficPolicy
    policy_problems: _containers.RepeatedScalarFieldContainer[str]
    default_version: int
    previous_versions: _containers.RepeatedScalarFieldContainer[int]
    versions: _containers.RepeatedCompositeFieldContainer[FeatureSetVersionState]
    shadow: ShadowReport
    def __init__(self, name: _Optional[str] = ..., policy: _Optional[_Union[TrafficPolicy, _Mapping]] = ..., policy_problems: _Optional[_Iterable[str]] = ..., default_version: _Optional[int] = ..., previous_versions: _Optional[_Iterable[int]] = ..., versions: _Optional[_Iterable[_Union[FeatureSetVersionState, _Mapping]]] = ..., shadow: _Optional[_Union[ShadowReport, _Mapping]] = ...) -> None: ...

class FeatureSetVersionState(_message.Message):
    __slots__ = ("version", "state", "share", "loaded_at_ms", "fingerprint", "tables", "prepared_bytes", "golden_rows", "problems")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    LOADED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    PREPARED_BYTES_FIELD_NUMBER: _ClassVar[int]
    GOLDEN_ROWS_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    version: int
    state: VersionState
    share: float
    loaded_at_ms: int
    fingerprint: str
    tables: _containers.RepeatedCompositeFieldContainer[TableVersion]
    prepared_bytes: int
    golden_rows: int
    problems: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, version: _Optional[int] = ..., state: _Optional[_Union[VersionState, str]] = ..., share: _Optional[float] = ..., loaded_at_ms: _Optional[int] = ..., fingerprint: _Optional[str] = ..., tables: _Optional[_Iterable[_Union[TableVersion, _Mapping]]] = ..., prepared_bytes: _Optional[int] = ..., golden_rows: _Optional[int] = ..., problems: _Optional[_Iterable[str]] = ...) -> None: ...

class TableVersion(_message.Message):
    __slots__ = ("table", "version")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    table: str
    version: int
    def __init__(self, table: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class TableState(_message.Message):
    __slots__ = ("name", "policy", "policy_problems", "default_version", "previous_versions", "versions")
    NAME_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    POLICY_PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_VERSION_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    name: str
    policy: TrafficPolicy
    policy_problems: _containers.RepeatedScalarFieldContainer[str]
    default_version: int
    previous_versions: _containers.RepeatedScalarFieldContainer[int]
    versions: _containers.RepeatedCompositeFieldContainer[TableVersionStatus]
    def __init__(self, name: _Optional[str] = ..., policy: _Optional[_Union[TrafficPolicy, _Mapping]] = ..., policy_problems: _Optional[_Iterable[str]] = ..., default_version: _Optional[int] = ..., previous_versions: _Optional[_Iterable[int]] = ..., versions: _Optional[_Iterable[_Union[TableVersionStatus, _Mapping]]] = ...) -> None: ...

class TableVersionStatus(_message.Message):
    __slots__ = ("version", "state", "rows", "bytes", "live_rows", "live_bytes", "loaded_at_ms", "age_seconds", "read_by", "problems")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    LIVE_ROWS_FIELD_NUMBER: _ClassVar[int]
    LIVE_BYTES_FIELD_NUMBER: _ClassVar[int]
    LOADED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    AGE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    READ_BY_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    version: int
    state: VersionState
    rows: int
    bytes: int
    live_rows: int
    live_bytes: int
    loaded_at_ms: int
    age_seconds: float
    read_by: _containers.RepeatedCompositeFieldContainer[FeatureSetVersion]
    problems: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, version: _Optional[int] = ..., state: _Optional[_Union[VersionState, str]] = ..., rows: _Optional[int] = ..., bytes: _Optional[int] = ..., live_rows: _Optional[int] = ..., live_bytes: _Optional[int] = ..., loaded_at_ms: _Optional[int] = ..., age_seconds: _Optional[float] = ..., read_by: _Optional[_Iterable[_Union[FeatureSetVersion, _Mapping]]] = ..., problems: _Optional[_Iterable[str]] = ...) -> None: ...

class FeatureSetVersion(_message.Message):
    __slots__ = ("feature_set", "version")
    FEATURE_SET_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    feature_set: str
    version: int
    def __init__(self, feature_set: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class TrafficPolicy(_message.Message):
    __slots__ = ("latest", "pinned", "weighted", "shadow", "keep")
    LATEST_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    WEIGHTED_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    KEEP_FIELD_NUMBER: _ClassVar[int]
    latest: Latest
    pinned: int
    weighted: WeightedSplit
    shadow: Shadow
    keep: int
    def __init__(self, latest: _Optional[_Union[Latest, _Mapping]] = ..., pinned: _Optional[int] = ..., weighted: _Optional[_Union[WeightedSplit, _Mapping]] = ..., shadow: _Optional[_Union[Shadow, _Mapping]] = ..., keep: _Optional[int] = ...) -> None: ...

class Latest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WeightedSplit(_message.Message):
    __slots__ = ("weights", "routing_key", "seed")
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    ROUTING_KEY_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    weights: _containers.RepeatedCompositeFieldContainer[VersionWeight]
    routing_key: str
    seed: int
    def __init__(self, weights: _Optional[_Iterable[_Union[VersionWeight, _Mapping]]] = ..., routing_key: _Optional[str] = ..., seed: _Optional[int] = ...) -> None: ...

class VersionWeight(_message.Message):
    __slots__ = ("version", "weight")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    version: int
    weight: int
    def __init__(self, version: _Optional[int] = ..., weight: _Optional[int] = ...) -> None: ...

class Shadow(_message.Message):
    __slots__ = ("version", "sample_rate")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_FIELD_NUMBER: _ClassVar[int]
    version: int
    sample_rate: float
    def __init__(self, version: _Optional[int] = ..., sample_rate: _Optional[float] = ...) -> None: ...

class ShadowReport(_message.Message):
    __slots__ = ("version", "compared", "dropped", "rejected", "first_rejection", "rows", "features", "first")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    COMPARED_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    FIRST_REJECTION_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    version: int
    compared: int
    dropped: int
    rejected: int
    first_rejection: str
    rows: int
    features: _containers.RepeatedCompositeFieldContainer[FeatureDifferences]
    first: _containers.RepeatedCompositeFieldContainer[Difference]
    def __init__(self, version: _Optional[int] = ..., compared: _Optional[int] = ..., dropped: _Optional[int] = ..., rejected: _Optional[int] = ..., first_rejection: _Optional[str] = ..., rows: _Optional[int] = ..., features: _Optional[_Iterable[_Union[FeatureDifferences, _Mapping]]] = ..., first: _Optional[_Iterable[_Union[Difference, _Mapping]]] = ...) -> None: ...

class FeatureDifferences(_message.Message):
    __slots__ = ("output", "feature", "rows")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    FEATURE_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    output: str
    feature: str
    rows: int
    def __init__(self, output: _Optional[str] = ..., feature: _Optional[str] = ..., rows: _Optional[int] = ...) -> None: ...

class Difference(_message.Message):
    __slots__ = ("output", "feature", "row", "column", "served_version", "served", "shadow")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    FEATURE_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    SERVED_VERSION_FIELD_NUMBER: _ClassVar[int]
    SERVED_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    output: str
    feature: str
    row: int
    column: int
    served_version: int
    served: float
    shadow: float
    def __init__(self, output: _Optional[str] = ..., feature: _Optional[str] = ..., row: _Optional[int] = ..., column: _Optional[int] = ..., served_version: _Optional[int] = ..., served: _Optional[float] = ..., shadow: _Optional[float] = ...) -> None: ...

class SetTrafficRequest(_message.Message):
    __slots__ = ("target", "policy")
    TARGET_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    target: Target
    policy: TrafficPolicy
    def __init__(self, target: _Optional[_Union[Target, _Mapping]] = ..., policy: _Optional[_Union[TrafficPolicy, _Mapping]] = ...) -> None: ...

class SetTrafficResponse(_message.Message):
    __slots__ = ("policy", "default_version", "not_persisted")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_VERSION_FIELD_NUMBER: _ClassVar[int]
    NOT_PERSISTED_FIELD_NUMBER: _ClassVar[int]
    policy: TrafficPolicy
    default_version: int
    not_persisted: str
    def __init__(self, policy: _Optional[_Union[TrafficPolicy, _Mapping]] = ..., default_version: _Optional[int] = ..., not_persisted: _Optional[str] = ...) -> None: ...

class RollbackRequest(_message.Message):
    __slots__ = ("target",)
    TARGET_FIELD_NUMBER: _ClassVar[int]
    target: Target
    def __init__(self, target: _Optional[_Union[Target, _Mapping]] = ...) -> None: ...

class RollbackResponse(_message.Message):
    __slots__ = ("version", "rolled_back_version", "not_persisted")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ROLLED_BACK_VERSION_FIELD_NUMBER: _ClassVar[int]
    NOT_PERSISTED_FIELD_NUMBER: _ClassVar[int]
    version: int
    rolled_back_version: int
    not_persisted: str
    def __init__(self, version: _Optional[int] = ..., rolled_back_version: _Optional[int] = ..., not_persisted: _Optional[str] = ...) -> None: ...
