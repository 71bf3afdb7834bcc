//! Reads kept vectors out as float32, by the processor's vector instructions where it has them.
//!
//! The safe loops are the definition. With AVX2 the compiler widens more lanes of them at a time; float16 has
//! instructions of its own, which no loop is compiled to. Measured, ns for a vector of 64 lanes in the first cache, with
//! AVX2 and F16C and without: float16 6 and 90, bfloat16 7 and 13, int8 6 and 10, binary 11 and 17; copying float32 takes 5.

use half::{bf16, f16};

use super::form::{CODES_FROM, Form};

/// Reads one vector: from its bytes, of which there are the form's, into four little-endian bytes for each lane.
#[derive(Debug, Clone, Copy)]
pub struct Widener(Way);

/// What a widener calls; those that need certain instructions are chosen only where the processor has them.
type Way = unsafe fn(&[u8], &mut [u8]);

impl Widener {
    /// The fastest way for a form; of a float64 vector there is none.
    pub fn of(form: Form) -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("f16c") {
            return Self(x86::way(form));
        }
        Self(portable_way(form))
    }

    /// Reads `row` into `to`.
    #[inline]
    pub fn widen(self, row: &[u8], to: &mut [u8]) {
        // SAFETY: `of` chose a function whose instructions this processor has; none asks for more of its slices.
        unsafe { (self.0)(row, to) }
    }
}

fn portable_way(form: Form) -> Way {
    match form {
        Form::Float32 => float32,
        Form::Float16 => float16,
        Form::Bfloat16 => bfloat16,
        Form::Int8 => int8,
        Form::Binary => binary,
        Form::Float64 => nothing,
    }
}

fn nothing(_: &[u8], _: &mut [u8]) {}

fn float32(row: &[u8], to: &mut [u8]) {
    to.copy_from_slice(row);
}

#[inline(always)]
fn float16(row: &[u8], to: &mut [u8]) {
    let (halves, (places, _)) = (row.as_chunks().0, to.as_chunks_mut());
    for (place, &half) in places.iter_mut().zip(halves) {
        *place = f16::from_le_bytes(half).to_f32().to_le_bytes();
    }
}

#[inline(always)]
fn bfloat16(row: &[u8], to: &mut [u8]) {
    let (halves, (places, _)) = (row.as_chunks().0, to.as_chunks_mut());
    for (place, &half) in places.iter_mut().zip(halves) {
        *place = bf16::from_le_bytes(half).to_f32().to_le_bytes();
    }
}

/// `offset + scale * code`, product and sum rounded to float32 each.
#[inline(always)]
fn int8(row: &[u8], to: &mut [u8]) {
    let (head, codes) = row.split_at(CODES_FROM);
    let number = |at: usize| f32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let (scale, offset) = (number(0), number(4));
    for (place, &code) in to.as_chunks_mut().0.iter_mut().zip(codes) {
        *place = (offset + scale * f32::from(code)).to_le_bytes();
    }
}

/// 1 for a bit that is set, else -1: its sign bit is the lane's bit turned around.
#[inline(always)]
fn binary(row: &[u8], to: &mut [u8]) {
    const MINUS_ONE: u32 = 0xbf80_0000;
    const SIGN: u32 = 0x8000_0000;
    let lane = |byte: u8, lane: usize| (MINUS_ONE ^ ((u32::from(byte) << (24 + lane)) & SIGN)).to_le_bytes();
    let (whole, rest) = to.as_chunks_mut::<32>();
    for (places, &byte) in whole.iter_mut().zip(row) {
        for (at, place) in places.as_chunks_mut().0.iter_mut().enumerate() {
            *place = lane(byte, at);
        }
    }
    for (at, place) in rest.as_chunks_mut().0.iter_mut().enumerate() {
        *place = lane(row[whole.len()], at);
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{_mm_loadu_si128, _mm256_cvtph_ps, _mm256_storeu_ps};

    use super::{Form, Way};

    /// The ways that need AVX2 and F16C.
    pub fn way(form: Form) -> Way {
        match form {
            Form::Float16 => float16,
            Form::Bfloat16 => bfloat16,
            Form::Int8 => int8,
            Form::Binary => binary,
            Form::Float32 | Form::Float64 => super::portable_way(form),
        }
    }

    #[target_feature(enable = "avx2,f16c")]
    fn float16(row: &[u8], to: &mut [u8]) {
        let ((halves, few), (places, rest)) = (row.as_chunks::<16>(), to.as_chunks_mut::<32>());
        for (place, half) in places.iter_mut().zip(halves) {
            // SAFETY: 16 bytes are read and 32 written, each an array of that length; neither needs an alignment.
            unsafe {
                let half = _mm_loadu_si128(half.as_ptr().cast());
                _mm256_storeu_ps(place.as_mut_ptr().cast(), _mm256_cvtph_ps(half));
            }
        }
        super::float16(few, rest);
    }

    #[target_feature(enable = "avx2")]
    fn bfloat16(row: &[u8], to: &mut [u8]) {
        super::bfloat16(row, to);
    }

    #[target_feature(enable = "avx2")]
    fn int8(row: &[u8], to: &mut [u8]) {
        super::int8(row, to);
    }

    #[target_feature(enable = "avx2")]
    fn binary(row: &[u8], to: &mut [u8]) {
        super::binary(row, to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMS: [Form; 5] = [Form::Float32, Form::Float16, Form::Bfloat16, Form::Int8, Form::Binary];

    fn widened(widener: Widener, row: &[u8], width: usize) -> Vec<f32> {
        let mut to = vec![0xee; width * 4];
        widener.widen(row, &mut to);
        to.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
    }

    #[test]
    fn the_fast_way_and_the_loops_give_the_same_bits_at_every_width() {
        for form in FORMS {
            for width in (1..=67).chain([1024, 1031]) {
                let bytes = form.row_bytes(width);
                // All bytes come, and so do NaN, infinities and subnormal numbers.
                let row: Vec<u8> = (0..bytes).map(|at| (at * 37 + width * 101 + at / 7) as u8).collect();
                let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
                let fast = bits(widened(Widener::of(form), &row, width));
                let loops = bits(widened(Widener(portable_way(form)), &row, width));
                assert_eq!(fast, loops, "{form:?} of {width}");
            }
        }
    }

    #[test]
    fn every_float16_is_read_exactly() {
        let all: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
        let values = widened(Widener::of(Form::Float16), &all, 1 << 16);
        for (bits, value) in (0..=u16::MAX).zip(values) {
            let expect = f16::from_bits(bits).to_f32();
            assert!(value == expect || (value.is_nan() && expect.is_nan()), "{bits:#x}");
        }
    }

    #[test]
    fn values_come_back_within_the_rounding() {
        let elements: Vec<f64> = (0..77).map(|lane| f64::from(lane * lane % 31) * 0.25 - 3.0).collect();
        for form in FORMS {
            let mut row = vec![0; form.row_bytes(elements.len())];
            form.encode(&elements, &mut row).expect("fits");
            for (&value, read) in elements.iter().zip(widened(Widener::of(form), &row, elements.len())) {
                let expect = if value > 0.0 { 1.0 } else { -1.0 };
                match form {
                    Form::Binary => assert_eq!(read, expect, "{value}"),
                    Form::Int8 => {
                        assert!((f64::from(read) - value).abs() <= 7.5 / 255.0 / 1.99, "{value} {read}")
                    }
                    _ => assert_eq!(f64::from(read), value, "{form:?}"),
                }
            }
        }
    }
}
