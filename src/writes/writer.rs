//! A table's writer: takes the calls that wait, journals, folds, publishes, acknowledges.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use super::{
    Done, Refusal, Report, Settings, newest,
    queue::{Call, Queue, Waiter},
    record, replay,
};
use crate::{
    budget::{Budget, Kind, Reserved},
    journal::Journal,
    live::Live,
    table::{Table, TableSchema, Write},
};

/// A journal is rewritten once it has grown by this much, and to twice its size.
const REWRITTEN_FROM: u64 = 64 << 20;

/// What one thread owns.
#[derive(Debug)]
pub struct Writer {
    table: String,
    queue: Arc<Queue>,
    live: Live,
    journal: Option<Journal>,
    /// The base that the journal's entries were written over.
    base: u64,
    reserved: Reserved,
    merging: Arc<AtomicBool>,
}

/// Rows of several calls that are written as one.
struct Group {
    write: Write,
    waiters: Vec<Waiter>,
}

/// What came of all groups.
struct Folded {
    /// For each group whether each row was applied.
    applied: Vec<Vec<bool>>,
    table: Arc<Table>,
}

impl Writer {
    /// Opens the journal of a table, if there is to be one, and gives the table with the rows that it brings back.
    pub fn open(
        base: &Arc<Table>,
        live: Live,
        settings: &Settings,
    ) -> io::Result<(Self, Arc<Table>, Option<Report>)> {
        let name = base.schema().name.clone();
        let (mut journal, mut table, mut report) = (None, base.clone(), None);
        if let Some(folder) = &settings.journal {
            let replayed = replay::replay(&folder.join(&name), base)?;
            (journal, table, report) = (Some(replayed.journal), replayed.table, Some(replayed.report));
        }
        let reserved = reserve(&settings.budget, &table).map_err(io::Error::other)?;
        let (queue, merging) = (Arc::default(), Arc::default());
        let base = base.id();
        Ok((Self { table: name, queue, live, journal, base, reserved, merging }, table, report))
    }

    /// Where calls wait.
    pub fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// Starts the thread, which ends when the queue is closed.
    pub fn start(mut self) -> io::Result<()> {
        let name = format!("write-{}", self.table);
        thread::Builder::new().name(name).spawn(move || {
            while let Some(calls) = self.queue.take() {
                self.write(calls);
            }
        })?;
        Ok(())
    }

    fn write(&mut self, calls: Vec<Call>) {
        let Some(table) = self.live.current().and_then(|snapshot| newest(&snapshot, &self.table)) else {
            return refuse(calls.into_iter().map(|call| call.waiter), &Refusal::NotReady);
        };
        let version = table.schema().version;
        let (calls, outdated): (Vec<_>, Vec<_>) = calls.into_iter().partition(|call| call.version == version);
        // They were held against columns of a version that was replaced meanwhile: the client's next try is not.
        refuse(outdated.into_iter().map(|call| call.waiter), &Refusal::Busy);
        let groups = groups(calls);
        if let Err(refusal) = self.make_room(&table, &groups).and_then(|()| self.log(table.schema(), &groups))
        {
            return refuse_groups(groups, &refusal);
        }
        let durable = self.journal.is_some();
        match self.publish(&groups) {
            Some(folded) => {
                self.reserved.settle(folded.table.delta().memory() as u64);
                let acknowledge =
                    |(group, applied): (Group, &Vec<bool>)| group.acknowledge(applied, durable, version);
                groups.into_iter().zip(&folded.applied).for_each(acknowledge);
                self.keep_up(&folded.table);
            }
            None => refuse_groups(groups, &Refusal::NotReady),
        }
    }

    /// Reserves the memory that the rows will take, before they are journaled.
    fn make_room(&mut self, table: &Table, groups: &[Group]) -> Result<(), Refusal> {
        let new: usize = groups.iter().map(|group| table.bytes_of(&group.write)).sum();
        let bytes = table.delta().memory() + new;
        self.reserved.grow_to(bytes as u64).map_err(|over| Refusal::NoMemory(over.to_string()))
    }

    fn log(&mut self, schema: &TableSchema, groups: &[Group]) -> Result<(), Refusal> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        let entries: Vec<Vec<u8>> = groups.iter().map(|group| record::encode(schema, &group.write)).collect();
        journal.append(&entries).map_err(|error| Refusal::Journal(error.to_string()))
    }

    /// Folds all groups into every version of the table that is in memory and has the same columns.
    fn publish(&self, groups: &[Group]) -> Option<Folded> {
        self.live.update(|current| {
            let current = current?;
            let newest = newest(current, &self.table)?;
            let mut snapshot = None;
            let mut folded = None;
            for table in current.tables().into_iter().filter(|table| takes_same_rows(table, &newest)) {
                let mut written = Table::clone(table);
                let mut applied = Vec::with_capacity(groups.len());
                for group in groups {
                    let (next, of_group) = written.write(&group.write);
                    written = next;
                    applied.push(of_group);
                }
                let written = Arc::new(written);
                snapshot = Some(snapshot.as_ref().unwrap_or(&**current).with_table(table, &written));
                if Arc::ptr_eq(table, &newest) {
                    folded = Some(Folded { applied, table: written });
                }
            }
            Some((folded?, Arc::new(snapshot?)))
        })
    }

    /// Merges levels aside, and rewrites the journal once it is long or the table's version has absorbed what it holds.
    fn keep_up(&mut self, table: &Arc<Table>) {
        merge_aside(&self.table, &self.live, table, &self.merging);
        let Some(journal) = &mut self.journal else { return };
        if table.id() == self.base && !journal.is_long(REWRITTEN_FROM) {
            return;
        }
        let entries = replay::entries(table);
        // Where this fails the old file goes on, or the next append says why it can't.
        if journal.replace(&entries).is_ok() {
            self.base = table.id();
        }
    }
}

/// Whether rows written to one version of a table go into another, too.
fn takes_same_rows(table: &Table, newest: &Table) -> bool {
    let (own, other) = (table.schema(), newest.schema());
    own.name == other.name && own.live && own.key == other.key && own.columns == other.columns
}

fn reserve(budget: &Budget, table: &Table) -> Result<Reserved, String> {
    let what = format!("written rows of {}", table.schema().name);
    budget.reserve(Kind::Deltas, what, table.delta().memory() as u64).map_err(|over| over.to_string())
}

/// Joins calls that follow each other and do the same to the same columns.
fn groups(calls: Vec<Call>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for Call { write, waiter, .. } in calls {
        let alone = match groups.last_mut() {
            Some(group) => group.write.join(write).err(),
            None => Some(write),
        };
        match (alone, groups.last_mut()) {
            (None, Some(group)) => group.waiters.push(waiter),
            (None, None) => {}
            (Some(write), _) => groups.push(Group { write, waiters: vec![waiter] }),
        }
    }
    groups
}

impl Group {
    fn acknowledge(self, applied: &[bool], durable: bool, table_version: u32) {
        let mut rest = applied;
        for waiter in self.waiters {
            let (own, others) = rest.split_at(waiter.rows.min(rest.len()));
            rest = others;
            let applied = own.iter().filter(|&&applied| applied).count();
            waiter.answer(Ok(Done { applied, ignored: own.len() - applied, durable, table_version }));
        }
    }
}

fn refuse(waiters: impl IntoIterator<Item = Waiter>, refusal: &Refusal) {
    waiters.into_iter().for_each(|waiter| waiter.answer(Err(refusal.clone())));
}

fn refuse_groups(groups: Vec<Group>, refusal: &Refusal) {
    refuse(groups.into_iter().flat_map(|group| group.waiters), refusal);
}

/// Merges two large levels on a thread of its own, one pair at a time, and publishes the table with them merged.
fn merge_aside(name: &str, live: &Live, table: &Arc<Table>, merging: &Arc<AtomicBool>) {
    let Some(merge) = table.delta().due() else { return };
    if merging.swap(true, Ordering::AcqRel) {
        return;
    }
    let (name, live, id, running) = (name.to_owned(), live.clone(), table.id(), merging.clone());
    let started = thread::Builder::new().name(format!("merge-{name}")).spawn(move || {
        let merged = merge.run();
        live.update(|current| {
            let current = current?;
            let table = current.tables().into_iter().find(|table| table.id() == id)?;
            let delta = table.delta().with_merged(&merged)?;
            let snapshot = current.with_table(table, &Arc::new(table.with_delta(delta)));
            Some(((), Arc::new(snapshot)))
        });
        running.store(false, Ordering::Release);
    });
    if started.is_err() {
        // The next write tries again.
        merging.store(false, Ordering::Release);
    }
}
