//! Parquet and Arrow IPC as a head (schema and number of rows), and pieces that are read by themselves.

mod ipc;
mod row_groups;

use std::{
    fs::File,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};

use self::{ipc::Ipc, row_groups::RowGroups};
use super::{arrays::Arrays, regular};

/// Where record batches come from.
#[derive(Debug)]
pub enum Source {
    Parquet(RowGroups),
    Ipc(Ipc),
    Arrays(Arrays),
}

/// Which of the two file formats it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Parquet,
    /// Arrow IPC, file or stream.
    Ipc,
}

/// A part of a source that is read by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Whole,
    /// One row group of a Parquet file.
    RowGroup(usize),
    /// Some record batches of an Arrow IPC file.
    Batches(Range<usize>),
}

/// What a head says of a column's values, before any is read. Zeros where it says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    /// The most elements of all lists.
    pub elements: u64,
    /// About the bytes of all texts.
    pub text_bytes: u64,
}

/// The batches of a file in order; an error is the last.
pub struct Batches {
    reader: Option<Box<dyn Reader>>,
}

trait Reader: Iterator<Item = Result<RecordBatch, ArrowError>> + Send {}

impl<T: Iterator<Item = Result<RecordBatch, ArrowError>> + Send> Reader for T {}

impl Source {
    /// Opens a file and reads its head.
    pub fn open(path: &Path, kind: Kind) -> Result<Self, String> {
        Ok(match kind {
            Kind::Parquet => Self::Parquet(RowGroups::open(path)?),
            Kind::Ipc => Self::Ipc(Ipc::open(path)?),
        })
    }

    /// The schema and the number of rows.
    pub fn head(&self) -> Result<(SchemaRef, u64), String> {
        match self {
            Self::Parquet(groups) => Ok((groups.schema(), groups.rows().sum())),
            Self::Ipc(ipc) => Ok((ipc.schema(), ipc.rows().sum())),
            Self::Arrays(arrays) => arrays.head(),
        }
    }

    /// The parts that together have all `rows` rows, in order, each with the number of its rows.
    pub fn parts(&self, rows: u64) -> Vec<(Part, u64)> {
        match self {
            Self::Parquet(groups) => {
                groups.rows().enumerate().map(|(group, rows)| (Part::RowGroup(group), rows)).collect()
            }
            Self::Ipc(ipc) => ipc.parts(),
            Self::Arrays(_) => vec![(Part::Whole, rows)],
        }
    }

    /// The root columns `fields` of a part batch by batch, of at most `rows` rows where the format allows it.
    pub fn batches(&self, part: &Part, fields: &[usize], rows: usize) -> Result<Batches, String> {
        match self {
            Self::Parquet(groups) => groups.batches(part, fields, rows),
            Self::Ipc(ipc) => ipc.batches(part, fields.to_vec()),
            Self::Arrays(arrays) => Ok(Batches::of(arrays.batches(fields, rows))),
        }
    }

    /// What the head says of a root column.
    pub fn room(&self, field: usize) -> Room {
        match self {
            Self::Parquet(groups) => groups.room(field),
            Self::Ipc(ipc) => ipc.room(field),
            Self::Arrays(_) => Room::default(),
        }
    }

    /// The most bytes that reading one batch takes for a short time, as far as the head says; 0 where it does not.
    pub fn largest_batch(&self) -> u64 {
        match self {
            Self::Ipc(ipc) => ipc.largest_batch(),
            Self::Parquet(_) | Self::Arrays(_) => 0,
        }
    }
}

fn open(path: &Path) -> Result<File, String> {
    regular::open(path).map_err(text)
}

impl Batches {
    fn of(reader: impl Reader + 'static) -> Self {
        Self { reader: Some(Box::new(reader)) }
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let reader = self.reader.as_mut()?;
        let next = guarded(|| reader.next().transpose().map_err(text)).transpose();
        if !matches!(next, Some(Ok(_))) {
            self.reader = None;
        }
        next
    }
}

impl std::fmt::Debug for Batches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batches").finish_non_exhaustive()
    }
}

/// Runs a reader's step. The format libraries panic on some damaged files; here that is an error like any other, and
/// the reader is not used again.
fn guarded<T>(step: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let result =
        catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|_| Err("the reader gave up".to_owned()));
    result.map_err(|why| format!("can't be read, truncated or damaged: {why}"))
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
