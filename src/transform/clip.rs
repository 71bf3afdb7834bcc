//! Clip: values outside of a range move to its ends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, parameters::PerLane, single_float};
use crate::{
    batch::{Column, Mark, Type},
    problem::Problems,
};

/// Moves values below `min` or above `max` to these, with the status out of range. Null stays null, NaN stays NaN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clip {
    /// The lower end: one number, or one for each lane; "-inf" for none.
    pub min: PerLane,
    /// The upper end: one number, or one for each lane; "inf" for none.
    pub max: PerLane,
}

/// A closed range.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    low: f64,
    high: f64,
}

impl Bounds {
    /// Clips nothing.
    pub const ALL: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };

    /// Notes a problem at `field` where the two are no range.
    pub fn new(field: &str, low: f64, high: f64, problems: &mut Problems) -> Self {
        let ordered = low <= high;
        if !ordered {
            problems.add(field, format!("{low} must not be above {high}"));
        }
        Self { low, high }
    }
}

impl Operation for Clip {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single_float(inputs)?;
        let mut problems = Problems::none();
        let number = |value: f64| !value.is_nan();
        self.min.check("min", input.lanes(), "must be a number", number, &mut problems);
        self.max.check("max", input.lanes(), "must be a number", number, &mut problems);
        problems.or(())?;
        let mut problems = Problems::none();
        let bounds = |lane| ((), Bounds::new("min", self.min.get(lane), self.max.get(lane), &mut problems));
        let lanes = (0..input.lanes()).map(bounds).collect();
        problems.or(())?;
        Ok(Compiled::new(input, ClipKernel { lanes }))
    }
}

#[derive(Debug)]
struct ClipKernel {
    lanes: Vec<((), Bounds)>,
}

impl Kernel for ClipKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        clip_lanes(inputs[0], out, &self.lanes, |(), x| x);
    }
}

/// A kernel of one float function a lane whose results are clipped. A value with a clipped lane is out of range.
pub(super) fn clip_lanes<P>(
    input: &Column,
    out: &mut Column,
    lanes: &[(P, Bounds)],
    function: impl Fn(&P, f64) -> f64,
) {
    let (values, marks) = out.float64_mut();
    marks.extend_from_slice(&input.marks);
    for (of_value, mark) in input.float64().chunks_exact(lanes.len()).zip(marks) {
        let mut outside = false;
        values.extend(of_value.iter().zip(lanes).map(|(&x, (parameters, bounds))| {
            let value = function(parameters, x);
            outside |= value < bounds.low || value > bounds.high;
            // `clamp` keeps NaN; `min` and `max` would lose it.
            value.clamp(bounds.low, bounds.high)
        }));
        if outside && !mark.is_null() {
            *mark |= Mark::OUT_OF_RANGE;
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

    fn clip(min: f64, max: f64) -> Clip {
        Clip { min: PerLane::Single(Real(min)), max: PerLane::Single(Real(max)) }
    }

    #[test]
    fn moves_to_the_ends_and_tells() {
        let out = run_float(&clip(-1.0, 2.0), &[Some(-3.0), Some(2.0), None, Some(f64::INFINITY)]);
        assert_eq!(results(&out), [Some(-1.0), Some(2.0), None, Some(2.0)]);
        assert_eq!(out.marks, [Mark::OUT_OF_RANGE, Mark::PRESENT, Mark::NULL, Mark::OUT_OF_RANGE]);
    }

    #[test]
    fn nan_stays_and_bounds_are_ordered() {
        assert!(run_float(&clip(0.0, 1.0), &[Some(f64::NAN)]).float64()[0].is_nan());
        let float = [Type::scalar(crate::batch::Element::Float64)];
        assert!(clip(1.0, 0.0).compile(&float).is_err());
    }
}
