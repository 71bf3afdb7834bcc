//! Rows of a tensor as their elements that are not zero. What is compact in memory (one-hot slots, sparse vectors) is
//! never written out; everything else is filled into short rows without it first.

use std::ops::Range;

use super::{
    fill::{Block, Stretches, TILE},
    graph::{Form, Graph},
    layout::{Feature, Output},
    segments::{Fetched, Segment},
    write::{Destination, NULL_SLOT, Number, with_number},
    written::Records,
};
use crate::{
    batch::{Column, Values},
    spec::OutputType,
    table::RowNumber,
};

/// Bytes of short rows that are filled at a time.
const TILE_BYTES: usize = 1 << 20;

/// A tensor's elements that are not zero, row after row. Zeros of either sign are left out.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct SparseRows {
    /// The elements, little-endian.
    pub data: Vec<u8>,
    /// The column of each, increasing within a row.
    pub columns: Vec<u32>,
    /// The number of elements up to the end of each row.
    pub ends: Vec<u64>,
}

/// How many bytes of elements and columns may still be added, over all sparse tensors of an answer.
#[derive(Debug)]
pub struct Room(pub usize);

/// There was no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

impl SparseRows {
    /// The bytes of an element's column.
    pub const COLUMN: usize = size_of::<u32>();

    /// The bytes of a row's offset.
    pub const OFFSET: usize = size_of::<u64>();

    /// The columns of a row with their elements, of a size.
    pub fn row(&self, row: usize, size: usize) -> impl Iterator<Item = (usize, &[u8])> {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        let end = self.ends[row] as usize;
        let elements = self.data[start * size..end * size].chunks_exact(size);
        self.columns[start..end].iter().map(|&column| column as usize).zip(elements)
    }

    fn push<N: Number>(&mut self, column: u32, number: N) {
        self.push_bytes::<N>(column, number.bytes());
    }

    fn push_bytes<N: Number>(&mut self, column: u32, bytes: N::Bytes) {
        if !N::is_zero(bytes) {
            self.columns.push(column);
            self.data.extend_from_slice(bytes.as_ref());
        }
    }

    /// Ends a row, where there is room for it.
    fn end(&mut self, size: usize, room: &mut Room) -> Result<(), Full> {
        let before = self.ends.last().map_or(0, |&end| end as usize);
        let bytes = (self.columns.len() - before) * (size + Self::COLUMN);
        room.0 = room.0.checked_sub(bytes).ok_or(Full)?;
        self.ends.push(self.columns.len() as u64);
        Ok(())
    }
}

/// A tensor's segments apart: those that are compact, and the others side by side in a row of their own.
#[derive(Debug)]
pub struct SparseSegments {
    /// From left to right.
    pieces: Vec<Piece>,
    /// The segments that are not compact, each at its place in the short row.
    plain: Vec<Segment>,
    /// Bytes of the short row.
    stride: usize,
}

/// Some columns of a tensor, from `column` on.
#[derive(Debug)]
struct Piece {
    column: u32,
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// Computed once for the request: this many columns.
    Shared(u32),
    /// These bytes of the short row.
    Plain(Range<usize>),
    /// One-hot slots or sparse vectors.
    Compact(Segment),
}

impl SparseSegments {
    /// Takes segments of a tensor of the element type given apart.
    pub fn of(segments: &[Segment], graph: &Graph, dtype: OutputType) -> Self {
        let mut apart = Self { pieces: Vec::new(), plain: Vec::new(), stride: 0 };
        for &segment in segments {
            let (at, bytes) = segment.place();
            let source = match segment {
                Segment::Shared { .. } => Source::Shared((bytes / dtype.size()) as u32),
                Segment::Slot { .. } => Source::Compact(segment),
                Segment::Node { node, .. } if graph.nodes[node].form.is_compact() => Source::Compact(segment),
                _ => {
                    apart.plain.push(segment.moved_to(apart.stride));
                    apart.stride += bytes;
                    Source::Plain(apart.stride - bytes..apart.stride)
                }
            };
            apart.pieces.push(Piece { column: (at / dtype.size()) as u32, source });
        }
        apart
    }

    /// Adds all rows of a block; `shared` is a row that holds what is the same in every row.
    pub fn fill(
        &self,
        block: &Block<'_>,
        fetched: &[Fetched],
        output: &Output,
        shared: &SparseRows,
        (dtype, to): (OutputType, &mut SparseRows),
        room: &mut Room,
    ) -> Result<(), Full> {
        let stretches = Stretches::new(block, &self.plain, output, &[]);
        let parts: Vec<Part<'_>> =
            self.pieces.iter().filter_map(|piece| piece.part(block, output, shared, dtype)).collect();
        let (count, stride) = (block.range.len(), self.stride);
        let tile = (TILE_BYTES / stride.max(1)).clamp(1, TILE);
        let mut bytes = vec![0; tile.min(count) * stride];
        for start in (0..count).step_by(tile) {
            let rows = start..count.min(start + tile);
            block.prefetch(fetched, rows.end..count.min(rows.end + tile));
            let filled = &mut bytes[..rows.len() * stride];
            stretches.fill(rows.clone(), Destination { bytes: &mut *filled, stride, dtype });
            for (number, row) in rows.enumerate() {
                let short = &filled[number * stride..(number + 1) * stride];
                with_number!(dtype, N => {
                    parts.iter().for_each(|part| part.push::<N>(row, short, to));
                });
                to.end(dtype.size(), room)?;
            }
        }
        Ok(())
    }
}

impl Form {
    /// Whether its vectors take less room than their lanes.
    pub fn is_compact(self) -> bool {
        matches!(self, Self::OneHot | Self::Sparse)
    }
}

/// A piece with the values that a block's rows have for it.
struct Part<'a> {
    column: u32,
    values: PartValues<'a>,
}

enum PartValues<'a> {
    /// Elements with their columns in the tensor.
    Shared { columns: &'a [u32], data: &'a [u8] },
    /// Bytes of the short row.
    Plain(Range<usize>),
    /// One-hot vectors whose slot is at this byte of a record.
    Slots { records: Records<'a>, numbers: &'a [RowNumber], from: usize, feature: &'a Feature },
    /// Computed one-hot or sparse vectors.
    Column(&'a Column, &'a Feature),
}

impl Piece {
    fn part<'a>(
        &self,
        block: &Block<'a>,
        output: &'a Output,
        shared: &'a SparseRows,
        dtype: OutputType,
    ) -> Option<Part<'a>> {
        let values = match self.source {
            Source::Shared(width) => {
                let end = self.column + width;
                let place = |column: u32| shared.columns.partition_point(|&other| other < column);
                let elements = place(self.column)..place(end);
                let bytes = elements.start * dtype.size()..elements.end * dtype.size();
                PartValues::Shared { columns: &shared.columns[elements], data: &shared.data[bytes] }
            }
            Source::Plain(ref bytes) => PartValues::Plain(bytes.clone()),
            Source::Compact(Segment::Slot { lookup, from, feature, .. }) => PartValues::Slots {
                records: block.records(lookup)?,
                numbers: block.numbers(lookup),
                from,
                feature: &output.features[feature],
            },
            Source::Compact(Segment::Node { node, feature, .. }) => {
                PartValues::Column(block.column(node), &output.features[feature])
            }
            Source::Compact(_) => return None,
        };
        Some(Part { column: self.column, values })
    }
}

impl Part<'_> {
    /// Adds the elements of one of the block's rows that are not zero.
    fn push<N: Number>(&self, row: usize, short: &[u8], to: &mut SparseRows) {
        match &self.values {
            PartValues::Shared { columns, data } => {
                to.columns.extend_from_slice(columns);
                to.data.extend_from_slice(data);
            }
            PartValues::Plain(bytes) => {
                for (element, column) in short[bytes.clone()].chunks_exact(size_of::<N>()).zip(self.column..)
                {
                    to.push_bytes::<N>(column, N::read(element));
                }
            }
            PartValues::Slots { records, numbers, from, feature } => {
                let slot = &records.row(numbers[row])[*from..];
                let slot = u32::from_le_bytes([slot[0], slot[1], slot[2], slot[3]]);
                self.push_slot::<N>(slot, slot == NULL_SLOT, feature, to);
            }
            PartValues::Column(column, feature) => {
                let null = column.marks[row].is_null();
                match &column.values {
                    Values::OneHot(slots) => self.push_slot::<N>(slots[row], null, feature, to),
                    Values::Sparse(_) if null => self.push_default::<N>(feature, to),
                    Values::Sparse(vectors) => {
                        let entries = vectors.entries(row);
                        entries.for_each(|(lane, value)| to.push(self.column + lane, N::rounded(value)));
                    }
                    _ => {}
                }
            }
        }
    }

    fn push_slot<N: Number>(&self, slot: u32, null: bool, feature: &Feature, to: &mut SparseRows) {
        if null {
            self.push_default::<N>(feature, to);
        } else if (slot as usize) < feature.width {
            to.push(self.column + slot, N::from_integer(1));
        }
    }

    /// A default of another number than 0 makes the whole vector dense.
    fn push_default<N: Number>(&self, feature: &Feature, to: &mut SparseRows) {
        for (&value, column) in feature.default.iter().zip(self.column..) {
            to.push(column, N::rounded(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_of_either_sign_are_left_out_and_nan_is_not() {
        let mut rows = SparseRows::default();
        for (column, value) in (0..).zip([0.0, -0.0, f64::NAN, 1e-300, 2.0]) {
            rows.push::<f32>(column, Number::rounded(value));
        }
        assert_eq!(rows.columns, [2, 4], "what rounds to 0 is 0");
        rows.push::<i64>(5, Number::from_integer(i64::MIN));
        assert_eq!(rows.columns.last(), Some(&5));
    }

    #[test]
    fn a_row_beyond_the_room_is_rejected() {
        let (mut rows, mut room) = (SparseRows::default(), Room(20));
        rows.push::<f32>(0, 1.0);
        assert_eq!(rows.end(4, &mut room), Ok(()));
        assert_eq!(room.0, 12);
        (1..3).for_each(|column| rows.push::<f32>(column, 1.0));
        assert_eq!(rows.end(4, &mut room), Err(Full));
    }
}
