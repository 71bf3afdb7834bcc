//! A column's type as people write it: `int64`, `list<string>`, `float32[64]`.

use std::{fmt, str::FromStr};

use super::{
    Stored,
    schema::{ColumnSchema, Shape, WIDTH_LIMIT},
};
use crate::batch::Type;

/// What a column stores, and in which shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnType {
    pub stored: Stored,
    pub shape: Shape,
}

impl ColumnType {
    /// The type that is read out.
    pub fn of(self) -> Type {
        let scalar = Type::scalar(self.stored.element());
        match self.shape {
            Shape::Scalar => scalar,
            Shape::List => scalar.listed(),
            Shape::Vector(width) => Type::vector(width),
        }
    }

    /// A column of this type. NaN is null but inside vectors, of which a single element may be missing.
    pub fn column(self, name: &str) -> ColumnSchema {
        let column = match self.shape {
            Shape::Scalar => ColumnSchema::scalar(name, self.stored),
            Shape::List => ColumnSchema::list(name, self.stored),
            Shape::Vector(width) => ColumnSchema::vector(name, self.stored, width),
        };
        let nan_is_null = self.stored.is_float() && !matches!(self.shape, Shape::Vector(_));
        ColumnSchema { nan_is_null, ..column }
    }

    /// The type of a column.
    pub fn of_column(column: &ColumnSchema) -> Self {
        let shape = match column.of.width {
            Some(width) => Shape::Vector(width),
            None if column.of.list => Shape::List,
            None => Shape::Scalar,
        };
        Self { stored: column.stored, shape }
    }

    /// Whether a key column can have it.
    pub fn is_key(self) -> bool {
        self.shape == Shape::Scalar && matches!(self.stored, Stored::Int64 | Stored::Uint64 | Stored::String)
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.stored;
        match self.shape {
            Shape::Scalar => name.fmt(f),
            Shape::List => write!(f, "list<{name}>"),
            Shape::Vector(width) => write!(f, "{name}[{width}]"),
        }
    }
}

impl FromStr for ColumnType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if Stored::is_time(text) {
            return Ok(Self { stored: text.parse()?, shape: Shape::Scalar });
        }
        let list = text.strip_prefix("list<").and_then(|rest| rest.strip_suffix('>'));
        let vector = text.strip_suffix(']').and_then(|rest| rest.split_once('['));
        let (name, shape) = match (list, vector) {
            (Some(name), _) => (name, Some(Shape::List)),
            (None, Some((name, width))) => (name, width.parse().ok().map(Shape::Vector)),
            (None, None) => (text, Some(Shape::Scalar)),
        };
        let (Ok(stored), Some(shape)) = (name.parse::<Stored>(), shape) else {
            let names = Stored::names().join(", ");
            return Err(format!(
                "{text:?} is not a type; those of elements are {names}; lists are written as in list<int64>, vectors \
                 as in float32[64]"
            ));
        };
        match shape {
            Shape::Vector(_) if !stored.is_float() => Err(format!("{text:?}: vectors are of floats")),
            Shape::Vector(width) if !(1..=WIDTH_LIMIT).contains(&width) => {
                Err(format!("{text:?}: vectors have 1 to {WIDTH_LIMIT} elements"))
            }
            _ => Ok(Self { stored, shape }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_as_they_are_written() {
        for text in
            ["int64", "string", "list<uint8>", "float16[1]", "float64[65536]", "timestamp[us]", "list<date>"]
        {
            let of: ColumnType = text.parse().expect(text);
            assert_eq!(of.to_string(), text);
        }
        let checks = [
            ("int", "\"int\" is not a type; those of elements are float16, "),
            ("list<float>", "is not a type"),
            ("int32[4]", "vectors are of floats"),
            ("float32[0]", "1 to 65536"),
            ("float32[x]", "is not a type"),
        ];
        for (text, expect) in checks {
            let found = text.parse::<ColumnType>().expect_err(text);
            assert!(found.contains(expect), "{found}");
        }
    }
}
