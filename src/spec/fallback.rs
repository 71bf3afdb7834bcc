//! Fall-backs: what answers where a lookup has no row: its key is null or not found, or the row is too old to be served.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Key, Reference};
use crate::transform::pool::Function;

/// One fall-back of a lookup.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Written", into = "Written")]
pub enum Fallback {
    /// The row of another key, in another table or the same.
    Key(OtherKey),
    /// The rows of several keys, pooled into one.
    Pool(Pooled),
    /// A row that the spec writes: values by column, as golden rows write them.
    Row(BTreeMap<String, Value>),
}

/// Another key.
#[derive(Debug, Clone, PartialEq)]
pub struct OtherKey {
    pub table: String,
    pub key: Key,
    pub columns: Option<Columns>,
}

/// For each column that the fall-back gives, the column of its own table. Without them it gives those that its table
/// has under the same name.
pub type Columns = BTreeMap<String, String>;

/// The rows of the keys in a list, such as the neighbours in a graph, pooled lane by lane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pooled {
    /// The table's name; it has a single key column.
    pub table: String,
    /// The list of keys.
    pub keys: Reference,
    /// A list of float64, by position: sum, mean and sqrtn multiply each row by its weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<Reference>,
    /// How the rows that are found are joined; nulls among them do not count.
    pub function: Function,
    /// The most keys of a list that are looked up, from 1; others are left out as `pick` says.
    pub cap: usize,
    /// Which keys of a longer list are looked up.
    pub pick: Pick,
    /// For each column that is given, the column of float64 scalars or vectors of `table`. Without them all columns of the
    /// same names are given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Columns>,
}

/// Which of a list's keys are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pick {
    /// The first ones.
    First,
    /// Those whose MurmurHash3 (x86, 32 bits, with this seed, of the text or of the integer's decimal digits) is least,
    /// equal ones by position and nulls last: the same keys whatever their order.
    Sample {
        /// The hash's seed.
        seed: u32,
    },
}

impl Fallback {
    /// The names of the tables that it looks up.
    pub fn table(&self) -> Option<&str> {
        match self {
            Self::Key(OtherKey { table, .. }) | Self::Pool(Pooled { table, .. }) => Some(table),
            Self::Row(_) => None,
        }
    }
}

/// A fall-back as it is written: `table` and `key` (and `columns`), or `pool`, or `row`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Fallback")]
struct Written {
    /// The table of another key.
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<String>,
    /// What holds the other key.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Key>,
    /// For each column that the other key's row gives, the column of its own table. Without them it gives those that its
    /// table has under the same name.
    #[serde(skip_serializing_if = "Option::is_none")]
    columns: Option<Columns>,
    /// The rows of several keys, pooled into one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pool: Option<Pooled>,
    /// Values by column, as golden rows write them.
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<BTreeMap<String, Value>>,
}

impl TryFrom<Written> for Fallback {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        match written {
            Written { table: Some(table), key: Some(key), columns, pool: None, row: None } => {
                Ok(Self::Key(OtherKey { table, key, columns }))
            }
            Written { table: None, key: None, columns: None, pool: Some(pool), row: None } => {
                Ok(Self::Pool(pool))
            }
            Written { table: None, key: None, columns: None, pool: None, row: Some(row) } => {
                Ok(Self::Row(row))
            }
            _ => {
                Err("must have \"table\" and \"key\" (and \"columns\"), or \"pool\" alone, or \"row\" alone")
            }
        }
    }
}

impl From<Fallback> for Written {
    fn from(fallback: Fallback) -> Self {
        let none = Self { table: None, key: None, columns: None, pool: None, row: None };
        match fallback {
            Fallback::Key(OtherKey { table, key, columns }) => {
                Self { table: Some(table), key: Some(key), columns, ..none }
            }
            Fallback::Pool(pool) => Self { pool: Some(pool), ..none },
            Fallback::Row(row) => Self { row: Some(row), ..none },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_three_kinds_round_trip() {
        let pool = json!({"table": "ads", "keys": "graph.neighbours", "function": "mean", "cap": 20,
            "pick": {"sample": {"seed": 7}}});
        for written in [
            json!({"table": "advertisers", "key": "ad.advertiser_id", "columns": {"embedding": "vec"}}),
            json!({"table": "categories", "key": {"id": "category"}}),
            json!({"pool": pool}),
            json!({"row": {"embedding": [0, 0], "price": null}}),
        ] {
            let read: Fallback = serde_json::from_value(written.clone()).expect("good");
            assert_eq!(serde_json::to_value(&read).expect("writes"), written);
        }
    }

    #[test]
    fn mixtures_are_rejected() {
        for written in [json!({}), json!({"table": "ads"}), json!({"row": {}, "table": "ads", "key": "a"})] {
            let found = serde_json::from_value::<Fallback>(written).expect_err("rejected").to_string();
            assert!(found.contains("must have \"table\" and \"key\""), "{found}");
        }
    }
}
