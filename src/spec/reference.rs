//! References: what a feature reads, and what holds a lookup's key.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de::Error as _, ser::SerializeMap as _};
use serde_json::{Map, Value};

/// The name under which strings refer to features: `feature.<name>`. No lookup may have it.
pub const FEATURE: &str = "feature";

/// What a feature or a lookup's key reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// A string: `feature.<name>`, `<lookup>.<column>`, or an input's name.
    Text(String),
    /// `{"input": "<name>"}`.
    Input(String),
    /// `{"lookup": "<name>", "column": "<name>"}`.
    Column { lookup: String, column: String },
    /// `{"feature": "<name>"}`.
    Feature(String),
}

impl Reference {
    /// The reference that an object writes; none where its fields are not those of a reference.
    pub fn of_object(fields: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
        match fields.len() {
            1 => text("input").map(Self::Input).or_else(|| text(FEATURE).map(Self::Feature)),
            2 => Some(Self::Column { lookup: text("lookup")?, column: text("column")? }),
            _ => None,
        }
    }

    /// The reference that a value writes, or why it is none.
    pub fn of_value(value: Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Ok(Self::Text(text)),
            Value::Object(fields) => Self::of_object(&fields).ok_or_else(|| {
                let names: Vec<String> = fields.keys().map(|name| format!("{name:?}")).collect();
                format!("an object with {} is no reference; {FORMS}", names.join(", "))
            }),
            other => Err(format!("{} is no reference; {FORMS}", kind(&other))),
        }
    }

    /// The fields of the object that writes the reference; none for a string.
    pub fn fields(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Text(_) => Vec::new(),
            Self::Input(name) => vec![("input", name)],
            Self::Column { lookup, column } => vec![("lookup", lookup), ("column", column)],
            Self::Feature(name) => vec![(FEATURE, name)],
        }
    }
}

/// How references are written.
const FORMS: &str = r#"write an input's name, "<lookup>.<column>" or "feature.<name>", or {"input": "<name>"}, {"lookup": "<name>", "column": "<name>"} or {"feature": "<name>"}"#;

/// What kind of JSON value it is, for people.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// As specs write it.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{}", Value::from(text.as_str())),
            object => {
                let fields = object.fields().into_iter();
                let fields = fields.map(|(name, value)| format!("\"{name}\": {}", Value::from(value)));
                write!(f, "{{{}}}", fields.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl Serialize for Reference {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Self::Text(text) = self {
            return serializer.serialize_str(text);
        }
        let fields = self.fields();
        let mut map = serializer.serialize_map(Some(fields.len()))?;
        for (name, value) in fields {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of_value(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Reference {
    fn schema_name() -> Cow<'static, str> {
        "Reference".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let object = |names: &[&str]| {
            let text = json_schema!({"type": "string"});
            let fields: Map<String, Value> =
                names.iter().map(|&name| (name.to_owned(), text.clone().to_value())).collect();
            json_schema!({
                "type": "object", "properties": fields, "required": names, "additionalProperties": false
            })
        };
        json_schema!({
            "description": "An input's name, \"<lookup>.<column>\" or \"feature.<name>\"; an object where a string would fit \
                two of these.",
            "anyOf": [{"type": "string"}, object(&["input"]), object(&["lookup", "column"]), object(&[FEATURE])]
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_strings_and_objects() {
        let cases = [
            (json!("ad.price"), Reference::Text("ad.price".into())),
            (json!({"input": "ad.price"}), Reference::Input("ad.price".into())),
            (
                json!({"lookup": "ad", "column": "a.b"}),
                Reference::Column { lookup: "ad".into(), column: "a.b".into() },
            ),
            (json!({"feature": "x"}), Reference::Feature("x".into())),
        ];
        for (value, expected) in cases {
            let read: Reference = serde_json::from_value(value.clone()).expect("a reference");
            assert_eq!(read, expected);
            assert_eq!(serde_json::to_value(&read).expect("writes"), value);
            let shown: Value = serde_json::from_str(&read.to_string()).expect("is shown as it is written");
            assert_eq!(shown, value);
        }
    }

    #[test]
    fn other_values_are_rejected_with_the_forms_to_write() {
        for (value, expected) in [
            (json!(7), "a number is no reference"),
            (json!({"input": "a", "column": "b"}), "an object with \"column\", \"input\" is no reference"),
            (json!({"lookup": "a"}), "an object with \"lookup\" is no reference"),
            (json!({"input": 3}), "is no reference"),
        ] {
            let problem = serde_json::from_value::<Reference>(value).expect_err("rejected").to_string();
            assert!(problem.contains(expected) && problem.contains(r#"{"input": "<name>"}"#), "{problem}");
        }
    }
}
