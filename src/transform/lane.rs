//! Lane: one number of a vector.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, single_vector};
use crate::{
    batch::{Column, Type},
    problem::Problems,
};

/// The number in one lane of a vector, a scalar float. Null stays null, NaN stays NaN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lane {
    /// The lane, from 0 on.
    pub lane: usize,
}

impl Operation for Lane {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single_vector(inputs)?;
        if self.lane >= input.lanes() {
            return Err(Problems::one("lane", format!("is {}, the input is {input}", self.lane)));
        }
        let kernel = LaneKernel { lane: self.lane, lanes: input.lanes() };
        Ok(Compiled::new(Type { width: None, ..input }, kernel))
    }
}

#[derive(Debug)]
struct LaneKernel {
    lane: usize,
    lanes: usize,
}

impl Kernel for LaneKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (values, marks) = out.float64_mut();
        marks.extend_from_slice(&inputs[0].marks);
        values.extend(inputs[0].float64().chunks_exact(self.lanes).map(|vector| vector[self.lane]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::run_vectors;

    #[test]
    fn takes_one_lane_that_is_there() {
        let out = run_vectors(&Lane { lane: 1 }, 2, &[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(out.float64(), [2.0, 4.0]);
        assert!(Lane { lane: 2 }.compile(&[Type::vector(2)]).is_err());
        assert!(Lane { lane: 0 }.compile(&[Type::scalar(crate::batch::Element::Float64)]).is_err());
    }
}
