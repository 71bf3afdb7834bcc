//! Policies: which version of a feature set or table answers where a request or a spec names none, in `policy.json` beside
//! the versions.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::problem::Problems;

mod file;
pub mod findings;
mod split;

pub use file::{FILE, read, write};
pub use split::Split;

/// The `format` of the policies that this server reads.
pub const FORMAT: &str = "quiver.policy/1";

/// How many of the highest versions stay in memory where a policy says nothing else: the newest, and the one before it for
/// callers that name it and for a rollback.
pub const KEEP: u32 = 2;

/// Versions that a rollback can return to, at most.
pub const PREVIOUS: usize = 8;

/// Which version answers, and which others are in memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Always "quiver.policy/1".
    pub format: String,
    /// Which version answers a request that names none. For a table: which version is read by lookups that name none.
    pub serve: Serve,
    /// A version that is computed beside the answers, for a sample of the requests. Not for tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Shadow>,
    /// How many of the highest versions stay in memory, beside those that are named here; 2 where it is not written. A
    /// table's versions are in memory while a lookup reads them: not for tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<u32>,
    /// The versions that answered before, the latest last: what a rollback returns to. Written by the server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub previous: Vec<u32>,
}

/// Which version answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Serve {
    /// The highest one that can be served.
    Latest,
    /// This one and no other.
    Pinned(u32),
    /// Several, each a share of the requests. Not for tables.
    Weighted(Split),
}

/// A version that is computed for a sample of the requests and compared with the answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shadow {
    pub version: u32,
    /// The share of the requests, above 0 and at most 1.
    pub sample_rate: f64,
}

impl Default for Policy {
    fn default() -> Self {
        Self::serving(Serve::Latest)
    }
}

impl Policy {
    /// The policy that says this alone.
    pub fn serving(serve: Serve) -> Self {
        Self { format: FORMAT.to_owned(), serve, shadow: None, keep: None, previous: Vec::new() }
    }

    /// The same with what is wrong in it, each with its place.
    pub fn checked(self) -> Result<Self, Problems> {
        let mut problems = Problems::none();
        if self.format != FORMAT {
            problems.add("format", format!("is {:?}, this server reads {FORMAT:?}", self.format));
        }
        match &self.serve {
            Serve::Latest => {}
            Serve::Pinned(version) => check_version("serve.pinned", *version, &mut problems),
            Serve::Weighted(split) => problems.add_below("serve.weighted", split.problems()),
        }
        if let Some(Shadow { version, sample_rate }) = self.shadow {
            check_version("shadow.version", version, &mut problems);
            if !(sample_rate > 0.0 && sample_rate <= 1.0) {
                let message = format!("is {sample_rate}, must be above 0 and at most 1");
                problems.add("shadow.sample_rate", message);
            }
        }
        if self.keep == Some(0) {
            problems.add("keep", "is 0, must be 1 or more");
        }
        problems.or(self)
    }

    /// The same, with what makes no sense for a table.
    pub fn checked_for_table(self) -> Result<Self, Problems> {
        let policy = self.checked()?;
        let mut problems = Problems::none();
        if let Serve::Weighted(_) = policy.serve {
            problems.add("serve", "a table has no routing key: \"latest\" or {\"pinned\": VERSION}");
        }
        if policy.shadow.is_some() {
            problems.add("shadow", "is for feature sets only");
        }
        if policy.keep.is_some() {
            problems.add("keep", "is for feature sets only: a table's version is in memory while it is read");
        }
        problems.or(policy)
    }

    /// The versions that it names.
    pub fn named(&self) -> Vec<u32> {
        self.named_with_places().into_iter().map(|(_, version)| version).collect()
    }

    /// The versions that it names, each with its place in the document.
    pub fn named_with_places(&self) -> Vec<(String, u32)> {
        let mut named = match &self.serve {
            Serve::Latest => Vec::new(),
            Serve::Pinned(version) => vec![("serve.pinned".to_owned(), *version)],
            Serve::Weighted(split) => {
                let place = |version: &u32| (format!("serve.weighted.versions.{version}"), *version);
                split.versions.keys().map(place).collect()
            }
        };
        named.extend(self.shadow.iter().map(|shadow| ("shadow.version".to_owned(), shadow.version)));
        named
    }

    /// How many of the highest versions stay in memory.
    pub fn keep(&self) -> usize {
        self.keep.unwrap_or(KEEP) as usize
    }

    /// The version that answers most requests, out of the available ones.
    pub fn default_version(&self, available: impl IntoIterator<Item = u32>) -> Option<u32> {
        let mut available = available.into_iter();
        match &self.serve {
            Serve::Latest => available.max(),
            Serve::Pinned(version) => available.find(|of| of == version),
            Serve::Weighted(split) => split.largest(available),
        }
    }

    /// The share of the requests that each available version answers.
    pub fn shares(&self, available: &[u32]) -> BTreeMap<u32, f64> {
        let default = self.default_version(available.iter().copied());
        let Some(default) = default else { return BTreeMap::new() };
        match &self.serve {
            Serve::Latest | Serve::Pinned(_) => BTreeMap::from([(default, 1.0)]),
            Serve::Weighted(split) => split.shares(available, default),
        }
    }
}

fn check_version(place: &str, version: u32, problems: &mut Problems) {
    if version == 0 {
        problems.add(place, "is 0, must be 1 or more");
    }
}

/// The JSON Schema of policies, as published.
pub fn json_schema() -> Schema {
    schemars::schema_for!(Policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Policy, String> {
        file::from_text(text).and_then(Policy::checked).map_err(|problems| problems.to_string())
    }

    #[test]
    fn policies_are_read_as_they_are_written() {
        let text = r#"{"format": "quiver.policy/1", "serve": {"weighted": {"versions": {"7": 99, "8": 1},
            "routing_key": "user_id"}}, "shadow": {"version": 9, "sample_rate": 0.5}, "previous": [6]}"#;
        let policy = read(text).expect("good");
        assert_eq!(policy.named(), [7, 8, 9]);
        let again = serde_json::to_string(&policy).expect("writes");
        assert_eq!(read(&again), Ok(policy));
        let pinned =
            read(r#"{"format": "quiver.policy/1", "serve": {"pinned": 3}, "keep": 1}"#).expect("good");
        assert_eq!((pinned.serve, pinned.keep), (Serve::Pinned(3), Some(1)));
    }

    #[test]
    fn every_problem_has_its_place() {
        let check = |text: &str, expect: &[&str]| {
            let problems = read(text).expect_err("bad");
            for place in expect {
                assert!(problems.contains(place), "{place} in {problems}");
            }
            assert_eq!(problems.lines().count(), expect.len(), "{problems}");
        };
        check(
            r#"{"format": "2", "serve": {"weighted": {"versions": {"0": 0, "8": 1000001}, "routing_key": ""}},
            "shadow": {"version": 0, "sample_rate": 2}, "keep": 0}"#,
            &[
                "format: is",
                "serve.weighted.versions.0: is no version",
                "serve.weighted.versions.8: is 1000001",
                "serve.weighted.routing_key: is empty",
                "shadow.version: is 0",
                "shadow.sample_rate: is 2",
                "keep: is 0",
            ],
        );
        check(r#"{"format": "quiver.policy/1", "serve": {"pinned": -1}}"#, &["serve.pinned: invalid value"]);
        check(r#"{"format": "quiver.policy/1", "serve": "newest"}"#, &["unknown variant `newest`"]);
        check("{", &["not valid JSON"]);
    }

    #[test]
    fn tables_take_one_version_at_a_time() {
        let split = Split { versions: BTreeMap::from([(1, 1)]), routing_key: "user".to_owned(), seed: 0 };
        let weighted = Policy { keep: Some(1), ..Policy::serving(Serve::Weighted(split)) };
        assert_eq!(weighted.checked_for_table().expect_err("a split").len(), 2);
        assert!(Policy::serving(Serve::Pinned(3)).checked_for_table().is_ok());
    }

    #[test]
    fn the_default_is_one_that_is_available() {
        let default = |serve: Serve, available: &[u32]| {
            Policy::serving(serve).default_version(available.iter().copied())
        };
        assert_eq!(default(Serve::Latest, &[1, 3, 2]), Some(3));
        assert_eq!(default(Serve::Latest, &[]), None);
        assert_eq!(default(Serve::Pinned(2), &[1, 3]), None);
        assert_eq!(default(Serve::Pinned(1), &[1, 3]), Some(1));
    }
}
