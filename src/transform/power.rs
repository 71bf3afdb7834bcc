//! Power: the Yeo-Johnson and Box-Cox transformations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation, map_lanes,
    math::{Undefined, null_undefined},
    parameters::{PerLane, round_to_float32},
    single_float,
};
use crate::{
    batch::{Column, Type},
    problem::Problems,
};

/// The power transformation with a fitted exponent, without standardizing: a "standardize" step follows where the
/// library has one. Null stays null, NaN stays NaN. Libraries' own functions differ by a few units in the last place of
/// float64.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Power {
    pub method: Method,
    /// The fitted exponent: one number, or one for each lane; finite.
    pub lambda: PerLane,
    /// Which arithmetic the library uses.
    pub form: Form,
    /// The result for a finite value without a finite result: for Box-Cox below 0, and at 0 unless lambda is above 0.
    pub undefined: Undefined,
}

/// Which transformation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// `((x + 1)^lambda - 1) / lambda` from 0 on, `-((1 - x)^(2 - lambda) - 1) / (2 - lambda)` below; logarithms where
    /// lambda is within 2.2e-16 of 0 or 2.
    YeoJohnson,
    /// `(x^lambda - 1) / lambda`, the logarithm where lambda is 0. For x above 0.
    BoxCox,
}

/// The arithmetic of a power less 1; near 0 the two differ in many digits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// By `expm1(lambda * log(x))`: scipy, and scikit-learn 1.9 with it. Box-Cox takes a
    /// lambda below 1e-19 for 0, and goes by another formula where the exponential would overflow.
    Expm1,
    /// By the power itself: Yeo-Johnson of older versions of scikit-learn (1.5).
    Power,
    /// The same, with each result rounded to float32: those versions with float32 data. Box-Cox has been scipy's since,
    /// and computes as for "power".
    PowerFloat32,
}

impl Operation for Power {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single_float(inputs)?;
        let mut problems = Problems::none();
        self.lambda.check("lambda", input.lanes(), "must be finite", f64::is_finite, &mut problems);
        problems.or(())?;
        let nullable = input.nullable || self.undefined == Undefined::Null;
        let lambdas = (0..input.lanes()).map(|lane| self.lambda.get(lane)).collect();
        let kernel = PowerKernel { lambdas, function: self.function(), undefined: self.undefined };
        Ok(Compiled::new(input.with_nullable(nullable), kernel))
    }
}

impl Power {
    /// The function of lambda and x.
    fn function(&self) -> fn(f64, f64) -> f64 {
        match (self.method, self.form) {
            (Method::YeoJohnson, Form::Expm1) => |lambda, x| yeo_johnson(lambda, x, by_expm1),
            (Method::YeoJohnson, Form::Power) => |lambda, x| yeo_johnson_by_power(lambda, x, |x| x),
            (Method::YeoJohnson, Form::PowerFloat32) => {
                |lambda, x| yeo_johnson_by_power(lambda, x, round_to_float32)
            }
            (Method::BoxCox, Form::Expm1) => box_cox_by_expm1,
            (Method::BoxCox, Form::Power | Form::PowerFloat32) => box_cox_by_power,
        }
    }
}

#[derive(Debug)]
struct PowerKernel {
    lambdas: Vec<f64>,
    function: fn(f64, f64) -> f64,
    undefined: Undefined,
}

impl Kernel for PowerKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        map_lanes(inputs[0], out, &self.lambdas, |&lambda, x| (self.function)(lambda, x));
        if self.undefined == Undefined::Null {
            null_undefined(inputs[0], out, self.lambdas.len());
        }
    }
}

/// `power` gives `((1 + magnitude)^exponent - 1) / exponent`.
fn yeo_johnson(lambda: f64, x: f64, power: impl Fn(f64, f64) -> f64) -> f64 {
    if x >= 0.0 {
        if lambda.abs() < f64::EPSILON { x.ln_1p() } else { power(lambda, x) }
    } else if (lambda - 2.0).abs() > f64::EPSILON {
        -power(2.0 - lambda, -x)
    } else {
        -(-x).ln_1p()
    }
}

fn by_expm1(exponent: f64, magnitude: f64) -> f64 {
    (exponent * magnitude.ln_1p()).exp_m1() / exponent
}

/// With every result rounded.
fn yeo_johnson_by_power(lambda: f64, x: f64, round: impl Fn(f64) -> f64) -> f64 {
    let power = |exponent: f64, magnitude: f64| {
        let exponent = round(exponent);
        round(round(round(magnitude + 1.0).powf(exponent)) - 1.0) / exponent
    };
    round(yeo_johnson(lambda, x, power))
}

fn box_cox_by_expm1(lambda: f64, x: f64) -> f64 {
    let log = x.ln();
    if lambda.abs() < 1e-19 {
        log
    } else if lambda * log < 709.78 {
        (lambda * log).exp_m1() / lambda
    } else {
        // The exponential overflows here, but not always its quotient by lambda.
        1.0_f64.copysign(lambda) * (lambda * log - lambda.abs().ln()).exp() - 1.0 / lambda
    }
}

fn box_cox_by_power(lambda: f64, x: f64) -> f64 {
    if lambda == 0.0 { x.ln() } else { (x.powf(lambda) - 1.0) / lambda }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::Mark,
        transform::{
            check::{run_float, run_vectors},
            parameters::{List, Real},
        },
    };

    fn power(method: Method, lambda: f64, form: Form, undefined: Undefined) -> Power {
        Power { method, lambda: PerLane::Single(Real(lambda)), form, undefined }
    }

    fn check(method: Method, lambda: f64, inputs: &[f64], expected: &[f64]) {
        let inputs: Vec<_> = inputs.iter().copied().map(Some).collect();
        let out = run_float(&power(method, lambda, Form::Expm1, Undefined::Ieee), &inputs);
        for (value, expected) in out.float64().iter().zip(expected) {
            assert!((value - expected).abs() <= 1e-15 * expected.abs(), "{lambda}: {value} {expected}");
        }
    }

    #[test]
    fn yeo_johnson_is_as_scipy_gives_it() {
        // scipy 1.17's yeojohnson.
        let inputs = [1e-10, 3.5, -0.4, -20.0];
        let of = |lambda, expected: [f64; 4]| check(Method::YeoJohnson, lambda, &inputs, &expected);
        of(0.3, [9.99999999965e-11, 1.9007724952955738, -0.454007111466933, -103.48136335215514]);
        of(-1.7, [9.99999999865e-11, 0.5426221714280706, -0.6683112690291408, -21086.480568948842]);
        of(0.0, [9.999999999500001e-11, 1.5040773967762742, -0.48000000000000004, -220.0]);
        of(2.0, [1.0000000000500001e-10, 9.625000000000002, -0.33647223662121295, -3.044522437723423]);
        of(1e-17, [9.999999999500001e-11, 1.5040773967762742, -0.48000000000000004, -220.0]);
    }

    #[test]
    fn box_cox_is_as_scipy_gives_it() {
        let inputs = [1e-10, 3.5, 800.0];
        let of = |lambda, expected: [f64; 3]| check(Method::BoxCox, lambda, &inputs, &expected);
        of(0.3, [-3.33, 1.5206598107369524, 21.42980828625223]);
        of(-1.7, [-5.882352941176476e+16, 0.5183098226544497, 0.5882284660455093]);
        of(0.0, [-23.025850929940457, 1.252762968495368, 6.684611727667927]);
        check(Method::BoxCox, 0.5, &[0.0], &[-2.0]);
    }

    #[test]
    fn the_older_form_loses_digits_near_0() {
        let of = |form| run_float(&power(Method::YeoJohnson, 0.3, form, Undefined::Ieee), &[Some(1e-10)]);
        let (new, old) = (of(Form::Expm1).float64()[0], of(Form::Power).float64()[0]);
        assert_eq!(old, ((1e-10_f64 + 1.0).powf(0.3) - 1.0) / 0.3);
        assert!((new - old).abs() / new > 1e-8);
        assert_eq!(of(Form::PowerFloat32).float64(), [0.0]);
    }

    #[test]
    fn undefined_results_follow_the_switch() {
        let inputs = [Some(-1.0), Some(1.0), Some(f64::NAN)];
        let out = run_float(&power(Method::BoxCox, 0.5, Form::Power, Undefined::Null), &inputs);
        assert_eq!(out.marks, [Mark::NULL, Mark::PRESENT, Mark::PRESENT]);
        let out = run_float(&power(Method::BoxCox, 0.5, Form::Power, Undefined::Ieee), &inputs);
        assert!(out.float64()[0].is_nan() && out.marks == [Mark::PRESENT; 3]);
    }

    #[test]
    fn lanes_have_their_own_exponents() {
        let lambda = PerLane::Each(List(vec![Real(1.0), Real(2.0)]));
        let lanes = Power { lambda, ..power(Method::BoxCox, 0.0, Form::Power, Undefined::Ieee) };
        assert_eq!(run_vectors(&lanes, 2, &[3.0, 3.0]).float64(), [2.0, 4.0]);
        assert!(lanes.compile(&[Type::vector(3)]).is_err());
    }
}
