//! Golden rows: inputs and the outputs that the fitting library itself computed, in `golden.json` beside the spec.
//!
//! They gate publishing: a version whose golden rows can't be reproduced is never served. Rows of tables that the cases
//! need are written here too, so that refreshing a table does not change what a case expects.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::transform::parameters::Real;

/// The `format` of golden files.
pub const FORMAT: &str = "quiver.golden/1";

/// The document in `golden.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// Always "quiver.golden/1".
    pub format: String,
    /// For each table that the spec looks up: its rows, column by column, key columns included. Lists and vectors are
    /// arrays, null is null. Columns that no feature reads may be left out.
    #[serde(default)]
    pub tables: BTreeMap<String, BTreeMap<String, Vec<Value>>>,
    /// The clock of all cases, a time with its offset such as "2026-11-25T10:00:00Z". Rows have the ages of their event time
    /// columns then; without it, and in tables with one event time for all rows, none is too old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
    /// Each case is one request.
    pub cases: Vec<Case>,
}

/// One request and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The number of rows.
    pub rows: usize,
    /// For each input that is sent: one value (request scope) or one for each row; null is null, lists are arrays,
    /// non-finite numbers and integers beyond 2^53 are strings.
    pub inputs: BTreeMap<String, Vec<Value>>,
    /// For each output that is compared: its rows.
    pub outputs: BTreeMap<String, Expected>,
}

/// The expected tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Row by row, as wide as the output. Rounded to the output's type before comparing; integers beyond 2^53 are
    /// compared as the nearest float64.
    pub rows: Vec<ExpectedRow>,
    /// How far a value may lie from the expected one, in units in the last place of the output's type; 0 means the
    /// same bits (any NaN equals any NaN).
    pub max_ulp: u32,
}

/// One row of the expected tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "must be an array of numbers, {\"indices\": [...], \"values\": [...]}, or for ragged outputs an array of \
                 arrays of numbers"
)]
pub enum ExpectedRow {
    /// All values.
    Dense(Vec<Real>),
    /// The values that are not 0, for wide outputs.
    Sparse(ExpectedValues),
    /// Of a ragged output: the elements, each with all values.
    Ragged(Vec<Vec<Real>>),
}

/// Some values of a row; all others are 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectedValues {
    /// Their columns, increasing.
    pub indices: Vec<u32>,
    /// As many numbers.
    pub values: Vec<Real>,
}
