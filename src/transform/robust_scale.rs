//! Robust scaling: subtract the median, divide by the distance between quartiles.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, map_lanes, parameters::PerLane, single_float};
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
        Ok(Compiled::new(input, RobustScaleKernel { lanes }))
    }
}

#[derive(Debug)]
struct RobustScaleKernel {
    lanes: Vec<(f64, f64)>,
}

impl Kernel for RobustScaleKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        map_lanes(inputs[0], out, &self.lanes, |&(center, scale), x| (x - center) / scale);
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
        let scale = RobustScale { center: PerLane::Single(Real(2.0)), scale: PerLane::Single(Real(4.0)) };
        assert_eq!(results(&run_float(&scale, &[Some(4.0), None])), [Some(0.5), None]);
    }
}
