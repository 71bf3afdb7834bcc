//! Hash cross: several categories together to one bucket, as Keras' HashedCrossing and crossed features do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Derived, Meaning, Operation,
    hashing::{BucketMap, Hash, HashFunction, Hashing, KeyBytes},
};
use crate::{
    batch::{Element, Type},
    problem::Problems,
};

use self::{
    combine::CrossKernel,
    fingerprint::Fingerprints,
    join::{Joined, Separated},
};

mod combine;
mod fingerprint;
mod join;

/// The bucket of 2 to 4 strings or integers together, as int64; null where any of them is null.
///
/// Where any input is a list, the result is a list of all combinations, the last input's elements changing fastest; a
/// combination with a null element is null, of a null list or null scalar the whole list is. A row with more than
/// 4096 combinations is null and out of range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HashCross {
    /// How several values become one hash.
    pub method: Method,
    /// The number of buckets.
    pub buckets: u32,
    /// From the hash to a bucket.
    pub map: BucketMap,
}

/// How several values become one hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Fingerprints joined one by one: Keras' HashedCrossing, TensorFlow's `sparse.cross_hashed`. A string counts with
    /// its FarmHash Fingerprint64, an integer as it is, so 1 and "1" differ.
    #[serde(rename = "fingerprint_cat64")]
    FingerprintCat64(FingerprintCat64),
    /// The texts with a separator between them, hashed as one: combined features of FeatureGenerator.
    Join(Join),
}

/// Without parameters: TensorFlow's default key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FingerprintCat64 {}

/// How texts are joined and hashed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// What stands between two texts.
    pub separator: String,
    /// The hash of the joined text; its key must be "decimal": an integer stands in the text with its digits.
    pub hash: HashFunction,
}

/// From a combination's hash to its bucket.
#[derive(Debug, Clone, Copy)]
struct Buckets {
    count: u32,
    map: BucketMap,
}

impl Buckets {
    fn of(self, hash: Hash) -> i64 {
        self.map.bucket(hash, self.count)
    }
}

impl Operation for HashCross {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let mut problems = Problems::none();
        if !(2..=combine::MOST_INPUTS).contains(&inputs.len()) {
            problems.add("", format!("takes 2 to {} inputs, has {}", combine::MOST_INPUTS, inputs.len()));
        }
        for (position, input) in inputs.iter().enumerate() {
            let hashed = input.element == Element::String || input.element.is_integer();
            if !hashed || input.width.is_some() {
                problems.add("", format!("takes strings and integers, its input {position} is {input}"));
            }
        }
        if self.buckets == 0 {
            problems.add("buckets", "must be at least 1");
        }
        let hashing = self.method.check(&mut problems);
        problems.or(())?;
        let list = inputs.iter().any(|input| input.list);
        let nullable = list || inputs.iter().any(|input| input.nullable);
        let output = Type { list, ..Type::scalar(Element::Int64).with_nullable(nullable) };
        let buckets = Buckets { count: self.buckets, map: self.map };
        Ok(match (&self.method, hashing) {
            (Method::Join(join), Some(hashing)) => {
                let separator = join.separator.clone().into_bytes();
                let kernel = CrossKernel { of: Separated { separator, hashing, buckets }, list };
                Compiled::new(output, kernel)
            }
            _ => crossed_fingerprints(inputs, output, buckets),
        })
    }
}

impl Method {
    /// The hash of joined texts.
    fn check(&self, problems: &mut Problems) -> Option<Hashing> {
        let Self::Join(join) = self else { return None };
        let mut of_hash = Problems::none();
        if join.hash.key != KeyBytes::Decimal {
            of_hash.add("key", "must be \"decimal\": integers stand in the text with their digits");
        }
        let hashing = join.hash.check(Element::String, &mut of_hash);
        problems.add_below("method.join.hash", of_hash);
        hashing
    }
}

/// Strings' fingerprints are parts of their own: known when the strings are, often when a table is loaded.
fn crossed_fingerprints(inputs: &[Type], output: Type, buckets: Buckets) -> Compiled {
    let mut derived = Vec::new();
    let mut reads = Vec::new();
    for (position, &input) in inputs.iter().enumerate() {
        if input.element == Element::String {
            reads.push(inputs.len() + derived.len());
            let compiled = Compiled::new(Type { element: Element::Int64, ..input }, Fingerprints);
            let same_as = Some(Meaning::Named("fingerprints".to_owned()));
            derived.push(Derived { reads: vec![position], compiled, same_as });
        } else {
            reads.push(position);
        }
    }
    let kernel = CrossKernel { of: Joined { buckets }, list: output.list };
    Compiled { derived, reads: Some(reads), ..Compiled::new(output, kernel) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::{Column, ListRows, Mark, Strings, Values},
        transform::hashing::{Family, Seed, Word},
    };

    fn cross(method: &str) -> HashCross {
        let json = format!(r#"{{"method": {method}, "buckets": 1000, "map": "unsigned_modulo"}}"#);
        serde_json::from_str(&json).expect("readable")
    }

    fn cat64() -> HashCross {
        cross(r#"{"fingerprint_cat64": {}}"#)
    }

    fn joined() -> HashCross {
        cross(
            r#"{"join": {"separator": "_", "hash":
                {"family": "murmur_hash_64a", "seed": 3339675911, "key": "decimal"}}}"#,
        )
    }

    fn texts(texts: &[&str]) -> (Type, Column) {
        let values = Values::String(Strings::from_values(texts));
        let column = Column { values, marks: vec![Mark::PRESENT; texts.len()], list: None };
        (Type::scalar(Element::String), column)
    }

    fn integers(values: &[i64]) -> (Type, Column) {
        let marks = vec![Mark::PRESENT; values.len()];
        let column = Column { values: Values::Int64(values.to_vec()), marks, list: None };
        (Type::scalar(Element::Int64), column)
    }

    /// One row's list.
    fn listed((of, column): (Type, Column)) -> (Type, Column) {
        let offsets = vec![0, column.marks.len() as u32];
        (of.listed(), Column { list: Some(ListRows { offsets, marks: vec![Mark::PRESENT] }), ..column })
    }

    /// Runs the parts and the kernel as a plan does.
    fn run(of: &HashCross, inputs: &[(Type, Column)]) -> Column {
        let types: Vec<Type> = inputs.iter().map(|(of, _)| *of).collect();
        let compiled = of.compile(&types).expect("good");
        let mut columns: Vec<Column> = inputs.iter().map(|(_, column)| column.clone()).collect();
        for Derived { reads, compiled, .. } in &compiled.derived {
            let mut out = Column::new(compiled.output);
            compiled.kernel.run(&[&columns[reads[0]]], &mut out);
            out.list.clone_from(&columns[reads[0]].list);
            columns.push(out);
        }
        let reads = compiled.reads.unwrap_or_else(|| (0..columns.len()).collect());
        let reads: Vec<&Column> = reads.iter().map(|&position| &columns[position]).collect();
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&reads, &mut out);
        out
    }

    #[test]
    fn crosses_as_keras_does() {
        assert_eq!(
            run(&cat64(), &[texts(&["a", "1", "b"]), texts(&["b", "b", "a"])]).int64(),
            [986, 587, 100]
        );
        assert_eq!(run(&cat64(), &[integers(&[1]), texts(&["b"])]).int64(), [257]);
    }

    #[test]
    fn joined_texts_are_hashed_as_one() {
        let Method::Join(join) = joined().method else { panic!("a join") };
        let hashing = join.hash.check(Element::String, &mut Problems::none()).expect("good");
        let expected = BucketMap::UnsignedModulo.bucket(hashing.of_bytes(b"a_-7"), 1000);
        assert_eq!(run(&joined(), &[texts(&["a"]), integers(&[-7])]).int64(), [expected]);
    }

    #[test]
    fn null_in_any_input_is_null() {
        let (of, mut column) = texts(&["a", "b"]);
        column.marks[1] = Mark::KEY_NOT_FOUND;
        for cross in [cat64(), joined()] {
            let out = run(&cross, &[(of, column.clone()), integers(&[1, 2])]);
            assert_eq!(out.marks, [Mark::PRESENT, Mark::KEY_NOT_FOUND]);
        }
    }

    #[test]
    fn lists_give_all_combinations_in_order() {
        let out = run(&cat64(), &[listed(texts(&["a", "b"])), listed(texts(&["a", "b"]))]);
        assert_eq!([out.int64()[1], out.int64()[2]], [986, 100]);
        assert_eq!(out.list.as_ref().map(|list| list.offsets.as_slice()), Some(&[0, 4][..]));
        let mut null = texts(&["a"]);
        null.1.marks[0] = Mark::NULL;
        let out = run(&joined(), &[listed(texts(&["a", "b"])), null]);
        let rows = out.list.expect("a list");
        assert_eq!((rows.offsets, rows.marks), (vec![0, 0], vec![Mark::NULL]));
    }

    #[test]
    fn combinations_have_a_limit() {
        let many = || listed(integers(&(0..70).collect::<Vec<_>>()));
        let out = run(&cat64(), &[many(), many()]);
        let rows = out.list.expect("a list");
        assert_eq!((rows.offsets, rows.marks), (vec![0, 0], vec![Mark::OUT_OF_RANGE.nulled()]));
    }

    #[test]
    fn every_bad_parameter_is_told() {
        let (text, float) = (Type::scalar(Element::String), Type::scalar(Element::Float64));
        let (family, seed) = (Family::SipHash24, Seed::Single(Word(1)));
        let hash = HashFunction { family, seed, key: KeyBytes::LittleEndian };
        let method = Method::Join(Join { separator: String::new(), hash });
        let bad = HashCross { method, buckets: 0, map: BucketMap::AbsModulo };
        assert_eq!(bad.compile(&[text, float]).expect_err("four").len(), 4);
        assert!(cat64().compile(&[text]).is_err());
        assert!(cat64().compile(&[text; 5]).is_err());
    }
}
