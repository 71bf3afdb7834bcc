//! Standardize: subtract the mean, divide by the scale.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, map_lanes, parameters::PerLane, single_float};
use crate::{
    batch::{Column, Type},
    problem::Problems,
};

/// Subtracts the fitted mean and divides by the fitted scale. Null stays null, NaN stays NaN, infinities follow IEEE
/// arithmetic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Standardize {
    /// The mean: one number, or one for each lane. 0 where the library was fitted without centering.
    pub mean: PerLane,
    /// The scale: one number, or one for each lane; not 0. 1 where the library was fitted without scaling.
    pub scale: PerLane,
    /// Which arithmetic the library uses.
    pub form: Form,
}

/// The arithmetic; the two differ in the last bit on a good part of all values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// `(x - mean) / scale`: scikit-learn.
    Divide,
    /// `(x - mean) * (1 / scale)`: Spark.
    MultiplyReciprocal,
}

impl Operation for Standardize {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single_float(inputs)?;
        let mut problems = Problems::none();
        self.mean.check("mean", input.lanes(), "must be finite", f64::is_finite, &mut problems);
        let good_scale = |scale: f64| scale.is_finite() && scale != 0.0;
        self.scale.check("scale", input.lanes(), "must be finite and not 0", good_scale, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let lanes = (0..input.lanes()).map(|lane| (self.mean.get(lane), self.scale.get(lane)));
        Ok(match self.form {
            Form::Divide => Compiled::new(input, DivideKernel { lanes: lanes.collect() }),
            Form::MultiplyReciprocal => {
                let lanes = lanes.map(|(mean, scale)| (mean, 1.0 / scale)).collect();
                Compiled::new(input, MultiplyKernel { lanes })
            }
        })
    }
}

/// `(x - mean) / scale`.
#[derive(Debug)]
struct DivideKernel {
    lanes: Vec<(f64, f64)>,
}

impl Kernel for DivideKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        map_lanes(inputs[0], out, &self.lanes, |&(mean, scale), x| (x - mean) / scale);
    }
}

/// `(x - mean) * reciprocal`.
#[derive(Debug)]
struct MultiplyKernel {
    lanes: Vec<(f64, f64)>,
}

impl Kernel for MultiplyKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        map_lanes(inputs[0], out, &self.lanes, |&(mean, reciprocal), x| (x - mean) * reciprocal);
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
        Standardize { mean: PerLane::Single(Real(mean)), scale: PerLane::Single(Real(scale)), form }
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
    }

    #[test]
    fn refuses_every_bad_parameter_at_once() {
        let bad = standardize(f64::NAN, 0.0, Form::Divide);
        let problems =
            bad.compile(&[Type::scalar(crate::batch::Element::Float64)]).expect_err("both are bad");
        assert_eq!(problems.len(), 2);
    }
}
