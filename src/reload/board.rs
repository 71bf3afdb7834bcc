//! What is known of every version and policy; read by who lists them while others are being prepared.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use super::{
    Change, Changed, Kind, Target,
    scan::{Named, Scan, Stamp},
};
use crate::{
    cancel::Cancel,
    policy::{self, PREVIOUS, Policy, findings::Findings},
    problem::Problems,
    snapshot::Routing,
};

/// Every feature set and table on disk.
#[derive(Debug, Default)]
pub struct Board(Mutex<State>);

/// What the board says.
#[derive(Debug, Default)]
pub struct State {
    entries: BTreeMap<Target, Entry>,
    /// What is being prepared.
    loads: BTreeMap<(Target, u32), Load>,
    pub ended_at: Option<SystemTime>,
    /// How long the last reload took that changed anything.
    pub took: Duration,
    /// Snapshots that were published.
    pub published: u64,
    pub running: bool,
}

/// A version that is being prepared.
#[derive(Debug)]
struct Load {
    cancel: Cancel,
    /// Whether it is wanted only as long as no newer version is there.
    as_newest: bool,
}

/// One feature set or table.
#[derive(Debug)]
pub struct Entry {
    pub folder: PathBuf,
    /// The versions on disk.
    pub versions: BTreeSet<u32>,
    pub failed: BTreeMap<u32, Failure>,
    /// When those in memory were published.
    pub loaded_at: BTreeMap<u32, SystemTime>,
    /// When the `table.json` of each version on disk was written.
    pub written_at: BTreeMap<u32, SystemTime>,
    pub routing: Arc<Routing>,
    policy_stamp: Option<Stamp>,
    pub policy_problems: Problems,
    /// The version that answers, or is read, where none is named.
    pub default: Option<u32>,
    /// Versions that are loaded although no policy names them yet: those of the next one.
    pub wanted: BTreeSet<u32>,
}

/// A version that can't be served.
#[derive(Debug, Clone)]
pub struct Failure {
    pub problems: Problems,
    folder: PathBuf,
    stamp: Stamp,
    /// A table's version that no feature set could read: another feature set's version may.
    is_unread: bool,
}

impl Board {
    /// The state, for a short time: of files only policies are read while it is held, and nothing is loaded.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the folder of a version that failed has changed since.
    pub fn failed_changed(&self) -> bool {
        let failures: Vec<Failure> =
            self.lock().entries.values().flat_map(|entry| entry.failed.values().cloned()).collect();
        failures.iter().any(Failure::changed)
    }

    /// Calls off the loads of table versions that a newer one, now on disk, replaces.
    pub fn cancel_overtaken(&self, scan: &Scan) {
        let state = self.lock();
        for ((target, version), load) in state.loads.iter().filter(|(_, load)| load.as_newest) {
            let newest =
                scan.of_kind(target.kind).get(&target.name).and_then(|of| of.versions.keys().next_back());
            if newest > Some(version) {
                tracing::info!(name = target.name, version, "a newer version overtakes the load of this one");
                load.cancel.cancel();
            }
        }
    }

    /// Calls off every load.
    pub fn cancel_loads(&self) {
        self.lock().loads.values().for_each(|load| load.cancel.cancel());
    }
}

impl State {
    /// One feature set or table.
    pub fn entry(&self, target: &Target) -> Option<&Entry> {
        self.entries.get(target)
    }

    pub fn entry_mut(&mut self, target: &Target) -> Option<&mut Entry> {
        self.entries.get_mut(target)
    }

    /// The feature sets or the tables, by name.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&str, &Entry)> {
        let of_kind = self.entries.iter().filter(move |(target, _)| target.kind == kind);
        of_kind.map(|(target, entry)| (target.name.as_str(), entry))
    }

    /// Notes that a version is being prepared; `as_newest` if only as long as there is no newer one.
    pub fn begin_load(&mut self, target: &Target, version: u32, as_newest: bool) -> Cancel {
        let cancel = Cancel::new();
        self.loads.insert((target.clone(), version), Load { cancel: cancel.clone(), as_newest });
        cancel
    }

    /// Notes that it no longer is.
    pub fn end_load(&mut self, target: &Target, version: u32) {
        self.loads.remove(&(target.clone(), version));
    }

    /// Whether a version is being prepared.
    pub fn is_preparing(&self, target: &Target, version: u32) -> bool {
        self.loads.contains_key(&(target.clone(), version))
    }

    /// Takes in what lies on disk: entries come and go, changed policies are read, and failures are forgotten whose folder
    /// changed (of a table that nothing could read, also where there are new versions of feature sets), or all of them
    /// where they are to be tried again.
    pub fn see(&mut self, scan: &Scan, again: bool) -> Vec<Change> {
        let mut changes = Vec::new();
        let readers_changed = scan.feature_sets.iter().any(|(name, named)| {
            let entry = self.entry(&Target::new(Kind::FeatureSet, name));
            entry.is_none_or(|entry| !named.versions.keys().all(|version| entry.versions.contains(version)))
        });
        self.entries.retain(|target, _| scan.of_kind(target.kind).contains_key(&target.name));
        for kind in [Kind::FeatureSet, Kind::Table] {
            for (name, named) in scan.of_kind(kind) {
                let target = Target::new(kind, name);
                let entry = self.entries.entry(target.clone()).or_insert_with(|| Entry::new(named));
                entry.versions = named.versions.keys().copied().collect();
                if kind == Kind::Table {
                    entry.see_times(named);
                }
                entry.failed.retain(|version, failure| {
                    let may_fit = failure.is_unread && readers_changed;
                    named.versions.contains_key(version) && !again && !may_fit && !failure.changed()
                });
                changes.extend(entry.see_policy(&target, named));
            }
        }
        changes
    }
}

impl Entry {
    fn new(named: &Named) -> Self {
        Self {
            folder: named.folder.clone(),
            versions: BTreeSet::new(),
            failed: BTreeMap::new(),
            loaded_at: BTreeMap::new(),
            written_at: BTreeMap::new(),
            routing: Arc::default(),
            policy_stamp: None,
            policy_problems: Problems::none(),
            default: None,
            wanted: BTreeSet::new(),
        }
    }

    pub fn policy(&self) -> &Policy {
        &self.routing.policy
    }

    /// Puts a policy in force. What a shadow found is kept where the shadow stays the same.
    pub fn set_policy(&mut self, policy: Policy) {
        let findings = match (&policy.shadow, &self.routing.policy.shadow) {
            (Some(new), Some(old)) if new.version == old.version => self.routing.findings.clone(),
            (Some(_), _) => Some(Arc::new(Findings::default())),
            (None, _) => None,
        };
        self.routing = Arc::new(Routing { policy, findings });
    }

    /// Writes the policy in force; the error says why it can't be written.
    pub fn persist(&mut self) -> Result<(), String> {
        let written = policy::write(&self.folder, self.policy());
        self.policy_stamp = Stamp::of_file(&self.folder.join(policy::FILE));
        self.policy_problems = Problems::none();
        written.map_err(|error| {
            format!("{}: can't be written: {error}", self.folder.join(policy::FILE).display())
        })
    }

    /// Notes the version that now answers; the one before it is remembered for a rollback.
    pub fn set_default(&mut self, default: Option<u32>) {
        let before = std::mem::replace(&mut self.default, default);
        let Some(before) = before.filter(|_| default.is_some() && default != before) else { return };
        let mut policy = self.policy().clone();
        policy.previous.retain(|version| Some(*version) != default && *version != before);
        policy.previous.push(before);
        let surplus = policy.previous.len().saturating_sub(PREVIOUS);
        policy.previous.drain(..surplus);
        self.set_policy(policy);
    }

    /// Notes that a version can't be served.
    pub fn fail(&mut self, version: u32, folder: PathBuf, problems: Problems) {
        let stamp = Stamp::of_folder(&folder);
        self.failed.insert(version, Failure { problems, folder, stamp, is_unread: false });
    }

    /// Notes that nothing can read a table's version.
    pub fn fail_unread(&mut self, version: u32, problems: Problems) {
        self.fail(version, self.folder.join(version.to_string()), problems);
        if let Some(failure) = self.failed.get_mut(&version) {
            failure.is_unread = true;
        }
    }

    fn see_times(&mut self, named: &Named) {
        let Self { versions, written_at, .. } = self;
        written_at.retain(|version, _| versions.contains(version));
        for (version, folder) in &named.versions {
            let modified = || folder.path.join("table.json").metadata().and_then(|of| of.modified()).ok();
            if !written_at.contains_key(version) {
                written_at.extend(modified().map(|at| (*version, at)));
            }
        }
    }

    /// Reads the policy where it changed; one that is wrong leaves that before it in force.
    fn see_policy(&mut self, target: &Target, named: &Named) -> Option<Change> {
        if self.policy_stamp == named.policy {
            return None;
        }
        self.policy_stamp = named.policy;
        let read = policy::read(&self.folder).and_then(|policy| {
            let policy = policy.unwrap_or_default();
            let checked = match target.kind {
                Kind::FeatureSet => policy.checked(),
                Kind::Table => policy.checked_for_table(),
            };
            checked.map_err(|found| found.in_file(policy::FILE))
        });
        let place = format!("{}/{}", target.kind.folder(), target.name);
        let what = match read {
            Ok(mut policy) => {
                if policy.previous.is_empty() {
                    policy.previous.clone_from(&self.policy().previous);
                }
                self.policy_problems = Problems::none();
                if policy == *self.policy() {
                    return None;
                }
                self.set_policy(policy);
                Changed::PolicyChanged
            }
            Err(found) => {
                self.policy_problems = found.in_folder(&place);
                Changed::PolicyFailed(self.policy_problems.clone())
            }
        };
        Some(Change { target: target.clone(), version: None, what })
    }
}

impl Failure {
    fn changed(&self) -> bool {
        Stamp::of_folder(&self.folder) != self.stamp
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_newer_version_calls_off_the_load_of_the_one_before_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let add = |path: &str| fs::create_dir_all(folder.path().join(path)).expect("makes");
        add("feature_sets/ads/1");
        add("tables/users/1");
        let board = Board::default();
        let users = Target::new(Kind::Table, "users");
        let cancel = board.lock().begin_load(&users, 1, true);
        board.cancel_overtaken(&Scan::of(folder.path()));
        assert!(!cancel.is_cancelled());
        add("tables/users/2");
        board.cancel_overtaken(&Scan::of(folder.path()));
        assert!(cancel.is_cancelled());
        let by_name = board.lock().begin_load(&users, 1, false);
        board.cancel_overtaken(&Scan::of(folder.path()));
        assert!(!by_name.is_cancelled(), "a spec names it");
    }

    #[test]
    fn the_versions_before_are_remembered_the_latest_last() {
        let mut entry = Entry::new(&Named::default());
        for version in [1, 2, 3, 2, 4] {
            entry.set_default(Some(version));
        }
        assert_eq!(entry.policy().previous, [1, 3, 2]);
        entry.set_default(None);
        assert_eq!(entry.policy().previous, [1, 3, 2], "nothing answers in its place");
    }
}
