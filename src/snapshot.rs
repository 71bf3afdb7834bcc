//! All that one request sees: every feature set's versions with their plans, load-time results and tables.
//!
//! A snapshot is made whole, off the request path, and never changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::SystemTime,
};

use crate::{
    policy::Policy,
    problem::{Problems, listed, quoted},
    table::Table,
};

mod feature_set;
pub mod golden;
mod load;
mod routing;

pub use feature_set::{Binder, FeatureSet, Meter};
pub use load::{
    Options, Outcome, Unproven, UnreadTable, build_folder, folders, load, load_per_row, load_table_folder,
    load_unproven, read_folder,
};
pub use routing::Routing;

/// The versions of one feature set, by number.
pub type Versions = BTreeMap<u32, Arc<FeatureSet>>;

/// Everything that is served at one time.
#[derive(Debug)]
pub struct Snapshot {
    feature_sets: BTreeMap<String, Versions>,
    routing: BTreeMap<String, Arc<Routing>>,
    failed: Failed,
    most_inputs: usize,
    most_outputs: usize,
    loaded_at: SystemTime,
}

/// The versions that could not be loaded, and why.
#[derive(Debug, Clone, Default, PartialEq)]
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
        for feature_set in feature_sets {
            let feature_set: Arc<FeatureSet> = feature_set.into();
            let versions = by_name.entry(feature_set.name().to_owned()).or_default();
            versions.insert(feature_set.version(), feature_set);
        }
        Self::of_versions(by_name, BTreeMap::new())
    }

    /// Puts versions together under policies; of a feature set without one the highest version answers.
    pub fn of_versions(
        feature_sets: BTreeMap<String, Versions>,
        routing: BTreeMap<String, Arc<Routing>>,
    ) -> Self {
        let all = || feature_sets.values().flat_map(BTreeMap::values);
        let most_inputs = all().map(|of| of.spec().inputs.len()).max().unwrap_or_default();
        let most_outputs = all().map(|of| of.spec().outputs.len()).max().unwrap_or_default();
        let (failed, loaded_at) = (Failed::default(), SystemTime::now());
        Self { feature_sets, routing, failed, most_inputs, most_outputs, loaded_at }
    }

    /// The same with versions that could not be loaded.
    pub fn with_failed(self, failed: Failed) -> Self {
        Self { failed, ..self }
    }

    /// The same with other written rows of one table: `after` stands in the place of `before`, which differs in these alone.
    pub fn with_table(&self, before: &Arc<Table>, after: &Arc<Table>) -> Self {
        let with = |feature_set: &Arc<FeatureSet>| match feature_set
            .tables()
            .iter()
            .position(|table| Arc::ptr_eq(table, before))
        {
            Some(position) => Arc::new(feature_set.with_written(position, after.clone())),
            None => feature_set.clone(),
        };
        let versions = |(name, versions): (&String, &Versions)| {
            let versions = versions.iter().map(|(version, feature_set)| (*version, with(feature_set)));
            (name.clone(), versions.collect())
        };
        Self {
            feature_sets: self.feature_sets.iter().map(versions).collect(),
            routing: self.routing.clone(),
            failed: self.failed.clone(),
            ..*self
        }
    }

    /// The feature sets by name, with their versions by number.
    pub fn feature_sets(&self) -> impl Iterator<Item = (&str, &Versions)> {
        self.feature_sets.iter().map(|(name, versions)| (name.as_str(), versions))
    }

    /// The names of all feature sets, those included of which no version could be loaded.
    pub fn names(&self) -> BTreeSet<&str> {
        self.feature_sets.keys().chain(self.failed.0.keys()).map(String::as_str).collect()
    }

    /// The versions of a feature set; none where it has none in memory.
    pub fn all_versions(&self, name: &str) -> Option<&Versions> {
        self.feature_sets.get(name)
    }

    /// The served versions of a feature set, in order.
    pub fn versions(&self, name: &str) -> impl Iterator<Item = u32> {
        self.feature_sets.get(name).into_iter().flat_map(|versions| versions.keys().copied())
    }

    /// The versions of a feature set that could not be loaded, and why.
    pub fn failed(&self, name: &str) -> impl Iterator<Item = (u32, &Problems)> {
        self.failed.of(name)
    }

    /// All versions that could not be loaded.
    pub fn all_failed(&self) -> &Failed {
        &self.failed
    }

    /// A version of a feature set, for version 0 the one that its policy says; the error says what is available.
    pub fn find(&self, name: &str, version: u32) -> Result<&Arc<FeatureSet>, String> {
        let found = match version {
            0 => self.default_version(name).and_then(|default| self.exact(name, default)),
            _ => self.exact(name, version),
        };
        found.ok_or_else(|| self.not_found(name, version))
    }

    /// The version of this number, if it is in memory.
    pub fn exact(&self, name: &str, version: u32) -> Option<&Arc<FeatureSet>> {
        self.feature_sets.get(name)?.get(&version)
    }

    /// The version of a table of this number, if it is in memory.
    pub fn table(&self, name: &str, version: u32) -> Option<&Arc<Table>> {
        let all = self.feature_sets.values().flat_map(BTreeMap::values);
        let mut tables = all.flat_map(|feature_set| feature_set.tables());
        tables.find(|table| table.schema().name == name && table.schema().version == version)
    }

    fn not_found(&self, name: &str, version: u32) -> String {
        let named = self.policy(name).map(Policy::named).unwrap_or_default();
        // The version that the policy names is what the request was after.
        let version = if version == 0 { named.first().copied().unwrap_or(0) } else { version };
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
