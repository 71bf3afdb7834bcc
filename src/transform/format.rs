//! Format: numbers and booleans as text.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, single};
use crate::{
    batch::{Column, Element, Type, Values},
    problem::Problems,
};

/// The text of a scalar number or boolean, for keys, categories and crosses. Exactly the field of the input's type is
/// written: `float` for float64, `integer` for int64 and uint64, `boolean` for bool. Null stays null with its status.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Format {
    /// How floats are written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub float: Option<FloatText>,
    /// How integers are written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integer: Option<IntegerText>,
    /// How booleans are written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boolean: Option<BooleanText>,
}

/// The text of a float.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FloatText {
    /// The fewest digits that read back as the same float64, as Python's `repr` and NumPy's `str` of float64 have them:
    /// `7.0`, `0.1`, `1e-05`, `1e+16`, `-0.0`, `nan`, `inf`.
    Repr,
    /// With this many digits after the point, from 0 to 20: Python's `f"{x:.2f}"`. Halves go to the even digit; a value
    /// below 0 that rounds to 0 keeps its sign.
    Decimals(usize),
}

/// The text of an integer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IntegerText {
    /// Its digits, with a minus sign below 0.
    Decimal,
    /// With zeros before the digits up to this length, from 1 to 20, the sign counted: Python's `f"{x:05d}"`.
    ZeroPadded(usize),
}

/// The text of a boolean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BooleanText {
    /// `true` and `false`.
    LowerCase,
    /// `True` and `False`, as Python's `str`.
    Capitalized,
    /// `1` and `0`.
    Digits,
}

/// The longest text that parameters may ask for, and the most digits after a point.
const MOST_DIGITS: usize = 20;

impl Operation for Format {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        let mut problems = Problems::none();
        let written = [self.float.is_some(), self.integer.is_some(), self.boolean.is_some()];
        let wanted = match input.element {
            _ if input.width.is_some() => [false; 3],
            Element::Float64 => [true, false, false],
            Element::Int64 | Element::Uint64 => [false, true, false],
            Element::Bool => [false, false, true],
            Element::String | Element::Time(_) => [false; 3],
        };
        if wanted == [false; 3] {
            let message = format!("takes scalar numbers and booleans, its input is {input}");
            return Err(Problems::one("", message));
        }
        for ((field, wanted), written) in ["float", "integer", "boolean"].iter().zip(wanted).zip(written) {
            match (wanted, written) {
                (true, false) => problems.add(*field, format!("is missing: the input is {input}")),
                (false, true) => problems.add(*field, format!("has no effect: the input is {input}")),
                _ => {}
            }
        }
        if self.float.is_some_and(|text| matches!(text, FloatText::Decimals(digits) if digits > MOST_DIGITS))
        {
            problems.add("float.decimals", format!("must be 0 to {MOST_DIGITS}"));
        }
        let padded =
            |text| matches!(text, IntegerText::ZeroPadded(width) if !(1..=MOST_DIGITS).contains(&width));
        if self.integer.is_some_and(padded) {
            problems.add("integer.zero_padded", format!("must be 1 to {MOST_DIGITS}"));
        }
        problems.or(())?;
        let output = Type { element: Element::String, ..input };
        Ok(Compiled::new(output, FormatKernel { of: self.clone() }))
    }
}

#[derive(Debug)]
struct FormatKernel {
    of: Format,
}

impl Kernel for FormatKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let input = inputs[0];
        let mut builder = out.take_strings();
        out.marks.extend_from_slice(&input.marks);
        let mut text = String::new();
        for position in 0..input.marks.len() {
            text.clear();
            if !input.marks[position].is_null() {
                self.write(&input.values, position, &mut text);
            }
            let start = builder.written();
            builder.write(&text);
            builder.push_from(start);
        }
        out.values = Values::String(builder.finish());
    }
}

impl FormatKernel {
    fn write(&self, values: &Values, position: usize, text: &mut String) {
        let Format { float, integer, boolean } = self.of;
        match values {
            Values::Float64(values) => write_float(values[position], float, text),
            Values::Int64(values) => write_integer(values[position].into(), integer, text),
            Values::Uint64(values) => write_integer(values[position].into(), integer, text),
            Values::Bool(values) => text.push_str(match (boolean, values[position]) {
                (Some(BooleanText::Capitalized), true) => "True",
                (Some(BooleanText::Capitalized), false) => "False",
                (Some(BooleanText::Digits), true) => "1",
                (Some(BooleanText::Digits), false) => "0",
                (_, true) => "true",
                (_, false) => "false",
            }),
            // The type check excludes them.
            Values::String(_) | Values::OneHot(_) | Values::Float32(_) | Values::Sparse(_) => {}
        }
    }
}

// Writing to a string can't fail.

fn write_integer(value: i128, form: Option<IntegerText>, text: &mut String) {
    let width = match form {
        Some(IntegerText::ZeroPadded(width)) => width,
        _ => 1,
    };
    let _ = write!(text, "{value:0width$}");
}

fn write_float(value: f64, form: Option<FloatText>, text: &mut String) {
    match form {
        _ if value.is_nan() => text.push_str("nan"),
        _ if value.is_infinite() => text.push_str(if value > 0.0 { "inf" } else { "-inf" }),
        Some(FloatText::Decimals(digits)) => {
            let _ = write!(text, "{value:.digits$}");
        }
        _ => write_repr(value, text),
    }
}

/// The fewest digits that read back as the value, with an exponent. Of two as near, Rust takes the one farther from zero
/// and Python the even one.
fn shortest(value: f64) -> String {
    let shortest = format!("{value:e}");
    let digits = shortest.split('e').next().unwrap_or_default().bytes().filter(u8::is_ascii_digit).count();
    let even = format!("{value:.*e}", digits.saturating_sub(1));
    // Next to a power of two the nearest number of as many digits may be another value.
    if even.parse() == Ok(value) { even } else { shortest }
}

/// The shortest digits that read back as the value: with a point where the exponent is from -4 to 15, else as `1e+16`.
fn write_repr(value: f64, text: &mut String) {
    let scientific = shortest(value);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(text, "{mantissa}e{sign}{:02}", exponent.unsigned_abs());
        return;
    }
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits = mantissa.replace('.', "");
    text.push_str(sign);
    match usize::try_from(exponent) {
        Ok(exponent) if digits.len() <= exponent + 1 => {
            let _ = write!(text, "{digits:0<width$}.0", width = exponent + 1);
        }
        Ok(exponent) => {
            let (whole, rest) = digits.split_at(exponent + 1);
            let _ = write!(text, "{whole}.{rest}");
        }
        Err(_) => {
            let zeros = exponent.unsigned_abs() as usize - 1;
            let _ = write!(text, "0.{:0<zeros$}{digits}", "");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::Mark,
        transform::check::{floats, integers, texts},
    };

    fn format(document: &str) -> Format {
        serde_json::from_str(document).expect("readable")
    }

    fn run(document: &str, element: Element, input: &Column) -> Vec<String> {
        let compiled = format(document).compile(&[Type::scalar(element)]).expect("good");
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[input], &mut out);
        assert_eq!(out.marks, input.marks);
        texts(&out).into_iter().map(str::to_owned).collect()
    }

    fn of_floats(document: &str, values: &[f64]) -> Vec<String> {
        run(document, Element::Float64, &floats(&values.iter().map(|&value| Some(value)).collect::<Vec<_>>()))
    }

    /// By Python's `repr`, which for these is NumPy's `str` too.
    #[test]
    fn repr_is_that_of_python() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (100.0, "100.0"),
            (-1234.5678, "-1234.5678"),
            (1e15, "1000000000000000.0"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            // Two numbers of 16 digits are as near; the nearest number of 16 digits is another value.
            (26_213.0 / 262_144.0, "0.09999465942382812"),
            (2.0_f64.powi(-44), "5.684341886080802e-14"),
            (123_456_789_012_345_680.0, "1.2345678901234568e+17"),
            (1e-4, "0.0001"),
            (1.5e-4, "0.00015"),
            (9.9e-5, "9.9e-05"),
            (1e-5, "1e-05"),
            (-2.5e-7, "-2.5e-07"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (1.0 / 3.0, "0.3333333333333333"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ];
        let (values, expected): (Vec<f64>, Vec<&str>) = cases.into_iter().unzip();
        assert_eq!(of_floats(r#"{"float": "repr"}"#, &values), expected);
    }

    /// By Python's `f"{x:.2f}"` and `f"{x:.0f}"`.
    #[test]
    fn decimals_are_those_of_python() {
        let values = [0.125, 2.675, -0.001, 1e21, f64::NAN];
        let expected = ["0.12", "2.67", "-0.00", "1000000000000000000000.00", "nan"];
        assert_eq!(of_floats(r#"{"float": {"decimals": 2}}"#, &values), expected);
        let expected = ["0", "2", "2", "-2"];
        assert_eq!(of_floats(r#"{"float": {"decimals": 0}}"#, &[0.5, 1.5, 2.5, -2.5]), expected);
    }

    #[test]
    fn integers_and_booleans_have_their_forms() {
        let input = integers(&[Some(7), Some(-7), Some(i64::MIN), None]);
        let of = |document: &str| run(document, Element::Int64, &input);
        assert_eq!(of(r#"{"integer": "decimal"}"#), ["7", "-7", "-9223372036854775808", ""]);
        assert_eq!(of(r#"{"integer": {"zero_padded": 4}}"#), ["0007", "-007", "-9223372036854775808", ""]);
        let input = Column { values: Values::Uint64(vec![u64::MAX]), marks: vec![Mark::PRESENT], list: None };
        assert_eq!(run(r#"{"integer": "decimal"}"#, Element::Uint64, &input), ["18446744073709551615"]);
        let input =
            Column { values: Values::Bool(vec![true, false]), marks: vec![Mark::PRESENT; 2], list: None };
        for (form, expected) in
            [("lower_case", ["true", "false"]), ("capitalized", ["True", "False"]), ("digits", ["1", "0"])]
        {
            assert_eq!(run(&std::format!(r#"{{"boolean": "{form}"}}"#), Element::Bool, &input), expected);
        }
    }

    #[test]
    fn exactly_the_field_of_the_inputs_type_is_written() {
        let reported =
            |document: &str, of: Type| format(document).compile(&[of]).expect_err("rejected").to_string();
        let (float, integer) = (Type::scalar(Element::Float64), Type::scalar(Element::Int64));
        assert_eq!(reported("{}", float), "float: is missing: the input is float64");
        assert_eq!(
            reported(r#"{"float": "repr", "boolean": "digits"}"#, integer),
            "float: has no effect: the input is int64\ninteger: is missing: the input is int64\n\
             boolean: has no effect: the input is int64"
        );
        assert!(reported(r#"{"float": "repr"}"#, Type::vector(2)).contains("takes scalar numbers"));
        assert!(
            reported(r#"{"float": "repr"}"#, Type::scalar(Element::String)).contains("takes scalar numbers")
        );
        assert!(reported(r#"{"float": {"decimals": 21}}"#, float).starts_with("float.decimals"));
        assert!(reported(r#"{"integer": {"zero_padded": 0}}"#, integer).starts_with("integer.zero_padded"));
    }
}
