//! Rows of a tensor as the elements of lists: of each row as many as its longest list has, each element with all
//! features side by side.

use std::ops::Range;

use super::{
    fill::Block,
    layout::{Feature, Output},
    segments::{Segment, Segments},
    sparse::{Full, Room},
    write::{Destination, write_default},
};
use crate::{
    batch::{Column, Mark, StatusCounts},
    spec::OutputType,
};

/// A tensor's elements, row after row.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct RaggedRows {
    /// The elements, little-endian.
    pub data: Vec<u8>,
    /// The number of elements up to the end of each row.
    pub ends: Vec<u64>,
}

impl RaggedRows {
    /// The bytes of a row's offset.
    pub const OFFSET: usize = size_of::<u64>();

    /// The elements of a row, of `stride` bytes each.
    pub fn row(&self, row: usize, stride: usize) -> &[u8] {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.data[start * stride..self.ends[row] as usize * stride]
    }

    /// How many elements there are.
    pub fn elements(&self) -> usize {
        self.ends.last().map_or(0, |&end| end as usize)
    }
}

/// Where the features of a tensor lie in an element, and the lists of those that are computed once for the request.
#[derive(Debug)]
pub struct RaggedSegments {
    features: Vec<Place>,
    /// Bytes of one element.
    stride: usize,
    dtype: OutputType,
}

#[derive(Debug)]
struct Place {
    /// The feature's place in the tensor, and its position in the output.
    number: usize,
    feature: usize,
    /// Its first byte in an element.
    at: usize,
    lists: Lists,
}

/// A feature's lists.
#[derive(Debug)]
enum Lists {
    /// The same in every row.
    Once(Column),
    Node(usize),
}

impl RaggedSegments {
    /// Takes the request-scope lists from `once`; adds to `counts` what is not present of them.
    pub fn of(segments: &Segments, once: &Block<'_>, dtype: OutputType, counts: &mut [StatusCounts]) -> Self {
        let number_of = |feature: usize| segments.features.iter().position(|&other| other == feature);
        let mut features = Vec::with_capacity(segments.features.len());
        for (segments, is_once) in [(&segments.shared, true), (&segments.rows, false)] {
            for segment in segments {
                let &Segment::Node { node, at, feature, .. } = segment else { continue };
                let Some(number) = number_of(feature) else { continue };
                let lists = if is_once { Lists::Once(once.column(node).clone()) } else { Lists::Node(node) };
                features.push(Place { number, feature, at, lists });
            }
        }
        for Place { number, lists, .. } in &features {
            if let Lists::Once(column) = lists {
                counts[*number].add_all(&[mark_of(column, 0)]);
            }
        }
        Self { features, stride: segments.stride, dtype }
    }

    /// Adds rows, all of a block or the single one of a request part, where there is room for them. Writes their statuses
    /// into `status` from its start on, unless it is empty, and counts those of row-scope features.
    pub fn fill(
        &self,
        block: &Block<'_>,
        output: &Output,
        to: &mut RaggedRows,
        (status, counts): (&mut [u8], &mut [StatusCounts]),
        room: &mut Room,
    ) -> Result<(), Full> {
        let lists: Vec<(&Place, &Column)> =
            self.features.iter().map(|place| (place, place.column(block))).collect();
        let before = to.elements();
        let mut end = before;
        for row in 0..block.range.len() {
            end += lists.iter().map(|(place, column)| place.length(column, row)).max().unwrap_or(0);
            to.ends.push(end as u64);
        }
        let bytes = (end - before).checked_mul(self.stride).ok_or(Full)?;
        room.0 = room.0.checked_sub(bytes).ok_or(Full)?;
        to.data.resize(to.data.len() + bytes, 0);
        let (mut rest, mut start) = (&mut to.data[before * self.stride..], before);
        let ends = &to.ends[to.ends.len() - block.range.len()..];
        for (row, &end) in ends.iter().enumerate() {
            let length = end as usize - start;
            let (elements, after) = rest.split_at_mut(length * self.stride);
            (rest, start) = (after, end as usize);
            for &(place, column) in &lists {
                self.write(place, &output.features[place.feature], column, row, &mut *elements);
                let found = place.mark(column, row, length);
                if let Some(status) = status.get_mut(row * lists.len() + place.number) {
                    *status = found.wire();
                }
                if matches!(place.lists, Lists::Node(_)) {
                    counts[place.number].add_all(&[found]);
                }
            }
        }
        Ok(())
    }

    /// Writes one feature of one row's elements; a shorter list ends in defaults.
    fn write(&self, place: &Place, feature: &Feature, column: &Column, row: usize, elements: &mut [u8]) {
        let (range, dtype) = (elements_of(column, place.row(row)), self.dtype);
        let marks = &column.marks[range.clone()];
        let (own, beyond) = elements.split_at_mut(range.len() * self.stride);
        let mut to = Destination { bytes: own, stride: self.stride, dtype };
        to.write_values(&column.values, feature.width, range, place.at);
        to.write_defaults(marks, &feature.default, place.at);
        let part = place.at..place.at + feature.width * dtype.size();
        let mut to = Destination { bytes: beyond, stride: self.stride, dtype };
        to.parts(part).for_each(|part| write_default(&feature.default, dtype, part));
    }
}

impl Place {
    fn column<'a>(&'a self, block: &Block<'a>) -> &'a Column {
        match &self.lists {
            Lists::Once(column) => column,
            Lists::Node(node) => block.column(*node),
        }
    }

    /// The row of a column that holds a block's row.
    fn row(&self, row: usize) -> usize {
        if matches!(self.lists, Lists::Once(_)) { 0 } else { row }
    }

    fn length(&self, column: &Column, row: usize) -> usize {
        elements_of(column, self.row(row)).len()
    }

    /// The gravest mark of a list in a row of `length` elements: those beyond its end are null.
    fn mark(&self, column: &Column, row: usize, length: usize) -> Mark {
        let missing = if self.length(column, row) < length { Mark::NULL } else { Mark::PRESENT };
        mark_of(column, self.row(row)) | missing
    }
}

/// Where a list's elements lie; a null list has none, whatever lies there.
fn elements_of(column: &Column, row: usize) -> Range<usize> {
    match &column.list {
        Some(list) if !list.marks[row].is_null() => list.range(row),
        _ => 0..0,
    }
}

/// The mark of a list with its elements.
fn mark_of(column: &Column, row: usize) -> Mark {
    let own = column.list.as_ref().map_or(Mark::NULL, |list| list.marks[row]);
    column.marks[elements_of(column, row)].iter().fold(own, |mark, &of_element| mark | of_element)
}
