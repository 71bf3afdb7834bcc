//! Smoothed rate: a click-through rate that small counts do not throw about.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, parameters::Real, repeated};
use crate::{
    batch::{Column, Element, Mark, Type},
    problem::Problems,
};

/// The rate of clicks among views, pulled towards a prior rate the more, the fewer views there are. The inputs are
/// scalar floats: clicks, views and, for a prior of a given strength, the prior rate.
///
/// Null where clicks or views are null; with a prior rate that rate is the result instead, with the status of the null
/// (the back-off for an unknown key), and a null prior rate makes the result null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SmoothedRate {
    pub prior: Prior,
    /// The result for counts that can't be: clicks below 0 or above the views, views below 0, NaN, infinite views.
    pub invalid: Invalid,
}

/// What a rate is pulled to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Prior {
    /// `(clicks + alpha) / (views + alpha + beta)`: both at least 0, their sum above 0.
    Beta([Real; 2]),
    /// `(clicks + strength * prior) / (views + strength)`, above 0: the views that the prior counts for.
    Strength(Real),
}

/// The result for counts that can't be; its status is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Invalid {
    Null,
    /// Views that are NaN, infinite or below 0 count as 0; then clicks count as 0 where they are NaN or below 0, and as
    /// the views where they are above them.
    Clamp,
}

impl Operation for SmoothedRate {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let mut problems = Problems::none();
        let (count, names) = match self.prior {
            Prior::Beta(_) => (2, "clicks and views"),
            Prior::Strength(_) => (3, "clicks, views and the prior rate"),
        };
        let is_float = |of: &Type| of.element == Element::Float64 && of.width.is_none() && !of.list;
        if inputs.len() != count || !inputs.iter().all(is_float) {
            let found: Vec<String> = inputs.iter().map(Type::to_string).collect();
            let message = format!("takes {names} as scalar float64, its inputs are {}", found.join(", "));
            problems.add("", message);
        }
        let good = |value: f64| value >= 0.0 && value.is_finite();
        match self.prior {
            Prior::Beta([Real(alpha), Real(beta)]) if !(good(alpha) && good(beta) && alpha + beta > 0.0) => {
                let message = format!("must be at least 0, their sum above 0; they are {alpha} and {beta}");
                problems.add("prior.beta", message);
            }
            Prior::Strength(Real(strength)) if !(good(strength) && strength > 0.0) => {
                problems.add("prior.strength", format!("must be above 0 and finite, it is {strength}"));
            }
            Prior::Beta(_) | Prior::Strength(_) => {}
        }
        problems.or(())?;
        // Null counts give a prior rate, where there is one.
        let decisive = if count == 3 { &inputs[2..] } else { inputs };
        let nullable = self.invalid == Invalid::Null || decisive.iter().any(|of| of.nullable);
        let output = Type::scalar(Element::Float64).with_nullable(nullable);
        Ok(Compiled::new(output, SmoothedRateKernel { of: self.clone() }))
    }

    fn takes_elements(&self, _inputs: &[Type]) -> bool {
        true
    }
}

#[derive(Debug)]
struct SmoothedRateKernel {
    of: SmoothedRate,
}

impl Kernel for SmoothedRateKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let rows = inputs.iter().map(|input| input.rows()).max().unwrap_or_default();
        let of = |position: usize| repeated(inputs[position], 1, rows).map(|(value, mark)| (value[0], mark));
        let (values, marks) = out.float64_mut();
        let counts = of(0).zip(of(1)).map(|((clicks, mark), (views, of_views))| {
            let joined = mark | of_views;
            // Under a null lies no count.
            if joined.is_null() { (0.0, 0.0, joined) } else { self.valid(clicks, views, joined) }
        });
        match self.of.prior {
            Prior::Beta([Real(alpha), Real(beta)]) => {
                for (clicks, views, mark) in counts {
                    values.push((clicks + alpha) / (views + alpha + beta));
                    marks.push(mark);
                }
            }
            Prior::Strength(Real(strength)) => {
                let null_counts =
                    of(0).zip(of(1)).map(|((_, mark), (_, of_views))| (mark | of_views).is_null());
                for (((clicks, views, mark), (prior, of_prior)), null) in counts.zip(of(2)).zip(null_counts) {
                    let rate = (clicks + strength * prior) / (views + strength);
                    values.push(if null { prior } else { rate });
                    marks.push(if null { mark.filled() | of_prior } else { mark | of_prior });
                }
            }
        }
    }

    fn takes_single_rows(&self) -> bool {
        true
    }
}

impl SmoothedRateKernel {
    /// The counts as they are taken, with their mark.
    fn valid(&self, clicks: f64, views: f64, mark: Mark) -> (f64, f64, Mark) {
        if clicks >= 0.0 && views.is_finite() && clicks <= views {
            return (clicks, views, mark);
        }
        if self.of.invalid == Invalid::Null {
            return (0.0, 0.0, mark | Mark::OUT_OF_RANGE.nulled());
        }
        let views = if views.is_finite() && views > 0.0 { views } else { 0.0 };
        let clicks = if clicks > 0.0 { clicks.min(views) } else { 0.0 };
        (clicks, views, mark | Mark::OUT_OF_RANGE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::{floats, results};

    fn run(prior: Prior, invalid: Invalid, inputs: &[Column]) -> Column {
        let types = vec![Type::scalar(Element::Float64); inputs.len()];
        let compiled = SmoothedRate { prior, invalid }.compile(&types).expect("good");
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&inputs.iter().collect::<Vec<_>>(), &mut out);
        out
    }

    const BETA: Prior = Prior::Beta([Real(1.0), Real(9.0)]);

    #[test]
    fn few_views_stay_near_the_prior() {
        let clicks = floats(&[Some(0.0), Some(4.0), None]);
        let views = floats(&[Some(0.0), Some(10.0), Some(1.0)]);
        let out = run(BETA, Invalid::Null, &[clicks, views]);
        assert_eq!(results(&out), [Some(0.1), Some(0.25), None]);
        assert_eq!(out.marks[2], Mark::NULL);
    }

    #[test]
    fn a_prior_rate_stands_in_for_null_counts() {
        let clicks = Column {
            marks: vec![Mark::PRESENT, Mark::KEY_NOT_FOUND, Mark::PRESENT],
            ..floats(&[Some(1.0), Some(7.0), Some(1.0)])
        };
        let inputs = [clicks, floats(&[Some(6.0)]), floats(&[Some(0.5), Some(0.25), None])];
        let out = run(Prior::Strength(Real(4.0)), Invalid::Clamp, &inputs);
        assert_eq!(results(&out), [Some(0.3), Some(0.25), None]);
        assert_eq!(out.marks, [Mark::PRESENT, Mark::KEY_NOT_FOUND.filled(), Mark::NULL]);
    }

    #[test]
    fn counts_that_cannot_be_follow_the_switch() {
        let (nan, infinite) = (f64::NAN, f64::INFINITY);
        let cases = [
            (-1.0, 10.0, 0.0, 10.0),
            (1.0, -1.0, 0.0, 0.0),
            (5.0, 2.0, 2.0, 2.0),
            (nan, 3.0, 0.0, 3.0),
            (1.0, nan, 0.0, 0.0),
            (1.0, infinite, 0.0, 0.0),
            (infinite, 4.0, 4.0, 4.0),
        ];
        let clicks = floats(&cases.map(|(clicks, ..)| Some(clicks)));
        let views = floats(&cases.map(|(_, views, ..)| Some(views)));
        let expected = cases.map(|(.., clicks, views)| Some((clicks + 1.0) / (views + 1.0 + 9.0)));
        let clamped = run(BETA, Invalid::Clamp, &[clicks.clone(), views.clone()]);
        assert_eq!(results(&clamped), expected);
        assert!(clamped.marks.iter().all(|&mark| mark == Mark::OUT_OF_RANGE));
        let null = run(BETA, Invalid::Null, &[clicks, views]);
        assert!(null.marks.iter().all(|&mark| mark == Mark::OUT_OF_RANGE.nulled()));
    }

    #[test]
    fn priors_are_checked() {
        let compile = |prior, count| {
            SmoothedRate { prior, invalid: Invalid::Null }
                .compile(&vec![Type::scalar(Element::Float64); count])
        };
        assert_eq!(compile(Prior::Beta([Real(0.0), Real(0.0)]), 3).expect_err("two").len(), 2);
        assert_eq!(compile(Prior::Strength(Real(-1.0)), 2).expect_err("two").len(), 2);
        assert!(compile(Prior::Beta([Real(0.0), Real(1.0)]), 2).is_ok());
    }
}
