//! Feature hashing: tokens to columns by their hash, as scikit-learn's FeatureHasher.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation, SPARSE_FROM,
    murmur3::murmur3_x86_32,
    weighted::{NullVector, WIDTH_LIMIT, Weighted, values_and_weights},
};
use crate::{
    batch::{Column, Element, Mark, Type},
    problem::Problems,
};

/// Adds 1, or a weight, to the column that each string's MurmurHash3 names. Takes a list of strings, or a single one,
/// and where a second input is given its weights: a list of float64, or a single one.
///
/// Null strings, and those whose weight is null or missing because the list of weights is shorter, are passed over;
/// the status reports them. A weight of 0 is passed over; NaN and infinities are added as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeatureHash {
    /// The number of columns.
    pub width: u32,
    /// What stands before each string when it is hashed: scikit-learn hashes "name=value".
    pub prefix: String,
    /// Whether a hash below 0 counts as minus the weight.
    pub alternate_sign: bool,
    /// The result for a null list or string, or for null weights.
    pub null: NullVector,
    /// Whose hashes they are; scikit-learn's where it is left out.
    #[serde(default, skip_serializing_if = "Scheme::is_default")]
    pub scheme: Scheme,
}

/// The seed of MurmurHash3, and the way from a hash to a column.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Seed 0, the hash's magnitude modulo the width: FeatureHasher, HashingVectorizer.
    #[default]
    ScikitLearn,
    /// Seed 42, the signed hash modulo the width, never below 0: Spark's HashingTF and FeatureHasher.
    Spark,
}

impl Scheme {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Operation for FeatureHash {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let (input, _) = values_and_weights(inputs)?;
        let mut problems = Problems::none();
        if input.element != Element::String {
            problems.add("", format!("takes strings or lists of them, its input is {input}"));
        }
        if self.width == 0 || self.width as usize > WIDTH_LIMIT {
            problems.add("width", format!("is {}, must be from 1 to {WIDTH_LIMIT}", self.width));
        }
        problems.or(())?;
        let nullable = inputs.iter().any(|input| input.nullable) && self.null == NullVector::Null;
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
        let weighted = Weighted::new(inputs);
        let width = self.of.width as usize;
        let mut token = self.of.prefix.as_bytes().to_vec();
        if width >= SPARSE_FROM {
            let (vectors, marks) = out.sparse_mut();
            let mut entries = Vec::new();
            for row in 0..inputs[0].rows() {
                marks.push(self.each(&weighted, row, &mut token, |lane, weight| {
                    entries.push((lane, weight));
                }));
                vectors.push_summed(&mut entries);
            }
            return;
        }
        let (values, marks) = out.float64_mut();
        values.resize(inputs[0].rows() * width, 0.0);
        for (row, lanes) in values.chunks_exact_mut(width).enumerate() {
            marks.push(self.each(&weighted, row, &mut token, |lane, weight| lanes[lane as usize] += weight));
        }
    }
}

impl FeatureHashKernel {
    /// Calls `add` with the lane and the signed weight of each token of a row, and gives the row's mark. `token` begins
    /// with the prefix.
    fn each(
        &self,
        weighted: &Weighted<'_>,
        row: usize,
        token: &mut Vec<u8>,
        mut add: impl FnMut(u32, f64),
    ) -> Mark {
        let mark = weighted.each(row, |element, weight| {
            if weight != 0.0 {
                let (lane, negative) = self.lane(weighted.text(element), token);
                add(lane, if negative { -weight } else { weight });
            }
        });
        if self.of.null == NullVector::Zeros { mark.filled() } else { mark }
    }

    /// A token's lane, and whether its weight counts as negative.
    fn lane(&self, text: &[u8], token: &mut Vec<u8>) -> (u32, bool) {
        token.truncate(self.of.prefix.len());
        token.extend_from_slice(text);
        let (hash, column) = match self.of.scheme {
            Scheme::ScikitLearn => {
                let hash = murmur3_x86_32(token, 0);
                // scikit-learn treats the one hash without a magnitude apart, and comes to the same column.
                (hash, hash.unsigned_abs() % self.of.width)
            }
            Scheme::Spark => {
                let hash = murmur3_x86_32(token, 42);
                (hash, i64::from(hash).rem_euclid(self.of.width.into()) as u32)
            }
        };
        (column, self.of.alternate_sign && hash < 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::{ListRows, Strings, Values},
        transform::check::floats,
    };

    fn hash(prefix: &str, null: NullVector) -> FeatureHash {
        let (prefix, scheme) = (prefix.into(), Scheme::ScikitLearn);
        FeatureHash { width: 10, prefix, alternate_sign: true, null, scheme }
    }

    #[test]
    fn tokens_add_up_by_sign() {
        // "abc" hashes to -1277324294, "é" to 269551495.
        let compiled =
            hash("", NullVector::Zeros).compile(&[Type::scalar(Element::String).listed()]).expect("good");
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
        let compiled = hash("a", NullVector::Null).compile(&[Type::scalar(Element::String)]).expect("good");
        let values = Values::String(Strings::from_values(["bc", ""]));
        let input = Column { values, marks: vec![Mark::PRESENT, Mark::NULL], list: None };
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&input], &mut out);
        assert_eq!(out.float64()[4], -1.0);
        assert_eq!(out.marks, [Mark::PRESENT, Mark::NULL]);
    }

    #[test]
    fn weights_are_added_by_sign() {
        let list = Type::scalar(Element::String).listed();
        let weights = Type::scalar(Element::Float64).listed();
        let compiled = hash("", NullVector::Zeros).compile(&[list, weights]).expect("good");
        let rows = |offsets: &[u32]| {
            Some(ListRows { offsets: offsets.to_vec(), marks: vec![Mark::PRESENT; offsets.len() - 1] })
        };
        let values = Values::String(Strings::from_values(["abc", "é", "é", "é"]));
        let texts = Column { values, marks: vec![Mark::PRESENT; 4], list: rows(&[0, 3, 4]) };
        let weights = Column { list: rows(&[0, 3, 3]), ..floats(&[Some(0.5), Some(0.0), None]) };
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&texts, &weights], &mut out);
        assert_eq!(out.float64()[4..6], [-0.5, 0.0]);
        assert_eq!(out.float64()[10..], [0.0; 10]);
        assert_eq!(out.marks, [Mark::NULL.filled(); 2]);
    }

    #[test]
    fn sparks_hashes_have_their_own_seed() {
        // HashingTF puts "abc" into bucket 204392 of 2^18.
        let spark = FeatureHash {
            width: 1 << 18,
            alternate_sign: false,
            scheme: Scheme::Spark,
            ..hash("", NullVector::Null)
        };
        let compiled = spark.compile(&[Type::scalar(Element::String)]).expect("good");
        let values = Values::String(Strings::from_values(["abc"]));
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&Column { values, marks: vec![Mark::PRESENT], list: None }], &mut out);
        let Values::Sparse(vectors) = &out.values else { panic!("wide results are sparse") };
        assert_eq!(vectors.get(0), (&[204_392][..], &[1.0][..]));
    }

    #[test]
    fn weights_have_the_shape_of_the_strings() {
        let list = Type::scalar(Element::String).listed();
        assert!(hash("", NullVector::Null).compile(&[list, Type::scalar(Element::Float64)]).is_err());
        assert!(hash("", NullVector::Null).compile(&[list, list]).is_err());
    }
}
