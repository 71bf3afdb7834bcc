//! Element types as files and tables have them.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::batch::{
    Element,
    time::{Time, TimeType},
};

/// Element types as tables keep them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stored {
    Float16,
    Float32,
    Float64,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Bool,
    String,
    /// Kept as int64.
    Time(TimeType),
}

impl Stored {
    /// All but times, with the names that `table.json` uses.
    const PLAIN: [(Self, &str); 13] = [
        (Self::Float16, "float16"),
        (Self::Float32, "float32"),
        (Self::Float64, "float64"),
        (Self::Int8, "int8"),
        (Self::Int16, "int16"),
        (Self::Int32, "int32"),
        (Self::Int64, "int64"),
        (Self::Uint8, "uint8"),
        (Self::Uint16, "uint16"),
        (Self::Uint32, "uint32"),
        (Self::Uint64, "uint64"),
        (Self::Bool, "bool"),
        (Self::String, "string"),
    ];

    /// Whether it is a float type of at most 32 bits.
    pub fn is_narrow_float(self) -> bool {
        matches!(self, Self::Float16 | Self::Float32)
    }

    /// Whether it is a float type.
    pub fn is_float(self) -> bool {
        self.element() == Element::Float64
    }

    /// The names of all of them; of timestamps those without a zone.
    pub fn names() -> Vec<String> {
        let times = Time::all().map(|time| time.name().to_owned());
        Self::PLAIN.iter().map(|(_, name)| (*name).to_owned()).chain(times).collect()
    }

    /// Whether a name is meant as a time's.
    pub fn is_time(name: &str) -> bool {
        ["timestamp", "duration", "date"].iter().any(|time| name.starts_with(time))
    }

    /// The element type that it is read out as.
    pub fn element(self) -> Element {
        match self {
            Self::Float16 | Self::Float32 | Self::Float64 => Element::Float64,
            Self::Int8 | Self::Int16 | Self::Int32 | Self::Int64 => Element::Int64,
            Self::Uint8 | Self::Uint16 | Self::Uint32 | Self::Uint64 => Element::Uint64,
            Self::Bool => Element::Bool,
            Self::String => Element::String,
            Self::Time(of) => Element::Time(of.time),
        }
    }

    /// Bytes of one element; for a string those of its length.
    pub fn bytes(self) -> usize {
        match self {
            Self::Int8 | Self::Uint8 | Self::Bool => 1,
            Self::Float16 | Self::Int16 | Self::Uint16 => 2,
            Self::Float32 | Self::Int32 | Self::Uint32 | Self::String => 4,
            Self::Float64 | Self::Int64 | Self::Uint64 | Self::Time(_) => 8,
        }
    }
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, Self::PLAIN.iter().find(|(plain, _)| plain == self)) {
            (Self::Time(of), _) => of.fmt(f),
            (_, Some((_, name))) => f.write_str(name),
            (_, None) => f.write_str(self.element().name()),
        }
    }
}

impl FromStr for Stored {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((plain, _)) = Self::PLAIN.iter().find(|(_, name)| *name == text) {
            return Ok(*plain);
        }
        if ["timestamp", "duration", "date"].iter().any(|time| text.starts_with(time)) {
            return text.parse().map(Self::Time);
        }
        let known = Self::PLAIN.map(|(_, name)| name).join(", ");
        Err(format!(
            "unknown dtype {text:?}; known are {known}, timestamp[UNIT], timestamp[UNIT, ZONE], duration[UNIT] (s, ms, us, ns) and date"
        ))
    }
}

impl Serialize for Stored {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Stored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Stored {
    fn schema_name() -> Cow<'static, str> {
        "Stored".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let zoned = json_schema!({"type": "string", "pattern": r"^timestamp\[(s|ms|us|ns), ?[^\]]+\]$"});
        json_schema!({"anyOf": [{"enum": Self::names()}, zoned]})
    }
}
