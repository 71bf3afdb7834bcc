//! Spark's hashes of rows: `hash()` and `xxhash64()` of Spark SQL over one column or several.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh64::xxh64;

use super::{Compiled, Kernel, Operation, murmur3};
use crate::{
    batch::{Column, Element, Mark, Type, Values},
    problem::Problems,
};

/// The hash of one scalar or of several, one after the other, as int64. A null leaves the hash as it is, so the result
/// is never null: of nulls alone it is the seed. The status is the gravest of all inputs. A single list is hashed
/// element by element.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SparkHash {
    /// Which of the two functions.
    pub family: SparkFamily,
    /// The hash to begin with; Spark's is 42. 32 bits for murmur3.
    pub seed: i64,
    /// The type that Spark has for each input, from which the bytes follow.
    pub types: Vec<SparkType>,
    /// The number of buckets, or "none" for the signed hash itself.
    pub buckets: Buckets,
}

/// The function.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SparkFamily {
    /// `hash()`, signed, of 32 bits. Not MurmurHash3 where strings have bytes beyond the last four: Spark takes each
    /// of them for a word.
    Murmur3,
    /// `xxhash64()`, signed, of 64 bits.
    #[serde(rename = "xxhash64")]
    XxHash64,
}

/// Types of Spark SQL.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SparkType {
    /// int, and the shorter integers and dates; of an int64 input the lowest 32 bits.
    Int,
    /// long, and timestamps in microseconds; of an int64 input.
    Long,
    /// Of a float64 input: its bits, with one NaN for all and 0 for -0.
    Double,
    /// Of a float64 input rounded to float32, likewise.
    Float,
    /// Of a string input: its UTF-8 bytes.
    String,
    /// Of a bool input: 1 or 0 as an int.
    Boolean,
}

/// From a hash to a result.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "must be a number of buckets or \"none\"")]
pub enum Buckets {
    /// The hash modulo this number, never below 0: `pmod`.
    Count(u32),
    Unbounded(Unbounded),
}

/// No buckets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unbounded {
    None,
}

impl SparkType {
    fn element(self) -> Element {
        match self {
            Self::Int | Self::Long => Element::Int64,
            Self::Double | Self::Float => Element::Float64,
            Self::String => Element::String,
            Self::Boolean => Element::Bool,
        }
    }
}

impl Operation for SparkHash {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let mut problems = Problems::none();
        if inputs.is_empty() || self.types.len() != inputs.len() {
            problems.add("types", format!("has {} types for {} inputs", self.types.len(), inputs.len()));
        }
        for (position, (input, of)) in inputs.iter().zip(&self.types).enumerate() {
            let scalar = input.width.is_none() && (!input.list || inputs.len() == 1);
            if input.element != of.element() || !scalar {
                let needed = of.element().name();
                problems.add(
                    format!("types[{position}]"),
                    format!("takes {needed} scalars, the input is {input}"),
                );
            }
        }
        if self.family == SparkFamily::Murmur3 && i32::try_from(self.seed).is_err() {
            problems.add("seed", format!("is {}, murmur3 takes 32 bits", self.seed));
        }
        if self.buckets == Buckets::Count(0) {
            problems.add("buckets", "must be at least 1, or \"none\"");
        }
        problems.or(())?;
        let list = inputs.iter().any(|input| input.list);
        let output = Type { list, ..Type::scalar(Element::Int64).with_nullable(false) };
        Ok(Compiled::new(output, SparkHashKernel { of: self.clone() }))
    }
}

#[derive(Debug)]
struct SparkHashKernel {
    of: SparkHash,
}

impl Kernel for SparkHashKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (hashes, marks) = out.int64_mut();
        let count = inputs[0].marks.len();
        hashes.resize(count, self.of.seed);
        marks.resize(count, Mark::PRESENT);
        for (input, &of) in inputs.iter().zip(&self.of.types) {
            match self.of.family {
                SparkFamily::Murmur3 => {
                    take(input, of, hashes, |seed, bytes| i64::from(murmur3_of_words(bytes, seed as u32)))
                }
                SparkFamily::XxHash64 => {
                    take(input, of, hashes, |seed, bytes| xxh64(bytes, seed as u64) as i64)
                }
            }
            marks.iter_mut().zip(&input.marks).for_each(|(mark, of_input)| *mark |= of_input.filled());
        }
        if let Buckets::Count(buckets) = self.of.buckets {
            hashes.iter_mut().for_each(|hash| *hash = hash.rem_euclid(buckets.into()));
        }
    }
}

/// Takes a column's values into the hashes so far; null ones leave them.
fn take(input: &Column, of: SparkType, hashes: &mut [i64], function: impl Fn(i64, &[u8]) -> i64) {
    let present = input.marks.iter().zip(hashes).enumerate().filter(|(_, (mark, _))| !mark.is_null());
    let present = present.map(|(index, (_, hash))| (index, hash));
    match (&input.values, of) {
        (Values::Int64(values), SparkType::Int) => {
            present.for_each(|(index, hash)| *hash = function(*hash, &(values[index] as u32).to_le_bytes()));
        }
        (Values::Int64(values), _) => {
            present.for_each(|(index, hash)| *hash = function(*hash, &values[index].to_le_bytes()));
        }
        (Values::Bool(values), _) => {
            present
                .for_each(|(index, hash)| *hash = function(*hash, &u32::from(values[index]).to_le_bytes()));
        }
        (Values::String(strings), _) => {
            present.for_each(|(index, hash)| *hash = function(*hash, strings.get_bytes(index)));
        }
        (Values::Float64(values), SparkType::Float) => present.for_each(|(index, hash)| {
            let value = values[index] as f32;
            let bits = if value == 0.0 {
                0
            } else if value.is_nan() {
                0x7fc0_0000
            } else {
                value.to_bits()
            };
            *hash = function(*hash, &bits.to_le_bytes());
        }),
        (Values::Float64(values), _) => present.for_each(|(index, hash)| {
            let value = values[index];
            let bits = if value == 0.0 {
                0
            } else if value.is_nan() {
                0x7ff8 << 48
            } else {
                value.to_bits()
            };
            *hash = function(*hash, &bits.to_le_bytes());
        }),
        // Checked: vectors are none of the types.
        (Values::Uint64(_) | Values::OneHot(_) | Values::Sparse(_) | Values::Float32(_), _) => {}
    }
}

/// Spark's MurmurHash3: after the last word each byte with its sign is a word of its own.
fn murmur3_of_words(bytes: &[u8], seed: u32) -> i32 {
    let words = bytes.chunks_exact(4);
    let rest = words.remainder().iter().map(|&byte| byte as i8 as u32);
    let words = words.map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    murmur3::finished(words.chain(rest).fold(seed, murmur3::with_word), bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{batch::Strings, transform::check::floats};

    fn spark_hash(family: SparkFamily, types: &[SparkType]) -> SparkHash {
        SparkHash { family, seed: 42, types: types.to_vec(), buckets: Buckets::Unbounded(Unbounded::None) }
    }

    fn texts(texts: &[Option<&str>]) -> Column {
        let marks = texts.iter().map(|text| if text.is_some() { Mark::PRESENT } else { Mark::NULL });
        let marks = marks.collect();
        let values = Strings::from_values(texts.iter().map(|text| text.unwrap_or("of no meaning")));
        Column { values: Values::String(values), marks, list: None }
    }

    fn run(of: &SparkHash, inputs: &[&Column]) -> Column {
        let types: Vec<Type> = of.types.iter().map(|of| Type::scalar(of.element())).collect();
        let compiled = of.compile(&types).expect("good");
        assert!(!compiled.output.nullable);
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(inputs, &mut out);
        out
    }

    #[test]
    fn trailing_bytes_are_words() {
        let out =
            run(&spark_hash(SparkFamily::Murmur3, &[SparkType::String]), &[&texts(&[Some("abc"), None])]);
        assert_eq!(out.int64(), [1_322_437_556, 42]);
        assert_eq!(out.marks, [Mark::PRESENT, Mark::NULL.filled()]);
    }

    #[test]
    fn nulls_leave_the_hash() {
        let (a, b) = (texts(&[Some("a")]), texts(&[Some("b")]));
        for family in [SparkFamily::Murmur3, SparkFamily::XxHash64] {
            let three = spark_hash(family, &[SparkType::String; 3]);
            let two = spark_hash(family, &[SparkType::String; 2]);
            let with_null = run(&three, &[&a, &texts(&[None]), &b]);
            assert_eq!(with_null.int64(), run(&two, &[&a, &b]).int64());
            assert_ne!(with_null.int64(), run(&two, &[&b, &a]).int64());
        }
    }

    #[test]
    fn zeros_and_nans_are_one() {
        for of in [SparkType::Double, SparkType::Float] {
            let values = floats(&[Some(0.0), Some(-0.0), Some(f64::NAN), Some(-f64::NAN)]);
            let out = run(&spark_hash(SparkFamily::XxHash64, &[of]), &[&values]);
            assert_eq!(out.int64()[0], out.int64()[1]);
            assert_eq!(out.int64()[2], out.int64()[3]);
        }
    }

    #[test]
    fn buckets_are_never_below_0() {
        let bounded = SparkHash {
            buckets: Buckets::Count(7),
            ..spark_hash(SparkFamily::Murmur3, &[SparkType::String])
        };
        let many: Vec<String> = (0..50).map(|number| number.to_string()).collect();
        let many: Vec<Option<&str>> = many.iter().map(|text| Some(text.as_str())).collect();
        let out = run(&bounded, &[&texts(&many)]);
        assert!(out.int64().iter().all(|bucket| (0..7).contains(bucket)));
    }

    #[test]
    fn every_bad_parameter_is_told() {
        let bad = SparkHash {
            seed: 1 << 40,
            buckets: Buckets::Count(0),
            ..spark_hash(SparkFamily::Murmur3, &[SparkType::Int])
        };
        assert_eq!(bad.compile(&[Type::scalar(Element::String)]).expect_err("three").len(), 3);
        assert_eq!(bad.compile(&[]).expect_err("three").len(), 3);
    }
}
