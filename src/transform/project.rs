//! Project: a matrix times a vector.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    parameters::{List, PerLane, Real},
    single_vector, sum,
};
use crate::{
    batch::{Column, Type},
    problem::Problems,
};

/// `(matrix * (x - center) - offset) / scale` of a vector: principal components, random projections, linear layers.
/// Sums keep the house's fixed order; libraries differ from it by rounding alone. scikit-learn's PCA subtracts the
/// product of the mean (`offset`), not the mean itself (`center`). Null stays null; NaN in a lane makes every lane NaN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// A row for each lane of the result, with a finite number for each lane of the input.
    pub matrix: List<Vec<Real>>,
    /// What is subtracted from the input: one number, or one for each of its lanes; finite.
    pub center: PerLane,
    /// What is subtracted from the product: one number, or one for each row; finite.
    pub offset: PerLane,
    /// What the difference is divided by: one number, or one for each row; finite and not 0.
    pub scale: PerLane,
}

/// The widest result.
const WIDTH_LIMIT: usize = 1 << 20;

impl Operation for Project {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single_vector(inputs)?;
        let mut problems = Problems::none();
        self.check_matrix(input.lanes(), &mut problems);
        let (lanes, rows) = (input.lanes(), self.matrix.0.len());
        self.center.check("center", lanes, "must be finite", f64::is_finite, &mut problems);
        self.offset.check("offset", rows, "must be finite", f64::is_finite, &mut problems);
        let good = |scale: f64| scale.is_finite() && scale != 0.0;
        self.scale.check("scale", rows, "must be finite and not 0", good, &mut problems);
        problems.or(())?;
        let kernel = ProjectKernel {
            matrix: self.matrix.0.iter().flatten().map(|number| number.0).collect(),
            center: (0..lanes).map(|lane| self.center.get(lane)).collect(),
            rows: (0..rows).map(|row| (self.offset.get(row), self.scale.get(row))).collect(),
        };
        Ok(Compiled::new(Type { width: Some(rows), ..input }, kernel))
    }
}

impl Project {
    fn check_matrix(&self, lanes: usize, problems: &mut Problems) {
        let rows = self.matrix.0.len();
        if rows == 0 || rows > WIDTH_LIMIT {
            problems.add("matrix", format!("has {rows} rows, must have from 1 to {WIDTH_LIMIT}"));
        }
        for (position, row) in self.matrix.0.iter().enumerate() {
            if row.len() != lanes {
                let message = format!("has {} numbers, the input {lanes} lanes", row.len());
                problems.add(format!("matrix[{position}]"), message);
            }
            if let Some(lane) = row.iter().position(|number| !number.0.is_finite()) {
                let message = format!("must be finite, it is {}", row[lane].0);
                problems.add(format!("matrix[{position}][{lane}]"), message);
            }
        }
    }
}

#[derive(Debug)]
struct ProjectKernel {
    /// Row after row.
    matrix: Vec<f64>,
    center: Vec<f64>,
    /// Each row's offset and scale.
    rows: Vec<(f64, f64)>,
}

impl Kernel for ProjectKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        if inputs[0].values.is_compact() {
            return self.run_sparse(inputs[0], out);
        }
        let lanes = self.center.len();
        let mut centered = vec![0.0; lanes];
        let (values, marks) = out.float64_mut();
        marks.extend_from_slice(&inputs[0].marks);
        for vector in inputs[0].float64().chunks_exact(lanes) {
            let differences = vector.iter().zip(&self.center).map(|(x, center)| x - center);
            centered.iter_mut().zip(differences).for_each(|(lane, difference)| *lane = difference);
            let rows = self.matrix.chunks_exact(lanes).zip(&self.rows);
            values.extend(rows.map(|(row, (offset, scale))| (sum::dot(&centered, row) - offset) / scale));
        }
    }

    fn takes_sparse(&self) -> bool {
        // What is left out must stay 0.
        self.center.iter().all(|&center| center == 0.0)
    }
}

impl ProjectKernel {
    fn run_sparse(&self, input: &Column, out: &mut Column) {
        let width = self.center.len();
        let (values, marks) = out.float64_mut();
        marks.extend_from_slice(&input.marks);
        let mut entries = Vec::new();
        for position in 0..input.marks.len() {
            entries.clear();
            input.values.entries(position, |lane, value| entries.push((lane as usize, value)));
            let rows = self.matrix.chunks_exact(width).zip(&self.rows);
            values.extend(
                rows.map(|(row, (offset, scale))| (sum::dot_of_some(&entries, row) - offset) / scale),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::check::run_vectors;

    fn project(matrix: &[&[f64]]) -> Project {
        let row = |row: &&[f64]| row.iter().copied().map(Real).collect();
        let per_lane = |numbers: &[f64]| PerLane::Each(List(numbers.iter().copied().map(Real).collect()));
        Project {
            matrix: List(matrix.iter().map(row).collect()),
            center: per_lane(&[1.0, 2.0]),
            offset: per_lane(&[0.5, 0.0, 0.0]),
            scale: per_lane(&[2.0, 1.0, 4.0]),
        }
    }

    #[test]
    fn centers_multiplies_subtracts_and_divides() {
        let out = run_vectors(&project(&[&[1.0, 10.0], &[0.0, 1.0], &[1.0, 1.0]]), 2, &[2.0, 4.0, 1.0, 2.0]);
        assert_eq!(out.float64(), [(21.0 - 0.5) / 2.0, 2.0, 0.75, -0.25, 0.0, 0.0]);
    }

    #[test]
    fn every_bad_row_is_told() {
        let bad = project(&[&[1.0], &[f64::NAN, 1.0], &[1.0, 1.0]]).compile(&[Type::vector(2)]);
        let places: Vec<String> =
            bad.expect_err("two rows").iter().map(|problem| problem.path.clone()).collect();
        assert_eq!(places, ["matrix[0]", "matrix[1][0]"]);
        assert!(project(&[]).compile(&[Type::vector(2)]).is_err());
    }
}
