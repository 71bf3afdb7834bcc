//! Age: the time from then to now.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, pairs::each_with_row, times};
use crate::{
    batch::{Column, Element, Mark, Type, time::TimeUnit},
    problem::Problems,
};

/// The time from the first input, "then", to the second, "now": timestamps, dates or int64 both, the result a float.
/// Then may be a list, whose elements each have an age at their row's now. The difference of the integers is exact and rounded once.
/// Null where either is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Age {
    /// What the inputs count: the unit of timestamps, "days" for dates.
    pub unit: TimeUnit,
    /// What the result counts.
    #[serde(rename = "in")]
    pub result: AgeUnit,
    /// The result where then is after now.
    pub negative: NegativeAge,
}

/// What an age counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgeUnit {
    Seconds,
    Minutes,
    Hours,
    /// Of 24 hours.
    Days,
}

/// The result for a time to come.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NegativeAge {
    /// The age below 0.
    Keep,
    /// 0, its status out of range.
    Zero,
    /// Null, its status out of range.
    Null,
}

impl AgeUnit {
    /// Nanoseconds in one.
    pub fn nanoseconds(self) -> i64 {
        TimeUnit::Seconds.nanoseconds()
            * match self {
                Self::Seconds => 1,
                Self::Minutes => 60,
                Self::Hours => 3_600,
                Self::Days => 86_400,
            }
    }
}

impl Operation for Age {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let &[then, now] = inputs else {
            return Err(Problems::one("", format!("takes two inputs, has {}", inputs.len())));
        };
        let mut problems = Problems::none();
        if !times::is_point(then) || !times::is_point(now) || now.list {
            let message = format!(
                "takes a timestamp, a date or int64 then (lists too) and now, its inputs are {then} and {now}"
            );
            problems.add("", message);
        } else {
            times::check_unit(inputs, self.unit, &mut problems);
        }
        problems.or(())?;
        let nullable = then.nullable || now.nullable || self.negative == NegativeAge::Null;
        let output = Type { element: Element::Float64, nullable, ..then };
        let (unit, result) = (self.unit.nanoseconds(), self.result.nanoseconds());
        let (multiply, divide) = ((unit / result).max(1), (result / unit).max(1));
        let kernel = AgeKernel { multiply: multiply as f64, divide: divide as f64, negative: self.negative };
        Ok(Compiled::new(output, kernel))
    }
}

/// One unit is a whole number of the others: either the factor or the divisor is 1.
#[derive(Debug)]
struct AgeKernel {
    multiply: f64,
    divide: f64,
    negative: NegativeAge,
}

impl Kernel for AgeKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (then, now) = (inputs[0].int64(), inputs[1].int64());
        let (values, marks) = out.float64_mut();
        for (of_then, of_now) in each_with_row(inputs[0], inputs[1]) {
            let age = i128::from(now[of_now]) - i128::from(then[of_then]);
            let mark = inputs[0].marks[of_then] | inputs[1].marks[of_now];
            let (age, mark) = match self.negative {
                NegativeAge::Keep => (age, mark),
                _ if age >= 0 || mark.is_null() => (age, mark),
                NegativeAge::Zero => (0, mark | Mark::OUT_OF_RANGE),
                NegativeAge::Null => (0, mark | Mark::OUT_OF_RANGE.nulled()),
            };
            values.push(age as f64 * self.multiply / self.divide);
            marks.push(mark);
        }
    }

    fn takes_single_rows(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::ListRows,
        transform::check::{integers, results},
    };

    fn run(unit: TimeUnit, result: AgeUnit, negative: NegativeAge, then: Column, now: Column) -> Column {
        let time = Type::scalar(Element::Int64);
        let of_then = if then.list.is_some() { time.listed() } else { time };
        let compiled = Age { unit, result, negative }.compile(&[of_then, time]).expect("good");
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&then, &now], &mut out);
        out
    }

    #[test]
    fn units_are_converted() {
        let age = |unit, result, time| {
            let zero = integers(&[Some(0)]);
            run(unit, result, NegativeAge::Keep, zero, integers(&[Some(time)])).float64()[0]
        };
        assert_eq!(age(TimeUnit::Seconds, AgeUnit::Hours, 5_400), 1.5);
        assert_eq!(age(TimeUnit::Milliseconds, AgeUnit::Days, 86_400_000 * 3), 3.0);
        assert_eq!(age(TimeUnit::Nanoseconds, AgeUnit::Seconds, -500_000_000), -0.5);
        assert_eq!(age(TimeUnit::Days, AgeUnit::Minutes, 2), 2_880.0);
        assert_eq!(age(TimeUnit::Seconds, AgeUnit::Seconds, 7), 7.0);
    }

    #[test]
    fn no_difference_is_too_great() {
        let (then, now) = (integers(&[Some(i64::MIN)]), integers(&[Some(i64::MAX)]));
        let out = run(TimeUnit::Seconds, AgeUnit::Seconds, NegativeAge::Zero, then, now);
        assert_eq!(out.float64(), [2f64.powi(64)]);
    }

    #[test]
    fn times_to_come_follow_the_switch() {
        for (negative, value, mark) in [
            (NegativeAge::Keep, -1.0, Mark::PRESENT),
            (NegativeAge::Zero, 0.0, Mark::OUT_OF_RANGE),
            (NegativeAge::Null, 0.0, Mark::OUT_OF_RANGE.nulled()),
        ] {
            let then = integers(&[Some(11), None, Some(10)]);
            let out = run(TimeUnit::Seconds, AgeUnit::Seconds, negative, then, integers(&[Some(10)]));
            assert_eq!((out.float64()[0], out.float64()[2]), (value, 0.0));
            assert_eq!(out.marks, [mark, Mark::NULL, Mark::PRESENT]);
        }
    }

    #[test]
    fn elements_have_their_rows_now() {
        let list = ListRows { offsets: vec![0, 2, 3], marks: vec![Mark::PRESENT; 2] };
        let then = Column { list: Some(list), ..integers(&[Some(1), None, Some(3)]) };
        let out =
            run(TimeUnit::Days, AgeUnit::Days, NegativeAge::Keep, then, integers(&[Some(10), Some(20)]));
        assert_eq!(results(&out), [Some(9.0), None, Some(17.0)]);
    }
}
