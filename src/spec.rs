//! The spec: the fitted document of one version of a feature set, as written.
//!
//! Every behavioural switch is a required field and unknown fields are refused: the server assumes nothing.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de::Error as _};

use crate::{
    batch::{Element, Type},
    transform::{Transform, parameters::PerLane},
};

pub mod golden;
mod key;
pub mod read;
mod reference;

pub use key::Key;
pub use reference::{FEATURE as FEATURE_REFERENCE, Reference};

/// The `format` of the specs that this server reads.
pub const FORMAT: &str = "quiver.spec/1";

/// The fitted document of one version of a feature set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Always "quiver.spec/1".
    pub format: String,
    /// The feature set's name, the same as its folder's.
    pub name: String,
    /// The version, 1 or more, the same as its folder's.
    pub version: u32,
    /// What fitted and wrote the spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub producer: Option<Producer>,
    /// The columns that a request carries.
    pub inputs: Vec<Input>,
    /// The rows that are looked up in tables.
    #[serde(default)]
    pub lookups: Vec<Lookup>,
    /// The named nodes that outputs are made of.
    pub features: Vec<Feature>,
    /// The tensors of an answer.
    pub outputs: Vec<Output>,
}

impl Spec {
    /// The same spec for rows that bring every input of their own, as flat tables of training data do. A scope tells
    /// when an input is known and never what is computed, so that all values stay the same.
    pub fn per_row(self) -> Self {
        let inputs = self.inputs.into_iter().map(|input| Input { scope: Scope::Row, ..input });
        Self { inputs: inputs.collect(), ..self }
    }
}

/// What fitted and wrote a spec: told to people, never interpreted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Producer {
    /// The fitting library.
    pub library: String,
    /// Its version.
    pub version: String,
    /// What wrote the spec.
    pub exporter: String,
}

/// A column that a request carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Unique among the inputs; kept letter for letter.
    pub name: String,
    /// The type of its values.
    pub dtype: InputType,
    /// One value for a request, or one for each row.
    pub scope: Scope,
    /// Whether a request without this column is refused. A column that may be missing is then all null.
    pub required: bool,
    /// What NaN means; written for float32 and float64 (and lists of them), and for no other type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nan: Option<NanMeaning>,
}

impl Input {
    /// The column's type inside.
    pub fn column_type(&self) -> Type {
        Type { list: self.dtype.list, ..Type::scalar(self.dtype.scalar.element()) }
    }
}

/// The type of an input's values: a scalar's name, or `list<...>` around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InputType {
    pub scalar: ScalarType,
    pub list: bool,
}

/// The scalar types of inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScalarType {
    Float32,
    Float64,
    Int64,
    Uint64,
    Bool,
    String,
}

impl ScalarType {
    /// All of them.
    pub const ALL: [ScalarType; 6] =
        [Self::Float32, Self::Float64, Self::Int64, Self::Uint64, Self::Bool, Self::String];

    /// The name that specs use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Int64 => "int64",
            Self::Uint64 => "uint64",
            Self::Bool => "bool",
            Self::String => "string",
        }
    }

    /// The element type inside: floats are computed in 64 bits.
    pub fn element(self) -> Element {
        match self {
            Self::Float32 | Self::Float64 => Element::Float64,
            Self::Int64 => Element::Int64,
            Self::Uint64 => Element::Uint64,
            Self::Bool => Element::Bool,
            Self::String => Element::String,
        }
    }
}

impl fmt::Display for InputType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.list { write!(f, "list<{}>", self.scalar.name()) } else { f.write_str(self.scalar.name()) }
    }
}

impl FromStr for InputType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let inner = text.strip_prefix("list<").and_then(|rest| rest.strip_suffix('>'));
        let name = inner.unwrap_or(text);
        let scalar = ScalarType::ALL.into_iter().find(|scalar| scalar.name() == name);
        scalar.map(|scalar| Self { scalar, list: inner.is_some() }).ok_or_else(|| {
            format!("unknown dtype {text:?}; known are float32, float64, int64, uint64, bool, string, and list<...> of them")
        })
    }
}

impl Serialize for InputType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for InputType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for InputType {
    fn schema_name() -> Cow<'static, str> {
        "InputType".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let all = ScalarType::ALL.into_iter();
        let names = all.flat_map(|scalar| [false, true].map(|list| InputType { scalar, list }.to_string()));
        json_schema!({"enum": names.collect::<Vec<_>>()})
    }
}

/// How many values a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One value for the request: user, context.
    Request,
    /// One value for each candidate.
    Row,
}

/// What NaN means in a float column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NanMeaning {
    /// No value, as scikit-learn has it.
    Null,
    /// A value that is not a number.
    Value,
}

/// A table and what holds its key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// Unique among the lookups; without dots, slashes, backslashes and control characters; not "feature".
    pub name: String,
    /// The table's name.
    pub table: String,
    /// What holds the key: an input or another lookup's column; for a composite key an object, from each of the table's
    /// key columns to what holds it. A list here looks up a row for each element.
    pub key: Key,
}

/// A named node: inputs, a chain of transforms, and what is served where the result is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// Unique among the features; kept letter for letter.
    pub name: String,
    /// The single input: an input's name, `<lookup>.<column>`, or `feature.<name>`. Either this or `inputs` is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Reference>,
    /// Several inputs, for a first step that takes several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Vec<Reference>>,
    /// Applied one after the other; the first takes the inputs, each other one the result before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Transform>,
    /// What an output holds where the result is null: one number or one for each lane. Written exactly where the
    /// feature stands in an output and its result can be null. Other features that read this one see the null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<PerLane>,
    /// The full names of its columns in outputs, one for each lane, as the fitting library has them. Without them columns
    /// are named after the feature and its lanes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
}

impl Feature {
    /// The references that it reads, in order.
    pub fn references(&self) -> &[Reference] {
        match (&self.input, &self.inputs) {
            (Some(input), _) => std::slice::from_ref(input),
            (None, Some(inputs)) => inputs,
            (None, None) => &[],
        }
    }
}

/// A named tensor: features side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Unique among the outputs.
    pub name: String,
    /// The element type: values are computed in float64 and rounded to it once.
    pub dtype: OutputType,
    /// The features' names, in the order of the tensor's columns. A feature may stand in several outputs.
    pub features: Vec<String>,
}

/// Element types of output tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutputType {
    Float32,
    Float16,
    Bfloat16,
    Float64,
    /// Of int64 features alone: ids for embeddings inside the model.
    Int64,
}

impl OutputType {
    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            Self::Float16 | Self::Bfloat16 => 2,
            Self::Float32 => 4,
            Self::Float64 | Self::Int64 => 8,
        }
    }

    /// The name that specs use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Float16 => "float16",
            Self::Bfloat16 => "bfloat16",
            Self::Float64 => "float64",
            Self::Int64 => "int64",
        }
    }
}

/// The JSON Schema of specs, as published.
pub fn json_schema() -> Schema {
    schemars::schema_for!(Spec)
}
