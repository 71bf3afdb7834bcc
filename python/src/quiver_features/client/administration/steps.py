"""The steps of AdminService's calls, and what is made of their answers."""

from __future__ import annotations

import datetime
from typing import Any, get_args

from ...proto import admin_service_pb2 as pb
from ..errors import RequestError, Violation
from ..exchange import Call, Steps, parsed
from ..request import text
from .states import (
    Change,
    ChangeKind,
    Difference,
    FeatureSetState,
    FeatureSetVersion,
    Kind,
    Reloaded,
    RolledBack,
    ShadowReport,
    State,
    TableState,
    TableVersion,
    TrafficSet,
    Versions,
)
from .traffic import Traffic

SERVICE = "/quiver.v1.AdminService/"


def target_of(feature_set: str | None, table: str | None) -> pb.Target:
    """What a call is about.

    Raises:
        RequestError: If it is not one of the two.
    """
    if (feature_set is None) == (table is None):
        raise RequestError.invalid([Violation("target", "must be a feature set's name, or table= a table's")])
    if table is not None:
        return pb.Target(table=text("table", table))
    return pb.Target(feature_set=text("feature_set", feature_set))


def reload() -> Steps[Reloaded]:
    """Looks for what changed on disk."""
    raw = yield Call("Reload", pb.ReloadRequest().SerializeToString())
    answer = parsed(raw, pb.ReloadResponse.FromString)
    return Reloaded(tuple(map(_change, answer.changes)), answer.seconds)


def list_versions() -> Steps[Versions]:
    """Lists every version."""
    raw = yield Call("ListVersions", pb.ListVersionsRequest().SerializeToString())
    answer = parsed(raw, pb.ListVersionsResponse.FromString)
    return Versions(
        {one.name: _feature_set(one) for one in answer.feature_sets},
        {one.name: _table(one) for one in answer.tables},
        _moment(answer.last_reload.ended_at_ms),
        answer.last_reload.published,
        answer.last_reload.running,
    )


def set_traffic(target: pb.Target, traffic: Traffic) -> Steps[TrafficSet]:
    """Puts a policy in force."""
    raw = yield Call("SetTraffic", pb.SetTrafficRequest(target=target, policy=traffic.message()).SerializeToString())
    answer = parsed(raw, pb.SetTrafficResponse.FromString)
    return TrafficSet(Traffic.of_message(answer.policy), answer.default_version, answer.not_persisted or None)


def rollback(target: pb.Target) -> Steps[RolledBack]:
    """Returns to the version before."""
    raw = yield Call("Rollback", pb.RollbackRequest(target=target).SerializeToString())
    answer = parsed(raw, pb.RollbackResponse.FromString)
    return RolledBack(answer.version, answer.rolled_back_version, answer.not_persisted or None)


def _change(one: pb.VersionChange) -> Change:
    kind: Kind = "table" if one.target.HasField("table") else "feature_set"
    name = one.target.feature_set or one.target.table
    change: ChangeKind = _named(pb.ChangeKind, "CHANGE_KIND_", one.kind, get_args(ChangeKind))
    return Change(kind, name, one.version or None, change, tuple(one.problems))


def _feature_set(one: pb.FeatureSetState) -> FeatureSetState:
    return FeatureSetState(
        one.name,
        Traffic.of_message(one.policy),
        tuple(one.policy_problems),
        one.default_version,
        tuple(one.previous_versions),
        {version.version: _feature_set_version(version) for version in one.versions},
        _shadow(one.shadow) if one.HasField("shadow") else None,
    )


def _feature_set_version(one: pb.FeatureSetVersionState) -> FeatureSetVersion:
    return FeatureSetVersion(
        one.version,
        _state(one.state),
        one.share,
        _moment(one.loaded_at_ms),
        one.fingerprint,
        {table.table: table.version for table in one.tables},
        one.prepared_bytes,
        one.golden_rows,
        tuple(one.problems),
    )


def _shadow(one: pb.ShadowReport) -> ShadowReport:
    return ShadowReport(
        one.version,
        one.compared,
        one.dropped,
        one.rejected,
        one.first_rejection or None,
        one.rows,
        {(of.output, of.feature): of.rows for of in one.features},
        tuple(map(_difference, one.first)),
    )


def _difference(one: pb.Difference) -> Difference:
    return Difference(one.output, one.feature, one.row, one.column, one.served_version, one.served, one.shadow)


def _table(one: pb.TableState) -> TableState:
    return TableState(
        one.name,
        Traffic.of_message(one.policy),
        tuple(one.policy_problems),
        one.default_version,
        tuple(one.previous_versions),
        {version.version: _table_version(version) for version in one.versions},
    )


def _table_version(one: pb.TableVersionStatus) -> TableVersion:
    return TableVersion(
        one.version,
        _state(one.state),
        one.rows,
        one.bytes,
        one.live_rows,
        one.live_bytes,
        _moment(one.loaded_at_ms),
        one.age_seconds,
        tuple((reader.feature_set, reader.version) for reader in one.read_by),
        tuple(one.problems),
    )


def _state(number: int) -> State:
    return _named(pb.VersionState, "VERSION_STATE_", number, get_args(State))


def _named(enum: Any, prefix: str, number: int, known: tuple[str, ...]) -> Any:
    """An enum's value by its name without the prefix; "unknown" for one that is newer than this client."""
    if number not in enum.values():
        return "unknown"
    name = enum.Name(number).removeprefix(prefix).lower()
    return name if name in known else "unknown"


def _moment(milliseconds: int) -> datetime.datetime | None:
    if milliseconds == 0:
        return None
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.timezone.utc)
