//! The hash functions, written out byte by byte.

/// MurmurHash3 x86_32 over a padded copy of the bytes.
pub fn murmur3(bytes: &[u8], seed: u32) -> i32 {
    let scramble = |k: u32| {
        let k = (u64::from(k) * 0xcc9e_2d51) & 0xffff_ffff;
        let k = ((k << 15) | (k >> 17)) & 0xffff_ffff;
        ((k * 0x1b87_3593) & 0xffff_ffff) as u32
    };
    let mut hash = seed;
    let whole = bytes.len() / 4;
    for word in 0..whole {
        let k = (0..4).fold(0_u32, |k, byte| k | u32::from(bytes[word * 4 + byte]) << (8 * byte));
        hash ^= scramble(k);
        hash = hash.rotate_left(13);
        hash = ((u64::from(hash) * 5 + 0xe654_6b64) & 0xffff_ffff) as u32;
    }
    let tail = &bytes[whole * 4..];
    let k = tail.iter().enumerate().fold(0_u32, |k, (byte, &value)| k | u32::from(value) << (8 * byte));
    hash ^= scramble(k);
    hash ^= bytes.len() as u32;
    for (shift, factor) in [(16, 0x85eb_ca6b_u64), (13, 0xc2b2_ae35)] {
        hash ^= hash >> shift;
        hash = ((u64::from(hash) * factor) & 0xffff_ffff) as u32;
    }
    (hash ^ (hash >> 16)) as i32
}

/// Spark's `hash()` of bytes: every byte beyond the whole words is, with its sign, a word.
pub fn spark_murmur3(bytes: &[u8], seed: u32) -> i32 {
    let scramble = |k: u32| k.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let mut hash = seed;
    let mut take = |word: i32| {
        hash = (hash ^ scramble(word as u32)).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    };
    let whole = bytes.len() / 4 * 4;
    for at in (0..whole).step_by(4) {
        take(i32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]));
    }
    for &byte in &bytes[whole..] {
        take(i32::from(byte as i8));
    }
    hash ^= bytes.len() as u32;
    for (shift, factor) in [(16, 0x85eb_ca6b), (13, 0xc2b2_ae35)] {
        hash = (hash ^ (hash >> shift)).wrapping_mul(factor);
    }
    (hash ^ (hash >> 16)) as i32
}

/// MurmurHash64A, the last bytes one by one.
pub fn murmur64a(bytes: &[u8], seed: u64) -> u64 {
    const M: u64 = 0xc6a4_a793_5bd1_e995;
    let mut hash = seed ^ (bytes.len() as u64).wrapping_mul(M);
    let whole = bytes.len() / 8 * 8;
    for at in (0..whole).step_by(8) {
        let mut k = (0..8).fold(0_u64, |k, byte| k | u64::from(bytes[at + byte]) << (8 * byte));
        k = k.wrapping_mul(M);
        k ^= k >> 47;
        k = k.wrapping_mul(M);
        hash = (hash ^ k).wrapping_mul(M);
    }
    for (place, &byte) in bytes[whole..].iter().enumerate() {
        hash ^= u64::from(byte) << (8 * place);
    }
    if bytes.len() > whole {
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 47;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 47)
}

/// XXH64 by its definition.
pub fn xxh64(bytes: &[u8], seed: u64) -> u64 {
    const P: [u64; 5] = [
        0x9e37_79b1_85eb_ca87,
        0xc2b2_ae3d_27d4_eb4f,
        0x1656_67b1_9e37_79f9,
        0x85eb_ca77_c2b2_ae63,
        0x27d4_eb2f_1656_67c5,
    ];
    let round = |lane: u64, word: &[u8; 8]| {
        let lane = lane.wrapping_add(u64::from_le_bytes(*word).wrapping_mul(P[1]));
        lane.rotate_left(31).wrapping_mul(P[0])
    };
    let mut rest = bytes;
    let mut hash = seed.wrapping_add(P[4]);
    if bytes.len() >= 32 {
        let first = seed.wrapping_add(P[0]);
        let mut lanes = [first.wrapping_add(P[1]), seed.wrapping_add(P[1]), seed, seed.wrapping_sub(P[0])];
        while rest.len() >= 32 {
            for lane in &mut lanes {
                let (word, after) = rest.split_first_chunk().expect("a word");
                *lane = round(*lane, word);
                rest = after;
            }
        }
        let rotated = lanes.iter().zip([1, 7, 12, 18]).map(|(lane, by)| lane.rotate_left(by));
        hash = rotated.fold(0, u64::wrapping_add);
        for lane in lanes {
            let k = lane.wrapping_mul(P[1]).rotate_left(31).wrapping_mul(P[0]);
            hash = (hash ^ k).wrapping_mul(P[0]).wrapping_add(P[3]);
        }
    }
    hash = hash.wrapping_add(bytes.len() as u64);
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let k = round(0, word);
        hash = (hash ^ k).rotate_left(27).wrapping_mul(P[0]).wrapping_add(P[3]);
        rest = after;
    }
    if let Some((half, after)) = rest.split_first_chunk::<4>() {
        let k = u64::from(u32::from_le_bytes(*half)).wrapping_mul(P[0]);
        hash = (hash ^ k).rotate_left(23).wrapping_mul(P[1]).wrapping_add(P[2]);
        rest = after;
    }
    for &byte in rest {
        hash = (hash ^ u64::from(byte).wrapping_mul(P[4])).rotate_left(11).wrapping_mul(P[0]);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(P[1]);
    hash = (hash ^ (hash >> 29)).wrapping_mul(P[2]);
    hash ^ (hash >> 32)
}

/// SipHash-2-4 by the standard library.
#[expect(deprecated, reason = "there is no other way to its keys")]
pub fn siphash24(bytes: &[u8], k0: u64, k1: u64) -> u64 {
    use std::hash::{Hasher as _, SipHasher};
    let mut hasher = SipHasher::new_with_keys(k0, k1);
    hasher.write(bytes);
    hasher.finish()
}

/// FarmHash's Fingerprint64, of a crate that the server does not use.
pub fn farm64(bytes: &[u8]) -> u64 {
    farmhash::fingerprint64(bytes)
}

/// TensorFlow's joining of two fingerprints.
pub fn fingerprint_cat64(one: u64, other: u64) -> u64 {
    const M: u64 = 0xc6a4_a793_5bd1_e995;
    let shift_mix = |value: u64| value ^ (value >> 47);
    let mut result = one ^ M;
    result ^= shift_mix(other.wrapping_mul(M)).wrapping_mul(M);
    result = result.wrapping_mul(M);
    result = shift_mix(result).wrapping_mul(M);
    shift_mix(result)
}
