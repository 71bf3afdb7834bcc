//! The spec: the fitted document of one version of a feature set, as written.
//!
//! Every behavioural switch is a required field and unknown fields are rejected: the server assumes nothing.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de::Error as _};

use crate::{
    batch::{
        Element, Type,
        time::{Time, TimeType, TimeUnit},
    },
    transform::{Transform, parameters::PerLane},
};

pub mod fallback;
pub mod golden;
mod key;
mod max_age;
pub mod places;
pub mod read;
mod reference;

pub use fallback::Fallback;
pub use key::Key;
pub use max_age::{MaxAge, Stale};
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
    /// The tables that are looked up, some of them several times.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.lookups.iter().flat_map(Lookup::tables)
    }

    /// The tables that are looked up, each with the version that the spec names, if it names one.
    pub fn table_versions(&self) -> BTreeSet<(String, Option<u32>)> {
        let mut versions: BTreeMap<&str, Option<u32>> = self.tables().map(|table| (table, None)).collect();
        for Lookup { table, version, .. } in &self.lookups {
            let known = versions.entry(table).or_default();
            *known = known.or(*version);
        }
        versions.into_iter().map(|(table, version)| (table.to_owned(), version)).collect()
    }

    /// The same spec for rows that bring every input of their own, as flat tables of training data do. A scope states
    /// when an input is known and never what is computed, so that all values stay the same.
    pub fn per_row(self) -> Self {
        let inputs = self.inputs.into_iter().map(|input| Input { scope: Scope::Row, ..input });
        Self { inputs: inputs.collect(), ..self }
    }
}

/// What fitted and wrote a spec: for people to read, never interpreted.
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
    /// Whether a request without this column is rejected. A column that may be missing is then all null.
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

/// The type of an input's values: a scalar's name, or `list<...>` around it. Times are integers that count a unit since
/// 1970-01-01T00:00:00Z: `timestamp[UNIT]` and `timestamp[UNIT, ZONE]` (s, ms, us, ns), `date` (days), and
/// `duration[UNIT]`.
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
    /// Carried as int64.
    Time(TimeType),
}

impl ScalarType {
    /// All but times.
    pub const PLAIN: [ScalarType; 6] =
        [Self::Float32, Self::Float64, Self::Int64, Self::Uint64, Self::Bool, Self::String];

    /// All of them; of timestamps those without a zone.
    fn all() -> impl Iterator<Item = Self> {
        Self::PLAIN.into_iter().chain(Time::all().map(|time| Self::Time(TimeType { time, zone: None })))
    }

    /// The type in which requests carry it.
    pub fn carrier(self) -> Self {
        match self {
            Self::Time(_) => Self::Int64,
            plain => plain,
        }
    }

    /// What the integers of a time count.
    pub fn time_unit(self) -> Option<TimeUnit> {
        match self {
            Self::Time(of) => Some(of.time.unit()),
            _ => None,
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
            Self::Time(of) => Element::Time(of.time),
        }
    }
}

impl fmt::Display for ScalarType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Float32 => f.write_str("float32"),
            Self::Float64 => f.write_str("float64"),
            Self::Int64 => f.write_str("int64"),
            Self::Uint64 => f.write_str("uint64"),
            Self::Bool => f.write_str("bool"),
            Self::String => f.write_str("string"),
            Self::Time(of) => of.fmt(f),
        }
    }
}

impl FromStr for ScalarType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(plain) = Self::PLAIN.into_iter().find(|plain| plain.to_string() == text) {
            return Ok(plain);
        }
        if ["timestamp", "duration", "date"].iter().any(|time| text.starts_with(time)) {
            return text.parse().map(Self::Time);
        }
        let known: Vec<String> = Self::all().map(|scalar| scalar.to_string()).collect();
        Err(format!(
            "unknown dtype {text:?}; known are {}, timestamp[UNIT, ZONE], and list<...> of them",
            known.join(", ")
        ))
    }
}

impl fmt::Display for InputType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.list { write!(f, "list<{}>", self.scalar) } else { self.scalar.fmt(f) }
    }
}

impl FromStr for InputType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let inner = text.strip_prefix("list<").and_then(|rest| rest.strip_suffix('>'));
        Ok(Self { scalar: inner.unwrap_or(text).parse()?, list: inner.is_some() })
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
        let names = ScalarType::all()
            .flat_map(|scalar| [false, true].map(|list| InputType { scalar, list }.to_string()));
        let zoned = r"^(timestamp\[(s|ms|us|ns), ?[^\]]+\]|list<timestamp\[(s|ms|us|ns), ?[^\]]+\]>)$";
        json_schema!({"anyOf": [{"enum": names.collect::<Vec<_>>()}, {"type": "string", "pattern": zoned}]})
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
    /// The table's version; without it, the newest one. It holds for all lookups of the table: two that name different ones
    /// are a problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// What holds the key: an input, another lookup's column or a feature; for a composite key an object, from each of the table's
    /// key columns to what holds it. A list here looks up a row for each element.
    pub key: Key,
    /// How old a row may be, by the event times of the table: features that read an older one have the status stale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<MaxAge>,
    /// What is served of an older row; written exactly where `max_age` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<Stale>,
    /// What answers where there is no row (the key is null or not found, or the row too old to be served): for each column
    /// the first that gives it and has a row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<Fallback>,
}

impl Lookup {
    /// Its table and those of its fall-backs.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.table).chain(self.fallbacks.iter().filter_map(Fallback::table))
    }
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
    /// Whether its features are lists: the tensor then has a row for each element, and states where the elements of each
    /// of the request's rows begin.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ragged: bool,
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
