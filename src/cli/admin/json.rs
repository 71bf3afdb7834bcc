//! Admin answers as JSON, with the names of the proto's fields.

use serde_json::{Value, json};

use super::{
    reload::{change_name, kind_and_name},
    versions::state_name,
};
use crate::proto::{
    FeatureSetState, FeatureSetVersionState, ListVersionsResponse, ReloadResponse, ShadowReport, TableState,
    TableVersionStatus, TrafficPolicy, traffic_policy::Serve,
};

/// The text of a document.
pub fn text(document: &Value) -> String {
    format!("{document:#}\n")
}

pub fn reloaded(of: &ReloadResponse) -> Value {
    let changes = of.changes.iter().map(|change| {
        let (kind, name) = kind_and_name(change);
        json!({kind.replace(' ', "_"): name, "version": change.version, "change": change_name(change),
            "problems": change.problems})
    });
    json!({"changes": changes.collect::<Vec<_>>(), "seconds": of.seconds})
}

pub fn listed(of: &ListVersionsResponse) -> Value {
    let last = of.last_reload.unwrap_or_default();
    json!({
        "feature_sets": of.feature_sets.iter().map(feature_set).collect::<Vec<_>>(),
        "tables": of.tables.iter().map(table).collect::<Vec<_>>(),
        "last_reload": {"ended_at_ms": last.ended_at_ms, "seconds": last.seconds, "published": last.published,
            "running": last.running},
    })
}

fn feature_set(of: &FeatureSetState) -> Value {
    json!({
        "name": of.name, "policy": of.policy.as_ref().map(policy), "policy_problems": of.policy_problems,
        "default_version": of.default_version, "previous_versions": of.previous_versions,
        "versions": of.versions.iter().map(feature_set_version).collect::<Vec<_>>(),
        "shadow": of.shadow.as_ref().map(shadow),
    })
}

fn feature_set_version(of: &FeatureSetVersionState) -> Value {
    let tables = of.tables.iter().map(|of| json!({"table": of.table, "version": of.version}));
    json!({
        "version": of.version, "state": state_name(of.state()), "share": of.share, "loaded_at_ms": of.loaded_at_ms,
        "fingerprint": of.fingerprint, "tables": tables.collect::<Vec<_>>(), "prepared_bytes": of.prepared_bytes,
        "golden_rows": of.golden_rows, "problems": of.problems,
    })
}

fn table(of: &TableState) -> Value {
    json!({
        "name": of.name, "policy": of.policy.as_ref().map(policy), "policy_problems": of.policy_problems,
        "default_version": of.default_version, "previous_versions": of.previous_versions,
        "versions": of.versions.iter().map(table_version).collect::<Vec<_>>(),
    })
}

fn table_version(of: &TableVersionStatus) -> Value {
    let readers = of.read_by.iter().map(|of| json!({"feature_set": of.feature_set, "version": of.version}));
    json!({
        "version": of.version, "state": state_name(of.state()), "rows": of.rows, "bytes": of.bytes,
        "live_rows": of.live_rows, "live_bytes": of.live_bytes, "loaded_at_ms": of.loaded_at_ms,
        "age_seconds": of.age_seconds, "read_by": readers.collect::<Vec<_>>(), "problems": of.problems,
    })
}

/// As policy.json has it.
fn policy(of: &TrafficPolicy) -> Value {
    let serve = match &of.serve {
        Some(Serve::Pinned(version)) => json!({"pinned": version}),
        Some(Serve::Weighted(split)) => {
            let versions = split.weights.iter().map(|of| (of.version.to_string(), Value::from(of.weight)));
            let versions: serde_json::Map<String, Value> = versions.collect();
            json!({"weighted": {"versions": versions, "routing_key": split.routing_key, "seed": split.seed}})
        }
        Some(Serve::Latest(_)) | None => json!("latest"),
    };
    let shadow = of.shadow.map(|of| json!({"version": of.version, "sample_rate": of.sample_rate}));
    json!({"serve": serve, "shadow": shadow, "keep": of.keep})
}

fn shadow(of: &ShadowReport) -> Value {
    let features =
        of.features.iter().map(|of| json!({"output": of.output, "feature": of.feature, "rows": of.rows}));
    let first = of.first.iter().map(|of| {
        json!({"output": of.output, "feature": of.feature, "row": of.row, "column": of.column,
            "served_version": of.served_version, "served": of.served, "shadow": of.shadow})
    });
    json!({
        "version": of.version, "compared": of.compared, "dropped": of.dropped, "rejected": of.rejected,
        "first_rejection": of.first_rejection, "rows": of.rows, "features": features.collect::<Vec<_>>(),
        "first": first.collect::<Vec<_>>(),
    })
}
