//! Writing values into row-major bytes: little-endian, rounded from float64 once.

use half::{bf16, f16};

use super::layout::Feature;
use crate::{
    batch::{Column, NO_SLOT, Values},
    spec::OutputType,
};

/// An element type of tensors.
pub trait Number: Copy {
    /// Its little-endian bytes.
    type Bytes: AsRef<[u8]> + Copy;

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
                type $number = f16;
                $body
            }
            OutputType::Bfloat16 => {
                type $number = bf16;
                $body
            }
            OutputType::Int64 => {
                type $number = i64;
                $body
            }
        }
    };
}

/// Writes a feature's values, row `r` at byte `r * stride + at` of `to`, with its default where they are null.
pub fn write_feature(
    column: &Column,
    feature: &Feature,
    dtype: OutputType,
    to: &mut [u8],
    stride: usize,
    at: usize,
) {
    with_number!(dtype, N => {
        write_values::<N>(&column.values, feature.width, to, stride, at);
        write_defaults::<N>(column, &feature.default, to, stride, at);
    });
}

/// The same for a one-hot feature where `to` holds zeros already.
pub fn write_one_hot(
    slots: &[u32],
    column: &Column,
    feature: &Feature,
    dtype: OutputType,
    to: &mut [u8],
    stride: usize,
    at: usize,
) {
    with_number!(dtype, N => {
        write_ones::<N>(slots, feature.width, to, stride, at);
        write_defaults::<N>(column, &feature.default, to, stride, at);
    });
}

/// Writes one value's default, in the output's type, at the start of `to`.
pub fn write_default(default: &[f64], dtype: OutputType, to: &mut [u8]) {
    with_number!(dtype, N => write_row::<N>(to, default.iter().map(|&value| N::rounded(value))));
}

/// A slot in a record that stands for a null, where the feature's default is written.
const NULL_SLOT: u32 = NO_SLOT - 1;

/// Writes one-hot slots as 4 bytes each.
pub fn write_slot(column: &Column, to: &mut [u8], stride: usize, at: usize) {
    let Values::OneHot(slots) = &column.values else { return };
    for ((row, &slot), mark) in rows_of(to, stride, at).zip(slots).zip(&column.marks) {
        let slot = if mark.is_null() { NULL_SLOT } else { slot };
        row[..size_of::<u32>()].copy_from_slice(&slot.to_le_bytes());
    }
}

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

fn write_values<N: Number>(values: &Values, width: usize, to: &mut [u8], stride: usize, at: usize) {
    let rows = rows_of(to, stride, at);
    match values {
        Values::Float64(values) => write_lanes(rows, values, width, N::rounded),
        Values::Float32(values) => write_lanes(rows, values, width, |value| N::rounded(value.into())),
        Values::Int64(values) => write_lanes(rows, values, width, N::from_integer),
        Values::Uint64(values) => write_lanes(rows, values, width, |value| N::rounded(value as f64)),
        Values::Bool(values) => write_lanes(rows, values, width, |value| N::from_integer(value.into())),
        Values::OneHot(slots) => {
            rows.for_each(|row| row[..width * size_of::<N>()].fill(0));
            write_ones::<N>(slots, width, to, stride, at);
        }
        // The layout refuses string features.
        Values::String(_) => {}
    }
}

/// Writes the ones of one-hot vectors over zeros.
fn write_ones<N: Number>(slots: &[u32], width: usize, to: &mut [u8], stride: usize, at: usize) {
    let one = N::from_integer(1).bytes();
    for (row, &slot) in rows_of(to, stride, at).zip(slots) {
        if (slot as usize) < width {
            row[slot as usize * size_of::<N>()..][..size_of::<N>()].copy_from_slice(one.as_ref());
        }
    }
}

/// Writes vectors, or scalars as vectors of one lane.
fn write_lanes<'a, T: Copy, N: Number>(
    rows: impl Iterator<Item = &'a mut [u8]>,
    values: &[T],
    width: usize,
    number: impl Fn(T) -> N,
) {
    if width == 1 {
        for (row, &value) in rows.zip(values) {
            row[..size_of::<N>()].copy_from_slice(number(value).bytes().as_ref());
        }
        return;
    }
    for (row, lanes) in rows.zip(values.chunks_exact(width.max(1))) {
        write_row(row, lanes.iter().map(|&lane| number(lane)));
    }
}

fn write_defaults<N: Number>(column: &Column, default: &[f64], to: &mut [u8], stride: usize, at: usize) {
    if default.is_empty() || column.marks.iter().all(|mark| !mark.is_null()) {
        return;
    }
    for (row, mark) in rows_of(to, stride, at).zip(&column.marks) {
        if mark.is_null() {
            write_row(row, default.iter().map(|&value| N::rounded(value)));
        }
    }
}

fn write_row<N: Number>(row: &mut [u8], values: impl Iterator<Item = N>) {
    for (element, value) in row.chunks_exact_mut(size_of::<N>()).zip(values) {
        element.copy_from_slice(value.bytes().as_ref());
    }
}

/// Each row's bytes from `at` on.
fn rows_of(to: &mut [u8], stride: usize, at: usize) -> impl Iterator<Item = &mut [u8]> {
    to.chunks_mut(stride.max(1)).map(move |row| &mut row[at..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{batch::Mark, spec::Scope};

    fn feature(width: usize, default: &[f64]) -> Feature {
        Feature {
            name: "f".into(),
            node: 0,
            offset: 0,
            part_offset: 0,
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
        write_feature(&of, &feature(1, &[-1.0]), OutputType::Float32, &mut to, 8, 4);
        assert_eq!(to[4..8], 1.5_f32.to_le_bytes());
        assert_eq!(to[12..16], (-1.0_f32).to_le_bytes());
        assert_eq!(to[..4], [0xff; 4]);
    }

    #[test]
    fn every_type_rounds_from_float64_once() {
        // 1 + 2^-11 + 2^-30 lies just above the middle of two f16: rounding over f32 would lose the 2^-30.
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
        write_feature(&of, &feature(1, &[]), OutputType::Int64, &mut to, 8, 0);
        assert_eq!(i64::from_le_bytes(to), i64::MAX);
    }

    #[test]
    fn vectors_of_integers_are_written_whole() {
        let of = column(Values::Int64(vec![1, i64::MAX, 7, 7]), &[Mark::PRESENT, Mark::NULL]);
        let mut to = [0; 32];
        write_feature(&of, &feature(2, &[-1.0, -2.0]), OutputType::Int64, &mut to, 16, 0);
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
