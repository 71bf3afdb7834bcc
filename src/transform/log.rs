//! The logarithm of x plus an offset, above a threshold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, map_lanes, parameters::Real, single_float};
use crate::{
    batch::{Column, Type},
    problem::Problems,
};

/// The logarithm of `x + offset` where that is above the threshold, elsewhere (NaN too) the number `below`; the status
/// stays that of the input. With the threshold "none" it is the logarithm everywhere: -inf for 0, NaN below, NaN of
/// NaN. Null stays null. Libraries' own logarithms differ by up to 1 unit in the last place of float64.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub base: Base,
    /// What is added first: 1 for NVTabular's LogOp, which takes the logarithm of the rounded sum. Finite.
    pub offset: Real,
    /// Above what the logarithm is taken (`x + offset > threshold`), or "none". A number, not NaN.
    pub threshold: Threshold,
    /// The result at and below the threshold. Written where there is a threshold, and only there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<Real>,
}

/// The base of a logarithm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Base {
    #[serde(rename = "e")]
    E,
    #[serde(rename = "2")]
    Two,
    #[serde(rename = "10")]
    Ten,
}

/// Above what the logarithm is taken.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "must be a number or \"none\"")]
pub enum Threshold {
    Above(Real),
    Everywhere(Everywhere),
}

/// No threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Everywhere {
    None,
}

impl Operation for Log {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single_float(inputs)?;
        let mut problems = Problems::none();
        if !self.offset.0.is_finite() {
            problems.add("offset", format!("must be finite, it is {}", self.offset.0));
        }
        let limit = match (self.threshold, self.below) {
            (Threshold::Above(threshold), Some(below)) => Some((threshold.0, below.0)),
            (Threshold::Everywhere(Everywhere::None), None) => None,
            _ => {
                problems.add("below", "is written where there is a threshold, and only there");
                None
            }
        };
        if matches!(self.threshold, Threshold::Above(threshold) if threshold.0.is_nan()) {
            problems.add("threshold", "must be a number or \"none\"");
        }
        problems.or(())?;
        let lanes = vec![(); input.lanes()];
        Ok(Compiled::new(input, LogKernel { base: self.base, offset: self.offset.0, limit, lanes }))
    }
}

#[derive(Debug)]
struct LogKernel {
    base: Base,
    offset: f64,
    /// The threshold, and the result up to it.
    limit: Option<(f64, f64)>,
    lanes: Vec<()>,
}

impl Kernel for LogKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        match self.base {
            Base::E => self.map(inputs[0], out, f64::ln),
            Base::Two => self.map(inputs[0], out, f64::log2),
            Base::Ten => self.map(inputs[0], out, f64::log10),
        }
    }
}

impl LogKernel {
    fn map(&self, input: &Column, out: &mut Column, log: impl Fn(f64) -> f64) {
        let offset = self.offset;
        match self.limit {
            None => map_lanes(input, out, &self.lanes, |(), x| log(x + offset)),
            Some((threshold, below)) => map_lanes(input, out, &self.lanes, |(), x| {
                let sum = x + offset;
                if sum > threshold { log(sum) } else { below }
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::{results, run_float};

    const EVERYWHERE: Threshold = Threshold::Everywhere(Everywhere::None);

    fn log(base: Base, offset: f64, threshold: Threshold, below: Option<f64>) -> Log {
        Log { base, offset: Real(offset), threshold, below: below.map(Real) }
    }

    #[test]
    fn above_the_threshold_only() {
        let of_ten = log(Base::Ten, 0.0, Threshold::Above(Real(1e-2)), Some(-5.0));
        let inputs = [Some(100.0), Some(0.01), Some(-1.0), Some(f64::NAN), None];
        let out = run_float(&of_ten, &inputs);
        assert_eq!(results(&out), [Some(2.0), Some(-5.0), Some(-5.0), Some(-5.0), None]);
    }

    #[test]
    fn everywhere_it_is_the_logarithm_of_the_sum() {
        let out = run_float(&log(Base::Two, 1.0, EVERYWHERE, None), &[Some(7.0), Some(-1.0), Some(1e-20)]);
        // The sum is rounded: log1p would keep 1e-20.
        assert_eq!(results(&out), [Some(3.0), Some(f64::NEG_INFINITY), Some(0.0)]);
        let out = run_float(&log(Base::E, 0.0, EVERYWHERE, None), &[Some(1.0), Some(-1.0)]);
        assert!(out.float64()[0] == 0.0 && out.float64()[1].is_nan());
    }

    #[test]
    fn a_threshold_and_what_is_below_come_together() {
        let scalar = [Type::scalar(crate::batch::Element::Float64)];
        assert!(log(Base::E, 0.0, EVERYWHERE, Some(0.0)).compile(&scalar).is_err());
        assert!(log(Base::E, 0.0, Threshold::Above(Real(0.0)), None).compile(&scalar).is_err());
        let both = log(Base::E, f64::NAN, Threshold::Above(Real(f64::NAN)), Some(0.0)).compile(&scalar);
        assert_eq!(both.expect_err("offset and threshold").len(), 2);
        let written = r#"{"base": "10", "offset": 0, "threshold": "none"}"#;
        assert_eq!(
            serde_json::from_str::<Log>(written).expect("good"),
            log(Base::Ten, 0.0, EVERYWHERE, None)
        );
    }
}
