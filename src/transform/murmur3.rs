//! MurmurHash3 x86_32, by Austin Appleby's public definition; scikit-learn and Spark use it with seeds of their own.

/// Hashes bytes; the result is signed as scikit-learn and Spark read it.
pub fn murmur3_x86_32(bytes: &[u8], seed: u32) -> i32 {
    let words = bytes.chunks_exact(4);
    let rest = words.remainder();
    let words = words.map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    let tail = rest.iter().rev().fold(0, |tail, &byte| (tail << 8) | u32::from(byte));
    finished(words.fold(seed, with_word) ^ mixed(tail), bytes.len())
}

/// The hash after one more word.
pub fn with_word(hash: u32, word: u32) -> u32 {
    (hash ^ mixed(word)).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
}

/// The hash after all of so many bytes.
pub fn finished(hash: u32, bytes: usize) -> i32 {
    let hash = hash ^ bytes as u32;
    let hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    let hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    (hash ^ (hash >> 16)) as i32
}

fn mixed(word: u32) -> u32 {
    word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_the_libraries_do() {
        assert_eq!(murmur3_x86_32(b"abc", 0), -1_277_324_294);
        assert_eq!(murmur3_x86_32("é".as_bytes(), 0), 269_551_495);
        assert_eq!(murmur3_x86_32(b"abc", 42), 1_313_807_976);
        assert_eq!(murmur3_x86_32(b"", 0), 0);
    }
}
