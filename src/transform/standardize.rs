//! Standardize: subtract the mean, divide or multiply by the scale.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation, map_lanes,
    parameters::{PerLane, Precision, round_to_float32},
    single_float, zeros_stay,
};
use crate::{
    batch::{Column, Type},
    problem::Problems,
};

/// Subtracts the fitted mean and divides or multiplies by the fitted scale. Null stays null, NaN stays NaN, infinities follow IEEE
/// arithmetic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Standardize {
    /// The mean: one number, or one for each lane. 0 where the library was fitted without centering.
    pub mean: PerLane,
    /// The scale: one number, or one for each lane; 1 where the library was fitted without
    /// scaling. It may be 0 only where `form` is "multiply".
    pub scale: PerLane,
    /// Which arithmetic the library uses.
    pub form: Form,
    /// The floats that the library computes with.
    pub precision: Precision,
}

/// The arithmetic; the forms differ in the last bit on a good part of all values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// `(x - mean) / scale`: scikit-learn.
    Divide,
    /// `(x - mean) * (1 / scale)`: Spark.
    MultiplyReciprocal,
    /// `(x - mean) * scale`: ONNX's Scaler.
    Multiply,
}

impl Operation for Standardize {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single_float(inputs)?;
        let mut problems = Problems::none();
        self.mean.check("mean", input.lanes(), "must be finite", f64::is_finite, &mut problems);
        match self.form {
            Form::Multiply => {
                self.scale.check("scale", input.lanes(), "must be finite", f64::is_finite, &mut problems);
            }
            Form::Divide | Form::MultiplyReciprocal => {
                let good = |scale: f64| scale.is_finite() && scale != 0.0;
                self.scale.check("scale", input.lanes(), "must be finite and not 0", good, &mut problems);
            }
        }
        problems.or(())?;
        let lanes = (0..input.lanes()).map(|lane| (self.mean.get(lane), self.factor(lane))).collect();
        let divides = self.form == Form::Divide;
        Ok(Compiled::new(input, StandardizeKernel { lanes, divides, precision: self.precision }))
    }
}

impl Standardize {
    /// What a lane is divided or multiplied by.
    fn factor(&self, lane: usize) -> f64 {
        let scale = self.scale.get(lane);
        match (self.form, self.precision) {
            (Form::Divide | Form::Multiply, _) => scale,
            (Form::MultiplyReciprocal, Precision::Float64) => 1.0 / scale,
            (Form::MultiplyReciprocal, Precision::Float32) => round_to_float32(1.0 / scale),
        }
    }
}

#[derive(Debug)]
struct StandardizeKernel {
    /// The mean, and what is divided or multiplied by.
    lanes: Vec<(f64, f64)>,
    divides: bool,
    precision: Precision,
}

impl Kernel for StandardizeKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        match self.precision {
            Precision::Float64 => self.scale(inputs[0], out, |x| x),
            Precision::Float32 => self.scale(inputs[0], out, round_to_float32),
        }
    }

    fn takes_sparse(&self) -> bool {
        // Whatever is rounded: 0 - mean is 0.0 for a mean of 0 alone.
        zeros_stay(
            &self.lanes,
            |&(mean, scale), x| if self.divides { (x - mean) / scale } else { (x - mean) * scale },
        )
    }
}

impl StandardizeKernel {
    fn scale(&self, input: &Column, out: &mut Column, round: impl Fn(f64) -> f64) {
        if self.divides {
            map_lanes(input, out, &self.lanes, |&(mean, scale), x| round(round(x - mean) / scale));
        } else {
            map_lanes(input, out, &self.lanes, |&(mean, factor), x| round(round(x - mean) * factor));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::{
        check::{results, run_float},
        parameters::Real,
    };

    fn standardize(mean: f64, scale: f64, form: Form) -> Standardize {
        let (mean, scale) = (PerLane::Single(Real(mean)), PerLane::Single(Real(scale)));
        Standardize { mean, scale, form, precision: Precision::Float64 }
    }

    #[test]
    fn divides_and_keeps_nulls() {
        let out = run_float(&standardize(1.0, 4.0, Form::Divide), &[Some(3.0), None, Some(f64::INFINITY)]);
        assert_eq!(results(&out), [Some(0.5), None, Some(f64::INFINITY)]);
    }

    #[test]
    fn the_forms_differ_in_the_last_bit() {
        let divided = run_float(&standardize(0.0, 3.0, Form::Divide), &[Some(5.0)]);
        let multiplied = run_float(&standardize(0.0, 3.0, Form::MultiplyReciprocal), &[Some(5.0)]);
        assert_eq!(results(&divided), [Some(5.0 / 3.0)]);
        assert_eq!(results(&multiplied), [Some(5.0 * (1.0 / 3.0))]);
        assert_ne!(results(&divided), results(&multiplied));
        let by_scale = run_float(&standardize(1.0, 0.0, Form::Multiply), &[Some(5.0)]);
        assert_eq!(results(&by_scale), [Some(0.0)]);
    }

    #[test]
    fn float32_rounds_after_each_operation() {
        let (mean, scale) = (f64::from(0.1_f32), f64::from(0.7_f32));
        let of = |form| {
            let single = Standardize { precision: Precision::Float32, ..standardize(mean, scale, form) };
            run_float(&single, &[Some(f64::from(0.3_f32))]).float64()[0]
        };
        let centered = 0.3_f32 - 0.1;
        assert_eq!(of(Form::Divide), f64::from(centered / 0.7));
        assert_eq!(of(Form::Multiply), f64::from(centered * 0.7));
        assert_eq!(of(Form::MultiplyReciprocal), f64::from(centered * (1.0_f32 / 0.7)));
        // Once rounded from float64 it is another value.
        assert_ne!(of(Form::Divide), round_to_float32((f64::from(0.3_f32) - mean) / scale));
    }

    #[test]
    fn rejects_every_bad_parameter_at_once() {
        let bad = standardize(f64::NAN, 0.0, Form::Divide);
        let problems =
            bad.compile(&[Type::scalar(crate::batch::Element::Float64)]).expect_err("both are bad");
        assert_eq!(problems.len(), 2);
    }
}
