//! Filling rows of a tensor from where its values lie: shared bytes, records, tables' vectors and computed columns.

use std::ops::Range;

use super::{
    evaluate::Evaluator,
    layout::Output,
    segments::Segment,
    statuses::vector_status,
    write::{expand_slot, write_default, write_feature, write_one_hot},
};
use crate::{
    batch::{Column, Status, Values},
    spec::OutputType,
    table::{RowMatrix, Table},
};

/// What a range of rows is filled from.
pub struct Block<'a> {
    pub evaluator: &'a Evaluator<'a>,
    /// The nodes' values for these rows.
    pub columns: &'a [Column],
    pub range: Range<usize>,
}

/// Rows of a tensor's bytes.
pub struct Destination<'a> {
    pub bytes: &'a mut [u8],
    /// Bytes of one row.
    pub stride: usize,
    pub dtype: OutputType,
}

impl<'a> Block<'a> {
    /// The row numbers of a lookup, one for each row of the block.
    pub fn numbers(&self, lookup: usize) -> &'a [u32] {
        self.evaluator.rows.part(lookup, self.range.clone())
    }

    /// A lookup's table.
    pub fn table(&self, lookup: usize) -> &'a Table {
        self.evaluator.tables.of(self.evaluator.graph, lookup)
    }

    /// The records of a lookup's table.
    pub fn records(&self, lookup: usize) -> Option<&'a RowMatrix> {
        self.evaluator.prepared.and_then(|prepared| prepared.records(lookup))
    }

    /// Writes `segments` for all rows of the block; `shared` holds the bytes that are the same in every row.
    pub fn fill(&self, segments: &[Segment], output: &Output, shared: &[u8], to: &mut Destination<'_>) {
        // One-hot features beside each other are zeros but for a few ones: the zeros are written at once.
        let mut zeros_end = 0;
        for (position, segment) in segments.iter().enumerate() {
            match *segment {
                Segment::Shared { at, bytes } => {
                    let shared = &shared[at..at + bytes];
                    to.rows(at, bytes).for_each(|row| row.copy_from_slice(shared));
                }
                Segment::Record { lookup, from, at, bytes } => {
                    self.each_record(lookup, to.rows(at, bytes), |record, row| {
                        row.copy_from_slice(&record[from..from + bytes]);
                    });
                }
                Segment::Slot { lookup, from, at, bytes, feature } => {
                    let (dtype, default) = (to.dtype, &output.features[feature].default);
                    self.each_record(lookup, to.rows(at, bytes), |record, row| {
                        let slot = [record[from], record[from + 1], record[from + 2], record[from + 3]];
                        expand_slot(slot, default, dtype, row);
                    });
                }
                Segment::Vector { lookup, column, at, bytes, feature } => {
                    self.copy_vectors(lookup, column, &output.features[feature].default, to, at, bytes);
                }
                Segment::Node { node, at, feature, .. } => {
                    let (column, feature) = (&self.columns[node], &output.features[feature]);
                    let Values::OneHot(slots) = &column.values else {
                        write_feature(column, feature, to.dtype, to.bytes, to.stride, at);
                        continue;
                    };
                    if at >= zeros_end {
                        zeros_end = self.one_hot_end(&segments[position..], at);
                        to.rows(at, zeros_end - at).for_each(|row| row.fill(0));
                    }
                    write_one_hot(slots, column, feature, to.dtype, to.bytes, to.stride, at);
                }
            }
        }
    }

    /// Where the one-hot features end that stand beside each other at the start of `segments`.
    fn one_hot_end(&self, segments: &[Segment], start: usize) -> usize {
        let mut end = start;
        for segment in segments {
            match *segment {
                Segment::Node { node, at, bytes, .. }
                    if at == end && matches!(self.columns[node].values, Values::OneHot(_)) =>
                {
                    end += bytes;
                }
                _ => break,
            }
        }
        end
    }

    fn each_record<'b>(
        &self,
        lookup: usize,
        rows: impl Iterator<Item = &'b mut [u8]>,
        mut copy: impl FnMut(&[u8], &mut [u8]),
    ) {
        let Some(records) = self.records(lookup) else { return };
        for (row, &number) in rows.zip(self.numbers(lookup)) {
            copy(records.row(number as usize), row);
        }
    }

    fn copy_vectors(
        &self,
        lookup: usize,
        column: usize,
        default: &[f64],
        to: &mut Destination<'_>,
        at: usize,
        bytes: usize,
    ) {
        let table = self.table(lookup);
        let Some(vectors) = table.vectors(column) else { return };
        let dtype = to.dtype;
        for (row, &number) in to.rows(at, bytes).zip(self.numbers(lookup)) {
            if vector_status(table, column, number) == Status::Present {
                row.copy_from_slice(vectors.row(number as usize));
            } else {
                write_default(default, dtype, row);
            }
        }
    }

    /// Asks the processor to fetch what `segments` will read for these rows.
    pub fn prefetch(&self, segments: &[Segment]) {
        let mut last_record = None;
        for segment in segments {
            match *segment {
                Segment::Record { lookup, .. } | Segment::Slot { lookup, .. }
                    if last_record != Some(lookup) =>
                {
                    last_record = Some(lookup);
                    let Some(records) = self.records(lookup) else { continue };
                    self.numbers(lookup).iter().for_each(|&number| records.prefetch(number as usize));
                }
                Segment::Vector { lookup, column, .. } => {
                    let table = self.table(lookup);
                    self.numbers(lookup).iter().for_each(|&number| table.prefetch(column, number));
                }
                _ => {}
            }
        }
    }
}

impl Destination<'_> {
    /// `bytes` bytes from `at` on of each row.
    fn rows(&mut self, at: usize, bytes: usize) -> impl Iterator<Item = &mut [u8]> {
        self.bytes.chunks_exact_mut(self.stride.max(1)).map(move |row| &mut row[at..at + bytes])
    }
}
