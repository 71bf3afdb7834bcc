//! Quantile: a value's place in a fitted distribution, as scikit-learn's QuantileTransformer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    interpolate::Segment,
    inverse_normal::inverse_normal,
    parameters::{List, Precision, Real, round_to_float32},
    search::{Sorted, TOGETHER},
    single_scalar_float,
};
use crate::{
    batch::{Column, Mark, Type},
    problem::Problems,
};

/// Maps a scalar float to its place between fitted quantiles, and on to the normal distribution where wanted: bit for
/// bit what scikit-learn's QuantileTransformer gives ("normal": within 1e-14). Between quantiles the place is the mean
/// of two interpolations, one from either side; at a repeated quantile it is the midpoint of its places.
/// Values below the first quantile or above the last (infinities too) get the first or the last place, with the status
/// out of range. Null stays null, NaN stays NaN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quantile {
    /// The fitted quantiles of the column (`quantiles_`): one or more finite numbers, not decreasing.
    pub quantiles: List<Real>,
    /// The place of each quantile (`references_`): from 0 to 1, not decreasing.
    pub references: List<Real>,
    /// The distribution of the results.
    pub distribution: Distribution,
    /// What places, results and the distances to the ends are rounded to: float32 for float32 data, which scikit-learn
    /// keeps between its steps too.
    pub precision: Precision,
}

/// What results are distributed like.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// From 0 to 1.
    Uniform,
    /// As the standard normal distribution, clipped to about -5.2 to 5.2. Values less than 1e-7 above the first
    /// quantile or below the last count as these.
    Normal,
}

impl Operation for Quantile {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let mut problems = Problems::none();
        let input = single_scalar_float(inputs, &mut problems);
        let quantiles = self.quantiles.not_decreasing("quantiles", &mut problems);
        self.quantiles.all_finite("quantiles", &mut problems);
        if quantiles.is_empty() {
            problems.add("quantiles", "must have one quantile or more");
        }
        let references = self.references.not_decreasing("references", &mut problems);
        if let Some(position) = references.iter().position(|place| !(0.0..=1.0).contains(place)) {
            let message = format!("must be from 0 to 1, it is {}", references[position]);
            problems.add(format!("references[{position}]"), message);
        }
        if references.len() != quantiles.len() {
            let message = format!("has {} numbers for {} quantiles", references.len(), quantiles.len());
            problems.add("references", message);
        }
        problems.or(())?;
        let kernel = QuantileKernel::new(quantiles, references, self.distribution, self.precision);
        Ok(Compiled::new(input, kernel))
    }
}

/// How near to the ends values count as the ends, where results are normal.
const THRESHOLD: f64 = 1e-7;

/// Where normal results are clipped: scipy's inverse of the threshold less one spacing of floats at 1, and of its
/// complement.
const CLIP: (f64, f64) = (-5.199337582605575, 5.19933758270342);

#[derive(Debug)]
struct QuantileKernel {
    quantiles: Sorted,
    /// For each quantile the place of a value equal to it. Asked for the first of equal ones.
    at_quantile: Vec<f64>,
    references: Vec<f64>,
    first: f64,
    last: f64,
    distribution: Distribution,
    precision: Precision,
}

impl QuantileKernel {
    fn new(
        quantiles: Vec<f64>,
        references: Vec<f64>,
        distribution: Distribution,
        precision: Precision,
    ) -> Self {
        let place = |(first, &quantile): (usize, &f64)| {
            let end = quantiles.partition_point(|&other| other <= quantile);
            0.5 * (references[end - 1] + references[first])
        };
        let at_quantile = quantiles.iter().enumerate().map(place).collect();
        let (first, last) = (quantiles[0], quantiles[quantiles.len() - 1]);
        let quantiles = Sorted::new(quantiles);
        Self { quantiles, at_quantile, references, first, last, distribution, precision }
    }

    /// The place of a value, where `below` quantiles are below it.
    fn place(&self, x: f64, below: usize) -> f64 {
        match self.quantiles.numbers().get(below) {
            Some(&quantile) if quantile == x => self.at_quantile[below],
            Some(_) if below == 0 => self.references[0],
            Some(_) => {
                let segment = self.segment(below);
                0.5 * (segment.at(x) - segment.mirrored().at(-x))
            }
            None => self.at_quantile[below - 1],
        }
    }

    /// The line up to a quantile.
    #[inline]
    fn segment(&self, above: usize) -> Segment {
        let pair = |numbers: &[f64]| [numbers[above - 1], numbers[above]];
        Segment::between(pair(self.quantiles.numbers()), pair(&self.references))
    }

    /// Adds the places of values, at most [`TOGETHER`], of which each is above so many quantiles.
    ///
    /// Almost all lie between two quantiles: this is computed for all at once, and what does not is put right after.
    /// Slopes are divided for here: with slopes beside them, several columns' quantiles would not stay in the caches
    /// together, and waiting for memory takes longer than dividing.
    fn add_places(&self, values: &[f64], below: &[usize], places: &mut Vec<f64>) {
        let last = self.references.len() - 1;
        if last == 0 {
            return places.extend(values.iter().zip(below).map(|(&x, &below)| self.place(x, below)));
        }
        let [mut from, mut to, mut low, mut high] = [[0.0; TOGETHER]; 4];
        let (quantiles, references) = (self.quantiles.numbers(), self.references.as_slice());
        for (at, &below) in below.iter().enumerate().take(TOGETHER) {
            let above = below.clamp(1, last);
            (from[at], to[at]) = (quantiles[above - 1], quantiles[above]);
            (low[at], high[at]) = (references[above - 1], references[above]);
        }
        let mut found = [0.0; TOGETHER];
        for (at, (place, &x)) in found.iter_mut().zip(values).enumerate() {
            *place = Segment::between([from[at], to[at]], [low[at], high[at]]).mean(x);
        }
        for (at, (place, &x)) in found.iter_mut().zip(values).enumerate() {
            let between = (from[at] < x) & (x < to[at]) & !place.is_nan();
            if !between {
                *place = self.place(x, below[at]);
            }
        }
        places.extend_from_slice(&found[..values.len()]);
    }

    /// From values and their places to results, in place.
    fn distribute(&self, source: &[f64], values: &mut [f64], round: impl Fn(f64) -> f64) {
        let found = values.iter_mut().zip(source);
        match self.distribution {
            Distribution::Uniform => found.for_each(|(value, &x)| *value = round(self.uniform(x, *value))),
            Distribution::Normal => {
                found.for_each(|(value, &x)| *value = self.normal(x, round(*value), &round));
            }
        }
    }

    fn uniform(&self, x: f64, place: f64) -> f64 {
        if x.is_nan() {
            x
        } else if x == self.first {
            0.0
        } else if x == self.last {
            1.0
        } else {
            place
        }
    }

    fn normal(&self, x: f64, place: f64, round: impl Fn(f64) -> f64) -> f64 {
        if x.is_nan() {
            return x;
        }
        let threshold = round(THRESHOLD);
        let place = if round(x - threshold) < self.first {
            0.0
        } else if round(x + threshold) > self.last {
            1.0
        } else {
            place
        };
        round(inverse_normal(place).clamp(CLIP.0, CLIP.1))
    }
}

impl Kernel for QuantileKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (values, marks) = out.float64_mut();
        let source = inputs[0].float64();
        let before = |quantile, x| quantile < x;
        self.quantiles.each_place(source, before, |group, below| self.add_places(group, below, values));
        match self.precision {
            Precision::Float64 => self.distribute(source, values, |x| x),
            Precision::Float32 => self.distribute(source, values, round_to_float32),
        }
        marks.extend_from_slice(&inputs[0].marks);
        // One pass over all, as there is hardly ever such a value.
        if source.iter().fold(false, |any, &x| any | (x < self.first) | (x > self.last)) {
            for (mark, &x) in marks.iter_mut().zip(source) {
                if (x < self.first || x > self.last) && !mark.is_null() {
                    *mark |= Mark::OUT_OF_RANGE;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::{results, run_float};

    fn list(numbers: &[f64]) -> List<Real> {
        List(numbers.iter().copied().map(Real).collect())
    }

    /// Quantiles with repeated ones at the end, and inside.
    fn quantile(distribution: Distribution) -> Quantile {
        // numpy's linspace: multiples of the step, and the end.
        let references = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(|place| place * (1.0 / 6.0));
        let quantiles = list(&[0.1, 0.1, 0.7, 2.0, 2.0, 2.0, 9.3]);
        let precision = Precision::Float64;
        Quantile { quantiles, references: list(&references), distribution, precision }
    }

    const INPUTS: [f64; 11] = [-5.0, 0.1, 0.3, 0.7, 1.234, 2.0, 5.5, 9.3, 9.3 - 5e-8, 0.1 + 5e-8, 1e9];

    #[test]
    fn uniform_is_scikit_learn_to_the_bit() {
        // QuantileTransformer of scikit-learn 1.9.1.
        let expected = [
            0.0,
            0.0,
            0.2222222222222222,
            0.3333333333333333,
            0.4017948717948718,
            0.6666666666666666,
            0.91324200913242,
            1.0,
            0.9999999988584475,
            0.16666668055555556,
            1.0,
        ];
        let out = run_float(&quantile(Distribution::Uniform), &INPUTS.map(Some));
        assert_eq!(results(&out), expected.map(Some));
        assert_eq!(
            (out.marks[0], out.marks[1], out.marks[10]),
            (Mark::OUT_OF_RANGE, Mark::PRESENT, out.marks[0])
        );
    }

    #[test]
    fn normal_is_scikit_learn_within_1e_14() {
        let expected = [
            CLIP.0,
            CLIP.0,
            -0.7647096737863871,
            -0.43072729929545756,
            -0.24870401409481657,
            0.43072729929545744,
            1.3609927464265226,
            CLIP.1,
            CLIP.1,
            CLIP.0,
            CLIP.1,
        ];
        let out = run_float(&quantile(Distribution::Normal), &INPUTS.map(Some));
        for (value, expected) in out.float64().iter().zip(expected) {
            assert!((value - expected).abs() <= 1e-14, "{value} {expected}");
        }
    }

    #[test]
    fn float32_data_is_rounded_between_the_halves() {
        let normal = Quantile { precision: Precision::Float32, ..quantile(Distribution::Normal) };
        let inputs = INPUTS.map(|x| Some(f64::from(x as f32)));
        // QuantileTransformer of scikit-learn 1.9.1, of float32 data with these quantiles.
        let expected = [
            -5.1993375,
            -5.1993375,
            -0.76470965,
            -0.43072727,
            -0.24870399,
            0.43072736,
            1.3609926,
            5.1993375,
            5.1993375,
            -5.1993375,
            5.1993375,
        ];
        assert_eq!(results(&run_float(&normal, &inputs)), expected.map(|x: f32| Some(f64::from(x))));
        let uniform = Quantile { precision: Precision::Float32, ..quantile(Distribution::Uniform) };
        let place = run_float(&uniform, &[Some(1.25)]).float64()[0];
        assert_eq!(place, f64::from(place as f32));
    }

    #[test]
    fn nan_and_null_stay() {
        for distribution in [Distribution::Uniform, Distribution::Normal] {
            let out = run_float(&quantile(distribution), &[Some(f64::NAN), None]);
            assert!(out.float64()[0].is_nan());
            assert_eq!(out.marks, [Mark::PRESENT, Mark::NULL]);
        }
    }

    #[test]
    fn a_single_quantile_is_both_ends() {
        let single = Quantile {
            quantiles: list(&[3.0]),
            references: list(&[0.0]),
            distribution: Distribution::Uniform,
            precision: Precision::Float64,
        };
        assert_eq!(results(&run_float(&single, &[Some(2.0), Some(3.0), Some(4.0)])), [Some(0.0); 3]);
    }

    #[test]
    fn every_bad_parameter_is_told() {
        let bad = Quantile {
            quantiles: list(&[1.0, 0.5]),
            references: list(&[0.0, 0.5, 1.5]),
            distribution: Distribution::Uniform,
            precision: Precision::Float64,
        };
        let problems = bad.compile(&[Type::vector(2)]).expect_err("bad");
        let places: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(places, ["", "quantiles[1]", "references[2]", "references"]);
    }
}
