//! Robust scaling: subtract the median, divide by the distance between quartiles.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation, map_lanes,
    parameters::{PerLane, Precision, round_to_float32},
    single_float,
};
use crate::{
    batch::{Column, Type},
    problem::Problems,
};

/// `(x - center) / scale`, as scikit-learn's RobustScaler. Null stays null, NaN stays NaN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RobustScale {
    /// The median: one number, or one for each lane; 0 where the library was fitted without centering.
    pub center: PerLane,
    /// The distance between the fitted quantiles: one number, or one for each lane; not 0.
    pub scale: PerLane,
    /// The floats that the library computes with.
    pub precision: Precision,
}

impl Operation for RobustScale {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single_float(inputs)?;
        let mut problems = Problems::none();
        self.center.check("center", input.lanes(), "must be finite", f64::is_finite, &mut problems);
        let good = |scale: f64| scale.is_finite() && scale != 0.0;
        self.scale.check("scale", input.lanes(), "must be finite and not 0", good, &mut problems);
        problems.or(())?;
        let lanes = (0..input.lanes()).map(|lane| (self.center.get(lane), self.scale.get(lane))).collect();
        Ok(Compiled::new(input, RobustScaleKernel { lanes, precision: self.precision }))
    }
}

#[derive(Debug)]
struct RobustScaleKernel {
    lanes: Vec<(f64, f64)>,
    precision: Precision,
}

impl Kernel for RobustScaleKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let round = round_to_float32;
        match self.precision {
            Precision::Float64 => {
                map_lanes(inputs[0], out, &self.lanes, |&(center, scale), x| (x - center) / scale);
            }
            Precision::Float32 => {
                map_lanes(inputs[0], out, &self.lanes, |&(center, scale), x| {
                    round(round(x - center) / scale)
                });
            }
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

    #[test]
    fn centers_and_divides() {
        let of = |precision| {
            let (center, scale) = (PerLane::Single(Real(0.5)), PerLane::Single(Real(3.0)));
            results(&run_float(&RobustScale { center, scale, precision }, &[Some(1.0), None]))
        };
        assert_eq!(of(Precision::Float64), [Some(0.5 / 3.0), None]);
        assert_eq!(of(Precision::Float32), [Some(f64::from(0.5_f32 / 3.0)), None]);
    }
}
