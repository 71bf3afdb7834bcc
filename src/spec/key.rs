//! A lookup's key: a reference, or one for each key column by name.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de::Error as _};
use serde_json::Value;

use super::reference::Reference;

/// What holds a lookup's key.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Key {
    /// The key of a table with a single key column.
    Single(Reference),
    /// What holds each of the table's key columns, by the column's name.
    Named(BTreeMap<String, Reference>),
    /// A list, in which two columns could be swapped unnoticed. It is read so that a message can show the object to
    /// write, with the names of the table's key columns.
    Listed(Vec<Reference>),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of_value(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Key {
    fn of_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Object(fields) => {
                if let Some(reference) = Reference::of_object(&fields) {
                    return Ok(Self::Single(reference));
                }
                let part = |(column, value)| match Reference::of_value(value) {
                    Ok(reference) => Ok((column, reference)),
                    Err(why) => Err(format!("{column:?}: {why}")),
                };
                Ok(Self::Named(fields.into_iter().map(part).collect::<Result<_, _>>()?))
            }
            Value::Array(parts) => {
                Ok(Self::Listed(parts.into_iter().map(Reference::of_value).collect::<Result<_, _>>()?))
            }
            other => Reference::of_value(other).map(Self::Single),
        }
    }
}

impl JsonSchema for Key {
    fn schema_name() -> Cow<'static, str> {
        "Key".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let reference = generator.subschema_for::<Reference>();
        json_schema!({
            "description": "A reference for a table with a single key column; or an object with a reference for each key \
                column by its name.",
            "anyOf": [reference, {"type": "object", "additionalProperties": reference, "minProperties": 1}]
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Key {
        serde_json::from_value(value).expect("a key")
    }

    #[test]
    fn an_object_of_a_references_fields_is_a_reference() {
        let input = Reference::Input("ad.id".into());
        assert_eq!(read(json!("ad_id")), Key::Single(Reference::Text("ad_id".into())));
        assert_eq!(read(json!({"input": "ad.id"})), Key::Single(input.clone()));
        assert_eq!(
            read(json!({"input": {"input": "ad.id"}})),
            Key::Named(BTreeMap::from([("input".to_owned(), input.clone())]))
        );
        let named = json!({"lookup": "ad.id", "column": {"input": "ad.id"}});
        let Key::Named(parts) = read(named.clone()) else { panic!("named columns") };
        assert_eq!(parts["column"], input);
        assert_eq!(serde_json::to_value(Key::Named(parts)).expect("writes"), named);
    }

    #[test]
    fn a_part_that_is_no_reference_is_named() {
        let problem = serde_json::from_value::<Key>(json!({"user_id": "user_id", "category": 7}));
        let problem = problem.expect_err("a number").to_string();
        assert!(problem.starts_with("\"category\": a number is no reference"), "{problem}");
    }
}
