//! Keyed rows in memory: an index from keys to row numbers, and columns of scalars, lists and vectors by row number.
//!
//! A table never changes once it is made. A [`RowNumber`] is a row of it, or states why there is none.

mod build;
mod cells;
mod column;
mod column_builder;
mod column_type;
mod delta;
mod event_time;
mod form;
pub mod import;
mod index;
mod key_texts;
mod keys;
mod load;
mod memory;
mod row_ages;
mod row_matrix;
mod row_number;
mod schema;
mod statistics;
mod text;
mod vector_lists;
mod vectors;
mod widen;

#[cfg(test)]
mod tests;

pub use build::TableBuilder;
pub use column_type::ColumnType;
pub use delta::{
    Delta, Level,
    absorb::Absorbed,
    fold::{Change, Write, Written},
    merge::Merge,
};
pub use event_time::{EventTime, span, unit as event_time_unit};
pub use form::Form;
pub use load::{Loader, head, is_of_rows, lower_priority};
pub use row_ages::RowAges;
pub use row_matrix::RowMatrix;
pub use row_number::RowNumber;
pub use schema::{ColumnSchema, FORMAT, KeyColumn, Listing, TableSchema, check_plain_name, json_schema};
pub use statistics::{Spread, Statistics};
pub use vectors::Vectors;

pub use crate::files::Stored;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::{
    batch::{Column, Mark, Status, Values},
    budget::Reserved,
    problem::Problems,
};
use column::{ColumnStore, Content};
use index::Index;
use keys::KeyStore;

/// One version of a table, with the rows written since it was made. Clones share everything.
#[derive(Debug, Clone)]
pub struct Table {
    schema: Arc<TableSchema>,
    keys: Arc<KeyStore>,
    index: Arc<Index>,
    columns: Arc<[ColumnStore]>,
    rows: u32,
    delta: Delta,
    /// The memory, where it is part of a budget.
    reserved: Option<Arc<Reserved>>,
    id: u64,
}

/// Receives what was loaded, batch by batch.
pub trait Progress: Sync {
    /// Notes that loading `what` begins, which has `rows` rows in `bytes` bytes of files.
    fn begin(&self, _what: &str, _rows: u64, _bytes: u64) {}

    /// Notes that `rows` more rows, which took `bytes` bytes of files, are in memory.
    fn add(&self, rows: u64, bytes: u64);
}

/// Reports nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn add(&self, _rows: u64, _bytes: u64) {}
}

impl Table {
    /// Makes a table of columns in memory, types as the schema says and all of one length. Floats are rounded to their
    /// stored width.
    pub fn from_columns(
        schema: TableSchema,
        keys: Vec<Column>,
        columns: Vec<Column>,
    ) -> Result<Self, Problems> {
        let rows = keys.first().map_or(0, Column::rows) as u64;
        let mut builder = TableBuilder::new(schema, rows)?;
        builder.append(&keys, &columns);
        builder.finish()
    }

    /// Name, version, keys and columns.
    pub fn schema(&self) -> &TableSchema {
        &self.schema
    }

    /// A number that no other table of this process has, another loading of the same version included.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The number of rows.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// How many places there are for what is kept by [`RowNumber::place`].
    pub fn places(&self) -> usize {
        self.rows as usize + RowNumber::PLACES_BEFORE
    }

    /// Bytes of memory that index, keys and columns take.
    pub fn memory(&self) -> usize {
        let columns = self.columns.iter().map(ColumnStore::memory);
        self.index.memory() + self.keys.memory() + columns.sum::<usize>()
    }

    /// Bytes of the keys and values alone at their stored widths; strings and lists count 4 bytes for their length.
    pub fn raw_bytes(&self) -> usize {
        self.keys.raw_bytes() + self.columns.iter().map(ColumnStore::raw_bytes).sum::<usize>()
    }

    /// Appends to `rows` the row number of each key. `keys` are the key's columns, with the types of the schema's and
    /// one length, or a single value that goes with each of the others'; of list columns the elements are looked up. A null key
    /// gives [`RowNumber::NULL`], or [`RowNumber::NOT_FOUND`] where its status says that another lookup did not find it and
    /// [`RowNumber::STALE`] where it says that the other lookup's row was too old.
    pub fn find(&self, keys: &[&Column], rows: &mut Vec<RowNumber>) {
        let lengths = || keys.iter().map(|column| column.marks.len());
        let Some(count) = lengths().find(|&length| length != 1).or(lengths().next()) else { return };
        let start = rows.len();
        self.find_values(keys, count, rows);
        if !self.delta.is_empty() {
            self.delta.overrule(keys, count, &mut rows[start..]);
        }
        if keys.iter().any(|column| column.marks.iter().any(|mark| mark.is_null())) {
            for (position, row) in rows[start..].iter_mut().enumerate() {
                overrule_null(build::join_marks(keys, position), row);
            }
        }
    }

    /// The key columns of some rows; each number is that of a row.
    pub fn keys(&self, rows: &[RowNumber]) -> Vec<Column> {
        self.keys.gather(&self.schema.key, rows)
    }

    /// Makes `out` the values of column `column` at `rows`. Numbers that are no row's give nulls with the status that
    /// distinguishes them.
    pub fn gather(&self, column: usize, rows: &[RowNumber], out: &mut Column) {
        if self.delta.is_empty() || rows.iter().all(|row| row.level().is_none()) {
            self.columns[column].gather(rows, out);
        } else {
            self.gather_written(column, rows, out);
        }
    }

    /// The table that a row lies in, this one or a level of written rows, and its number there.
    #[inline]
    pub fn part(&self, row: RowNumber) -> (&Self, RowNumber) {
        match row.level() {
            None => (self, row),
            Some((level, row)) => (self.delta.level(level).rows(), RowNumber::row(row)),
        }
    }

    /// The rows written since the table's version was made.
    pub fn delta(&self) -> &Delta {
        &self.delta
    }

    /// Asks the processor to fetch the value of column `column` at `row`; any row number is allowed.
    pub fn prefetch(&self, column: usize, row: RowNumber) {
        self.columns[column].prefetch(row);
    }

    /// The vectors of a vector column.
    pub fn vectors(&self, column: usize) -> Option<&Vectors> {
        match &self.columns[column].content {
            Content::Vectors(vectors) => Some(vectors),
            _ => None,
        }
    }

    /// One mark for each row of a column, or `None` where no row is null. Of a list column these are the lists' marks.
    pub fn marks(&self, column: usize) -> Option<&[Mark]> {
        self.columns[column].marks.get()
    }

    fn find_values(&self, keys: &[&Column], count: usize, rows: &mut Vec<RowNumber>) {
        if let [column] = keys {
            match &column.values {
                Values::Int64(values) if self.keys.is_one_integer() => {
                    return self.index.find(&self.keys.one_integer(values), count, rows);
                }
                Values::Uint64(values) if self.keys.is_one_integer() => {
                    return self.index.find(&self.keys.one_integer(values), count, rows);
                }
                Values::String(values) if let Some(keys) = self.keys.one_text(values) => {
                    return self.index.find(&keys, count, rows);
                }
                _ => {}
            }
        }
        self.index.find(&self.keys.any(keys), count, rows);
    }
}

/// The next table's number.
fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn overrule_null(mark: Mark, row: &mut RowNumber) {
    if mark.is_null() {
        *row = match mark.status() {
            Status::KeyNotFound => RowNumber::NOT_FOUND,
            Status::Stale => RowNumber::STALE,
            _ => RowNumber::NULL,
        };
    }
}
