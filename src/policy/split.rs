//! Splits of the requests among versions by a hash of their routing key.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::problem::Problems;

/// The largest weight.
const MOST: u32 = 1_000_000;

/// Versions with their weights. Requests with the same routing key get the same version, in every process.
///
/// A request's point is `(XXH3_64(key, seed) * total) >> 64`, computed in 128 bits, where `total` is the sum of the weights.
/// The versions are passed in increasing order, and the first whose weight, added to those before it, is above the
/// point answers. A version that is higher than the others so keeps its requests when its weight is raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// The weight of each version, at most 1000000; their sum is above 0.
    pub versions: BTreeMap<u32, u32>,
    /// An input of request scope, of any type but floats and lists. A request that does not bring it, or brings null, gets
    /// the version with the largest weight (the lowest one of several).
    pub routing_key: String,
    /// The hash's seed. Splits with different seeds are independent of each other.
    #[serde(default)]
    pub seed: u64,
}

impl Split {
    /// The version of a request by the bytes of its key: UTF-8 of a string; 8 bytes, little-endian, of an integer or a time;
    /// one byte, 0 or 1, of a boolean. The largest where there is no key.
    pub fn version(&self, key: Option<&[u8]>) -> Option<u32> {
        let Some(key) = key else { return self.largest(self.versions.keys().copied()) };
        let hash = xxh3_64_with_seed(key, self.seed);
        let point = ((u128::from(hash) * u128::from(self.total())) >> 64) as u64;
        let mut end = 0;
        let of_point = self.versions.iter().find(|(_, weight)| {
            end += u64::from(**weight);
            end > point
        });
        of_point.map(|(version, _)| *version)
    }

    /// The available version with the largest weight, the lowest one of several. A weight of 0 never answers.
    pub fn largest(&self, available: impl IntoIterator<Item = u32>) -> Option<u32> {
        let weighted = available.into_iter().filter_map(|version| {
            let weight = *self.versions.get(&version)?;
            (weight > 0).then_some((weight, std::cmp::Reverse(version)))
        });
        weighted.max().map(|(_, version)| version.0)
    }

    /// The share of the requests that each available version answers; `default` answers for those that are not available.
    pub fn shares(&self, available: &[u32], default: u32) -> BTreeMap<u32, f64> {
        let mut shares = BTreeMap::new();
        for (version, weight) in &self.versions {
            let answers = if available.contains(version) { *version } else { default };
            *shares.entry(answers).or_default() += f64::from(*weight) / self.total() as f64;
        }
        shares
    }

    /// What is wrong with it.
    pub fn problems(&self) -> Problems {
        let mut problems = Problems::none();
        for (version, weight) in &self.versions {
            if *version == 0 {
                problems.add("versions.0", "is no version: versions count from 1");
            } else if *weight > MOST {
                problems.add(format!("versions.{version}"), format!("is {weight}, must be at most {MOST}"));
            }
        }
        if self.total() == 0 {
            problems.add("versions", "the sum of the weights is 0, must be above 0");
        }
        if self.routing_key.is_empty() {
            problems.add("routing_key", "is empty, must be the name of an input");
        }
        problems
    }

    fn total(&self) -> u64 {
        self.versions.values().map(|weight| u64::from(*weight)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(weights: &[(u32, u32)], seed: u64) -> Split {
        Split { versions: weights.iter().copied().collect(), routing_key: "user".to_owned(), seed }
    }

    fn of(split: &Split, user: u64) -> u32 {
        split.version(Some(&user.to_le_bytes())).expect("a weight above 0")
    }

    #[test]
    fn the_point_is_as_stated() {
        let hundred: Vec<(u32, u32)> = (1..=100).map(|version| (version, 1)).collect();
        // As Python has it: xxhash.xxh3_64_intdigest(b"ann", seed=7) * 100 >> 64 is 67.
        assert_eq!(split(&hundred, 7).version(Some(b"ann")), Some(68));
        // xxhash.xxh3_64_intdigest((42).to_bytes(8, "little")) * 100 >> 64 is 83.
        assert_eq!(of(&split(&hundred, 0), 42), 84);
    }

    #[test]
    fn shares_follow_the_weights_and_a_raised_version_keeps_its_requests() {
        let (small, large) = (split(&[(7, 99), (8, 1)], 0), split(&[(7, 90), (8, 10)], 0));
        let canary = |split: &Split| (0..100_000).filter(|user| of(split, *user) == 8).collect::<Vec<_>>();
        let (few, more) = (canary(&small), canary(&large));
        assert!((800..1200).contains(&few.len()), "{}", few.len());
        assert!((9_500..10_500).contains(&more.len()), "{}", more.len());
        assert!(few.iter().all(|user| more.contains(user)));
        let other = canary(&split(&[(7, 99), (8, 1)], 1));
        assert_ne!(few, other);
    }

    #[test]
    fn without_a_key_the_largest_answers() {
        assert_eq!(split(&[(7, 1), (8, 5), (9, 5)], 0).version(None), Some(8));
        assert_eq!(split(&[(7, 1), (8, 5)], 0).largest([7]), Some(7));
        assert_eq!(split(&[(7, 0), (8, 5)], 0).largest([7]), None);
    }

    #[test]
    fn a_version_that_is_not_available_leaves_its_share_to_the_default() {
        let shares = split(&[(7, 1), (8, 3)], 0).shares(&[7], 7);
        assert_eq!(shares, BTreeMap::from([(7, 1.0)]));
    }
}
