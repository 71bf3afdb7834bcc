//! The cosine of the angle between two vectors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Derived, Kernel, Operation, repeated, sum, two_vectors};
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
        let kernel = CosineKernel { lanes, zero_norm: self.zero_norm };
        let length = |position: usize| {
            let output = output.with_nullable(inputs[position].nullable);
            Derived { reads: vec![position], compiled: Compiled::new(output, LengthKernel { lanes }) }
        };
        Ok(Compiled {
            derived: vec![length(0), length(1)],
            ..Compiled::new(output.with_nullable(nullable), kernel)
        })
    }
}

/// The length of one vector.
#[derive(Debug)]
struct LengthKernel {
    lanes: usize,
}

impl Kernel for LengthKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (values, marks) = out.float64_mut();
        marks.extend_from_slice(&inputs[0].marks);
        values.extend(
            inputs[0].float64().chunks_exact(self.lanes).map(|vector| sum::dot(vector, vector).sqrt()),
        );
    }
}

/// The cosine of two vectors whose lengths come after them.
#[derive(Debug)]
struct CosineKernel {
    lanes: usize,
    zero_norm: ZeroNorm,
}

impl Kernel for CosineKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let count = inputs.iter().map(|input| input.marks.len()).max().unwrap_or_default();
        let (values, marks) = out.float64_mut();
        let vectors = repeated(inputs[0], self.lanes, count).zip(repeated(inputs[1], self.lanes, count));
        let lengths = repeated(inputs[2], 1, count).zip(repeated(inputs[3], 1, count));
        for (((one, mark), (other, of_other)), ((length, _), (of_length, _))) in vectors.zip(lengths) {
            let lengths = length[0] * of_length[0];
            let joined = mark | of_other;
            if lengths != 0.0 {
                values.push(sum::dot(one, other) / lengths);
                marks.push(joined);
            } else {
                values.push(0.0);
                let null = self.zero_norm == ZeroNorm::Null && !joined.is_null();
                marks.push(if null { joined | Mark::NULL } else { joined });
            }
        }
    }

    fn takes_single_rows(&self) -> bool {
        true
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
            let lengths = compiled.derived.iter().map(|Derived { reads, compiled }| {
                let mut out = Column::new(compiled.output);
                compiled.kernel.run(&[[&one, &other][reads[0]]], &mut out);
                out
            });
            let lengths: Vec<Column> = lengths.collect();
            compiled.kernel.run(&[&one, &other, &lengths[0], &lengths[1]], &mut out);
            assert_eq!(out.float64(), [24.0 / 25.0, 0.0]);
            assert_eq!(out.marks, [Mark::PRESENT, mark]);
        }
    }
}
