//! The dot product of two vectors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, sum, two_vectors};
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
        let (one, other) = (inputs[0], inputs[1]);
        let (values, marks) = out.float64_mut();
        marks.extend(one.marks.iter().zip(&other.marks).map(|(&one, &other)| one | other));
        let pairs = one.float64().chunks_exact(self.lanes).zip(other.float64().chunks_exact(self.lanes));
        values.extend(pairs.map(|(one, other)| sum::dot(one, other)));
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
