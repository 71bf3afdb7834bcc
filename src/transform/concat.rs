//! Concat: several features side by side in one vector.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, parameters::Real};
use crate::{
    batch::{Column, Element, Mark, Type, Values},
    problem::Problems,
};

/// Puts float scalars and vectors side by side, in the order of the inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Concat {
    /// What a null part does.
    pub null: NullPart,
}

/// The effect of a part that is null.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NullPart {
    /// The whole vector is null.
    Null,
    /// This number stands in each of the part's lanes.
    Value(Real),
}

impl Operation for Concat {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let mut problems = Problems::none();
        if inputs.is_empty() {
            problems.add("", "takes at least one input");
        }
        for (position, input) in inputs.iter().enumerate() {
            if input.element != Element::Float64 || input.list {
                let message = format!("takes float64 scalars and vectors, its input {position} is {input}");
                problems.add("", message);
            }
        }
        problems.or(())?;
        let lanes: Vec<usize> = inputs.iter().map(|input| input.lanes()).collect();
        let nullable = self.null == NullPart::Null && inputs.iter().any(|input| input.nullable);
        let output = Type::vector(lanes.iter().sum()).with_nullable(nullable);
        Ok(Compiled::new(output, ConcatKernel { lanes, null: self.null }))
    }

    fn takes_elements(&self, _inputs: &[Type]) -> bool {
        true
    }
}

#[derive(Debug)]
struct ConcatKernel {
    lanes: Vec<usize>,
    null: NullPart,
}

impl Kernel for ConcatKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        if inputs.iter().any(|input| input.values.is_compact()) {
            return self.run_sparse(inputs, out);
        }
        let (values, marks) = out.float64_mut();
        for row in 0..inputs[0].marks.len() {
            let mut joined = Mark::PRESENT;
            for (input, &lanes) in inputs.iter().zip(&self.lanes) {
                let (mark, part) = (input.marks[row], &input.float64()[row * lanes..(row + 1) * lanes]);
                match self.null {
                    NullPart::Value(fill) if mark.is_null() => {
                        values.extend(std::iter::repeat_n(fill.0, lanes));
                        joined |= mark.filled();
                    }
                    _ => {
                        values.extend_from_slice(part);
                        joined |= mark;
                    }
                }
            }
            marks.push(joined);
        }
    }

    fn takes_sparse(&self) -> bool {
        true
    }
}

impl ConcatKernel {
    /// Vectors of which a part is sparse are sparse.
    fn run_sparse(&self, inputs: &[&Column], out: &mut Column) {
        let (vectors, marks) = out.sparse_mut();
        for row in 0..inputs[0].marks.len() {
            let (mut joined, mut first) = (Mark::PRESENT, 0);
            for (input, &lanes) in inputs.iter().zip(&self.lanes) {
                let mark = input.marks[row];
                match (self.null, &input.values) {
                    (NullPart::Value(fill), _) if mark.is_null() => {
                        (first..first + lanes as u32).for_each(|lane| vectors.push(lane, fill.0));
                        joined |= mark.filled();
                    }
                    (_, Values::Float64(values)) => {
                        let part = (first..).zip(&values[row * lanes..(row + 1) * lanes]);
                        // -0.0 is no zero that can be left out.
                        let kept = part.filter(|(_, value)| value.to_bits() != 0);
                        kept.for_each(|(lane, &value)| vectors.push(lane, value));
                        joined |= mark;
                    }
                    (_, values) => {
                        values.entries(row, |lane, value| vectors.push(first + lane, value));
                        joined |= mark;
                    }
                }
                first += lanes as u32;
            }
            vectors.end();
            marks.push(joined);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::{floats, vectors};

    #[test]
    fn parts_lie_side_by_side() {
        let types = [Type::scalar(Element::Float64), Type::vector(2)];
        let inputs = [floats(&[Some(1.0), None]), vectors(2, &[2.0, 3.0, 4.0, 5.0])];
        let filled = Concat { null: NullPart::Value(Real(9.0)) }.compile(&types).expect("good");
        assert!(!filled.output.nullable);
        let mut out = Column::new(filled.output);
        filled.kernel.run(&[&inputs[0], &inputs[1]], &mut out);
        assert_eq!(out.float64(), [1.0, 2.0, 3.0, 9.0, 4.0, 5.0]);
        assert_eq!(out.marks, [Mark::PRESENT, Mark::NULL.filled()]);
        let null = Concat { null: NullPart::Null }.compile(&types).expect("good");
        null.kernel.run(&[&inputs[0], &inputs[1]], &mut out);
        assert_eq!(out.marks, [Mark::PRESENT, Mark::NULL]);
    }
}
