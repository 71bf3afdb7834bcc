//! Which version of a feature set answers a request that names none.

use std::sync::Arc;

use super::{FeatureSet, Snapshot, Versions};
use crate::policy::{Policy, Serve, Split, findings::Findings};

/// A policy in force, and what its shadow found.
#[derive(Debug, Default)]
pub struct Routing {
    pub policy: Policy,
    /// There where the policy has a shadow.
    pub findings: Option<Arc<Findings>>,
}

impl Snapshot {
    /// The version that answers a request that names none, with weights the one with the largest.
    pub fn default_version(&self, name: &str) -> Option<u32> {
        let versions = self.feature_sets.get(name)?.keys().copied();
        match self.policy(name) {
            Some(policy) => policy.default_version(versions),
            None => versions.max(),
        }
    }

    /// The split of a feature set's requests, and its versions; none where one version answers them all.
    pub fn split(&self, name: &str) -> Option<(&Versions, &Split)> {
        match &self.policy(name)?.serve {
            Serve::Weighted(split) => Some((self.feature_sets.get(name)?, split)),
            Serve::Latest | Serve::Pinned(_) => None,
        }
    }

    /// The version that is computed beside a feature set's answers, what it found, and the share of the requests.
    pub fn shadow(&self, name: &str) -> Option<(&Arc<FeatureSet>, &Arc<Findings>, f64)> {
        let routing = self.routing.get(name)?;
        let shadow = routing.policy.shadow.as_ref()?;
        let feature_set = self.exact(name, shadow.version)?;
        Some((feature_set, routing.findings.as_ref()?, shadow.sample_rate))
    }

    /// The policy in force; none where it is the default.
    pub fn policy(&self, name: &str) -> Option<&Policy> {
        self.routing.get(name).map(|routing| &routing.policy)
    }
}
