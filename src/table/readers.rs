//! Reads columns from Parquet and Arrow IPC files, batch by batch. Nothing else of the crate's server side knows these
//! formats.

mod accept;
mod convert;
mod list;
mod source;

use std::{fs, path::Path};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

pub use accept::Target;
pub use list::read_list;

use self::source::{Format, Source};
use crate::batch::Column;

/// Elements in one batch: enough to make a batch's fixed costs small, few enough to keep the memory for them small.
const BATCH_ELEMENTS: usize = 1 << 18;

/// The most rows in one batch.
const BATCH_ROWS: usize = 1 << 13;

/// A file that can be read, with what its head or foot says.
#[derive(Debug)]
pub struct DataFile {
    source: Source,
    schema: SchemaRef,
    rows: u64,
    bytes: u64,
}

/// Rows of a file, one column for each target.
#[derive(Debug)]
pub struct Batch {
    pub columns: Vec<Column>,
    /// The number of rows.
    pub rows: usize,
    pub refused: Vec<Refused>,
}

/// A row that can't be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    /// The position of its target.
    pub target: usize,
    /// Its number in the batch.
    pub row: usize,
    pub why: String,
}

/// Whether the file's name is that of a file of rows.
pub fn is_data_file(file: &Path) -> bool {
    Format::of(file).is_some()
}

impl DataFile {
    /// Opens a file and counts its rows, or tells why it can't be read.
    pub fn open(file: &Path) -> Result<Self, String> {
        let format = Format::of(file).ok_or("must be named *.parquet or *.arrow")?;
        let bytes = fs::metadata(file).map_err(|error| format!("can't be read: {error}"))?.len();
        let source = Source { file: file.to_owned(), format };
        let (schema, rows) = source.head()?;
        Ok(Self { source, schema, rows, bytes })
    }

    /// The number of rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The file's size in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the file has the target's column, and in a type that is read without loss.
    pub fn check(&self, target: &Target) -> Result<(), String> {
        let mut named = self.schema.fields().iter().filter(|field| *field.name() == target.name);
        match (named.next(), named.next()) {
            (None, _) => Err("is not in the file".to_owned()),
            (_, Some(_)) => Err("is in the file twice".to_owned()),
            (Some(field), None) => accept::check(field.data_type(), target),
        }
    }

    /// Reads the columns of `targets`, each of which was checked, and gives them to `each` batch by batch.
    pub fn read(&self, targets: &[Target], each: &mut dyn FnMut(Batch)) -> Result<(), String> {
        let mut fields = Vec::with_capacity(targets.len());
        for target in targets {
            fields.push(self.schema.index_of(&target.name).map_err(|error| error.to_string())?);
        }
        fields.sort_unstable();
        let lanes: usize = targets.iter().map(|target| target.of.lanes()).sum();
        let rows = (BATCH_ELEMENTS / lanes.max(1)).clamp(1, BATCH_ROWS);
        self.source.batches(&fields, rows, &mut |batch| {
            for first in (0..batch.num_rows()).step_by(rows) {
                let part = batch.slice(first, rows.min(batch.num_rows() - first));
                each(convert_batch(&part, targets)?);
            }
            Ok(())
        })
    }
}

fn convert_batch(batch: &RecordBatch, targets: &[Target]) -> Result<Batch, String> {
    let mut refused = Vec::new();
    let mut columns = Vec::with_capacity(targets.len());
    for (position, target) in targets.iter().enumerate() {
        let array =
            batch.column_by_name(&target.name).ok_or("a batch lacks a column of the file's schema")?;
        let mut refuse = |row, why| refused.push(Refused { target: position, row, why });
        let column = convert::column(&**array, target, &mut refuse)
            .map_err(|why| format!("column {}: {why}", target.name))?;
        columns.push(column);
    }
    Ok(Batch { columns, rows: batch.num_rows(), refused })
}
