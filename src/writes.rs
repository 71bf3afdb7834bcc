//! Writing rows of live tables: checked, journaled, folded into the next snapshot, and only then acknowledged.
//!
//! Each table has one writer, a thread of its own: it takes all calls that wait, writes them to the journal with one sync,
//! folds them and publishes. What was acknowledged is in the current snapshot, so every request that starts afterwards
//! sees it; and as one thread writes, no write is lost to another.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use crate::{
    batch::time,
    budget::Budget,
    live::Live,
    problem::{Problems, listed, quoted},
    snapshot::{Snapshot, Versions},
    table::Table,
};
use check::Clock;
use queue::Queue;
pub use queue::Waiting;
use sent::Sent;
use writer::Writer;

pub mod check;
mod queue;
mod record;
mod replay;
pub mod sent;
mod writer;

/// How rows are written.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder of the journals; without one, written rows end with the process.
    pub journal: Option<PathBuf>,
    /// How far ahead of the server's clock event times may be.
    pub most_ahead: Duration,
    /// Written rows reserve their memory from it.
    pub budget: Budget,
}

/// The writers of all live tables. Clones are the same.
#[derive(Debug, Clone)]
pub struct Writers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    live: Live,
    settings: Settings,
    /// By table.
    queues: RwLock<BTreeMap<String, Arc<Queue>>>,
}

/// What came of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Rows that were written.
    pub applied: usize,
    /// Rows that were passed over, as what is there is newer.
    pub ignored: usize,
    /// Whether they survive the end of the process.
    pub durable: bool,
    pub table_version: u32,
}

/// Why nothing was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// What was sent does not fit the table; every problem with its place in the request.
    Invalid(Problems),
    /// No such table, or one that takes no writes; the message lists those that do.
    NotFound(String),
    /// No snapshot is live yet.
    NotReady,
    /// Too much waits to be written.
    Busy,
    /// There is no memory for more rows; the message says what takes it.
    NoMemory(String),
    /// The journal can't be written; the cause is for the log.
    Journal(String),
}

impl Writers {
    /// Writes to what is live. No table takes writes until [`Self::carry`].
    pub fn new(live: Live, settings: Settings) -> Self {
        Self(Arc::new(Shared { live, settings, queues: RwLock::default() }))
    }

    /// Puts the written rows of what is live onto the live tables of the versions that come next, and begins to take writes
    /// of those that are new, whose journaled rows are brought back. To be called where nothing else is published
    /// meanwhile. The reports say what was found in the journals.
    pub fn carry(
        &self,
        current: Option<&Snapshot>,
        mut next: BTreeMap<String, Versions>,
    ) -> (BTreeMap<String, Versions>, Vec<Report>) {
        let mut reports = Vec::new();
        let carried = self.carried(current, &next, &mut reports);
        for (name, versions) in &mut next {
            for (version, feature_set) in versions {
                let before = current.and_then(|current| current.exact(name, *version));
                if let Some(before) = before.filter(|before| before.differs_in_rows_alone(feature_set)) {
                    *feature_set = before.clone();
                }
                let tables = feature_set.tables().to_vec();
                for (position, table) in tables.iter().enumerate() {
                    let after = carried.get(&table.id()).filter(|after| !Arc::ptr_eq(after, table));
                    if let Some(after) = after {
                        *feature_set = Arc::new(feature_set.with_written(position, after.clone()));
                    }
                }
            }
        }
        (next, reports)
    }

    /// The live tables of the versions that come next with the rows that lie on them, by their numbers.
    fn carried(
        &self,
        current: Option<&Snapshot>,
        next: &BTreeMap<String, Versions>,
        reports: &mut Vec<Report>,
    ) -> BTreeMap<u64, Arc<Table>> {
        let all = next.values().flat_map(Versions::values).flat_map(|feature_set| feature_set.tables());
        // By name and version.
        let live: BTreeMap<(&str, u32), &Arc<Table>> = all
            .filter(|table| table.schema().live)
            .map(|table| ((table.schema().name.as_str(), table.schema().version), table))
            .collect();
        let mut carried = BTreeMap::new();
        for (&(name, version), &base) in &live {
            let before = current.and_then(|current| {
                let same = current.tables().into_iter().find(|table| table.id() == base.id()).cloned();
                same.or_else(|| newest(current, name).map(|before| Arc::new(base.absorb(&before).table)))
            });
            let is_newest = live.range((name, version)..).take_while(|((of, _), _)| *of == name).count() == 1;
            let table = match before {
                Some(table) => table,
                None if is_newest && self.queue(name).is_none() => self.open(base, reports),
                None => continue,
            };
            carried.insert(base.id(), table);
        }
        carried
    }

    /// Opens a table's journal and starts its writer; gives the table with the rows that are brought back.
    fn open(&self, base: &Arc<Table>, reports: &mut Vec<Report>) -> Arc<Table> {
        let name = base.schema().name.clone();
        let opened =
            Writer::open(base, self.0.live.clone(), &self.0.settings).and_then(|(writer, table, report)| {
                let queue = writer.queue().clone();
                writer.start()?;
                Ok((queue, table, report))
            });
        match opened {
            Ok((queue, table, report)) => {
                self.0.queues.write().unwrap_or_else(PoisonError::into_inner).insert(name, queue);
                reports.extend(report);
                table
            }
            Err(why) => {
                let problems = vec![format!("it takes no writes: {why}")];
                reports.push(Report { table: name, rows: 0, problems });
                base.clone()
            }
        }
    }

    /// Hands rows over to a table's writer; waiting for what is returned gives the outcome.
    pub fn write(&self, table: &str, sent: Sent) -> Result<Waiting, Refusal> {
        let snapshot = self.0.live.current().ok_or(Refusal::NotReady)?;
        let queue = self.queue(table);
        let target = queue.as_ref().and_then(|_| newest(&snapshot, table));
        let (Some(queue), Some(target)) = (queue, target) else {
            return Err(Refusal::NotFound(self.not_found(&snapshot, table)));
        };
        let most_ahead = i64::try_from(self.0.settings.most_ahead.as_nanos()).unwrap_or(i64::MAX);
        let clock = Clock { now: time::now(), most_ahead };
        let write = check::check(target.schema(), sent, clock).map_err(Refusal::Invalid)?;
        queue.push(write, target.schema())
    }

    /// Whether a table's writer takes one more call; a table without one refuses it at once.
    pub fn has_room(&self, table: &str) -> bool {
        self.queue(table).is_none_or(|queue| queue.has_room())
    }

    fn queue(&self, table: &str) -> Option<Arc<Queue>> {
        self.0.queues.read().unwrap_or_else(PoisonError::into_inner).get(table).cloned()
    }

    fn not_found(&self, snapshot: &Snapshot, table: &str) -> String {
        let queues = self.0.queues.read().unwrap_or_else(PoisonError::into_inner);
        let known = listed(queues.keys().map(String::as_str));
        if newest(snapshot, table).is_some() {
            return format!(
                "table {} takes no writes: its table.json does not say \"live\": true; those that do: {known}",
                quoted(table)
            );
        }
        format!("no feature set reads a table {}; the tables that take writes: {known}", quoted(table))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let queues = self.queues.get_mut().unwrap_or_else(PoisonError::into_inner);
        queues.values().for_each(|queue| queue.close());
    }
}

/// What was found in a table's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub table: String,
    /// Rows that were brought back.
    pub rows: u64,
    /// What was written and is lost; empty where all is well.
    pub problems: Vec<String>,
}

/// The newest version of a table in a snapshot.
fn newest(snapshot: &Snapshot, name: &str) -> Option<Arc<Table>> {
    snapshot.tables().into_iter().rfind(|table| table.schema().name == name).cloned()
}
