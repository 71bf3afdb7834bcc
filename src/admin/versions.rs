//! Every version on disk and in memory, in the wire's words.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::policies;
use crate::{
    policy::findings::{Difference, Found},
    problem::{Problem, Problems},
    proto::{self, ChangeKind, VersionState, target::Name},
    reload::{
        Change, Changed, Kind, Reload, Target,
        board::{Entry, State},
    },
    snapshot::{FeatureSet, Snapshot},
    table::Table,
};

/// Problems of one version that are listed.
const LISTED: usize = 20;

/// Everything that is known.
pub fn list(reload: &Reload) -> proto::ListVersionsResponse {
    let snapshot = reload.live().current();
    let snapshot = snapshot.as_deref();
    let state = reload.board().lock();
    let feature_sets =
        state.of_kind(Kind::FeatureSet).map(|(name, entry)| feature_set(name, entry, &state, snapshot));
    let readers = readers(snapshot);
    let tables =
        state.of_kind(Kind::Table).map(|(name, entry)| table(name, entry, &state, snapshot, &readers));
    proto::ListVersionsResponse {
        feature_sets: feature_sets.collect(),
        tables: tables.collect(),
        last_reload: Some(proto::ReloadState {
            ended_at_ms: state.ended_at.map_or(0, millis),
            seconds: state.took.as_secs_f64(),
            published: state.published,
            running: state.running,
        }),
    }
}

fn feature_set(
    name: &str,
    entry: &Entry,
    state: &State,
    snapshot: Option<&Snapshot>,
) -> proto::FeatureSetState {
    let target = Target::new(Kind::FeatureSet, name);
    let in_memory: Vec<u32> = entry.loaded_at.keys().copied().collect();
    let shares = entry.policy().shares(&in_memory);
    let shadow = entry.policy().shadow.as_ref().map(|shadow| shadow.version);
    let versions = entry.versions.iter().map(|version| {
        let loaded = snapshot.and_then(|snapshot| snapshot.exact(name, *version));
        let share = shares.get(version).copied().unwrap_or_default();
        let state = match loaded {
            _ if state.is_preparing(&target, *version) => VersionState::Preparing,
            Some(_) if share > 0.0 => VersionState::Serving,
            Some(_) if shadow == Some(*version) => VersionState::Shadow,
            Some(_) => VersionState::Candidate,
            None => not_loaded(entry, *version),
        };
        proto::FeatureSetVersionState {
            version: *version,
            state: state.into(),
            share,
            loaded_at_ms: loaded_at(entry, *version),
            problems: problems_of(entry, *version),
            ..loaded.map(|loaded| in_full(loaded)).unwrap_or_default()
        }
    });
    let found = entry.routing.findings.as_ref().map(|findings| findings.read());
    proto::FeatureSetState {
        name: name.to_owned(),
        policy: Some(policies::write(entry.policy())),
        policy_problems: lines(&entry.policy_problems),
        default_version: entry.default.unwrap_or_default(),
        previous_versions: entry.policy().previous.clone(),
        versions: versions.collect(),
        shadow: shadow.zip(found).map(|(version, found)| shadow_report(version, found)),
    }
}

/// What only a version in memory has.
fn in_full(of: &FeatureSet) -> proto::FeatureSetVersionState {
    let table = |table: &std::sync::Arc<Table>| proto::TableVersion {
        table: table.schema().name.clone(),
        version: table.schema().version,
    };
    proto::FeatureSetVersionState {
        fingerprint: of.fingerprint().to_owned(),
        tables: of.tables().iter().map(table).collect(),
        prepared_bytes: of.prepared_memory() as u64,
        golden_rows: of.golden_rows().map_or(0, |rows| u32::try_from(rows).unwrap_or(u32::MAX)),
        ..Default::default()
    }
}

/// The feature sets' versions in memory by the table and version that they read.
type Readers = BTreeMap<(String, u32), Vec<proto::FeatureSetVersion>>;

fn readers(snapshot: Option<&Snapshot>) -> Readers {
    let mut readers = Readers::new();
    let all =
        snapshot.into_iter().flat_map(Snapshot::feature_sets).flat_map(|(_, versions)| versions.values());
    for feature_set in all {
        for table in feature_set.tables() {
            let key = (table.schema().name.clone(), table.schema().version);
            readers.entry(key).or_default().push(proto::FeatureSetVersion {
                feature_set: feature_set.name().to_owned(),
                version: feature_set.version(),
            });
        }
    }
    readers
}

fn table(
    name: &str,
    entry: &Entry,
    state: &State,
    snapshot: Option<&Snapshot>,
    readers: &Readers,
) -> proto::TableState {
    let target = Target::new(Kind::Table, name);
    let versions = entry.versions.iter().map(|version| {
        let loaded = snapshot.and_then(|snapshot| snapshot.table(name, *version));
        let state = match loaded {
            _ if state.is_preparing(&target, *version) => VersionState::Preparing,
            Some(_) if entry.default == Some(*version) => VersionState::Serving,
            Some(_) => VersionState::Candidate,
            None => not_loaded(entry, *version),
        };
        proto::TableVersionStatus {
            version: *version,
            state: state.into(),
            rows: loaded.map_or(0, |table| table.rows().into()),
            bytes: loaded.map_or(0, |table| table.memory() as u64),
            live_rows: loaded.map_or(0, |table| table.delta().rows() as u64),
            live_bytes: loaded.map_or(0, |table| table.delta().memory() as u64),
            loaded_at_ms: loaded_at(entry, *version),
            age_seconds: age(entry, *version).as_secs_f64(),
            read_by: readers.get(&(name.to_owned(), *version)).cloned().unwrap_or_default(),
            problems: problems_of(entry, *version),
        }
    });
    proto::TableState {
        name: name.to_owned(),
        policy: Some(policies::write(entry.policy())),
        policy_problems: lines(&entry.policy_problems),
        default_version: entry.default.unwrap_or_default(),
        previous_versions: entry.policy().previous.clone(),
        versions: versions.collect(),
    }
}

fn not_loaded(entry: &Entry, version: u32) -> VersionState {
    if entry.failed.contains_key(&version) { VersionState::Failed } else { VersionState::Retired }
}

fn loaded_at(entry: &Entry, version: u32) -> i64 {
    entry.loaded_at.get(&version).map_or(0, |at| millis(*at))
}

fn millis(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Since the version's `table.json` was written.
fn age(entry: &Entry, version: u32) -> Duration {
    entry.written_at.get(&version).and_then(|at| at.elapsed().ok()).unwrap_or_default()
}

fn problems_of(entry: &Entry, version: u32) -> Vec<String> {
    entry.failed.get(&version).map(|failure| lines(&failure.problems)).unwrap_or_default()
}

fn lines(problems: &Problems) -> Vec<String> {
    let mut lines: Vec<String> = problems.iter().take(LISTED).map(Problem::to_string).collect();
    if problems.len() > lines.len() {
        lines.push(format!("and {} more problems", problems.len() - lines.len()));
    }
    lines
}

fn shadow_report(version: u32, found: Found) -> proto::ShadowReport {
    let Found { compared, dropped, rejected, first_rejection, rows, features, first } = found;
    let features = features.into_iter().map(|((output, feature), rows)| proto::FeatureDifferences {
        output,
        feature,
        rows,
    });
    proto::ShadowReport {
        version,
        compared,
        dropped,
        rejected,
        first_rejection: first_rejection.unwrap_or_default(),
        rows,
        features: features.collect(),
        first: first.into_iter().map(difference).collect(),
    }
}

fn difference(of: Difference) -> proto::Difference {
    let Difference { output, feature, row, column, served_version, served, shadow } = of;
    proto::Difference { output, feature, row, column, served_version, served, shadow }
}

/// What changed.
pub fn change(of: &Change) -> proto::VersionChange {
    let Change { target, version, what } = of;
    let (kind, problems) = match what {
        Changed::Loaded => (ChangeKind::Loaded, Vec::new()),
        Changed::Rebound => (ChangeKind::Rebound, Vec::new()),
        Changed::Retired => (ChangeKind::Retired, Vec::new()),
        Changed::Removed => (ChangeKind::Removed, Vec::new()),
        Changed::Failed(problems) => (ChangeKind::Failed, lines(problems)),
        Changed::PolicyChanged => (ChangeKind::PolicyChanged, Vec::new()),
        Changed::PolicyFailed(problems) => (ChangeKind::PolicyFailed, lines(problems)),
    };
    let name = match target.kind {
        Kind::FeatureSet => Name::FeatureSet(target.name.clone()),
        Kind::Table => Name::Table(target.name.clone()),
    };
    proto::VersionChange {
        target: Some(proto::Target { name: Some(name) }),
        version: version.unwrap_or_default(),
        kind: kind.into(),
        problems,
    }
}
