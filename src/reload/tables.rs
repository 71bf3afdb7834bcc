//! The tables that versions of feature sets read: from memory, or loaded when the first asks for one.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Change, Changed, Kind, Settings, Target,
    board::Board,
    scan::{Named, Scan},
};
use crate::{
    cancel::Cancel,
    loading::Loading,
    plan::graph::Unloaded,
    policy::Serve,
    problem::Problems,
    snapshot::{Snapshot, load_table_folder},
    spec::Spec,
    table::{Loader, Table},
};

/// A load was called off: a newer version overtakes it, or the server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CalledOff;

/// Tables by name, and what became of those that were asked for.
#[derive(Debug)]
pub struct Tables<'a> {
    pub settings: &'a Settings,
    pub board: &'a Board,
    pub stop: &'a Cancel,
    pub scan: &'a Scan,
    pub progress: &'a Loading,
    pub current: Option<&'a Snapshot>,
    /// Loaded and not yet published.
    pub loaded: &'a mut BTreeMap<(String, u32), Arc<Table>>,
    /// The versions that are read where none is named; none where there is none.
    pub defaults: BTreeMap<String, Option<u32>>,
    pub changes: Vec<Change>,
}

impl Tables<'_> {
    /// The tables that a spec reads, by name; those that can't be loaded are left out.
    pub fn of_spec(&mut self, spec: &Spec) -> Result<BTreeMap<String, Arc<Table>>, CalledOff> {
        let mut tables = BTreeMap::new();
        for (name, version) in spec.table_versions() {
            let table = match version {
                Some(version) => self.version(&name, version, false)?,
                None => match self.default(&name)? {
                    Some(version) => self.version(&name, version, true)?,
                    None => None,
                },
            };
            tables.extend(table.map(|table| (name, table)));
        }
        Ok(tables)
    }

    /// The version that is read where none is named: the pinned one, or the newest that can be loaded.
    fn default(&mut self, name: &str) -> Result<Option<u32>, CalledOff> {
        if let Some(known) = self.defaults.get(name) {
            return Ok(*known);
        }
        let target = Target::new(Kind::Table, name);
        let serve =
            self.board.lock().entry(&target).map_or(Serve::Latest, |entry| entry.policy().serve.clone());
        let as_newest = serve == Serve::Latest;
        let candidates: Vec<u32> = match serve {
            Serve::Pinned(version) => vec![version],
            // A table's policy has no split.
            Serve::Latest | Serve::Weighted(_) => {
                let named: Option<&Named> = self.scan.tables.get(name);
                named.into_iter().flat_map(|named| named.versions.keys().rev().copied()).collect()
            }
        };
        let mut found = None;
        for version in candidates {
            if self.version(name, version, as_newest)?.is_some() {
                found = Some(version);
                break;
            }
        }
        self.defaults.insert(name.to_owned(), found);
        Ok(found)
    }

    /// A version of a table; none where it can't be loaded. `as_newest`: the load may be called off for a newer one.
    fn version(
        &mut self,
        name: &str,
        version: u32,
        as_newest: bool,
    ) -> Result<Option<Arc<Table>>, CalledOff> {
        let key = (name.to_owned(), version);
        if let Some(table) = self.loaded.get(&key) {
            return Ok(Some(table.clone()));
        }
        if let Some(table) = self.current.and_then(|current| current.table(name, version)) {
            return Ok(Some(table.clone()));
        }
        let target = Target::new(Kind::Table, name);
        let Some(folder) = self.scan.version(Kind::Table, name, version) else { return Ok(None) };
        if self.board.lock().entry(&target).is_some_and(|entry| entry.failed.contains_key(&version)) {
            return Ok(None);
        }
        let cancel = self.board.lock().begin_load(&target, version, as_newest);
        let loader = Loader {
            threads: self.settings.load_threads,
            budget: self.settings.budget.clone(),
            cancel: cancel.clone(),
            progress: self.progress,
        };
        let started = Instant::now();
        let table = load_table_folder(folder, |path| loader.load(path));
        self.board.lock().end_load(&target, version);
        if cancel.is_cancelled() || self.stop.is_cancelled() {
            return Err(CalledOff);
        }
        match table {
            Ok(table) => {
                self.note_loaded(target, version, started.elapsed(), &table);
                let table = Arc::new(table);
                self.loaded.insert(key, table.clone());
                Ok(Some(table))
            }
            Err(problems) => {
                if let Some(entry) = self.board.lock().entry_mut(&target) {
                    entry.fail(version, folder.path.clone(), problems.clone());
                }
                self.changes.push(Change { target, version: Some(version), what: Changed::Failed(problems) });
                Ok(None)
            }
        }
    }

    fn note_loaded(&mut self, target: Target, version: u32, took: Duration, table: &Table) {
        let (rows, bytes, seconds) = (table.rows(), table.memory(), took.as_secs_f64());
        tracing::info!(table = target.name, version, rows, bytes, seconds, "table loaded");
        self.changes.push(Change { target, version: Some(version), what: Changed::Loaded });
    }

    /// The tables that can't be read, by why.
    pub fn unloaded(&self, spec: &Spec) -> Unloaded {
        let names = spec.table_versions().into_iter().map(|(name, _)| name);
        let failed = names.filter(|name| self.scan.tables.contains_key(name)).collect();
        Unloaded { failed, unread: self.scan.tables.keys().cloned().collect() }
    }

    /// What is wrong with the tables' versions that a spec could read in place of those that are missing in `read`.
    pub fn problems(&self, spec: &Spec, read: &BTreeMap<String, Arc<Table>>) -> Problems {
        let mut problems = Problems::none();
        let state = self.board.lock();
        let missing = spec.table_versions().into_iter().filter(|(name, _)| !read.contains_key(name));
        for (name, wanted) in missing {
            let entry = state.entry(&Target::new(Kind::Table, name));
            let failed = entry.into_iter().flat_map(|entry| &entry.failed);
            for (version, failure) in failed {
                if wanted.is_none_or(|wanted| wanted == *version) {
                    problems.add_below("", failure.problems.clone());
                }
            }
        }
        problems
    }
}
