//! Putting a prepared snapshot, or a changed policy, in the place of the current one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::SystemTime,
};

use super::{
    Change, Changed, Kind, Target,
    board::{Board, State},
};
use crate::{
    live::Live,
    metrics::Metrics,
    policy::{self, Policy, Serve},
    problem::Problems,
    serve::route,
    snapshot::{Failed, FeatureSet, Snapshot, Versions},
    writes::{Report, Writers},
};

/// What is to be in memory.
#[derive(Debug, Default)]
pub struct Next {
    pub feature_sets: BTreeMap<String, Versions>,
    /// Of each table the version that is read where none is named.
    pub tables: BTreeMap<String, Option<u32>>,
}

/// Publishes what was prepared, if it differs from what is live or `policies_changed`. Returns what changed by it.
pub fn prepared(
    mut next: Next,
    policies_changed: bool,
    live: &Live,
    writers: &Writers,
    board: &Board,
    metrics: &Metrics,
) -> Vec<Change> {
    let changes = live.update(|current| {
        let versions = std::mem::take(&mut next.feature_sets);
        let (versions, journals) = writers.carry(current.map(|current| &**current), versions);
        next.feature_sets = versions;
        journals.iter().for_each(log_journal);
        let mut state = board.lock();
        let changes = changes(current.map(|current| &**current), &next, &state);
        let failed = failed(&next.feature_sets, &state);
        let same_failed = current.is_some_and(|current| *current.all_failed() == failed);
        if changes.is_empty() && same_failed && !policies_changed {
            return None;
        }
        note(&mut state, &next);
        let snapshot = Arc::new(snapshot(next.feature_sets, &state));
        metrics.published(&snapshot);
        Some((changes, snapshot))
    });
    changes.unwrap_or_default()
}

fn log_journal(Report { table, rows, problems }: &Report) {
    tracing::info!(table, rows, "read the journal");
    for problem in problems {
        tracing::error!(table, problem, "problem in the journal");
    }
}

/// Publishes changed policies over the same versions.
pub fn routing(live: &Live, board: &Board, metrics: &Metrics) {
    live.update(|current| {
        let current = current?;
        let mut state = board.lock();
        let feature_sets: BTreeMap<String, Versions> =
            current.feature_sets().map(|(name, versions)| (name.to_owned(), versions.clone())).collect();
        note_defaults(&mut state, &feature_sets);
        let snapshot = Arc::new(snapshot(feature_sets, &state));
        metrics.published(&snapshot);
        Some(((), snapshot))
    });
    show(live, board, metrics);
}

/// Shows in the metrics what is in force, and notes policies that do not fit the versions they name.
pub fn show(live: &Live, board: &Board, metrics: &Metrics) {
    let snapshot = live.current();
    let mut state = board.lock();
    let names: Vec<String> = state.of_kind(Kind::FeatureSet).map(|(name, _)| name.to_owned()).collect();
    for name in names {
        let Some(entry) = state.entry_mut(&Target::new(Kind::FeatureSet, &name)) else { continue };
        let versions = snapshot.as_ref().and_then(|snapshot| snapshot.all_versions(&name));
        let in_memory: Vec<u32> = versions.into_iter().flat_map(BTreeMap::keys).copied().collect();
        let shares = entry.policy().shares(&in_memory);
        for version in &entry.versions {
            metrics.share(&name, *version, shares.get(version).copied().unwrap_or_default());
            if !in_memory.contains(version) {
                metrics.retired(&name, *version);
            }
        }
        if let Err(found) = versions.map_or(Ok(()), |versions| check_split(entry.policy(), versions)) {
            entry.policy_problems = found.in_file(policy::FILE).in_folder(&format!("feature_sets/{name}"));
        }
    }
    for (name, entry) in state.of_kind(Kind::Table) {
        metrics.table_failed(name, entry.failed.len());
    }
}

/// Holds a policy's split against the versions in memory that it names.
pub fn check_split(policy: &Policy, versions: &Versions) -> Result<(), Problems> {
    let Serve::Weighted(split) = &policy.serve else { return Ok(()) };
    let mut problems = Problems::none();
    for version in split.versions.keys().filter_map(|version| versions.get(version)) {
        if let Err(found) = route::check_split(split, version) {
            problems.add_below("", found);
        }
    }
    problems.or(())
}

/// A snapshot of these versions under the policies in force.
fn snapshot(feature_sets: BTreeMap<String, Versions>, state: &State) -> Snapshot {
    let failed = failed(&feature_sets, state);
    let of_kind = state.of_kind(Kind::FeatureSet);
    let routing = of_kind.map(|(name, entry)| (name.to_owned(), entry.routing.clone())).collect();
    Snapshot::of_versions(feature_sets, routing).with_failed(failed)
}

/// The versions that are not served, and why.
fn failed(feature_sets: &BTreeMap<String, Versions>, state: &State) -> Failed {
    let mut failed = Failed::default();
    for (name, entry) in state.of_kind(Kind::FeatureSet) {
        for (version, failure) in &entry.failed {
            let is_served = feature_sets.get(name).is_some_and(|versions| versions.contains_key(version));
            if !is_served {
                failed.add(name, *version, failure.problems.clone());
            }
        }
    }
    failed
}

/// Notes on the board what is now in memory, and which versions answer.
fn note(state: &mut State, next: &Next) {
    let now = SystemTime::now();
    note_defaults(state, &next.feature_sets);
    let tables = tables_of(&next.feature_sets);
    for (name, default) in &next.tables {
        if let Some(entry) = state.entry_mut(&Target::new(Kind::Table, name)) {
            entry.set_default(*default);
        }
    }
    for kind in [Kind::FeatureSet, Kind::Table] {
        let names: Vec<String> = state.of_kind(kind).map(|(name, _)| name.to_owned()).collect();
        for name in names {
            let in_memory: BTreeSet<u32> = match kind {
                Kind::FeatureSet => {
                    next.feature_sets.get(&name).into_iter().flat_map(BTreeMap::keys).copied().collect()
                }
                Kind::Table => {
                    tables.iter().filter(|(table, _)| *table == name).map(|(_, version)| *version).collect()
                }
            };
            let Some(entry) = state.entry_mut(&Target::new(kind, name)) else { continue };
            entry.loaded_at.retain(|version, _| in_memory.contains(version));
            for version in in_memory {
                entry.loaded_at.entry(version).or_insert(now);
            }
        }
    }
}

fn note_defaults(state: &mut State, feature_sets: &BTreeMap<String, Versions>) {
    state.published += 1;
    for (name, versions) in feature_sets {
        if let Some(entry) = state.entry_mut(&Target::new(Kind::FeatureSet, name)) {
            entry.set_default(entry.policy().default_version(versions.keys().copied()));
        }
    }
}

/// What the next snapshot changes in memory.
fn changes(current: Option<&Snapshot>, next: &Next, state: &State) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut note = |kind: Kind, name: &str, version: u32, what: Changed| {
        changes.push(Change { target: Target::new(kind, name), version: Some(version), what });
    };
    let gone = |kind: Kind, name: &str, version: u32| {
        let entry = state.entry(&Target::new(kind, name));
        let is_on_disk = entry.is_some_and(|entry| entry.versions.contains(&version));
        if is_on_disk { Changed::Retired } else { Changed::Removed }
    };
    for (name, versions) in &next.feature_sets {
        for (version, feature_set) in versions {
            match current.and_then(|current| current.exact(name, *version)) {
                None => note(Kind::FeatureSet, name, *version, Changed::Loaded),
                Some(before) if !reads_same(before, feature_set) => {
                    note(Kind::FeatureSet, name, *version, Changed::Rebound);
                }
                Some(_) => {}
            }
        }
    }
    let Some(current) = current else { return changes };
    for (name, versions) in current.feature_sets() {
        let kept = next.feature_sets.get(name);
        for version in versions.keys().filter(|version| kept.is_none_or(|kept| !kept.contains_key(version))) {
            note(Kind::FeatureSet, name, *version, gone(Kind::FeatureSet, name, *version));
        }
    }
    let kept = tables_of(&next.feature_sets);
    for table in current.tables() {
        let (name, version) = (table.schema().name.as_str(), table.schema().version);
        if !kept.contains(&(name, version)) {
            note(Kind::Table, name, version, gone(Kind::Table, name, version));
        }
    }
    changes
}

/// Whether two forms of one version read the same versions of tables; rows may have been written since.
fn reads_same(one: &FeatureSet, other: &FeatureSet) -> bool {
    let versions =
        |of: &FeatureSet| of.tables().iter().map(|table| table.schema().version).collect::<Vec<_>>();
    versions(one) == versions(other)
}

/// The tables' versions that feature sets read.
fn tables_of(feature_sets: &BTreeMap<String, Versions>) -> BTreeSet<(&str, u32)> {
    let all = feature_sets.values().flat_map(BTreeMap::values);
    let tables = all.flat_map(|feature_set: &Arc<FeatureSet>| feature_set.tables());
    tables.map(|table| (table.schema().name.as_str(), table.schema().version)).collect()
}
