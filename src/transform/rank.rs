//! Rank: the share of a fitted sample below a value.

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

/// The share of the edges that lie below a scalar float, from 0 to 1. Null stays null; infinities compare as numbers
/// do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rank {
    /// The fitted sample or its quantiles, not decreasing, one or more, no NaN. An edge that occurs twice counts
    /// twice.
    pub edges: List<Real>,
    /// Whether edges equal to the value count.
    pub side: RankSide,
    /// The result for NaN.
    pub nan: NanRank,
}

/// How edges equal to a value count.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RankSide {
    /// They don't: numpy's searchsorted with side "left".
    Left,
    /// They count as below: numpy's searchsorted with side "right", the empirical distribution function.
    Right,
}

/// The result for NaN.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NanRank {
    /// Null, with the status null.
    Null,
    /// NaN.
    Keep,
}

impl Operation for Rank {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let mut problems = Problems::none();
        let input = single_scalar_float(inputs, &mut problems);
        let edges = self.edges.not_decreasing("edges", &mut problems);
        if edges.is_empty() {
            problems.add("edges", "must have one edge or more");
        }
        problems.or(())?;
        let output = input.with_nullable(input.nullable || self.nan == NanRank::Null);
        let Self { side, nan, .. } = *self;
        Ok(Compiled::new(output, RankKernel { edges: Sorted::new(edges), side, nan }))
    }
}

#[derive(Debug)]
struct RankKernel {
    edges: Sorted,
    side: RankSide,
    nan: NanRank,
}

impl Kernel for RankKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        match self.side {
            RankSide::Left => self.share(inputs[0], out, |edge, x| edge < x),
            RankSide::Right => self.share(inputs[0], out, |edge, x| edge <= x),
        }
    }
}

impl RankKernel {
    fn share(&self, input: &Column, out: &mut Column, below: impl Fn(f64, f64) -> bool) {
        let count = self.edges.numbers().len() as f64;
        let (values, marks) = out.float64_mut();
        marks.extend_from_slice(&input.marks);
        let share = |x: f64, place: usize| if x.is_nan() { x } else { place as f64 / count };
        self.edges.each_place(input.float64(), below, |group, places| {
            values.extend(group.iter().zip(places).map(|(&x, &place)| share(x, place)));
        });
        if self.nan == NanRank::Null {
            for (_, mark) in values.iter().zip(marks).filter(|(x, mark)| x.is_nan() && !mark.is_null()) {
                *mark |= Mark::NULL;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::{results, run_float};

    fn rank(side: RankSide, nan: NanRank) -> Rank {
        Rank { edges: List([1.0, 2.0, 2.0, 5.0].map(Real).to_vec()), side, nan }
    }

    #[test]
    fn equal_edges_follow_the_side() {
        let inputs = [Some(0.0), Some(1.0), Some(2.0), Some(f64::INFINITY), None];
        let left = run_float(&rank(RankSide::Left, NanRank::Keep), &inputs);
        assert_eq!(results(&left), [Some(0.0), Some(0.0), Some(0.25), Some(1.0), None]);
        let right = run_float(&rank(RankSide::Right, NanRank::Keep), &inputs);
        assert_eq!(results(&right), [Some(0.0), Some(0.25), Some(0.75), Some(1.0), None]);
    }

    #[test]
    fn nan_follows_the_switch() {
        let of = |nan| run_float(&rank(RankSide::Left, nan), &[Some(f64::NAN)]);
        assert_eq!(of(NanRank::Null).marks, [Mark::NULL]);
        assert!(of(NanRank::Keep).float64()[0].is_nan());
    }

    #[test]
    fn edges_are_sorted_and_there() {
        let scalar = [Type::scalar(crate::batch::Element::Float64)];
        for edges in [vec![], vec![Real(2.0), Real(1.0)], vec![Real(f64::NAN)]] {
            let bad = Rank { edges: List(edges), ..rank(RankSide::Left, NanRank::Null) };
            assert!(bad.compile(&scalar).is_err());
        }
        assert!(rank(RankSide::Left, NanRank::Null).compile(&[Type::vector(1)]).is_err());
    }
}
