//! Files of rows: columns from Parquet, Arrow IPC and CSV, and columns to Parquet and Arrow IPC, batch by batch.
//! Nothing else of the crate's server side knows these formats.

mod accept;
mod arrays;
mod checksum;
mod convert;
mod csv;
mod decimals;
mod fit;
mod format;
mod list;
mod misfits;
mod refusals;
mod regular;
mod row_file;
mod source;
mod stored;
mod times;
mod write;

use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, SchemaRef};

pub use accept::{Natural, Target};
pub use arrays::{NamedArray, ids, open as open_arrays};
pub use checksum::Checksum;
pub use csv::{Dialect, Separator};
pub use fit::{Misfit, truth_of};
pub use format::{Format, Found, find};
pub use list::read_list;
pub use misfits::{Losses, Misfits};
pub use refusals::Refusals;
pub use regular::read_text;
pub use row_file::{RowBatches, RowFile};
pub use source::Room;
pub use stored::Stored;
pub use write::{Cells, RowWriter, Writer, WrittenColumn, WrittenType};

use self::{
    arrays::Arrays,
    source::{Batches, Kind, Part, Source},
};
use crate::batch::Column;

/// Elements in one batch: enough to make a batch's fixed costs small, few enough to keep the memory for them small.
const BATCH_ELEMENTS: usize = 1 << 18;

/// The most rows in one batch.
const BATCH_ROWS: usize = 1 << 13;

/// Rows of a file, one column for each target.
#[derive(Debug)]
pub struct Batch {
    pub columns: Vec<Column>,
    /// The number of rows.
    pub rows: usize,
    /// What the batch took of the file's bytes. Where that is not known by batch, they are shared out by rows.
    pub bytes: u64,
    /// The values of each target that are not exact.
    pub misfits: Vec<Misfits>,
}

/// How many rows of these columns are well read at once.
pub fn rows_at_once(targets: &[Target]) -> usize {
    let lanes: usize = targets.iter().map(|target| target.of.lanes()).sum();
    (BATCH_ELEMENTS / lanes.max(1)).clamp(1, BATCH_ROWS)
}

/// A Parquet or Arrow IPC file, with what its head or foot says.
#[derive(Debug)]
pub struct DataFile {
    source: Source,
    schema: SchemaRef,
    rows: u64,
    bytes: u64,
}

impl DataFile {
    /// Opens a file of the format that its name states and counts its rows, or returns why it can't be read.
    pub fn open(file: &Path) -> Result<Self, String> {
        match Format::of(file) {
            Some(Format::Parquet) => Self::open_as(file, Kind::Parquet),
            Some(Format::Arrow) => Self::open_as(file, Kind::Ipc),
            Some(Format::Csv) | None => {
                Err("must be named *.parquet, *.pq, *.arrow, *.feather or *.ipc".to_owned())
            }
        }
    }

    fn open_as(file: &Path, kind: Kind) -> Result<Self, String> {
        let bytes = regular::open(file).and_then(|opened| opened.metadata());
        let bytes = bytes.map_err(|error| format!("can't be read: {error}"))?.len();
        Self::of(Source::open(file, kind)?, bytes)
    }

    fn of(source: Source, bytes: u64) -> Result<Self, String> {
        let (schema, rows) = source.head()?;
        Ok(Self { source, schema, rows, bytes })
    }

    /// Arrays of as many rows, as a file of columns.
    fn of_arrays(arrays: Vec<NamedArray>) -> Result<Self, String> {
        let bytes = arrays.iter().map(NamedArray::bytes).sum();
        Self::of(Source::Arrays(Arrays(arrays)), bytes)
    }

    /// The number of rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    fn column_type(&self, column: &str) -> Option<&DataType> {
        self.schema.column_with_name(column).map(|(_, field)| field.data_type())
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

    /// The file's size in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The pieces of the file that are read by themselves, in order.
    pub fn pieces(&self) -> Vec<Piece> {
        let mut first_row = 0;
        let piece = |(part, rows)| {
            let piece = Piece { part, first_row, rows };
            first_row += rows;
            piece
        };
        self.source.parts(self.rows).into_iter().map(piece).collect()
    }

    /// What the head says of a target's values.
    pub fn room(&self, target: &Target) -> Room {
        self.schema.index_of(&target.name).map_or_else(|_| Room::default(), |field| self.source.room(field))
    }

    /// The most bytes that reading one batch takes for a short time, as far as the head says; 0 where it does not.
    pub fn largest_batch(&self) -> u64 {
        self.source.largest_batch()
    }

    /// The columns of `targets`, each of which was checked, in batches of at most `rows` rows.
    pub fn batches(&self, targets: Vec<Target>, rows: usize) -> Result<DataBatches, String> {
        self.piece_batches(&Piece { part: Part::Whole, first_row: 0, rows: self.rows }, targets, rows)
    }

    /// The rows of one piece, as [`Self::batches`] has them.
    pub fn piece_batches(
        &self,
        piece: &Piece,
        targets: Vec<Target>,
        rows: usize,
    ) -> Result<DataBatches, String> {
        let mut fields = Vec::with_capacity(targets.len());
        for target in &targets {
            fields.push(self.schema.index_of(&target.name).map_err(|error| error.to_string())?);
        }
        fields.sort_unstable();
        let batches = self.source.batches(&piece.part, &fields, rows)?;
        let shares = Shares { bytes: self.bytes, rows: self.rows, rows_before: piece.first_row };
        Ok(DataBatches { batches, targets, rows, rest: None, shares })
    }
}

/// Some rows of a file that are read by themselves: a row group, for example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    part: Part,
    /// The number of the first row in the file.
    pub first_row: u64,
    pub rows: u64,
}

/// The batches of a Parquet or Arrow IPC file; an error is the last.
#[derive(Debug)]
pub struct DataBatches {
    batches: Batches,
    targets: Vec<Target>,
    /// The most rows of a batch.
    rows: usize,
    /// What is left of a batch of the file.
    rest: Option<RecordBatch>,
    shares: Shares,
}

impl Iterator for DataBatches {
    type Item = Result<Batch, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let whole = match self.rest.take() {
            Some(rest) => rest,
            None => match self.batches.next()? {
                Ok(batch) => batch,
                Err(why) => return Some(Err(why)),
            },
        };
        let rows = self.rows.min(whole.num_rows());
        if rows < whole.num_rows() {
            self.rest = Some(whole.slice(rows, whole.num_rows() - rows));
        }
        Some(convert_batch(&whole.slice(0, rows), &self.targets, self.shares.next(rows)))
    }
}

/// A file's bytes, shared out by rows.
#[derive(Debug)]
struct Shares {
    bytes: u64,
    rows: u64,
    rows_before: u64,
}

impl Shares {
    fn next(&mut self, rows: usize) -> u64 {
        let until =
            |rows: u64| (u128::from(self.bytes) * u128::from(rows) / u128::from(self.rows.max(1))) as u64;
        let after = self.rows_before + rows as u64;
        let bytes = until(after) - until(self.rows_before);
        self.rows_before = after;
        bytes
    }
}

fn convert_batch(batch: &RecordBatch, targets: &[Target], bytes: u64) -> Result<Batch, String> {
    let mut misfits = vec![Misfits::default(); targets.len()];
    let mut columns = Vec::with_capacity(targets.len());
    for (target, misfits) in targets.iter().zip(&mut misfits) {
        let array =
            batch.column_by_name(&target.name).ok_or("a batch lacks a column of the file's schema")?;
        let column = convert::column(&**array, target, &mut |row, misfit| misfits.add(row, misfit))
            .map_err(|why| format!("column {}: {why}", target.name))?;
        columns.push(column);
    }
    Ok(Batch { columns, rows: batch.num_rows(), bytes, misfits })
}
