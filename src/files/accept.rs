//! Columns to be read, and which of a file's types are read as which of ours.

use std::fmt::Display;

use arrow_schema::DataType;

use super::{Misfit, Stored, fit::Fit, times};
use crate::batch::{Element, Type};

/// A column to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The column's name in the file.
    pub name: String,
    /// The type that it is read as.
    pub of: Type,
    /// The type that elements must fit into.
    pub stored: Stored,
    /// Whether what does not fit is read as the nearest value, or as null where none is near.
    pub lossy: bool,
    /// Whether texts are read as the numbers that they state, and numbers written as text.
    pub cast: bool,
    /// Whether vectors of float32 come as float32, where the file has them so.
    pub compact: bool,
}

impl Target {
    /// A column that is read without loss.
    pub fn new(name: impl Into<String>, of: Type, stored: Stored) -> Self {
        Self { name: name.into(), of, stored, lossy: false, cast: false, compact: false }
    }

    /// The value that is read; `report` is given what is wrong with one that does not fit.
    pub fn settle<T>(
        &self,
        fit: Fit<T>,
        value: &dyn Display,
        report: &mut dyn FnMut(&dyn Fn() -> Misfit),
    ) -> Option<T> {
        match fit {
            Fit::Exact(value) => Some(value),
            Fit::Missing => None,
            Fit::Near(near, loss) => {
                report(&|| loss.misfit(value, self.stored));
                self.lossy.then_some(near)
            }
            Fit::None(loss) => {
                report(&|| loss.misfit(value, self.stored));
                None
            }
        }
    }
}

/// Whether a file's type is read as the target's; each value is looked at later.
pub fn check(data: &DataType, target: &Target) -> Result<(), String> {
    if *data == DataType::Null {
        return Ok(());
    }
    // Lists of vectors are held to the type of their elements.
    let inner = list_element(data).filter(|_| target.of.list && target.of.width.is_some());
    let data_of_vectors = inner.unwrap_or(data);
    let element = match (target.of.width, target.of.list) {
        (None, false) => Some(data),
        (None, true) => list_element(data),
        (Some(_), true) if inner.is_none() => None,
        (Some(width), _) => match data_of_vectors {
            DataType::FixedSizeList(_, size) if usize::try_from(*size) != Ok(width) => {
                return Err(format!("holds vectors of {size}, {width} are wanted"));
            }
            _ => list_element(data_of_vectors),
        },
    };
    match element {
        Some(element) if is_read_as(element, target) => Ok(()),
        element => {
            let hint = element.and_then(|element| hint(element, target.stored)).unwrap_or_default();
            Err(format!("is {data}, which can't be read as {} without loss{hint}", wanted(target)))
        }
    }
}

fn wanted(target: &Target) -> String {
    let stored = target.stored;
    match (target.of.width, target.of.list) {
        (Some(width), true) => format!("lists of vectors of {width} {stored}"),
        (Some(width), false) => format!("vectors of {width} {stored}"),
        (None, true) => format!("lists of {stored}"),
        (None, false) => stored.to_string(),
    }
}

/// The type of a list's elements.
pub fn list_element(data: &DataType) -> Option<&DataType> {
    match data {
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            Some(field.data_type())
        }
        _ => None,
    }
}

/// The way out where times, texts and numbers meet.
fn hint(data: &DataType, stored: Stored) -> Option<String> {
    match stored {
        Stored::Time(of) => times::hint(data, of),
        _ if data.is_temporal() => {
            Some(": it is a time, which a timestamp, a duration or a date can hold".to_owned())
        }
        Stored::String if is_number(plain(data)) => Some(": write its numbers as texts".to_owned()),
        _ if is_text(plain(data)) => Some(": write its texts as numbers".to_owned()),
        _ => None,
    }
}

/// Numbers and truth values are read as each other, decimals also as texts, texts as texts, times as times; where a type
/// was asked for, texts as all of them.
fn is_read_as(data: &DataType, target: &Target) -> bool {
    let data = plain(data);
    let is_string = target.of.element == Element::String;
    match (data, target.stored) {
        (DataType::Null, _) => true,
        _ if is_text(data) => is_string || target.cast,
        (_, Stored::Time(of)) => times::is_read_as(data, of),
        _ if data.is_decimal() => true,
        _ if is_number(data) => !is_string || target.cast,
        _ => false,
    }
}

/// The type under a dictionary.
fn plain(data: &DataType) -> &DataType {
    match data {
        DataType::Dictionary(_, values) => values,
        _ => data,
    }
}

fn is_number(data: &DataType) -> bool {
    use DataType as D;
    data.is_integer() || matches!(data, D::Float16 | D::Float32 | D::Float64 | D::Boolean)
}

/// Whether it is a type of strings.
pub fn is_text(data: &DataType) -> bool {
    matches!(data, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// What a file states about a column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Natural {
    /// Texts, which by themselves say what they are.
    Text,
    /// Nothing: every value is null.
    Null,
    Scalar(Stored),
    List(Stored),
    /// Lists of one length.
    Fixed(Stored, usize),
    /// Lists of vectors of one width.
    Vectors(Stored, usize),
}

impl Natural {
    /// The type of a file's column, or why no column of ours can have it.
    pub fn of(data: &DataType) -> Result<Self, String> {
        let refused = || format!("is {data}, which no column can have");
        let Some(element) = list_element(data) else {
            return match data {
                DataType::Null => Ok(Self::Null),
                _ => natural(data).map(Self::Scalar).ok_or_else(refused),
            };
        };
        if let DataType::FixedSizeList(lane, size) = element
            && let Some(stored) = natural(lane.data_type())
        {
            return Ok(Self::Vectors(stored, usize::try_from(*size).unwrap_or_default()));
        }
        let stored = natural(element).ok_or_else(refused)?;
        Ok(match data {
            _ if *element == DataType::Null => Self::Null,
            DataType::FixedSizeList(_, size) => {
                Self::Fixed(stored, usize::try_from(*size).unwrap_or_default())
            }
            _ => Self::List(stored),
        })
    }

    /// The column read as what it is; vectors come as lists, and lists of vectors of integers as such of float32.
    pub fn target(self, name: &str) -> Target {
        let scalar = |stored: Stored| Type::scalar(stored.element());
        match self {
            Self::Text => Target::new(name, scalar(Stored::String), Stored::String),
            Self::Null => Target::new(name, scalar(Stored::Float64), Stored::Float64),
            Self::Scalar(stored) => Target::new(name, scalar(stored), stored),
            Self::List(stored) | Self::Fixed(stored, _) => Target::new(name, scalar(stored).listed(), stored),
            Self::Vectors(stored, width) => {
                let stored = if stored.is_float() { stored } else { Stored::Float32 };
                Target::new(name, Type::vector(width).listed(), stored)
            }
        }
    }
}

/// The type that loses nothing of a file's column of scalars; for a column that is all null, any would do.
pub fn natural(data: &DataType) -> Option<Stored> {
    use DataType as D;
    Some(match plain(data) {
        D::Null | D::Float64 => Stored::Float64,
        D::Float16 => Stored::Float16,
        D::Float32 => Stored::Float32,
        D::Int8 => Stored::Int8,
        D::Int16 => Stored::Int16,
        D::Int32 => Stored::Int32,
        D::Int64 => Stored::Int64,
        D::UInt8 => Stored::Uint8,
        D::UInt16 => Stored::Uint16,
        D::UInt32 => Stored::Uint32,
        D::UInt64 => Stored::Uint64,
        D::Boolean => Stored::Bool,
        data if is_text(data) => Stored::String,
        data if data.is_decimal() => Stored::Float64,
        data => Stored::Time(times::natural(data)?),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_schema::{DataType as D, Field, TimeUnit};

    use super::*;

    #[test]
    fn types_that_may_lose_nothing_are_accepted() {
        let element = |of: D| Arc::new(Field::new_list_field(of, true));
        let dictionary = |of: D| D::Dictionary(Box::new(D::Int32), Box::new(of));
        let scalar = |stored: Stored| Target::new("c", Type::scalar(stored.element()), stored);
        let list = |stored: Stored| Target::new("c", Type::scalar(stored.element()).listed(), stored);
        let vector = |stored| Target::new("c", Type::vector(4), stored);
        let time = |name: &str| scalar(name.parse().expect("a type"));
        let cast = |stored| Target { cast: true, ..scalar(stored) };
        let checks = [
            (D::Float16, scalar(Stored::Float32), true),
            (D::Float64, scalar(Stored::Float32), true),
            (D::Int64, scalar(Stored::Float64), true),
            (D::UInt64, scalar(Stored::Int8), true),
            (D::Float32, scalar(Stored::Int64), true),
            (D::Boolean, scalar(Stored::Int64), true),
            (D::Decimal128(10, 2), scalar(Stored::Int64), true),
            (D::Decimal256(40, 2), scalar(Stored::String), true),
            (D::Date32, scalar(Stored::Int64), false),
            (D::Date32, time("date"), true),
            (D::Int64, time("date"), false),
            (D::Timestamp(TimeUnit::Second, None), time("timestamp[ns]"), true),
            (D::Timestamp(TimeUnit::Second, None), time("timestamp[ns, UTC]"), false),
            (D::Timestamp(TimeUnit::Second, Some("UTC".into())), time("timestamp[ns, UTC]"), true),
            (D::Timestamp(TimeUnit::Second, Some("UTC".into())), time("timestamp[ns]"), true),
            (D::Duration(TimeUnit::Second), time("duration[ms]"), true),
            (D::Duration(TimeUnit::Second), time("timestamp[ms]"), false),
            (D::Int8, scalar(Stored::Bool), true),
            (D::Null, scalar(Stored::String), true),
            (D::Null, vector(Stored::Float32), true),
            (dictionary(D::Utf8), scalar(Stored::String), true),
            (dictionary(D::Int8), scalar(Stored::Int64), true),
            (dictionary(D::Int8), scalar(Stored::String), false),
            (D::Int64, scalar(Stored::String), false),
            (D::Int64, cast(Stored::String), true),
            (D::Utf8, scalar(Stored::Int64), false),
            (D::LargeUtf8, cast(Stored::Int64), true),
            (D::Binary, cast(Stored::String), false),
            (D::Utf8, list(Stored::String), false),
            (D::List(element(D::Utf8)), list(Stored::String), true),
            (D::List(element(D::Null)), list(Stored::String), true),
            (D::List(element(D::List(element(D::Utf8)))), list(Stored::String), false),
            (D::LargeList(element(D::Float64)), vector(Stored::Float32), true),
            (D::FixedSizeList(element(D::Float32), 4), vector(Stored::Float32), true),
            (D::FixedSizeList(element(D::Float32), 5), vector(Stored::Float32), false),
        ];
        for (data, target, expect) in checks {
            let found = check(&data, &target);
            assert_eq!(found.is_ok(), expect, "{data} as {target:?}: {found:?}");
        }
    }
}
