//! Cyclical: a number on a circle.

use std::f64::consts::TAU;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, parameters::Real, single_float};
use crate::{
    batch::{Column, Type},
    problem::Problems,
};

/// The sine and the cosine of `2 pi (x - offset) / period` for a scalar float, computed in that order: a vector of two
/// lanes, so that the end of a period is next to its beginning. Null stays null; NaN and infinities give NaN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cyclical {
    /// What makes one turn, above 0: 24 for hours from 0 to 23.
    pub period: Real,
    /// Where the turn begins: 1 for months from 1 to 12.
    pub offset: Real,
}

impl Operation for Cyclical {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single_float(inputs)?;
        let (period, offset) = (self.period.0, self.offset.0);
        let mut problems = Problems::none();
        if input.width.is_some() {
            problems.add("", format!("takes a scalar, its input is {input}"));
        }
        if !(period > 0.0 && period.is_finite()) {
            problems.add("period", format!("must be above 0 and finite, it is {period}"));
        }
        if !offset.is_finite() {
            problems.add("offset", format!("must be finite, it is {offset}"));
        }
        problems.or(())?;
        let lane_names = vec!["sin".to_owned(), "cos".to_owned()];
        let output = Type { width: Some(2), ..input };
        Ok(Compiled { lane_names, ..Compiled::new(output, CyclicalKernel { period, offset }) })
    }
}

#[derive(Debug)]
struct CyclicalKernel {
    period: f64,
    offset: f64,
}

impl Kernel for CyclicalKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (values, marks) = out.float64_mut();
        marks.extend_from_slice(&inputs[0].marks);
        values.extend(inputs[0].float64().iter().flat_map(|&x| {
            let angle = TAU * (x - self.offset) / self.period;
            [angle.sin(), angle.cos()]
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::Mark,
        transform::check::{floats, run_float},
    };

    #[test]
    fn turns_once_in_a_period() {
        let of = Cyclical { period: Real(12.0), offset: Real(1.0) };
        let out = run_float(&of, &[Some(1.0), Some(4.0), Some(7.0), None, Some(f64::INFINITY)]);
        let expected = [0.0, 1.0, 1.0, 0.0, 0.0, -1.0];
        assert!(out.float64().iter().zip(expected).all(|(x, expected)| (x - expected).abs() < 1e-15));
        assert!(out.float64()[8].is_nan());
        assert_eq!(out.marks, [floats(&[Some(0.0); 3]).marks, vec![Mark::NULL, Mark::PRESENT]].concat());
    }

    #[test]
    fn a_period_is_above_zero() {
        let bad = Cyclical { period: Real(0.0), offset: Real(f64::NAN) };
        assert_eq!(bad.compile(&[Type::vector(2)]).expect_err("three").len(), 3);
    }
}
