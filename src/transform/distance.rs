//! The distance of two vectors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, repeated, sum, two_vectors};
use crate::{
    batch::{Column, Type},
    problem::Problems,
};

/// The distance of two vectors of one width, a scalar float. Null where either is null; NaN in a lane makes it NaN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Distance {
    pub metric: Metric,
}

/// How far apart two vectors are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The root of the sum of squared differences.
    Euclidean,
    /// The sum of squared differences.
    SquaredEuclidean,
    /// The sum of the differences' magnitudes.
    Manhattan,
}

impl Operation for Distance {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let (lanes, output) = two_vectors(inputs)?;
        Ok(Compiled::new(output, DistanceKernel { metric: self.metric, lanes }))
    }

    fn takes_elements(&self, _inputs: &[Type]) -> bool {
        true
    }
}

#[derive(Debug)]
struct DistanceKernel {
    metric: Metric,
    lanes: usize,
}

impl Kernel for DistanceKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        match self.metric {
            Metric::Euclidean => self.map(inputs, out, |one, other| squared(one, other).sqrt()),
            Metric::SquaredEuclidean => self.map(inputs, out, squared),
            Metric::Manhattan => {
                self.map(inputs, out, |one, other| sum::of_pairs(one, other, |a, b| (a - b).abs()));
            }
        }
    }

    fn takes_single_rows(&self) -> bool {
        true
    }
}

impl DistanceKernel {
    fn map(&self, inputs: &[&Column], out: &mut Column, distance: impl Fn(&[f64], &[f64]) -> f64) {
        let count = inputs[0].marks.len().max(inputs[1].marks.len());
        let (values, marks) = out.float64_mut();
        let pairs = repeated(inputs[0], self.lanes, count).zip(repeated(inputs[1], self.lanes, count));
        for ((one, mark), (other, of_other)) in pairs {
            values.push(distance(one, other));
            marks.push(mark | of_other);
        }
    }
}

fn squared(one: &[f64], other: &[f64]) -> f64 {
    sum::of_pairs(one, other, |a, b| (a - b) * (a - b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{batch::Mark, transform::check::vectors};

    #[test]
    fn each_metric_has_its_sum() {
        let (one, mut other) = (vectors(2, &[1.0, 2.0, 0.0, 0.0]), vectors(2, &[4.0, -2.0, 0.0, 0.0]));
        other.marks[1] = Mark::KEY_NOT_FOUND;
        for (metric, expected) in
            [(Metric::Euclidean, 5.0), (Metric::SquaredEuclidean, 25.0), (Metric::Manhattan, 7.0)]
        {
            let compiled = Distance { metric }.compile(&[Type::vector(2), Type::vector(2)]).expect("good");
            let mut out = Column::new(compiled.output);
            compiled.kernel.run(&[&one, &other], &mut out);
            assert_eq!(out.float64()[0], expected);
            assert_eq!(out.marks, [Mark::PRESENT, Mark::KEY_NOT_FOUND]);
        }
        assert!(Distance { metric: Metric::Manhattan }.compile(&[Type::vector(2), Type::vector(3)]).is_err());
    }
}
