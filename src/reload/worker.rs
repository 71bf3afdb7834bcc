//! The thread that prepares versions and publishes them.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Arc, mpsc::Receiver},
    time::{Instant, SystemTime},
};

use tokio::sync::oneshot;

use super::{
    Change, Changed, Kind, Reloaded, Settings, Target,
    board::Board,
    publish::{self, Next},
    scan::{Named, Scan},
    tables::{CalledOff, Tables},
};
use crate::{
    cancel::Cancel,
    config::ShowProgress,
    live::Live,
    loading::Loading,
    metrics::Metrics,
    problem::Problems,
    snapshot::{self, FeatureSet, Versions, folders::Numbered},
    table::{Table, lower_priority},
};

/// Asks the worker to look for changes.
#[derive(Debug)]
pub struct Wake {
    /// Whether what failed is tried again.
    pub again: bool,
    pub done: Option<oneshot::Sender<Reloaded>>,
}

/// What the thread owns.
#[derive(Debug)]
pub struct Worker {
    pub repository: PathBuf,
    pub settings: Settings,
    pub live: Live,
    pub board: Arc<Board>,
    pub metrics: Arc<Metrics>,
    /// Called off when nobody waits for the worker any more.
    pub stop: Cancel,
    /// What the repository held the last time.
    pub seen: Scan,
    /// Tables that were loaded for a snapshot that is not yet published.
    pub loaded: BTreeMap<(String, u32), Arc<Table>>,
}

impl Worker {
    /// Prepares and publishes whenever it is woken, until nobody can wake it any more.
    pub fn run(mut self, woken: &Receiver<Wake>) {
        lower_priority();
        while let Ok(first) = woken.recv() {
            let wakes: Vec<Wake> = std::iter::once(first).chain(woken.try_iter()).collect();
            if wakes.iter().any(|wake| wake.done.is_some()) {
                self.settings.follow(&self.stop);
            }
            let again = wakes.iter().any(|wake| wake.again);
            // A bug ends this reload alone: who asked for it gets no answer, and the next one finds the same versions.
            let Ok(reloaded) = catch_unwind(AssertUnwindSafe(|| self.reload(again))) else {
                tracing::error!("a reload failed by a bug; what was served is served on");
                self.board.lock().running = false;
                continue;
            };
            for done in wakes.into_iter().filter_map(|wake| wake.done) {
                // Who asked may have gone.
                let _ = done.send(reloaded.clone());
            }
        }
    }

    fn reload(&mut self, again: bool) -> Reloaded {
        let started = Instant::now();
        self.board.lock().running = true;
        let mut reloaded = Reloaded::default();
        let mut again = again;
        // A load that a newer version overtakes ends the pass; the next one finds the newer version.
        while self.pass(again, &mut reloaded).is_err() && !self.stop.is_cancelled() {
            again = false;
        }
        reloaded.took = started.elapsed();
        publish::show(&self.live, &self.board, &self.metrics);
        reloaded.changes.iter().for_each(log);
        let mut state = self.board.lock();
        (state.running, state.ended_at) = (false, Some(SystemTime::now()));
        let changed = (!reloaded.changes.is_empty()).then_some(reloaded.took);
        state.took = changed.unwrap_or(state.took);
        self.metrics.reloaded(changed, reloaded.has_failed());
        reloaded
    }

    /// Looks once, prepares what is new and publishes what changed.
    fn pass(&mut self, again: bool, reloaded: &mut Reloaded) -> Result<(), CalledOff> {
        let scan = Scan::of(&self.repository).with_unreadable(&self.seen);
        reloaded.problems = scan.problems.clone();
        let policies = self.board.lock().see(&scan, again);
        let policies_changed = policies.iter().any(|change| change.what == Changed::PolicyChanged);
        reloaded.changes.extend(policies);
        let mut loaded = std::mem::take(&mut self.loaded);
        let next = self.next(&scan, &mut loaded, &mut reloaded.changes);
        self.seen = scan;
        let next = match next {
            Ok(next) => next,
            Err(called_off) => {
                self.loaded = loaded;
                return Err(called_off);
            }
        };
        if self.is_publishable(&next, reloaded) {
            let (live, writers) = (&self.live, &self.settings.writers);
            let changes =
                publish::prepared(next, policies_changed, live, writers, &self.board, &self.metrics);
            reloaded.changes.extend(changes);
        }
        Ok(())
    }

    /// Whether the snapshot may be published: the first one must serve something, and all of it where nothing may be wrong.
    fn is_publishable(&self, next: &Next, reloaded: &Reloaded) -> bool {
        if self.live.current().is_some() {
            return true;
        }
        let serves = next.feature_sets.values().any(|versions| !versions.is_empty());
        serves && !(self.settings.strict && (reloaded.has_failed() || !reloaded.problems.is_empty()))
    }

    /// Prepares what is to be in memory.
    fn next(
        &self,
        scan: &Scan,
        loaded: &mut BTreeMap<(String, u32), Arc<Table>>,
        changes: &mut Vec<Change>,
    ) -> Result<Next, CalledOff> {
        let current = self.live.current();
        // A bar is for those who wait for the server.
        let show = if current.is_some() { ShowProgress::Never } else { self.settings.progress };
        let loading = Loading::start(&self.repository, show).with_ratio(self.metrics.load_progress());
        let mut tables = Tables {
            settings: &self.settings,
            board: &self.board,
            stop: &self.stop,
            scan,
            progress: &loading,
            current: current.as_deref(),
            loaded,
            defaults: BTreeMap::new(),
            changes: Vec::new(),
        };
        let mut feature_sets = BTreeMap::new();
        let mut ended = Ok(());
        for (name, named) in &scan.feature_sets {
            match self.versions(&Target::new(Kind::FeatureSet, name), named, &mut tables) {
                Ok(versions) if versions.is_empty() => {}
                Ok(versions) => drop(feature_sets.insert(name.clone(), versions)),
                Err(called_off) => {
                    ended = Err(called_off);
                    break;
                }
            }
        }
        loading.finish();
        changes.append(&mut tables.changes);
        let mut defaults = tables.defaults;
        ended?;
        for (name, version) in self.note_unread(&feature_sets, loaded, changes) {
            // What was read before is read on.
            defaults.retain(|of, default| *of != name || *default != Some(version));
        }
        Ok(Next { feature_sets, tables: defaults })
    }

    /// A table's version that was loaded and that no feature set can read has failed: it is not to be loaded again and again.
    fn note_unread(
        &self,
        feature_sets: &BTreeMap<String, Versions>,
        loaded: &BTreeMap<(String, u32), Arc<Table>>,
        changes: &mut Vec<Change>,
    ) -> Vec<(String, u32)> {
        let mut unread = Vec::new();
        let all = || feature_sets.values().flat_map(BTreeMap::values).flat_map(|of| of.tables());
        let mut state = self.board.lock();
        for ((name, version), table) in loaded {
            if all().any(|read| Arc::ptr_eq(read, table)) {
                continue;
            }
            let target = Target::new(Kind::Table, name);
            let problems = Problems::one(
                format!("tables/{name}/{version}"),
                "no feature set can read it; the problems are with the feature sets that look it up",
            );
            if let Some(entry) = state.entry_mut(&target) {
                entry.fail_unread(*version, problems.clone());
            }
            changes.push(Change { target, version: Some(*version), what: Changed::Failed(problems) });
            unread.push((name.clone(), *version));
        }
        unread
    }

    /// The versions of a feature set that are to be in memory, as far as they can be served.
    fn versions(
        &self,
        target: &Target,
        named: &Named,
        tables: &mut Tables<'_>,
    ) -> Result<Versions, CalledOff> {
        let (keep, wanted) = {
            let state = self.board.lock();
            let Some(entry) = state.entry(target) else { return Ok(Versions::new()) };
            let named = entry.policy().named();
            (entry.policy().keep(), entry.wanted.iter().copied().chain(named).collect::<Vec<_>>())
        };
        let mut versions = Versions::new();
        for (version, folder) in named.versions.iter().rev() {
            if versions.len() < keep || wanted.contains(version) {
                let prepared = self.prepare(target, folder, tables)?;
                versions.extend(prepared.map(|feature_set| (*version, feature_set)));
            }
        }
        Ok(versions)
    }

    /// A version over the tables that it is to read; none where it can't be served. One that is in memory and does not fit
    /// its tables' newest versions is served on with those that it has.
    fn prepare(
        &self,
        target: &Target,
        folder: &Numbered,
        tables: &mut Tables<'_>,
    ) -> Result<Option<Arc<FeatureSet>>, CalledOff> {
        let version = folder.version;
        let existing = tables.current.and_then(|current| current.exact(&target.name, version)).cloned();
        let has_failed =
            self.board.lock().entry(target).is_some_and(|entry| entry.failed.contains_key(&version));
        if existing.is_none() && has_failed {
            return Ok(None);
        }
        let prepared = match &existing {
            Some(existing) => self.rebind(existing, tables)?,
            None => self.build(target, folder, tables)?,
        };
        let problems = match prepared {
            Ok(feature_set) => {
                self.note_failure(target, folder, None);
                return Ok(Some(feature_set));
            }
            Err(problems) => problems,
        };
        if self.note_failure(target, folder, Some(problems.clone())) {
            let what = Changed::Failed(problems);
            tables.changes.push(Change { target: target.clone(), version: Some(version), what });
        }
        Ok(existing)
    }

    /// The same version over its tables' current versions.
    fn rebind(
        &self,
        existing: &Arc<FeatureSet>,
        tables: &mut Tables<'_>,
    ) -> Result<Result<Arc<FeatureSet>, Problems>, CalledOff> {
        let read = tables.of_spec(existing.spec())?;
        let is_same =
            |table: &Arc<Table>| read.get(&table.schema().name).is_some_and(|now| Arc::ptr_eq(now, table));
        if existing.tables().iter().all(is_same) {
            return Ok(Ok(existing.clone()));
        }
        if existing.tables().iter().any(|table| !read.contains_key(&table.schema().name)) {
            return Ok(Err(tables.problems(existing.spec(), &read)));
        }
        Ok(existing.rebind(&read, &self.settings.binder).map(Arc::new))
    }

    fn build(
        &self,
        target: &Target,
        folder: &Numbered,
        tables: &mut Tables<'_>,
    ) -> Result<Result<Arc<FeatureSet>, Problems>, CalledOff> {
        let cancel = self.board.lock().begin_load(target, folder.version, false);
        let built = self.build_unnoted(folder, tables);
        self.board.lock().end_load(target, folder.version);
        if cancel.is_cancelled() || self.stop.is_cancelled() { Err(CalledOff) } else { built }
    }

    fn build_unnoted(
        &self,
        folder: &Numbered,
        tables: &mut Tables<'_>,
    ) -> Result<Result<Arc<FeatureSet>, Problems>, CalledOff> {
        let version = match snapshot::read_folder(folder) {
            Ok(version) => version,
            Err(problems) => return Ok(Err(problems)),
        };
        let spec = version.spec.clone();
        let read = tables.of_spec(&spec)?;
        let unloaded = tables.unloaded(&spec);
        let built = snapshot::build_folder(folder, version, &read, &unloaded, &self.settings.binder);
        Ok(built.map(Arc::new).map_err(|mut problems| {
            problems.add_below("", tables.problems(&spec, &read));
            problems
        }))
    }

    /// Notes whether a version could be prepared. True if that is news.
    fn note_failure(&self, target: &Target, folder: &Numbered, problems: Option<Problems>) -> bool {
        let mut state = self.board.lock();
        let Some(entry) = state.entry_mut(target) else { return false };
        let before = entry.failed.remove(&folder.version);
        let Some(problems) = problems else { return false };
        let is_news = before.is_none_or(|before| before.problems != problems);
        entry.fail(folder.version, folder.path.clone(), problems);
        is_news
    }
}

fn log(change: &Change) {
    let Change { target, version, what } = change;
    let (kind, name, version) = (target.kind.name(), target.name.as_str(), version.unwrap_or_default());
    match what {
        // With its rows and bytes it was logged right when it was loaded.
        Changed::Loaded if target.kind == Kind::Table => {}
        Changed::Loaded => tracing::info!(kind, name, version, "loaded"),
        Changed::Rebound => tracing::info!(kind, name, version, "reads another version of a table"),
        Changed::Retired => tracing::info!(kind, name, version, "retired from memory"),
        Changed::Removed => tracing::info!(kind, name, version, "removed"),
        Changed::PolicyChanged => tracing::info!(kind, name, "a new policy is in force"),
        Changed::Failed(problems) => {
            for problem in problems.iter() {
                tracing::error!(kind, name, version, %problem, "can't be served");
            }
        }
        Changed::PolicyFailed(problems) => {
            for problem in problems.iter() {
                tracing::error!(kind, name, %problem, "the policy before it stays in force");
            }
        }
    }
}
