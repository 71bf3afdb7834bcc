//! Policies set by a call, and rollbacks: a version that is in memory answers at once, whatever is being loaded.

use super::{Kind, Reload, Target, board::Entry, publish};
use crate::{
    policy::{Policy, Serve},
    problem::{Problems, listed, quoted},
};

/// Why an admin call changed nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Refused {
    /// No such feature set or table; the message lists those that there are.
    NotFound(String),
    /// The policy's problems, each with its place.
    Invalid(Problems),
    /// There is no version to return to.
    NoneBefore(String),
    /// Nothing is served yet, or the server ends.
    NotReady,
}

/// A policy that was set.
#[derive(Debug, Clone, PartialEq)]
pub struct InForce {
    pub policy: Policy,
    pub default: Option<u32>,
    /// Why it could not be written.
    pub not_persisted: Option<String>,
}

/// A rollback.
#[derive(Debug, Clone, PartialEq)]
pub struct RolledBack {
    pub version: u32,
    pub from: u32,
    /// Why the policy could not be written.
    pub not_persisted: Option<String>,
}

impl Reload {
    /// Replaces a policy and writes it. Versions that it names are loaded first.
    pub async fn set_traffic(&self, target: &Target, policy: Policy) -> Result<InForce, Refused> {
        let checked = match target.kind {
            Kind::FeatureSet => policy.checked(),
            Kind::Table => policy.checked_for_table(),
        };
        let policy = checked.map_err(Refused::Invalid)?;
        if self.with_entry(target, |entry| check_versions(entry, &policy))?.is_err() {
            // The version may have come since the last look.
            self.reload(false).await.map_err(|_| Refused::NotReady)?;
            self.with_entry(target, |entry| check_versions(entry, &policy))?.map_err(Refused::Invalid)?;
        }
        self.install(target, |entry| Policy { previous: entry.policy().previous.clone(), ..policy }, None)
            .await
    }

    /// Returns to the version that answered before, and pins it.
    pub async fn roll_back(&self, target: &Target) -> Result<RolledBack, Refused> {
        let (from, version) = self.with_entry(target, |entry| before(target, entry))??;
        let pinned = |entry: &Entry| {
            let mut policy = Policy { serve: Serve::Pinned(version), ..entry.policy().clone() };
            policy.previous.retain(|of| *of != version && *of != from);
            policy
        };
        let InForce { not_persisted, .. } = self.install(target, pinned, Some(version)).await?;
        tracing::warn!(target.kind = target.kind.name(), target.name, version, from, "rolled back");
        Ok(RolledBack { version, from, not_persisted })
    }

    /// Loads the versions that a policy names, puts it in force, publishes and writes it. `rolled_back` is the version that
    /// answers from then on without that before it being remembered.
    async fn install(
        &self,
        target: &Target,
        make: impl FnOnce(&Entry) -> Policy,
        rolled_back: Option<u32>,
    ) -> Result<InForce, Refused> {
        let policy = self.with_entry(target, |entry| make(entry))?;
        let named = policy.named();
        let loaded = self.load_named(target, &policy).await;
        let in_force = match loaded {
            Ok(()) => self.put_in_force(target, policy, rolled_back).await,
            Err(refused) => Err(refused),
        };
        self.with_entry(target, |entry| entry.wanted.retain(|version| !named.contains(version)))?;
        // Versions that no policy names any more are retired in passing.
        let _ = self.0.wake.send(super::Wake { again: false, done: None });
        in_force
    }

    /// Puts a policy in force whose versions are in memory.
    async fn put_in_force(
        &self,
        target: &Target,
        policy: Policy,
        rolled_back: Option<u32>,
    ) -> Result<InForce, Refused> {
        let current = self.0.live.current();
        if let Some(versions) = current.as_ref().and_then(|current| current.all_versions(&target.name))
            && target.kind == Kind::FeatureSet
        {
            publish::check_split(&policy, versions).map_err(Refused::Invalid)?;
        }
        let before = self.with_entry(target, |entry| {
            let before = entry.policy().clone();
            entry.set_policy(policy.clone());
            if rolled_back.is_some() {
                entry.default = rolled_back;
            }
            before
        })?;
        match target.kind {
            Kind::FeatureSet => publish::routing(&self.0.live, &self.0.board, &self.0.metrics),
            // The worker binds its readers to the version.
            Kind::Table => drop(self.reload(false).await),
        }
        let in_force = self.with_entry(target, |entry| {
            let lacking = lacking(target.kind, entry, &policy);
            if !lacking.is_empty() {
                entry.set_policy(before);
                return Err(Refused::Invalid(lacking));
            }
            let not_persisted = entry.persist().err();
            Ok(InForce { policy: entry.policy().clone(), default: entry.default, not_persisted })
        })??;
        if let Some(why) = &in_force.not_persisted {
            tracing::warn!(why, "the policy is in force and will be lost when the server ends");
        }
        Ok(in_force)
    }

    /// Loads what a policy names and is not in memory. It stays there for as long as the entry wants it. Versions of a table are
    /// loaded when the policy is in force.
    async fn load_named(&self, target: &Target, policy: &Policy) -> Result<(), Refused> {
        let is_feature_set = target.kind == Kind::FeatureSet;
        let is_there = self.with_entry(target, |entry| {
            let is_there = lacking(target.kind, entry, policy).is_empty();
            for version in policy.named() {
                entry.wanted.extend(is_feature_set.then_some(version));
                // It is tried again if it failed and is not in memory.
                if !entry.loaded_at.contains_key(&version) {
                    entry.failed.remove(&version);
                }
            }
            is_there
        })?;
        if is_there || !is_feature_set {
            return Ok(());
        }
        self.reload(false).await.map_err(|_| Refused::NotReady)?;
        self.with_entry(target, |entry| lacking(target.kind, entry, policy))?.or(()).map_err(Refused::Invalid)
    }

    fn with_entry<T>(&self, target: &Target, of: impl FnOnce(&mut Entry) -> T) -> Result<T, Refused> {
        let mut state = self.0.board.lock();
        if state.published == 0 {
            return Err(Refused::NotReady);
        }
        if let Some(entry) = state.entry_mut(target) {
            return Ok(of(entry));
        }
        let known = listed(state.of_kind(target.kind).map(|(name, _)| name));
        let kind = target.kind.name();
        Err(Refused::NotFound(format!("there is no {kind} {}; there are: {known}", quoted(&target.name))))
    }
}

/// Rejects versions that are not on disk.
fn check_versions(entry: &Entry, policy: &Policy) -> Result<(), Problems> {
    let mut problems = Problems::none();
    for (place, version) in policy.named_with_places() {
        if !entry.versions.contains(&version) {
            let known: Vec<String> = entry.versions.iter().map(u32::to_string).collect();
            let known = listed(known.iter().map(String::as_str));
            problems.add(place, format!("there is no version {version}; there are: {known}"));
        }
    }
    problems.or(())
}

/// The versions that a policy names and that can't be served, each with why. A table's version need not be in memory:
/// nothing may read it.
fn lacking(kind: Kind, entry: &Entry, policy: &Policy) -> Problems {
    let mut problems = Problems::none();
    for (place, version) in policy.named_with_places() {
        let is_lacking = match kind {
            Kind::FeatureSet => !entry.loaded_at.contains_key(&version),
            Kind::Table => entry.failed.contains_key(&version),
        };
        if is_lacking {
            let why = entry.failed.get(&version).map(|failure| failure.problems.summary());
            let why = why.unwrap_or_else(|| "it could not be loaded".to_owned());
            problems.add(place, format!("version {version} can't be served: {why}"));
        }
    }
    problems
}

/// The version that answers, and the one before it.
fn before(target: &Target, entry: &Entry) -> Result<(u32, u32), Refused> {
    let Some(from) = entry.default else {
        return Err(Refused::NoneBefore(format!("no version of {target} answers")));
    };
    let can_serve = |version: &&u32| {
        **version != from && entry.versions.contains(version) && !entry.failed.contains_key(version)
    };
    let remembered = entry.policy().previous.iter().rev().find(can_serve);
    // A server that was started since remembers none: then it is the next lower one.
    let lower = || entry.versions.range(..from).rev().find(can_serve);
    remembered.or_else(lower).map(|version| (from, *version)).ok_or_else(|| {
        Refused::NoneBefore(format!(
            "no version of {target} answered before version {from}, and none lower is on disk"
        ))
    })
}
