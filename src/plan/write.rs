//! Writing values into row-major bytes: little-endian, rounded from float64 once.

use std::ops::Range;

use half::{bf16, f16};

use super::layout::Feature;
use crate::{
    batch::{Column, Mark, NO_SLOT, SparseVectors, Values},
    spec::OutputType,
};

/// An element type of tensors.
pub trait Number: Copy {
    /// Its little-endian bytes.
    type Bytes: AsRef<[u8]> + Copy;

    /// The bytes of one element, all zero where they are not of its size.
    fn read(bytes: &[u8]) -> Self::Bytes;

    /// Whether these are the bytes of a zero of either sign.
    fn is_zero(bytes: Self::Bytes) -> bool;

    /// Rounds to nearest, ties to even.
    fn rounded(value: f64) -> Self;

    /// Keeps every integer that the type can hold exactly.
    fn from_integer(value: i64) -> Self;

    fn bytes(self) -> Self::Bytes;
}

macro_rules! number {
    ($type:ty, $size:literal, $rounded:expr, $from_integer:expr) => {
        impl Number for $type {
            type Bytes = [u8; $size];

            fn read(bytes: &[u8]) -> [u8; $size] {
                bytes.try_into().unwrap_or_default()
            }

            fn is_zero(bytes: [u8; $size]) -> bool {
                Self::from_le_bytes(bytes) == Self::default()
            }

            fn rounded(value: f64) -> Self {
                ($rounded)(value)
            }

            fn from_integer(value: i64) -> Self {
                ($from_integer)(value)
            }

            fn bytes(self) -> [u8; $size] {
                self.to_le_bytes()
            }
        }
    };
}

number!(f32, 4, |value| value as f32, |value| value as f64 as f32);
number!(f64, 8, |value| value, |value| value as f64);
number!(f16, 2, |value| f16::from_f32(to_odd(value)), |value| f16::from_f32(to_odd(value as f64)));
number!(bf16, 2, |value| bf16::from_f32(to_odd(value)), |value| bf16::from_f32(to_odd(value as f64)));
number!(i64, 8, |value| value as i64, |value| value);

/// Rounds to the float32 that a narrower type is rounded from as if it came from float64: toward zero, with the last
/// bit set where anything was cut off, so that the middle between two narrower values is never hit by rounding.
fn to_odd(value: f64) -> f32 {
    let near = value as f32;
    if f64::from(near) == value || value.is_nan() {
        return near;
    }
    let toward_zero = if f64::from(near).abs() > value.abs() { near.to_bits() - 1 } else { near.to_bits() };
    f32::from_bits(toward_zero | 1)
}

/// Runs `$body` with `$number` as the element type of `$dtype`.
macro_rules! with_number {
    ($dtype:expr, $number:ident => $body:expr) => {
        match $dtype {
            OutputType::Float32 => {
                type $number = f32;
                $body
            }
            OutputType::Float64 => {
                type $number = f64;
                $body
            }
            OutputType::Float16 => {
                type $number = half::f16;
                $body
            }
            OutputType::Bfloat16 => {
                type $number = half::bf16;
                $body
            }
            OutputType::Int64 => {
                type $number = i64;
                $body
            }
        }
    };
}

pub(super) use with_number;

/// Rows of a tensor's bytes, or of records.
pub struct Destination<'a> {
    pub bytes: &'a mut [u8],
    /// Bytes of one row.
    pub stride: usize,
    pub dtype: OutputType,
}

/// One-hot vectors, one for each row, that lie `at` bytes behind the first of those beside them.
#[derive(Debug, Clone, Copy)]
pub struct OneHot<'a> {
    pub slots: &'a [u32],
    pub width: usize,
    pub at: usize,
}

impl Destination<'_> {
    /// A part of each row.
    pub fn parts(&mut self, part: Range<usize>) -> impl Iterator<Item = &mut [u8]> {
        self.bytes.chunks_exact_mut(self.stride.max(1)).map(move |row| &mut row[part.clone()])
    }

    /// Writes a feature's values, all rows of them, with its default where they are null.
    pub fn write_feature(&mut self, column: &Column, feature: &Feature, at: usize) {
        self.write_values(&column.values, feature.width, 0..column.marks.len(), at);
        self.write_defaults(&column.marks, &feature.default, at);
    }

    /// Writes the rows `rows` of values of a width, from byte `at` of each row on.
    pub fn write_values(&mut self, values: &Values, width: usize, rows: Range<usize>, at: usize) {
        let lanes = rows.start * width..rows.end * width;
        with_number!(self.dtype, N => {
            let part = at..at + width * size_of::<N>();
            match values {
                Values::Float64(values) => self.write_lanes(&values[lanes], part, N::rounded),
                Values::Float32(values) => self.write_lanes(&values[lanes], part, |value| N::rounded(value.into())),
                Values::Int64(values) => self.write_lanes(&values[lanes], part, N::from_integer),
                Values::Uint64(values) => self.write_lanes(&values[lanes], part, |value| N::rounded(value as f64)),
                Values::Bool(values) => self.write_lanes(&values[lanes], part, |value| N::from_integer(value.into())),
                Values::OneHot(slots) => {
                    self.write_one_hots(&[OneHot { slots, width, at: 0 }], rows, part);
                }
                Values::Sparse(vectors) => self.write_sparse::<N>(vectors, rows, part),
                // The layout rejects string features.
                Values::String(_) => {}
            }
        });
    }

    /// Writes the rows `rows` of scalar columns into parts of the rows, beside each other.
    pub fn write_scalars(&mut self, columns: &[&[f64]], rows: Range<usize>, part: Range<usize>) {
        with_number!(self.dtype, N => {
            // Column by column: columns of one size tend to lie where they push each other's values out of the caches.
            for (number, column) in columns.iter().enumerate() {
                let at = part.start + number * size_of::<N>();
                self.write_lanes(&column[rows.clone()], at..at + size_of::<N>(), N::rounded);
            }
        });
    }

    /// Writes the rows `rows` of sparse vectors into a part of the rows.
    fn write_sparse<N: Number>(&mut self, vectors: &SparseVectors, rows: Range<usize>, part: Range<usize>) {
        for (part, row) in self.parts(part).zip(rows) {
            part.fill(0);
            for (lane, value) in vectors.entries(row) {
                let at = lane as usize * size_of::<N>();
                part[at..at + size_of::<N>()].copy_from_slice(N::rounded(value).bytes().as_ref());
            }
        }
    }

    /// Writes the rows `rows` of one-hot vectors into parts of the rows, beside each other.
    pub fn write_one_hots(&mut self, vectors: &[OneHot<'_>], rows: Range<usize>, part: Range<usize>) {
        with_number!(self.dtype, N => {
            let [zero, one] = [0, 1].map(|number| N::from_integer(number).bytes());
            self.parts(part.clone()).for_each(|part| part.fill(0));
            for vector in vectors {
                let at = part.start + vector.at;
                let parts = self.parts(at..at + vector.width * size_of::<N>());
                for (part, &slot) in parts.zip(&vector.slots[rows.clone()]) {
                    // Without a branch, as it could not be predicted: for no slot a zero over the first one.
                    let known = (slot as usize) < vector.width;
                    let (slot, number) = if known { (slot as usize, one) } else { (0, zero) };
                    part[slot * size_of::<N>()..][..size_of::<N>()].copy_from_slice(number.as_ref());
                }
            }
        });
    }

    /// Writes a default of some width where marks are null.
    pub fn write_defaults(&mut self, marks: &[Mark], default: &[f64], at: usize) {
        let dtype = self.dtype;
        if default.is_empty() {
            return;
        }
        let part = at..at + default.len() * dtype.size();
        for (part, _) in self.parts(part).zip(marks).filter(|(_, mark)| mark.is_null()) {
            write_default(default, dtype, part);
        }
    }

    /// Writes one-hot slots as 4 bytes each.
    pub fn write_slot(&mut self, column: &Column, at: usize) {
        let Values::OneHot(slots) = &column.values else { return };
        let parts = self.parts(at..at + size_of::<u32>());
        for ((part, &slot), mark) in parts.zip(slots).zip(&column.marks) {
            let slot = if mark.is_null() { NULL_SLOT } else { slot };
            part.copy_from_slice(&slot.to_le_bytes());
        }
    }

    fn write_lanes<T: Copy, N: Number>(&mut self, values: &[T], part: Range<usize>, number: impl Fn(T) -> N) {
        let width = part.len() / size_of::<N>();
        if width == 1 {
            for (part, &value) in self.parts(part).zip(values) {
                part.copy_from_slice(number(value).bytes().as_ref());
            }
            return;
        }
        for (part, lanes) in self.parts(part).zip(values.chunks_exact(width.max(1))) {
            write_row(part, lanes.iter().map(|&lane| number(lane)));
        }
    }
}

/// Writes one value's default, in the output's type, at the start of `to`.
pub fn write_default(default: &[f64], dtype: OutputType, to: &mut [u8]) {
    with_number!(dtype, N => write_row::<N>(to, default.iter().map(|&value| N::rounded(value))));
}

/// A slot in a record that stands for a null, where the feature's default is written.
pub const NULL_SLOT: u32 = NO_SLOT - 1;

/// Writes the zeros and the one of a record's slot into `to`, which is as wide as the vector; for a null its default.
pub fn expand_slot(slot: [u8; size_of::<u32>()], default: &[f64], dtype: OutputType, to: &mut [u8]) {
    let slot = u32::from_le_bytes(slot);
    if slot == NULL_SLOT {
        return write_default(default, dtype, to);
    }
    to.fill(0);
    let at = (slot as usize).saturating_mul(dtype.size());
    if let Some(one) = to.get_mut(at..).filter(|rest| !rest.is_empty()) {
        write_default(&[1.0], dtype, one);
    }
}

fn write_row<N: Number>(row: &mut [u8], values: impl Iterator<Item = N>) {
    for (element, value) in row.chunks_exact_mut(size_of::<N>()).zip(values) {
        element.copy_from_slice(value.bytes().as_ref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Scope;

    fn feature(width: usize, default: &[f64]) -> Feature {
        Feature {
            name: "f".into(),
            node: 0,
            offset: 0,
            part_offset: 0,
            column_names: Vec::new(),
            width,
            scope: Scope::Row,
            default: default.to_vec(),
        }
    }

    fn column(values: Values, marks: &[Mark]) -> Column {
        Column { values, marks: marks.to_vec(), list: None }
    }

    #[test]
    fn rows_get_their_place_and_nulls_their_default() {
        let of = column(Values::Float64(vec![1.5, 9.0]), &[Mark::PRESENT, Mark::NULL]);
        let mut to = vec![0xff; 16];
        Destination { bytes: &mut to, stride: 8, dtype: OutputType::Float32 }.write_feature(
            &of,
            &feature(1, &[-1.0]),
            4,
        );
        assert_eq!(to[4..8], 1.5_f32.to_le_bytes());
        assert_eq!(to[12..16], (-1.0_f32).to_le_bytes());
        assert_eq!(to[..4], [0xff; 4]);
    }

    #[test]
    fn every_type_rounds_from_float64_once() {
        // 1 + 2^-11 + 2^-30 lies just above the midpoint of two f16: rounding over f32 would lose the 2^-30.
        let value = 1.0 + 2f64.powi(-11) + 2f64.powi(-30);
        let mut to = [0; 2];
        write_default(&[value], OutputType::Float16, &mut to);
        assert_eq!(f16::from_le_bytes(to).to_f64(), 1.0 + 2f64.powi(-10));
        let middle = 1.0 + 2f64.powi(-8) + 2f64.powi(-30);
        write_default(&[middle], OutputType::Bfloat16, &mut to);
        assert_eq!(bf16::from_le_bytes(to).to_f64(), 1.0 + 2f64.powi(-7));
    }

    #[test]
    fn int64_is_exact() {
        let of = column(Values::Int64(vec![i64::MAX]), &[Mark::PRESENT]);
        let mut to = [0; 8];
        Destination { bytes: &mut to, stride: 8, dtype: OutputType::Int64 }.write_feature(
            &of,
            &feature(1, &[]),
            0,
        );
        assert_eq!(i64::from_le_bytes(to), i64::MAX);
    }

    #[test]
    fn vectors_of_integers_are_written_whole() {
        let of = column(Values::Int64(vec![1, i64::MAX, 7, 7]), &[Mark::PRESENT, Mark::NULL]);
        let mut to = [0; 32];
        Destination { bytes: &mut to, stride: 16, dtype: OutputType::Int64 }.write_feature(
            &of,
            &feature(2, &[-1.0, -2.0]),
            0,
        );
        let written: Vec<i64> = to.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect();
        assert_eq!(written, [1, i64::MAX, -1, -2]);
    }

    #[test]
    fn slots_expand() {
        let mut to = [9; 12];
        expand_slot(2_u32.to_le_bytes(), &[], OutputType::Float32, &mut to);
        assert_eq!(to[8..], 1.0_f32.to_le_bytes());
        assert_eq!(to[..8], [0; 8]);
        expand_slot(NO_SLOT.to_le_bytes(), &[], OutputType::Float32, &mut to);
        assert_eq!(to, [0; 12]);
    }
}
