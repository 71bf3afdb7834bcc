//! Arithmetic of two features.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, join_marks, parameters::Real, repeated, row_count};
use crate::{
    batch::{Column, Element, Mark, Type},
    problem::Problems,
};

/// Joins two float features of one width, lane by lane; a scalar goes with every lane of a vector. Integers are cast
/// to float64 first. Null where either is null; NaN and infinities follow IEEE arithmetic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arithmetic {
    pub function: Function,
    /// The result of a division by zero. Written for "divide", "modulo" and "floor_divide", and for no other function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zero_division: Option<ZeroDivision>,
}

/// What is computed of the first input a and the second input b.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// The smaller one; NaN where either is NaN; -0 is smaller than 0.
    Minimum,
    /// The greater one; NaN where either is NaN; 0 is greater than -0.
    Maximum,
    /// a to the power of b, of the system's pow: NaN for a negative a with a fraction in b, 1 where b is 0.
    Power,
    /// What is left of a after the whole multiples of b below it: its sign is that of b, as Python and numpy have it.
    Modulo,
    /// The greatest integer that is not above a / b, as Python and numpy have it.
    FloorDivide,
}

/// The result where the second input is 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ZeroDivision {
    /// An infinity, or NaN for 0 / 0; NaN for a modulo: numpy.
    Ieee,
    /// Null: Spark SQL. A vector is null where any lane is.
    Null,
    /// This number.
    Value(Real),
}

impl Function {
    /// Whether it divides by the second input.
    pub(super) fn divides(self) -> bool {
        matches!(self, Self::Divide | Self::Modulo | Self::FloorDivide)
    }
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
        if self.function.divides() != self.zero_division.is_some() {
            let message =
                "is written for \"divide\", \"modulo\" and \"floor_divide\", and for no other function";
            problems.add("zero_division", message);
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

    fn takes_elements(&self, _inputs: &[Type]) -> bool {
        true
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
        match self.function {
            Function::Add => self.map(inputs, out, |a, b| a + b),
            Function::Subtract => self.map(inputs, out, |a, b| a - b),
            Function::Multiply => self.map(inputs, out, |a, b| a * b),
            Function::Minimum => self.map(inputs, out, minimum),
            Function::Maximum => self.map(inputs, out, |a, b| -minimum(-a, -b)),
            Function::Power => self.map(inputs, out, f64::powf),
            Function::Divide => self.divide(inputs, out, |a, b| a / b),
            Function::Modulo => self.divide(inputs, out, floor_modulo),
            Function::FloorDivide => self.divide(inputs, out, floor_divide),
        }
    }

    fn takes_single_rows(&self) -> bool {
        true
    }
}

impl ArithmeticKernel {
    fn divide(&self, inputs: &[&Column], out: &mut Column, function: impl Fn(f64, f64) -> f64) {
        match self.zero_division {
            ZeroDivision::Ieee => self.map(inputs, out, function),
            ZeroDivision::Value(value) => {
                self.map(inputs, out, |a, b| if b == 0.0 { value.0 } else { function(a, b) });
            }
            ZeroDivision::Null => {
                self.map(inputs, out, function);
                let divisors = repeated(inputs[1], self.lanes.1, out.marks.len());
                for (mark, (divisor, _)) in out.marks.iter_mut().zip(divisors) {
                    if !mark.is_null() && divisor.contains(&0.0) {
                        *mark |= Mark::NULL;
                    }
                }
            }
        }
    }

    fn map(&self, inputs: &[&Column], out: &mut Column, function: impl Fn(f64, f64) -> f64) {
        let count = row_count(inputs);
        let (values, marks) = out.float64_mut();
        join_marks(inputs, count, marks);
        let (one, other) = (inputs[0], inputs[1]);
        let (a, b) = (one.float64(), other.float64());
        match self.lanes {
            (of_one, of_other) if of_one == of_other && one.marks.len() == other.marks.len() => {
                values.extend(a.iter().zip(b).map(|(&a, &b)| function(a, b)));
            }
            (1, 1) if one.marks.len() == 1 => values.extend(b.iter().map(|&b| function(a[0], b))),
            (1, 1) => values.extend(a.iter().map(|&a| function(a, b[0]))),
            (of_one, of_other) => {
                let (step, of_other_step) = (usize::from(of_one > 1), usize::from(of_other > 1));
                for ((a, _), (b, _)) in repeated(one, of_one, count).zip(repeated(other, of_other, count)) {
                    let lanes = 0..of_one.max(of_other);
                    values.extend(lanes.map(|lane| function(a[lane * step], b[lane * of_other_step])));
                }
            }
        }
    }
}

fn minimum(a: f64, b: f64) -> f64 {
    if a < b || a.is_nan() || (a == b && a.is_sign_negative()) { a } else { b }
}

fn floor_modulo(a: f64, b: f64) -> f64 {
    let rest = a % b;
    if rest == 0.0 {
        0.0_f64.copysign(b)
    } else if (b < 0.0) != (rest < 0.0) {
        rest + b
    } else {
        rest
    }
}

fn floor_divide(a: f64, b: f64) -> f64 {
    if b == 0.0 {
        return a / b;
    }
    let rest = a % b;
    let down = if rest != 0.0 && (b < 0.0) != (rest < 0.0) { 1.0 } else { 0.0 };
    let quotient = (a - rest) / b - down;
    if quotient == 0.0 {
        return 0.0_f64.copysign(a / b);
    }
    // The quotient is an integer but for the rounding of the division.
    let floor = quotient.floor();
    if quotient - floor > 0.5 { floor + 1.0 } else { floor }
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

    /// What Python's `%` and `//` give.
    #[test]
    fn modulo_and_floor_divide_go_down() {
        let pairs = [
            (7.5, 2.0),
            (-7.5, 2.0),
            (7.5, -2.0),
            (-6.0, 2.0),
            (-1.0, f64::INFINITY),
            (1.0, 0.1),
            (0.0, -3.0),
        ];
        let pairs = pairs.map(|(a, b)| (Some(a), Some(b)));
        let of = |function| run(function, Some(ZeroDivision::Ieee), &pairs);
        let modulo = [1.5, 0.5, -0.5, 0.0, f64::INFINITY, 0.09999999999999995, -0.0];
        let floor = [3.0, -4.0, -4.0, -3.0, -1.0, 9.0, -0.0];
        for (function, expected) in [(Function::Modulo, modulo), (Function::FloorDivide, floor)] {
            let bits: Vec<u64> = of(function).float64().iter().map(|value| value.to_bits()).collect();
            assert_eq!(bits, expected.map(f64::to_bits), "{function:?}");
        }
        let zero = [(Some(1.0), Some(0.0))];
        assert!(run(Function::Modulo, Some(ZeroDivision::Ieee), &zero).float64()[0].is_nan());
        assert_eq!(
            results(&run(Function::FloorDivide, Some(ZeroDivision::Ieee), &zero)),
            [Some(f64::INFINITY)]
        );
        assert_eq!(results(&run(Function::Modulo, Some(ZeroDivision::Null), &zero)), [None]);
    }

    #[test]
    fn the_smaller_and_the_greater_tell_nan_and_signs_of_zero() {
        let (nan, zeros) = (f64::NAN, (Some(0.0), Some(-0.0)));
        let pairs = [
            (Some(1.0), Some(2.0)),
            zeros,
            (zeros.1, zeros.0),
            (Some(nan), Some(1.0)),
            (Some(1.0), Some(nan)),
        ];
        let bits = |function| {
            let out = run(function, None, &pairs);
            out.float64()[..3].iter().map(|value| value.to_bits()).collect::<Vec<_>>()
        };
        assert_eq!(bits(Function::Minimum), [1.0, -0.0, -0.0].map(f64::to_bits));
        assert_eq!(bits(Function::Maximum), [2.0, 0.0, 0.0].map(f64::to_bits));
        for function in [Function::Minimum, Function::Maximum] {
            assert!(run(function, None, &pairs).float64()[3..].iter().all(|value| value.is_nan()));
        }
    }

    #[test]
    fn a_single_row_goes_with_each_row() {
        let (scalar, vector) = (Type::scalar(Element::Float64), Type::vector(2));
        let run = |types: [Type; 2], inputs: [&Column; 2]| {
            let power = Arithmetic { function: Function::Power, zero_division: None };
            let compiled = power.compile(&types).expect("good");
            let mut out = Column::new(compiled.output);
            compiled.kernel.run(&inputs, &mut out);
            results(&out)
        };
        let (two, several) = (floats(&[Some(2.0)]), floats(&[Some(3.0), None, Some(0.5)]));
        assert_eq!(run([scalar, scalar], [&two, &several]), [Some(8.0), None, Some(2f64.sqrt())]);
        assert_eq!(run([scalar, scalar], [&several, &two]), [Some(9.0), None, Some(0.25)]);
        let vectors =
            Column { marks: vec![Mark::PRESENT; 2], ..floats(&[Some(1.0), Some(2.0), Some(3.0), Some(4.0)]) };
        let expected = [1.0, 4.0, 9.0, 16.0].map(Some);
        assert_eq!(run([vector, scalar], [&vectors, &two]), expected);
        assert!(run([scalar, scalar], [&two, &floats(&[])]).is_empty());
    }
}
