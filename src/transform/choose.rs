//! Choose: one of two values, as a condition says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    pick::{Picker, of_one_type, step},
};
use crate::{
    batch::{Column, Element, Type},
    problem::Problems,
};

/// Of three inputs, the first a boolean: the second where it is true, the third where it is false. The two are of one
/// type: scalars of any type, vectors of one width, or lists of either, of which whole lists are chosen. Null where the
/// condition is null, with its status; else the value's own null, and the graver status of both. Where the condition is a
/// list, or just one of the two is, it chooses for each element.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choose {}

impl Operation for Choose {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let &[condition, one, other] = inputs else {
            return Err(Problems::one("", format!("takes three inputs, has {}", inputs.len())));
        };
        let mut problems = Problems::none();
        if condition.element != Element::Bool || condition.list {
            problems.add("", format!("its first input is {condition}, must be bool"));
        }
        if !of_one_type(&inputs[1..]) {
            let message = format!("takes two of one type to choose of, they are {one} and {other}");
            problems.add("", message);
        }
        let nullable = inputs.iter().any(|input| input.nullable);
        problems.or(Compiled::new(one.with_nullable(nullable), ChooseKernel { picker: Picker::of(one) }))
    }

    fn takes_elements(&self, inputs: &[Type]) -> bool {
        let [condition, choices @ ..] = inputs else { return false };
        condition.list || choices.iter().any(|choice| !choice.list)
    }
}

#[derive(Debug)]
struct ChooseKernel {
    picker: Picker,
}

impl Kernel for ChooseKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (condition, choices) = (inputs[0], &inputs[1..]);
        let (is_true, step) = (condition.bool(), step(condition));
        let choice = |row: usize| usize::from(!is_true[row * step]);
        let mark = |row: usize| {
            let of_condition = condition.marks[row * step];
            if of_condition.is_null() {
                of_condition
            } else {
                of_condition | self.picker.mark(choices[choice(row)], row)
            }
        };
        self.picker.pick(inputs, choices, choice, mark, out);
    }

    fn gives_lists(&self) -> bool {
        self.picker.lists
    }

    fn takes_single_rows(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::{Mark, Values},
        transform::check::{floats, results},
    };

    #[test]
    fn the_condition_chooses_and_its_null_is_the_results() {
        let float = Type::scalar(Element::Float64);
        let compiled = Choose {}.compile(&[Type::scalar(Element::Bool), float, float]).expect("good");
        let condition = Column {
            values: Values::Bool(vec![true, false, true, false]),
            marks: vec![Mark::PRESENT, Mark::UNKNOWN_CATEGORY, Mark::NULL, Mark::PRESENT],
            list: None,
        };
        let other = floats(&[None, Some(6.0), None, None]);
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&condition, &floats(&[Some(1.0)]), &other], &mut out);
        assert_eq!(results(&out), [Some(1.0), Some(6.0), None, None]);
        assert_eq!(out.marks[..2], [Mark::PRESENT, Mark::UNKNOWN_CATEGORY]);
    }

    #[test]
    fn every_wrong_input_is_told() {
        let float = Type::scalar(Element::Float64);
        let found = Choose {}.compile(&[float, float, Type::vector(3)]).expect_err("two are wrong");
        assert_eq!(found.len(), 2);
    }
}
