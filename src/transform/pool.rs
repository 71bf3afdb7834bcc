//! Pool: a list to one value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation, single_float,
    sum::{PARTIALS, join},
};
use crate::{
    batch::{Column, ListRows, Mark, Type},
    problem::Problems,
};

/// Joins each list's elements, lane by lane. A null list stays null. The status is the gravest of all elements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    pub function: Function,
    /// What null elements do.
    pub null_elements: NullElements,
    /// What comes of a list without elements, or with skipped ones alone.
    pub empty: Empty,
}

/// How elements are joined.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    Sum,
    /// The sum divided by the number of elements that count.
    Mean,
    /// The greatest; NaN where there is one.
    Max,
}

/// The effect of a null element.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NullElements {
    /// It does not count.
    Skip,
    /// It counts as 0.
    Zero,
    /// The result is null.
    Null,
}

/// The result of nothing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Empty {
    Null,
    Zero,
}

impl Operation for Pool {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single_float(inputs)?;
        if !input.list {
            return Err(Problems::one("", format!("takes a list, its input is {input}")));
        }
        let output = Type { list: false, nullable: true, ..input };
        Ok(Compiled::new(output, PoolKernel { of: self.clone(), lanes: input.lanes() }))
    }
}

#[derive(Debug)]
struct PoolKernel {
    of: Pool,
    lanes: usize,
}

impl Kernel for PoolKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let Some(list) = &inputs[0].list else { return };
        let (values, marks) = out.float64_mut();
        let mut partials = vec![[0.0; PARTIALS]; self.lanes];
        for row in 0..list.marks.len() {
            let (count, mark) = self.join_marks(inputs[0], list, row);
            marks.push(mark);
            if count == 0 {
                values.extend(std::iter::repeat_n(0.0, self.lanes));
            } else if self.of.function == Function::Max {
                self.greatest(inputs[0], list, row, values);
            } else {
                self.sum(inputs[0], list, row, &mut partials);
                let divisor = if self.of.function == Function::Mean { count as f64 } else { 1.0 };
                values.extend(partials.iter().map(|partials| join(partials) / divisor));
            }
        }
    }
}

impl PoolKernel {
    /// The number of elements that count, and the mark of the result.
    fn join_marks(&self, input: &Column, list: &ListRows, row: usize) -> (usize, Mark) {
        let mut mark = list.marks[row];
        if mark.is_null() {
            return (0, mark);
        }
        let mut count = 0;
        for &of_element in &input.marks[list.range(row)] {
            let skipped = of_element.is_null() && self.of.null_elements == NullElements::Skip;
            count += usize::from(!skipped);
            mark |=
                if self.of.null_elements == NullElements::Null { of_element } else { of_element.filled() };
        }
        if count == 0 && self.of.empty == Empty::Null {
            mark |= Mark::NULL;
        }
        (count, mark)
    }

    /// The elements that count, with 0 where a null counts as such.
    fn counted<'a>(
        &self,
        input: &'a Column,
        list: &ListRows,
        row: usize,
    ) -> impl Iterator<Item = Option<&'a [f64]>> {
        let (lanes, zero) = (self.lanes, self.of.null_elements == NullElements::Zero);
        list.range(row).filter_map(move |element| {
            let null = input.marks[element].is_null();
            let value = &input.float64()[element * lanes..(element + 1) * lanes];
            if null { zero.then_some(None) } else { Some(Some(value)) }
        })
    }

    fn sum(&self, input: &Column, list: &ListRows, row: usize, partials: &mut [[f64; PARTIALS]]) {
        partials.fill([0.0; PARTIALS]);
        for (position, value) in self.counted(input, list, row).enumerate() {
            for (partials, &x) in partials.iter_mut().zip(value.into_iter().flatten()) {
                partials[position % PARTIALS] += x;
            }
        }
    }

    fn greatest(&self, input: &Column, list: &ListRows, row: usize, values: &mut Vec<f64>) {
        let start = values.len();
        values.extend(std::iter::repeat_n(f64::NEG_INFINITY, self.lanes));
        for value in self.counted(input, list, row) {
            for (lane, most) in values[start..].iter_mut().enumerate() {
                let x = value.map_or(0.0, |value| value[lane]);
                if x > *most || x.is_nan() {
                    *most = x;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::{Element, Status},
        transform::check::{floats, results},
    };

    /// Pools [1, null, 5], [], [null] and a null list.
    fn run(function: Function, null_elements: NullElements, empty: Empty) -> Column {
        let pool = Pool { function, null_elements, empty };
        let compiled = pool.compile(&[Type::scalar(Element::Float64).listed()]).expect("good");
        let mut marks = vec![Mark::PRESENT; 4];
        marks[3] = Mark::NULL;
        let list = ListRows { offsets: vec![0, 3, 3, 4, 4], marks };
        let input = Column { list: Some(list), ..floats(&[Some(1.0), None, Some(5.0), None]) };
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&input], &mut out);
        out
    }

    #[test]
    fn skipped_elements_do_not_count() {
        let of = |function| results(&run(function, NullElements::Skip, Empty::Null));
        assert_eq!(of(Function::Sum), [Some(6.0), None, None, None]);
        assert_eq!(of(Function::Mean), [Some(3.0), None, None, None]);
        assert_eq!(of(Function::Max), [Some(5.0), None, None, None]);
        assert_eq!(run(Function::Sum, NullElements::Skip, Empty::Null).marks[0].status(), Status::Null);
    }

    #[test]
    fn nulls_count_or_spoil_as_told() {
        let zero = results(&run(Function::Mean, NullElements::Zero, Empty::Zero));
        assert_eq!(zero, [Some(2.0), Some(0.0), Some(0.0), None]);
        let null = results(&run(Function::Sum, NullElements::Null, Empty::Zero));
        assert_eq!(null, [None, Some(0.0), None, None]);
    }
}
