//! Occurrences: how often a value stands in a list.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    keys::with_keys,
    pairs::{list_rows, row_step},
};
use crate::{
    batch::{Column, Element, Mark, Type},
    problem::Problems,
};

/// How often the second input, a scalar, stands in the first, a list of the same type: int64. -0 equals 0, NaN equals
/// NaN, and a null element equals nothing. The status is the gravest of the list, its elements and the scalar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Occurrences {
    /// The result for a null list or a null scalar.
    pub null: NullOccurrences,
}

/// The result where either input is null.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NullOccurrences {
    Null,
    /// 0, with the status of the null.
    Zero,
}

impl Operation for Occurrences {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let &[list, value] = inputs else {
            return Err(Problems::one("", format!("takes two inputs, has {}", inputs.len())));
        };
        if !list.list || value.list || list.element != value.element || list.width.or(value.width).is_some() {
            let message = format!("takes a list and a scalar of its type, its inputs are {list} and {value}");
            return Err(Problems::one("", message));
        }
        let nullable = (list.nullable || value.nullable) && self.null == NullOccurrences::Null;
        let output = Type::scalar(Element::Int64).with_nullable(nullable);
        Ok(Compiled::new(output, OccurrencesKernel { null: self.null }))
    }
}

#[derive(Debug)]
struct OccurrencesKernel {
    null: NullOccurrences,
}

impl Kernel for OccurrencesKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        with_keys!(inputs[0], inputs[1], (elements, values) => self.count(inputs, &elements, &values, out));
    }

    fn takes_single_rows(&self) -> bool {
        true
    }

    fn takes_single_list(&self, input: usize) -> bool {
        input == 0
    }
}

impl OccurrencesKernel {
    fn count<K: PartialEq>(&self, inputs: &[&Column], elements: &[K], values: &[K], out: &mut Column) {
        let Some(list) = &inputs[0].list else { return };
        let (step, value_step) = (row_step(inputs[0]), row_step(inputs[1]));
        let (counts, marks) = out.int64_mut();
        let mut of_elements = None;
        for row in 0..list_rows(inputs) {
            let (own, row) = (row * step, row * value_step);
            let mut mark = list.marks[own] | inputs[1].marks[row];
            let mut count = 0;
            if !mark.is_null() {
                let range = list.range(own);
                let (joined, any_null) = match of_elements {
                    // A single list is looked through once.
                    Some((known, joined)) if known == own => joined,
                    _ => joined_marks(&inputs[0].marks[range.clone()]),
                };
                of_elements = Some((own, (joined, any_null)));
                mark |= joined;
                let equal = |element: &usize| elements[*element] == values[row];
                count = if any_null {
                    range.filter(|&element| !inputs[0].marks[element].is_null()).filter(equal).count()
                } else {
                    elements[range].iter().filter(|&element| *element == values[row]).count()
                };
            }
            counts.push(count as i64);
            marks.push(self.result_mark(mark));
        }
    }

    fn result_mark(&self, mark: Mark) -> Mark {
        if self.null == NullOccurrences::Zero { mark.filled() } else { mark }
    }
}

/// The gravest status of a list's elements, and whether any is null.
fn joined_marks(marks: &[Mark]) -> (Mark, bool) {
    let joined = marks.iter().fold(Mark::PRESENT, |joined, &mark| joined | mark);
    (joined.filled(), joined.is_null())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::{ListRows, Values},
        transform::check::integers,
    };

    #[test]
    fn counts_equal_elements() {
        for (null, mark) in
            [(NullOccurrences::Null, Mark::NULL), (NullOccurrences::Zero, Mark::NULL.filled())]
        {
            let types = [Type::scalar(Element::Int64).listed(), Type::scalar(Element::Int64)];
            let compiled = Occurrences { null }.compile(&types).expect("good");
            let list = ListRows { offsets: vec![0, 4, 4, 5], marks: vec![Mark::PRESENT; 3] };
            let (values, mut marks) = (Values::Int64(vec![7, 8, 7, 7, 9]), vec![Mark::PRESENT; 5]);
            marks[3] = Mark::NULL;
            let elements = Column { values, marks, list: Some(list) };
            let marks = vec![Mark::PRESENT, Mark::PRESENT, Mark::NULL];
            let wanted = Column { values: Values::Int64(vec![7, 7, 9]), marks, list: None };
            let mut out = Column::new(compiled.output);
            compiled.kernel.run(&[&elements, &wanted], &mut out);
            assert_eq!(out.int64(), [2, 0, 0]);
            assert_eq!(out.marks, [Mark::NULL.filled(), Mark::PRESENT, mark]);
        }
    }

    #[test]
    fn a_single_list_goes_with_each_value() {
        let types = [Type::scalar(Element::Int64).listed(), Type::scalar(Element::Int64)];
        let compiled = Occurrences { null: NullOccurrences::Null }.compile(&types).expect("good");
        let list = ListRows { offsets: vec![0, 3], marks: vec![Mark::PRESENT] };
        let elements = Column { list: Some(list), ..integers(&[Some(7), Some(8), Some(7)]) };
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&elements, &integers(&[Some(7), None, Some(8), Some(9)])], &mut out);
        assert_eq!((out.int64(), out.marks[1]), (&[2, 0, 1, 0][..], Mark::NULL));
    }

    #[test]
    fn takes_a_list_and_a_scalar() {
        let (list, scalar) = (Type::scalar(Element::Int64).listed(), Type::scalar(Element::Int64));
        let occurrences = Occurrences { null: NullOccurrences::Null };
        assert!(occurrences.compile(&[scalar, list]).is_err());
        assert!(occurrences.compile(&[list, Type::scalar(Element::String)]).is_err());
    }
}
