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
