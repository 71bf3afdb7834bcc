//! Rows from a journal, and a journal's entries from rows.

use std::{io, path::Path, sync::Arc};

use super::{Report, record};
use crate::{
    journal::{Journal, Recovered},
    table::{Table, Write},
};

/// Rows of entries that are written as one.
const AT_ONCE: usize = 64 * 1024;

/// What a journal brought back.
#[derive(Debug)]
pub struct Replayed {
    pub journal: Journal,
    pub table: Arc<Table>,
    pub report: Report,
}

/// Writes the rows of a folder's journal on top of a table, but for those that the table contains.
pub fn replay(folder: &Path, base: &Arc<Table>) -> io::Result<Replayed> {
    let mut rows = Rows { table: Table::clone(base), waiting: None, count: 0, problems: Vec::new() };
    let (mut journal, Recovered { gaps, .. }) = Journal::open(folder, &mut |entry| rows.add(entry))?;
    rows.flush();
    let Rows { table, count, mut problems, .. } = rows;
    problems.extend(gaps.iter().map(ToString::to_string));
    let absorbed = base.absorb(&table);
    // As long as something is missing, the journal stays as it is found.
    if absorbed.dropped > 0 && problems.is_empty() {
        journal.replace(&entries(&absorbed.table))?;
    }
    let report = Report { table: base.schema().name.clone(), rows: count, problems };
    Ok(Replayed { journal, table: Arc::new(absorbed.table), report })
}

/// Entries that bring back all written rows of a table.
pub fn entries(table: &Table) -> Vec<Vec<u8>> {
    let levels = table.delta().levels().iter();
    levels.flat_map(|level| level.writes()).map(|write| record::encode(table.schema(), &write)).collect()
}

/// A table while entries are written on top of it.
struct Rows {
    table: Table,
    /// Rows of entries that do the same to the same columns.
    waiting: Option<Write>,
    count: u64,
    problems: Vec<String>,
}

impl Rows {
    fn add(&mut self, entry: &[u8]) {
        let read = match record::decode(self.table.schema(), entry) {
            Ok(read) => read,
            Err(why) => {
                let why = match why {
                    record::Unreadable::Malformed => "an entry can't be read",
                    record::Unreadable::OtherKey => "an entry has another key than the table",
                };
                return self.note(why.to_owned());
            }
        };
        for name in read.lost {
            self.note(format!("values of column {name:?}, which the table does not have with this type"));
        }
        self.count += read.write.rows() as u64;
        let write = match &mut self.waiting {
            Some(waiting) => waiting.join(read.write).err(),
            None => Some(read.write),
        };
        if let Some(write) = write {
            self.flush();
            self.waiting = Some(write);
        }
        if self.waiting.as_ref().is_some_and(|waiting| waiting.rows() >= AT_ONCE) {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if let Some(write) = self.waiting.take() {
            self.table = self.table.write(&write).0;
        }
    }

    /// Each kind of problem once.
    fn note(&mut self, problem: String) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}
