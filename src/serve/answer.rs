//! What a call says about its answer before it runs, the places that it fills, and what it tells afterwards.

use crate::{batch::Status, serve::request::StatusDetail, spec::OutputType};

/// One tensor of an answer: its size is known before a row is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorShape {
    /// The output's position in the spec.
    pub output: usize,
    pub name: String,
    pub dtype: OutputType,
    pub part: Part,
    pub rows: usize,
    /// Elements of one row.
    pub width: usize,
    /// Features of one row: statuses are told for each.
    pub features: usize,
}

/// Which of an output's features a tensor holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// All, in the dense layout.
    All,
    /// The request-scope ones of the factored layout: one row.
    Request,
    /// The row-scope ones of the factored layout.
    Row,
}

impl TensorShape {
    /// Bytes of the elements.
    pub fn data_bytes(&self) -> usize {
        self.rows * self.width * self.dtype.size()
    }

    /// Bytes of the statuses that are told for each row and feature.
    pub fn status_bytes(&self, detail: StatusDetail) -> usize {
        if detail == StatusDetail::Rows { self.rows * self.features } else { 0 }
    }
}

/// Where one tensor goes: both are of the sizes that its shape tells, and hold whatever was there before.
#[derive(Debug)]
pub struct TensorBuffer<'a> {
    /// The elements, row-major, little-endian.
    pub data: &'a mut [u8],
    /// A status for each row and feature, row-major; empty unless they are wanted.
    pub status: &'a mut [u8],
}

/// What happened in a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Of the features with a row that is not present.
    pub counts: Vec<FeatureCounts>,
    /// One for each lookup that was made.
    pub lookups: Vec<LookupCounts>,
    pub rows: usize,
    /// Elements of all tensors.
    pub values: usize,
}

/// How often a feature of an output had each status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeatureCounts {
    /// The output's position in the spec.
    pub output: usize,
    /// The position among that output's features.
    pub feature: usize,
    /// Rows by the status's number.
    pub by_status: [u32; Status::COUNT],
}

/// How often a lookup's keys were missing from its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookupCounts {
    /// The lookup's position in the spec.
    pub lookup: usize,
    pub keys: u32,
    pub missing: u32,
}
