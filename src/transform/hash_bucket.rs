//! Hash buckets: a category to a number below a limit, by its hash.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh64::xxh64;

use super::{Compiled, Kernel, Operation, murmur3::murmur3_x86_32, single};
use crate::{
    batch::{Column, Element, Type, Values},
    problem::Problems,
};

/// The bucket of a scalar string or integer, as int64. Null stays null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HashBucket {
    pub family: Family,
    /// 32 bits for MurmurHash3, 64 for xxHash.
    pub seed: u64,
    /// The bytes that are hashed of an integer; strings are hashed as UTF-8.
    pub key: KeyBytes,
    /// The number of buckets.
    pub buckets: u32,
    /// From the hash to a bucket.
    pub map: BucketMap,
}

/// Hash functions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// A signed 32-bit hash: scikit-learn (seed 0), Spark's HashingTF (seed 42).
    #[serde(rename = "murmur3_x86_32")]
    Murmur3X8632,
    /// A signed 64-bit hash: Spark SQL's xxhash64 (seed 42).
    #[serde(rename = "xxhash64")]
    XxHash64,
}

/// An integer's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyBytes {
    /// Its decimal digits.
    Decimal,
    /// Its 8 bytes, little-endian.
    LittleEndian,
}

/// From a hash to a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BucketMap {
    /// The magnitude of the signed hash, modulo: scikit-learn.
    AbsModulo,
    /// The signed hash modulo, never below 0: Spark.
    FloorModulo,
    /// The hash without a sign, modulo: TensorFlow.
    UnsignedModulo,
}

impl Operation for HashBucket {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        let mut problems = Problems::none();
        if !(input.element == Element::String || input.element.is_integer()) || input.width.is_some() {
            problems.add("", format!("takes a string or an integer, its input is {input}"));
        }
        if self.buckets == 0 {
            problems.add("buckets", "must be at least 1");
        }
        if self.family == Family::Murmur3X8632 && u32::try_from(self.seed).is_err() {
            problems.add("seed", format!("is {}, MurmurHash3 takes 32 bits", self.seed));
        }
        problems.or(())?;
        Ok(Compiled::new(Type { element: Element::Int64, ..input }, HashBucketKernel { of: self.clone() }))
    }
}

#[derive(Debug)]
struct HashBucketKernel {
    of: HashBucket,
}

impl Kernel for HashBucketKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let input = inputs[0];
        let (buckets, marks) = out.int64_mut();
        marks.extend_from_slice(&input.marks);
        match &input.values {
            Values::Int64(values) => {
                let mut digits = Digits::default();
                buckets.extend(
                    values.iter().map(|&value| self.of_integer(value.into(), value as u64, &mut digits)),
                );
            }
            Values::Uint64(values) => {
                let mut digits = Digits::default();
                buckets.extend(values.iter().map(|&value| self.of_integer(value.into(), value, &mut digits)));
            }
            _ => {
                let strings = input.strings();
                buckets.extend((0..strings.len()).map(|index| self.bucket(strings.get_bytes(index))));
            }
        }
    }
}

impl HashBucketKernel {
    fn of_integer(&self, value: i128, word: u64, digits: &mut Digits) -> i64 {
        match self.of.key {
            KeyBytes::Decimal => self.bucket(digits.of(value)),
            KeyBytes::LittleEndian => self.bucket(&word.to_le_bytes()),
        }
    }

    fn bucket(&self, bytes: &[u8]) -> i64 {
        let (signed, unsigned) = match self.of.family {
            Family::Murmur3X8632 => {
                let hash = murmur3_x86_32(bytes, self.of.seed as u32);
                (i64::from(hash), u64::from(hash as u32))
            }
            Family::XxHash64 => {
                let hash = xxh64(bytes, self.of.seed);
                (hash as i64, hash)
            }
        };
        let buckets = u64::from(self.of.buckets);
        match self.of.map {
            BucketMap::AbsModulo => (signed.unsigned_abs() % buckets) as i64,
            BucketMap::FloorModulo => signed.rem_euclid(buckets as i64),
            BucketMap::UnsignedModulo => (unsigned % buckets) as i64,
        }
    }
}

/// An integer's decimal digits in a reused buffer.
#[derive(Debug, Default)]
struct Digits(Vec<u8>);

impl Digits {
    fn of(&mut self, value: i128) -> &[u8] {
        use std::io::Write as _;
        self.0.clear();
        // Writing to memory can't fail.
        let _ = write!(self.0, "{value}");
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Mark, Strings};

    fn run(of: HashBucket, values: Values, element: Element) -> Vec<i64> {
        let compiled = of.compile(&[Type::scalar(element)]).expect("good");
        let input = Column { values, marks: vec![Mark::PRESENT], list: None };
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&input], &mut out);
        out.int64().to_vec()
    }

    fn murmur(seed: u64, buckets: u32, map: BucketMap) -> HashBucket {
        HashBucket { family: Family::Murmur3X8632, seed, key: KeyBytes::Decimal, buckets, map }
    }

    #[test]
    fn buckets_as_the_libraries_do() {
        let text = || Values::String(Strings::from_values(["abc"]));
        // Spark: 1313807976 to bucket 204392 of 2^18.
        assert_eq!(run(murmur(42, 1 << 18, BucketMap::FloorModulo), text(), Element::String), [204_392]);
        // scikit-learn: -1277324294.
        assert_eq!(run(murmur(0, 1000, BucketMap::AbsModulo), text(), Element::String), [294]);
        assert_eq!(run(murmur(0, 1000, BucketMap::FloorModulo), text(), Element::String), [706]);
        let unsigned = (u64::from(-1_277_324_294_i32 as u32) % 1000) as i64;
        assert_eq!(run(murmur(0, 1000, BucketMap::UnsignedModulo), text(), Element::String), [unsigned]);
    }

    #[test]
    fn integers_are_hashed_as_told() {
        let digits = run(murmur(0, 997, BucketMap::AbsModulo), Values::Int64(vec![-12]), Element::Int64);
        let text = Values::String(Strings::from_values(["-12"]));
        assert_eq!(digits, run(murmur(0, 997, BucketMap::AbsModulo), text, Element::String));
        let words = HashBucket {
            family: Family::XxHash64,
            key: KeyBytes::LittleEndian,
            ..murmur(42, 997, BucketMap::FloorModulo)
        };
        let expected = (xxh64(&7_u64.to_le_bytes(), 42) as i64).rem_euclid(997);
        assert_eq!(run(words, Values::Uint64(vec![7]), Element::Uint64), [expected]);
    }

    #[test]
    fn limits_are_checked() {
        let bad = murmur(1 << 40, 0, BucketMap::AbsModulo);
        assert_eq!(bad.compile(&[Type::scalar(Element::Bool)]).expect_err("three").len(), 3);
    }
}
