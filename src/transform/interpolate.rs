//! Interpolate: a piecewise linear function.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    parameters::{List, Real},
    search::Sorted,
    single_scalar_float,
};
use crate::{
    batch::{Column, Mark, Type},
    problem::Problems,
};

/// The piecewise linear function through the knots, of a scalar float; at a knot exactly its value, between two knots
/// `slope * (x - knot) + value` from the lower one, as numpy's interp. Null stays null, NaN stays NaN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interpolate {
    /// Where the values are known: two or more finite numbers, strictly increasing.
    pub knots: List<Real>,
    /// The value at each knot; finite.
    pub values: List<Real>,
    /// The result for values (infinities too) below the first knot and above the last.
    pub outside: Outside,
}

/// The result outside of the knots.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outside {
    /// The value of the nearest knot, with the status out of range.
    Clamp,
    /// The first or the last line goes on.
    Extrapolate,
    /// Null, with the status out of range.
    Null,
}

impl Operation for Interpolate {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let mut problems = Problems::none();
        let input = single_scalar_float(inputs, &mut problems);
        let knots = self.knots.not_decreasing("knots", &mut problems);
        if let Some(position) = knots.windows(2).position(|pair| pair[0] == pair[1]) {
            problems.add(format!("knots[{}]", position + 1), format!("{} is there twice", knots[position]));
        }
        if knots.len() < 2 {
            problems.add("knots", "must have two knots or more");
        }
        self.knots.all_finite("knots", &mut problems);
        let values = self.values.all_finite("values", &mut problems);
        if knots.len() != values.len() {
            problems.add("values", format!("has {} numbers for {} knots", values.len(), knots.len()));
        }
        problems.or(())?;
        let output = input.with_nullable(input.nullable || self.outside == Outside::Null);
        let segments = segments(&knots, &values);
        Ok(Compiled::new(
            output,
            InterpolateKernel { knots: Sorted::new(knots), values, segments, outside: self.outside },
        ))
    }
}

/// The line between two knots.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    /// The knots.
    pub from: f64,
    pub to: f64,
    /// Their values.
    pub low: f64,
    pub high: f64,
    slope: f64,
}

/// The lines between knots; between equal ones there is none, and what stands there is never asked for.
pub(super) fn segments(knots: &[f64], values: &[f64]) -> Vec<Segment> {
    let pairs = knots.windows(2).zip(values.windows(2));
    let segment =
        |(knots, values): (&[f64], &[f64])| Segment::between([knots[0], knots[1]], [values[0], values[1]]);
    pairs.map(segment).collect()
}

impl Segment {
    /// The line between two knots.
    #[inline]
    pub fn between(knots: [f64; 2], values: [f64; 2]) -> Self {
        let slope = (values[1] - values[0]) / (knots[1] - knots[0]);
        Self { from: knots[0], to: knots[1], low: values[0], high: values[1], slope }
    }

    /// The line at `x`, from the lower knot on.
    #[inline]
    pub fn at(&self, x: f64) -> f64 {
        let y = self.slope * (x - self.from) + self.low;
        // Distances and slopes beyond the floats' range: numpy tries from the other side.
        if y.is_nan() { self.at_by_upper_knot(x, y) } else { y }
    }

    #[cold]
    fn at_by_upper_knot(&self, x: f64, nan: f64) -> f64 {
        let y = self.slope * (x - self.to) + self.high;
        if !y.is_nan() {
            y
        } else if self.low == self.high {
            self.low
        } else {
            nan
        }
    }

    /// The mean of the line from the lower knot on and the line from the upper one on; NaN beyond the floats' range.
    #[inline]
    pub fn mean(&self, x: f64) -> f64 {
        let from_low = self.slope * (x - self.from) + self.low;
        let from_high = self.slope * (self.to - x) + -self.high;
        0.5 * (from_low - from_high)
    }

    /// The same line with all signs changed, so that the upper knot comes first.
    #[inline]
    pub fn mirrored(&self) -> Self {
        Self { from: -self.to, to: -self.from, low: -self.high, high: -self.low, slope: self.slope }
    }
}

#[derive(Debug)]
struct InterpolateKernel {
    knots: Sorted,
    values: Vec<f64>,
    segments: Vec<Segment>,
    outside: Outside,
}

impl Kernel for InterpolateKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let knots = self.knots.numbers();
        let (first, last) = (knots[0], knots[knots.len() - 1]);
        let mark_of = match self.outside {
            Outside::Clamp => |mark: Mark| mark | Mark::OUT_OF_RANGE,
            Outside::Extrapolate => |mark: Mark| mark,
            Outside::Null => |mark: Mark| mark | Mark::OUT_OF_RANGE.nulled(),
        };
        let (values, marks) = out.float64_mut();
        let source = inputs[0].float64();
        let before = |knot, x| knot <= x;
        self.knots.each_place(source, before, |group, after| {
            values.extend(group.iter().zip(after).map(|(&x, &after)| self.at(x, after)));
        });
        marks.extend(source.iter().zip(&inputs[0].marks).map(|(&x, &mark)| {
            let outside = (x < first || x > last) && !mark.is_null();
            if outside { mark_of(mark) } else { mark }
        }));
    }
}

impl InterpolateKernel {
    /// The value at `x`, where `after` knots are not above it.
    fn at(&self, x: f64, after: usize) -> f64 {
        if x.is_nan() {
            return x;
        }
        let knots = self.knots.numbers();
        if after > 0 && knots[after - 1] == x {
            return self.values[after - 1];
        }
        let inside = after > 0 && after < knots.len();
        if inside || self.outside == Outside::Extrapolate {
            self.segments[after.clamp(1, self.segments.len()) - 1].at(x)
        } else {
            self.values[after.clamp(1, self.values.len()) - 1]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::{results, run_float};

    fn interpolate(outside: Outside) -> Interpolate {
        let list = |numbers: [f64; 3]| List(numbers.map(Real).to_vec());
        Interpolate { knots: list([0.0, 1.0, 3.0]), values: list([10.0, 20.0, 0.0]), outside }
    }

    #[test]
    fn lines_lead_from_knot_to_knot() {
        let inputs = [Some(0.0), Some(0.25), Some(1.0), Some(2.0), Some(3.0), None];
        let expected = [Some(10.0), Some(12.5), Some(20.0), Some(10.0), Some(0.0), None];
        for outside in [Outside::Clamp, Outside::Extrapolate, Outside::Null] {
            assert_eq!(results(&run_float(&interpolate(outside), &inputs)), expected);
        }
        assert!(run_float(&interpolate(Outside::Clamp), &[Some(f64::NAN)]).float64()[0].is_nan());
    }

    #[test]
    fn outside_follows_the_switch() {
        let of = |outside| run_float(&interpolate(outside), &[Some(-1.0), Some(5.0), Some(f64::INFINITY)]);
        let clamped = of(Outside::Clamp);
        assert_eq!(results(&clamped), [Some(10.0), Some(0.0), Some(0.0)]);
        assert_eq!(clamped.marks, [Mark::OUT_OF_RANGE; 3]);
        let further = of(Outside::Extrapolate);
        assert_eq!(results(&further), [Some(0.0), Some(-20.0), Some(f64::NEG_INFINITY)]);
        assert_eq!(further.marks, [Mark::PRESENT; 3]);
        assert_eq!(of(Outside::Null).marks, [Mark::OUT_OF_RANGE.nulled(); 3]);
    }

    #[test]
    fn every_bad_parameter_is_told() {
        let list = |numbers: &[f64]| List(numbers.iter().copied().map(Real).collect());
        let bad = Interpolate {
            knots: list(&[0.0, 0.0, f64::INFINITY]),
            values: list(&[f64::NAN]),
            outside: Outside::Clamp,
        };
        let problems = bad.compile(&[Type::vector(2)]).expect_err("bad");
        let places: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(places, ["", "knots[1]", "knots[2]", "values[0]", "values"]);
    }
}
