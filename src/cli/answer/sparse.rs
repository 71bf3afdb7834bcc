//! Sparse tensors, read for people.

use std::ops::Range;

use half::{bf16, f16};
use serde_json::{Value, json};

use crate::proto::{DataType, FeatureDescription, Tensor};

/// Rows of the columns whose values are not 0.
pub struct SparseTensor {
    rows: Vec<Vec<(usize, Number)>>,
}

/// A value of any element type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    Float(f64),
    Integer(i64),
}

impl SparseTensor {
    /// Reads a tensor's bytes; none where they don't fit to its shape.
    pub fn read(tensor: &Tensor, rows: usize, width: usize) -> Option<Self> {
        let offsets =
            tensor.row_offsets.as_chunks().0.iter().map(|&bytes| u64::from_le_bytes(bytes) as usize);
        let columns = tensor.indices.as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes) as usize);
        let entries: Vec<(usize, Number)> = columns.zip(numbers(&tensor.data, tensor.dtype())).collect();
        let offsets: Vec<usize> = offsets.collect();
        if offsets.len() != rows + 1 || entries.iter().any(|&(column, _)| column >= width) {
            return None;
        }
        let row = |ends: &[usize]| Some(entries.get(ends[0]..ends[1])?.to_vec());
        Some(Self { rows: offsets.windows(2).map(row).collect::<Option<_>>()? })
    }

    /// A feature's values in one row, from its first column on: all of them, or the first `most`.
    pub fn text(&self, row: usize, feature: &FeatureDescription, first: usize, most: usize) -> String {
        let entries = self.of(row, first..first + feature.width as usize);
        match (feature.width, entries.as_slice()) {
            (1, []) => "0".to_owned(),
            (1, [(_, number), ..]) => number.text(),
            (_, []) => "-".to_owned(),
            (_, [(lane, Number::Float(1.0))]) if !feature.columns.is_empty() => name(feature, *lane),
            (_, entries) => {
                let shown = entries.iter().take(most);
                let shown: Vec<_> = shown
                    .map(|(lane, number)| format!("{}={}", name(feature, *lane), number.text()))
                    .collect();
                shown.join(" ") + if entries.len() > most { " …" } else { "" }
            }
        }
    }

    /// A feature's value in one row as JSON: a number, or the lanes that are not 0 by name.
    pub fn json(&self, row: usize, feature: &FeatureDescription, first: usize) -> Value {
        let entries = self.of(row, first..first + feature.width as usize);
        if feature.width == 1 {
            return entries.first().map_or(json!(0), |(_, number)| number.json());
        }
        let entries = entries.into_iter().map(|(lane, number)| (name(feature, lane), number.json()));
        Value::Object(entries.collect())
    }

    /// The values in some columns of a row, by their place among these.
    fn of(&self, row: usize, columns: Range<usize>) -> Vec<(usize, Number)> {
        let within = self.rows[row].iter().filter(|(column, _)| columns.contains(column));
        within.map(|&(column, number)| (column - columns.start, number)).collect()
    }
}

/// A lane's name, or its number.
fn name(feature: &FeatureDescription, lane: usize) -> String {
    feature.columns.get(lane).cloned().unwrap_or_else(|| lane.to_string())
}

impl Number {
    /// Short, for people.
    pub fn text(self) -> String {
        match self {
            Self::Float(value) if value.fract() == 0.0 && value.abs() < 1e6 => format!("{value}"),
            Self::Float(value) => format!("{value:.4}"),
            Self::Integer(value) => value.to_string(),
        }
    }

    /// Exact: what JSON has no number for is a string.
    pub fn json(self) -> Value {
        match self {
            Self::Float(value) if value.is_finite() => json!(value),
            Self::Float(value) => json!(value.to_string()),
            Self::Integer(value) => json!(value.to_string()),
        }
    }
}

/// The numbers of a tensor's bytes.
pub fn numbers(data: &[u8], dtype: DataType) -> Vec<Number> {
    match dtype {
        DataType::Unspecified => Vec::new(),
        DataType::Float32 => floats(data, |bytes| f32::from_le_bytes(bytes).into()),
        DataType::Float16 => floats(data, |bytes| f16::from_le_bytes(bytes).into()),
        DataType::Bfloat16 => floats(data, |bytes| bf16::from_le_bytes(bytes).into()),
        DataType::Float64 => floats(data, f64::from_le_bytes),
        DataType::Int64 => {
            data.as_chunks().0.iter().map(|&bytes| Number::Integer(i64::from_le_bytes(bytes))).collect()
        }
    }
}

fn floats<const SIZE: usize>(data: &[u8], widened: impl Fn([u8; SIZE]) -> f64) -> Vec<Number> {
    data.as_chunks::<SIZE>().0.iter().map(|&bytes| Number::Float(widened(bytes))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(columns: &[u32], values: &[f32], offsets: &[u64]) -> Tensor {
        Tensor {
            dtype: DataType::Float32.into(),
            data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            indices: columns.iter().flat_map(|column| column.to_le_bytes()).collect(),
            row_offsets: offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect(),
            ..Tensor::default()
        }
    }

    fn feature(width: u32, columns: &[&str]) -> FeatureDescription {
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        FeatureDescription { width, columns, ..FeatureDescription::default() }
    }

    #[test]
    fn shows_what_is_not_zero() {
        let tensor = tensor(&[0, 2, 700, 900, 901], &[2.5, 1.0, 0.5, -0.5, 3.0], &[0, 5, 5]);
        let read = SparseTensor::read(&tensor, 2, 1000).expect("fits");
        let (price, kind, words) = (feature(1, &[]), feature(2, &["food", "autos"]), feature(997, &[]));
        assert_eq!(read.text(0, &price, 0, 2), "2.5000");
        assert_eq!(read.text(1, &price, 0, 2), "0");
        assert_eq!((read.text(0, &kind, 1, 2), read.text(1, &kind, 1, 2)), ("autos".into(), "-".into()));
        assert_eq!(read.text(0, &words, 3, 2), "697=0.5000 897=-0.5000 …");
        assert_eq!(read.json(0, &words, 3), json!({"697": 0.5, "897": -0.5, "898": 3.0}));
        assert_eq!((read.json(0, &price, 0), read.json(1, &price, 0)), (json!(2.5), json!(0)));
    }

    #[test]
    fn bytes_that_do_not_fit_are_none() {
        for (columns, offsets, rows, width) in [
            (&[0, 4][..], &[0, 2][..], 1, 4),
            (&[0], &[0, 1], 2, 4),
            (&[0], &[0, 9], 1, 4),
            (&[0], &[1, 0], 1, 4),
        ] {
            let tensor = tensor(columns, &vec![1.0; columns.len()], offsets);
            assert!(SparseTensor::read(&tensor, rows, width).is_none(), "{columns:?} {offsets:?}");
        }
    }
}
