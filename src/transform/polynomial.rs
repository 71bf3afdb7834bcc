//! Polynomial: products of powers of a vector's numbers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, single_float};
use crate::{
    batch::{Column, Type},
    problem::Problems,
};

/// Products of the lanes of a vector (a scalar is one lane), each lane as often as its exponent says; 1 where all
/// exponents are 0. Factors are multiplied from the last lane to the first, `a * (a * b)`, bit for bit as scikit-learn's
/// PolynomialFeatures. Null stays null; NaN makes NaN of the products that it is a factor of, infinities follow IEEE
/// arithmetic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Polynomial {
    /// A row for each lane of the result, with an exponent for each lane of the input: scikit-learn's `powers_`. A
    /// row's exponents come to 100 at most.
    pub powers: Vec<Vec<u32>>,
}

/// The widest result.
const WIDTH_LIMIT: usize = 1 << 20;

/// The highest degree of a product.
const DEGREE_LIMIT: u64 = 100;

impl Operation for Polynomial {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single_float(inputs)?;
        let (lanes, rows) = (input.lanes(), self.powers.len());
        let mut problems = Problems::none();
        if rows == 0 || rows > WIDTH_LIMIT {
            problems.add("powers", format!("has {rows} rows, must have from 1 to {WIDTH_LIMIT}"));
        }
        for (position, row) in self.powers.iter().enumerate() {
            let degree: u64 = row.iter().map(|&exponent| u64::from(exponent)).sum();
            if row.len() != lanes {
                let message = format!("has {} exponents, the input {lanes} lanes", row.len());
                problems.add(format!("powers[{position}]"), message);
            }
            if degree > DEGREE_LIMIT {
                let message = format!("its exponents come to {degree}, may come to {DEGREE_LIMIT}");
                problems.add(format!("powers[{position}]"), message);
            }
        }
        problems.or(())?;
        let products = self.powers.iter().map(|row| factors(row)).collect();
        Ok(Compiled::new(Type { width: Some(rows), ..input }, PolynomialKernel { products, lanes }))
    }
}

/// The lanes to multiply, from the last one on.
fn factors(row: &[u32]) -> Box<[usize]> {
    let repeated = |(lane, &exponent): (usize, &u32)| std::iter::repeat_n(lane, exponent as usize);
    row.iter().enumerate().rev().flat_map(repeated).collect()
}

#[derive(Debug)]
struct PolynomialKernel {
    /// Each product's factors.
    products: Vec<Box<[usize]>>,
    lanes: usize,
}

impl Kernel for PolynomialKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (values, marks) = out.float64_mut();
        marks.extend_from_slice(&inputs[0].marks);
        for vector in inputs[0].float64().chunks_exact(self.lanes) {
            values.extend(self.products.iter().map(|factors| product(vector, factors)));
        }
    }
}

fn product(vector: &[f64], factors: &[usize]) -> f64 {
    factors.iter().map(|&lane| vector[lane]).reduce(|product, factor| product * factor).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::Element,
        transform::check::{run_float, run_vectors},
    };

    fn polynomial(powers: &[&[u32]]) -> Polynomial {
        Polynomial { powers: powers.iter().map(|row| row.to_vec()).collect() }
    }

    #[test]
    fn multiplies_from_the_last_lane_on() {
        let rows: [&[u32]; 6] = [&[0, 0], &[1, 0], &[0, 1], &[2, 0], &[1, 1], &[2, 1]];
        let (a, b) = (0.1, 0.7);
        let out = run_vectors(&polynomial(&rows), 2, &[a, b]);
        assert_eq!(out.float64(), [1.0, a, b, a * a, a * b, a * (a * b)]);
        assert_ne!(a * (a * b), (a * a) * b);
    }

    #[test]
    fn a_scalar_is_one_lane_and_nan_stays_in_its_products() {
        let out = run_float(&polynomial(&[&[0], &[3]]), &[Some(2.0), Some(f64::NAN), None]);
        assert_eq!(out.float64()[..3], [1.0, 8.0, 1.0]);
        assert!(out.float64()[3].is_nan());
        assert_eq!(out.marks.len(), 3);
    }

    #[test]
    fn every_bad_row_is_told() {
        let bad = polynomial(&[&[1], &[u32::MAX, u32::MAX]]).compile(&[Type::vector(2)]);
        assert_eq!(bad.expect_err("two rows").len(), 2);
        assert!(polynomial(&[]).compile(&[Type::scalar(Element::Float64)]).is_err());
    }
}
