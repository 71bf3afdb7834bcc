//! Metrics of versions that change: reloads, traffic and shadows.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metrics::Label;

use super::{Metrics, label};
use crate::policy::findings::Comparison;

impl Metrics {
    /// Notes that versions were looked for, and how long that took where anything changed.
    pub fn reloaded(&self, changed: Option<Duration>, has_failed: bool) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.gauge("quiver_reload_timestamp_seconds", Vec::new()).set(now.as_secs_f64());
        if let Some(took) = changed {
            self.gauge("quiver_snapshot_load_seconds", Vec::new()).set(took.as_secs_f64());
            self.gauge("quiver_reload_ok", Vec::new()).set(if has_failed { 0.0 } else { 1.0 });
        }
    }

    /// Notes how many versions of a table could not be loaded.
    pub fn table_failed(&self, table: &str, versions: usize) {
        self.gauge("quiver_table_failed_versions", vec![label("table", table)]).set(versions as f64);
    }

    /// Notes a version's share of the requests that name none.
    pub fn share(&self, feature_set: &str, version: u32, share: f64) {
        self.gauge("quiver_feature_set_share", of_version(feature_set, version)).set(share);
    }

    /// Notes that a version is not in memory.
    pub fn retired(&self, feature_set: &str, version: u32) {
        self.gauge("quiver_prepared_bytes", of_version(feature_set, version)).set(0.0);
    }

    /// Notes what one request showed of a shadow.
    pub fn shadow_compared(&self, feature_set: &str, version: u32, comparison: &Comparison) {
        self.shadow_requests(feature_set, version, "compared");
        self.counter("quiver_shadow_rows_total", of_version(feature_set, version)).increment(comparison.rows);
        for of in &comparison.features {
            let names = [label("output", &of.first.output), label("feature", &of.first.feature)];
            let labels = of_version(feature_set, version).into_iter().chain(names).collect();
            self.counter("quiver_shadow_different_rows_total", labels).increment(of.rows);
        }
    }

    /// Notes a sampled request that was not compared.
    pub fn shadow_dropped(&self, feature_set: &str, version: u32) {
        self.shadow_requests(feature_set, version, "dropped");
    }

    /// Notes a request that the shadow's version rejected.
    pub fn shadow_rejected(&self, feature_set: &str, version: u32) {
        self.shadow_requests(feature_set, version, "rejected");
    }

    fn shadow_requests(&self, feature_set: &str, version: u32, outcome: &'static str) {
        let mut labels = of_version(feature_set, version);
        labels.push(label("outcome", outcome));
        self.counter("quiver_shadow_requests_total", labels).increment(1);
    }
}

fn of_version(feature_set: &str, version: u32) -> Vec<Label> {
    vec![label("feature_set", feature_set), Label::new("version", version.to_string())]
}
