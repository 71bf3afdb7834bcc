//! Which of a file's types are read as which of ours, always without loss.

use arrow_schema::DataType;

use super::Stored;
use crate::batch::Type;

/// A column to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The column's name in the file.
    pub name: String,
    /// The type that it is read as.
    pub of: Type,
    /// The type that elements must fit into.
    pub stored: Stored,
}

/// Whether a file's type is read as the target's.
pub fn check(data: &DataType, target: &Target) -> Result<(), String> {
    let element = match (target.of.width, target.of.list) {
        (None, false) => Some(data),
        (None, true) => list_element(data),
        (Some(width), _) => match data {
            DataType::FixedSizeList(_, size) if usize::try_from(*size) != Ok(width) => {
                return Err(format!("holds vectors of {size}, {width} are wanted"));
            }
            _ => list_element(data),
        },
    };
    match element {
        Some(element) if is_read_as(element, target.stored) => Ok(()),
        _ => Err(format!("is {data}, which can't be read as {} without loss", wanted(target))),
    }
}

fn wanted(target: &Target) -> String {
    let stored = target.stored.name();
    match (target.of.width, target.of.list) {
        (Some(width), _) => format!("vectors of {width} {stored}"),
        (None, true) => format!("lists of {stored}"),
        (None, false) => stored.to_owned(),
    }
}

fn list_element(data: &DataType) -> Option<&DataType> {
    match data {
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            Some(field.data_type())
        }
        _ => None,
    }
}

/// Integers of any width are read as any other, each value checked; floats hold integers of at most half their bits.
fn is_read_as(data: &DataType, stored: Stored) -> bool {
    use DataType as D;
    match stored {
        Stored::Float16 => matches!(data, D::Float16 | D::Int8 | D::UInt8),
        Stored::Float32 => {
            matches!(data, D::Float32 | D::Int16 | D::UInt16) || is_read_as(data, Stored::Float16)
        }
        Stored::Float64 => {
            matches!(data, D::Float64 | D::Int32 | D::UInt32) || is_read_as(data, Stored::Float32)
        }
        Stored::Bool => matches!(data, D::Boolean),
        Stored::String => match data {
            D::Dictionary(_, values) => is_text(values),
            _ => is_text(data),
        },
        _ => data.is_integer(),
    }
}

fn is_text(data: &DataType) -> bool {
    matches!(data, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// The type that loses nothing of a file's column of scalars.
pub fn natural(data: &DataType) -> Option<Stored> {
    let all = [Stored::Bool, Stored::String, Stored::Float64];
    match data {
        DataType::UInt64 => Some(Stored::Uint64),
        _ if data.is_integer() => Some(Stored::Int64),
        _ => all.into_iter().find(|&stored| is_read_as(data, stored)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_schema::{DataType as D, Field};

    use super::*;

    #[test]
    fn only_lossless_reading_is_accepted() {
        let element = |of: D| Arc::new(Field::new_list_field(of, true));
        let dictionary = |of: D| D::Dictionary(Box::new(D::Int32), Box::new(of));
        let target = |of: Type, stored: Stored| Target { name: "c".to_owned(), of, stored };
        let scalar = |stored: Stored| target(Type::scalar(stored.element()), stored);
        let list = |stored: Stored| target(Type::scalar(stored.element()).listed(), stored);
        let vector = |stored| target(Type::vector(4), stored);
        let checks = [
            (D::Float16, scalar(Stored::Float32), true),
            (D::Float64, scalar(Stored::Float32), false),
            (D::Int32, scalar(Stored::Float64), true),
            (D::Int32, scalar(Stored::Float32), false),
            (D::Int64, scalar(Stored::Float64), false),
            (D::UInt64, scalar(Stored::Int8), true),
            (D::Float32, scalar(Stored::Int64), false),
            (D::Boolean, scalar(Stored::Int64), false),
            (dictionary(D::Utf8), scalar(Stored::String), true),
            (dictionary(D::Int8), scalar(Stored::String), false),
            (D::Binary, scalar(Stored::String), false),
            (D::Utf8, list(Stored::String), false),
            (D::List(element(D::Utf8)), list(Stored::String), true),
            (D::List(element(D::List(element(D::Utf8)))), list(Stored::String), false),
            (D::LargeList(element(D::Float32)), vector(Stored::Float32), true),
            (D::FixedSizeList(element(D::Float32), 4), vector(Stored::Float32), true),
            (D::FixedSizeList(element(D::Float32), 5), vector(Stored::Float32), false),
            (D::FixedSizeList(element(D::Float64), 4), vector(Stored::Float16), false),
        ];
        for (data, target, expect) in checks {
            let found = check(&data, &target);
            assert_eq!(found.is_ok(), expect, "{data} as {target:?}: {found:?}");
        }
    }
}
