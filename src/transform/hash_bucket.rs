//! Hash buckets: a category to a number below a limit, by its hash.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    hashing::{BucketMap, Family, HashFunction, Hashing, KeyBytes, Seed},
    single,
};
use crate::{
    batch::{Column, Element, Type, Values},
    problem::Problems,
};

/// The bucket of a scalar string or integer, as int64, from 0 on. Null stays null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HashBucket {
    /// The hash function.
    pub family: Family,
    /// What the family starts from: 32 bits for murmur3_x86_32, 64 for xxhash64 and murmur_hash_64a, `[k0, k1]` for
    /// siphash24, 0 for the others.
    pub seed: Seed,
    /// The bytes that are hashed of an integer; strings are hashed as UTF-8.
    pub key: KeyBytes,
    /// The number of buckets.
    pub buckets: u32,
    /// From the hash to a bucket.
    pub map: BucketMap,
}

/// Checked hash buckets.
#[derive(Debug)]
pub struct Bucketing {
    hashing: Hashing,
    buckets: u32,
    map: BucketMap,
}

impl HashBucket {
    /// Checks the parameters for values of `element`; `None` where a problem was noted.
    pub fn bucketing(&self, element: Element, problems: &mut Problems) -> Option<Bucketing> {
        let before = problems.len();
        if !(element == Element::String || element.is_integer()) {
            problems.add("", format!("takes strings or integers, not {}", element.name()));
        }
        if self.buckets == 0 {
            problems.add("buckets", "must be at least 1");
        }
        let Self { family, seed, key, buckets, map } = *self;
        let hashing = HashFunction { family, seed, key }.check(element, problems)?;
        (problems.len() == before).then_some(Bucketing { hashing, buckets, map })
    }
}

impl Bucketing {
    /// The bucket of the value at `index`.
    pub fn of_value(&self, values: &Values, index: usize) -> i64 {
        self.map.bucket(self.hashing.of_value(values, index), self.buckets)
    }
}

impl Operation for HashBucket {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        let mut problems = Problems::none();
        if input.width.is_some() {
            problems.add("", format!("takes a scalar, its input is {input}"));
        }
        let bucketing = self.bucketing(input.element, &mut problems);
        match bucketing.filter(|_| problems.is_empty()) {
            Some(bucketing) => Ok(Compiled::new(Type { element: Element::Int64, ..input }, bucketing)),
            None => Err(problems),
        }
    }
}

impl Kernel for Bucketing {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (buckets, marks) = out.int64_mut();
        marks.extend_from_slice(&inputs[0].marks);
        buckets.extend((0..marks.len()).map(|index| self.of_value(&inputs[0].values, index)));
    }
}

#[cfg(test)]
mod tests {
    use xxhash_rust::xxh64::xxh64;

    use super::*;
    use crate::{
        batch::{Mark, Strings},
        transform::hashing::Word,
    };

    fn run(of: HashBucket, values: Values, element: Element) -> Vec<i64> {
        let compiled = of.compile(&[Type::scalar(element)]).expect("good");
        let input = Column { values, marks: vec![Mark::PRESENT], list: None };
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&input], &mut out);
        out.int64().to_vec()
    }

    fn murmur(seed: u64, buckets: u32, map: BucketMap) -> HashBucket {
        let seed = Seed::Single(Word(seed));
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
        assert_eq!(run(words.clone(), Values::Uint64(vec![7]), Element::Uint64), [expected]);
        let halves = HashBucket { key: KeyBytes::LittleEndian32, ..words };
        let expected = (xxh64(&(-7_i32).to_le_bytes(), 42) as i64).rem_euclid(997);
        assert_eq!(run(halves, Values::Int64(vec![-7]), Element::Int64), [expected]);
    }

    #[test]
    fn the_identity_of_an_integer_is_its_hash() {
        let identity = HashBucket { family: Family::Identity, ..murmur(0, 5, BucketMap::FloorModulo) };
        let out = run(identity.clone(), Values::Int64(vec![-1]), Element::Int64);
        assert_eq!(out, [4]);
        assert!(identity.compile(&[Type::scalar(Element::String)]).is_err());
    }

    #[test]
    fn limits_are_checked() {
        let bad = murmur(1 << 40, 0, BucketMap::AbsModulo);
        assert_eq!(bad.compile(&[Type::scalar(Element::Bool)]).expect_err("three").len(), 3);
    }
}
