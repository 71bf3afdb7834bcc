//! Expected rows beside served ones, value by value.

use crate::{
    plan::{
        layout::Output,
        ragged::RaggedRows,
        run::{Elements, Stopped},
        sparse::SparseRows,
    },
    spec::golden::{ExpectedRow, ExpectedValues},
};

/// A served tensor: all elements, those that are not zero where expected rows are written so, or those of lists.
pub enum Served {
    Dense(Vec<u8>),
    Sparse(SparseRows),
    Ragged(RaggedRows),
}

/// A value of a row that is expected or served: its column, the number, and the served bytes.
pub struct Pair<'a> {
    pub column: usize,
    pub wanted: f64,
    pub got: &'a [u8],
}

impl Served {
    /// Makes room for the rows of an output, and has them filled.
    pub fn fill(
        expected: &[ExpectedRow],
        output: &Output,
        run: impl FnOnce(Elements<'_>) -> Result<(), Stopped>,
    ) -> Self {
        let row_bytes = output.width * output.dtype.size();
        let sparse = expected.iter().any(|row| matches!(row, ExpectedRow::Sparse(_)));
        let mut served = if output.ragged {
            Self::Ragged(RaggedRows::default())
        } else if sparse {
            Self::Sparse(SparseRows::default())
        } else {
            Self::Dense(vec![0; expected.len() * row_bytes])
        };
        let ran = run(match &mut served {
            Self::Dense(data) => Elements::Dense(data),
            Self::Sparse(rows) => Elements::Sparse(rows),
            Self::Ragged(rows) => Elements::Ragged(rows),
        });
        debug_assert!(ran.is_ok(), "a run that never expires ends");
        served
    }

    /// The first row with another number of elements than expected, and what is wrong with it.
    pub fn wrong_length(&self, expected: &[ExpectedRow]) -> Option<(usize, String)> {
        let Self::Ragged(rows) = self else { return None };
        expected.iter().enumerate().find_map(|(row, expected)| {
            let (got, wanted) = (rows.row(row, 1).len(), expected.elements());
            (got != wanted).then(|| (row, format!("has {got} elements, {wanted} are expected")))
        })
    }

    /// The values of row `row`, of a ragged one those of its elements one after the other; where either side leaves one
    /// out, it is 0, whose bytes are `zero`.
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
            Self::Ragged(rows) => {
                rows.row(row, width * zero.len()).chunks_exact(zero.len()).enumerate().collect()
            }
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
    /// What is wrong with it for an output.
    pub fn problem(&self, output: &Output) -> Option<String> {
        let width = output.width;
        match self {
            // Without elements both are the same.
            Self::Dense(values) if output.ragged => {
                (!values.is_empty()).then(|| "must be an array of arrays: the output is ragged".to_owned())
            }
            Self::Ragged(elements) if output.ragged => {
                let wrong = elements.iter().position(|element| element.len() != width)?;
                let length = elements[wrong].len();
                Some(format!("has {length} values in element {wrong}, the output is {width} wide"))
            }
            Self::Ragged(_) => Some("must be an array of numbers: the output is not ragged".to_owned()),
            Self::Sparse(_) if output.ragged => {
                Some("must be an array of arrays: the output is ragged".to_owned())
            }
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

    /// How many elements a ragged row has.
    fn elements(&self) -> usize {
        if let Self::Ragged(elements) = self { elements.len() } else { 0 }
    }

    /// Columns with their values.
    fn values(&self) -> Vec<(usize, f64)> {
        match self {
            Self::Dense(values) => values.iter().map(|value| value.0).enumerate().collect(),
            Self::Ragged(elements) => elements.iter().flatten().map(|value| value.0).enumerate().collect(),
            Self::Sparse(ExpectedValues { indices, values }) => {
                let columns = indices.iter().map(|&column| column as usize);
                columns.zip(values.iter().map(|value| value.0)).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{spec::OutputType, transform::parameters::Real};

    fn output(width: usize, ragged: bool) -> Output {
        let (name, features) = (String::new(), Vec::new());
        Output { name, dtype: OutputType::Float32, width, request_width: 0, features, ragged }
    }

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
        assert_eq!(sparse(&[1, 3], &[1.0, 2.0]).problem(&output(4, false)), None);
        for (indices, width) in [(&[1, 1][..], 4), (&[3, 1], 4), (&[1, 4], 4), (&[1], 4)] {
            assert!(sparse(indices, &[1.0, 2.0]).problem(&output(width, false)).is_some(), "{indices:?}");
        }
        assert!(ExpectedRow::Dense(vec![Real(1.0)]).problem(&output(2, false)).is_some());
    }
    #[test]
    fn ragged_rows_have_elements_of_the_outputs_width() {
        let row = |elements: &[&[f64]]| {
            let element = |element: &&[f64]| element.iter().copied().map(Real).collect();
            ExpectedRow::Ragged(elements.iter().map(element).collect())
        };
        let (ragged, dense) = (output(2, true), output(2, false));
        assert_eq!(row(&[&[1.0, 2.0], &[3.0, 4.0]]).problem(&ragged), None);
        assert_eq!(ExpectedRow::Dense(Vec::new()).problem(&ragged), None);
        assert!(row(&[&[1.0, 2.0], &[3.0]]).problem(&ragged).is_some());
        assert!(row(&[&[1.0, 2.0]]).problem(&dense).is_some());
        assert!(ExpectedRow::Dense(vec![Real(1.0), Real(2.0)]).problem(&ragged).is_some());
        assert!(sparse(&[], &[]).problem(&ragged).is_some());
        let served = Served::Ragged(RaggedRows { data: vec![5, 6, 7, 8], ends: vec![1, 2] });
        let expected = [row(&[&[5.0, 6.0]]), row(&[])];
        assert_eq!(served.wrong_length(&expected).map(|(row, _)| row), Some(1));
        let pairs = served.pairs(0, &expected[0], 2, &[0]);
        assert_eq!(pairs.iter().map(|pair| (pair.column, pair.got[0])).collect::<Vec<_>>(), [(0, 5), (1, 6)]);
    }
}
