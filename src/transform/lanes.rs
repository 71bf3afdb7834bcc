//! Lanes: some numbers of a vector, in an order of their own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, single_vector};
use crate::{
    batch::{Column, Type},
    problem::Problems,
};

/// The vector of the lanes listed, in their order: cuts vectors short, leaves columns out, sorts them. Null stays null,
/// NaN stays NaN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lanes {
    /// The lanes, each counted from 0 on; one or more. A lane may be there several times.
    pub lanes: Vec<usize>,
}

/// The widest result.
const WIDTH_LIMIT: usize = 1 << 20;

impl Operation for Lanes {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single_vector(inputs)?;
        let mut problems = Problems::none();
        if self.lanes.is_empty() || self.lanes.len() > WIDTH_LIMIT {
            let message = format!("has {} lanes, must have from 1 to {WIDTH_LIMIT}", self.lanes.len());
            problems.add("lanes", message);
        }
        for (position, lane) in self.lanes.iter().enumerate().filter(|&(_, &lane)| lane >= input.lanes()) {
            problems.add(format!("lanes[{position}]"), format!("is {lane}, the input is {input}"));
        }
        problems.or(())?;
        let output = Type { width: Some(self.lanes.len()), ..input };
        Ok(Compiled::new(output, LanesKernel { lanes: self.lanes.clone(), of_input: input.lanes() }))
    }
}

#[derive(Debug)]
struct LanesKernel {
    lanes: Vec<usize>,
    of_input: usize,
}

impl Kernel for LanesKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (values, marks) = out.float64_mut();
        marks.extend_from_slice(&inputs[0].marks);
        for vector in inputs[0].float64().chunks_exact(self.of_input) {
            values.extend(self.lanes.iter().map(|&lane| vector[lane]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::run_vectors;

    #[test]
    fn takes_lanes_in_their_order() {
        let out = run_vectors(&Lanes { lanes: vec![2, 0, 2] }, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(out.float64(), [3.0, 1.0, 3.0, 6.0, 4.0, 6.0]);
        assert!(Lanes { lanes: vec![] }.compile(&[Type::vector(3)]).is_err());
        let outside = Lanes { lanes: vec![0, 3, 9] }.compile(&[Type::vector(3)]);
        assert_eq!(outside.expect_err("two lanes are not there").len(), 2);
    }
}
