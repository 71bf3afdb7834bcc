//! Rows written since a table's version was made: a few small immutable tables, one on top of the other.
//!
//! A write makes a new level; levels of like size are merged, so that there are few. Nothing that a request reads ever
//! changes: it sees the levels that there were when it took its snapshot.

use std::sync::Arc;

use super::{ColumnSchema, RowNumber, Table, event_time::EventTime};
use crate::batch::{Column, Origin, Values};

pub mod absorb;
pub mod build;
pub mod fold;
pub mod merge;

use fold::{Change, Write, Written};

/// The levels, the oldest first. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Delta(Vec<Arc<Level>>);

/// Rows of one key each, whole: what a write left out was taken from the row below.
#[derive(Debug)]
pub struct Level {
    rows: Table,
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    event_times: Vec<i64>,
    /// Whether the key's row is removed.
    deleted: Vec<bool>,
}

impl Level {
    /// The rows as a table; those of removed keys are all null.
    pub fn rows(&self) -> &Table {
        &self.rows
    }

    /// When each row came about, in nanoseconds since 1970-01-01T00:00:00Z.
    pub fn event_times(&self) -> &[i64] {
        &self.event_times
    }

    /// Whether each row says that its key was removed.
    pub fn deleted(&self) -> &[bool] {
        &self.deleted
    }

    /// The writes that make this level: rows with all their columns, and removed ones.
    pub fn writes(&self) -> Vec<Write> {
        let of = |deleted: bool| {
            let numbers = (0..self.rows.rows()).filter(|&row| self.deleted[row as usize] == deleted);
            let numbers: Vec<RowNumber> = numbers.map(RowNumber::row).collect();
            let column = |(column, schema): (usize, &ColumnSchema)| {
                let mut stored = Column::new(schema.of);
                self.rows.gather(column, &numbers, &mut stored);
                let mut values = Column::new(schema.of);
                values.expand(&stored, schema.of.lanes());
                Written { column, values }
            };
            let columns = self.rows.schema.columns.iter().enumerate();
            Write {
                change: if deleted { Change::Delete } else { Change::Upsert(columns.map(column).collect()) },
                keys: self.rows.keys(&numbers),
                event_times: numbers.iter().map(|number| self.event_times[number.index()]).collect(),
            }
        };
        [of(false), of(true)].into_iter().filter(|write| write.rows() > 0).collect()
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        self.rows.memory() + size_of_val(&self.event_times[..]) + self.deleted.len()
    }
}

impl Delta {
    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The levels, the oldest first: a row number's level is the position here.
    pub fn levels(&self) -> &[Arc<Level>] {
        &self.0
    }

    /// The level of a row number that has one.
    #[inline]
    pub fn level(&self, level: usize) -> &Level {
        &self.0[level]
    }

    /// Rows of all levels; one that was written several times may count more than once.
    pub fn rows(&self) -> usize {
        self.0.iter().map(|level| level.event_times.len()).sum()
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        self.0.iter().map(|level| level.memory()).sum()
    }

    /// Replaces the row numbers of the first `count` keys that were written since by those of the newest rows, and of
    /// removed ones by [`RowNumber::NOT_FOUND`].
    pub fn overrule(&self, keys: &[&Column], count: usize, rows: &mut [RowNumber]) {
        for (row, written) in rows.iter_mut().zip(self.find(keys, count)) {
            if let Some((level, position)) = written.level() {
                let deleted = self.0[level].deleted[position as usize];
                *row = if deleted { RowNumber::NOT_FOUND } else { written };
            }
        }
    }

    /// The newest row of each of the first `count` keys, removed ones too.
    fn find(&self, keys: &[&Column], count: usize) -> Vec<RowNumber> {
        let mut newest = vec![RowNumber::NOT_FOUND; count];
        let mut found = Vec::with_capacity(count);
        for (number, level) in self.0.iter().enumerate() {
            found.clear();
            level.rows.find_values(keys, count, &mut found);
            for (newest, row) in newest.iter_mut().zip(&found).filter(|(_, row)| row.is_found()) {
                *newest = RowNumber::written(number, row.index() as u32);
            }
        }
        newest
    }
}

impl Table {
    /// The same table with other written rows.
    pub fn with_delta(&self, delta: Delta) -> Self {
        Self { delta, ..self.clone() }
    }

    /// When the row of each number came about, in nanoseconds since 1970-01-01T00:00:00Z; [`i64::MIN`] where that is not
    /// known or there is no row.
    pub fn event_times(&self, rows: &[RowNumber]) -> Vec<i64> {
        let of_base: Vec<RowNumber> =
            rows.iter().map(|row| row.level().map_or(*row, |_| RowNumber::NULL)).collect();
        let mut times = self.base_event_times(&of_base);
        for (time, row) in times.iter_mut().zip(rows) {
            if let Some((level, position)) = row.level() {
                *time = self.delta.level(level).event_times[position as usize];
            }
        }
        times
    }

    fn base_event_times(&self, rows: &[RowNumber]) -> Vec<i64> {
        let known = |time: i64, row: &RowNumber| if row.is_found() { time } else { i64::MIN };
        match self.schema.event_time {
            None => vec![i64::MIN; rows.len()],
            Some(EventTime::Version(time)) => rows.iter().map(|row| known(time, row)).collect(),
            Some(EventTime::Column(position)) => {
                let of = self.schema.columns[position].of;
                let mut column = Column::new(of);
                self.columns[position].gather(rows, &mut column);
                in_nanoseconds(&column, super::event_time::unit(of).map_or(1, |unit| unit.nanoseconds()))
            }
        }
    }

    /// Makes `out` the values of column `column` at `rows`, of which some were written.
    pub(super) fn gather_written(&self, column: usize, rows: &[RowNumber], out: &mut Column) {
        let mut numbers: Vec<Vec<RowNumber>> = vec![Vec::new(); self.delta.0.len() + 1];
        let order: Vec<Origin> = rows
            .iter()
            .map(|row| {
                let (part, number) =
                    row.level().map_or((0, *row), |(level, row)| (level + 1, RowNumber::row(row)));
                numbers[part].push(number);
                (part, numbers[part].len() - 1)
            })
            .collect();
        let parts: Vec<Column> = numbers
            .iter()
            .enumerate()
            .map(|(part, numbers)| {
                let table = part.checked_sub(1).map_or(self, |level| &self.delta.0[level].rows);
                let mut values = Column::new(self.schema.columns[column].of);
                table.columns[column].gather(numbers, &mut values);
                values
            })
            .collect();
        let parts: Vec<&Column> = parts.iter().collect();
        out.interleave(&parts, self.schema.columns[column].of.lanes(), &order);
    }
}

/// Times as nanoseconds, the earliest for what is null; those out of range are as early or late as can be.
pub fn in_nanoseconds(column: &Column, unit: i64) -> Vec<i64> {
    let Values::Int64(values) = &column.values else { return vec![i64::MIN; column.rows()] };
    let times = values.iter().zip(&column.marks);
    times.map(|(time, mark)| if mark.is_null() { i64::MIN } else { time.saturating_mul(unit) }).collect()
}

#[cfg(test)]
mod tests;
