//! Cast: integers and booleans to float64.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, single};
use crate::{
    batch::{Column, Element, Type, Values},
    problem::Problems,
};

/// Makes float64 of an integer or a boolean (1 and 0). Integers beyond 2^53 round to the nearest float64. Null stays
/// null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cast {
    /// The type of the result.
    pub to: CastTo,
}

/// Types to cast to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CastTo {
    Float64,
}

impl Operation for Cast {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        match input.element {
            Element::Int64 | Element::Uint64 | Element::Bool => {
                Ok(Compiled::new(Type { element: Element::Float64, ..input }, CastKernel))
            }
            Element::Float64 | Element::String => {
                Err(Problems::one("", format!("takes int64, uint64 or bool, its input is {input}")))
            }
        }
    }
}

#[derive(Debug)]
struct CastKernel;

impl Kernel for CastKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (values, marks) = out.float64_mut();
        marks.extend_from_slice(&inputs[0].marks);
        match &inputs[0].values {
            Values::Int64(from) => values.extend(from.iter().map(|&value| value as f64)),
            Values::Uint64(from) => values.extend(from.iter().map(|&value| value as f64)),
            _ => values.extend(inputs[0].bool().iter().map(|&value| f64::from(u8::from(value)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Mark;

    #[test]
    fn integers_become_floats_and_strings_are_refused() {
        let compiled = Cast { to: CastTo::Float64 }.compile(&[Type::scalar(Element::Int64)]).expect("good");
        let input =
            Column { values: Values::Int64(vec![-3, 7]), marks: vec![Mark::PRESENT, Mark::NULL], list: None };
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&input], &mut out);
        assert_eq!(out.float64(), [-3.0, 7.0]);
        assert_eq!(out.marks, input.marks);
        assert!(Cast { to: CastTo::Float64 }.compile(&[Type::scalar(Element::String)]).is_err());
    }
}
