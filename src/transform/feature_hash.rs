//! Feature hashing: tokens to columns by their hash, as scikit-learn's FeatureHasher.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compiled, Kernel, Operation, murmur3::murmur3_x86_32, single};
use crate::{
    batch::{Column, Element, Mark, Type},
    problem::Problems,
};

/// Adds 1 (or -1 by the hash's sign) to the column that each string's MurmurHash3 (seed 0) names. Takes a list of
/// strings, or a single one. Null elements are passed over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeatureHash {
    /// The number of columns.
    pub width: u32,
    /// What stands before each string when it is hashed: scikit-learn hashes "name=value".
    pub prefix: String,
    /// Whether a hash below 0 counts -1.
    pub alternate_sign: bool,
    /// What comes of a null list or string.
    pub null: NullHash,
}

/// The result for null.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NullHash {
    Zeros,
    Null,
}

/// The widest result.
const WIDTH_LIMIT: u32 = 1 << 20;

impl Operation for FeatureHash {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        let mut problems = Problems::none();
        if input.element != Element::String {
            problems.add("", format!("takes strings or lists of them, its input is {input}"));
        }
        if self.width == 0 || self.width > WIDTH_LIMIT {
            problems.add("width", format!("is {}, must be from 1 to {WIDTH_LIMIT}", self.width));
        }
        problems.or(())?;
        let nullable = input.nullable && self.null == NullHash::Null;
        let output = Type::vector(self.width as usize).with_nullable(nullable);
        Ok(Compiled::new(output, FeatureHashKernel { of: self.clone() }))
    }
}

#[derive(Debug)]
struct FeatureHashKernel {
    of: FeatureHash,
}

impl Kernel for FeatureHashKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let input = inputs[0];
        let width = self.of.width as usize;
        let mut token = self.of.prefix.as_bytes().to_vec();
        let (values, marks) = out.float64_mut();
        values.resize(input.rows() * width, 0.0);
        for (row, lanes) in values.chunks_exact_mut(width).enumerate() {
            let (own, elements) = match &input.list {
                Some(list) => (list.marks[row], list.range(row)),
                None => (input.marks[row], row..row + 1),
            };
            let mut mark = own;
            for element in elements.filter(|_| !own.is_null()) {
                mark |= input.marks[element].filled();
                if !input.marks[element].is_null() {
                    self.add(input.strings().get_bytes(element), &mut token, lanes);
                }
            }
            marks.push(self.result_mark(mark));
        }
    }
}

impl FeatureHashKernel {
    fn add(&self, text: &[u8], token: &mut Vec<u8>, lanes: &mut [f64]) {
        token.truncate(self.of.prefix.len());
        token.extend_from_slice(text);
        let hash = murmur3_x86_32(token, 0);
        let sign = if self.of.alternate_sign && hash < 0 { -1.0 } else { 1.0 };
        // scikit-learn treats the one hash without a magnitude apart, and comes to the same column.
        lanes[(hash.unsigned_abs() % self.of.width) as usize] += sign;
    }

    fn result_mark(&self, mark: Mark) -> Mark {
        if self.of.null == NullHash::Zeros { mark.filled() } else { mark }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{ListRows, Strings, Values};

    fn hash(prefix: &str, null: NullHash) -> FeatureHash {
        FeatureHash { width: 10, prefix: prefix.into(), alternate_sign: true, null }
    }

    #[test]
    fn tokens_add_up_by_sign() {
        // "abc" hashes to -1277324294, "é" to 269551495.
        let compiled =
            hash("", NullHash::Zeros).compile(&[Type::scalar(Element::String).listed()]).expect("good");
        let list = ListRows { offsets: vec![0, 3, 3], marks: vec![Mark::PRESENT, Mark::NULL] };
        let values = Values::String(Strings::from_values(["abc", "é", "abc"]));
        let input = Column { values, marks: vec![Mark::PRESENT; 3], list: Some(list) };
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&input], &mut out);
        assert_eq!(out.float64()[..10], [0.0, 0.0, 0.0, 0.0, -2.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(out.float64()[10..], [0.0; 10]);
        assert_eq!(out.marks, [Mark::PRESENT, Mark::NULL.filled()]);
    }

    #[test]
    fn a_prefix_is_hashed_with_each_token() {
        let compiled = hash("a", NullHash::Null).compile(&[Type::scalar(Element::String)]).expect("good");
        let values = Values::String(Strings::from_values(["bc", ""]));
        let input = Column { values, marks: vec![Mark::PRESENT, Mark::NULL], list: None };
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&input], &mut out);
        assert_eq!(out.float64()[4], -1.0);
        assert_eq!(out.marks, [Mark::PRESENT, Mark::NULL]);
    }
}
