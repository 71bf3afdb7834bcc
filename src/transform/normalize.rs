//! Normalize: a vector divided by its norm.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation, single_float,
    sum::{sum_of, sum_of_some},
};
use crate::{
    batch::{Column, Type},
    problem::Problems,
};

/// Divides each vector by its norm; a vector whose norm is 0, or counts as 0, stays as it is. Null stays null; NaN in a
/// lane makes all lanes NaN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Normalize {
    pub norm: Norm,
    /// Norms of a smaller magnitude count as 0. scikit-learn's Normalizer has 10 times the epsilon of its float type
    /// here: 2.220446049250313e-15, and 1.1920928955078125e-06 for float32. 0 if left out: no other norm counts as 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub zero_below: f64,
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// What a vector is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// The sum of magnitudes.
    L1,
    /// The root of the sum of squares.
    L2,
    /// The greatest magnitude: scikit-learn's "max", Spark's infinity.
    Max,
    /// The greatest value, whatever its sign: ONNX Runtime's "MAX".
    SignedMax,
}

impl Operation for Normalize {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single_float(inputs)?;
        if input.width.is_none() {
            return Err(Problems::one("", format!("takes a vector, its input is {input}")));
        }
        if !(self.zero_below >= 0.0 && self.zero_below.is_finite()) {
            let message = format!("is {}, must be finite and not negative", self.zero_below);
            return Err(Problems::one("zero_below", message));
        }
        let kernel = NormalizeKernel { norm: self.norm, zero_below: self.zero_below, lanes: input.lanes() };
        Ok(Compiled::new(input, kernel))
    }
}

#[derive(Debug)]
struct NormalizeKernel {
    norm: Norm,
    zero_below: f64,
    lanes: usize,
}

impl Kernel for NormalizeKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        if inputs[0].values.is_compact() {
            return self.run_sparse(inputs[0], out);
        }
        let (values, marks) = out.float64_mut();
        marks.extend_from_slice(&inputs[0].marks);
        for vector in inputs[0].float64().chunks_exact(self.lanes) {
            let divisor = self.divisor(self.norm.of(vector));
            values.extend(vector.iter().map(|x| x / divisor));
        }
    }

    fn takes_sparse(&self) -> bool {
        true
    }
}

impl NormalizeKernel {
    fn divisor(&self, norm: f64) -> f64 {
        let counts_as_zero = norm == 0.0 || norm.abs() < self.zero_below;
        if counts_as_zero { 1.0 } else { norm }
    }

    fn run_sparse(&self, input: &Column, out: &mut Column) {
        let (vectors, marks) = out.sparse_mut();
        marks.extend_from_slice(&input.marks);
        let (mut lanes, mut values) = (Vec::new(), Vec::new());
        for row in 0..input.marks.len() {
            lanes.clear();
            values.clear();
            input.values.entries(row, |lane, value| {
                lanes.push(lane);
                values.push(value);
            });
            let divisor = self.divisor(self.norm.of_sparse(&lanes, &values, self.lanes));
            if divisor.is_nan() {
                // 0 / NaN is NaN: no lane is left out.
                (0..self.lanes as u32).for_each(|lane| vectors.push(lane, f64::NAN));
            } else {
                lanes.iter().zip(&values).for_each(|(&lane, x)| vectors.push(lane, x / divisor));
            }
            vectors.end();
        }
    }
}

impl Norm {
    fn of(self, vector: &[f64]) -> f64 {
        match self {
            Self::L1 => sum_of(vector, f64::abs),
            Self::L2 => sum_of(vector, |x| x * x).sqrt(),
            Self::Max => greatest(vector.iter().map(|x| x.abs())),
            Self::SignedMax => greatest(vector.iter().copied()),
        }
    }
}

impl Norm {
    /// The same of a vector of which only some lanes are there; the others are 0.
    fn of_sparse(self, lanes: &[u32], values: &[f64], count: usize) -> f64 {
        let rest = (lanes.len() < count).then_some(0.0);
        match self {
            Self::L1 => sum_of_some(lanes, values, f64::abs),
            Self::L2 => sum_of_some(lanes, values, |x| x * x).sqrt(),
            Self::Max => greatest(values.iter().map(|x| x.abs()).chain(rest)),
            Self::SignedMax => greatest(values.iter().copied().chain(rest)),
        }
    }
}

/// The greatest value, or NaN where there is one.
fn greatest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(f64::NEG_INFINITY, |most, x| if x > most || x.is_nan() { x } else { most })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::run_vectors;

    fn run(norm: Norm, vector: &[f64]) -> Vec<f64> {
        run_vectors(&Normalize { norm, zero_below: 0.0 }, vector.len(), vector).float64().to_vec()
    }

    #[test]
    fn each_norm_divides() {
        assert_eq!(run(Norm::L1, &[-4.0, 4.0]), [-0.5, 0.5]);
        assert_eq!(run(Norm::L2, &[3.0, 4.0]), [3.0 / 5.0, 4.0 / 5.0]);
        assert_eq!(run(Norm::Max, &[-4.0, 2.0]), [-1.0, 0.5]);
        assert_eq!(run(Norm::SignedMax, &[-4.0, 2.0]), [-2.0, 1.0]);
        assert_eq!(run(Norm::L2, &[0.0, 0.0]), [0.0, 0.0]);
    }

    #[test]
    fn small_norms_count_as_zero() {
        let operation = Normalize { norm: Norm::Max, zero_below: 0.5 };
        let values = [0.25, -0.4, 0.25, -0.5, f64::NAN, 0.1];
        let got = run_vectors(&operation, 2, &values).float64().to_vec();
        assert_eq!(got[..4], [0.25, -0.4, 0.5, -1.0]);
        assert!(got[4].is_nan() && got[5].is_nan());
    }

    #[test]
    fn a_negative_limit_is_rejected() {
        let vector = [Type { width: Some(2), ..Type::scalar(crate::batch::Element::Float64) }];
        for zero_below in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(Normalize { norm: Norm::L2, zero_below }.compile(&vector).is_err());
        }
    }

    #[test]
    fn a_scalar_is_rejected() {
        let scalar = [Type::scalar(crate::batch::Element::Float64)];
        assert!(Normalize { norm: Norm::L2, zero_below: 0.0 }.compile(&scalar).is_err());
    }
}
