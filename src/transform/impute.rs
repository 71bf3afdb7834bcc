//! Impute: a fitted constant in the place of what is missing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    parameters::{Category, List, Real},
    single,
};
use crate::{
    batch::{Column, Element, Mark, Strings, Type, Values, any_nan},
    problem::Problems,
};

/// Fills in a constant for null; the status stays that of the input. The result is never null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Impute {
    /// The constant, of the input's type: for vectors one number, or one for each lane.
    pub value: Fill,
    /// What happens to NaN. A float of a value that is not null; for a vector lane by lane.
    pub nan: NanImpute,
}

/// What is filled in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "must be a number, a string, true or false, or an array of numbers")]
pub enum Fill {
    Each(List<Real>),
    Single(Category),
}

/// How NaN counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NanImpute {
    /// It is replaced too, and its status is null.
    Impute,
    /// It stays.
    Keep,
}

impl Operation for Impute {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        let fill = self.fill(input)?;
        Ok(Compiled::new(
            input.with_nullable(false),
            ImputeKernel { fill, nan: self.nan, lanes: input.lanes() },
        ))
    }
}

impl Impute {
    fn fill(&self, input: Type) -> Result<Values, Problems> {
        let (single, wrong) = match &self.value {
            Fill::Single(single) => (
                single,
                format!("is {single}, must be {}, the type of what is imputed", input.element.name()),
            ),
            Fill::Each(each) => return fill_lanes(each, input),
        };
        let lanes = input.lanes();
        let fill = match input.element {
            Element::Float64 => single.float64().map(|value| Values::Float64(vec![value; lanes])),
            Element::Int64 => single.int64().map(|value| Values::Int64(vec![value; lanes])),
            Element::Uint64 => single.uint64().map(|value| Values::Uint64(vec![value; lanes])),
            Element::Bool => single.bool().map(|value| Values::Bool(vec![value; lanes])),
            Element::String => single.text().map(|value| Values::String(Strings::from_values([value]))),
            Element::Time(time) => single.time(time).map(|value| Values::Int64(vec![value; lanes])),
        };
        fill.ok_or_else(|| Problems::one("value", wrong))
    }
}

fn fill_lanes(each: &List<Real>, input: Type) -> Result<Values, Problems> {
    if input.element != Element::Float64 || each.0.len() != input.lanes() {
        let message = format!("has {} numbers; the input is {input}", each.0.len());
        return Err(Problems::one("value", message));
    }
    Ok(Values::Float64(each.0.iter().map(|value| value.0).collect()))
}

#[derive(Debug)]
struct ImputeKernel {
    /// One value.
    fill: Values,
    nan: NanImpute,
    lanes: usize,
}

impl Kernel for ImputeKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let flat = inputs[0].marks.len();
        out.copy_values(inputs[0]);
        if let (Values::Float64(values), Values::Float64(fill)) = (&mut out.values, &self.fill) {
            self.fill_floats(values, fill, &mut out.marks);
        } else if out.marks.iter().any(|mark| mark.is_null()) {
            self.fill_others(out, flat);
        }
        out.marks.iter_mut().for_each(|mark| *mark = mark.filled());
    }
}

impl ImputeKernel {
    fn fill_floats(&self, values: &mut [f64], fill: &[f64], marks: &mut [Mark]) {
        if let [fill] = *fill {
            if self.nan == NanImpute::Impute && any_nan(values) {
                for (_, mark) in values.iter().zip(&mut *marks).filter(|(value, _)| value.is_nan()) {
                    *mark = if mark.is_null() { *mark } else { *mark | Mark::NULL };
                }
            }
            // Without branches: nulls come too seldom to wait for and too often to be predicted.
            for (value, mark) in values.iter_mut().zip(marks) {
                let keep = u64::from(mark.is_null()).wrapping_sub(1);
                *value = f64::from_bits((value.to_bits() & keep) | (fill.to_bits() & !keep));
            }
            return;
        }
        for (value, mark) in values.chunks_exact_mut(self.lanes).zip(marks) {
            if mark.is_null() {
                value.copy_from_slice(fill);
            } else if self.nan == NanImpute::Impute && value.iter().any(|lane| lane.is_nan()) {
                *mark |= Mark::NULL;
                for (lane, &fill) in value.iter_mut().zip(fill).filter(|(lane, _)| lane.is_nan()) {
                    *lane = fill;
                }
            }
        }
    }

    fn fill_others(&self, out: &mut Column, count: usize) {
        let nulls = (0..count).filter(|&position| out.marks[position].is_null());
        match (&mut out.values, &self.fill) {
            (Values::Int64(values), Values::Int64(fill)) => fill_lanes_at(nulls, values, fill),
            (Values::Uint64(values), Values::Uint64(fill)) => fill_lanes_at(nulls, values, fill),
            (Values::Bool(values), Values::Bool(fill)) => fill_lanes_at(nulls, values, fill),
            (Values::String(values), Values::String(fill)) => {
                let marks = &out.marks;
                let filled = values
                    .iter()
                    .zip(marks)
                    .map(|(value, mark)| if mark.is_null() { fill.get(0) } else { value });
                *values = Strings::copied(filled);
            }
            _ => {}
        }
    }
}

fn fill_lanes_at<T: Copy>(positions: impl Iterator<Item = usize>, values: &mut [T], fill: &[T]) {
    let lanes = fill.len();
    positions.for_each(|at| values[at * lanes..(at + 1) * lanes].copy_from_slice(fill));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::Status,
        transform::check::{results, run_float},
    };

    fn impute(value: Category, nan: NanImpute) -> Impute {
        Impute { value: Fill::Single(value), nan }
    }

    #[test]
    fn fills_nulls_and_keeps_their_status() {
        let out =
            run_float(&impute(Category::Float64(1.5), NanImpute::Impute), &[Some(2.0), None, Some(f64::NAN)]);
        assert_eq!(results(&out), [Some(2.0), Some(1.5), Some(1.5)]);
        assert_eq!(
            out.marks.iter().map(|mark| mark.status()).collect::<Vec<_>>(),
            [Status::Present, Status::Null, Status::Null]
        );
        let kept = run_float(&impute(Category::Int64(1), NanImpute::Keep), &[Some(f64::NAN)]);
        assert!(kept.float64()[0].is_nan());
    }

    #[test]
    fn values_of_other_types_are_rejected() {
        let of_integers = impute(Category::Float64(3.0), NanImpute::Keep);
        let problems = of_integers.compile(&[Type::scalar(Element::Int64)]).expect_err("a float");
        assert_eq!(problems.to_string(), "value: is 3.0, must be int64, the type of what is imputed");
    }

    #[test]
    fn fills_strings() {
        let compiled = impute(Category::String("none".into()), NanImpute::Keep)
            .compile(&[Type::scalar(Element::String)]);
        let compiled = compiled.expect("good");
        assert!(!compiled.output.nullable);
        let values = Values::String(Strings::from_values(["a", "?"]));
        let input = Column { values, marks: vec![Mark::PRESENT, Mark::KEY_NOT_FOUND], list: None };
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&input], &mut out);
        assert_eq!(out.strings().iter().collect::<Vec<_>>(), ["a", "none"]);
        assert_eq!(out.marks[1].status(), Status::KeyNotFound);
    }

    #[test]
    fn fills_vectors_of_integers_whole() {
        let vector = Type { width: Some(2), ..Type::scalar(Element::Int64) };
        let compiled = impute(Category::Int64(9), NanImpute::Keep).compile(&[vector]).expect("good");
        let (values, marks) =
            (Values::Int64(vec![1, 2, 3, 4, 5, 6]), [Mark::PRESENT, Mark::NULL, Mark::PRESENT]);
        let input = Column { values, marks: marks.to_vec(), list: None };
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&input], &mut out);
        assert_eq!(out.int64(), [1, 2, 9, 9, 5, 6]);
    }

    #[test]
    fn a_value_of_another_type_is_rejected() {
        let wrong = impute(Category::String("x".into()), NanImpute::Keep);
        assert!(wrong.compile(&[Type::scalar(Element::Float64)]).is_err());
        assert!(wrong.compile(&[Type::scalar(Element::Int64)]).is_err());
    }
}
