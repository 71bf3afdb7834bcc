//! The use case: one request against one snapshot. Synchronous, without a word of the transport.

pub mod answer;
pub mod outcome;
pub mod request;
