//! Decay: a value that fades with age.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, pairs::each_with_row, parameters::Real};
use crate::{
    batch::{Column, Element, Mark, Type},
    problem::Problems,
};

/// The first input, a scalar float, faded by the second, its age. The age may be a list: the result is then one too,
/// its row's value faded by each age (with the value 1 these are weights for pooling). Null where either is null; NaN
/// and infinities follow IEEE arithmetic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decay {
    pub by: By,
    /// The result for an age below 0.
    pub negative_age: NegativeAge,
}

/// How fast it fades.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// `value * 2^-(age / half_life)`, above 0: the age at which half is left.
    HalfLife(Real),
    /// `value * e^-(rate * age)`, at least 0.
    Rate(Real),
}

/// The result for an age below 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NegativeAge {
    /// The age counts as 0, the status is out of range.
    Zero,
    /// Null, its status out of range.
    Null,
    /// The value grows.
    Keep,
}

impl Operation for Decay {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let &[value, age] = inputs else {
            return Err(Problems::one("", format!("takes two inputs, has {}", inputs.len())));
        };
        let mut problems = Problems::none();
        let is_float = |of: Type| of.element == Element::Float64 && of.width.is_none();
        if !is_float(value) || !is_float(age) || value.list {
            let message =
                format!("takes a float64 and its age (or a list of ages), its inputs are {value} and {age}");
            problems.add("", message);
        }
        match self.by {
            By::HalfLife(Real(half_life)) if !(half_life > 0.0 && half_life.is_finite()) => {
                problems.add("by.half_life", format!("must be above 0 and finite, it is {half_life}"));
            }
            By::Rate(Real(rate)) if !(rate >= 0.0 && rate.is_finite()) => {
                problems.add("by.rate", format!("must be at least 0 and finite, it is {rate}"));
            }
            By::HalfLife(_) | By::Rate(_) => {}
        }
        let nullable = value.nullable || age.nullable || self.negative_age == NegativeAge::Null;
        let kernel = DecayKernel { by: self.by, negative_age: self.negative_age };
        problems.or(Compiled::new(Type { nullable, ..age }, kernel))
    }
}

#[derive(Debug)]
struct DecayKernel {
    by: By,
    negative_age: NegativeAge,
}

impl Kernel for DecayKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        match self.by {
            By::HalfLife(Real(half_life)) => {
                self.map(inputs, out, |value, age| value * (-(age / half_life)).exp2());
            }
            By::Rate(Real(rate)) => self.map(inputs, out, |value, age| value * (-(rate * age)).exp()),
        }
    }

    fn takes_single_rows(&self) -> bool {
        true
    }
}

impl DecayKernel {
    fn map(&self, inputs: &[&Column], out: &mut Column, faded: impl Fn(f64, f64) -> f64) {
        let (of_values, of_ages) = (inputs[0].float64(), inputs[1].float64());
        let (values, marks) = out.float64_mut();
        for (of_age, of_value) in each_with_row(inputs[1], inputs[0]) {
            let (age, mark) = (of_ages[of_age], inputs[0].marks[of_value] | inputs[1].marks[of_age]);
            let (age, mark) = match self.negative_age {
                NegativeAge::Zero if age < 0.0 && !mark.is_null() => (0.0, mark | Mark::OUT_OF_RANGE),
                NegativeAge::Null if age < 0.0 && !mark.is_null() => {
                    (0.0, mark | Mark::OUT_OF_RANGE.nulled())
                }
                _ => (age, mark),
            };
            values.push(faded(of_values[of_value], age));
            marks.push(mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::{floats, results};

    fn run(by: By, negative_age: NegativeAge, ages: &[Option<f64>]) -> Column {
        let float = Type::scalar(Element::Float64);
        let compiled = Decay { by, negative_age }.compile(&[float, float]).expect("good");
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&floats(&[Some(8.0)]), &floats(ages)], &mut out);
        out
    }

    #[test]
    fn fades_with_age() {
        let halves =
            run(By::HalfLife(Real(7.0)), NegativeAge::Keep, &[Some(0.0), Some(14.0), None, Some(-7.0)]);
        assert_eq!(results(&halves), [Some(8.0), Some(2.0), None, Some(16.0)]);
        let rate = run(By::Rate(Real(0.5)), NegativeAge::Keep, &[Some(2.0), Some(f64::INFINITY)]);
        assert_eq!(results(&rate), [Some(8.0 * (-1f64).exp()), Some(0.0)]);
    }

    #[test]
    fn negative_ages_follow_the_switch() {
        let by = By::HalfLife(Real(1.0));
        let zero = run(by, NegativeAge::Zero, &[Some(-1.0), Some(1.0)]);
        assert_eq!(results(&zero), [Some(8.0), Some(4.0)]);
        assert_eq!(zero.marks, [Mark::OUT_OF_RANGE, Mark::PRESENT]);
        let null = run(by, NegativeAge::Null, &[Some(-1.0), None]);
        assert_eq!(null.marks, [Mark::OUT_OF_RANGE.nulled(), Mark::NULL]);
    }

    #[test]
    fn speeds_are_checked() {
        let float = Type::scalar(Element::Float64);
        let compile = |by| Decay { by, negative_age: NegativeAge::Keep }.compile(&[float, float.listed()]);
        assert!(compile(By::HalfLife(Real(0.0))).is_err());
        assert!(compile(By::Rate(Real(f64::NAN))).is_err());
        assert!(compile(By::Rate(Real(0.0))).expect("good").output.list);
    }
}
