//! All that one request sees: every feature set's versions with their plans, load-time results and tables.
//!
//! A snapshot is made whole, off the request path, and never changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::SystemTime,
};

use crate::{
    problem::{Problems, listed, quoted},
    table::Table,
};

mod feature_set;
pub mod golden;
mod load;

pub use feature_set::{Binder, FeatureSet, Meter};
pub use load::{Options, Outcome, Unproven, UnreadTable, load, load_per_row, load_unproven};

/// The versions of one feature set, by number.
pub type Versions = BTreeMap<u32, Arc<FeatureSet>>;

/// Everything that is served at one time.
#[derive(Debug)]
pub struct Snapshot {
    feature_sets: BTreeMap<String, Versions>,
    failed: Failed,
    most_inputs: usize,
    most_outputs: usize,
    loaded_at: SystemTime,
}

/// The versions that could not be loaded, and why.
#[derive(Debug, Default)]
pub struct Failed(BTreeMap<String, BTreeMap<u32, Problems>>);

impl Failed {
    /// Notes that a version can't be served.
    pub fn add(&mut self, feature_set: &str, version: u32, problems: Problems) {
        self.0.entry(feature_set.to_owned()).or_default().insert(version, problems);
    }

    fn of(&self, feature_set: &str) -> impl DoubleEndedIterator<Item = (u32, &Problems)> {
        self.0.get(feature_set).into_iter().flatten().map(|(version, problems)| (*version, problems))
    }
}

impl Snapshot {
    /// Puts feature sets together: new ones, or those of the snapshot before, which are shared with it.
    pub fn new<F: Into<Arc<FeatureSet>>>(feature_sets: impl IntoIterator<Item = F>) -> Self {
        let mut by_name: BTreeMap<String, Versions> = BTreeMap::new();
        let (mut most_inputs, mut most_outputs) = (0, 0);
        for feature_set in feature_sets {
            let feature_set: Arc<FeatureSet> = feature_set.into();
            most_inputs = most_inputs.max(feature_set.spec().inputs.len());
            most_outputs = most_outputs.max(feature_set.spec().outputs.len());
            let versions = by_name.entry(feature_set.name().to_owned()).or_default();
            versions.insert(feature_set.version(), feature_set);
        }
        let (failed, loaded_at) = (Failed::default(), SystemTime::now());
        Self { feature_sets: by_name, failed, most_inputs, most_outputs, loaded_at }
    }

    /// The same with versions that could not be loaded.
    pub fn with_failed(self, failed: Failed) -> Self {
        Self { failed, ..self }
    }

    /// The feature sets by name, with their versions by number.
    pub fn feature_sets(&self) -> impl Iterator<Item = (&str, &Versions)> {
        self.feature_sets.iter().map(|(name, versions)| (name.as_str(), versions))
    }

    /// The names of all feature sets, those included of which no version could be loaded.
    pub fn names(&self) -> BTreeSet<&str> {
        self.feature_sets.keys().chain(self.failed.0.keys()).map(String::as_str).collect()
    }

    /// The served versions of a feature set, in order.
    pub fn versions(&self, name: &str) -> impl Iterator<Item = u32> {
        self.feature_sets.get(name).into_iter().flat_map(|versions| versions.keys().copied())
    }

    /// The versions of a feature set that could not be loaded, and why.
    pub fn failed(&self, name: &str) -> impl Iterator<Item = (u32, &Problems)> {
        self.failed.of(name)
    }

    /// A version of a feature set, the highest that is served for version 0; the error says what is available.
    pub fn find(&self, name: &str, version: u32) -> Result<&Arc<FeatureSet>, String> {
        let versions = self.feature_sets.get(name);
        let found = versions.and_then(|versions| match version {
            0 => versions.values().next_back(),
            _ => versions.get(&version),
        });
        found.ok_or_else(|| self.not_found(name, version))
    }

    fn not_found(&self, name: &str, version: u32) -> String {
        let mut failed = self.failed.of(name);
        let failed = if version == 0 { failed.next_back() } else { failed.find(|(of, _)| *of == version) };
        if let Some((version, problems)) = failed {
            return format!(
                "version {version} of feature set {name:?} failed to load: {}",
                problems.summary()
            );
        }
        if self.failed.of(name).next().is_none() && !self.feature_sets.contains_key(name) {
            let known = listed(self.feature_sets.keys().map(String::as_str));
            return format!("there is no feature set {}; the feature sets are: {known}", quoted(name));
        }
        let known: Vec<String> = self.versions(name).map(|version| version.to_string()).collect();
        let known = listed(known.iter().map(String::as_str));
        format!("feature set {name:?} has no version {version}; it has: {known}")
    }

    /// Every table that a feature set reads, each once, by name and version.
    pub fn tables(&self) -> Vec<&Arc<Table>> {
        let all = self.feature_sets.values().flat_map(|versions| versions.values());
        let tables = all.flat_map(|feature_set| feature_set.tables());
        let by_name: BTreeMap<_, _> =
            tables.map(|table| ((&table.schema().name, table.schema().version), table)).collect();
        by_name.into_values().collect()
    }

    /// The most inputs that any feature set has.
    pub fn most_inputs(&self) -> usize {
        self.most_inputs
    }

    /// The most outputs that any feature set has.
    pub fn most_outputs(&self) -> usize {
        self.most_outputs
    }

    /// When it was made.
    pub fn loaded_at(&self) -> SystemTime {
        self.loaded_at
    }
}
