//! Pool: a list to one value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    pairs::{are_floats, lists_mark, side_by_side},
    sum::{PARTIALS, join},
};
use crate::{
    batch::{Column, Element, Mark, Type},
    problem::Problems,
};

/// Joins each list's elements, lane by lane. The input is a list of float64, scalars or vectors. A second input, a list
/// of float64 scalars, weighs the elements by position: sum, mean and sqrtn multiply each by its weight. A null weight,
/// and what has no partner because one list is longer than the other, is a null element.
///
/// A null list stays null. NaN and infinities follow IEEE arithmetic. The status is the gravest of all elements and
/// weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    pub function: Function,
    /// What null elements do.
    pub null_elements: NullElements,
    /// The result for a list without elements, with skipped ones alone, or with a divisor of 0.
    pub empty: Empty,
}

/// How elements are joined.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    Sum,
    /// The sum divided by the number of elements that count, or by the sum of their weights.
    Mean,
    /// The sum divided by the root of that number, or of the sum of the squared weights.
    Sqrtn,
    /// The greatest; NaN where there is one. Takes no weights.
    Max,
    /// The least; NaN where there is one. Takes no weights.
    Min,
}

/// The effect of a null element.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NullElements {
    /// It does not count.
    Skip,
    /// It counts as 0, with its weight where it has one.
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
        let (input, weights) = match inputs {
            [input] => (*input, None),
            [input, weights] => (*input, Some(*weights)),
            _ => return Err(Problems::one("", format!("takes one or two inputs, has {}", inputs.len()))),
        };
        let mut problems = Problems::none();
        if !input.list || input.element != Element::Float64 {
            problems.add("", format!("takes a list of float64, its input is {input}"));
        }
        if let Some(weights) = weights.filter(|&weights| !are_floats(weights)) {
            problems.add("", format!("takes a list of float64 as weights, its second input is {weights}"));
        }
        if weights.is_some() && self.function.is_extreme() {
            problems.add("function", "takes no weights: the greatest and the least have none");
        }
        let output = Type { list: false, nullable: true, ..input };
        problems.or(Compiled::new(output, PoolKernel { of: self.clone(), lanes: input.lanes() }))
    }
}

impl Function {
    fn is_extreme(self) -> bool {
        matches!(self, Self::Max | Self::Min)
    }
}

#[derive(Debug)]
struct PoolKernel {
    of: Pool,
    lanes: usize,
}

/// An element that counts: where it lies (none for a null that counts as 0), and its weight.
type Term = (Option<usize>, f64);

impl Kernel for PoolKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (values, marks) = out.float64_mut();
        let mut partials = vec![[0.0; PARTIALS]; self.lanes];
        let mut terms = Vec::new();
        for row in 0..inputs[0].rows() {
            let mark = match inputs {
                [_, weights] => self.weighted_terms(inputs[0], weights, row, &mut terms),
                _ => self.plain_terms(inputs[0], row, &mut terms),
            };
            let divisor = self.divisor(&terms);
            if terms.is_empty() || divisor == 0.0 {
                values.extend(std::iter::repeat_n(0.0, self.lanes));
                marks.push(if self.of.empty == Empty::Null && !mark.is_null() {
                    mark | Mark::NULL
                } else {
                    mark
                });
                continue;
            }
            if self.of.function.is_extreme() {
                self.extreme(inputs[0].float64(), &terms, values);
            } else {
                self.sum(inputs[0].float64(), &terms, &mut partials);
                values.extend(partials.iter().map(|partials| join(partials) / divisor));
            }
            marks.push(mark);
        }
    }
}

impl PoolKernel {
    /// Makes `terms` the elements of a row that count, each with the weight 1; gives the mark of the result.
    fn plain_terms(&self, input: &Column, row: usize, terms: &mut Vec<Term>) -> Mark {
        terms.clear();
        let Some(list) = &input.list else { return Mark::NULL };
        let mut mark = list.marks[row];
        if mark.is_null() {
            return mark;
        }
        for element in list.range(row) {
            let of_element = input.marks[element];
            mark |= self.joined(of_element);
            if !of_element.is_null() {
                terms.push((Some(element), 1.0));
            } else if self.of.null_elements == NullElements::Zero {
                terms.push((None, 1.0));
            }
        }
        mark
    }

    /// Makes `terms` the elements of a row that count, with their weights; gives the mark of the result.
    fn weighted_terms(&self, input: &Column, weights: &Column, row: usize, terms: &mut Vec<Term>) -> Mark {
        terms.clear();
        let mut mark = lists_mark(input, weights, row);
        if mark.is_null() {
            return mark;
        }
        for (element, weight, of_pair) in side_by_side(input, weights, row) {
            mark |= self.joined(of_pair);
            let of_weight = weight.map(|weight| weights.float64()[weight]);
            match (element, of_weight) {
                (Some(element), Some(weight)) => terms.push((Some(element), weight)),
                (_, weight) if self.of.null_elements == NullElements::Zero => {
                    terms.push((None, weight.unwrap_or(0.0)));
                }
                _ => {}
            }
        }
        mark
    }

    /// What an element's mark does to the result's.
    fn joined(&self, of_element: Mark) -> Mark {
        if self.of.null_elements == NullElements::Null { of_element } else { of_element.filled() }
    }

    /// What the sum is divided by.
    fn divisor(&self, terms: &[Term]) -> f64 {
        let sum_of = |term: fn(f64) -> f64| {
            let mut partials = [0.0; PARTIALS];
            for (position, &(_, weight)) in terms.iter().enumerate() {
                partials[position % PARTIALS] += term(weight);
            }
            join(&partials)
        };
        match self.of.function {
            Function::Mean => sum_of(|weight| weight),
            Function::Sqrtn => sum_of(|weight| weight * weight).sqrt(),
            Function::Sum | Function::Max | Function::Min => 1.0,
        }
    }

    /// Makes `partials` the partial sums of each lane.
    fn sum(&self, values: &[f64], terms: &[Term], partials: &mut [[f64; PARTIALS]]) {
        partials.fill([0.0; PARTIALS]);
        for (position, &(element, weight)) in terms.iter().enumerate() {
            let Some(element) = element else { continue };
            let lanes = &values[element * self.lanes..(element + 1) * self.lanes];
            for (partials, &x) in partials.iter_mut().zip(lanes) {
                partials[position % PARTIALS] += x * weight;
            }
        }
    }

    fn extreme(&self, values: &[f64], terms: &[Term], out: &mut Vec<f64>) {
        let (start, greatest) = (out.len(), self.of.function == Function::Max);
        let worst = if greatest { f64::NEG_INFINITY } else { f64::INFINITY };
        out.extend(std::iter::repeat_n(worst, self.lanes));
        for &(element, _) in terms {
            for (lane, best) in out[start..].iter_mut().enumerate() {
                let x = element.map_or(0.0, |element| values[element * self.lanes + lane]);
                let better = if greatest { x > *best } else { x < *best };
                if better || x.is_nan() {
                    *best = x;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::{ListRows, Status},
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
        assert_eq!(of(Function::Sqrtn), [Some(6.0 / 2f64.sqrt()), None, None, None]);
        assert_eq!(of(Function::Max), [Some(5.0), None, None, None]);
        assert_eq!(of(Function::Min), [Some(1.0), None, None, None]);
        assert_eq!(run(Function::Sum, NullElements::Skip, Empty::Null).marks[0].status(), Status::Null);
    }

    #[test]
    fn nulls_count_or_spoil_as_told() {
        let zero = results(&run(Function::Mean, NullElements::Zero, Empty::Zero));
        assert_eq!(zero, [Some(2.0), Some(0.0), Some(0.0), None]);
        let null = results(&run(Function::Sum, NullElements::Null, Empty::Zero));
        assert_eq!(null, [None, Some(0.0), None, None]);
    }

    /// Pools [1, null, 5] with the weights [2, 3, -2], [4] with [0], and [6, 7] with [0.5].
    fn run_weighted(function: Function, null_elements: NullElements) -> Vec<Option<f64>> {
        let pool = Pool { function, null_elements, empty: Empty::Null };
        let compiled = pool.compile(&[Type::scalar(Element::Float64).listed(); 2]).expect("good");
        let list = |offsets| Some(ListRows { offsets, marks: vec![Mark::PRESENT; 3] });
        let values = floats(&[Some(1.0), None, Some(5.0), Some(4.0), Some(6.0), Some(7.0)]);
        let weights = floats(&[Some(2.0), Some(3.0), Some(-2.0), Some(0.0), Some(0.5)]);
        let values = Column { list: list(vec![0, 3, 4, 6]), ..values };
        let weights = Column { list: list(vec![0, 3, 4, 5]), ..weights };
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&values, &weights], &mut out);
        results(&out)
    }

    #[test]
    fn weights_multiply_and_divide() {
        let skip = |function| run_weighted(function, NullElements::Skip);
        assert_eq!(skip(Function::Sum), [Some(-8.0), Some(0.0), Some(3.0)]);
        assert_eq!(skip(Function::Mean), [None, None, Some(6.0)]);
        assert_eq!(skip(Function::Sqrtn), [Some(-8.0 / 8f64.sqrt()), None, Some(6.0)]);
        let zero = run_weighted(Function::Mean, NullElements::Zero);
        assert_eq!(zero, [Some(-8.0 / 3.0), None, Some(6.0)]);
        assert_eq!(run_weighted(Function::Sum, NullElements::Null), [None, Some(0.0), None]);
    }

    #[test]
    fn extremes_take_no_weights() {
        let pool = |function| Pool { function, null_elements: NullElements::Skip, empty: Empty::Null };
        let list = Type::scalar(Element::Float64).listed();
        assert!(pool(Function::Min).compile(&[list, list]).is_err());
        assert!(pool(Function::Mean).compile(&[list, Type::scalar(Element::Float64)]).is_err());
        assert!(pool(Function::Mean).compile(&[Type::scalar(Element::Float64)]).is_err());
    }
}
