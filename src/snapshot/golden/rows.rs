//! Expected rows beside served ones, value by value.

use crate::{
    plan::{
        run::{Elements, Stopped},
        sparse::SparseRows,
    },
    spec::golden::{ExpectedRow, ExpectedValues},
};

/// A served tensor: all elements, or those that are not zero where expected rows are written so.
pub enum Served {
    Dense(Vec<u8>),
    Sparse(SparseRows),
}

/// A value of a row that is expected or served: its column, the number, and the served bytes.
pub struct Pair<'a> {
    pub column: usize,
    pub wanted: f64,
    pub got: &'a [u8],
}

impl Served {
    /// Makes room for the rows, of `row_bytes` each, and has them filled.
    pub fn fill(
        expected: &[ExpectedRow],
        row_bytes: usize,
        run: impl FnOnce(Elements<'_>) -> Result<(), Stopped>,
    ) -> Self {
        let sparse = expected.iter().any(|row| matches!(row, ExpectedRow::Sparse(_)));
        let mut served = if sparse {
            Self::Sparse(SparseRows::default())
        } else {
            Self::Dense(vec![0; expected.len() * row_bytes])
        };
        let ran = run(match &mut served {
            Self::Dense(data) => Elements::Dense(data),
            Self::Sparse(rows) => Elements::Sparse(rows),
        });
        debug_assert!(ran.is_ok(), "a run that never expires ends");
        served
    }

    /// The values of row `row`; where either side leaves one out, it is 0, whose bytes are `zero`.
    pub fn pairs<'a>(
        &'a self,
        row: usize,
        expected: &ExpectedRow,
        width: usize,
        zero: &'a [u8],
    ) -> Vec<Pair<'a>> {
        let mut got: Vec<(usize, &[u8])> = match self {
            Self::Dense(data) => {
                let bytes = width * zero.len();
                data[row * bytes..(row + 1) * bytes].chunks_exact(zero.len()).enumerate().collect()
            }
            Self::Sparse(rows) => rows.row(row, zero.len()).collect(),
        };
        got.reverse();
        let mut pairs = Vec::with_capacity(got.len());
        for (column, wanted) in expected.values() {
            while let Some((column, got)) = got.pop_if(|(other, _)| *other < column) {
                pairs.push(Pair { column, wanted: 0.0, got });
            }
            let got = got.pop_if(|(other, _)| *other == column).map_or(zero, |(_, got)| got);
            pairs.push(Pair { column, wanted, got });
        }
        pairs.extend(got.into_iter().rev().map(|(column, got)| Pair { column, wanted: 0.0, got }));
        pairs
    }
}

impl ExpectedRow {
    /// What is wrong with it for an output of a width.
    pub fn problem(&self, width: usize) -> Option<String> {
        match self {
            Self::Dense(values) => (values.len() != width)
                .then(|| format!("has {} values, the output is {width} wide", values.len())),
            Self::Sparse(ExpectedValues { indices, values }) if indices.len() != values.len() => {
                Some(format!("has {} indices and {} values", indices.len(), values.len()))
            }
            Self::Sparse(ExpectedValues { indices, .. }) => {
                let last = indices.last().map_or(0, |&last| last as usize);
                let increase = indices.is_sorted_by(|one, next| one < next);
                (!increase || last >= width)
                    .then(|| format!("must have increasing indices below {width}, the output's width"))
            }
        }
    }

    /// Columns with their values.
    fn values(&self) -> impl Iterator<Item = (usize, f64)> {
        let (dense, sparse) = match self {
            Self::Dense(values) => (Some(values.iter().enumerate()), None),
            Self::Sparse(ExpectedValues { indices, values }) => {
                (None, Some(indices.iter().map(|&column| column as usize).zip(values)))
            }
        };
        let all = dense.into_iter().flatten().chain(sparse.into_iter().flatten());
        all.map(|(column, value)| (column, value.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::parameters::Real;

    fn sparse(indices: &[u32], values: &[f64]) -> ExpectedRow {
        let values = values.iter().copied().map(Real).collect();
        ExpectedRow::Sparse(ExpectedValues { indices: indices.to_vec(), values })
    }

    #[test]
    fn what_one_side_leaves_out_is_zero() {
        let served = SparseRows { data: vec![1, 2, 3], columns: vec![0, 4, 9], ends: vec![0, 3] };
        let pairs = |row, expected| {
            let served = Served::Sparse(served.clone());
            let pairs = served.pairs(row, &expected, 10, &[0]);
            pairs.iter().map(|pair| (pair.column, pair.wanted, pair.got[0])).collect::<Vec<_>>()
        };
        let expected = [(0, 0.0, 1), (2, 7.0, 0), (4, 2.0, 2), (9, 0.0, 3)];
        assert_eq!(pairs(1, sparse(&[2, 4], &[7.0, 2.0])), expected);
        assert_eq!(pairs(0, sparse(&[], &[])), []);
        let dense = Served::Dense(vec![0, 5]);
        let pairs = dense.pairs(0, &ExpectedRow::Dense(vec![Real(0.0), Real(5.0)]), 2, &[0]);
        assert_eq!(
            pairs.iter().map(|pair| (pair.wanted, pair.got[0])).collect::<Vec<_>>(),
            [(0.0, 0), (5.0, 5)]
        );
    }

    #[test]
    fn rows_that_do_not_fit_are_problems() {
        assert_eq!(sparse(&[1, 3], &[1.0, 2.0]).problem(4), None);
        for (indices, width) in [(&[1, 1][..], 4), (&[3, 1], 4), (&[1, 4], 4), (&[1], 4)] {
            assert!(sparse(indices, &[1.0, 2.0]).problem(width).is_some(), "{indices:?}");
        }
        assert!(ExpectedRow::Dense(vec![Real(1.0)]).problem(2).is_some());
    }
}
