//! The dot product of two vectors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, rows_of, sum, two_vectors};
use crate::{
    batch::{Column, Type, Values},
    problem::Problems,
};

/// The sum of products of two vectors of one width, a scalar float. Null where either is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dot {}

impl Operation for Dot {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let (lanes, output) = two_vectors(inputs)?;
        Ok(Compiled::new(output, DotKernel { lanes }))
    }

    fn takes_elements(&self, _inputs: &[Type]) -> bool {
        true
    }
}

/// The dot product of two vectors.
#[derive(Debug)]
pub(super) struct DotKernel {
    pub lanes: usize,
}

impl Kernel for DotKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (one, other) = (inputs[0], inputs[1]);
        match (&one.values, &other.values) {
            (Values::Float32(a), Values::Float32(b)) => self.products((a, one), (b, other), out),
            (Values::Float32(a), _) => self.products((a, one), (other.float64(), other), out),
            (_, Values::Float32(b)) => self.products((one.float64(), one), (b, other), out),
            _ => self.products((one.float64(), one), (other.float64(), other), out),
        }
    }

    fn takes_single_rows(&self) -> bool {
        true
    }

    fn takes_float32(&self) -> bool {
        true
    }
}

impl DotKernel {
    fn products<A: Copy + Into<f64>, B: Copy + Into<f64>>(
        &self,
        (a, one): (&[A], &Column),
        (b, other): (&[B], &Column),
        out: &mut Column,
    ) {
        let count = one.marks.len().max(other.marks.len());
        let (values, marks) = out.float64_mut();
        let pairs =
            rows_of(a, &one.marks, self.lanes, count).zip(rows_of(b, &other.marks, self.lanes, count));
        for ((a, mark), (b, of_other)) in pairs {
            values.push(sum::dot(a, b));
            marks.push(mark | of_other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{batch::Mark, transform::check::vectors};

    #[test]
    fn multiplies_and_joins_marks() {
        let compiled = Dot {}.compile(&[Type::vector(2), Type::vector(2)]).expect("good");
        let (one, mut other) = (vectors(2, &[1.0, 2.0, 3.0, 4.0]), vectors(2, &[5.0, 6.0, 7.0, 8.0]));
        other.marks[1] = Mark::KEY_NOT_FOUND;
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&one, &other], &mut out);
        assert_eq!(out.float64()[0], 17.0);
        assert_eq!(out.marks, [Mark::PRESENT, Mark::KEY_NOT_FOUND]);
    }

    #[test]
    fn widths_must_be_equal() {
        assert!(Dot {}.compile(&[Type::vector(2), Type::vector(3)]).is_err());
        assert!(Dot {}.compile(&[Type::vector(2)]).is_err());
    }
}
