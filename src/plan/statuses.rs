//! Where the statuses of a tensor's features come from, and reading those that are not present.

use super::{fill::Block, program::FeatureSource, program::Program};
use crate::{
    batch::{Mark, StatusCounts},
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
    pub fn count(&self, block: &Block<'_>, counts: &mut [StatusCounts]) {
        self.each_of_tables(block, &mut |_, feature: usize, mark| counts[feature].add(mark));
        for &(node, feature) in &self.nodes {
            counts[feature].add_all(&block.column(node).marks);
        }
    }

    /// Calls `note` with row (counted from the block's first), feature and mark of all that is not present.
    pub fn each(&self, block: &Block<'_>, mut note: impl FnMut(usize, usize, Mark)) {
        self.each_of_tables(block, &mut note);
        for &(node, feature) in &self.nodes {
            for (row, &mark) in block.column(node).marks.iter().enumerate() {
                if !mark.is_present() {
                    note(row, feature, mark);
                }
            }
        }
    }
}

impl Statuses {
    fn each_of_tables(&self, block: &Block<'_>, note: &mut impl FnMut(usize, usize, Mark)) {
        for of in &self.records {
            of.each(block, note);
        }
        for of in &self.vectors {
            of.each(block, note);
        }
    }
}

impl OfRecord {
    fn each(&self, block: &Block<'_>, note: &mut impl FnMut(usize, usize, Mark)) {
        let Some(records) = block.records(self.lookup) else { return };
        for (row, &number) in block.numbers(self.lookup).iter().enumerate() {
            let record = records.row(number);
            if record[self.flag] == 0 {
                continue;
            }
            for &(byte, feature) in &self.bytes {
                match Mark::from_code(record[byte]) {
                    Mark::PRESENT => {}
                    mark => note(row, feature, mark),
                }
            }
        }
    }
}

impl OfVector {
    fn each(&self, block: &Block<'_>, note: &mut impl FnMut(usize, usize, Mark)) {
        let table = block.table(self.lookup);
        for (row, &number) in block.numbers(self.lookup).iter().enumerate() {
            match vector_mark(table, self.column, number) {
                Mark::PRESENT => {}
                mark => note(row, self.feature, mark),
            }
        }
    }
}

/// The mark of a table's vector at a row number.
#[inline]
pub fn vector_mark(table: &Table, column: usize, row: RowNumber) -> Mark {
    let (table, row) = table.part(row);
    match row.none() {
        Some(mark) => mark,
        None => table.marks(column).map_or(Mark::PRESENT, |marks| marks[row.index()]),
    }
}
