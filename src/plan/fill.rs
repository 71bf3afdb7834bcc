//! Filling rows of a tensor from where its values lie: shared bytes, records, tables' vectors and computed columns.

use std::ops::Range;

use super::{
    evaluate::Evaluator,
    graph::NodeId,
    layout::{Feature, Output},
    segments::{Fetched, Segment, Segments},
    statuses::vector_mark,
    write::{Destination, OneHot, expand_slot, write_default},
    written::Records,
};
use crate::{
    batch::{Column, Values},
    spec::OutputType,
    table::{RowNumber, Table},
};

/// Rows filled at a time, one stretch after the other: they stay in the first cache meanwhile.
pub const TILE: usize = 32;

/// What a range of rows is filled from.
pub struct Block<'a> {
    pub evaluator: &'a Evaluator<'a>,
    /// The nodes' values for these rows.
    pub columns: &'a [Column],
    pub range: Range<usize>,
}

impl<'a> Block<'a> {
    /// The row numbers of a lookup, one for each row of the block.
    pub fn numbers(&self, lookup: usize) -> &'a [RowNumber] {
        self.evaluator.rows.part(lookup, self.range.clone())
    }

    /// A lookup's table.
    pub fn table(&self, lookup: usize) -> &'a Table {
        self.evaluator.tables.of(self.evaluator.graph, lookup)
    }

    /// The records of a lookup's table.
    pub fn records(&self, lookup: usize) -> Option<Records<'a>> {
        self.evaluator.prepared.and_then(|prepared| prepared.records(lookup))
    }

    /// A node's values.
    pub fn column(&self, node: NodeId) -> &'a Column {
        self.evaluator.column(node, self.columns)
    }

    /// Writes the request-scope features of `segments` into their places in one row.
    pub fn fill_shared(&self, segments: &Segments, output: &Output, to: Destination<'_>) {
        Stretches::new(self, &segments.shared, output, &[]).fill(0..1, to);
    }

    /// Writes all rows of the block; `shared` is a row that holds the bytes that are the same in every row.
    pub fn fill_rows(&self, segments: &Segments, output: &Output, shared: &[u8], to: Destination<'_>) {
        let stretches = Stretches::new(self, &segments.rows, output, shared);
        let Destination { bytes, stride, dtype } = to;
        for (number, bytes) in bytes.chunks_mut(TILE * stride.max(1)).enumerate() {
            let start = number * TILE;
            let rows = start..self.range.len().min(start + TILE);
            self.prefetch(&segments.fetched, rows.end..self.range.len().min(rows.end + TILE));
            stretches.fill(rows, Destination { bytes, stride, dtype });
        }
    }

    /// Asks the processor to fetch what filling `rows`, counted from the block's first, will read.
    pub fn prefetch(&self, fetched: &[Fetched], rows: Range<usize>) {
        for fetched in fetched {
            match *fetched {
                Fetched::Record { lookup } => {
                    let Some(records) = self.records(lookup) else { continue };
                    let numbers = &self.numbers(lookup)[rows.clone()];
                    numbers.iter().for_each(|&number| records.prefetch(number));
                }
                Fetched::Vector { lookup, column } => {
                    let (table, numbers) = (self.table(lookup), &self.numbers(lookup)[rows.clone()]);
                    numbers.iter().for_each(|&number| table.prefetch(column, number));
                }
            }
        }
    }
}

/// Segments with the values that a block's rows have for them.
pub struct Stretches<'a> {
    stretches: Vec<Stretch<'a>>,
    /// The features that are null in some row: their defaults overwrite the placeholders.
    defaults: Vec<(&'a Column, &'a Feature, usize)>,
}

/// Where bytes from `at` on come from.
struct Stretch<'a> {
    at: usize,
    bytes: usize,
    source: Source<'a>,
}

enum Source<'a> {
    /// The same bytes in every row.
    Shared(&'a [u8]),
    /// A part of a record, from this byte on.
    Record(Records<'a>, &'a [RowNumber], usize),
    /// A one-hot vector whose slot is at this byte of a record.
    Slot(Records<'a>, &'a [RowNumber], usize, &'a Feature),
    /// Rows of a table's vector column.
    Vectors { table: &'a Table, column: usize, numbers: &'a [RowNumber], feature: &'a Feature },
    /// Scalar floats, one for each column.
    Scalars(Vec<&'a [f64]>),
    /// One-hot vectors beside each other: zeros but for a few ones.
    OneHots(Vec<OneHot<'a>>),
    /// Other computed values.
    Values(&'a Values, usize),
}

impl<'a> Stretches<'a> {
    pub fn new(block: &Block<'a>, segments: &[Segment], output: &'a Output, shared: &'a [u8]) -> Self {
        let mut stretches = Self { stretches: Vec::new(), defaults: Vec::new() };
        for segment in segments {
            match *segment {
                Segment::Shared { at, bytes } => {
                    stretches.push(at, bytes, Source::Shared(&shared[at..at + bytes]));
                }
                Segment::Record { lookup, from, at, bytes } => {
                    let Some(records) = block.records(lookup) else { continue };
                    stretches.push(at, bytes, Source::Record(records, block.numbers(lookup), from));
                }
                Segment::Slot { lookup, from, at, bytes, feature } => {
                    let Some(records) = block.records(lookup) else { continue };
                    let feature = &output.features[feature];
                    stretches.push(at, bytes, Source::Slot(records, block.numbers(lookup), from, feature));
                }
                Segment::Vector { lookup, column, at, bytes, feature } => {
                    let (table, numbers) = (block.table(lookup), block.numbers(lookup));
                    let feature = &output.features[feature];
                    stretches.push(at, bytes, Source::Vectors { table, column, numbers, feature });
                }
                Segment::Node { node, at, bytes, feature } => {
                    stretches.push_values(block.column(node), &output.features[feature], at, bytes);
                }
            }
        }
        stretches
    }

    fn push(&mut self, at: usize, bytes: usize, source: Source<'a>) {
        self.stretches.push(Stretch { at, bytes, source });
    }

    /// Adds a node's values; scalars and one-hot vectors join those right before them.
    fn push_values(&mut self, column: &'a Column, feature: &'a Feature, at: usize, bytes: usize) {
        if !feature.default.is_empty() && column.marks.iter().any(|mark| mark.is_null()) {
            self.defaults.push((column, feature, at));
        }
        let last = self.stretches.last_mut().filter(|last| last.at + last.bytes == at);
        match (&column.values, last) {
            (Values::Float64(values), Some(Stretch { bytes: all, source: Source::Scalars(columns), .. }))
                if feature.width == 1 =>
            {
                columns.push(values);
                *all += bytes;
            }
            (Values::Float64(values), _) if feature.width == 1 => {
                self.push(at, bytes, Source::Scalars(vec![values]));
            }
            (Values::OneHot(slots), Some(Stretch { bytes: all, source: Source::OneHots(vectors), .. })) => {
                vectors.push(OneHot { slots, width: feature.width, at: *all });
                *all += bytes;
            }
            (Values::OneHot(slots), _) => {
                let one_hot = OneHot { slots, width: feature.width, at: 0 };
                self.push(at, bytes, Source::OneHots(vec![one_hot]));
            }
            (values, _) => self.push(at, bytes, Source::Values(values, feature.width)),
        }
    }

    /// Writes `rows`, counted from the block's first; `to` begins with them.
    pub fn fill(&self, rows: Range<usize>, mut to: Destination<'_>) {
        let dtype = to.dtype;
        for Stretch { at, bytes, source } in &self.stretches {
            let place = *at..*at + *bytes;
            match source {
                Source::Shared(shared) => to.parts(place).for_each(|part| part.copy_from_slice(shared)),
                Source::Record(records, numbers, from) => {
                    let rows = to.parts(place).zip(&numbers[rows.clone()]);
                    let record = *from..*from + *bytes;
                    match records.unwritten() {
                        Some(records) => rows.for_each(|(part, &number)| {
                            part.copy_from_slice(&records.row(number.place())[record.clone()]);
                        }),
                        None => rows.for_each(|(part, &number)| {
                            part.copy_from_slice(&records.row(number)[record.clone()]);
                        }),
                    }
                }
                Source::Slot(records, numbers, from, feature) => {
                    for (part, &number) in to.parts(place).zip(&numbers[rows.clone()]) {
                        let slot = &records.row(number)[*from..];
                        expand_slot([slot[0], slot[1], slot[2], slot[3]], &feature.default, dtype, part);
                    }
                }
                Source::Vectors { table, column, numbers, feature } => {
                    let rows = to.parts(place).zip(&numbers[rows.clone()]);
                    if table.delta().is_empty() {
                        write_vectors(table, *column, dtype, feature, rows);
                    } else {
                        for (part, &number) in rows {
                            let (table, number) = table.part(number);
                            write_vectors(table, *column, dtype, feature, std::iter::once((part, &number)));
                        }
                    }
                }
                Source::Scalars(columns) => to.write_scalars(columns, rows.clone(), place),
                Source::OneHots(vectors) => to.write_one_hots(vectors, rows.clone(), place),
                Source::Values(values, width) => to.write_values(values, *width, rows.clone(), *at),
            }
        }
        for (column, feature, at) in &self.defaults {
            to.write_defaults(&column.marks[rows.clone()], &feature.default, *at);
        }
    }
}

/// Writes the vectors of rows of a table that has no written rows, and defaults where there is none.
fn write_vectors<'a>(
    table: &Table,
    column: usize,
    dtype: OutputType,
    feature: &Feature,
    rows: impl Iterator<Item = (&'a mut [u8], &'a RowNumber)>,
) {
    let Some(vectors) = table.vectors(column) else { return };
    for (part, &number) in rows {
        if !vector_mark(table, column, number).is_null() {
            vectors.write(number.index(), dtype == OutputType::Float32, part);
        } else {
            write_default(&feature.default, dtype, part);
        }
    }
}
