//! Logic of booleans.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, join_marks, pick::step, row_count};
use crate::{
    batch::{Column, Element, Type},
    problem::Problems,
};

/// Joins scalar booleans. Null where any of them is null, whatever the others are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Logic {
    pub function: LogicFunction,
}

/// How booleans are joined.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogicFunction {
    /// Whether all of two or more inputs are true.
    And,
    /// Whether any of two or more inputs is true.
    Or,
    /// The other value of a single input.
    Not,
}

impl Operation for Logic {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let mut problems = Problems::none();
        let single = self.function == LogicFunction::Not;
        if single != (inputs.len() == 1) {
            let wanted = if single { "one input" } else { "two or more inputs" };
            problems.add("", format!("takes {wanted}, has {}", inputs.len()));
        }
        for (position, input) in inputs.iter().enumerate() {
            if input.element != Element::Bool || input.list {
                problems.add("", format!("takes bool, its input {position} is {input}"));
            }
        }
        let output = Type::scalar(Element::Bool).with_nullable(inputs.iter().any(|input| input.nullable));
        problems.or(Compiled::new(output, LogicKernel { function: self.function }))
    }

    fn takes_elements(&self, _inputs: &[Type]) -> bool {
        true
    }
}

#[derive(Debug)]
struct LogicKernel {
    function: LogicFunction,
}

impl Kernel for LogicKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let count = row_count(inputs);
        let (values, marks) = out.bool_mut();
        join_marks(inputs, count, marks);
        match self.function {
            LogicFunction::Not => values.extend(inputs[0].bool().iter().map(|value| !value)),
            LogicFunction::And => join(inputs, count, true, |one, other| one & other, values),
            LogicFunction::Or => join(inputs, count, false, |one, other| one | other, values),
        }
    }

    fn takes_single_rows(&self) -> bool {
        true
    }
}

fn join(
    inputs: &[&Column],
    count: usize,
    start: bool,
    function: impl Fn(bool, bool) -> bool,
    out: &mut Vec<bool>,
) {
    out.resize(count, start);
    for input in inputs {
        let (values, step) = (input.bool(), step(input));
        for (row, joined) in out.iter_mut().enumerate() {
            *joined = function(*joined, values[row * step]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Mark, Values};

    fn bools(values: &[bool]) -> Column {
        Column { values: Values::Bool(values.to_vec()), marks: vec![Mark::PRESENT; values.len()], list: None }
    }

    fn run(function: LogicFunction, inputs: &[&Column]) -> Column {
        let compiled =
            Logic { function }.compile(&vec![Type::scalar(Element::Bool); inputs.len()]).expect("good");
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(inputs, &mut out);
        out
    }

    #[test]
    fn joins_and_turns_around() {
        let (one, other) = (bools(&[false, false, true, true]), bools(&[false, true, false, true]));
        assert_eq!(run(LogicFunction::And, &[&one, &other]).bool(), [false, false, false, true]);
        assert_eq!(run(LogicFunction::Or, &[&one, &other]).bool(), [false, true, true, true]);
        assert_eq!(run(LogicFunction::Or, &[&one, &bools(&[true]), &other]).bool(), [true; 4]);
        assert_eq!(run(LogicFunction::Not, &[&one]).bool(), [true, true, false, false]);
    }

    #[test]
    fn null_where_any_is() {
        let mut one = bools(&[false, true]);
        one.marks[0] = Mark::KEY_NOT_FOUND;
        assert_eq!(
            run(LogicFunction::And, &[&one, &bools(&[false, true])]).marks,
            [Mark::KEY_NOT_FOUND, Mark::PRESENT]
        );
    }

    #[test]
    fn inputs_are_counted_and_typed() {
        let (bool, float) = (Type::scalar(Element::Bool), Type::scalar(Element::Float64));
        let refused = |function, inputs: &[Type]| Logic { function }.compile(inputs).is_err();
        assert!(refused(LogicFunction::And, &[bool]) && refused(LogicFunction::Not, &[bool, bool]));
        assert!(refused(LogicFunction::Or, &[bool, float]));
    }
}
