//! Max-abs scaling: divide by the greatest magnitude.

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

/// `x / scale`, as scikit-learn's MaxAbsScaler. Null stays null, NaN stays NaN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaxAbs {
    /// The greatest magnitude: one number, or one for each lane; not 0 (libraries fit 1 for a column of zeros).
    pub scale: PerLane,
    /// The floats that the library computes with.
    pub precision: Precision,
}

impl Operation for MaxAbs {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single_float(inputs)?;
        let mut problems = Problems::none();
        let good = |scale: f64| scale.is_finite() && scale != 0.0;
        self.scale.check("scale", input.lanes(), "must be finite and not 0", good, &mut problems);
        problems.or(())?;
        let scales = (0..input.lanes()).map(|lane| self.scale.get(lane)).collect();
        Ok(Compiled::new(input, MaxAbsKernel { scales, precision: self.precision }))
    }
}

#[derive(Debug)]
struct MaxAbsKernel {
    scales: Vec<f64>,
    precision: Precision,
}

impl Kernel for MaxAbsKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        match self.precision {
            Precision::Float64 => map_lanes(inputs[0], out, &self.scales, |&scale, x| x / scale),
            Precision::Float32 => {
                map_lanes(inputs[0], out, &self.scales, |&scale, x| round_to_float32(x / scale));
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
    fn divides_by_the_scale() {
        let of = |scale, precision| {
            let max_abs = MaxAbs { scale: PerLane::Single(Real(scale)), precision };
            results(&run_float(&max_abs, &[Some(2.0), None]))
        };
        assert_eq!(of(-4.0, Precision::Float64), [Some(-0.5), None]);
        assert_eq!(of(3.0, Precision::Float64), [Some(2.0 / 3.0), None]);
        assert_eq!(of(3.0, Precision::Float32), [Some(f64::from(2.0_f32 / 3.0)), None]);
    }
}
