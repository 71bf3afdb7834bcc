//! How old a lookup's rows may be.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de::Error as _};

use crate::table::span;

/// The greatest age of a row, from its event time to the request's arrival; as it was written, so that it is written the
/// same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaxAge {
    text: String,
    nanoseconds: i64,
}

impl MaxAge {
    /// The age, more than 0.
    pub fn nanoseconds(&self) -> i64 {
        self.nanoseconds
    }
}

impl fmt::Display for MaxAge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for MaxAge {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for MaxAge {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let nanoseconds = span(&text).map_err(D::Error::custom)?;
        Ok(Self { text, nanoseconds })
    }
}

impl JsonSchema for MaxAge {
    fn schema_name() -> Cow<'static, str> {
        "MaxAge".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A span of time with its unit, such as \"90s\", \"6h\" or \"1d 12h\"."
        })
    }
}

/// What is served of a row that is older.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stale {
    /// Its values.
    Serve,
    /// Nulls.
    Null,
}
