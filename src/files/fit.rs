//! A file's numbers and texts as values of another type: exactly, or else with what `--lossy` makes of them.

use std::fmt;

use half::f16;

use super::Stored;

/// A number as files have it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A float of `digits` binary digits, so that every whole number below 2^digits is one of them.
    Float {
        value: f64,
        digits: u32,
    },
    Integer(i128),
}

/// What a file's value is in another type.
#[derive(Debug, Clone, PartialEq)]
pub enum Fit<T> {
    /// The same value.
    Exact(T),
    /// Null: NaN where only numbers can be, or an empty text.
    Missing,
    /// The nearest value; something is lost.
    Near(T, Loss),
    /// No value is near.
    None(Loss),
}

/// What is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Binary digits of a float, or the low digits of a large integer.
    Digits,
    /// What follows the decimal point.
    Fraction,
    /// Perhaps the last digits, before the file was written: floats beyond 2^53 stand for several integers.
    Identity,
    /// The value is outside of the type's range.
    Range,
    /// It is neither 0 nor 1.
    Truth,
    /// The text is none of the type's values.
    Text,
    /// The time is not a whole number of the type's unit.
    Unit,
}

/// Why a value can't be read without loss, and its value with loss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    pub why: String,
    /// What `--lossy` does: "rounds it".
    pub lossy: String,
}

impl Misfit {
    /// The problem, and what `option` would do.
    pub fn with_way_out(&self, option: &str) -> String {
        format!("{} ({option} {})", self.why, self.lossy)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Debug writes large and tiny floats with an exponent.
            Self::Float { value, .. } => write!(f, "{value:?}"),
            Self::Integer(value) => write!(f, "{value}"),
        }
    }
}

impl Loss {
    /// The misfit of `value`, which people read, in a column of `stored`.
    pub fn misfit(self, value: &dyn fmt::Display, stored: Stored) -> Misfit {
        let name = stored;
        let (why, lossy) = match self {
            Self::Digits => (format!("{value} is not exact in {name}"), "rounds it"),
            Self::Fraction => (format!("{value} is not a whole number for {name}"), "cuts the fraction"),
            Self::Identity => {
                let why = format!(
                    "{value} may stand for another integer: floats hold each whole number below 2^53 only, so \
                     write the column as integers"
                );
                (why, "takes it as it is")
            }
            Self::Range => (format!("{value} does not fit into {name}"), "makes it null"),
            Self::Truth => (format!("{value} is neither 0 nor 1, for bool"), "reads it as true"),
            Self::Unit => (format!("{value} are not exact in {name}"), "cuts it towards the past"),
            Self::Text => (format!("{value} is not {name}"), "makes it null"),
        };
        Misfit { why, lossy: lossy.to_owned() }
    }
}

/// Integer types that values are read as.
pub trait Integer: TryFrom<i128> + Copy + Default {}

impl Integer for i64 {}
impl Integer for u64 {}

/// The number in a float of the stored width.
pub fn to_float(number: Number, stored: Stored) -> Fit<f64> {
    let (rounded, exact) = match number {
        Number::Float { value, .. } => {
            let rounded = round(value, stored);
            (rounded, rounded == value || value.is_nan())
        }
        Number::Integer(value) => {
            let rounded = round(value as f64, stored);
            (rounded, rounded as i128 == value)
        }
    };
    let overflow = rounded.is_infinite() && !is_infinite(number);
    match (exact, overflow) {
        (true, _) => Fit::Exact(rounded),
        (false, true) => Fit::None(Loss::Range),
        (false, false) => Fit::Near(rounded, Loss::Digits),
    }
}

fn is_infinite(number: Number) -> bool {
    matches!(number, Number::Float { value, .. } if value.is_infinite())
}

/// The value rounded to the stored width.
pub fn round(value: f64, stored: Stored) -> f64 {
    match stored {
        Stored::Float16 => f16::from_f64(value).to_f64(),
        Stored::Float32 => f64::from(value as f32),
        _ => value,
    }
}

/// The number as an integer of the stored width. NaN is what data frames write for a missing one.
pub fn to_integer<T: Integer>(number: Number, stored: Stored) -> Fit<T> {
    let (whole, loss) = match number {
        Number::Integer(value) => (value, None),
        Number::Float { value, .. } if value.is_nan() => return Fit::Missing,
        Number::Float { value, digits } => {
            let loss = match value {
                _ if value.fract() != 0.0 => Some(Loss::Fraction),
                _ if value.abs() >= 2.0_f64.powi(digits as i32) => Some(Loss::Identity),
                _ => None,
            };
            (value as i128, loss)
        }
    };
    let fits = integer_range(stored).contains(&whole) && !is_infinite(number);
    match (T::try_from(whole).ok().filter(|_| fits), loss) {
        (Some(value), None) => Fit::Exact(value),
        (Some(value), Some(loss)) => Fit::Near(value, loss),
        (None, _) => Fit::None(Loss::Range),
    }
}

fn integer_range(stored: Stored) -> std::ops::RangeInclusive<i128> {
    let signed = |bits: u32| -(1 << (bits - 1))..=(1 << (bits - 1)) - 1;
    let unsigned = |bits: u32| 0..=(1 << bits) - 1;
    let bits = stored.bytes() as u32 * 8;
    match stored {
        Stored::Uint8 | Stored::Uint16 | Stored::Uint32 | Stored::Uint64 => unsigned(bits),
        _ => signed(bits),
    }
}

/// The number as a truth value.
pub fn to_bool(number: Number) -> Fit<bool> {
    let value = match number {
        Number::Float { value, .. } if value.is_nan() => return Fit::Missing,
        Number::Float { value, .. } => value,
        Number::Integer(value) => value as f64,
    };
    match value {
        0.0 => Fit::Exact(false),
        1.0 => Fit::Exact(true),
        _ => Fit::Near(true, Loss::Truth),
    }
}

/// A text as the float of the stored width that is nearest to it.
pub fn text_to_float(text: &str, stored: Stored) -> Fit<f64> {
    let text = text.trim();
    match number_of(text) {
        None => unreadable(text),
        Some(Number::Integer(0)) if text.starts_with('-') => Fit::Exact(-0.0),
        Some(number @ Number::Integer(_)) => to_float(number, stored),
        Some(Number::Float { value, .. }) => {
            // Parsed at its own width, so that it is rounded once.
            let nearest = match stored {
                Stored::Float32 => text.parse::<f32>().map_or(value, f64::from),
                _ => round(value, stored),
            };
            // Digits beyond the type's range make it infinite.
            let overflow = nearest.is_infinite() && text.contains(|letter: char| letter.is_ascii_digit());
            if overflow { Fit::None(Loss::Range) } else { Fit::Exact(nearest) }
        }
    }
}

/// A text as an integer of the stored width; `7.0` is one, as data frames write integers beside nulls.
pub fn text_to_integer<T: Integer>(text: &str, stored: Stored) -> Fit<T> {
    let text = text.trim();
    number_of(text).map_or_else(|| unreadable(text), |number| to_integer(number, stored))
}

/// A text as a truth value.
pub fn text_to_bool(text: &str) -> Fit<bool> {
    let text = text.trim();
    number_of(text).map_or_else(|| unreadable(text), to_bool)
}

fn unreadable<T>(text: &str) -> Fit<T> {
    if text.is_empty() { Fit::Missing } else { Fit::None(Loss::Text) }
}

/// The number that a text states; true is 1.
fn number_of(text: &str) -> Option<Number> {
    if let Ok(value) = text.parse() {
        return Some(Number::Integer(value));
    }
    if let Some(truth) = truth_of(text) {
        return Some(Number::Integer(truth.into()));
    }
    text.parse().ok().map(|value| Number::Float { value, digits: f64::MANTISSA_DIGITS })
}

/// As JSON, Python and SQL write them.
pub fn truth_of(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: u32 = f64::MANTISSA_DIGITS;

    fn float(value: f64) -> Number {
        Number::Float { value, digits: DIGITS }
    }

    #[test]
    fn floats_take_what_they_hold_exactly() {
        let (exact, limit) = (Fit::Exact(16_777_216.0), 1_i128 << 24);
        assert_eq!(to_float(Number::Integer(limit), Stored::Float32), exact);
        assert_eq!(
            to_float(Number::Integer(limit + 1), Stored::Float32),
            Fit::Near(16_777_216.0, Loss::Digits)
        );
        assert_eq!(
            to_float(Number::Integer((1 << 53) + 1), Stored::Float64),
            Fit::Near(9_007_199_254_740_992.0, Loss::Digits)
        );
        assert_eq!(to_float(float(0.5), Stored::Float16), Fit::Exact(0.5));
        assert_eq!(to_float(float(0.1), Stored::Float32), Fit::Near(f64::from(0.1_f32), Loss::Digits));
        assert_eq!(to_float(float(1e300), Stored::Float32), Fit::None(Loss::Range));
        assert_eq!(to_float(float(f64::INFINITY), Stored::Float32), Fit::Exact(f64::INFINITY));
        assert!(matches!(to_float(float(f64::NAN), Stored::Float16), Fit::Exact(nan) if nan.is_nan()));
    }

    #[test]
    fn integers_take_whole_numbers_that_stand_for_one_integer() {
        let checks = [
            (float(7.0), Fit::Exact(7)),
            (float(-0.0), Fit::Exact(0)),
            (float(f64::NAN), Fit::Missing),
            (float(1.5), Fit::Near(1, Loss::Fraction)),
            (float(-1.5), Fit::Near(-1, Loss::Fraction)),
            (float(9_007_199_254_740_991.0), Fit::Exact((1 << 53) - 1)),
            (float(9_007_199_254_740_992.0), Fit::Near(1 << 53, Loss::Identity)),
            (Number::Float { value: 16_777_216.0, digits: 24 }, Fit::Near(1 << 24, Loss::Identity)),
            (float(1e19), Fit::None(Loss::Range)),
            (float(f64::INFINITY), Fit::None(Loss::Range)),
            (Number::Integer(i128::from(u64::MAX)), Fit::None(Loss::Range)),
        ];
        for (number, expect) in checks {
            assert_eq!(to_integer::<i64>(number, Stored::Int64), expect, "{number}");
        }
        assert_eq!(to_integer::<i64>(float(-128.0), Stored::Int8), Fit::Exact(-128));
        assert_eq!(to_integer::<i64>(float(128.0), Stored::Int8), Fit::None(Loss::Range));
        assert_eq!(to_integer::<u64>(float(-1.0), Stored::Uint64), Fit::None(Loss::Range));
        assert_eq!(to_integer::<u64>(Number::Integer(u64::MAX.into()), Stored::Uint64), Fit::Exact(u64::MAX));
    }

    #[test]
    fn truth_is_zero_or_one() {
        assert_eq!(to_bool(float(1.0)), Fit::Exact(true));
        assert_eq!(to_bool(Number::Integer(0)), Fit::Exact(false));
        assert_eq!(to_bool(float(f64::NAN)), Fit::Missing);
        assert_eq!(to_bool(Number::Integer(2)), Fit::Near(true, Loss::Truth));
        assert_eq!(text_to_bool("True"), Fit::Exact(true));
        assert_eq!(text_to_bool("yes"), Fit::None(Loss::Text));
    }

    #[test]
    fn texts_are_the_nearest_numbers() {
        assert_eq!(text_to_float("0.1", Stored::Float32), Fit::Exact(f64::from(0.1_f32)));
        assert_eq!(text_to_float(" 7 ", Stored::Float64), Fit::Exact(7.0));
        assert_eq!(text_to_float("True", Stored::Float64), Fit::Exact(1.0));
        assert_eq!(text_to_float("-inf", Stored::Float32), Fit::Exact(f64::NEG_INFINITY));
        assert_eq!(text_to_float("1e39", Stored::Float32), Fit::None(Loss::Range));
        assert_eq!(text_to_float("1e400", Stored::Float64), Fit::None(Loss::Range));
        let is_negative = |fit| matches!(fit, Fit::Exact(zero) if f64::is_sign_negative(zero));
        assert!(["-0", "-0.0"].iter().all(|text| is_negative(text_to_float(text, Stored::Float64))));
        assert_eq!(text_to_float("16777217", Stored::Float32), Fit::Near(16_777_216.0, Loss::Digits));
        assert_eq!(text_to_float("cheap", Stored::Float64), Fit::None(Loss::Text));
        assert_eq!(text_to_integer::<i64>("7.0", Stored::Int64), Fit::Exact(7));
        assert_eq!(text_to_integer::<i64>("nan", Stored::Int64), Fit::Missing);
        assert_eq!(text_to_integer::<i64>("", Stored::Int64), Fit::Missing);
        let misfit = Loss::Text.misfit(&"\"x\"", Stored::Int64);
        assert_eq!(misfit.with_way_out("--lossy"), "\"x\" is not int64 (--lossy makes it null)");
    }
}
