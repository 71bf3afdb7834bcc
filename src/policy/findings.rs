//! What a shadow found: how often its values differ from the answers, by feature, and the first differences.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use xxhash_rust::xxh3::xxh3_64;

/// The first differences that are kept of one feature.
const KEPT_OF_FEATURE: usize = 3;

/// The first differences that are kept in all.
const KEPT: usize = 60;

/// The counts of one shadow since it was set.
#[derive(Debug, Default)]
pub struct Findings {
    asked: AtomicU64,
    dropped: AtomicU64,
    found: Mutex<Found>,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Requests that were compared.
    pub compared: u64,
    /// Requests that were sampled and not compared, because too many were waiting.
    pub dropped: u64,
    /// Requests that the shadow's version rejected.
    pub rejected: u64,
    /// Why it rejected the first of them.
    pub first_rejection: Option<String>,
    /// Rows that were compared.
    pub rows: u64,
    /// Rows in which a feature differed, by the names of output and feature.
    pub features: BTreeMap<(String, String), u64>,
    /// The first differences.
    pub first: Vec<Difference>,
}

/// One value that differed.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    pub output: String,
    pub feature: String,
    pub row: u32,
    /// The column within the feature.
    pub column: u32,
    /// The version that answered.
    pub served_version: u32,
    pub served: f64,
    pub shadow: f64,
}

/// The differences of one request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparison {
    pub rows: u64,
    /// For each feature that differed: the names of its output and of itself, the rows, and the first values.
    pub features: Vec<FeatureDifference>,
}

/// How one feature differed in one request.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureDifference {
    pub rows: u64,
    /// One for each of the first rows; names the feature.
    pub first: Difference,
}

impl Findings {
    /// Whether the next request is to be sampled. Of n requests it is `rate * n` of them, up to chance; which ones follows
    /// no period.
    pub fn samples(&self, rate: f64) -> bool {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        rate >= 1.0 || (xxh3_64(&number.to_le_bytes()) as f64) < rate * 2f64.powi(64)
    }

    /// Notes that a sampled request was not compared.
    pub fn drop_one(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that the shadow's version rejected a request.
    pub fn reject(&self, why: impl FnOnce() -> String) {
        let mut found = self.lock();
        found.rejected += 1;
        found.first_rejection.get_or_insert_with(why);
    }

    /// Notes what one request showed.
    pub fn add(&self, comparison: &Comparison) {
        let mut found = self.lock();
        found.compared += 1;
        found.rows += comparison.rows;
        for FeatureDifference { rows, first } in &comparison.features {
            let name = (first.output.clone(), first.feature.clone());
            *found.features.entry(name).or_default() += rows;
            let is_of_feature =
                |kept: &&Difference| kept.output == first.output && kept.feature == first.feature;
            let of_feature = found.first.iter().filter(is_of_feature).count();
            if found.first.len() < KEPT && of_feature < KEPT_OF_FEATURE {
                found.first.push(first.clone());
            }
        }
    }

    /// All of it.
    pub fn read(&self) -> Found {
        Found { dropped: self.dropped.load(Ordering::Relaxed), ..self.lock().clone() }
    }

    fn lock(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(feature: &str, row: u32) -> Difference {
        let (output, feature) = ("dense".to_owned(), feature.to_owned());
        Difference { output, feature, row, column: 0, served_version: 1, served: 1.0, shadow: 2.0 }
    }

    #[test]
    fn a_share_is_sampled() {
        let findings = Findings::default();
        let sampled = (0..10_000).filter(|_| findings.samples(0.1)).count();
        assert!((900..1100).contains(&sampled), "{sampled}");
        assert!((0..100).all(|_| findings.samples(1.0)));
    }

    #[test]
    fn counts_add_up_and_the_first_differences_are_kept() {
        let findings = Findings::default();
        for row in 0..10 {
            let features = vec![FeatureDifference { rows: 2, first: difference("bid", row) }];
            findings.add(&Comparison { rows: 5, features });
        }
        findings.add(&Comparison { rows: 5, features: Vec::new() });
        findings.reject(|| "no input".to_owned());
        findings.reject(|| "another".to_owned());
        findings.drop_one();
        let found = findings.read();
        assert_eq!((found.compared, found.rows, found.dropped, found.rejected), (11, 55, 1, 2));
        assert_eq!(found.first_rejection.as_deref(), Some("no input"));
        assert_eq!(found.features[&("dense".to_owned(), "bid".to_owned())], 20);
        assert_eq!(found.first, (0..3).map(|row| difference("bid", row)).collect::<Vec<_>>());
    }
}
