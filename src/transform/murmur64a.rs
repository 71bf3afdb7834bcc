//! MurmurHash64A, by Austin Appleby's public definition; feature generators and libstdc++'s `std::hash` of strings use it.

const FACTOR: u64 = 0xc6a4_a793_5bd1_e995;

/// Hashes bytes.
pub fn murmur_hash_64a(bytes: &[u8], seed: u64) -> u64 {
    let words = bytes.chunks_exact(8);
    let rest = words.remainder();
    let mut hash = seed ^ (bytes.len() as u64).wrapping_mul(FACTOR);
    for word in words {
        let word = word.try_into().map_or(0, u64::from_le_bytes);
        hash = (hash ^ mixed(word)).wrapping_mul(FACTOR);
    }
    if !rest.is_empty() {
        let tail = rest.iter().rev().fold(0, |tail, &byte| (tail << 8) | u64::from(byte));
        hash = (hash ^ tail).wrapping_mul(FACTOR);
    }
    hash = (hash ^ (hash >> 47)).wrapping_mul(FACTOR);
    hash ^ (hash >> 47)
}

fn mixed(word: u64) -> u64 {
    let word = word.wrapping_mul(FACTOR);
    (word ^ (word >> 47)).wrapping_mul(FACTOR)
}
