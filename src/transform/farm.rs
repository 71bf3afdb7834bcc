//! FarmHash's Fingerprint64 by Google's public definition, and TensorFlow's joining of two such fingerprints.

const K0: u64 = 0xc3a5_c85c_97cb_3127;
const K1: u64 = 0xb492_b66f_be98_f273;
const K2: u64 = 0x9ae1_6a3b_2f90_404f;

/// Hashes bytes; the result is the same on every machine and for all time.
pub fn fingerprint64(bytes: &[u8]) -> u64 {
    match bytes.len() {
        0..=16 => up_to_16(bytes),
        17..=32 => up_to_32(bytes),
        33..=64 => up_to_64(bytes),
        _ => longer(bytes),
    }
}

/// The fingerprint of a sequence of fingerprints, one after the other: TensorFlow's `FingerprintCat64`.
pub fn joined(one: u64, other: u64) -> u64 {
    const FACTOR: u64 = 0xc6a4_a793_5bd1_e995;
    let other = folded(other.wrapping_mul(FACTOR)).wrapping_mul(FACTOR);
    let both = (one ^ FACTOR ^ other).wrapping_mul(FACTOR);
    folded(folded(both).wrapping_mul(FACTOR))
}

fn word(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + 8].try_into().map_or(0, u64::from_le_bytes)
}

fn half_word(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + 4].try_into().map_or(0, u32::from_le_bytes).into()
}

fn folded(value: u64) -> u64 {
    value ^ (value >> 47)
}

fn mixed(one: u64, other: u64, factor: u64) -> u64 {
    let a = folded((one ^ other).wrapping_mul(factor));
    folded((other ^ a).wrapping_mul(factor)).wrapping_mul(factor)
}

fn factor_of(bytes: &[u8]) -> u64 {
    K2.wrapping_add(bytes.len() as u64 * 2)
}

fn up_to_16(bytes: &[u8]) -> u64 {
    let (length, factor) = (bytes.len(), factor_of(bytes));
    match length {
        0 => K2,
        1..=3 => {
            let byte = |at: usize| u64::from(bytes[at]);
            let y = byte(0) + (byte(length / 2) << 8);
            let z = length as u64 + (byte(length - 1) << 2);
            folded(y.wrapping_mul(K2) ^ z.wrapping_mul(K0)).wrapping_mul(K2)
        }
        4..=7 => mixed(length as u64 + (half_word(bytes, 0) << 3), half_word(bytes, length - 4), factor),
        _ => {
            let a = word(bytes, 0).wrapping_add(K2);
            let b = word(bytes, length - 8);
            let c = b.rotate_right(37).wrapping_mul(factor).wrapping_add(a);
            let d = a.rotate_right(25).wrapping_add(b).wrapping_mul(factor);
            mixed(c, d, factor)
        }
    }
}

/// Two words of four: what the two middle lengths begin with.
fn blended(a: u64, b: u64, c: u64, d: u64) -> (u64, u64) {
    let one = a.wrapping_add(b).rotate_right(43).wrapping_add(c.rotate_right(30)).wrapping_add(d);
    let other = a.wrapping_add(b.wrapping_add(K2).rotate_right(18)).wrapping_add(c);
    (one, other)
}

fn up_to_32(bytes: &[u8]) -> u64 {
    let (length, factor) = (bytes.len(), factor_of(bytes));
    let a = word(bytes, 0).wrapping_mul(K1);
    let b = word(bytes, 8);
    let c = word(bytes, length - 8).wrapping_mul(factor);
    let d = word(bytes, length - 16).wrapping_mul(K2);
    let (one, other) = blended(a, b, c, d);
    mixed(one, other, factor)
}

fn up_to_64(bytes: &[u8]) -> u64 {
    let (length, factor) = (bytes.len(), factor_of(bytes));
    let a = word(bytes, 0).wrapping_mul(K2);
    let b = word(bytes, 8);
    let c = word(bytes, length - 8).wrapping_mul(factor);
    let d = word(bytes, length - 16).wrapping_mul(K2);
    let (y, other) = blended(a, b, c, d);
    let z = mixed(y, other, factor);
    let e = word(bytes, 16).wrapping_mul(factor);
    let f = word(bytes, 24);
    let g = y.wrapping_add(word(bytes, length - 32)).wrapping_mul(factor);
    let h = z.wrapping_add(word(bytes, length - 24)).wrapping_mul(factor);
    let one = e.wrapping_add(f).rotate_right(43).wrapping_add(g.rotate_right(30)).wrapping_add(h);
    mixed(one, e.wrapping_add(f.wrapping_add(a).rotate_right(18)).wrapping_add(g), factor)
}

/// What goes from one block of 64 bytes to the next.
struct State {
    x: u64,
    y: u64,
    z: u64,
    v: (u64, u64),
    w: (u64, u64),
}

impl State {
    fn take(&mut self, block: &[u8], factor: u64, weight: u64) {
        let Self { mut x, mut y, mut z, v, w } = *self;
        let plus = |a: u64, b: u64| a.wrapping_add(b);
        x = plus(plus(x, y), plus(v.0, word(block, 8))).rotate_right(37).wrapping_mul(factor);
        y = plus(plus(y, v.1), word(block, 48)).rotate_right(42).wrapping_mul(factor);
        x ^= w.1.wrapping_mul(weight);
        y = plus(y, plus(v.0.wrapping_mul(weight), word(block, 40)));
        z = plus(z, w.0).rotate_right(33).wrapping_mul(factor);
        let v = weakly(&block[..32], v.1.wrapping_mul(factor), plus(x, w.0));
        let w = weakly(&block[32..], plus(z, w.1), plus(y, word(block, 16)));
        *self = Self { x: z, y, z: x, v, w };
    }
}

fn weakly(half: &[u8], a: u64, b: u64) -> (u64, u64) {
    let a = a.wrapping_add(word(half, 0));
    let b = b.wrapping_add(a).wrapping_add(word(half, 24)).rotate_right(21);
    let sum = a.wrapping_add(word(half, 8)).wrapping_add(word(half, 16));
    (sum.wrapping_add(word(half, 24)), b.wrapping_add(sum.rotate_right(44)).wrapping_add(a))
}

fn longer(bytes: &[u8]) -> u64 {
    const SEED: u64 = 81;
    let y = SEED.wrapping_mul(K1).wrapping_add(113);
    let z = folded(y.wrapping_mul(K2).wrapping_add(113)).wrapping_mul(K2);
    let x = SEED.wrapping_mul(K2).wrapping_add(word(bytes, 0));
    let mut state = State { x, y, z, v: (0, 0), w: (0, 0) };
    // The last block is taken apart from the others, whole, and overlaps the one before it.
    let last = bytes.len() - 1;
    for block in bytes[..last / 64 * 64].chunks_exact(64) {
        state.take(block, K1, 1);
    }
    let factor = K1.wrapping_add((state.z & 0xff) << 1);
    state.w.0 = state.w.0.wrapping_add(last as u64 & 63);
    state.v.0 = state.v.0.wrapping_add(state.w.0);
    state.w.0 = state.w.0.wrapping_add(state.v.0);
    state.take(&bytes[bytes.len() - 64..], factor, 9);
    let State { x, y, z, v, w } = state;
    let one = mixed(v.0, w.0, factor).wrapping_add(folded(y).wrapping_mul(K0)).wrapping_add(z);
    mixed(one, mixed(v.1, w.1, factor).wrapping_add(x), factor)
}
