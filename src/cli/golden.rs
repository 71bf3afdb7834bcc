//! `quiver golden`: writes the golden rows of a version from files of inputs and of the values expected of them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::Value;

use super::{
    Failure,
    chosen::Chosen,
    print,
    reading::Reading,
    transform::{
        Arrangement,
        columns::Columns,
        inputs::{self, InputFile},
    },
};
use crate::{
    batch::json::values_of,
    files::{Losses, Refusals},
    problem::Problems,
    snapshot::{
        self, FeatureSet,
        golden::{Observed, record},
    },
    table::Silent,
};

use expected::ExpectedFile;

mod expected;

/// Rows read at a time.
const BATCH_ROWS: usize = 4096;

#[derive(Debug, Args)]
#[command(
    after_help = "Both files have the same rows in the same order. Columns of the first have the inputs' names; of the \
    second the names that `quiver transform` gives: each column of a tensor, or each output as a list. The rows of tables \
    that are looked up come from the repository. Nothing is written if Quiver computes other values.\n\n\
    Example: quiver golden --repository DIR --feature-set ads_ctr --inputs rows.parquet --expected values.parquet"
)]
pub struct Arguments {
    #[command(flatten)]
    chosen: Chosen,
    /// Files with the inputs of each row: Parquet, Arrow IPC, CSV
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    inputs: Vec<PathBuf>,
    /// Files with the values that the fitting library gives for these rows
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    expected: Vec<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    /// How far a value may lie from the expected one, in units in the last place of the output's type
    #[arg(long, default_value_t = 0)]
    max_ulp: u32,
    /// Maximum number of golden rows; of more rows, evenly spaced ones are taken
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    rows: u32,
}

/// Reads both files, finds the rows of tables, holds the version to all of it, and writes `golden.json`.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Chosen { repository, feature_set, version } = &arguments.chosen;
    let version = snapshot::load_unproven(repository, feature_set, *version, &Silent).map_err(failed)?;
    let mut observed = observe(arguments, &version.flat)?;
    thin(&mut observed, arguments.rows as usize);
    let golden = record(&version.flat, version.spec(), &observed, arguments.max_ulp).map_err(failed)?;
    let text = serde_json::to_string(&golden).map_err(|error| Failure::of("golden.json", error))?;
    version.prove(golden).map_err(failed)?;
    let file = version.folder.join("golden.json");
    write(&file, &text).map_err(|error| Failure::of(&file.display().to_string(), error))?;
    print(&format!("{} golden rows in {}\n", observed.rows, file.display()))
}

fn failed(problems: Problems) -> Failure {
    Failure::Failed(problems.to_string())
}

/// Written aside and renamed, so that a server never reads half of it.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let aside = file.with_file_name(".golden.json");
    fs::write(&aside, text)?;
    fs::rename(aside, file)
}

fn observe(arguments: &Arguments, flat: &FeatureSet) -> Result<Observed, Failure> {
    let mut problems = Problems::none();
    let found = arguments.reading.find(&arguments.inputs, &mut problems);
    let files = inputs::open_all(&found, flat.spec(), false, &mut problems);
    let found = arguments.reading.find(&arguments.expected, &mut problems);
    let columns = Columns::of(flat.plan(), Arrangement::Each, false).map_err(failed)?;
    let expected = ExpectedFile::open_all(&found, &flat.plan().outputs, &columns, &mut problems);
    problems.or(()).map_err(failed)?;
    let (inputs, rows) = read_inputs(&files)?;
    let mut outputs: BTreeMap<String, Vec<Vec<f64>>> = BTreeMap::new();
    for file in &expected {
        file.read(&mut outputs)?;
    }
    let mut problems = Problems::none();
    for (output, values) in outputs.iter().filter(|(_, values)| values.len() != rows) {
        let found = values.len();
        let message = format!("output {output:?} has {found} rows, --inputs {rows}: both need the same rows");
        problems.add("--expected", message);
    }
    problems.or(Observed { rows, inputs, outputs }).map_err(failed)
}

fn read_inputs(files: &[InputFile]) -> Result<(BTreeMap<String, Vec<Value>>, usize), Failure> {
    let (mut inputs, mut rows) = (BTreeMap::<String, Vec<Value>>::new(), 0);
    let (mut refusals, mut losses) = (Refusals::default(), Losses::default());
    for file in files {
        let mut of_file = 0;
        for batch in file.batches(BATCH_ROWS).map_err(|why| Failure::of(file.name(), why))? {
            let batch = batch.map_err(|why| Failure::of(file.name(), why))?;
            file.sort_misfits(&batch, of_file, &mut refusals, &mut losses);
            of_file += batch.rows;
            for ((name, of), column) in file.columns().zip(&batch.columns) {
                let values = inputs.entry(name.to_owned()).or_insert_with(|| vec![Value::Null; rows]);
                values.extend(values_of(column, of.width));
            }
        }
        rows += of_file;
        // An optional input that this file lacks is null in its rows.
        inputs.values_mut().for_each(|values| values.resize(rows, Value::Null));
    }
    refusals.or((inputs, rows)).map_err(failed)
}

/// Takes evenly spaced rows.
fn thin(observed: &mut Observed, most: usize) {
    let step = observed.rows.div_ceil(most).max(1);
    observed.inputs.values_mut().for_each(|values| *values = values.iter().step_by(step).cloned().collect());
    observed.outputs.values_mut().for_each(|values| *values = values.iter().step_by(step).cloned().collect());
    observed.rows = observed.rows.div_ceil(step);
}
