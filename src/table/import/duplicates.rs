//! Holds keys to be there and unique, or finds the rows to leave out.

use std::collections::{BTreeSet, HashMap, hash_map::Entry};

use xxhash_rust::xxh3::Xxh3;

use super::{Import, Keep, NamedFile};
use crate::{
    batch::{Column, Values},
    files::{Losses, Target, rows_at_once},
    problem::Problems,
    table::Progress,
};

/// Problems of one kind that are shown.
const SHOWN: u64 = 3;

/// Rows that are left out, numbered over all files.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct DroppedRows {
    pub rows: BTreeSet<u64>,
    /// How many had a key that another row has.
    pub duplicates: u64,
    /// How many had no key.
    pub null_keys: u64,
}

/// The keys seen so far, by their hash of 128 bits.
#[derive(Debug)]
struct Keys<'a> {
    import: &'a Import,
    seen: HashMap<u128, u64>,
    /// Whether there are several files, so that places name them.
    several: bool,
    /// Each file's name and first row.
    starts: Vec<(&'a str, u64)>,
    dropped: DroppedRows,
    /// The first problems of either kind.
    duplicates: Vec<String>,
    nulls: Vec<String>,
}

/// Reads the key's columns of all files.
pub fn find(
    import: &Import,
    files: &[NamedFile],
    targets: &[Target],
    progress: &dyn Progress,
) -> Result<DroppedRows, Problems> {
    let mut keys = Keys {
        import,
        seen: HashMap::new(),
        several: files.len() > 1,
        starts: Vec::new(),
        dropped: DroppedRows::default(),
        duplicates: Vec::new(),
        nulls: Vec::new(),
    };
    let (mut problems, mut refused) = (Problems::none(), Losses::default());
    let mut rows = 0;
    for named in files {
        keys.starts.push((&named.name, rows));
        if let Err(why) = keys.read(named, targets, &mut rows, &mut refused, progress) {
            problems.add(&named.name, why);
        }
    }
    // Keys that could not be read are null for that reason alone.
    problems.add_below("", refused.refused());
    problems.or(())?;
    keys.settle()
}

impl<'a> Keys<'a> {
    fn read(
        &mut self,
        named: &'a NamedFile,
        targets: &[Target],
        rows: &mut u64,
        refused: &mut Losses,
        progress: &dyn Progress,
    ) -> Result<(), String> {
        for batch in named.file.batches(targets, rows_at_once(targets))? {
            let batch = batch?;
            for (target, misfits) in targets.iter().zip(&batch.misfits).filter(|(target, _)| !target.lossy) {
                refused.add(&target.name, misfits, |row| place(&self.starts, *rows + row as u64, true));
            }
            for row in 0..batch.rows {
                self.add(&batch.columns, targets, row, *rows + row as u64);
            }
            *rows += batch.rows as u64;
            progress.add(0, batch.bytes);
        }
        Ok(())
    }

    fn add(&mut self, columns: &[Column], targets: &[Target], row: usize, number: u64) {
        if columns.iter().any(|column| column.marks[row].is_null()) {
            self.dropped.null_keys += 1;
            self.dropped.rows.insert(number);
            if self.nulls.len() < SHOWN as usize {
                self.nulls.push(place(&self.starts, number, self.several));
            }
            return;
        }
        match self.seen.entry(hash(columns, row)) {
            Entry::Vacant(entry) => {
                entry.insert(number);
            }
            Entry::Occupied(mut entry) => {
                self.dropped.duplicates += 1;
                let earlier = *entry.get();
                if self.duplicates.len() < SHOWN as usize {
                    let key: Vec<String> = columns
                        .iter()
                        .zip(targets)
                        .filter_map(|(column, target)| column.text(target.of, false, row))
                        .collect();
                    let named = |row| place(&self.starts, row, self.several);
                    let (here, there) = (named(number), named(earlier));
                    self.duplicates.push(format!("{here} has the key {} of {there}", key.join(", ")));
                }
                let leaves = match self.import.duplicates {
                    Some(Keep::Last) => entry.insert(number),
                    _ => number,
                };
                self.dropped.rows.insert(leaves);
            }
        }
    }

    fn settle(self) -> Result<DroppedRows, Problems> {
        let mut problems = Problems::none();
        let DroppedRows { duplicates, null_keys, .. } = self.dropped;
        let key = self.import.key.join(", ");
        if duplicates > 0 && self.import.duplicates.is_none() {
            let noun = if duplicates == 1 { "row has a key" } else { "rows have a key" };
            let shown = shown(&self.duplicates, duplicates);
            problems.add(
                format!("key {key}"),
                format!(
                    "{duplicates} {noun} that an earlier row has: {shown}; --duplicates last or first keeps one \
                     row of each"
                ),
            );
        }
        if null_keys > 0 && !self.import.drop_null_keys {
            let noun = if null_keys == 1 { "row has" } else { "rows have" };
            let shown = shown(&self.nulls, null_keys);
            problems.add(
                format!("key {key}"),
                format!("{null_keys} {noun} no key: {shown}; --null-keys drop leaves them out"),
            );
        }
        problems.or(self.dropped)
    }
}

fn shown(texts: &[String], count: u64) -> String {
    let rest = if count > SHOWN { ", …" } else { "" };
    format!("{}{rest}", texts.join(", "))
}

/// The number of a row in its file, and the file's name where that is wanted.
fn place(starts: &[(&str, u64)], row: u64, named: bool) -> String {
    let position = starts.partition_point(|(_, first)| *first <= row).saturating_sub(1);
    let (name, first) = starts[position];
    let row = row - first;
    if named { format!("{name}, row {row}") } else { format!("row {row}") }
}

fn hash(columns: &[Column], row: usize) -> u128 {
    let mut hasher = Xxh3::new();
    for column in columns {
        match &column.values {
            Values::Int64(values) => hasher.update(&values[row].to_le_bytes()),
            Values::Uint64(values) => hasher.update(&values[row].to_le_bytes()),
            _ => {
                let text = column.strings().get_bytes(row);
                hasher.update(&(text.len() as u64).to_le_bytes());
                hasher.update(text);
            }
        }
    }
    hasher.digest128()
}
