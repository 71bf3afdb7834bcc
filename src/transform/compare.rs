//! Comparisons of two values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, join_marks, pick::step, row_count};
use crate::{
    batch::{Column, Element, Type, Values},
    problem::Problems,
};

/// Compares two scalars of one type; a boolean. Null where either is null. A comparison with NaN is false, "not_equal"
/// is true; -0 equals 0. Strings are ordered by their UTF-8 bytes, that is by code points; false is less than true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Compare {
    /// How the first input must compare to the second.
    pub function: Comparison,
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Operation for Compare {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let &[one, other] = inputs else {
            return Err(Problems::one("", format!("takes two inputs, has {}", inputs.len())));
        };
        let scalar = |of: Type| of.width.is_none() && !of.list;
        if one.element != other.element || !scalar(one) || !scalar(other) {
            let message = format!("takes two scalars of one type, its inputs are {one} and {other}");
            return Err(Problems::one("", message));
        }
        let output = Type::scalar(Element::Bool).with_nullable(one.nullable || other.nullable);
        Ok(Compiled::new(output, CompareKernel { function: self.function }))
    }

    fn takes_elements(&self, _inputs: &[Type]) -> bool {
        true
    }
}

#[derive(Debug)]
struct CompareKernel {
    function: Comparison,
}

impl Kernel for CompareKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let count = row_count(inputs);
        let (values, marks) = out.bool_mut();
        join_marks(inputs, count, marks);
        let (one, other) = (inputs[0], inputs[1]);
        let (step, of_other) = (step(one), step(other));
        let rows = (0..count).map(|row| (row * step, row * of_other));
        match &one.values {
            Values::Int64(a) => {
                let b = other.int64();
                self.compare(rows.map(|(row, other)| (a[row], b[other])), values);
            }
            Values::Uint64(a) => {
                let b = other.uint64();
                self.compare(rows.map(|(row, other)| (a[row], b[other])), values);
            }
            Values::Bool(a) => {
                let b = other.bool();
                self.compare(rows.map(|(row, other)| (a[row], b[other])), values);
            }
            Values::String(a) => {
                let b = other.strings();
                self.compare(rows.map(|(row, other)| (a.get_bytes(row), b.get_bytes(other))), values);
            }
            _ => {
                let (a, b) = (one.float64(), other.float64());
                self.compare(rows.map(|(row, other)| (a[row], b[other])), values);
            }
        }
    }

    fn takes_single_rows(&self) -> bool {
        true
    }
}

impl CompareKernel {
    fn compare<T: PartialOrd>(&self, pairs: impl Iterator<Item = (T, T)>, out: &mut Vec<bool>) {
        match self.function {
            Comparison::Equal => out.extend(pairs.map(|(a, b)| a == b)),
            Comparison::NotEqual => out.extend(pairs.map(|(a, b)| a != b)),
            Comparison::Less => out.extend(pairs.map(|(a, b)| a < b)),
            Comparison::LessEqual => out.extend(pairs.map(|(a, b)| a <= b)),
            Comparison::Greater => out.extend(pairs.map(|(a, b)| a > b)),
            Comparison::GreaterEqual => out.extend(pairs.map(|(a, b)| a >= b)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::{Mark, Strings},
        transform::check::floats,
    };

    const ALL: [Comparison; 6] = [
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::LessEqual,
        Comparison::Greater,
        Comparison::GreaterEqual,
    ];

    fn run(element: Element, function: Comparison, one: &Column, other: &Column) -> Column {
        let compiled = Compare { function }.compile(&[Type::scalar(element); 2]).expect("good");
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[one, other], &mut out);
        out
    }

    #[test]
    fn nan_compares_false_and_null_is_null() {
        let (one, other) = (floats(&[Some(1.0), Some(f64::NAN), None]), floats(&[Some(2.0)]));
        for (function, expected) in ALL.into_iter().zip([
            [false, false],
            [true, true],
            [true, false],
            [true, false],
            [false, false],
            [false, false],
        ]) {
            let out = run(Element::Float64, function, &one, &other);
            assert_eq!(out.bool()[..2], expected, "{function:?}");
            assert_eq!(out.marks, [Mark::PRESENT, Mark::PRESENT, Mark::NULL]);
        }
    }

    #[test]
    fn integers_are_exact_and_strings_go_by_code_points() {
        let column = |values: Values| Column { values, marks: vec![Mark::PRESENT; 2], list: None };
        let large = |values: [i64; 2]| column(Values::Int64(values.to_vec()));
        let (one, other) = (large([i64::MAX, 3]), large([i64::MAX - 1, 3]));
        assert_eq!(run(Element::Int64, Comparison::Equal, &one, &other).bool(), [false, true]);
        let texts = |texts: [&str; 2]| column(Values::String(Strings::from_values(texts)));
        let (one, other) = (texts(["Z", "é"]), texts(["a", "f"]));
        assert_eq!(run(Element::String, Comparison::Less, &one, &other).bool(), [true, false]);
    }

    #[test]
    fn types_must_be_one() {
        let types = [Type::scalar(Element::Float64), Type::scalar(Element::Int64)];
        assert!(Compare { function: Comparison::Less }.compile(&types).is_err());
        assert!(Compare { function: Comparison::Less }.compile(&[Type::vector(2); 2]).is_err());
    }
}
