//! What a call states about its answer before it runs, the buffers that it fills, and what it reports afterwards.

use crate::{
    serve::request::{Encoding, StatusDetail},
    spec::OutputType,
};

pub use crate::plan::{
    ragged::RaggedRows,
    run::{Elements, FeatureCounts, LookupCounts},
    segments::Part,
    sparse::SparseRows,
};

/// One tensor of an answer. Its size is known before a row is computed, but for the elements of a sparse or ragged one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorShape {
    /// The output's position in the spec.
    pub output: usize,
    pub name: String,
    pub dtype: OutputType,
    pub encoding: Encoding,
    pub part: Part,
    pub rows: usize,
    /// Elements of one row.
    pub width: usize,
    /// Features of one row: a status is reported for each.
    pub features: usize,
    /// Whether each row has any number of elements, each as wide.
    pub ragged: bool,
}

impl TensorShape {
    /// Bytes of the elements of a tensor that has them all.
    pub fn data_bytes(&self) -> usize {
        self.rows * self.width * self.dtype.size()
    }

    /// Bytes that are known before a row is computed: for a sparse or ragged tensor those of its row offsets.
    pub fn known_bytes(&self) -> usize {
        match self.encoding {
            _ if self.ragged => (self.rows + 1) * RaggedRows::OFFSET,
            Encoding::Raw | Encoding::Values => self.data_bytes(),
            Encoding::Sparse => (self.rows + 1) * SparseRows::OFFSET,
        }
    }

    /// Bytes of the statuses that are reported for each row and feature.
    pub fn status_bytes(&self, detail: StatusDetail) -> usize {
        if detail == StatusDetail::Rows { self.rows * self.features } else { 0 }
    }
}

/// Where one tensor goes. The slices are of the sizes that its shape gives, and hold whatever was there before; sparse
/// and ragged rows are empty.
#[derive(Debug)]
pub struct TensorBuffer<'a> {
    pub elements: Elements<'a>,
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
    /// Elements of all tensors, of sparse ones those that are not zero.
    pub values: usize,
}
