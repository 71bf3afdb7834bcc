//! The forms in which a vector lies in memory, and rounding to them.

use half::{bf16, f16};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Stored;

/// How each vector of a column is kept. All but float64 are read out as float32, the same value wherever it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// Nothing is lost; of columns of this dtype alone.
    #[serde(skip)]
    Float64,
    /// Nothing is lost: the form of dtype float32.
    Float32,
    /// The nearest float16, ties to even.
    Float16,
    /// The nearest bfloat16, ties to even.
    Bfloat16,
    /// One byte a lane between the vector's least and greatest value, and 8 bytes for these.
    Int8,
    /// One bit a lane: 1 where the value is above 0. Read out as 1 and -1.
    Binary,
}

/// The highest code of an int8 lane.
const LAST_CODE: f32 = 255.0;

/// Adding it rounds a float32 from 0 to 255 to a whole number, ties to even, that is then the lowest byte of the sum.
const WHOLE: f32 = 12_582_912.0;

/// Bytes before the codes of an int8 vector: its scale and its offset, float32 each.
pub const CODES_FROM: usize = 8;

impl Form {
    /// The form of vectors of a float dtype where no other is stated.
    pub fn of(dtype: Stored) -> Self {
        match dtype {
            Stored::Float16 => Self::Float16,
            Stored::Float32 => Self::Float32,
            _ => Self::Float64,
        }
    }

    /// The form of this name, as `table.json` has it.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Float32, Self::Float16, Self::Bfloat16, Self::Int8, Self::Binary];
        all.into_iter().find(|form| form.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Float64 => "float64",
            Self::Float32 => "float32",
            Self::Float16 => "float16",
            Self::Bfloat16 => "bfloat16",
            Self::Int8 => "int8",
            Self::Binary => "binary",
        }
    }

    /// Bytes of one vector of `width` lanes.
    pub fn row_bytes(self, width: usize) -> usize {
        match self {
            Self::Float64 => width * 8,
            Self::Float32 => width * 4,
            Self::Float16 | Self::Bfloat16 => width * 2,
            Self::Int8 => CODES_FROM + width,
            Self::Binary => width.div_ceil(8),
        }
    }

    /// Writes a vector into `row`, which has the form's bytes for it and is zero, or says why it can't be kept.
    pub fn encode(self, elements: &[f64], row: &mut [u8]) -> Result<(), String> {
        match self {
            Self::Float64 => write(row, elements, f64::to_le_bytes),
            Self::Float32 => write(row, elements, |value| (value as f32).to_le_bytes()),
            Self::Float16 => {
                write(row, elements, |value| f16::from_f32(value as f32).to_le_bytes());
                self.check_range(elements, |value| f16::from_f32(value as f32).is_infinite())?;
            }
            Self::Bfloat16 => {
                write(row, elements, |value| bf16::from_f32(value as f32).to_le_bytes());
                self.check_range(elements, |value| bf16::from_f32(value as f32).is_infinite())?;
            }
            Self::Int8 => encode_int8(elements, row)?,
            Self::Binary => encode_binary(elements, row)?,
        }
        Ok(())
    }

    fn check_range(self, elements: &[f64], is_infinite: impl Fn(f64) -> bool) -> Result<(), String> {
        match elements.iter().find(|&&value| value.is_finite() && is_infinite(value)) {
            Some(value) => Err(format!("{value} does not fit into {}", self.name())),
            None => Ok(()),
        }
    }
}

fn write<const N: usize>(row: &mut [u8], elements: &[f64], encode: impl Fn(f64) -> [u8; N]) {
    let (places, _) = row.as_chunks_mut::<N>();
    places.iter_mut().zip(elements).for_each(|(place, &element)| *place = encode(element));
}

/// Computed in float32: `offset` is the least value, `scale` the range over 255, and a lane's code the nearest whole
/// number to `(value - offset) / scale`, ties to even, at most 255; 0 where the scale is 0.
fn encode_int8(elements: &[f64], row: &mut [u8]) -> Result<(), String> {
    let values = || elements.iter().map(|&value| value as f32);
    if let Some(value) = values().find(|value| !value.is_finite()) {
        return Err(format!("holds {value}, int8 keeps finite values only"));
    }
    let least = values().fold(f32::INFINITY, f32::min);
    let scale = (values().fold(f32::NEG_INFINITY, f32::max) - least) / LAST_CODE;
    if !scale.is_finite() {
        return Err("reaches over more than float32 holds, so that int8 can't keep it".to_owned());
    }
    let (head, codes) = row.split_at_mut(CODES_FROM);
    head[..4].copy_from_slice(&scale.to_le_bytes());
    head[4..].copy_from_slice(&least.to_le_bytes());
    if scale > 0.0 {
        for (code, value) in codes.iter_mut().zip(values()) {
            *code = (((value - least) / scale).min(LAST_CODE) + WHOLE).to_bits() as u8;
        }
    }
    Ok(())
}

/// The first lane is the highest bit of the first byte, as numpy.packbits has it; bits beyond the last lane are 0.
fn encode_binary(elements: &[f64], row: &mut [u8]) -> Result<(), String> {
    if elements.iter().any(|value| value.is_nan()) {
        return Err("holds NaN, which binary can't keep".to_owned());
    }
    for (byte, lanes) in row.iter_mut().zip(elements.chunks(8)) {
        *byte = lanes.iter().enumerate().map(|(lane, &value)| u8::from(value > 0.0) << (7 - lane)).sum();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(form: Form, elements: &[f64]) -> Result<Vec<u8>, String> {
        let mut row = vec![0; form.row_bytes(elements.len())];
        form.encode(elements, &mut row).map(|()| row)
    }

    #[test]
    fn halves_are_rounded_to_nearest_ties_to_even() {
        let halves = |form, value: f64| encoded(form, &[value]).expect("fits").try_into().expect("two bytes");
        let float16 = |value| f16::from_le_bytes(halves(Form::Float16, value)).to_f64();
        let bfloat16 = |value| bf16::from_le_bytes(halves(Form::Bfloat16, value)).to_f64();
        for (units, expect) in [(0.49, 0.0), (0.5, 0.0), (0.51, 1.0), (1.49, 1.0), (1.5, 2.0)] {
            assert_eq!(float16(1.0 + units * 2f64.powi(-10)), 1.0 + expect * 2f64.powi(-10));
            assert_eq!(bfloat16(1.0 + units * 2f64.powi(-7)), 1.0 + expect * 2f64.powi(-7));
        }
        assert_eq!(float16(f64::INFINITY), f64::INFINITY);
        assert!(bfloat16(f64::NAN).is_nan());
    }

    #[test]
    fn int8_keeps_scale_offset_and_codes() {
        let row = encoded(Form::Int8, &[-1.0, 254.0, 0.5, 1.5, 99.4, -1.0]).expect("fits");
        assert_eq!(row[..4], 1.0_f32.to_le_bytes());
        assert_eq!(row[4..8], (-1.0_f32).to_le_bytes());
        // 1.5 and 2.5 are in the middle.
        assert_eq!(row[8..], [0, 255, 2, 2, 100, 0]);
        let constant = encoded(Form::Int8, &[0.3, 0.3]).expect("fits");
        assert_eq!(constant, [&[0; 4][..], &0.3_f32.to_le_bytes(), &[0, 0]].concat());
        // The range over 255 is rounded down: the greatest value would have the code 256.
        let tiny = f64::from(f32::from_bits(255 + 100));
        assert_eq!(encoded(Form::Int8, &[0.0, tiny]).expect("fits")[8..], [0, 255]);
    }

    #[test]
    fn binary_packs_signs_from_the_highest_bit_on() {
        let row = encoded(Form::Binary, &[1.0, -1.0, 0.0, -0.0, 1e-300, f64::INFINITY, -2.0, 3.0, 5.0]);
        assert_eq!(row.expect("fits"), [0b1000_1101, 0b1000_0000]);
    }

    #[test]
    fn what_a_form_cannot_keep_is_named() {
        let checks = [
            (Form::Float16, 65_520.0, "65520 does not fit into float16"),
            (Form::Bfloat16, f64::from(f32::MAX), "does not fit into bfloat16"),
            (Form::Int8, f64::NAN, "holds NaN, int8 keeps finite values only"),
            (Form::Int8, f64::INFINITY, "holds inf"),
            (Form::Int8, f64::from(f32::MAX), "reaches over more than float32 holds"),
            (Form::Binary, f64::NAN, "holds NaN, which binary"),
        ];
        for (form, value, expect) in checks {
            let found = encoded(form, &[value, f64::from(f32::MIN)]).expect_err(expect);
            assert!(found.contains(expect), "{found}");
        }
    }
}
