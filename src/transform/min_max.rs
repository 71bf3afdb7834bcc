//! Min-max scaling: the fitted range to a target range, by one of three arithmetics.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    clip::{Bounds, clip_lanes},
    parameters::{PerLane, Precision, Real, round_to_float32},
    single_float,
};
use crate::{
    batch::{Column, Type},
    problem::Problems,
};

/// Scales the fitted range. Null stays null, NaN stays NaN; values outside of the range leave the target range unless
/// they are clipped, and are then out of range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MinMax {
    /// The scale, in the meaning that `form` gives it: one number, or one for each lane; not 0.
    pub scale: PerLane,
    /// The minimum, in the meaning that `form` gives it: one number, or one for each lane.
    pub min: PerLane,
    /// The target range to clip to, or "none".
    pub clip: ClipTo,
    /// Which arithmetic the library uses.
    pub form: Form,
    /// The floats that the library computes with.
    pub precision: Precision,
}

/// The arithmetic; they differ in the last bit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// `x * scale + min`: scikit-learn's `scale_` and `min_`.
    MultiplyAdd,
    /// `(x - min) / scale`: MLeap, with the range as the scale.
    SubtractDivide,
    /// `(x - min) * (1 / scale)`: Spark, with the range as the scale.
    SubtractMultiplyReciprocal,
}

/// Where results are clipped to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "must be an array of two numbers or \"none\"")]
pub enum ClipTo {
    /// From the first to the second.
    Range([Real; 2]),
    Unclipped(Unclipped),
}

/// No clipping.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unclipped {
    None,
}

impl Operation for MinMax {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single_float(inputs)?;
        let mut problems = Problems::none();
        let good = |scale: f64| scale.is_finite() && scale != 0.0;
        self.scale.check("scale", input.lanes(), "must be finite and not 0", good, &mut problems);
        self.min.check("min", input.lanes(), "must be finite", f64::is_finite, &mut problems);
        let bounds = match self.clip {
            ClipTo::Unclipped(Unclipped::None) => Bounds::ALL,
            ClipTo::Range([low, high]) => Bounds::new("clip[0]", low.0, high.0, &mut problems),
        };
        problems.or(())?;
        let lanes = (0..input.lanes()).map(|lane| (self.scale.get(lane), self.min.get(lane)));
        let lanes = lanes.map(|(scale, min)| match self.form {
            Form::SubtractMultiplyReciprocal => (self.rounded(1.0 / scale), min),
            Form::MultiplyAdd | Form::SubtractDivide => (scale, min),
        });
        let lanes = lanes.map(|lane| (lane, bounds)).collect();
        Ok(Compiled::new(input, MinMaxKernel { lanes, form: self.form, precision: self.precision }))
    }
}

impl MinMax {
    fn rounded(&self, x: f64) -> f64 {
        match self.precision {
            Precision::Float64 => x,
            Precision::Float32 => round_to_float32(x),
        }
    }
}

#[derive(Debug)]
struct MinMaxKernel {
    /// The scale (its reciprocal where that is multiplied by) and the minimum.
    lanes: Vec<((f64, f64), Bounds)>,
    form: Form,
    precision: Precision,
}

impl Kernel for MinMaxKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        match self.precision {
            Precision::Float64 => self.scale(inputs[0], out, |x| x),
            Precision::Float32 => self.scale(inputs[0], out, round_to_float32),
        }
    }
}

impl MinMaxKernel {
    fn scale(&self, input: &Column, out: &mut Column, round: impl Fn(f64) -> f64) {
        match self.form {
            Form::MultiplyAdd => {
                clip_lanes(input, out, &self.lanes, |&(scale, min), x| round(round(x * scale) + min));
            }
            Form::SubtractDivide => {
                clip_lanes(input, out, &self.lanes, |&(scale, min), x| round(round(x - min) / scale));
            }
            Form::SubtractMultiplyReciprocal => {
                clip_lanes(input, out, &self.lanes, |&(scale, min), x| round(round(x - min) * scale));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::Mark,
        transform::check::{results, run_float},
    };

    fn min_max(clip: ClipTo, form: Form) -> MinMax {
        let (scale, min) = (PerLane::Single(Real(0.1)), PerLane::Single(Real(0.25)));
        MinMax { scale, min, clip, form, precision: Precision::Float64 }
    }

    #[test]
    fn each_form_has_its_arithmetic() {
        let unclipped = ClipTo::Unclipped(Unclipped::None);
        let of = |form| results(&run_float(&min_max(unclipped, form), &[Some(3.0), None]));
        assert_eq!(of(Form::MultiplyAdd), [Some(3.0 * 0.1 + 0.25), None]);
        assert_eq!(of(Form::SubtractDivide), [Some((3.0 - 0.25) / 0.1), None]);
        assert_eq!(of(Form::SubtractMultiplyReciprocal), [Some((3.0 - 0.25) * (1.0 / 0.1)), None]);
    }

    #[test]
    fn float32_rounds_after_each_operation() {
        let of = |form| {
            let unclipped = min_max(ClipTo::Unclipped(Unclipped::None), form);
            run_float(&MinMax { precision: Precision::Float32, ..unclipped }, &[Some(3.0)]).float64()[0]
        };
        let (scale, round) = (0.1_f64, |x: f64| f64::from(x as f32));
        assert_eq!(of(Form::MultiplyAdd), round(round(3.0 * scale) + 0.25));
        assert_eq!(of(Form::SubtractDivide), round(2.75 / scale));
        assert_eq!(of(Form::SubtractMultiplyReciprocal), round(2.75 * round(1.0 / scale)));
    }

    #[test]
    fn what_is_clipped_is_out_of_range() {
        let clipped = min_max(ClipTo::Range([Real(0.0), Real(1.0)]), Form::MultiplyAdd);
        let out = run_float(&clipped, &[Some(99.0), Some(1.0), Some(f64::NAN)]);
        assert_eq!(out.float64()[..2], [1.0, 0.35]);
        assert!(out.float64()[2].is_nan());
        assert_eq!(out.marks, [Mark::OUT_OF_RANGE, Mark::PRESENT, Mark::PRESENT]);
    }

    #[test]
    fn clip_is_written_in_either_way() {
        let written =
            r#"{"scale": 1, "min": 0, "clip": "none", "form": "multiply_add", "precision": "float64"}"#;
        assert!(serde_json::from_str::<MinMax>(written).is_ok());
        assert!(serde_json::from_str::<MinMax>(&written.replace("\"none\"", "[0, 1]")).is_ok());
        assert!(serde_json::from_str::<MinMax>(&written.replace("\"clip\": \"none\",", "")).is_err());
    }
}
