//! The cosine of the angle between two vectors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, sum, two_vectors};
use crate::{
    batch::{Column, Mark, Type},
    problem::Problems,
};

/// `a.b / (|a| |b|)` of two vectors of one width, a scalar float. Null where either is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cosine {
    /// The result where either vector has the length 0.
    pub zero_norm: ZeroNorm,
}

/// The result without an angle.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ZeroNorm {
    Zero,
    Null,
}

impl Operation for Cosine {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let (lanes, output) = two_vectors(inputs)?;
        let nullable = output.nullable || self.zero_norm == ZeroNorm::Null;
        Ok(Compiled::new(output.with_nullable(nullable), CosineKernel { lanes, zero_norm: self.zero_norm }))
    }
}

#[derive(Debug)]
struct CosineKernel {
    lanes: usize,
    zero_norm: ZeroNorm,
}

impl Kernel for CosineKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (one, other) = (inputs[0], inputs[1]);
        let (values, marks) = out.float64_mut();
        marks.extend(one.marks.iter().zip(&other.marks).map(|(&one, &other)| one | other));
        let pairs = one.float64().chunks_exact(self.lanes).zip(other.float64().chunks_exact(self.lanes));
        for ((one, other), mark) in pairs.zip(marks) {
            let lengths = sum::dot(one, one).sqrt() * sum::dot(other, other).sqrt();
            if lengths == 0.0 {
                values.push(0.0);
                if self.zero_norm == ZeroNorm::Null && !mark.is_null() {
                    *mark |= Mark::NULL;
                }
            } else {
                values.push(sum::dot(one, other) / lengths);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::vectors;

    #[test]
    fn a_vector_without_length_follows_the_switch() {
        for (zero_norm, mark) in [(ZeroNorm::Zero, Mark::PRESENT), (ZeroNorm::Null, Mark::NULL)] {
            let compiled = Cosine { zero_norm }.compile(&[Type::vector(2), Type::vector(2)]).expect("good");
            let mut out = Column::new(compiled.output);
            let (one, other) = (vectors(2, &[3.0, 4.0, 1.0, 1.0]), vectors(2, &[4.0, 3.0, 0.0, 0.0]));
            compiled.kernel.run(&[&one, &other], &mut out);
            assert_eq!(out.float64(), [24.0 / 25.0, 0.0]);
            assert_eq!(out.marks, [Mark::PRESENT, mark]);
        }
    }
}
