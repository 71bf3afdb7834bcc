//! What is served, in the wire's words.

use serde_json::json;

use crate::{
    batch::time::{Time, TimeUnit, Zone},
    plan::layout::{Feature, Output},
    problem::{Problem, Problems},
    proto,
    rpc::response::dtype,
    snapshot::{FeatureSet, Snapshot},
    spec::{Input, Lookup, MaxAge, NanMeaning, ScalarType, Scope, Stale},
    table::Table,
};

/// Every feature set with its versions.
pub fn feature_sets(snapshot: &Snapshot) -> proto::ListFeatureSetsResponse {
    let feature_sets = snapshot.names().into_iter().map(|name| {
        let versions: Vec<u32> = snapshot.versions(name).collect();
        proto::FeatureSetVersions {
            name: name.to_owned(),
            default_version: snapshot.default_version(name).unwrap_or_default(),
            versions,
            failed_versions: snapshot.failed(name).map(failed_version).collect(),
        }
    });
    proto::ListFeatureSetsResponse { feature_sets: feature_sets.collect() }
}

/// Problems of one version that are listed.
const LISTED: usize = 20;

fn failed_version((version, problems): (u32, &Problems)) -> proto::FailedVersion {
    let mut lines: Vec<String> = problems.iter().take(LISTED).map(Problem::to_string).collect();
    if problems.len() > lines.len() {
        lines.push(format!("and {} more problems", problems.len() - lines.len()));
    }
    proto::FailedVersion { version, problem: lines.join("\n") }
}

/// One version in full.
pub fn feature_set(of: &FeatureSet) -> proto::GetFeatureSetResponse {
    proto::GetFeatureSetResponse {
        feature_set: of.name().to_owned(),
        version: of.version(),
        fingerprint: of.fingerprint().to_owned(),
        inputs: of.spec().inputs.iter().map(input).collect(),
        outputs: of.plan().outputs.iter().map(|written| output(of, written)).collect(),
        tables: of.tables().iter().map(|of| table(of)).collect(),
        lookups: of.spec().lookups.iter().map(lookup).collect(),
        time_zone_database: Zone::database().to_owned(),
        golden_rows: of.golden_rows().map_or(0, |rows| u32::try_from(rows).unwrap_or(u32::MAX)),
    }
}

fn lookup(of: &Lookup) -> proto::LookupDescription {
    let stale = of.stale.map(|stale| match stale {
        Stale::Serve => "serve",
        Stale::Null => "null",
    });
    proto::LookupDescription {
        name: of.name.clone(),
        table: of.table.clone(),
        max_age: of.max_age.as_ref().map(MaxAge::to_string).unwrap_or_default(),
        stale: stale.unwrap_or_default().to_owned(),
        fallbacks: of.fallbacks.iter().map(|fallback| json!(fallback).to_string()).collect(),
    }
}

fn input(of: &Input) -> proto::InputDescription {
    let dtype = match of.dtype.scalar {
        ScalarType::Float32 => proto::InputType::Float32,
        ScalarType::Float64 => proto::InputType::Float64,
        ScalarType::Int64 => proto::InputType::Int64,
        ScalarType::Uint64 => proto::InputType::Uint64,
        ScalarType::Bool => proto::InputType::Bool,
        ScalarType::String => proto::InputType::String,
        ScalarType::Time(of) => match of.time {
            Time::Timestamp(_) => proto::InputType::Timestamp,
            Time::Duration(_) => proto::InputType::Duration,
            Time::Date => proto::InputType::Date,
        },
    };
    let zone = match of.dtype.scalar {
        ScalarType::Time(of) => of.zone,
        _ => None,
    };
    proto::InputDescription {
        name: of.name.clone(),
        dtype: dtype.into(),
        scope: scope(of.scope).into(),
        list: of.dtype.list,
        required: of.required,
        nan_is_null: of.nan == Some(NanMeaning::Null),
        time_unit: of.dtype.scalar.time_unit().map_or(proto::TimeUnit::Unspecified, time_unit).into(),
        time_zone: zone.map(|zone| zone.to_string()).unwrap_or_default(),
    }
}

fn time_unit(of: TimeUnit) -> proto::TimeUnit {
    match of {
        TimeUnit::Seconds => proto::TimeUnit::Seconds,
        TimeUnit::Milliseconds => proto::TimeUnit::Milliseconds,
        TimeUnit::Microseconds => proto::TimeUnit::Microseconds,
        TimeUnit::Nanoseconds => proto::TimeUnit::Nanoseconds,
        TimeUnit::Days => proto::TimeUnit::Days,
    }
}

fn output(of: &FeatureSet, output: &Output) -> proto::OutputDescription {
    proto::OutputDescription {
        name: output.name.clone(),
        dtype: dtype(output.dtype).into(),
        width: output.width as u32,
        features: output.features.iter().map(|written| feature(of, written)).collect(),
        ragged: output.ragged,
    }
}

fn feature(of: &FeatureSet, feature: &Feature) -> proto::FeatureDescription {
    proto::FeatureDescription {
        name: feature.name.clone(),
        offset: feature.offset as u32,
        width: feature.width as u32,
        scope: scope(feature.scope).into(),
        part_offset: feature.part_offset as u32,
        columns: of.plan().graph.nodes[feature.node].lane_names.clone(),
        column_names: feature.column_names.clone(),
    }
}

fn scope(of: Scope) -> proto::Scope {
    match of {
        Scope::Request => proto::Scope::Request,
        Scope::Row => proto::Scope::Row,
    }
}

fn table(of: &Table) -> proto::TableDescription {
    proto::TableDescription {
        name: of.schema().name.clone(),
        version: of.schema().version,
        rows: of.rows().into(),
        bytes: of.memory() as u64,
    }
}
