//! Ordinal encoding: a category's position in the fitted vocabulary.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    hash_bucket::{Bucketing, HashBucket},
    parameters::{Category, List},
    single,
    vocabulary::Vocabulary,
};
use crate::{
    batch::{Column, Element, Mark, Type},
    problem::Problems,
};

/// The position of a scalar category in the vocabulary, plus an offset, as int64.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ordinal {
    /// The vocabulary in order; of the input's type, each category once.
    pub categories: List<Category>,
    /// The number of the first category.
    pub offset: i64,
    /// The result for a category that is not in the vocabulary; its status reports it, in a bucket too.
    pub unknown: Unknown,
    /// The result for null.
    pub null: Code,
}

/// What stands for a category without a position.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    Null,
    /// This number.
    Value(i64),
    /// A number by the category's hash, for strings and integers: out-of-vocabulary buckets.
    Buckets(Buckets),
}

/// Numbers by hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Buckets {
    /// The number of the first bucket.
    pub first: i64,
    /// From a category to a bucket: the fields of "hash_bucket".
    pub hash: HashBucket,
}

/// What stands for null.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    Null,
    /// This number.
    Value(i64),
}

impl Operation for Ordinal {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        let mut problems = Problems::none();
        if input.width.is_some() {
            problems.add("", format!("takes a scalar, its input is {input}"));
        }
        let categories = self.categories.with_places("categories");
        let vocabulary = Vocabulary::new(categories, input.element, &mut problems);
        if self.offset.checked_add_unsigned(self.categories.0.len() as u64).is_none() {
            problems.add("offset", "takes the last category's number out of int64");
        }
        let out_of_vocabulary = self.unknown.check(input.element, &mut problems);
        match out_of_vocabulary.filter(|_| problems.is_empty()) {
            Some(unknown) => {
                let Self { offset, null, .. } = *self;
                let nullable = self.unknown == Unknown::Null || (input.nullable && null == Code::Null);
                let output = Type { element: Element::Int64, nullable, ..input };
                Ok(Compiled::new(output, OrdinalKernel { vocabulary, offset, unknown, null }))
            }
            None => Err(problems),
        }
    }
}

impl Unknown {
    fn check(&self, element: Element, problems: &mut Problems) -> Option<OutOfVocabulary> {
        let Buckets { first, hash } = match self {
            Self::Null => return Some(OutOfVocabulary::Null),
            Self::Value(code) => return Some(OutOfVocabulary::Value(*code)),
            Self::Buckets(buckets) => buckets,
        };
        if first.checked_add(hash.buckets.into()).is_none() {
            problems.add("unknown.buckets.first", "takes the last bucket's number out of int64");
        }
        let mut of_hash = Problems::none();
        let bucketing = hash.bucketing(element, &mut of_hash);
        problems.add_below("unknown.buckets.hash", of_hash);
        bucketing.map(|bucketing| OutOfVocabulary::Buckets(*first, bucketing))
    }
}

#[derive(Debug)]
struct OrdinalKernel {
    vocabulary: Vocabulary,
    offset: i64,
    unknown: OutOfVocabulary,
    null: Code,
}

/// [`Unknown`], checked.
#[derive(Debug)]
enum OutOfVocabulary {
    Null,
    Value(i64),
    /// From the first bucket's number on.
    Buckets(i64, Bucketing),
}

impl Kernel for OrdinalKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (codes, marks) = out.int64_mut();
        marks.extend_from_slice(&inputs[0].marks);
        codes.resize(marks.len(), 0);
        if let Code::Value(code) = self.null {
            for (of, mark) in codes.iter_mut().zip(&mut *marks).filter(|(_, mark)| mark.is_null()) {
                (*of, *mark) = (code, mark.filled());
            }
        }
        self.vocabulary.each(inputs[0], |index, position| match position {
            Some(position) => codes[index] = self.offset + i64::from(position),
            None => (codes[index], marks[index]) = self.stand_in(inputs[0], index),
        });
    }
}

impl OrdinalKernel {
    /// The number and the mark of an unknown category.
    fn stand_in(&self, input: &Column, index: usize) -> (i64, Mark) {
        let mark = input.marks[index] | Mark::UNKNOWN_CATEGORY;
        match &self.unknown {
            OutOfVocabulary::Null => (0, mark.nulled()),
            OutOfVocabulary::Value(code) => (*code, mark),
            OutOfVocabulary::Buckets(first, bucketing) => {
                (first + bucketing.of_value(&input.values, index), mark)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::{Strings, Values},
        transform::hashing::{BucketMap, Family, KeyBytes, Seed, Word},
    };

    fn run(unknown: Unknown, null: Code) -> Column {
        let categories = List(vec![Category::String("x".into()), Category::String("y".into())]);
        let ordinal = Ordinal { categories, offset: 2, unknown, null };
        let compiled = ordinal.compile(&[Type::scalar(Element::String)]).expect("good");
        let values = Values::String(Strings::from_values(["y", "z", "x"]));
        let input = Column { values, marks: vec![Mark::PRESENT, Mark::PRESENT, Mark::NULL], list: None };
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&input], &mut out);
        out
    }

    #[test]
    fn positions_count_from_the_offset() {
        let out = run(Unknown::Value(-1), Code::Value(0));
        assert_eq!(out.int64(), [3, -1, 0]);
        assert_eq!(out.marks, [Mark::PRESENT, Mark::UNKNOWN_CATEGORY, Mark::NULL.filled()]);
    }

    #[test]
    fn what_has_no_code_is_null() {
        let out = run(Unknown::Null, Code::Null);
        assert_eq!(out.marks, [Mark::PRESENT, Mark::UNKNOWN_CATEGORY.nulled(), Mark::NULL]);
    }

    fn buckets(first: i64, buckets: u32) -> Unknown {
        let (family, seed) = (Family::FarmFingerprint64, Seed::Single(Word(0)));
        let hash =
            HashBucket { family, seed, key: KeyBytes::Decimal, buckets, map: BucketMap::UnsignedModulo };
        Unknown::Buckets(Buckets { first, hash })
    }

    #[test]
    fn unknown_categories_have_buckets() {
        // Of 1000 buckets Keras puts "abc" into 385 and "é" into 25.
        let ordinal = Ordinal {
            categories: List(vec![Category::String("abc".into())]),
            offset: 2000,
            unknown: buckets(10, 1000),
            null: Code::Null,
        };
        let compiled = ordinal.compile(&[Type::scalar(Element::String).with_nullable(false)]).expect("good");
        assert!(!compiled.output.nullable);
        let values = Values::String(Strings::from_values(["é", "abc", ""]));
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&Column { values, marks: vec![Mark::PRESENT; 3], list: None }], &mut out);
        assert_eq!(out.int64(), [35, 2000, 273]);
        assert_eq!(out.marks, [Mark::UNKNOWN_CATEGORY, Mark::PRESENT, Mark::UNKNOWN_CATEGORY]);
    }

    #[test]
    fn buckets_are_checked() {
        let ordinal =
            Ordinal { categories: List(vec![]), offset: 0, unknown: buckets(i64::MAX, 0), null: Code::Null };
        let problems = ordinal.compile(&[Type::scalar(Element::Bool)]).expect_err("bad");
        assert_eq!(problems.len(), 2, "{problems}");
    }
}
