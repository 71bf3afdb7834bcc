//! All that one request sees: every feature set's versions with their plans, load-time results and tables.
//!
//! A snapshot is made whole, off the request path, and never changes.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::SystemTime,
};

use crate::{
    plan::{
        Plan, Tables,
        fetch::Inputs,
        prepare::Prepared,
        run::{Ran, Stopped, Target},
    },
    problem::{Problems, listed, quoted},
    spec::{Spec, places, read::Version},
    table::{Table, TableSchema},
};

pub mod golden;
mod load;

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

/// One version of a feature set, ready to serve.
#[derive(Debug)]
pub struct FeatureSet {
    spec: Arc<Spec>,
    fingerprint: String,
    /// The position of each input by its name.
    inputs: HashMap<String, usize>,
    plan: Plan,
    prepared: Prepared,
    tables: Vec<Arc<Table>>,
    golden_rows: Option<usize>,
}

impl Snapshot {
    /// Puts feature sets together.
    pub fn new(feature_sets: impl IntoIterator<Item = FeatureSet>) -> Self {
        let mut by_name: BTreeMap<String, Versions> = BTreeMap::new();
        let (mut most_inputs, mut most_outputs) = (0, 0);
        for feature_set in feature_sets {
            most_inputs = most_inputs.max(feature_set.spec().inputs.len());
            most_outputs = most_outputs.max(feature_set.spec().outputs.len());
            let versions = by_name.entry(feature_set.name().to_owned()).or_default();
            versions.insert(feature_set.version(), Arc::new(feature_set));
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

impl FeatureSet {
    /// Compiles a version, computes its load-time results (within `prepared_bytes`, where a limit is given) and holds
    /// it to its golden rows. `tables` are the newest versions by name. Problems' places are those of the version's
    /// folder.
    pub fn build(
        version: Version,
        tables: &BTreeMap<String, Arc<Table>>,
        prepared_bytes: Option<usize>,
    ) -> Result<Self, Problems> {
        let mut plan = checked_plan(&version, tables)?;
        let golden_rows = golden_rows(&version);
        let Version { fingerprint, .. } = version;
        let spec = plan.spec.clone();
        let tables: Vec<Arc<Table>> =
            plan.graph.tables.iter().filter_map(|name| tables.get(name)).cloned().collect();
        let prepared = plan.prepare(Tables(&tables), prepared_bytes);
        let names = spec.inputs.iter().map(|input| input.name.clone());
        let inputs = names.enumerate().map(|(position, name)| (name, position)).collect();
        Ok(Self { spec, fingerprint, inputs, plan, prepared, tables, golden_rows })
    }

    /// The same for rows that bring every input of their own. Golden rows are those of the version as it is written.
    pub fn build_per_row(
        version: Version,
        tables: &BTreeMap<String, Arc<Table>>,
        prepared_bytes: Option<usize>,
    ) -> Result<Self, Problems> {
        checked_plan(&version, tables)?;
        let golden_rows = golden_rows(&version);
        let flat = Version { spec: version.spec.per_row(), golden: None, ..version };
        Ok(Self { golden_rows, ..Self::build(flat, tables, prepared_bytes)? })
    }

    pub fn name(&self) -> &str {
        &self.spec.name
    }

    pub fn version(&self) -> u32 {
        self.spec.version
    }

    /// The spec's fingerprint.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The position of the input of this name.
    pub fn input(&self, name: &str) -> Option<usize> {
        self.inputs.get(name).copied()
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The tables that are looked up, sorted by name, each once.
    pub fn tables(&self) -> &[Arc<Table>] {
        &self.tables
    }

    /// The table of a lookup.
    pub fn table_of(&self, lookup: usize) -> &Table {
        Tables(&self.tables).of(&self.plan.graph, lookup)
    }

    /// How many golden rows were reproduced; none where the version brings none.
    pub fn golden_rows(&self) -> Option<usize> {
        self.golden_rows
    }

    /// Bytes of the load-time results.
    pub fn prepared_memory(&self) -> usize {
        self.prepared.memory()
    }

    /// Fills `targets` from inputs that are known to be good; sparse ones may take `room` bytes in all. `expired` is asked between blocks of rows.
    pub fn run(
        &self,
        inputs: &Inputs,
        targets: &mut [Target<'_>],
        room: usize,
        expired: &dyn Fn() -> bool,
    ) -> Result<Ran, Stopped> {
        self.plan.run(Tables(&self.tables), &self.prepared, inputs, targets, room, expired)
    }
}

/// Compiles a version and holds it to its golden rows.
fn checked_plan(version: &Version, tables: &BTreeMap<String, Arc<Table>>) -> Result<Plan, Problems> {
    let spec = Arc::new(version.spec.clone());
    let plan = Plan::compile(spec, &schemas_of(tables))
        .map_err(|found| places::named(&version.spec, found).in_file("spec.json"))?;
    if let Some(golden) = &version.golden {
        golden::check(&plan, golden, tables).map_err(|found| found.in_file("golden.json"))?;
    }
    Ok(plan)
}

fn schemas_of(tables: &BTreeMap<String, Arc<Table>>) -> BTreeMap<String, TableSchema> {
    tables.iter().map(|(name, table)| (name.clone(), table.schema().clone())).collect()
}

fn golden_rows(version: &Version) -> Option<usize> {
    version.golden.as_ref().map(|golden| golden.cases.iter().map(|case| case.rows).sum())
}
