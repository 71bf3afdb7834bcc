//! Arithmetic of two features.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, parameters::Real};
use crate::{
    batch::{Column, Element, Mark, Type},
    problem::Problems,
};

/// Joins two float features of one width, lane by lane; a scalar goes with every lane of a vector. Null where either
/// is null; NaN and infinities follow IEEE arithmetic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arithmetic {
    pub function: Function,
    /// What comes of a division by zero. Written for "divide" and for no other function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zero_division: Option<ZeroDivision>,
}

/// What is computed of the first and the second input.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// The result where the second input is 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ZeroDivision {
    /// An infinity, or NaN for 0 / 0: numpy.
    Ieee,
    /// Null: Spark SQL. A vector is null where any lane is.
    Null,
    /// This number.
    Value(Real),
}

impl Operation for Arithmetic {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let &[one, other] = inputs else {
            return Err(Problems::one("", format!("takes two inputs, has {}", inputs.len())));
        };
        let mut problems = Problems::none();
        let float = |of: Type| of.element == Element::Float64 && !of.list;
        let widths_fit = one.width == other.width || one.width.is_none() || other.width.is_none();
        if !float(one) || !float(other) || !widths_fit {
            let message = format!(
                "takes two float64 of one width, or a scalar and a vector; its inputs are {one} and {other}"
            );
            problems.add("", message);
        }
        if (self.function == Function::Divide) != self.zero_division.is_some() {
            problems.add("zero_division", "is written for \"divide\" and for no other function");
        }
        problems.or(())?;
        let null_result = self.zero_division == Some(ZeroDivision::Null);
        let output = Type {
            width: one.width.or(other.width),
            nullable: one.nullable || other.nullable || null_result,
            ..one
        };
        let lanes = (one.lanes(), other.lanes());
        let zero_division = self.zero_division.unwrap_or(ZeroDivision::Ieee);
        Ok(Compiled::new(output, ArithmeticKernel { function: self.function, zero_division, lanes }))
    }
}

#[derive(Debug)]
struct ArithmeticKernel {
    function: Function,
    zero_division: ZeroDivision,
    lanes: (usize, usize),
}

impl Kernel for ArithmeticKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (one, other) = (inputs[0], inputs[1]);
        match (self.function, self.zero_division) {
            (Function::Add, _) => self.map(one, other, out, |a, b| a + b),
            (Function::Subtract, _) => self.map(one, other, out, |a, b| a - b),
            (Function::Multiply, _) => self.map(one, other, out, |a, b| a * b),
            (Function::Divide, ZeroDivision::Value(value)) => {
                self.map(one, other, out, |a, b| if b == 0.0 { value.0 } else { a / b });
            }
            (Function::Divide, ZeroDivision::Ieee | ZeroDivision::Null) => {
                self.map(one, other, out, |a, b| a / b)
            }
        }
        if (self.function, self.zero_division) == (Function::Divide, ZeroDivision::Null) {
            for (mark, divisor) in out.marks.iter_mut().zip(other.float64().chunks_exact(self.lanes.1)) {
                if !mark.is_null() && divisor.contains(&0.0) {
                    *mark |= Mark::NULL;
                }
            }
        }
    }
}

impl ArithmeticKernel {
    fn map(&self, one: &Column, other: &Column, out: &mut Column, function: impl Fn(f64, f64) -> f64) {
        let (values, marks) = out.float64_mut();
        marks.extend(one.marks.iter().zip(&other.marks).map(|(&one, &other)| one | other));
        let (a, b) = (one.float64(), other.float64());
        match self.lanes {
            (of_one, of_other) if of_one == of_other => {
                values.extend(a.iter().zip(b).map(|(&a, &b)| function(a, b)));
            }
            (1, lanes) => {
                let pairs = a.iter().zip(b.chunks_exact(lanes));
                values.extend(
                    pairs.flat_map(|(&a, b)| b.iter().map(move |&b| (a, b))).map(|(a, b)| function(a, b)),
                );
            }
            (lanes, _) => {
                let pairs = a.chunks_exact(lanes).zip(b);
                values.extend(
                    pairs.flat_map(|(a, &b)| a.iter().map(move |&a| (a, b))).map(|(a, b)| function(a, b)),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::{floats, results};

    fn run(
        function: Function,
        zero_division: Option<ZeroDivision>,
        pairs: &[(Option<f64>, Option<f64>)],
    ) -> Column {
        let scalar = Type::scalar(Element::Float64);
        let compiled = Arithmetic { function, zero_division }.compile(&[scalar, scalar]).expect("good");
        let (one, other): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&floats(&one), &floats(&other)], &mut out);
        out
    }

    #[test]
    fn null_where_either_is() {
        let pairs = [(Some(3.0), Some(4.0)), (None, Some(1.0)), (Some(1.0), None)];
        assert_eq!(results(&run(Function::Add, None, &pairs)), [Some(7.0), None, None]);
        assert_eq!(results(&run(Function::Subtract, None, &pairs)), [Some(-1.0), None, None]);
        assert_eq!(results(&run(Function::Multiply, None, &pairs)), [Some(12.0), None, None]);
    }

    #[test]
    fn division_by_zero_follows_the_switch() {
        let pairs = [(Some(1.0), Some(0.0)), (Some(1.0), Some(2.0))];
        let of = |zero| results(&run(Function::Divide, Some(zero), &pairs));
        assert_eq!(of(ZeroDivision::Ieee), [Some(f64::INFINITY), Some(0.5)]);
        assert_eq!(of(ZeroDivision::Null), [None, Some(0.5)]);
        assert_eq!(of(ZeroDivision::Value(Real(9.0))), [Some(9.0), Some(0.5)]);
    }

    #[test]
    fn a_scalar_goes_with_every_lane() {
        let types = [Type::vector(2), Type::scalar(Element::Float64)];
        let compiled =
            Arithmetic { function: Function::Multiply, zero_division: None }.compile(&types).expect("good");
        let vectors =
            Column { marks: vec![Mark::PRESENT; 2], ..floats(&[Some(1.0), Some(2.0), Some(3.0), Some(4.0)]) };
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&vectors, &floats(&[Some(10.0), Some(100.0)])], &mut out);
        assert_eq!(out.float64(), [10.0, 20.0, 300.0, 400.0]);
    }

    #[test]
    fn the_switch_is_for_division_alone() {
        let scalar = Type::scalar(Element::Float64);
        assert!(
            Arithmetic { function: Function::Divide, zero_division: None }
                .compile(&[scalar, scalar])
                .is_err()
        );
    }
}
