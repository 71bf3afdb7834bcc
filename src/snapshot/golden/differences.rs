//! Served values that differ from golden ones: first a line for each output and feature, then the first values.

use std::collections::BTreeMap;

use super::rows::{Pair, Served};
use crate::{
    plan::{layout::Output, write::write_default},
    problem::Problems,
    spec::{OutputType, golden::Expected},
};

/// Features of one output that have a line of their own.
const FEATURES_SHOWN: usize = 20;

/// Values of one output that are shown.
const VALUES_SHOWN: usize = 5;

/// What differs of one output, in all cases.
#[derive(Debug, Default)]
pub struct Differences {
    /// Rows that were compared.
    rows: usize,
    /// By the feature's position in the output.
    features: BTreeMap<usize, OfFeature>,
    first: Vec<Difference>,
    values: usize,
}

#[derive(Debug)]
struct OfFeature {
    values: usize,
    rows: usize,
    /// Case and row of the last value that differed.
    last: (usize, usize),
    worst: Difference,
}

/// A value that differs.
#[derive(Debug, Clone)]
struct Difference {
    case: usize,
    row: usize,
    column: usize,
    got: f64,
    wanted: f64,
    /// Units in the last place.
    apart: u128,
    allowed: u32,
}

impl Differences {
    /// Compares the rows of one case.
    pub fn add(&mut self, case: usize, output: &Output, expected: &Expected, served: &Served) {
        let size = output.dtype.size();
        let zero = vec![0; size];
        self.rows += expected.rows.len();
        for (row, of_row) in expected.rows.iter().enumerate() {
            for Pair { column, wanted, got } in served.pairs(row, of_row, output.width, &zero) {
                let mut rounded = vec![0; size];
                write_default(&[wanted], output.dtype, &mut rounded);
                let (wanted, value) = (value_of(&rounded, output.dtype), value_of(got, output.dtype));
                let apart = ulps(&rounded, got, output.dtype);
                if (wanted.is_nan() && value.is_nan()) || apart <= u128::from(expected.max_ulp) {
                    continue;
                }
                let allowed = expected.max_ulp;
                self.note(output, Difference { case, row, column, got: value, wanted, apart, allowed });
            }
        }
    }

    fn note(&mut self, output: &Output, difference: Difference) {
        self.values += 1;
        if self.first.len() < VALUES_SHOWN {
            self.first.push(difference.clone());
        }
        let place = (difference.case, difference.row);
        match self.features.get_mut(&feature_at(output, difference.column)) {
            Some(of) => {
                of.values += 1;
                of.rows += usize::from(std::mem::replace(&mut of.last, place) != place);
                if difference.apart > of.worst.apart {
                    of.worst = difference;
                }
            }
            None => {
                let feature = feature_at(output, difference.column);
                let of = OfFeature { values: 1, rows: 1, last: place, worst: difference };
                self.features.insert(feature, of);
            }
        }
    }

    /// Notes for each feature how much of it differs, and where it does most.
    pub fn summarize(&self, output: &Output, problems: &mut Problems) {
        let place = format!("outputs.{}", output.name);
        for (&feature, of) in self.features.iter().take(FEATURES_SHOWN) {
            let OfFeature { values, rows, worst, .. } = of;
            let name = output.features.get(feature).map_or("", |feature| &feature.name);
            let count = if values == rows { String::new() } else { format!("{values} values in ") };
            let message = format!(
                "feature {name:?} differs: {count}{rows} of {} rows; most in {}: {worst}",
                self.rows,
                worst.place(output)
            );
            problems.add(place.as_str(), message);
        }
        if self.features.len() > FEATURES_SHOWN {
            problems.add(place, format!("and {} more features differ", self.features.len() - FEATURES_SHOWN));
        }
    }

    /// Notes the first values that differ.
    pub fn show_values(&self, output: &Output, problems: &mut Problems) {
        for difference in &self.first {
            let name = output.features.get(feature_at(output, difference.column));
            let name = name.map_or("", |feature| &feature.name);
            problems.add(difference.place(output), format!("{difference}, feature {name:?}"));
        }
        if self.values > self.first.len() {
            let message = format!("and {} more values differ", self.values - self.first.len());
            problems.add(format!("outputs.{}", output.name), message);
        }
    }
}

impl Difference {
    fn place(&self, output: &Output) -> String {
        let row = format!("cases[{}].outputs.{}.rows[{}]", self.case, output.name, self.row);
        if output.ragged {
            return format!("{row}[{}][{}]", self.column / output.width, self.column % output.width);
        }
        format!("{row}[{}]", self.column)
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { got, wanted, apart, allowed, .. } = self;
        write!(f, "is {got}, expected {wanted} ({apart} units in the last place apart, {allowed} allowed)")
    }
}

/// The position of the feature that holds a column of an output, of a ragged one in any of its elements.
fn feature_at(output: &Output, column: usize) -> usize {
    let column = column % output.width.max(1);
    output.features.partition_point(|feature| feature.offset + feature.width <= column)
}

/// How many values of the type lie between two; numbers are ordered by their bits once the negative ones are turned.
fn ulps(one: &[u8], other: &[u8], dtype: OutputType) -> u128 {
    let ordered = |bytes: &[u8]| {
        let bits = bits(bytes);
        let sign = 1_u64 << (bytes.len() * 8 - 1);
        match dtype {
            // Golden rows hold float64, so that integers beyond 2^53 are compared as their nearest ones.
            OutputType::Int64 => i128::from(bits as i64 as f64 as i64),
            _ if bits & sign != 0 => -i128::from(bits & !sign),
            _ => i128::from(bits),
        }
    };
    ordered(one).abs_diff(ordered(other))
}

fn bits(bytes: &[u8]) -> u64 {
    let mut wide = [0; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(wide)
}

fn value_of(bytes: &[u8], dtype: OutputType) -> f64 {
    let bits = bits(bytes);
    match dtype {
        OutputType::Float32 => f32::from_bits(bits as u32).into(),
        OutputType::Float64 => f64::from_bits(bits),
        OutputType::Float16 => half::f16::from_bits(bits as u16).into(),
        OutputType::Bfloat16 => half::bf16::from_bits(bits as u16).into(),
        OutputType::Int64 => bits as i64 as f64,
    }
}
