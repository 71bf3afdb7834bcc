//! What a column of a table holds, in numbers.

use std::collections::HashSet;

use xxhash_rust::xxh3::xxh3_64;

use super::{RowNumber, Table};
use crate::batch::{Column, Values};

/// Rows that are looked at together.
const BLOCK: u32 = 1 << 13;

/// Distinct values that are counted; beyond, there are only said to be more.
const DISTINCT_LIMIT: usize = 1 << 20;

/// What a column holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    pub nulls: u64,
    /// Different values of a column of scalars; none for lists, vectors and more than a million.
    pub distinct: Option<usize>,
    /// What the values that are not null reach over; none where all are null.
    pub spread: Option<Spread>,
}

/// What values reach over.
#[derive(Debug, Clone, PartialEq)]
pub enum Spread {
    Integers {
        least: i128,
        most: i128,
    },
    Floats {
        least: f64,
        most: f64,
        nans: u64,
    },
    Truths {
        truths: u64,
        all: u64,
    },
    /// Bytes of strings.
    Texts {
        shortest: usize,
        longest: usize,
    },
    /// Elements of lists.
    Lists {
        shortest: usize,
        longest: usize,
        mean: f64,
    },
    /// Euclidean norms of vectors.
    Norms {
        least: f64,
        most: f64,
        mean: f64,
    },
}

impl Table {
    /// The statistics of column `column`.
    pub fn statistics(&self, column: usize) -> Statistics {
        let of = self.schema().columns[column].of;
        let mut collected = Collected::default();
        let mut values = Column::new(of);
        for first in (0..self.rows()).step_by(BLOCK as usize) {
            let rows: Vec<RowNumber> =
                (first..self.rows().min(first.saturating_add(BLOCK))).map(RowNumber::row).collect();
            self.gather(column, &rows, &mut values);
            match (&values.list, of.width) {
                (Some(_), _) => collected.add_lists(&values),
                (None, Some(width)) => collected.add_vectors(&values, width),
                (None, None) => collected.add_scalars(&values),
            }
        }
        let is_scalar = of.width.is_none() && !of.list;
        let distinct =
            (is_scalar && collected.hashes.len() <= DISTINCT_LIMIT).then_some(collected.hashes.len());
        Statistics { nulls: collected.nulls, distinct, spread: collected.spread() }
    }

    /// Bytes of memory that column `column` takes.
    pub fn column_memory(&self, column: usize) -> usize {
        self.columns[column].memory()
    }
}

/// Numbers of the values so far.
#[derive(Debug, Default)]
struct Collected {
    nulls: u64,
    hashes: HashSet<u64>,
    spread: Option<Spread>,
    /// Of lists and vectors, for the mean.
    sum: f64,
    count: u64,
}

impl Collected {
    fn add_scalars(&mut self, column: &Column) {
        for (position, mark) in column.marks.iter().enumerate() {
            if mark.is_null() {
                self.nulls += 1;
                continue;
            }
            let (hash, value) = match &column.values {
                Values::Float64(values) => {
                    (xxh3_64(&values[position].to_le_bytes()), float(values[position]))
                }
                Values::Int64(values) => {
                    (xxh3_64(&values[position].to_le_bytes()), integer(values[position]))
                }
                Values::Uint64(values) => {
                    (xxh3_64(&values[position].to_le_bytes()), integer(values[position]))
                }
                Values::Bool(values) => {
                    let truth = u64::from(values[position]);
                    (truth, Spread::Truths { truths: truth, all: 1 })
                }
                Values::String(values) => {
                    let text = values.get_bytes(position);
                    (xxh3_64(text), Spread::Texts { shortest: text.len(), longest: text.len() })
                }
                // No table keeps scalars in these forms.
                Values::OneHot(_) | Values::Sparse(_) | Values::Float32(_) => continue,
            };
            if self.hashes.len() <= DISTINCT_LIMIT {
                self.hashes.insert(hash);
            }
            self.join(value);
        }
    }

    fn add_lists(&mut self, column: &Column) {
        let Some(list) = &column.list else { return };
        for (row, mark) in list.marks.iter().enumerate() {
            if mark.is_null() {
                self.nulls += 1;
                continue;
            }
            let length = list.range(row).len();
            self.sum += length as f64;
            self.count += 1;
            self.join(Spread::Lists { shortest: length, longest: length, mean: 0.0 });
        }
    }

    fn add_vectors(&mut self, column: &Column, width: usize) {
        for (row, mark) in column.marks.iter().enumerate() {
            if mark.is_null() {
                self.nulls += 1;
                continue;
            }
            let range = row * width..(row + 1) * width;
            let squares: f64 = match &column.values {
                Values::Float32(values) => values[range].iter().map(|&value| f64::from(value).powi(2)).sum(),
                _ => column.float64()[range].iter().map(|value| value * value).sum(),
            };
            let norm = squares.sqrt();
            self.sum += norm;
            self.count += 1;
            self.join(Spread::Norms { least: norm, most: norm, mean: 0.0 });
        }
    }

    fn join(&mut self, value: Spread) {
        self.spread = Some(match self.spread.take() {
            Some(before) => before.join(value),
            None => value,
        });
    }

    fn spread(self) -> Option<Spread> {
        let average = self.sum / self.count.max(1) as f64;
        Some(match self.spread? {
            Spread::Lists { shortest, longest, .. } => Spread::Lists { shortest, longest, mean: average },
            Spread::Norms { least, most, .. } => Spread::Norms { least, most, mean: average },
            other => other,
        })
    }
}

fn integer(value: impl Into<i128>) -> Spread {
    let value = value.into();
    Spread::Integers { least: value, most: value }
}

fn float(value: f64) -> Spread {
    Spread::Floats { least: value, most: value, nans: value.is_nan().into() }
}

impl Spread {
    /// Both together; `f64::min` and `f64::max` pass NaN over.
    fn join(self, other: Self) -> Self {
        use Spread as S;
        match (self, other) {
            (S::Integers { least, most }, S::Integers { least: low, most: high }) => {
                S::Integers { least: least.min(low), most: most.max(high) }
            }
            (S::Floats { least, most, nans }, S::Floats { least: low, most: high, nans: more }) => {
                S::Floats { least: least.min(low), most: most.max(high), nans: nans + more }
            }
            (S::Truths { truths, all }, S::Truths { truths: more, all: others }) => {
                S::Truths { truths: truths + more, all: all + others }
            }
            (S::Texts { shortest, longest }, S::Texts { shortest: low, longest: high }) => {
                S::Texts { shortest: shortest.min(low), longest: longest.max(high) }
            }
            (S::Lists { shortest, longest, mean }, S::Lists { shortest: low, longest: high, .. }) => {
                S::Lists { shortest: shortest.min(low), longest: longest.max(high), mean }
            }
            (S::Norms { least, most, mean }, S::Norms { least: low, most: high, .. }) => {
                S::Norms { least: least.min(low), most: most.max(high), mean }
            }
            (before, _) => before,
        }
    }
}
