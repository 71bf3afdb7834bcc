//! What type a column of texts has: the tightest that holds every one of them as it is.

use crate::files::{Stored, truth_of};

/// The types that the texts seen so far can have.
#[derive(Debug, Clone)]
pub struct TextTypes {
    any: bool,
    truth: bool,
    integer: bool,
    unsigned: bool,
    float: bool,
}

impl Default for TextTypes {
    fn default() -> Self {
        Self { any: false, truth: true, integer: true, unsigned: true, float: true }
    }
}

impl TextTypes {
    /// Takes one more text, which is not null.
    pub fn add(&mut self, text: &str) {
        self.any = true;
        self.truth = self.truth && truth_of(text).is_some();
        self.integer = self.integer && is_written_so::<i64>(text);
        self.unsigned = self.unsigned && is_written_so::<u64>(text);
        self.float = self.float && is_float(text);
    }

    /// The type, or none where no text came.
    pub fn stored(&self) -> Option<Stored> {
        self.any.then_some(match self {
            Self { truth: true, .. } => Stored::Bool,
            Self { integer: true, .. } => Stored::Int64,
            Self { unsigned: true, .. } => Stored::Uint64,
            Self { float: true, .. } => Stored::Float64,
            _ => Stored::String,
        })
    }
}

/// Whether the text is how the integer is written: one with leading zeros is a code, which would lose them.
fn is_written_so<T: std::str::FromStr + ToString>(text: &str) -> bool {
    text.parse::<T>().is_ok_and(|value| value.to_string() == text)
}

/// Whether the text is a float that loses nothing: codes with leading zeros and integers beyond 2^53 would.
fn is_float(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    let is_integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_integer && (digits.len() > 1 && digits.starts_with('0') || text.parse::<i64>().is_ok_and(beyond)) {
        return false;
    }
    (!is_integer || text.parse::<i64>().is_ok()) && text.parse::<f64>().is_ok()
}

fn beyond(value: i64) -> bool {
    value.unsigned_abs() > 1 << f64::MANTISSA_DIGITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_type_that_loses_nothing_is_found() {
        let checks: [(&[&str], Option<Stored>); 13] = [
            (&[], None),
            (&["1", "-7"], Some(Stored::Int64)),
            (&["0", "1"], Some(Stored::Int64)),
            (&["1", "18446744073709551615"], Some(Stored::Uint64)),
            (&["1", "18446744073709551616"], Some(Stored::String)),
            (&["1", "2.5", "nan", "1e5"], Some(Stored::Float64)),
            (&["9007199254740993", "2.5"], Some(Stored::String)),
            (&["007"], Some(Stored::String)),
            (&["0.07", "-0"], Some(Stored::Float64)),
            (&["true", "False"], Some(Stored::Bool)),
            (&["true", "1"], Some(Stored::String)),
            (&["1", "x"], Some(Stored::String)),
            (&["2024-01-01"], Some(Stored::String)),
        ];
        for (texts, expect) in checks {
            let mut types = TextTypes::default();
            texts.iter().for_each(|text| types.add(text));
            assert_eq!(types.stored(), expect, "{texts:?}");
        }
    }
}
