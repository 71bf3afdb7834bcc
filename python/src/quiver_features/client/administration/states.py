"""What a server has on disk and in memory, as it reports it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from .traffic import Traffic

State = Literal["serving", "candidate", "shadow", "preparing", "failed", "retired", "unknown"]
"""What a version is doing: "unknown" is what this client is too old for."""

Kind = Literal["feature_set", "table"]

ChangeKind = Literal["loaded", "rebound", "retired", "removed", "failed", "policy_changed", "policy_failed", "unknown"]


@dataclass(frozen=True)
class Change:
    """A version, or a policy, that a reload changed.

    Attributes:
        kind: "feature_set" or "table".
        name: Its name.
        version: The version; None where the policy changed.
        change: "loaded", "rebound" (it now reads another version of a table), "retired", "removed", "failed",
            "policy_changed" or "policy_failed".
        problems: What is wrong, where it failed: each with its file and place.
    """

    kind: Kind
    name: str
    version: int | None
    change: ChangeKind
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reloaded:
    """What a reload did.

    Attributes:
        changes: What changed; nothing where nothing did.
        seconds: How long it took.
    """

    changes: tuple[Change, ...]
    seconds: float


@dataclass(frozen=True)
class TrafficSet:
    """A policy that was put in force.

    Attributes:
        traffic: The policy.
        default_version: The version that now answers where none is named; with weights, the one with the largest.
        not_persisted: Why the policy will be lost when the server ends; None where it was written to ``policy.json``.
    """

    traffic: Traffic
    default_version: int
    not_persisted: str | None = None


@dataclass(frozen=True)
class RolledBack:
    """A return to an earlier version.

    Attributes:
        version: The version that answers now; it is pinned.
        rolled_back_version: The version that answered before.
        not_persisted: Why the policy will be lost when the server ends; None where it was written to ``policy.json``.
    """

    version: int
    rolled_back_version: int
    not_persisted: str | None = None


@dataclass(frozen=True)
class FeatureSetVersion:
    """One version of a feature set.

    Attributes:
        version: Its number.
        state: What it is doing.
        share: Its share of the requests that name no version, from 0 to 1.
        loaded_at: When it was published; None where it is not in memory.
        fingerprint: The spec's fingerprint; empty where it is not in memory.
        tables: The versions of the tables that it reads, by name.
        prepared_bytes: Bytes of the features that are computed when tables are loaded.
        golden_rows: How many golden rows it reproduced.
        problems: Why it can't be served, where it failed.
    """

    version: int
    state: State
    share: float
    loaded_at: datetime.datetime | None
    fingerprint: str
    tables: dict[str, int]
    prepared_bytes: int
    golden_rows: int
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """A value that a shadow computed otherwise.

    Attributes:
        output: The output.
        feature: The feature.
        row: The row of the request.
        column: The column within the feature.
        served_version: The version that answered.
        served: Its value.
        shadow: The shadow's value.
    """

    output: str
    feature: str
    row: int
    column: int
    served_version: int
    served: float
    shadow: float


@dataclass(frozen=True)
class ShadowReport:
    """What a shadow found since it was set.

    Attributes:
        version: The shadow's version.
        compared: Requests that were compared.
        dropped: Requests that were sampled and not compared, because too many were waiting.
        rejected: Requests that the shadow's version rejected.
        first_rejection: Why it rejected the first of them, or None.
        rows: Rows that were compared.
        differing_rows: How many rows differed, by output and feature.
        first: The first differences found, a few for each feature.
    """

    version: int
    compared: int
    dropped: int
    rejected: int
    first_rejection: str | None
    rows: int
    differing_rows: dict[tuple[str, str], int]
    first: tuple[Difference, ...]


@dataclass(frozen=True)
class FeatureSetState:
    """One feature set.

    Attributes:
        name: Its name.
        traffic: Which version answers requests that name none.
        traffic_problems: What is wrong with its ``policy.json``, if anything is.
        default_version: The version that answers them; with weights, the one with the largest; 0 where none can.
        previous_versions: Those that answered before, the latest last.
        versions: All versions, by number.
        shadow: What the shadow found, where there is one.
    """

    name: str
    traffic: Traffic
    traffic_problems: tuple[str, ...]
    default_version: int
    previous_versions: tuple[int, ...]
    versions: dict[int, FeatureSetVersion]
    shadow: ShadowReport | None


@dataclass(frozen=True)
class TableVersion:
    """One version of a table.

    Attributes:
        version: Its number.
        state: What it is doing.
        rows: Rows that were loaded; 0 where it is not in memory.
        bytes: Bytes of its index, keys and columns in memory.
        live_rows: Rows that were written since.
        live_bytes: The bytes that they take.
        loaded_at: When it was published; None where it is not in memory.
        age_seconds: Seconds since its ``table.json`` was written.
        read_by: The versions of feature sets in memory that read it.
        problems: Why it can't be served, where it failed.
    """

    version: int
    state: State
    rows: int
    bytes: int
    live_rows: int
    live_bytes: int
    loaded_at: datetime.datetime | None
    age_seconds: float
    read_by: tuple[tuple[str, int], ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class TableState:
    """One table.

    Attributes:
        name: Its name.
        traffic: Which version is read by feature sets that name none: the latest or a pinned one.
        traffic_problems: What is wrong with its ``policy.json``, if anything is.
        default_version: The version that is read; 0 where none can be.
        previous_versions: Those that were read before, the latest last.
        versions: All versions, by number.
    """

    name: str
    traffic: Traffic
    traffic_problems: tuple[str, ...]
    default_version: int
    previous_versions: tuple[int, ...]
    versions: dict[int, TableVersion]


@dataclass(frozen=True)
class Versions:
    """Everything that a server has on disk and in memory.

    Attributes:
        feature_sets: By name.
        tables: By name.
        reloaded_at: When versions were looked for last; None before the first time.
        published: How many snapshots were published since the server started.
        is_reloading: Whether versions are being looked for.
    """

    feature_sets: dict[str, FeatureSetState]
    tables: dict[str, TableState]
    reloaded_at: datetime.datetime | None = None
    published: int = 0
    is_reloading: bool = False

    def to_frame(self) -> Any:
        """A pandas DataFrame with a row for each version, of feature sets and then of tables."""
        import pandas

        return pandas.DataFrame(list(self._records()), columns=_FRAME)

    def _records(self) -> Iterator[dict[str, Any]]:
        states: list[tuple[Kind, FeatureSetState | TableState]] = [
            *(("feature_set", state) for state in self.feature_sets.values()),
            *(("table", state) for state in self.tables.values()),
        ]
        for kind, state in states:
            for version in state.versions.values():
                fields = {"bytes": getattr(version, "prepared_bytes", 0), **vars(version)}
                is_default = version.version == state.default_version
                yield {"kind": kind, "name": state.name, "is_default": is_default, **fields}


_FRAME = [
    *("kind", "name", "version", "state", "is_default", "share", "loaded_at", "age_seconds", "rows", "bytes"),
    *("live_rows", "live_bytes", "golden_rows", "problems"),
]
"""The frame's columns."""
