//! Where the statuses of a tensor's features come from, and reading those that are not present.

use super::{fill::Block, program::FeatureSource, program::Program};
use crate::{
    batch::{Status, count_statuses},
    table::{RowNumber, Table},
};

/// The sources of the statuses of some of a tensor's features. Features are numbered by their place in the tensor.
#[derive(Debug, Default, Clone)]
pub struct Statuses {
    records: Vec<OfRecord>,
    vectors: Vec<OfVector>,
    /// Nodes with their features.
    nodes: Vec<(usize, usize)>,
}

/// Status bytes of one lookup's records.
#[derive(Debug, Clone)]
struct OfRecord {
    lookup: usize,
    /// The byte that is 0 where all statuses are.
    flag: usize,
    /// Bytes in the record with their features.
    bytes: Vec<(usize, usize)>,
}

/// The statuses of a table's vectors.
#[derive(Debug, Clone)]
struct OfVector {
    lookup: usize,
    column: usize,
    feature: usize,
}

impl Statuses {
    /// Adds the source of the feature with the number `feature`.
    pub fn add(&mut self, program: &Program, source: FeatureSource, feature: usize) {
        match source {
            FeatureSource::Node(node) => self.nodes.push((node, feature)),
            FeatureSource::Vector { lookup, column } => {
                self.vectors.push(OfVector { lookup, column, feature })
            }
            FeatureSource::Record { lookup, place } => {
                let record = &program.records[lookup];
                let byte = (record.statuses + place, feature);
                match self.records.iter_mut().find(|of| of.lookup == lookup) {
                    Some(of) => of.bytes.push(byte),
                    None => self.records.push(OfRecord { lookup, flag: record.bytes - 1, bytes: vec![byte] }),
                }
            }
        }
    }

    /// Adds how often each feature's status was not present, for each feature by the status's number.
    pub fn count(&self, block: &Block<'_>, counts: &mut [[u32; Status::COUNT]]) {
        self.each_of_tables(block, &mut |_, feature: usize, status| counts[feature][status as usize] += 1);
        for &(node, feature) in &self.nodes {
            count_statuses(&block.column(node).marks, &mut counts[feature]);
        }
    }

    /// Calls `note` with row (counted from the block's first), feature and status of all that is not present.
    pub fn each(&self, block: &Block<'_>, mut note: impl FnMut(usize, usize, Status)) {
        self.each_of_tables(block, &mut note);
        for &(node, feature) in &self.nodes {
            for (row, mark) in block.column(node).marks.iter().enumerate() {
                if !mark.is_present() {
                    note(row, feature, mark.status());
                }
            }
        }
    }
}

impl Statuses {
    fn each_of_tables(&self, block: &Block<'_>, note: &mut impl FnMut(usize, usize, Status)) {
        for of in &self.records {
            of.each(block, note);
        }
        for of in &self.vectors {
            of.each(block, note);
        }
    }
}

impl OfRecord {
    fn each(&self, block: &Block<'_>, note: &mut impl FnMut(usize, usize, Status)) {
        let Some(records) = block.records(self.lookup) else { return };
        for (row, &number) in block.numbers(self.lookup).iter().enumerate() {
            let record = records.row(number);
            if record[self.flag] == 0 {
                continue;
            }
            for &(byte, feature) in &self.bytes {
                match Status::from_number(record[byte]) {
                    Status::Present => {}
                    status => note(row, feature, status),
                }
            }
        }
    }
}

impl OfVector {
    fn each(&self, block: &Block<'_>, note: &mut impl FnMut(usize, usize, Status)) {
        let table = block.table(self.lookup);
        for (row, &number) in block.numbers(self.lookup).iter().enumerate() {
            match vector_status(table, self.column, number) {
                Status::Present => {}
                status => note(row, self.feature, status),
            }
        }
    }
}

/// The status of a table's value at a row number.
#[inline]
pub fn vector_status(table: &Table, column: usize, row: RowNumber) -> Status {
    let (table, row) = table.part(row);
    if row.is_found() {
        table.marks(column).map_or(Status::Present, |marks| marks[row.index()].status())
    } else if row == RowNumber::NOT_FOUND {
        Status::KeyNotFound
    } else {
        Status::Null
    }
}
