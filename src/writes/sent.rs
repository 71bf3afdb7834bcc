//! A write as the transport hands it over: well-formed, not yet held against a table.

use crate::{batch::time::TimeUnit, serve::request::RequestColumn};

/// Rows that a client wants to write.
#[derive(Debug, Clone)]
pub struct Sent {
    pub kind: Kind,
    /// The key's columns, and those of values.
    pub columns: Vec<RequestColumn>,
    /// None for those that the rows bring, or now.
    pub event_times: Option<SentTimes>,
}

/// What is to be done to the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Upsert,
    Delete,
    /// The most elements that lists keep, 0 for the usual limit.
    Append {
        cap: u32,
    },
}

/// Event times as they were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentTimes {
    pub unit: Option<TimeUnit>,
    /// One for all rows, or one for each. Not yet checked.
    pub values: Vec<i64>,
}

impl Kind {
    /// The request's field that holds the columns.
    pub fn columns_field(self) -> &'static str {
        match self {
            Self::Upsert | Self::Append { .. } => "columns",
            Self::Delete => "keys",
        }
    }
}
