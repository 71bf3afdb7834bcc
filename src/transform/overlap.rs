//! Overlap: how much two lists have in common.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, keys::with_keys};
use crate::{
    batch::{Column, Element, ListRows, Mark, Type},
    problem::Problems,
};

/// What two lists of one scalar type have in common, as sets of their distinct elements that are not null (-0 equals 0,
/// and NaN equals NaN): a float. Where a measure would divide by 0 it is 0. The status is the gravest of both lists and
/// all elements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Overlap {
    pub measure: Measure,
    /// The result for a null list.
    pub null: NullOverlap,
}

/// What is measured of the sets A and B.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// How many elements are in both.
    Count,
    /// Those in both as a share of A.
    ShareOfFirst,
    /// Those in both as a share of B.
    ShareOfSecond,
    /// Those in both as a share of those in either.
    Jaccard,
    /// Those in both divided by the root of |A| |B|.
    Cosine,
}

/// The result where either list is null.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NullOverlap {
    Null,
    /// 0, with the status of the null.
    Zero,
}

impl Operation for Overlap {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let &[one, other] = inputs else {
            return Err(Problems::one("", format!("takes two inputs, has {}", inputs.len())));
        };
        if !(one.list && other.list && one.element == other.element) || one.width.or(other.width).is_some() {
            let message = format!("takes two lists of one scalar type, its inputs are {one} and {other}");
            return Err(Problems::one("", message));
        }
        let nullable = (one.nullable || other.nullable) && self.null == NullOverlap::Null;
        let output = Type::scalar(Element::Float64).with_nullable(nullable);
        Ok(Compiled::new(output, OverlapKernel { of: self.clone() }))
    }
}

#[derive(Debug)]
struct OverlapKernel {
    of: Overlap,
}

impl Kernel for OverlapKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        with_keys!(inputs[0], inputs[1], (one, other) => self.measure_rows(inputs, &one, &other, out));
    }
}

impl OverlapKernel {
    fn measure_rows<K: Ord + Copy>(&self, inputs: &[&Column], one: &[K], other: &[K], out: &mut Column) {
        let (Some(list), Some(of_other)) = (&inputs[0].list, &inputs[1].list) else { return };
        let (values, marks) = out.float64_mut();
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for row in 0..list.marks.len() {
            let mut mark = list.marks[row] | of_other.marks[row];
            if mark.is_null() {
                values.push(0.0);
                marks.push(if self.of.null == NullOverlap::Zero { mark.filled() } else { mark });
                continue;
            }
            mark |= collect_set(inputs[0], list, row, one, &mut a);
            mark |= collect_set(inputs[1], of_other, row, other, &mut b);
            values.push(self.of.measure.of(a.len() as f64, b.len() as f64, common(&a, &b) as f64));
            marks.push(mark);
        }
    }
}

/// Makes `set` the distinct keys of a row in order; gives the elements' joint mark.
fn collect_set<K: Ord + Copy>(
    input: &Column,
    list: &ListRows,
    row: usize,
    keys: &[K],
    set: &mut Vec<K>,
) -> Mark {
    let mut mark = Mark::PRESENT;
    set.clear();
    for element in list.range(row) {
        mark |= input.marks[element].filled();
        if !input.marks[element].is_null() {
            set.push(keys[element]);
        }
    }
    set.sort_unstable();
    set.dedup();
    mark
}

/// How many keys two sorted sets share.
fn common<K: Ord>(mut a: &[K], mut b: &[K]) -> usize {
    let mut count = 0;
    while let ([first, rest_a @ ..], [of_b, rest_b @ ..]) = (a, b) {
        match first.cmp(of_b) {
            std::cmp::Ordering::Less => a = rest_a,
            std::cmp::Ordering::Greater => b = rest_b,
            std::cmp::Ordering::Equal => {
                count += 1;
                (a, b) = (rest_a, rest_b);
            }
        }
    }
    count
}

impl Measure {
    /// The measure of sets of these sizes with so much in common.
    fn of(self, a: f64, b: f64, common: f64) -> f64 {
        if common == 0.0 {
            return 0.0;
        }
        match self {
            Self::Count => common,
            Self::ShareOfFirst => common / a,
            Self::ShareOfSecond => common / b,
            Self::Jaccard => common / (a + b - common),
            Self::Cosine => common / (a * b).sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Strings, Values};

    fn texts(texts: &[&str], offsets: Vec<u32>, marks: Vec<Mark>) -> Column {
        let values = Values::String(Strings::from_values(texts));
        Column { values, marks: vec![Mark::PRESENT; texts.len()], list: Some(ListRows { offsets, marks }) }
    }

    /// {a, b, c} with {b, c, d, e, f}; nothing with nothing; a null list with {a}.
    fn run(measure: Measure, null: NullOverlap) -> Column {
        let lists = [Type::scalar(Element::String).listed(); 2];
        let compiled = Overlap { measure, null }.compile(&lists).expect("good");
        let marks = vec![Mark::PRESENT, Mark::PRESENT, Mark::NULL];
        let one = texts(&["c", "a", "b", "c"], vec![0, 4, 4, 4], marks);
        let mut other =
            texts(&["f", "b", "?", "d", "e", "c", "b", "a"], vec![0, 7, 7, 8], vec![Mark::PRESENT; 3]);
        other.marks[2] = Mark::KEY_NOT_FOUND;
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&one, &other], &mut out);
        out
    }

    #[test]
    fn measures_sets() {
        let of = |measure| run(measure, NullOverlap::Null).float64()[..2].to_vec();
        assert_eq!(of(Measure::Count), [2.0, 0.0]);
        assert_eq!(of(Measure::ShareOfFirst), [2.0 / 3.0, 0.0]);
        assert_eq!(of(Measure::ShareOfSecond), [2.0 / 5.0, 0.0]);
        assert_eq!(of(Measure::Jaccard), [2.0 / 6.0, 0.0]);
        assert_eq!(of(Measure::Cosine), [2.0 / 15f64.sqrt(), 0.0]);
    }

    #[test]
    fn null_lists_follow_the_switch() {
        let null = run(Measure::Count, NullOverlap::Null);
        assert_eq!(null.marks, [Mark::KEY_NOT_FOUND.filled(), Mark::PRESENT, Mark::NULL]);
        let zero = run(Measure::Count, NullOverlap::Zero);
        assert_eq!((zero.float64()[2], zero.marks[2]), (0.0, Mark::NULL.filled()));
    }

    #[test]
    fn lists_are_of_one_type() {
        let overlap = Overlap { measure: Measure::Count, null: NullOverlap::Null };
        let texts = Type::scalar(Element::String).listed();
        assert!(overlap.compile(&[texts, Type::scalar(Element::Int64).listed()]).is_err());
        assert!(overlap.compile(&[texts, Type::scalar(Element::String)]).is_err());
        assert!(overlap.compile(&[texts]).is_err());
    }
}
