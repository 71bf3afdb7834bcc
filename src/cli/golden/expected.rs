//! Files of expected values, as `quiver transform` names their columns.

use std::collections::BTreeMap;

use super::{BATCH_ROWS, failed};
use crate::{
    batch::{Column, Element, Type},
    cli::{Failure, transform::columns::Columns},
    files::{Batch, Found, Refusals, RowFile, Stored, Target},
    plan::layout::Output,
    problem::Problems,
};

/// The rows of each output.
pub type Outputs = BTreeMap<String, Vec<Vec<f64>>>;

/// A file with the columns of some outputs.
#[derive(Debug)]
pub struct ExpectedFile {
    name: String,
    file: RowFile,
    targets: Vec<Target>,
    /// For each output that the file has its name and how many of the targets are its columns.
    outputs: Vec<(String, usize)>,
}

impl ExpectedFile {
    /// Opens all files and checks their columns; reports every problem.
    pub fn open_all(
        found: &[Found],
        outputs: &[Output],
        columns: &Columns,
        problems: &mut Problems,
    ) -> Vec<Self> {
        let mut files = Vec::new();
        for found in found {
            let name = found.path.display().to_string();
            match RowFile::open(found) {
                Ok(file) => files.push(Self::check(name, file, outputs, columns, problems)),
                Err(why) => problems.add(name, why),
            }
        }
        files
    }

    fn check(
        name: String,
        file: RowFile,
        outputs: &[Output],
        columns: &Columns,
        problems: &mut Problems,
    ) -> Self {
        let mut found = Self { name, file, targets: Vec::new(), outputs: Vec::new() };
        let before = problems.len();
        for (position, output) in outputs.iter().enumerate() {
            let targets = found.targets_of(output, &columns.names_of(position).collect::<Vec<_>>(), problems);
            for target in &targets {
                if let Err(why) = found.file.check(target) {
                    problems.add(format!("{}, column {}", found.name, target.name), why);
                }
            }
            if !targets.is_empty() {
                found.outputs.push((output.name.clone(), targets.len()));
                found.targets.extend(targets);
            }
        }
        if found.outputs.is_empty() && problems.len() == before {
            let named: Vec<String> = outputs.iter().map(|output| format!("{:?}", output.name)).collect();
            let message = format!(
                "has no column of an output; quiver transform names them; lists are {}",
                named.join(", ")
            );
            problems.add(&found.name, message);
        }
        found
    }

    /// The columns of an output: each lane, or the whole as a list; none where the file has neither.
    fn targets_of(&self, output: &Output, names: &[&str], problems: &mut Problems) -> Vec<Target> {
        let target = |name: &str, of: Type| Target::new(name, of, Stored::Float64);
        let missing: Vec<&&str> = names.iter().filter(|name| !self.file.has(name)).collect();
        if missing.is_empty() {
            return names.iter().map(|name| target(name, Type::scalar(Element::Float64))).collect();
        }
        if self.file.has(&output.name) {
            return vec![target(&output.name, Type::vector(output.width))];
        }
        if missing.len() < names.len() {
            let (place, count) = (format!("{}, column {}", self.name, missing[0]), missing.len());
            let message =
                format!("is missing, as {count} of {} columns of output {:?}", names.len(), output.name);
            problems.add(place, message);
        }
        Vec::new()
    }

    /// Adds the file's rows to those of the outputs.
    pub fn read(&self, outputs: &mut Outputs) -> Result<(), Failure> {
        let of_file = |why: String| Failure::of(&self.name, why);
        let (mut refusals, mut first) = (Refusals::default(), 0);
        for batch in self.file.batches(&self.targets, BATCH_ROWS).map_err(of_file)? {
            let batch = batch.map_err(of_file)?;
            for (target, misfits) in self.targets.iter().zip(&batch.misfits) {
                misfits.refuse("a file of doubles", &mut refusals, |row| {
                    format!("{}, row {}, column {}", self.name, first + row, target.name)
                });
            }
            first += batch.rows;
            self.add(&batch, outputs);
        }
        refusals.or(()).map_err(failed)
    }

    fn add(&self, batch: &Batch, outputs: &mut Outputs) {
        let mut columns = batch.columns.iter();
        for (output, count) in &self.outputs {
            let columns: Vec<&Column> = columns.by_ref().take(*count).collect();
            let row = |row: usize| columns.iter().flat_map(|column| lanes(column, row)).collect();
            outputs.entry(output.clone()).or_default().extend((0..batch.rows).map(row));
        }
    }
}

/// The values of one row; null is NaN.
fn lanes(column: &Column, row: usize) -> impl Iterator<Item = f64> {
    let lanes = column.float64().len() / column.marks.len().max(1);
    let is_null = column.marks[row].is_null();
    let values = &column.float64()[row * lanes..(row + 1) * lanes];
    values.iter().map(move |&value| if is_null { f64::NAN } else { value })
}
