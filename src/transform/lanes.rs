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
        Ok(Compiled::new(output, LanesKernel::new(self.lanes.clone(), input.lanes())))
    }
}

#[derive(Debug)]
struct LanesKernel {
    lanes: Vec<usize>,
    of_input: usize,
    /// Each lane of the input with a place of it in the result, by lane.
    places: Vec<(usize, u32)>,
}

impl LanesKernel {
    fn new(lanes: Vec<usize>, of_input: usize) -> Self {
        let mut places: Vec<(usize, u32)> = lanes.iter().copied().zip(0..).collect();
        places.sort_unstable();
        Self { lanes, of_input, places }
    }

    fn run_sparse(&self, input: &Column, out: &mut Column) {
        let (vectors, marks) = out.sparse_mut();
        marks.extend_from_slice(&input.marks);
        let mut entries = Vec::new();
        for row in 0..input.marks.len() {
            input.values.entries(row, |lane, value| {
                let lane = lane as usize;
                let from = self.places.partition_point(|&(other, _)| other < lane);
                let places = self.places[from..].iter().take_while(|&&(other, _)| other == lane);
                entries.extend(places.map(|&(_, place)| (place, value)));
            });
            entries.sort_unstable_by_key(|&(place, _)| place);
            entries.drain(..).for_each(|(place, value)| vectors.push(place, value));
            vectors.end();
        }
    }
}

impl Kernel for LanesKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        if inputs[0].values.is_compact() {
            return self.run_sparse(inputs[0], out);
        }
        let (values, marks) = out.float64_mut();
        marks.extend_from_slice(&inputs[0].marks);
        for vector in inputs[0].float64().chunks_exact(self.of_input) {
            values.extend(self.lanes.iter().map(|&lane| vector[lane]));
        }
    }

    fn takes_sparse(&self) -> bool {
        true
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
