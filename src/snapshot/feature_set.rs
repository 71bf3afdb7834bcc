//! One version of a feature set: its plan bound to tables and held to its golden rows.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, OnceLock},
};

use super::golden;
use crate::{
    budget::Budget,
    plan::{
        Plan, Tables,
        bound::Bound,
        fetch::Inputs,
        job::{Fetched, Wanted},
        program::Program,
        run::{Ran, Stopped, Target},
        shelf::Shelf,
    },
    problem::Problems,
    spec::{OutputType, Spec, golden::Golden, places, read::Version},
    table::{Table, TableSchema},
};

/// One version of a feature set, ready to serve.
#[derive(Debug)]
pub struct FeatureSet {
    fingerprint: String,
    /// The position of each input by its name.
    inputs: HashMap<String, usize>,
    bound: Bound,
    /// Held to whenever the program changes.
    golden: Option<Arc<Golden>>,
    golden_rows: Option<usize>,
    meter: OnceLock<Arc<dyn Meter>>,
}

/// How versions are bound to tables.
#[derive(Debug, Clone, Default)]
pub struct Binder {
    /// The most bytes of load-time results for one version; none for no limit.
    pub prepared_bytes: Option<usize>,
    /// The load-time results in use: versions share those that are equal.
    pub shelf: Arc<Shelf>,
}

impl Binder {
    /// Keeps at most this many bytes of load-time results for one version.
    pub fn within(prepared_bytes: Option<usize>) -> Self {
        Self { prepared_bytes, shelf: Arc::default() }
    }

    /// The same, with the results' memory as part of a budget.
    pub fn within_budget(prepared_bytes: Option<usize>, budget: Budget) -> Self {
        Self { prepared_bytes, shelf: Arc::new(Shelf::within(budget)) }
    }

    /// Binds a plan to its tables, where a program that is not `proven` yet reproduces the golden rows.
    fn bind(
        &self,
        plan: Arc<Plan>,
        tables: Vec<Arc<Table>>,
        golden: Option<&Golden>,
        proven: Option<&Arc<Program>>,
    ) -> Result<Bound, Problems> {
        let program = plan.program(Tables(&tables), self.prepared_bytes);
        let program = match proven.filter(|proven| proven.prepared == program.prepared) {
            Some(proven) => proven.clone(),
            None => {
                let program = Arc::new(program);
                if let Some(golden) = golden {
                    golden::check(&plan, &program, golden, &tables)
                        .map_err(|found| found.in_file("golden.json"))?;
                }
                program
            }
        };
        Ok(Bound::bind(plan, program, tables, &self.shelf)?)
    }
}

/// Counts what a version serves.
pub trait Meter: fmt::Debug + Send + Sync {
    /// Notes an answer of `rows` rows and, in all tensors, `values` elements.
    fn count(&self, rows: usize, values: usize, ran: &Ran);
}

impl FeatureSet {
    /// Compiles a version, binds it to tables and holds it to its golden rows. `tables` are the newest versions by name.
    /// Problems' places are those of the version's folder.
    pub fn build(
        version: Version,
        tables: &BTreeMap<String, Arc<Table>>,
        binder: &Binder,
    ) -> Result<Self, Problems> {
        let plan = compile(&version.spec, tables)?;
        let golden = version.golden.map(Arc::new);
        Self::bind(Arc::new(plan), version.fingerprint, golden, tables, binder, None)
    }

    /// The same for rows that bring every input of their own. Golden rows are those of the version as it is written.
    pub fn build_per_row(
        version: Version,
        tables: &BTreeMap<String, Arc<Table>>,
        binder: &Binder,
    ) -> Result<Self, Problems> {
        let golden_rows = golden_rows(version.golden.as_ref());
        prove(&version, tables, binder)?;
        let flat = Version { spec: version.spec.per_row(), golden: None, ..version };
        Ok(Self { golden_rows, ..Self::build(flat, tables, binder)? })
    }

    /// The same version with other tables, of which those that it looks up are taken. What does not depend on the new ones
    /// is shared.
    pub fn rebind(&self, tables: &BTreeMap<String, Arc<Table>>, binder: &Binder) -> Result<Self, Problems> {
        let names = &self.plan().graph.tables;
        let own: Vec<&TableSchema> =
            names.iter().filter_map(|name| tables.get(name)).map(|table| table.schema()).collect();
        let fits = self.plan().fits(own.into_iter());
        let plan = if fits { self.plan().clone() } else { Arc::new(compile(self.spec(), tables)?) };
        let proven = fits.then(|| self.bound.program());
        Self::bind(plan, self.fingerprint.clone(), self.golden.clone(), tables, binder, proven)
    }

    fn bind(
        plan: Arc<Plan>,
        fingerprint: String,
        golden: Option<Arc<Golden>>,
        tables: &BTreeMap<String, Arc<Table>>,
        binder: &Binder,
        proven: Option<&Arc<Program>>,
    ) -> Result<Self, Problems> {
        let names = plan.spec.inputs.iter().map(|input| input.name.clone());
        let inputs = names.enumerate().map(|(position, name)| (name, position)).collect();
        let tables = tables_of(&plan, tables);
        let bound = binder.bind(plan, tables, golden.as_deref(), proven)?;
        let golden_rows = golden_rows(golden.as_deref());
        Ok(Self { fingerprint, inputs, bound, golden, golden_rows, meter: OnceLock::new() })
    }

    /// Whether `other` is the same version over the same tables, but for the rows written to these.
    pub fn differs_in_rows_alone(&self, other: &Self) -> bool {
        let (own, others) = (self.tables(), other.tables());
        Arc::ptr_eq(self.plan(), other.plan())
            && Arc::ptr_eq(self.bound.program(), other.bound.program())
            && own.len() == others.len()
            && own.iter().zip(others).all(|(own, other)| own.id() == other.id())
    }

    /// The same with other written rows of a table, the one at position `position` of [`Self::tables`].
    pub fn with_written(&self, position: usize, table: Arc<Table>) -> Self {
        Self {
            fingerprint: self.fingerprint.clone(),
            inputs: self.inputs.clone(),
            bound: self.bound.with_written(position, table),
            golden: self.golden.clone(),
            golden_rows: self.golden_rows,
            meter: self.meter.clone(),
        }
    }

    pub fn name(&self) -> &str {
        &self.spec().name
    }

    pub fn version(&self) -> u32 {
        self.spec().version
    }

    /// The spec's fingerprint.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    pub fn spec(&self) -> &Spec {
        &self.plan().spec
    }

    /// The position of the input of this name.
    pub fn input(&self, name: &str) -> Option<usize> {
        self.inputs.get(name).copied()
    }

    pub fn plan(&self) -> &Arc<Plan> {
        self.bound.plan()
    }

    /// The plan with its tables.
    pub fn bound(&self) -> &Bound {
        &self.bound
    }

    /// The tables that are looked up, sorted by name, each once.
    pub fn tables(&self) -> &[Arc<Table>] {
        self.bound.tables()
    }

    /// The table of a lookup.
    pub fn table_of(&self, lookup: usize) -> &Table {
        self.bound.table_of(lookup)
    }

    /// How many golden rows were reproduced; none where the version brings none.
    pub fn golden_rows(&self) -> Option<usize> {
        self.golden_rows
    }

    /// Bytes of the load-time results, those that other versions share included.
    pub fn prepared_memory(&self) -> usize {
        self.bound.prepared().memory()
    }

    /// Counts with this from now on, unless it counts already.
    pub fn count_with(&self, meter: impl FnOnce() -> Arc<dyn Meter>) {
        self.meter.get_or_init(meter);
    }

    /// Notes an answer of `rows` rows and, in all tensors, `values` elements.
    pub fn count(&self, rows: usize, values: usize, ran: &Ran) {
        if let Some(meter) = self.meter.get() {
            meter.count(rows, values, ran);
        }
    }

    /// Finds the rows that the outputs, each in the type beside it, need. `expired` is asked now and then.
    pub fn fetch(
        &self,
        inputs: &Inputs,
        outputs: impl Iterator<Item = (usize, OutputType)>,
        expired: &dyn Fn() -> bool,
    ) -> Result<Fetched, Stopped> {
        self.bound.fetch(inputs, Wanted::of(self.plan(), outputs), expired)
    }

    /// Fills `targets` from inputs that are known to be good and the rows that were fetched for them; sparse ones may take
    /// `room` bytes in all. `expired` is asked between blocks of rows.
    pub fn run(
        &self,
        inputs: &Inputs,
        fetched: Fetched,
        targets: &mut [Target<'_>],
        room: usize,
        expired: &dyn Fn() -> bool,
    ) -> Result<Ran, Stopped> {
        self.bound.run(inputs, fetched, targets, room, expired)
    }
}

/// Compiles a version and holds the program that would serve it to its golden rows.
pub fn prove(
    version: &Version,
    tables: &BTreeMap<String, Arc<Table>>,
    binder: &Binder,
) -> Result<(), Problems> {
    let plan = Arc::new(compile(&version.spec, tables)?);
    let Some(golden) = &version.golden else { return Ok(()) };
    let tables = tables_of(&plan, tables);
    let program = Arc::new(plan.program(Tables(&tables), binder.prepared_bytes));
    golden::check(&plan, &program, golden, &tables).map_err(|found| found.in_file("golden.json"))
}

fn compile(spec: &Spec, tables: &BTreeMap<String, Arc<Table>>) -> Result<Plan, Problems> {
    Plan::compile(Arc::new(spec.clone()), &schemas_of(tables))
        .map_err(|found| places::named(spec, found).in_file("spec.json"))
}

/// The tables of a plan in its order.
fn tables_of(plan: &Plan, tables: &BTreeMap<String, Arc<Table>>) -> Vec<Arc<Table>> {
    plan.graph.tables.iter().filter_map(|name| tables.get(name)).cloned().collect()
}

pub fn schemas_of(tables: &BTreeMap<String, Arc<Table>>) -> BTreeMap<String, TableSchema> {
    tables.iter().map(|(name, table)| (name.clone(), table.schema().clone())).collect()
}

fn golden_rows(golden: Option<&Golden>) -> Option<usize> {
    golden.map(|golden| golden.cases.iter().map(|case| case.rows).sum())
}
