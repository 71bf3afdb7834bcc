//! Scalars as keys that are equal exactly where the scalars are, to sort and to compare.

use super::vocabulary::float_word;
use crate::batch::{Column, Values};

/// The keys of a column's values.
#[derive(Debug)]
pub enum Keys<'a> {
    /// Integers and booleans by their bits; floats too, with one word for both zeros and one for every NaN.
    Words(Vec<u64>),
    Texts(Vec<&'a [u8]>),
}

impl<'a> Keys<'a> {
    /// A key for each value, null or not.
    pub fn of(column: &'a Column) -> Self {
        match &column.values {
            Values::Int64(values) => Self::Words(values.iter().map(|&value| value as u64).collect()),
            Values::Uint64(values) => Self::Words(values.clone()),
            Values::Bool(values) => Self::Words(values.iter().map(|&value| value.into()).collect()),
            Values::String(strings) => {
                Self::Texts((0..strings.len()).map(|position| strings.get_bytes(position)).collect())
            }
            _ => Self::Words(column.float64().iter().map(|&value| float_word(value)).collect()),
        }
    }
}

/// Runs `$body` with two columns' keys, which are of one type because the columns are.
macro_rules! with_keys {
    ($one:expr, $other:expr, ($a:ident, $b:ident) => $body:expr) => {
        match ($crate::transform::keys::Keys::of($one), $crate::transform::keys::Keys::of($other)) {
            ($crate::transform::keys::Keys::Words($a), $crate::transform::keys::Keys::Words($b)) => $body,
            ($crate::transform::keys::Keys::Texts($a), $crate::transform::keys::Keys::Texts($b)) => $body,
            // The type check makes sure that they are of one type.
            _ => {}
        }
    };
}
pub(super) use with_keys;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::floats;

    #[test]
    fn equal_floats_have_one_key() {
        let Keys::Words(words) = Keys::of(&floats(&[Some(0.0), Some(-0.0), Some(f64::NAN), Some(-f64::NAN)]))
        else {
            panic!("floats are words")
        };
        assert_eq!((words[0], words[2]), (words[1], words[3]));
        assert_ne!(words[0], words[2]);
    }
}
