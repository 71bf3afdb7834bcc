//! A tensor while it is filled: what is the same in every row, then block after block.

use std::borrow::Cow;

use super::{
    fill::Block,
    layout::Output,
    ragged::{RaggedRows, RaggedSegments},
    run::FeatureCounts,
    segments::{Part, Segments},
    sparse::{Full, Room, SparseRows, SparseSegments},
    write::Destination,
};
use crate::{
    batch::{Status, StatusCounts},
    spec::{OutputType, Scope},
};

/// One tensor to fill.
#[derive(Debug)]
pub struct Target<'a> {
    /// The output's position.
    pub output: usize,
    pub part: Part,
    pub dtype: OutputType,
    pub elements: Elements<'a>,
    /// A status for each row and feature, or empty.
    pub status: &'a mut [u8],
}

/// Where a tensor's elements go.
#[derive(Debug)]
pub enum Elements<'a> {
    /// All of them: row-major, little-endian, of the size that the output's width and the rows give.
    Dense(&'a mut [u8]),
    /// Those that are not zero, into empty rows.
    Sparse(&'a mut SparseRows),
    /// Those of a ragged output's lists, into empty rows.
    Ragged(&'a mut RaggedRows),
}

/// A target with all that is known of it.
pub struct Filling<'a, 'b> {
    pub output: usize,
    pub part: Part,
    pub segments: Cow<'a, Segments>,
    layout: &'a Output,
    dtype: OutputType,
    tensor: Tensor<'b>,
    status: &'b mut [u8],
    /// For each of the tensor's features the rows by status.
    counts: Vec<StatusCounts>,
}

/// Where the elements go, and one row with the request-scope ones.
enum Tensor<'a> {
    Dense { data: &'a mut [u8], shared: Vec<u8> },
    Sparse { rows: &'a mut SparseRows, shared: SparseRows, segments: SparseSegments },
    Ragged { rows: &'a mut RaggedRows, segments: RaggedSegments },
}

impl<'a, 'b> Filling<'a, 'b> {
    /// Begins with the request-scope features, whose values `once` has.
    pub fn begin(
        target: &'b mut Target<'_>,
        segments: Cow<'a, Segments>,
        layout: &'a Output,
        once: &Block<'_>,
        room: &mut Room,
    ) -> Result<Self, Full> {
        let Target { output, part, dtype, elements, status } = target;
        let mut counts = vec![StatusCounts::default(); segments.features.len()];
        let tensor = match elements {
            Elements::Dense(data) => Tensor::dense(data, &segments, layout, (*part, *dtype), once),
            Elements::Sparse(rows) => Tensor::sparse(rows, &segments, layout, (*part, *dtype), once, room)?,
            Elements::Ragged(rows) => {
                let segments = RaggedSegments::of(&segments, once, *dtype, &mut counts);
                if *part == Part::Request {
                    segments.fill(once, layout, rows, (&mut *status, &mut counts), room)?;
                }
                Tensor::Ragged { rows, segments }
            }
        };
        let is_ragged = matches!(tensor, Tensor::Ragged { .. });
        let (output, part, dtype) = (*output, *part, *dtype);
        let mut filling = Self { output, part, segments, layout, dtype, tensor, status, counts };
        if !is_ragged {
            filling.note_shared_statuses(once);
        }
        Ok(filling)
    }

    /// Notes the statuses of request-scope features, on every row.
    fn note_shared_statuses(&mut self, once: &Block<'_>) {
        let mut statuses = vec![0; self.counts.len()];
        let counts = &mut self.counts;
        self.segments.shared_statuses.each(once, |_, feature, mark| {
            statuses[feature] = mark.wire();
            counts[feature].add(mark);
        });
        for row in self.status.chunks_exact_mut(statuses.len().max(1)) {
            row.copy_from_slice(&statuses);
        }
    }

    /// Fills the rows of a block.
    pub fn fill_rows(&mut self, block: &Block<'_>, room: &mut Room) -> Result<(), Full> {
        if self.part == Part::Request {
            return Ok(());
        }
        let (segments, dtype) = (&*self.segments, self.dtype);
        let stride = segments.stride;
        match &mut self.tensor {
            Tensor::Dense { data, shared } => {
                let bytes = &mut data[block.range.start * stride..block.range.end * stride];
                block.fill_rows(segments, self.layout, shared, Destination { bytes, stride, dtype });
            }
            Tensor::Sparse { rows, shared, segments: apart } => {
                apart.fill(block, &segments.fetched, self.layout, shared, (dtype, rows), room)?;
            }
            Tensor::Ragged { rows, segments } => {
                let features = self.counts.len();
                let status = self.status.get_mut(block.range.start * features..).unwrap_or_default();
                let noted = (status, self.counts.as_mut_slice());
                return segments.fill(block, self.layout, rows, noted, room);
            }
        }
        self.note_statuses(block);
        Ok(())
    }

    fn note_statuses(&mut self, block: &Block<'_>) {
        let features = self.counts.len();
        let (counts, status) = (&mut self.counts, &mut *self.status);
        if status.is_empty() {
            return self.segments.row_statuses.count(block, counts);
        }
        self.segments.row_statuses.each(block, |row, feature, found| {
            counts[feature].add(found);
            if let Some(place) = status.get_mut((block.range.start + row) * features + feature) {
                *place = found.wire();
            }
        });
    }

    /// The features that were not always present; a request-scope one counts once.
    pub fn counted(&self, rows: usize) -> impl Iterator<Item = FeatureCounts> {
        let features = self.segments.features.iter().zip(&self.counts);
        let any = |counts: &StatusCounts| counts.by_status.iter().any(|&count| count > 0);
        features.filter(move |(_, counts)| any(counts)).map(move |(&feature, counts)| {
            let all = if self.layout.features[feature].scope == Scope::Request { 1 } else { rows as u32 };
            let StatusCounts { mut by_status, by_level } = *counts;
            by_status[Status::Present as usize] = all.saturating_sub(by_status.iter().sum());
            FeatureCounts { output: self.output, feature, by_status, by_level }
        })
    }
}

impl<'a> Tensor<'a> {
    fn dense(
        data: &'a mut [u8],
        segments: &Segments,
        layout: &Output,
        (part, dtype): (Part, OutputType),
        once: &Block<'_>,
    ) -> Self {
        let mut shared = vec![0; segments.stride];
        let to = Destination { bytes: &mut shared, stride: segments.stride, dtype };
        once.fill_shared(segments, layout, to);
        if part == Part::Request {
            data.copy_from_slice(&shared);
        }
        Self::Dense { data, shared }
    }

    fn sparse(
        rows: &'a mut SparseRows,
        segments: &Segments,
        layout: &Output,
        (part, dtype): (Part, OutputType),
        once: &Block<'_>,
        room: &mut Room,
    ) -> Result<Self, Full> {
        let graph = once.evaluator.graph;
        let apart = |segments| SparseSegments::of(segments, graph, dtype);
        let (mut shared, none) = (SparseRows::default(), SparseRows::default());
        // The row of a request part is an answer's; another counts where it is repeated.
        let mut unlimited = Room(usize::MAX);
        let room = if part == Part::Request { room } else { &mut unlimited };
        apart(&segments.shared).fill(once, &[], layout, &none, (dtype, &mut shared), room)?;
        if part == Part::Request {
            rows.clone_from(&shared);
        }
        Ok(Self::Sparse { rows, shared, segments: apart(&segments.rows) })
    }
}
