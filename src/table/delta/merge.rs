//! Merging levels, so that there are few: each is at least twice as large as the one on top of it.

use std::sync::Arc;

use super::{Delta, Level, build::Rows};
use crate::{
    batch::Column,
    table::{RowNumber, Table},
};

/// Rows of two levels that are merged while a write waits: less than a millisecond or two.
const SMALL: usize = 8 * 1024;

/// With more levels than this, the smallest are merged while a write waits, however large they are.
const MOST: usize = RowNumber::LEVELS - 1;

/// Two levels, one on top of the other, to be merged off the way of writes.
#[derive(Debug)]
pub struct Merge {
    older: Arc<Level>,
    newer: Arc<Level>,
}

/// A merged level with those that it stands for.
#[derive(Debug)]
pub struct Merged {
    of: Merge,
    level: Arc<Level>,
}

impl Delta {
    /// Merges levels from the top, as long as that is quick or there are too many.
    pub(super) fn merge_small(&mut self) {
        while let [.., older, newer] = &self.0[..] {
            let small = is_due(older, newer) && older.event_times.len() + newer.event_times.len() <= SMALL;
            if !small && self.0.len() <= MOST {
                break;
            }
            let merged = Arc::new(merged(older, newer));
            self.0.truncate(self.0.len() - 2);
            self.0.push(merged);
        }
    }

    /// All rows in one level.
    pub(super) fn whole(&self) -> Option<Arc<Level>> {
        self.0.iter().cloned().reduce(|older, newer| Arc::new(merged(&older, &newer)))
    }

    /// Two levels that should be merged, the oldest such.
    pub fn due(&self) -> Option<Merge> {
        let due = self.0.windows(2).find(|pair| is_due(&pair[0], &pair[1]) && fits(&pair[0], &pair[1]))?;
        Some(Merge { older: due[0].clone(), newer: due[1].clone() })
    }

    /// The same rows with a merged level in place of the two, if both are there still.
    pub fn with_merged(&self, merged: &Merged) -> Option<Self> {
        let is_pair = |pair: &[Arc<Level>]| {
            Arc::ptr_eq(&pair[0], &merged.of.older) && Arc::ptr_eq(&pair[1], &merged.of.newer)
        };
        let at = self.0.windows(2).position(is_pair)?;
        let mut levels = self.0.clone();
        levels.splice(at..at + 2, [merged.level.clone()]);
        Some(Self(levels))
    }
}

impl Merge {
    /// Merges the two.
    pub fn run(self) -> Merged {
        let level = Arc::new(merged(&self.older, &self.newer));
        Merged { of: self, level }
    }
}

fn is_due(older: &Level, newer: &Level) -> bool {
    newer.event_times.len() * 2 > older.event_times.len()
}

/// Whether the rows of both have room in one level.
fn fits(older: &Level, newer: &Level) -> bool {
    older.event_times.len() + newer.event_times.len() < RowNumber::LEVEL_LIMIT as usize
}

/// The rows of both; of one key the newer.
fn merged(older: &Arc<Level>, newer: &Arc<Level>) -> Level {
    let all = |level: &Level| (0..level.event_times.len() as u32).map(RowNumber::row).collect::<Vec<_>>();
    let old_rows = all(older);
    let old_keys = older.rows.keys(&old_rows);
    let columns: Vec<&Column> = old_keys.iter().collect();
    let mut overwritten = Vec::with_capacity(old_rows.len());
    newer.rows.find_values(&columns, old_rows.len(), &mut overwritten);
    let stay: Vec<u32> =
        (0..old_rows.len() as u32).filter(|&row| !overwritten[row as usize].is_found()).collect();
    let mut keys: Vec<Column> = old_keys
        .iter()
        .map(|column| {
            let mut values = column.clone_empty();
            values.gather(column, 1, &stay);
            values
        })
        .collect();
    let new_keys = newer.rows.keys(&all(newer));
    keys.iter_mut().zip(&new_keys).for_each(|(keys, new)| keys.append_rows(new));
    let place = |level: usize| move |row: u32| RowNumber::written(level, row);
    let new_rows = 0..newer.event_times.len() as u32;
    let below: Vec<RowNumber> = stay.iter().copied().map(place(0)).chain(new_rows.map(place(1))).collect();
    let both = Table { delta: Delta(vec![older.clone(), newer.clone()]), ..older.rows.clone() };
    let old = || stay.iter().map(|&row| row as usize);
    let event_times =
        old().map(|row| older.event_times[row]).chain(newer.event_times.iter().copied()).collect();
    let deleted = old().map(|row| older.deleted[row]).chain(newer.deleted.iter().copied()).collect();
    let rows = Rows { keys, below, event_times, deleted };
    Level::build(&both, rows, &[])
}
