//! Parameter types that specs share: exact numbers, one value or one for each lane, lists of categories.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    batch::time::{Time, TimeType},
    problem::Problems,
};

/// A float64 as specs write it: a JSON number, or "nan", "inf", "-inf".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Real(pub f64);

impl Serialize for Real {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() {
            serializer.serialize_f64(self.0)
        } else if self.0.is_nan() {
            serializer.serialize_str("nan")
        } else {
            serializer.serialize_str(if self.0 > 0.0 { "inf" } else { "-inf" })
        }
    }
}

impl<'de> Deserialize<'de> for Real {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Real;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or \"nan\", \"inf\" or \"-inf\"")
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Real, E> {
                Ok(Real(value))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Real, E> {
                if (value as f64) as i128 == i128::from(value) {
                    Ok(Real(value as f64))
                } else {
                    Err(E::custom(format!("{value} is not exact as a float64")))
                }
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Real, E> {
                if (value as f64) as u128 == u128::from(value) {
                    Ok(Real(value as f64))
                } else {
                    Err(E::custom(format!("{value} is not exact as a float64")))
                }
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Real, E> {
                match value {
                    "nan" => Ok(Real(f64::NAN)),
                    "inf" => Ok(Real(f64::INFINITY)),
                    "-inf" => Ok(Real(f64::NEG_INFINITY)),
                    _ => Err(E::invalid_value(de::Unexpected::Str(value), &self)),
                }
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Real {
    fn schema_name() -> Cow<'static, str> {
        "Real".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "number"}, {"enum": ["nan", "inf", "-inf"]}]})
    }
}

/// A long list: in the spec itself an array or `{"file": F, "column": C}`, a column of a Parquet file beside it. The
/// spec's reader puts the file's values in place, so that here it is always the array.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct List<T>(pub Vec<T>);

impl<T: JsonSchema> JsonSchema for List<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("ListOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let items = generator.subschema_for::<T>();
        json_schema!({"anyOf": [
            {"type": "array", "items": items},
            {"type": "object", "properties": {"file": {"type": "string"}, "column": {"type": "string"}},
             "required": ["file", "column"], "additionalProperties": false}
        ]})
    }
}

impl List<Real> {
    /// The numbers; the first that is NaN or below the one before it is a problem at `field`.
    pub fn not_decreasing(&self, field: &str, problems: &mut Problems) -> Vec<f64> {
        let numbers: Vec<f64> = self.0.iter().map(|number| number.0).collect();
        if let Some(position) = numbers.iter().position(|number| number.is_nan()) {
            problems.add(format!("{field}[{position}]"), "must be a number");
        } else if let Some(position) = numbers.windows(2).position(|pair| pair[0] > pair[1]) {
            let message = format!("{} must not be below {}", numbers[position + 1], numbers[position]);
            problems.add(format!("{field}[{}]", position + 1), message);
        }
        numbers
    }

    /// The numbers; the first infinity or NaN is a problem at `field`.
    pub fn all_finite(&self, field: &str, problems: &mut Problems) -> Vec<f64> {
        let numbers: Vec<f64> = self.0.iter().map(|number| number.0).collect();
        if let Some(position) = numbers.iter().position(|number| !number.is_finite()) {
            let message = format!("must be finite, it is {}", numbers[position]);
            problems.add(format!("{field}[{position}]"), message);
        }
        numbers
    }
}

/// One number for all lanes, or one for each lane of a vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "must be a number or an array of numbers")]
pub enum PerLane {
    Single(Real),
    Each(List<Real>),
}

impl PerLane {
    /// The number of lane `lane`.
    pub fn get(&self, lane: usize) -> f64 {
        match self {
            Self::Single(value) => value.0,
            Self::Each(values) => values.0[lane].0,
        }
    }

    /// Notes a problem where there are not `lanes` numbers, or one does not satisfy `good`.
    pub fn check(
        &self,
        field: &str,
        lanes: usize,
        expected: &str,
        good: impl Fn(f64) -> bool,
        problems: &mut Problems,
    ) {
        match self {
            Self::Single(value) if !good(value.0) => {
                problems.add(field, format!("{expected}, it is {}", value.0))
            }
            Self::Single(_) => {}
            Self::Each(values) => {
                if values.0.len() != lanes {
                    let message = format!("has {} numbers for {lanes} lanes", values.0.len());
                    problems.add(field, message);
                }
                for (position, value) in values.0.iter().enumerate().filter(|(_, value)| !good(value.0)) {
                    problems.add(format!("{field}[{position}]"), format!("{expected}, it is {}", value.0));
                }
            }
        }
    }
}

/// The floats that an operation computes with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// Every result is a float64.
    Float64,
    /// The result of each single addition, subtraction, multiplication and division is rounded to float32: libraries
    /// that compute in float32, and those that round between the steps. Inputs and parameters are taken as they are;
    /// they hold values that float32 has where the library's do.
    Float32,
}

/// The nearest of the values that float32 has; beyond its range an infinity.
pub fn round_to_float32(x: f64) -> f64 {
    f64::from(x as f32)
}

impl<T> List<T> {
    /// Each value with its place in the field that the list is written in.
    pub fn with_places(&self, field: &str) -> impl Iterator<Item = (String, &T)> {
        self.0.iter().enumerate().map(move |(position, value)| (format!("{field}[{position}]"), value))
    }
}

/// A category as specs write it. Integers beyond 2^53 are strings; which of both a string is follows from the type of
/// the operation's input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "must be a string, a number, true or false")]
pub enum Category {
    Bool(bool),
    Int64(i64),
    Uint64(u64),
    Float64(f64),
    String(String),
}

impl Category {
    /// As a float64, where it is one: a number that is exact, or "nan", "inf", "-inf".
    pub fn float64(&self) -> Option<f64> {
        match self {
            Self::Float64(value) => Some(*value),
            Self::Int64(value) => exact(*value as f64, i128::from(*value)),
            Self::Uint64(value) => exact(*value as f64, i128::from(*value)),
            Self::String(text) => match text.as_str() {
                "nan" => Some(f64::NAN),
                "inf" => Some(f64::INFINITY),
                "-inf" => Some(f64::NEG_INFINITY),
                _ => None,
            },
            Self::Bool(_) => None,
        }
    }

    /// As an int64, where it is one; integers may be written as strings.
    pub fn int64(&self) -> Option<i64> {
        match self {
            Self::Int64(value) => Some(*value),
            Self::String(text) => text.parse().ok(),
            Self::Bool(_) | Self::Uint64(_) | Self::Float64(_) => None,
        }
    }

    /// As a uint64, where it is one; integers may be written as strings.
    pub fn uint64(&self) -> Option<u64> {
        match self {
            Self::Int64(value) => u64::try_from(*value).ok(),
            Self::Uint64(value) => Some(*value),
            Self::String(text) => text.parse().ok(),
            Self::Bool(_) | Self::Float64(_) => None,
        }
    }

    /// As a time's integer, where it is written as one: ISO 8601, or a count with its unit.
    pub fn time(&self, time: Time) -> Option<i64> {
        TimeType { time, zone: None }.parse(self.text()?).ok()
    }

    /// As a boolean, where it is one.
    pub fn bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// As a string, where it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

fn exact(float: f64, integer: i128) -> Option<f64> {
    (float as i128 == integer).then_some(float)
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Int64(value) => value.fmt(f),
            Self::Uint64(value) => value.fmt(f),
            // As it is written: 3.0 is no integer.
            Self::Float64(value) => write!(f, "{value:?}"),
            Self::String(value) => value.fmt(f),
        }
    }
}
