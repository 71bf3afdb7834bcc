//! Writing rows: one more level, made of what was written and of the rows below.

use std::sync::Arc;

use super::{
    Delta, Level,
    build::{Rows, as_null, index_of, key_store},
};
use crate::{
    batch::{Column, ListRows},
    table::{RowNumber, Table},
};

/// Bytes of a written row besides its values: its key, its place in the index, its time.
const ROW_BYTES: usize = 48;

/// Rows to write, which were held against the table's schema.
#[derive(Debug, Clone)]
pub struct Write {
    pub change: Change,
    /// The key's columns in the schema's order; none has a null or a key that is too long.
    pub keys: Vec<Column>,
    /// When each row came about, in nanoseconds since 1970-01-01T00:00:00Z.
    pub event_times: Vec<i64>,
}

/// What is done to the rows.
#[derive(Debug, Clone)]
pub enum Change {
    /// They get these values, and keep those of the other columns.
    Upsert(Vec<Written>),
    /// They are removed.
    Delete,
    /// Their lists get these elements behind those that are there, of which the last `cap` stay.
    Append { lists: Vec<Written>, cap: usize },
}

/// New values of one column.
#[derive(Debug, Clone)]
pub struct Written {
    /// The column's position in the schema.
    pub column: usize,
    /// As the column is read out, floats as float64.
    pub values: Column,
}

/// One of the keys that a write has, with what is known of its row.
struct Key {
    /// The first of the write's rows with this key.
    first: u32,
    below: RowNumber,
    event_time: i64,
    deleted: bool,
    /// The write's rows that make up the new one, in order.
    rows: Vec<u32>,
}

impl Write {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.event_times.len()
    }

    /// Bytes of its values in memory.
    pub fn memory(&self) -> usize {
        let (Change::Upsert(columns) | Change::Append { lists: columns, .. }) = &self.change else {
            return self.keys.iter().map(Column::memory).sum();
        };
        let columns = columns.iter().map(|written| &written.values);
        self.keys.iter().chain(columns).map(Column::memory).sum::<usize>()
            + size_of_val(&self.event_times[..])
    }

    /// Takes the rows of `other` behind its own where both do the same to the same columns, or gives it back.
    pub fn join(&mut self, other: Self) -> Result<(), Self> {
        let joined = match (&mut self.change, &other.change) {
            (Change::Delete, Change::Delete) => true,
            (Change::Upsert(own), Change::Upsert(others)) => join(own, others),
            (Change::Append { lists, cap }, Change::Append { lists: others, cap: of_other }) => {
                cap == of_other && join(lists, others)
            }
            _ => false,
        };
        if !joined {
            return Err(other);
        }
        self.keys.iter_mut().zip(&other.keys).for_each(|(own, others)| own.append_rows(others));
        self.event_times.extend(other.event_times);
        Ok(())
    }
}

fn join(own: &mut [Written], others: &[Written]) -> bool {
    let columns = |written: &[Written]| written.iter().map(|written| written.column).collect::<Vec<_>>();
    let same = columns(own) == columns(others);
    if same {
        own.iter_mut().zip(others).for_each(|(own, others)| own.values.append_rows(&others.values));
    }
    same
}

impl Table {
    /// About how many bytes rows will take once they are written: the columns that they leave out included.
    pub fn bytes_of(&self, write: &Write) -> usize {
        let of_row: usize =
            self.schema.columns.iter().map(|column| column.of.lanes() * column.stored.bytes()).sum();
        write.memory() + write.rows() * (of_row + ROW_BYTES)
    }

    /// The table with rows written on top, and for each of them whether it was applied: not where what is there has a
    /// later event time. Rows count one after the other, as if each was written by itself.
    pub fn write(&self, write: &Write) -> (Self, Vec<bool>) {
        let mut keys = self.keys_of(write);
        let mut applied = Vec::with_capacity(write.rows());
        for (row, &time) in write.event_times.iter().enumerate() {
            let key = &mut keys.all[keys.of_rows[row] as usize];
            applied.push(key.add(row as u32, time, &write.change));
        }
        let mut keys = keys.all;
        keys.retain(|key| !key.rows.is_empty());
        if keys.is_empty() {
            return (self.clone(), applied);
        }
        let level = self.level_of(write, &keys);
        (self.with_delta(self.delta.with(Arc::new(level))), applied)
    }

    fn keys_of(&self, write: &Write) -> Keys {
        let count = write.rows();
        let store = key_store(self, &write.keys, count);
        let mut same_as: Vec<u32> = (0..count as u32).collect();
        index_of(&store, count, |earlier, later| same_as[later as usize] = earlier);
        let columns: Vec<&Column> = write.keys.iter().collect();
        let mut below = Vec::with_capacity(count);
        self.find_values(&columns, count, &mut below);
        for (below, written) in below.iter_mut().zip(self.delta.find(&columns, count)) {
            if written.is_found() {
                *below = written;
            }
        }
        let times = self.event_times(&below);
        let (mut all, mut of_rows) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for (row, &first) in same_as.iter().enumerate() {
            if first as usize != row {
                of_rows.push(of_rows[first as usize]);
                continue;
            }
            of_rows.push(all.len() as u32);
            let deleted = below[row]
                .level()
                .is_some_and(|(level, position)| self.delta.level(level).deleted[position as usize]);
            let (below, event_time) = (below[row], times[row]);
            all.push(Key { first, below, event_time, deleted, rows: Vec::new() });
        }
        Keys { all, of_rows }
    }

    fn level_of(&self, write: &Write, keys: &[Key]) -> Level {
        let firsts: Vec<u32> = keys.iter().map(|key| key.first).collect();
        let gathered = |source: &Column, lanes: usize, rows: &[u32]| {
            let mut values = source.clone_empty();
            values.gather(source, lanes, rows);
            values
        };
        let is_delete = matches!(write.change, Change::Delete);
        let below = keys.iter().map(|key| if key.deleted || is_delete { RowNumber::NULL } else { key.below });
        let rows = Rows {
            keys: write.keys.iter().map(|column| gathered(column, 1, &firsts)).collect(),
            below: below.collect(),
            event_times: keys.iter().map(|key| key.event_time).collect(),
            deleted: vec![is_delete; keys.len()],
        };
        let lanes = |written: &Written| self.schema.columns[written.column].of.lanes();
        let replaced: Vec<(usize, Column)> = match &write.change {
            Change::Delete => Vec::new(),
            Change::Upsert(columns) => {
                let last: Vec<u32> = keys.iter().filter_map(|key| key.rows.last().copied()).collect();
                let of =
                    |written: &Written| (written.column, gathered(&written.values, lanes(written), &last));
                columns.iter().map(of).collect()
            }
            Change::Append { lists, cap } => {
                let of =
                    |written: &Written| (written.column, self.appended(written, &rows.below, keys, *cap));
                lists.iter().map(of).collect()
            }
        };
        Level::build(self, rows, &replaced)
    }

    /// The lists of `below` with the elements that were written to each behind them, of which the last `cap` stay.
    fn appended(&self, written: &Written, below: &[RowNumber], keys: &[Key], cap: usize) -> Column {
        let of = self.schema.columns[written.column].of;
        let mut before = Column::new(of);
        self.gather(written.column, below, &mut before);
        let mut expanded = Column::new(of);
        expanded.expand(&before, of.lanes());
        let (Some(list), Some(new)) = (&expanded.list, &written.values.list) else { return expanded };
        let mut rows = ListRows { offsets: vec![0], marks: Vec::with_capacity(keys.len()) };
        let mut elements = Vec::new();
        for (position, key) in keys.iter().enumerate() {
            let start = elements.len();
            elements.extend(list.range(position).map(|element| (0, element)));
            let sent = key.rows.iter().filter(|&&row| !new.marks[row as usize].is_null());
            elements.extend(sent.flat_map(|&row| new.range(row as usize)).map(|element| (1, element)));
            let beyond = (elements.len() - start).saturating_sub(cap);
            elements.drain(start..start + beyond);
            rows.offsets.push(elements.len() as u32);
            let any_sent = key.rows.iter().any(|&row| !new.marks[row as usize].is_null());
            let mut mark = if any_sent { crate::batch::Mark::PRESENT } else { list.marks[position] };
            as_null(&mut mark);
            rows.marks.push(mark);
        }
        let values_of = |column: &Column| Column { list: None, ..column.clone() };
        let mut out = Column::new(of);
        out.interleave(&[&values_of(&expanded), &values_of(&written.values)], of.lanes(), &elements);
        out.list = Some(rows);
        out
    }
}

/// The keys of a write, and which of them each row has.
struct Keys {
    all: Vec<Key>,
    of_rows: Vec<u32>,
}

impl Key {
    /// Takes the next row with this key; whether it is applied.
    fn add(&mut self, row: u32, time: i64, change: &Change) -> bool {
        let append = matches!(change, Change::Append { .. });
        // Elements are added whatever the row's age, but not to a row that is gone since.
        let is_late = time < self.event_time && (!append || self.deleted);
        if is_late {
            return false;
        }
        if !append {
            self.rows.clear();
        }
        self.rows.push(row);
        self.event_time = self.event_time.max(time);
        true
    }
}

impl Delta {
    /// One more level on top; small ones are merged.
    fn with(&self, level: Arc<Level>) -> Self {
        let mut levels = self.0.clone();
        levels.push(level);
        let mut delta = Self(levels);
        delta.merge_small();
        delta
    }
}
