//! The cosine of the angle between two vectors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Derived, Kernel, Meaning, Operation, Transform,
    dot::{Dot, DotKernel},
    repeated, sum, two_vectors,
};
use crate::{
    batch::{Column, Mark, Type, Values},
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
        let length = |position: usize| {
            let output = output.with_nullable(inputs[position].nullable);
            Derived {
                reads: vec![position],
                compiled: Compiled::new(output, LengthKernel { lanes }),
                same_as: Some(Meaning::Named("length".to_owned())),
            }
        };
        let dot = Derived {
            reads: vec![0, 1],
            compiled: Compiled::new(output, DotKernel { lanes }),
            same_as: Some(Meaning::Operation(Transform::Dot(Dot {}))),
        };
        Ok(Compiled {
            derived: vec![length(0), length(1), dot],
            reads: Some(vec![2, 3, 4]),
            ..Compiled::new(output.with_nullable(nullable), CosineKernel { zero_norm: self.zero_norm })
        })
    }

    fn takes_elements(&self, _inputs: &[Type]) -> bool {
        true
    }
}

/// The length of one vector.
#[derive(Debug)]
struct LengthKernel {
    lanes: usize,
}

impl Kernel for LengthKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let input = inputs[0];
        let (values, marks) = out.float64_mut();
        marks.extend_from_slice(&input.marks);
        match &input.values {
            Values::Float32(of) => values.extend(of.chunks_exact(self.lanes).map(length)),
            _ => values.extend(input.float64().chunks_exact(self.lanes).map(length)),
        }
    }

    fn takes_float32(&self) -> bool {
        true
    }
}

fn length<T: Copy + Into<f64>>(vector: &[T]) -> f64 {
    sum::dot(vector, vector).sqrt()
}

/// The cosine of two vectors from both lengths and the dot product.
#[derive(Debug)]
struct CosineKernel {
    zero_norm: ZeroNorm,
}

impl Kernel for CosineKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let count = inputs.iter().map(|input| input.marks.len()).max().unwrap_or_default();
        let (values, marks) = out.float64_mut();
        let lengths = repeated(inputs[0], 1, count).zip(repeated(inputs[1], 1, count));
        for (((length, _), (of_other, _)), (dot, mark)) in lengths.zip(repeated(inputs[2], 1, count)) {
            let lengths = length[0] * of_other[0];
            if lengths != 0.0 {
                values.push(dot[0] / lengths);
                marks.push(mark);
            } else {
                values.push(0.0);
                let null = self.zero_norm == ZeroNorm::Null && !mark.is_null();
                marks.push(if null { mark | Mark::NULL } else { mark });
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
            let parts = compiled.derived.iter().map(|Derived { reads, compiled, .. }| {
                let mut out = Column::new(compiled.output);
                let read: Vec<&Column> = reads.iter().map(|&at| [&one, &other][at]).collect();
                compiled.kernel.run(&read, &mut out);
                out
            });
            let parts: Vec<Column> = parts.collect();
            compiled.kernel.run(&parts.iter().collect::<Vec<_>>(), &mut out);
            assert_eq!(out.float64(), [24.0 / 25.0, 0.0]);
            assert_eq!(out.marks, [Mark::PRESENT, mark]);
        }
    }
}
