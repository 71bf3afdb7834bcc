//! Plain computations for golden rows: written for the eye, apart from the transforms that they are compared with.

use super::impression::Impression;

/// Computes a feature's lanes for one impression.
pub type Lanes = Box<dyn Fn(&Impression<'_>) -> Vec<f64>>;

/// The lanes as float64.
pub fn wide(vector: &[f32]) -> Vec<f64> {
    vector.iter().map(|&lane| f64::from(lane)).collect()
}

/// A 1 among zeros; only zeros where the position is missing or beyond the width.
pub fn hot(width: usize, position: Option<usize>) -> Vec<f64> {
    (0..width).map(|lane| f64::from(u8::from(Some(lane) == position))).collect()
}

/// The sum of products.
pub fn dot(one: &[f32], other: &[f32]) -> f64 {
    one.iter().zip(other).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// The cosine of the angle between two vectors; 0 where one has no length.
pub fn cosine(one: &[f32], other: &[f32]) -> f64 {
    let lengths = dot(one, one).sqrt() * dot(other, other).sqrt();
    if lengths == 0.0 { 0.0 } else { dot(one, other) / lengths }
}

/// The vector at length 1; a zero vector stays what it is.
pub fn unit(vector: Vec<f64>) -> Vec<f64> {
    let length = vector.iter().map(|lane| lane * lane).sum::<f64>().sqrt();
    if length == 0.0 { vector } else { vector.into_iter().map(|lane| lane / length).collect() }
}

/// The mean of at least one vector, lane by lane.
pub fn mean_of(vectors: &[Vec<f64>]) -> Vec<f64> {
    let lanes = 0..vectors[0].len();
    lanes.map(|lane| vectors.iter().map(|vector| vector[lane]).sum::<f64>() / vectors.len() as f64).collect()
}

/// The greatest of at least one vector, lane by lane.
pub fn max_of(vectors: &[Vec<f64>]) -> Vec<f64> {
    let lanes = 0..vectors[0].len();
    lanes.map(|lane| vectors.iter().map(|vector| vector[lane]).fold(f64::NEG_INFINITY, f64::max)).collect()
}

/// scikit-learn's `FeatureHasher`: each word adds 1 or -1 to the column that its hash names.
pub fn hashed(words: &[String], prefix: &str, width: usize) -> Vec<f64> {
    let mut lanes = vec![0.0; width];
    for word in words {
        let hash = murmur3(format!("{prefix}{word}").as_bytes(), 0);
        lanes[hash.unsigned_abs() as usize % width] += if hash >= 0 { 1.0 } else { -1.0 };
    }
    lanes
}

/// MurmurHash3 x86_32 as a signed number.
pub fn murmur3(bytes: &[u8], seed: u32) -> i32 {
    let mix = |word: u32| word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let mut hash = seed;
    for chunk in bytes.chunks(4) {
        let mut padded = [0; 4];
        padded[..chunk.len()].copy_from_slice(chunk);
        hash ^= mix(u32::from_le_bytes(padded));
        if chunk.len() == 4 {
            hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
        }
    }
    hash ^= bytes.len() as u32;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    (hash ^ (hash >> 16)) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_published() {
        assert_eq!(murmur3(b"abc", 0), -1_277_324_294);
        assert_eq!(murmur3("é".as_bytes(), 0), 269_551_495);
        assert_eq!(murmur3(b"abc", 42), 1_313_807_976);
    }

    #[test]
    fn vectors() {
        assert_eq!(unit(vec![3.0, 4.0]), [0.6, 0.8]);
        assert_eq!(cosine(&[1.0, 0.0], &[0.0, 2.0]), 0.0);
        assert_eq!(mean_of(&[vec![1.0, 2.0], vec![3.0, 2.0]]), [2.0, 2.0]);
        assert_eq!(max_of(&[vec![1.0, 5.0], vec![3.0, 2.0]]), [3.0, 5.0]);
        assert_eq!(hot(3, Some(1)), [0.0, 1.0, 0.0]);
    }
}
