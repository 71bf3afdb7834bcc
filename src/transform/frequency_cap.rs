//! Frequency cap: how near a count is to what is allowed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, single};
use crate::{
    batch::{Column, Element, Mark, Type, Values},
    problem::Problems,
};

/// How a count, int64 or float64, stands to a cap: a float. A count below 0 counts as 0, its status out of range. Null
/// stays null, NaN stays NaN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrequencyCap {
    /// How often at most, at least 1.
    pub cap: u32,
    pub result: CapResult,
}

/// What is returned for a count.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CapResult {
    /// How many are left: the cap less the count, 0 where the count is above the cap.
    Remaining,
    /// 1 where the count is the cap or above it, else 0.
    Reached,
    /// The count divided by the cap, 1 where the count is above the cap.
    Share,
}

impl Operation for FrequencyCap {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        let mut problems = Problems::none();
        if !matches!(input.element, Element::Int64 | Element::Float64) || input.width.is_some() {
            problems.add("", format!("takes an int64 or a float64, its input is {input}"));
        }
        if self.cap == 0 {
            problems.add("cap", "must be at least 1");
        }
        let kernel = FrequencyCapKernel { cap: f64::from(self.cap), result: self.result };
        problems.or(Compiled::new(Type { element: Element::Float64, ..input }, kernel))
    }
}

#[derive(Debug)]
struct FrequencyCapKernel {
    cap: f64,
    result: CapResult,
}

impl Kernel for FrequencyCapKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (values, marks) = out.float64_mut();
        match &inputs[0].values {
            // Counts that a float64 has no number for are above every cap.
            Values::Int64(counts) => values.extend(counts.iter().map(|&count| count as f64)),
            _ => values.extend_from_slice(inputs[0].float64()),
        }
        let below = |(&mark, &count): (&Mark, &f64)| {
            if count < 0.0 && !mark.is_null() { mark | Mark::OUT_OF_RANGE } else { mark }
        };
        marks.extend(inputs[0].marks.iter().zip(&*values).map(below));
        let cap = self.cap;
        // Keeps NaN.
        values.iter_mut().for_each(|count| *count = count.clamp(0.0, cap));
        match self.result {
            CapResult::Remaining => values.iter_mut().for_each(|count| *count = cap - *count),
            CapResult::Share => values.iter_mut().for_each(|count| *count /= cap),
            CapResult::Reached => values.iter_mut().for_each(|count| {
                if !count.is_nan() {
                    *count = f64::from(u8::from(*count == cap));
                }
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::{integers, results, run_float};

    fn run(result: CapResult) -> Column {
        let compiled =
            FrequencyCap { cap: 4, result }.compile(&[Type::scalar(Element::Int64)]).expect("good");
        let mut out = Column::new(compiled.output);
        compiled
            .kernel
            .run(&[&integers(&[Some(0), Some(3), Some(4), Some(i64::MAX), Some(-2), None])], &mut out);
        out
    }

    #[test]
    fn counts_stand_to_the_cap() {
        let of = |result| results(&run(result))[..5].iter().flatten().copied().collect::<Vec<_>>();
        assert_eq!(of(CapResult::Remaining), [4.0, 1.0, 0.0, 0.0, 4.0]);
        assert_eq!(of(CapResult::Reached), [0.0, 0.0, 1.0, 1.0, 0.0]);
        assert_eq!(of(CapResult::Share), [0.0, 0.75, 1.0, 1.0, 0.0]);
        assert_eq!(run(CapResult::Share).marks[4..], [Mark::OUT_OF_RANGE, Mark::NULL]);
    }

    #[test]
    fn nan_stays() {
        for result in [CapResult::Remaining, CapResult::Reached, CapResult::Share] {
            let out = run_float(&FrequencyCap { cap: 2, result }, &[Some(f64::NAN)]);
            assert!(out.float64()[0].is_nan());
        }
        assert_eq!(
            FrequencyCap { cap: 0, result: CapResult::Share }
                .compile(&[Type::vector(1)])
                .expect_err("two")
                .len(),
            2
        );
    }
}
