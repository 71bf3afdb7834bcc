//! Rounding to the outputs' types: the nearest value, ties to even, found by looking at the neighbours.

/// The little-endian bytes of a value in an output's type.
pub fn rounded(value: f64, dtype: &str) -> Vec<u8> {
    match dtype {
        "float64" => value.to_le_bytes().to_vec(),
        "float32" => (value as f32).to_le_bytes().to_vec(),
        "float16" => narrow(value, 10, 15).to_le_bytes().to_vec(),
        "bfloat16" => narrow(value, 7, 127).to_le_bytes().to_vec(),
        other => panic!("no float type {other}"),
    }
}

/// The value that the bytes of a 16-bit type stand for.
pub fn value_of(bytes: &[u8], dtype: &str) -> f64 {
    let (bits, bias) = if dtype == "float16" { (10, 15) } else { (7, 127) };
    let number = u16::from_le_bytes([bytes[0], bytes[1]]);
    let (sign, magnitude, infinity) =
        (number & 0x8000, number & 0x7fff, ((1_u16 << (15 - bits)) - 1) << bits);
    let value = match magnitude {
        _ if magnitude > infinity => f64::NAN,
        _ if magnitude == infinity => f64::INFINITY,
        _ => decode(magnitude, bits, bias),
    };
    if sign == 0 { value } else { -value }
}

/// Rounds to a 16-bit format of so many bits after the point and such an exponent bias.
fn narrow(value: f64, bits: i32, bias: i32) -> u16 {
    let exponent_mask = ((1_u16 << (15 - bits)) - 1) << bits;
    let sign = if value.is_sign_negative() { 0x8000 } else { 0 };
    if value.is_nan() {
        return exponent_mask | 1;
    }
    let magnitude = value.abs();
    // Of all magnitudes in order the last that is not above the value, by bisection.
    let (mut below, mut above) = (0_u16, exponent_mask);
    while above - below > 1 {
        let middle = below + (above - below) / 2;
        if decode(middle, bits, bias) <= magnitude { below = middle } else { above = middle }
    }
    if magnitude >= decode(exponent_mask, bits, bias) {
        return sign | exponent_mask;
    }
    let (low, high) = (magnitude - decode(below, bits, bias), decode(above, bits, bias) - magnitude);
    let up = high < low || (high == low && below & 1 == 1);
    sign | if up { above } else { below }
}

/// The value of a magnitude's bits; infinity's bits are the next power of two, which rounding to it is measured by.
fn decode(magnitude: u16, bits: i32, bias: i32) -> f64 {
    let (exponent, fraction) = (i32::from(magnitude >> bits), f64::from(magnitude & ((1 << bits) - 1)));
    match exponent {
        0 => fraction * 2_f64.powi(1 - bias - bits),
        _ => (2_f64.powi(bits) + fraction) * 2_f64.powi(exponent - bias - bits),
    }
}
