//! Element types as files and tables have them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::batch::Element;

/// Element types as tables keep them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
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
}

impl Stored {
    /// All of them.
    pub const ALL: [Stored; 13] = [
        Self::Float16,
        Self::Float32,
        Self::Float64,
        Self::Int8,
        Self::Int16,
        Self::Int32,
        Self::Int64,
        Self::Uint8,
        Self::Uint16,
        Self::Uint32,
        Self::Uint64,
        Self::Bool,
        Self::String,
    ];

    /// The type of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stored| stored.name() == name)
    }

    /// Whether it is a float type.
    pub fn is_float(self) -> bool {
        self.element() == Element::Float64
    }

    /// The element type that it is read out as.
    pub fn element(self) -> Element {
        match self {
            Self::Float16 | Self::Float32 | Self::Float64 => Element::Float64,
            Self::Int8 | Self::Int16 | Self::Int32 | Self::Int64 => Element::Int64,
            Self::Uint8 | Self::Uint16 | Self::Uint32 | Self::Uint64 => Element::Uint64,
            Self::Bool => Element::Bool,
            Self::String => Element::String,
        }
    }

    /// The name that `table.json` uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float16 => "float16",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Bool => "bool",
            Self::String => "string",
        }
    }

    /// Bytes of one element; for a string those of its length.
    pub fn bytes(self) -> usize {
        match self {
            Self::Int8 | Self::Uint8 | Self::Bool => 1,
            Self::Float16 | Self::Int16 | Self::Uint16 => 2,
            Self::Float32 | Self::Int32 | Self::Uint32 | Self::String => 4,
            Self::Float64 | Self::Int64 | Self::Uint64 => 8,
        }
    }
}
