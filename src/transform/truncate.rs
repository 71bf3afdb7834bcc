//! Truncate: the first lanes of a Matryoshka embedding, of unit length again where that is wanted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, single_vector, sum::sum_of};
use crate::{
    batch::{Column, Type, Values},
    problem::Problems,
};

/// The first lanes of a vector, as models trained by Matryoshka representation learning allow: truncate_dim of
/// sentence-transformers. Null stays null; NaN stays NaN, and where the lanes are renormalized, NaN in one of the first lanes
/// makes all of them NaN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Truncate {
    /// How many lanes are kept, 1 or more, at most as many as the vector has.
    pub lanes: usize,
    pub renormalize: Renormalize,
    /// A smaller norm counts as this much: 1e-12 in PyTorch's normalize. 0 if left out; a vector of norm 0 stays as it is
    /// in either case. Has no meaning for "none".
    #[serde(default, skip_serializing_if = "is_zero")]
    pub least_norm: f64,
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// What becomes of the lanes that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Renormalize {
    /// They are divided by the root of the sum of their squares.
    L2,
    /// They stay as they are.
    None,
}

impl Operation for Truncate {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single_vector(inputs)?;
        let mut problems = Problems::none();
        if !(1..=input.lanes()).contains(&self.lanes) {
            problems.add("lanes", format!("is {}, the input is {input}", self.lanes));
        }
        if !(self.least_norm >= 0.0 && self.least_norm.is_finite()) {
            problems.add("least_norm", format!("is {}, must be finite and not negative", self.least_norm));
        }
        let output = Type { width: Some(self.lanes), ..input };
        problems.or(Compiled::new(output, TruncateKernel { of: self.clone(), of_input: input.lanes() }))
    }
}

#[derive(Debug)]
struct TruncateKernel {
    of: Truncate,
    of_input: usize,
}

impl Kernel for TruncateKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let input = inputs[0];
        let (values, marks) = out.float64_mut();
        marks.extend_from_slice(&input.marks);
        match &input.values {
            Values::Float32(vectors) => self.cut(vectors, values),
            _ => self.cut(input.float64(), values),
        }
        if self.of.renormalize == Renormalize::L2 {
            values.chunks_exact_mut(self.of.lanes).for_each(|vector| self.renormalize(vector));
        }
    }

    fn takes_float32(&self) -> bool {
        true
    }
}

impl TruncateKernel {
    fn cut<T: Copy + Into<f64>>(&self, vectors: &[T], out: &mut Vec<f64>) {
        for vector in vectors.chunks_exact(self.of_input) {
            out.extend(vector[..self.of.lanes].iter().map(|&x| x.into()));
        }
    }

    fn renormalize(&self, vector: &mut [f64]) {
        let norm = sum_of(vector, |x| x * x).sqrt();
        if norm != 0.0 {
            let divisor = if norm < self.of.least_norm { self.of.least_norm } else { norm };
            vector.iter_mut().for_each(|x| *x /= divisor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::run_vectors;

    fn truncate(lanes: usize, renormalize: Renormalize, least_norm: f64) -> Truncate {
        Truncate { lanes, renormalize, least_norm }
    }

    #[test]
    fn keeps_the_first_lanes() {
        let out = run_vectors(&truncate(2, Renormalize::None, 0.0), 3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(out.float64(), [1.0, 2.0, 4.0, 5.0]);
    }

    #[test]
    fn renormalizes_by_the_lanes_that_are_kept() {
        let vectors = [3.0, 4.0, 100.0, 0.0, -0.0, 1.0, f64::NAN, 1.0, 1.0, 1.0, 1.0, f64::NAN];
        let out = run_vectors(&truncate(2, Renormalize::L2, 0.0), 3, &vectors);
        assert_eq!(out.float64()[..4], [3.0 / 5.0, 4.0 / 5.0, 0.0, 0.0]);
        assert!(out.float64()[4..6].iter().all(|x| x.is_nan()));
        assert_eq!(out.float64()[6], 1.0 / 2f64.sqrt());
    }

    #[test]
    fn small_norms_count_as_the_least() {
        let out = run_vectors(&truncate(1, Renormalize::L2, 0.5), 2, &[0.25, 9.0, -1.0, 9.0, 0.0, 9.0]);
        assert_eq!(out.float64(), [0.5, -1.0, 0.0]);
    }

    #[test]
    fn wrong_parameters_are_rejected() {
        let vector = [Type::vector(3)];
        assert!(truncate(3, Renormalize::L2, 0.0).compile(&vector).is_ok());
        for wrong in [truncate(0, Renormalize::L2, 0.0), truncate(4, Renormalize::None, 0.0)] {
            assert!(wrong.compile(&vector).is_err());
        }
        assert_eq!(
            truncate(4, Renormalize::L2, f64::NAN).compile(&vector).expect_err("two problems").len(),
            2
        );
        assert!(
            truncate(1, Renormalize::L2, 0.0)
                .compile(&[Type::scalar(crate::batch::Element::Float64)])
                .is_err()
        );
    }
}
