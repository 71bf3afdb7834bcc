//! Hash functions as specs choose them, the bytes of values that they take, and the ways from a hash to a bucket.

use std::hash::Hasher as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher24;
use xxhash_rust::xxh64::xxh64;

use super::{farm, murmur3::murmur3_x86_32, murmur64a::murmur_hash_64a};
use crate::{
    batch::{Element, Values},
    problem::Problems,
};

/// A hash function of strings and integers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HashFunction {
    /// The family of functions.
    pub family: Family,
    /// What the family starts from: an integer, or `[k0, k1]` for SipHash.
    pub seed: Seed,
    /// The bytes that are hashed of an integer; strings are hashed as UTF-8.
    pub key: KeyBytes,
}

/// Hash functions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// A signed 32-bit hash with a seed of 32 bits: scikit-learn (seed 0), Spark's HashingTF (seed 42).
    #[serde(rename = "murmur3_x86_32")]
    Murmur3X8632,
    /// A signed 64-bit hash with a seed of 64 bits.
    #[serde(rename = "xxhash64")]
    XxHash64,
    /// MurmurHash64A, with a seed of 64 bits: FeatureGenerator's default (seed 3339675911) and libstdc++.
    #[serde(rename = "murmur_hash_64a")]
    MurmurHash64A,
    /// FarmHash's Fingerprint64, seed 0: TensorFlow's `to_hash_bucket_fast`, Keras without a salt.
    #[serde(rename = "farm_fingerprint64")]
    FarmFingerprint64,
    /// SipHash-2-4 with the key `[k0, k1]`: TensorFlow's `to_hash_bucket_strong`, Keras with a salt (an integer salt is
    /// both).
    #[serde(rename = "siphash24")]
    SipHash24,
    /// An int64 as it is, seed 0: Keras' IntegerLookup with a floor modulo.
    Identity,
}

/// What a hash function starts from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "must be an integer from 0 to 2^64 - 1 (a string beyond 2^53), or two of them")]
pub enum Seed {
    Single(Word),
    Pair([Word; 2]),
}

/// A 64-bit number without a sign, a string beyond 2^53.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "WrittenWord", into = "WrittenWord")]
pub struct Word(pub u64);

/// A [`Word`] in JSON.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "must be an integer from 0 to 2^64 - 1, a string beyond 2^53")]
enum WrittenWord {
    Number(u64),
    Digits(String),
}

impl TryFrom<WrittenWord> for Word {
    type Error = std::num::ParseIntError;

    fn try_from(written: WrittenWord) -> Result<Self, Self::Error> {
        match written {
            WrittenWord::Number(number) => Ok(Self(number)),
            WrittenWord::Digits(digits) => digits.parse().map(Self),
        }
    }
}

impl From<Word> for WrittenWord {
    fn from(Word(number): Word) -> Self {
        if number <= 1 << 53 { Self::Number(number) } else { Self::Digits(number.to_string()) }
    }
}

/// An integer's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyBytes {
    /// Its decimal digits, with a minus sign below 0.
    Decimal,
    /// Its 8 bytes, little-endian.
    LittleEndian,
    /// Its lowest 4 bytes, little-endian.
    #[serde(rename = "little_endian_32")]
    LittleEndian32,
}

/// From a hash to a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BucketMap {
    /// The magnitude of the signed hash, modulo: scikit-learn.
    AbsModulo,
    /// The signed hash modulo, never below 0: Spark.
    FloorModulo,
    /// The hash without a sign, modulo: TensorFlow, FeatureGenerator.
    UnsignedModulo,
}

impl BucketMap {
    /// The bucket of a hash; there is at least one.
    pub fn bucket(self, hash: Hash, buckets: u32) -> i64 {
        match self {
            Self::AbsModulo => (hash.signed.unsigned_abs() % u64::from(buckets)) as i64,
            Self::FloorModulo => hash.signed.rem_euclid(buckets.into()),
            Self::UnsignedModulo => (hash.unsigned % u64::from(buckets)) as i64,
        }
    }
}

/// A hash read with and without a sign; of 32 bits they differ beyond the highest bit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hash {
    pub signed: i64,
    pub unsigned: u64,
}

impl From<u64> for Hash {
    fn from(unsigned: u64) -> Self {
        Self { signed: unsigned as i64, unsigned }
    }
}

impl From<i32> for Hash {
    fn from(signed: i32) -> Self {
        Self { signed: signed.into(), unsigned: u64::from(signed as u32) }
    }
}

/// A checked hash function.
#[derive(Debug, Clone, Copy)]
pub struct Hashing {
    function: Function,
    key: KeyBytes,
}

/// A family with its seed.
#[derive(Debug, Clone, Copy)]
enum Function {
    Murmur3(u32),
    XxHash64(u64),
    Murmur64A(u64),
    Farm,
    Sip(SipHasher24),
    Identity,
}

impl HashFunction {
    /// Checks it for values of `element`; `None` where a problem was noted.
    pub fn check(&self, element: Element, problems: &mut Problems) -> Option<Hashing> {
        let before = problems.len();
        if self.family == Family::Identity && element != Element::Int64 {
            problems.add("family", format!("is identity, which takes int64, not {}", element.name()));
        }
        let function = self.function(problems)?;
        (problems.len() == before).then_some(Hashing { function, key: self.key })
    }

    fn function(&self, problems: &mut Problems) -> Option<Function> {
        let message = match (self.family, self.seed) {
            (Family::Murmur3X8632, Seed::Single(Word(seed))) => match u32::try_from(seed) {
                Ok(seed) => return Some(Function::Murmur3(seed)),
                Err(_) => format!("is {seed}, murmur3_x86_32 takes 32 bits"),
            },
            (Family::XxHash64, Seed::Single(Word(seed))) => return Some(Function::XxHash64(seed)),
            (Family::MurmurHash64A, Seed::Single(Word(seed))) => return Some(Function::Murmur64A(seed)),
            (Family::FarmFingerprint64, Seed::Single(Word(0))) => return Some(Function::Farm),
            (Family::Identity, Seed::Single(Word(0))) => return Some(Function::Identity),
            (Family::SipHash24, Seed::Pair([k0, k1])) => {
                return Some(Function::Sip(SipHasher24::new_with_keys(k0.0, k1.0)));
            }
            (Family::SipHash24, Seed::Single(_)) => "must be [k0, k1] for siphash24".to_owned(),
            (Family::FarmFingerprint64 | Family::Identity, _) => {
                "must be 0 for a family without a seed".to_owned()
            }
            (_, Seed::Pair(_)) => "must be one number for this family".to_owned(),
        };
        problems.add("seed", message);
        None
    }
}

impl Hashing {
    /// The hash of the bytes of a string.
    pub fn of_bytes(&self, bytes: &[u8]) -> Hash {
        match &self.function {
            Function::Murmur3(seed) => murmur3_x86_32(bytes, *seed).into(),
            Function::XxHash64(seed) => xxh64(bytes, *seed).into(),
            Function::Murmur64A(seed) => murmur_hash_64a(bytes, *seed).into(),
            Function::Farm => farm::fingerprint64(bytes).into(),
            Function::Sip(keyed) => {
                let mut hasher = *keyed;
                hasher.write(bytes);
                hasher.finish().into()
            }
            // Checked: there are no strings.
            Function::Identity => 0_u64.into(),
        }
    }

    /// The hash of an integer with the lowest 64 bits given.
    pub fn of_integer(&self, word: u64, negative: bool) -> Hash {
        match (&self.function, self.key) {
            (Function::Identity, _) => word.into(),
            (_, KeyBytes::Decimal) => {
                let mut digits = [0; MOST_DIGITS];
                self.of_bytes(decimal(word, negative, &mut digits))
            }
            (_, KeyBytes::LittleEndian) => self.of_bytes(&word.to_le_bytes()),
            (_, KeyBytes::LittleEndian32) => self.of_bytes(&(word as u32).to_le_bytes()),
        }
    }

    /// The hash of the value at `index` of strings or integers.
    pub fn of_value(&self, values: &Values, index: usize) -> Hash {
        match values {
            Values::Int64(values) => self.of_integer(values[index] as u64, values[index] < 0),
            Values::Uint64(values) => self.of_integer(values[index], false),
            Values::String(strings) => self.of_bytes(strings.get_bytes(index)),
            // Checked: there is nothing else.
            Values::Float64(_)
            | Values::Bool(_)
            | Values::OneHot(_)
            | Values::Sparse(_)
            | Values::Float32(_) => 0_u64.into(),
        }
    }
}

/// The digits of 2^64 - 1, or those of -2^63 with their sign.
pub const MOST_DIGITS: usize = 20;

/// The decimal digits of the integer with the lowest 64 bits given, at the end of `buffer`.
pub fn decimal(word: u64, negative: bool, buffer: &mut [u8; MOST_DIGITS]) -> &[u8] {
    let mut rest = if negative { word.wrapping_neg() } else { word };
    let mut start = MOST_DIGITS;
    loop {
        start -= 1;
        buffer[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if negative {
        start -= 1;
        buffer[start] = b'-';
    }
    &buffer[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(family: Family, seed: Seed) -> HashFunction {
        HashFunction { family, seed, key: KeyBytes::Decimal }
    }

    fn thousand(family: Family, seed: Seed, text: &str) -> i64 {
        let hashing = function(family, seed).check(Element::String, &mut Problems::none()).expect("good");
        BucketMap::UnsignedModulo.bucket(hashing.of_bytes(text.as_bytes()), 1000)
    }

    #[test]
    fn fingerprints_are_tensorflows() {
        let bucket = |text| thousand(Family::FarmFingerprint64, Seed::Single(Word(0)), text);
        assert_eq!(["abc", "", "é", "1"].map(bucket), [385, 263, 25, 849]);
    }

    #[test]
    fn digits_are_those_of_the_integer() {
        for value in [0, 7, -7, i64::MAX, i64::MIN] {
            let mut digits = [0; MOST_DIGITS];
            assert_eq!(decimal(value as u64, value < 0, &mut digits), value.to_string().as_bytes());
        }
        assert_eq!(decimal(u64::MAX, false, &mut [0; MOST_DIGITS]), b"18446744073709551615");
    }

    #[test]
    fn seeds_are_those_of_the_family() {
        let (one, pair) = (Seed::Single(Word(1)), Seed::Pair([Word(1), Word(2)]));
        let bad = [
            (Family::Murmur3X8632, Seed::Single(Word(1 << 40))),
            (Family::Murmur3X8632, pair),
            (Family::FarmFingerprint64, one),
            (Family::FarmFingerprint64, pair),
            (Family::SipHash24, one),
            (Family::Identity, one),
        ];
        for (family, seed) in bad {
            let mut problems = Problems::none();
            assert!(function(family, seed).check(Element::Int64, &mut problems).is_none());
            assert_eq!(problems.len(), 1, "{family:?} {seed:?}: {problems}");
        }
        let text = function(Family::Identity, Seed::Single(Word(0)));
        assert!(text.check(Element::String, &mut Problems::none()).is_none());
    }

    #[test]
    fn great_words_are_strings() {
        let seed: Seed = serde_json::from_str(r#"["18446744073709551615", 7]"#).expect("good");
        assert_eq!(seed, Seed::Pair([Word(u64::MAX), Word(7)]));
        assert_eq!(serde_json::to_string(&seed).expect("writes"), r#"["18446744073709551615",7]"#);
    }
}
