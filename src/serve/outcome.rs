//! What can come of a request, as one closed set: the transport's codes and the metrics' labels follow from it.

use crate::{problem::Problems, spec::Spec};

/// Why a request got no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The request does not fit the spec; every problem with its field's path in the request.
    Invalid(Problems),
    /// More rows, text or answer bytes than the server allows; each problem has the field's path and names the limit.
    TooLarge(Problems),
    /// No such feature set or version; the message lists what exists.
    NotFound(String),
    /// No snapshot is live yet.
    NotReady,
    /// The caller's deadline passed.
    DeadlineExceeded,
}

/// Sizes that one request may not exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows of one request.
    pub rows: usize,
    /// Bytes of one column's texts in all rows: a dictionary's are there as often as rows have them, and a short request
    /// would otherwise make texts of any length.
    pub text_bytes: usize,
    /// Elements of one list column in all rows: one byte of a request can be an element, and each a vector to look up.
    pub list_elements: usize,
    /// Bytes of one answer's tensors and statuses.
    pub answer_bytes: usize,
}

impl Limits {
    /// The most values of one column in a request for `spec`, before it is known which input the column is.
    pub fn values(&self, spec: &Spec) -> usize {
        let any_list = spec.inputs.iter().any(|input| input.dtype.list);
        if any_list { self.rows.max(self.list_elements) } else { self.rows }
    }
}
