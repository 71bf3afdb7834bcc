//! Spline: the values of B-splines, as scikit-learn's SplineTransformer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    bspline::{BSplines, DEGREE_LIMIT, Weights},
    parameters::{List, Real},
    single_scalar_float,
};
use crate::{
    batch::{Column, Mark, Type},
    problem::Problems,
};

/// The values of all basis splines at a scalar float, a vector: what scikit-learn's SplineTransformer gives for one
/// column. Null stays null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spline {
    /// The whole knot vector (`bsplines_[i].t`): finite, not decreasing; `splines + degree + 1` numbers,
    /// `splines + 2 * degree + 1` where `extrapolation` is "periodic". The fitted range leads from knot `degree` to the
    /// one as far from the end, and is not empty.
    pub knots: List<Real>,
    /// The degree of the polynomials between knots, 15 at most.
    pub degree: usize,
    /// The number of basis splines, before `include_bias`.
    pub splines: usize,
    /// The result for values outside of the fitted range.
    pub extrapolation: Extrapolation,
    /// Whether the last spline is there; without it the lanes don't always come to 1.
    pub include_bias: bool,
    /// The result for NaN.
    pub nan: NanSpline,
}

/// The result outside of the fitted range. An infinity follows IEEE arithmetic where a polynomial or a line goes on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Extrapolation {
    /// Null, with the status out of range (the library rejects such values).
    Error,
    /// The values at the end of the range, with the status out of range. (For the degree 0 all zeros, as the library
    /// gives below the range.)
    Constant,
    /// The outermost splines go on in their tangents.
    Linear,
    /// The polynomials of the outermost interval go on.
    Continue,
    /// The range begins anew. An infinity makes all lanes NaN.
    Periodic,
}

/// The result for NaN.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NanSpline {
    /// NaN in all lanes.
    Keep,
    /// 0 in all lanes: the library's `handle_missing="zeros"`.
    Zeros,
}

/// The widest result.
const WIDTH_LIMIT: usize = 1 << 20;

impl Operation for Spline {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let mut problems = Problems::none();
        let input = single_scalar_float(inputs, &mut problems);
        if self.degree > DEGREE_LIMIT {
            problems.add("degree", format!("is {}, may be {DEGREE_LIMIT}", self.degree));
        }
        let width = self.splines.saturating_sub(usize::from(!self.include_bias));
        if width == 0 || self.splines > WIDTH_LIMIT {
            let message = format!("is {}, must leave from 1 to {WIDTH_LIMIT} lanes", self.splines);
            problems.add("splines", message);
        }
        let knots = self.knots.not_decreasing("knots", &mut problems);
        self.knots.all_finite("knots", &mut problems);
        problems.or(())?;
        self.check_knots(&knots)?;
        let output = Type {
            width: Some(width),
            nullable: input.nullable || self.extrapolation == Extrapolation::Error,
            ..input
        };
        let Self { extrapolation, nan, splines, .. } = *self;
        let basis = BSplines::new(knots, self.degree, splines);
        Ok(Compiled::new(output, SplineKernel { basis, extrapolation, nan, width }))
    }
}

impl Spline {
    /// Holds the knots against degree and splines that are good by themselves.
    fn check_knots(&self, knots: &[f64]) -> Result<(), Problems> {
        let repeated = if self.extrapolation == Extrapolation::Periodic { self.degree } else { 0 };
        let basis = self.splines + repeated;
        let mut problems = Problems::none();
        if self.splines < repeated || basis < self.degree + 1 {
            let message = format!("is {}, too few for the degree {}", self.splines, self.degree);
            problems.add("splines", message);
        } else if knots.len() != basis + self.degree + 1 {
            let message = format!("has {} knots, must have {}", knots.len(), basis + self.degree + 1);
            problems.add("knots", message);
        } else if knots[self.degree] == knots[basis] {
            problems.add("knots", format!("the range from {0} to {0} is empty", knots[basis]));
        }
        problems.or(())
    }
}

#[derive(Debug)]
struct SplineKernel {
    basis: BSplines,
    extrapolation: Extrapolation,
    nan: NanSpline,
    /// Lanes of the result: the first of the splines.
    width: usize,
}

impl Kernel for SplineKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (low, high) = self.basis.range();
        let (values, marks) = out.float64_mut();
        values.resize(inputs[0].marks.len() * self.width, 0.0);
        let rows = inputs[0].float64().iter().zip(&inputs[0].marks);
        for ((&x, &mark), lanes) in rows.zip(values.chunks_exact_mut(self.width)) {
            let outside = x < low || x > high;
            if x.is_nan() {
                self.fill_nan(lanes);
            } else if outside {
                self.fill_outside(x, lanes);
            } else {
                self.fill_inside(x, lanes);
            }
            marks.push(if outside && !mark.is_null() { self.mark_outside(mark) } else { mark });
        }
    }
}

impl SplineKernel {
    fn fill_nan(&self, lanes: &mut [f64]) {
        if self.nan == NanSpline::Keep {
            lanes.fill(f64::NAN);
        }
    }

    fn fill_inside(&self, x: f64, lanes: &mut [f64]) {
        // The library maps all values into the period, and the range's end to its beginning.
        let x = if self.extrapolation == Extrapolation::Periodic { self.basis.wrapped(x) } else { x };
        self.basis.fill(&self.basis.at(x), lanes);
    }

    fn fill_outside(&self, x: f64, lanes: &mut [f64]) {
        match self.extrapolation {
            Extrapolation::Error => {}
            Extrapolation::Constant if self.basis.degree() == 0 => {}
            Extrapolation::Constant => self.basis.fill_constant(x, lanes),
            Extrapolation::Linear => self.basis.fill_linear(x, lanes),
            Extrapolation::Periodic if x.is_infinite() => lanes.fill(f64::NAN),
            Extrapolation::Continue => self.fill_finite(&self.basis.at(x), lanes),
            Extrapolation::Periodic => self.fill_finite(&self.basis.at(self.basis.wrapped(x)), lanes),
        }
    }

    /// Splines that are not finite make the whole sum NaN, as where they are multiplied by coefficients of 0.
    fn fill_finite(&self, weights: &Weights, lanes: &mut [f64]) {
        if weights.are_finite() {
            self.basis.fill(weights, lanes);
        } else {
            lanes.fill(f64::NAN);
        }
    }

    fn mark_outside(&self, mark: Mark) -> Mark {
        match self.extrapolation {
            Extrapolation::Error => mark | Mark::OUT_OF_RANGE.nulled(),
            Extrapolation::Constant => mark | Mark::OUT_OF_RANGE,
            Extrapolation::Linear | Extrapolation::Continue | Extrapolation::Periodic => mark,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::Element,
        transform::check::{results, run_float},
    };

    /// Over the base knots 0, 1, 4, 11, as scikit-learn lays out the rest.
    fn spline(extrapolation: Extrapolation, degree: usize, knots: &[f64]) -> Spline {
        let periodic = extrapolation == Extrapolation::Periodic;
        Spline {
            knots: List(knots.iter().copied().map(Real).collect()),
            degree,
            splines: if periodic { 3 } else { 3 + degree },
            extrapolation,
            include_bias: true,
            nan: NanSpline::Keep,
        }
    }

    const CUBIC: [f64; 10] = [-3.0, -2.0, -1.0, 0.0, 1.0, 4.0, 11.0, 18.0, 25.0, 32.0];
    const SQUARE: [f64; 8] = [-2.0, -1.0, 0.0, 1.0, 4.0, 11.0, 18.0, 25.0];
    const STRAIGHT: [f64; 6] = [-1.0, 0.0, 1.0, 4.0, 11.0, 18.0];
    const PERIODIC: [f64; 10] = [-11.0, -10.0, -7.0, 0.0, 1.0, 4.0, 11.0, 12.0, 15.0, 22.0];

    /// Expected values are those of scikit-learn 1.9.1's SplineTransformer.
    fn check(spline: &Spline, rows: &[(f64, &[f64])]) -> Column {
        let inputs: Vec<Option<f64>> = rows.iter().map(|row| Some(row.0)).collect();
        let out = run_float(spline, &inputs);
        let expected: Vec<f64> = rows.iter().flat_map(|row| row.1).copied().collect();
        assert_eq!(out.float64(), expected);
        out
    }

    #[test]
    fn inside_of_the_range_all_are_alike() {
        let inside: &[f64] =
            &[0.020833333333333332, 0.6729166666666666, 0.30340909090909096, 0.002840909090909091];
        for extrapolation in [Extrapolation::Error, Extrapolation::Linear, Extrapolation::Continue] {
            let row = [inside, &[0.0, 0.0]].concat();
            let end = [0.0, 0.0, 0.0, 0.20588235294117646, 0.6274509803921569, 0.16666666666666666];
            check(&spline(extrapolation, 3, &CUBIC), &[(0.5, &row), (11.0, &end)]);
        }
    }

    #[test]
    fn constant_stays_at_the_ends() {
        let low: &[f64] = &[0.16666666666666666, 0.7333333333333334, 0.1, 0.0, 0.0, 0.0];
        let high: &[f64] = &[0.0, 0.0, 0.0, 0.20588235294117646, 0.6274509803921569, 0.16666666666666666];
        let constant = spline(Extrapolation::Constant, 3, &CUBIC);
        let out = check(&constant, &[(-1.0, low), (0.0, low), (13.0, high)]);
        assert_eq!(out.marks, [Mark::OUT_OF_RANGE, Mark::PRESENT, Mark::OUT_OF_RANGE]);
    }

    #[test]
    fn linear_goes_on_in_tangents() {
        let out = check(
            &spline(Extrapolation::Linear, 3, &CUBIC),
            &[
                (-1.0, &[0.6666666666666666, 0.5333333333333334, -0.19999999999999998, 0.0, 0.0, 0.0]),
                (13.0, &[0.0, 0.0, 0.0, 0.02941176470588233, 0.6610644257703081, 0.30952380952380953]),
            ],
        );
        assert_eq!(out.marks, [Mark::PRESENT; 2]);
        let straight = Spline { include_bias: false, ..spline(Extrapolation::Linear, 1, &STRAIGHT) };
        check(&straight, &[(-1.0, &[2.0, -1.0, 0.0]), (13.0, &[0.0, 0.0, -0.2857142857142857])]);
    }

    #[test]
    fn continue_and_periodic_have_no_outside() {
        check(
            &spline(Extrapolation::Continue, 2, &SQUARE),
            &[
                (-1.0, &[2.0, -1.25, 0.25, 0.0, 0.0]),
                (13.0, &[0.0, 0.0, 0.05714285714285714, 0.11632653061224485, 0.8265306122448979]),
            ],
        );
        let periodic = Spline { include_bias: false, ..spline(Extrapolation::Periodic, 3, &PERIODIC) };
        let out = check(
            &periodic,
            &[
                (-1.0, &[0.07532467532467532, 0.5727272727272726]),
                (4.0, &[0.4727272727272728, 0.08181818181818183]),
                (11.0, &[0.011363636363636364, 0.4318181818181818]),
                (13.0, &[0.14545454545454545, 0.06363636363636363]),
            ],
        );
        assert_eq!(out.marks, [Mark::PRESENT; 4]);
        assert!(run_float(&periodic, &[Some(f64::INFINITY)]).float64().iter().all(|lane| lane.is_nan()));
    }

    #[test]
    fn nulls_nans_and_rejected_values() {
        let error = spline(Extrapolation::Error, 2, &SQUARE);
        let out = run_float(&error, &[Some(11.5), None, Some(f64::NAN)]);
        assert_eq!(out.marks, [Mark::OUT_OF_RANGE.nulled(), Mark::NULL, Mark::PRESENT]);
        assert!(out.float64()[10..].iter().all(|lane| lane.is_nan()));
        let zeros = Spline { nan: NanSpline::Zeros, ..error };
        assert_eq!(results(&run_float(&zeros, &[Some(f64::NAN)])), [Some(0.0); 5]);
    }

    #[test]
    fn shapes_that_do_not_fit_are_rejected() {
        let scalar = [Type::scalar(Element::Float64)];
        let good = spline(Extrapolation::Continue, 2, &SQUARE);
        assert!(good.compile(&scalar).is_ok());
        let bad = [
            Spline { degree: 3, ..good.clone() },
            Spline { degree: usize::MAX, ..good.clone() },
            Spline { splines: usize::MAX, ..good.clone() },
            Spline { splines: 0, ..good.clone() },
            Spline { extrapolation: Extrapolation::Periodic, ..good.clone() },
            Spline { knots: List(vec![Real(1.0); 8]), ..good.clone() },
            Spline { knots: List(vec![Real(f64::NAN); 8]), ..good.clone() },
            Spline { degree: 2, splines: 1, knots: List(vec![Real(0.0), Real(1.0)]), ..good },
        ];
        assert!(bad.iter().all(|bad| bad.compile(&scalar).is_err()));
    }
}
