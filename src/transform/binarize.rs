//! Binarize: 1 above a threshold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, map_lanes, parameters::PerLane, single_float, zeros_stay};
use crate::{
    batch::{Column, Type},
    problem::Problems,
};

/// 1 where a float is above the threshold, 0 where it is at or below it, as float64. Null stays null; infinities
/// compare as numbers do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Binarize {
    /// The threshold: one number, or one for each lane; not NaN.
    pub threshold: PerLane,
    /// The result for NaN.
    pub nan: NanBinary,
}

/// The result for NaN.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NanBinary {
    /// NaN.
    Keep,
    /// 0: Spark.
    Zero,
}

impl Operation for Binarize {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single_float(inputs)?;
        let mut problems = Problems::none();
        let number = |threshold: f64| !threshold.is_nan();
        self.threshold.check("threshold", input.lanes(), "must be a number", number, &mut problems);
        problems.or(())?;
        let thresholds = (0..input.lanes()).map(|lane| self.threshold.get(lane)).collect();
        Ok(Compiled::new(input, BinarizeKernel { thresholds, nan: self.nan }))
    }
}

#[derive(Debug)]
struct BinarizeKernel {
    thresholds: Vec<f64>,
    nan: NanBinary,
}

impl Kernel for BinarizeKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let above = |x: f64, threshold: f64| f64::from(u8::from(x > threshold));
        match self.nan {
            NanBinary::Zero => {
                map_lanes(inputs[0], out, &self.thresholds, |&threshold, x| above(x, threshold));
            }
            NanBinary::Keep => {
                map_lanes(
                    inputs[0],
                    out,
                    &self.thresholds,
                    |&threshold, x| {
                        if x.is_nan() { x } else { above(x, threshold) }
                    },
                )
            }
        }
    }

    fn takes_sparse(&self) -> bool {
        // 0 is not above a threshold of 0 or more.
        zeros_stay(&self.thresholds, |&threshold, x| f64::from(u8::from(x > threshold)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::{
        check::{results, run_float, run_vectors},
        parameters::{List, Real},
    };

    #[test]
    fn the_threshold_itself_is_not_above() {
        let inputs = [Some(0.5), Some(0.6), Some(f64::INFINITY), None, Some(f64::NAN)];
        let of = |nan| run_float(&Binarize { threshold: PerLane::Single(Real(0.5)), nan }, &inputs);
        let zero = results(&of(NanBinary::Zero));
        assert_eq!(zero, [Some(0.0), Some(1.0), Some(1.0), None, Some(0.0)]);
        assert!(of(NanBinary::Keep).float64()[4].is_nan());
    }

    #[test]
    fn lanes_have_their_own_thresholds() {
        let threshold = PerLane::Each(List(vec![Real(0.0), Real(2.0)]));
        let binarize = Binarize { threshold, nan: NanBinary::Keep };
        assert_eq!(run_vectors(&binarize, 2, &[1.0, 1.0, 0.0, 3.0]).float64(), [1.0, 0.0, 0.0, 1.0]);
        assert!(binarize.compile(&[Type::vector(3)]).is_err());
    }
}
