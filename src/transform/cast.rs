//! Cast: the value as another type.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, map_sparse, parameters::round_to_float32, single};
use crate::{
    batch::{Column, Element, Mark, Strings, Type, Values},
    problem::Problems,
};

/// The value as another type. Null stays null with its status.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cast {
    /// The type of the result.
    pub to: CastTo,
}

/// Types to cast to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CastTo {
    /// Of integers, booleans (1 and 0) and times (the count of their unit). Integers beyond 2^53 round to the nearest float64.
    Float64,
    /// Of floats (scalars and vectors), integers and booleans: the nearest of the values that float32 has, still
    /// computed with as float64. Integers round once. What is beyond float32's range becomes an infinity; NaN and
    /// infinities stay.
    Float32,
    /// Of scalar floats, uint64, booleans and times (the count of their unit). Floats round toward zero. What int64 can't hold (NaN, infinities, from
    /// 2^63 on, below -2^63) becomes null, with the status null.
    Int64,
    /// Of integers and booleans: decimal digits, with a minus sign below 0; "true" and "false".
    String,
}

impl Operation for Cast {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        let (takes, can_fail) = match (self.to, input.element) {
            (CastTo::Float64 | CastTo::String, Element::Int64 | Element::Uint64 | Element::Bool) => {
                (true, false)
            }
            (CastTo::Float64 | CastTo::Int64, Element::Time(_)) => (true, false),
            (CastTo::Float32 | CastTo::String, Element::Time(_)) => (false, false),
            (CastTo::Float32, element) => (element != Element::String, false),
            (CastTo::Int64, Element::Float64) => (input.width.is_none(), true),
            (CastTo::Int64, element) => (matches!(element, Element::Uint64 | Element::Bool), true),
            (CastTo::Float64 | CastTo::String, Element::Float64 | Element::String) => (false, false),
        };
        if !takes {
            return Err(Problems::one("", format!("takes {}, its input is {input}", self.to.sources())));
        }
        let element = match self.to {
            CastTo::Float64 | CastTo::Float32 => Element::Float64,
            CastTo::Int64 => Element::Int64,
            CastTo::String => Element::String,
        };
        let can_fail = can_fail && input.element != Element::Bool;
        let output = Type { element, nullable: input.nullable || can_fail, ..input };
        Ok(Compiled::new(output, CastKernel { to: self.to }))
    }
}

impl CastTo {
    /// What can be cast so, for people.
    fn sources(self) -> &'static str {
        match self {
            Self::Float64 => "int64, uint64, bool or times",
            Self::String => "int64, uint64 or bool",
            Self::Float32 => "float64, int64, uint64 or bool",
            Self::Int64 => "scalar float64, uint64, bool or times",
        }
    }
}

#[derive(Debug)]
struct CastKernel {
    to: CastTo,
}

impl Kernel for CastKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        match self.to {
            CastTo::Float64 => to_float64(inputs[0], out),
            CastTo::Float32 => to_float32(inputs[0], out),
            CastTo::Int64 => to_int64(inputs[0], out),
            CastTo::String => to_string(inputs[0], out),
        }
    }

    fn takes_sparse(&self) -> bool {
        self.to == CastTo::Float32
    }
}

fn to_float64(input: &Column, out: &mut Column) {
    let (values, marks) = out.float64_mut();
    marks.extend_from_slice(&input.marks);
    match &input.values {
        Values::Int64(from) => values.extend(from.iter().map(|&value| value as f64)),
        Values::Uint64(from) => values.extend(from.iter().map(|&value| value as f64)),
        _ => values.extend(input.bool().iter().map(|&value| f64::from(u8::from(value)))),
    }
}

fn to_float32(input: &Column, out: &mut Column) {
    if input.values.is_compact() {
        return map_sparse(input, out, |_, value| round_to_float32(value));
    }
    let (values, marks) = out.float64_mut();
    marks.extend_from_slice(&input.marks);
    match &input.values {
        Values::Float64(from) => values.extend(from.iter().map(|&value| round_to_float32(value))),
        Values::Int64(from) => values.extend(from.iter().map(|&value| f64::from(value as f32))),
        Values::Uint64(from) => values.extend(from.iter().map(|&value| f64::from(value as f32))),
        _ => values.extend(input.bool().iter().map(|&value| f64::from(u8::from(value)))),
    }
}

fn to_int64(input: &Column, out: &mut Column) {
    let (values, marks) = out.int64_mut();
    let mut push = |value: Option<i64>, mark: Mark| {
        values.push(value.unwrap_or_default());
        marks.push(if value.is_none() && !mark.is_null() { mark | Mark::NULL } else { mark });
    };
    let marks = &input.marks;
    match &input.values {
        Values::Float64(from) => {
            from.iter().zip(marks).for_each(|(&value, &mark)| push(truncated(value), mark));
        }
        Values::Uint64(from) => {
            from.iter().zip(marks).for_each(|(&value, &mark)| push(i64::try_from(value).ok(), mark));
        }
        Values::Int64(from) => from.iter().zip(marks).for_each(|(&value, &mark)| push(Some(value), mark)),
        _ => input.bool().iter().zip(marks).for_each(|(&value, &mark)| push(Some(value.into()), mark)),
    }
}

/// The integer toward zero, where int64 has it.
fn truncated(value: f64) -> Option<i64> {
    // -2^63 is a float64, 2^63 - 1 is not: the next one is 2^63.
    let fits = (i64::MIN as f64..-(i64::MIN as f64)).contains(&value);
    fits.then_some(value as i64)
}

fn to_string(input: &Column, out: &mut Column) {
    out.marks.clear();
    out.marks.extend_from_slice(&input.marks);
    out.values = Values::String(match &input.values {
        Values::Int64(from) => {
            Strings::from_values(from.iter().map(|&value| Decimal::new(value.unsigned_abs(), value < 0)))
        }
        Values::Uint64(from) => Strings::from_values(from.iter().map(|&value| Decimal::new(value, false))),
        _ => Strings::from_values(input.bool().iter().map(|&value| if value { "true" } else { "false" })),
    });
}

/// The decimal digits of an integer, without an allocation.
struct Decimal {
    /// Filled from the end.
    text: [u8; Self::LONGEST],
    start: usize,
}

impl Decimal {
    /// The digits of 2^64 - 1; the longest of int64 has 19 and a sign.
    const LONGEST: usize = 20;

    fn new(mut magnitude: u64, negative: bool) -> Self {
        let (mut text, mut start) = ([b'-'; Self::LONGEST], Self::LONGEST);
        loop {
            start -= 1;
            text[start] = b'0' + (magnitude % 10) as u8;
            magnitude /= 10;
            if magnitude == 0 {
                break;
            }
        }
        // What is not filled are minus signs.
        Self { text, start: start - usize::from(negative) }
    }
}

impl AsRef<str> for Decimal {
    fn as_ref(&self) -> &str {
        std::str::from_utf8(&self.text[self.start..]).expect("digits and a sign")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::{floats, results};

    fn cast(to: CastTo, values: Values) -> Column {
        let (element, count) = match &values {
            Values::Int64(values) => (Element::Int64, values.len()),
            Values::Uint64(values) => (Element::Uint64, values.len()),
            Values::Bool(values) => (Element::Bool, values.len()),
            other => panic!("not cast here: {other:?}"),
        };
        let input = Column { values, marks: vec![Mark::PRESENT; count], list: None };
        run(to, element, &input)
    }

    fn run(to: CastTo, element: Element, input: &Column) -> Column {
        let compiled = Cast { to }.compile(&[Type::scalar(element)]).expect("good");
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[input], &mut out);
        out
    }

    #[test]
    fn integers_become_floats_and_strings_are_rejected() {
        let input =
            Column { values: Values::Int64(vec![-3, 7]), marks: vec![Mark::PRESENT, Mark::NULL], list: None };
        let out = run(CastTo::Float64, Element::Int64, &input);
        assert_eq!(out.float64(), [-3.0, 7.0]);
        assert_eq!(out.marks, input.marks);
        for to in [CastTo::Float64, CastTo::Float32, CastTo::Int64, CastTo::String] {
            assert!(Cast { to }.compile(&[Type::scalar(Element::String)]).is_err());
        }
        assert!(Cast { to: CastTo::Int64 }.compile(&[Type::vector(2)]).is_err());
    }

    #[test]
    fn float32_rounds_once() {
        // Past the midpoint of two float32 by 1; by way of float64 the 1 would be lost and the tie go to even.
        let past_middle = (1 << 60) + (1 << 36) + 1;
        let out = cast(CastTo::Float32, Values::Int64(vec![16_777_217, past_middle]));
        assert_eq!(out.float64(), [16_777_216.0, ((1_i64 << 60) + (1 << 37)) as f64]);
        let out = run(CastTo::Float32, Element::Float64, &floats(&[Some(0.1), Some(1e39), Some(-1e-50)]));
        assert_eq!(out.float64(), [f64::from(0.1_f32), f64::INFINITY, 0.0]);
        assert_eq!(cast(CastTo::Float32, Values::Bool(vec![true])).float64(), [1.0]);
    }

    #[test]
    fn what_int64_lacks_is_null() {
        let inputs = [2.9, -2.9, -9_223_372_036_854_775_808.0, 9_223_372_036_854_775_808.0, f64::NAN];
        let out = run(CastTo::Int64, Element::Float64, &floats(&inputs.map(Some)));
        assert_eq!(out.int64()[..3], [2, -2, i64::MIN]);
        let (present, null) = (Mark::PRESENT, Mark::NULL);
        assert_eq!(out.marks, [present, present, present, null, null]);
        let out = cast(CastTo::Int64, Values::Uint64(vec![7, u64::MAX]));
        assert_eq!((out.int64()[0], out.marks), (7, vec![present, null]));
        let nulls = run(CastTo::Int64, Element::Float64, &floats(&[None]));
        assert_eq!(results(&run(CastTo::Float64, Element::Int64, &nulls)), [None]);
    }

    #[test]
    fn strings_are_digits() {
        let texts = |column: &Column| column.strings().iter().map(str::to_owned).collect::<Vec<_>>();
        let out = cast(CastTo::String, Values::Int64(vec![0, -10, i64::MIN, i64::MAX]));
        assert_eq!(texts(&out), ["0", "-10", "-9223372036854775808", "9223372036854775807"]);
        let out = cast(CastTo::String, Values::Uint64(vec![u64::MAX]));
        assert_eq!(texts(&out), ["18446744073709551615"]);
        assert_eq!(texts(&cast(CastTo::String, Values::Bool(vec![true, false]))), ["true", "false"]);
    }
}
