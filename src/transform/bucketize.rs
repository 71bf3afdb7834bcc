//! Bucketize: the number of the bin that a value falls into.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    parameters::{List, Real},
    search::Sorted,
    single_float,
};
use crate::{
    batch::{Column, Element, Mark, Type, any_nan},
    problem::Problems,
};

/// The bin of a scalar float, as int64: 0 below the first edge, one more from each edge on. Null stays null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bucketize {
    /// The edges between bins, strictly increasing.
    pub edges: List<Real>,
    /// Which side of a bin is closed.
    pub side: Side,
    /// The bin of NaN.
    pub nan: NanBin,
    /// The status of values in the first and the last bin.
    pub outside: Outside,
}

/// Which end of a bin belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// `[a, b)`: a value equal to an edge is in the bin above. numpy's digitize, scikit-learn, TensorFlow, Spark.
    Left,
    /// `(a, b]`: a value equal to an edge is in the bin below. torcharrow, pandas' cut.
    Right,
}

/// The result for NaN.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NanBin {
    Null,
    /// The first bin.
    First,
    /// The last bin: numpy, TensorFlow.
    Last,
    /// One bin more, after the last: Spark's "keep".
    Extra,
}

/// How the first and the last bin are understood.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outside {
    /// They are bins like the others.
    Present,
    /// They hold what lies outside of the fitted range.
    OutOfRange,
}

impl Operation for Bucketize {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single_float(inputs)?;
        let mut problems = Problems::none();
        if input.width.is_some() {
            problems.add("", format!("takes a scalar, its input is {input}"));
        }
        let edges: Vec<f64> = self.edges.0.iter().map(|edge| edge.0).collect();
        if let Some(position) = edges.iter().position(|edge| edge.is_nan()) {
            problems.add(format!("edges[{position}]"), "must be a number");
        } else if let Some(position) = edges.windows(2).position(|pair| pair[0] >= pair[1]) {
            let message = format!("{} must be above {}", edges[position + 1], edges[position]);
            problems.add(format!("edges[{}]", position + 1), message);
        }
        problems.or(())?;
        let nullable = input.nullable || self.nan == NanBin::Null;
        let output = Type { element: Element::Int64, nullable, ..input };
        let Self { side, nan, outside, .. } = *self;
        Ok(Compiled::new(output, BucketizeKernel { edges: Sorted::new(edges), side, nan, outside }))
    }
}

/// Up to so many edges, comparing all values with each of them takes less time than a search for each value.
const FEW: usize = 32;

#[derive(Debug)]
struct BucketizeKernel {
    edges: Sorted,
    side: Side,
    nan: NanBin,
    outside: Outside,
}

impl Kernel for BucketizeKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (bins, marks) = out.int64_mut();
        marks.extend_from_slice(&inputs[0].marks);
        self.fill_bins(inputs[0].float64(), bins);
        if !any_nan(inputs[0].float64()) {
            return self.mark_outside(bins, marks);
        }
        for ((&x, mark), place) in inputs[0].float64().iter().zip(marks).zip(bins) {
            let bin = if x.is_nan() { self.bin_of_nan() } else { Some(*place as usize) };
            let edge_bin = bin.is_some_and(|bin| bin == 0 || bin == self.edges.numbers().len());
            if mark.is_null() {
                // What lies under a null is no value.
            } else if bin.is_none() {
                *mark |= Mark::NULL;
            } else if edge_bin && !x.is_nan() && self.outside == Outside::OutOfRange {
                *mark |= Mark::OUT_OF_RANGE;
            }
            *place = bin.unwrap_or_default() as i64;
        }
    }
}

impl BucketizeKernel {
    /// Marks what lies in the first and the last bin, where there is no NaN.
    fn mark_outside(&self, bins: &[i64], marks: &mut [Mark]) {
        if self.outside == Outside::Present {
            return;
        }
        let last = self.edges.numbers().len() as i64;
        for (mark, &bin) in marks.iter_mut().zip(bins) {
            let outside = (bin == 0) | (bin == last);
            *mark = if outside & !mark.is_null() { *mark | Mark::OUT_OF_RANGE } else { *mark };
        }
    }

    /// The bin of each value; that of a NaN has no meaning.
    fn fill_bins(&self, values: &[f64], bins: &mut Vec<i64>) {
        if self.edges.numbers().len() > FEW {
            let found = |_: &[f64], places: &[usize]| bins.extend(places.iter().map(|&place| place as i64));
            return match self.side {
                Side::Left => self.edges.each_place(values, |edge, x| edge <= x, found),
                Side::Right => self.edges.each_place(values, |edge, x| edge < x, found),
            };
        }
        bins.resize(values.len(), 0);
        for &edge in self.edges.numbers() {
            let places = bins.iter_mut().zip(values);
            match self.side {
                Side::Left => places.for_each(|(bin, &x)| *bin += i64::from(edge <= x)),
                Side::Right => places.for_each(|(bin, &x)| *bin += i64::from(edge < x)),
            }
        }
    }

    fn bin_of_nan(&self) -> Option<usize> {
        match self.nan {
            NanBin::Null => None,
            NanBin::First => Some(0),
            NanBin::Last => Some(self.edges.numbers().len()),
            NanBin::Extra => Some(self.edges.numbers().len() + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::run_float;

    fn bucketize(side: Side, nan: NanBin, outside: Outside) -> Bucketize {
        Bucketize { edges: List(vec![Real(0.0), Real(1.5), Real(3.0)]), side, nan, outside }
    }

    #[test]
    fn the_closed_side_takes_the_edge() {
        let inputs = [Some(-1.0), Some(0.0), Some(1.5), Some(2.0), Some(9.0), Some(-0.0)];
        let left = run_float(&bucketize(Side::Left, NanBin::Null, Outside::Present), &inputs);
        assert_eq!(left.int64(), [0, 1, 2, 2, 3, 1]);
        let right = run_float(&bucketize(Side::Right, NanBin::Null, Outside::Present), &inputs);
        assert_eq!(right.int64(), [0, 0, 1, 2, 3, 0]);
    }

    #[test]
    fn nan_goes_where_told() {
        let of = |nan| {
            let out = run_float(&bucketize(Side::Left, nan, Outside::OutOfRange), &[Some(f64::NAN)]);
            (out.int64()[0], out.marks[0])
        };
        assert_eq!(of(NanBin::Null).1, Mark::NULL);
        assert_eq!(of(NanBin::First), (0, Mark::PRESENT));
        assert_eq!(of(NanBin::Last), (3, Mark::PRESENT));
        assert_eq!(of(NanBin::Extra), (4, Mark::PRESENT));
    }

    #[test]
    fn outer_bins_can_be_out_of_range() {
        let out = run_float(
            &bucketize(Side::Left, NanBin::Null, Outside::OutOfRange),
            &[Some(-1.0), Some(1.0), None],
        );
        assert_eq!(out.marks, [Mark::OUT_OF_RANGE, Mark::PRESENT, Mark::NULL]);
    }

    #[test]
    fn edges_increase() {
        let bad = Bucketize {
            edges: List(vec![Real(1.0), Real(1.0)]),
            ..bucketize(Side::Left, NanBin::Null, Outside::Present)
        };
        assert!(bad.compile(&[Type::scalar(Element::Float64)]).is_err());
    }
}
