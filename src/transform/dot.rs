//! The dot product of two vectors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, repeated, sum, two_vectors};
use crate::{
    batch::{Column, Type},
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
}

#[derive(Debug)]
struct DotKernel {
    lanes: usize,
}

impl Kernel for DotKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let count = inputs[0].marks.len().max(inputs[1].marks.len());
        let (values, marks) = out.float64_mut();
        let pairs = repeated(inputs[0], self.lanes, count).zip(repeated(inputs[1], self.lanes, count));
        for ((one, mark), (other, of_other)) in pairs {
            values.push(sum::dot(one, other));
            marks.push(mark | of_other);
        }
    }

    fn takes_single_rows(&self) -> bool {
        true
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
