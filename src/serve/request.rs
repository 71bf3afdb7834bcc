//! A request as the transport hands it over: well-formed, not yet held against a spec.

use crate::{
    batch::{Values, time::TimeUnit},
    snapshot::Snapshot,
    spec::{OutputType, ScalarType},
};

/// What a request names and how much it brings: enough to refuse it before it is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head<'a> {
    pub feature_set: &'a str,
    /// The version, 0 for the served default.
    pub version: u32,
    pub columns: usize,
    pub outputs: usize,
}

/// The most columns and outputs that a request for any of the feature sets may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Most {
    pub columns: usize,
    pub outputs: usize,
}

impl Most {
    /// As many as there are inputs and outputs.
    pub fn of(snapshot: &Snapshot) -> Self {
        Self { columns: snapshot.most_inputs(), outputs: snapshot.most_outputs() }
    }
}

/// One user and N candidates.
#[derive(Debug, Clone)]
pub struct Request {
    /// The feature set's name.
    pub feature_set: String,
    /// The version, 0 for the served default.
    pub version: u32,
    /// The number of rows where the request states it.
    pub rows: Option<u32>,
    /// The inputs in the request's order.
    pub columns: Vec<RequestColumn>,
    /// The outputs wanted; empty means all.
    pub outputs: Vec<OutputWanted>,
    pub layout: Layout,
    /// How the tensors are carried of outputs that say nothing else.
    pub encoding: Encoding,
    pub status: StatusDetail,
    /// When it arrived, in nanoseconds since 1970-01-01T00:00:00Z: the one clock that rows' ages are taken by.
    pub now: i64,
}

impl Request {
    /// What it names and how much it brings.
    pub fn head(&self) -> Head<'_> {
        Head {
            feature_set: &self.feature_set,
            version: self.version,
            columns: self.columns.len(),
            outputs: self.outputs.len(),
        }
    }
}

/// One named column as it was sent.
#[derive(Debug, Clone)]
pub struct RequestColumn {
    pub name: String,
    /// The type in which the values were sent.
    pub scalar: ScalarType,
    /// What the integers count, where the request states it.
    pub time_unit: Option<TimeUnit>,
    /// The values; float32 is widened. For a dictionary these are the distinct strings.
    pub values: Values,
    /// For a dictionary: the position of each value in it. Not yet checked.
    pub indices: Option<Vec<u32>>,
    /// For a list column: its row offsets. Not yet checked.
    pub offsets: Option<Vec<u32>>,
    /// Positions of null rows. Not yet checked.
    pub nulls: Vec<u32>,
    /// Positions of null list elements. Not yet checked.
    pub null_elements: Vec<u32>,
}

/// One output wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputWanted {
    pub name: String,
    /// Another type than the spec's.
    pub dtype: Option<OutputType>,
    /// Another encoding than the request's.
    pub encoding: Option<Encoding>,
}

/// How a tensor's elements are carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// All of them, as bytes.
    Raw,
    /// All of them, readable.
    Values,
    /// Those that are not 0, as bytes.
    Sparse,
}

/// Whether request-scope features are repeated on every row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    Dense,
    Factored,
}

/// How much of the statuses the answer reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusDetail {
    Off,
    Counts,
    Rows,
}
