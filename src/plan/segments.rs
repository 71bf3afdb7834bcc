//! A tensor's row as segments: what is copied, expanded or converted, from left to right.

use super::{
    graph::NodeId,
    layout::Output,
    program::{FeatureSource, Program},
    statuses::Statuses,
};
use crate::spec::{OutputType, Scope};

/// Which of an output's features a tensor holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// All of them: the dense layout.
    All,
    /// The request-scope ones, as a single row.
    Request,
    /// The row-scope ones.
    Row,
}

/// One stretch of a row; offsets and lengths are bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment {
    /// Computed once for the request, copied to each row.
    Shared { at: usize, bytes: usize },
    /// A stretch of a lookup's record.
    Record { lookup: usize, from: usize, at: usize, bytes: usize },
    /// A one-hot vector from its slot in a lookup's record.
    Slot { lookup: usize, from: usize, at: usize, bytes: usize, feature: usize },
    /// A table row's vector, widened or copied.
    Vector { lookup: usize, column: usize, at: usize, bytes: usize, feature: usize },
    /// A computed node's values.
    Node { node: NodeId, at: usize, bytes: usize, feature: usize },
}

impl Segment {
    /// Its first byte in the row, and how many bytes it has.
    pub fn place(self) -> (usize, usize) {
        match self {
            Self::Shared { at, bytes }
            | Self::Record { at, bytes, .. }
            | Self::Slot { at, bytes, .. }
            | Self::Vector { at, bytes, .. }
            | Self::Node { at, bytes, .. } => (at, bytes),
        }
    }

    /// The same from another byte of the row on.
    pub fn moved_to(mut self, to: usize) -> Self {
        match &mut self {
            Self::Shared { at, .. }
            | Self::Record { at, .. }
            | Self::Slot { at, .. }
            | Self::Vector { at, .. }
            | Self::Node { at, .. } => *at = to,
        }
        self
    }
}

/// What the processor is asked to fetch for each row before it is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetched {
    /// A lookup's record.
    Record { lookup: usize },
    /// A table row's vector.
    Vector { lookup: usize, column: usize },
}

/// The segments of one tensor.
#[derive(Debug, Default, Clone)]
pub struct Segments {
    /// Those that request-scope features are written by, once.
    pub shared: Vec<Segment>,
    /// Those that each row is written by.
    pub rows: Vec<Segment>,
    /// What the segments of `rows` read of tables, each once.
    pub fetched: Vec<Fetched>,
    /// Bytes of one row.
    pub stride: usize,
    /// The tensor's features: their positions in the output.
    pub features: Vec<usize>,
    /// The statuses of request-scope features.
    pub shared_statuses: Statuses,
    /// The statuses of row-scope features.
    pub row_statuses: Statuses,
}

impl Segments {
    /// The segments of `part` of an output, in the element type given; records hold the spec's type, so another type
    /// needs a program without records.
    pub fn build(program: &Program, position: usize, output: &Output, part: Part, dtype: OutputType) -> Self {
        let mut segments = Self::default();
        let size = dtype.size();
        for (at, feature) in output.features.iter().enumerate() {
            let shared = feature.scope == Scope::Request;
            let offset = match part {
                Part::All => feature.offset,
                Part::Request if shared => feature.part_offset,
                Part::Row if !shared => feature.part_offset,
                Part::Request | Part::Row => continue,
            };
            let bytes = feature.width * size;
            let segment = source_segment(program, position, at, offset * size, bytes);
            let (source, number) = (program.outputs[position][at], segments.features.len());
            if shared {
                push(&mut segments.shared, segment);
                push(&mut segments.rows, Segment::Shared { at: offset * size, bytes });
                segments.shared_statuses.add(program, source, number);
            } else {
                push(&mut segments.rows, segment);
                segments.fetch(segment);
                segments.row_statuses.add(program, source, number);
            }
            segments.features.push(at);
            segments.stride += bytes;
        }
        segments
    }

    fn fetch(&mut self, segment: Segment) {
        let fetched = match segment {
            Segment::Record { lookup, .. } | Segment::Slot { lookup, .. } => Fetched::Record { lookup },
            Segment::Vector { lookup, column, .. } => Fetched::Vector { lookup, column },
            Segment::Shared { .. } | Segment::Node { .. } => return,
        };
        if !self.fetched.contains(&fetched) {
            self.fetched.push(fetched);
        }
    }
}

fn source_segment(program: &Program, output: usize, feature: usize, at: usize, bytes: usize) -> Segment {
    match program.outputs[output][feature] {
        FeatureSource::Node(node) => Segment::Node { node, at, bytes, feature },
        FeatureSource::Vector { lookup, column } => Segment::Vector { lookup, column, at, bytes, feature },
        FeatureSource::Record { lookup, place } => {
            let place = program.records[lookup].places[place];
            if place.slot {
                Segment::Slot { lookup, from: place.at, at, bytes, feature }
            } else {
                Segment::Record { lookup, from: place.at, at, bytes }
            }
        }
    }
}

/// Adds a segment, or makes the last one longer where both are one stretch.
fn push(segments: &mut Vec<Segment>, segment: Segment) {
    match (segments.last_mut(), segment) {
        (Some(Segment::Shared { at: last, bytes }), Segment::Shared { at, bytes: more })
            if *last + *bytes == at =>
        {
            *bytes += more;
        }
        (
            Some(Segment::Record { lookup: same, from: last_from, at: last, bytes }),
            Segment::Record { lookup, from, at, bytes: more },
        ) if *same == lookup && *last + *bytes == at && *last_from + *bytes == from => *bytes += more,
        _ => segments.push(segment),
    }
}
