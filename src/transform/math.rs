//! Math: one function of each float.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, map_lanes, single_float};
use crate::{
    batch::{Column, Mark, Type, Values},
    problem::Problems,
};

/// One function of each float; a vector's lane by lane. Null stays null, NaN stays NaN, infinities follow IEEE
/// arithmetic. Libraries' own functions differ by a few units in the last place of float64, roundings and roots but
/// the cubic one not at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Math {
    pub function: Function,
    /// The result for a finite value for which the function has no finite result.
    pub undefined: Undefined,
}

/// Functions of one float.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// The magnitude.
    Abs,
    Negate,
    /// -1, 0 or 1; 0 for both zeros.
    Sign,
    Square,
    /// The square root; NaN below 0.
    Sqrt,
    /// The cubic root.
    Cbrt,
    /// `1 / x`; an infinity for 0.
    Reciprocal,
    Exp,
    /// 2 to the power of x.
    Exp2,
    /// `exp(x) - 1`, exact for small x.
    Expm1,
    /// The natural logarithm; -inf for 0, NaN below.
    Log,
    Log2,
    Log10,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `ln(x / (1 - x))`, exact near 1/2; infinities for 0 and 1, NaN outside.
    Logit,
    /// Of radians, as the other trigonometric functions.
    Sin,
    Cos,
    Tan,
    /// NaN outside of -1 to 1.
    Asin,
    /// NaN outside of -1 to 1.
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Asinh,
    /// NaN below 1.
    Acosh,
    /// Infinities for -1 and 1, NaN outside.
    Atanh,
    /// The integer at or below.
    Floor,
    /// The integer at or above.
    Ceil,
    /// The integer toward zero.
    Trunc,
    /// The nearest integer, an even one from the middle: numpy, Python, Spark's bround.
    RoundHalfEven,
    /// The nearest integer, the one farther from zero from the middle: C's round, feature generators of ad systems.
    RoundHalfAway,
    /// Of radians.
    Degrees,
    /// Of degrees.
    Radians,
}

/// Results that are not finite.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Undefined {
    /// They stay: NaN or an infinity.
    Ieee,
    /// NaN or an infinity that results from a finite value is null, with the status null. A vector is null where any
    /// lane is.
    Null,
}

impl Operation for Math {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single_float(inputs)?;
        let nullable = input.nullable || self.undefined == Undefined::Null;
        let lanes = vec![(); input.lanes()];
        let kernel = MathKernel { function: self.function.of_float(), undefined: self.undefined, lanes };
        Ok(Compiled::new(input.with_nullable(nullable), kernel))
    }
}

impl Function {
    fn of_float(self) -> fn(f64) -> f64 {
        match self {
            Self::Abs => f64::abs,
            Self::Negate => |x| -x,
            Self::Sign => sign,
            Self::Square => |x| x * x,
            Self::Sqrt => f64::sqrt,
            Self::Cbrt => f64::cbrt,
            Self::Reciprocal => |x| 1.0 / x,
            Self::Exp => f64::exp,
            Self::Exp2 => f64::exp2,
            Self::Expm1 => f64::exp_m1,
            Self::Log => f64::ln,
            Self::Log2 => f64::log2,
            Self::Log10 => f64::log10,
            Self::Sigmoid => |x| 1.0 / (1.0 + (-x).exp()),
            Self::Logit => logit,
            Self::Sin => f64::sin,
            Self::Cos => f64::cos,
            Self::Tan => f64::tan,
            Self::Asin => f64::asin,
            Self::Acos => f64::acos,
            Self::Atan => f64::atan,
            Self::Sinh => f64::sinh,
            Self::Cosh => f64::cosh,
            Self::Tanh => f64::tanh,
            Self::Asinh => f64::asinh,
            Self::Acosh => f64::acosh,
            Self::Atanh => atanh,
            Self::Floor => f64::floor,
            Self::Ceil => f64::ceil,
            Self::Trunc => f64::trunc,
            Self::RoundHalfEven => f64::round_ties_even,
            Self::RoundHalfAway => f64::round,
            Self::Degrees => f64::to_degrees,
            Self::Radians => f64::to_radians,
        }
    }
}

fn sign(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else if x.is_nan() {
        x
    } else {
        0.0
    }
}

/// The standard library's formula loses digits near -1; by the magnitude both ends are alike.
fn atanh(x: f64) -> f64 {
    let magnitude = x.abs();
    (0.5 * (2.0 * magnitude / (1.0 - magnitude)).ln_1p()).copysign(x)
}

fn logit(x: f64) -> f64 {
    if (0.3..=0.65).contains(&x) {
        // Near 1/2 the quotient is near 1, and its logarithm would have few digits.
        let centered = 2.0 * (x - 0.5);
        centered.ln_1p() - (-centered).ln_1p()
    } else {
        (x / (1.0 - x)).ln()
    }
}

#[derive(Debug)]
struct MathKernel {
    function: fn(f64) -> f64,
    undefined: Undefined,
    lanes: Vec<()>,
}

impl Kernel for MathKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        map_lanes(inputs[0], out, &self.lanes, |(), x| (self.function)(x));
        if self.undefined == Undefined::Null {
            null_undefined(inputs[0], out, self.lanes.len());
        }
    }
}

/// Makes null what is not finite although it results from finite values.
pub(super) fn null_undefined(input: &Column, out: &mut Column, lanes: usize) {
    let (Column { values, marks, .. }, sources) = (out, input.float64().chunks_exact(lanes));
    let Values::Float64(results) = values else { return };
    for ((mark, results), sources) in marks.iter_mut().zip(results.chunks_exact(lanes)).zip(sources) {
        let mut pairs = results.iter().zip(sources);
        if !mark.is_null() && pairs.any(|(result, source)| !result.is_finite() && source.is_finite()) {
            *mark |= Mark::NULL;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::{results, run_float, run_vectors};

    fn math(function: Function, undefined: Undefined) -> Math {
        Math { function, undefined }
    }

    fn of(function: Function, x: f64) -> f64 {
        run_float(&math(function, Undefined::Ieee), &[Some(x)]).float64()[0]
    }

    #[test]
    fn roundings_differ_in_the_middle() {
        let rounded = |function| [-2.5, -0.5, 0.5, 1.5, 2.5].map(|x| of(function, x));
        assert_eq!(rounded(Function::RoundHalfEven), [-2.0, 0.0, 0.0, 2.0, 2.0]);
        assert_eq!(rounded(Function::RoundHalfAway), [-3.0, -1.0, 1.0, 2.0, 3.0]);
        assert_eq!(rounded(Function::Floor), [-3.0, -1.0, 0.0, 1.0, 2.0]);
        assert_eq!(rounded(Function::Ceil), [-2.0, 0.0, 1.0, 2.0, 3.0]);
        assert_eq!(rounded(Function::Trunc), [-2.0, 0.0, 0.0, 1.0, 2.0]);
        assert_eq!(rounded(Function::Sign), [-1.0, -1.0, 1.0, 1.0, 1.0]);
        assert_eq!(of(Function::Sign, -0.0).to_bits(), 0.0_f64.to_bits());
        assert!(of(Function::Sign, f64::NAN).is_nan());
    }

    #[test]
    fn sigmoid_and_logit_hold_at_the_ends() {
        assert_eq!([0.0, 800.0, -800.0].map(|x| of(Function::Sigmoid, x)), [0.5, 1.0, 0.0]);
        assert_eq!([0.0, 0.5, 1.0].map(|x| of(Function::Logit, x)), [f64::NEG_INFINITY, 0.0, f64::INFINITY]);
        // scipy 1.17: logit(0.5 + 1e-12), logit(0.1).
        assert!((of(Function::Logit, 0.500000000001) - 3.999911513119514e-12).abs() < 1e-26);
        // numpy 2.4: arctanh(-0.9912151964593603).
        assert!((of(Function::Atanh, -0.9912151964593603) - -2.7117385122455167).abs() < 1e-15);
        assert!((of(Function::Logit, 0.1) - -2.197224577336219).abs() < 1e-15);
    }

    #[test]
    fn undefined_results_follow_the_switch() {
        let inputs = [Some(0.0), Some(f64::NAN), Some(f64::INFINITY), Some(4.0), None];
        let ieee = run_float(&math(Function::Reciprocal, Undefined::Ieee), &inputs);
        assert_eq!(ieee.float64()[0], f64::INFINITY);
        let null = run_float(&math(Function::Reciprocal, Undefined::Null), &inputs);
        let (present, gone) = (Mark::PRESENT, Mark::NULL);
        assert_eq!(null.marks, [gone, present, present, present, gone]);
        assert_eq!(results(&null)[2..], [Some(0.0), Some(0.25), None]);
        let vectors = run_vectors(&math(Function::Sqrt, Undefined::Null), 2, &[4.0, 9.0, 4.0, -1.0]);
        assert_eq!(vectors.float64()[..2], [2.0, 3.0]);
        assert_eq!(vectors.marks, [present, gone]);
    }
}
