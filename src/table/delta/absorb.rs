//! A new version of a table takes over the written rows that it does not contain.

use std::sync::Arc;

use super::{Delta, Level, build::Rows};
use crate::{
    batch::{Column, Mark},
    table::{EventTime, RowNumber, Table},
};

/// A table's new version with the written rows that lie on it.
#[derive(Debug)]
pub struct Absorbed {
    pub table: Table,
    /// Written rows that the version contains, or that were too old for it.
    pub dropped: usize,
    /// Written rows that stay on top.
    pub kept: usize,
}

impl Table {
    /// This version with the rows written to `before`, but for those that are no newer than this version's own. Columns of
    /// another type than there are null in them; rows of another kind of key are all dropped.
    pub fn absorb(&self, before: &Self) -> Absorbed {
        let rows = before.delta.rows();
        if self.schema.key != before.schema.key {
            return Absorbed { table: self.with_delta(Delta::default()), dropped: rows, kept: 0 };
        }
        let Some(whole) = before.delta.whole() else {
            return Absorbed { table: self.with_delta(Delta::default()), dropped: 0, kept: 0 };
        };
        let numbers: Vec<RowNumber> = (0..whole.event_times.len() as u32).map(RowNumber::row).collect();
        let keys = whole.rows.keys(&numbers);
        let stay = self.newer_than_own(&whole, &keys);
        let kept = stay.len();
        let level = self.taken_over(&whole, &keys, &stay);
        let delta = if kept == 0 { Delta::default() } else { Delta(vec![Arc::new(level)]) };
        Absorbed { table: self.with_delta(delta), dropped: numbers.len() - kept, kept }
    }

    /// The rows of a level that are newer than what this version has.
    fn newer_than_own(&self, level: &Level, keys: &[Column]) -> Vec<u32> {
        let columns: Vec<&Column> = keys.iter().collect();
        let mut own = Vec::with_capacity(level.event_times.len());
        self.find_values(&columns, level.event_times.len(), &mut own);
        let mut times = self.base_event_times(&own);
        if let Some(EventTime::Version(time)) = self.schema.event_time {
            // What had happened by then and has no row in the version is gone.
            times.fill(time);
        }
        let newer = (0..level.event_times.len()).filter(|&row| level.event_times[row] > times[row]);
        newer.map(|row| row as u32).collect()
    }

    /// Some rows of a level of another version in the columns of this one.
    fn taken_over(&self, level: &Arc<Level>, keys: &[Column], stay: &[u32]) -> Level {
        let gathered = |source: &Column, lanes: usize| {
            let mut values = source.clone_empty();
            values.gather(source, lanes, stay);
            values
        };
        let numbers: Vec<RowNumber> = stay.iter().map(|&row| RowNumber::written(0, row)).collect();
        let rows = Rows {
            keys: keys.iter().map(|column| gathered(column, 1)).collect(),
            below: numbers,
            event_times: stay.iter().map(|&row| level.event_times[row as usize]).collect(),
            deleted: stay.iter().map(|&row| level.deleted[row as usize]).collect(),
        };
        let delta = Delta(vec![level.clone()]);
        if self.schema.columns == level.rows.schema.columns {
            return Level::build(&Self { delta, ..level.rows.clone() }, rows, &[]);
        }
        let plain: Vec<RowNumber> = stay.iter().map(|&row| RowNumber::row(row)).collect();
        let column = |(position, column): (usize, &crate::table::ColumnSchema)| {
            let mut values = Column::new(column.of);
            let before = level.rows.schema.column(&column.name);
            match before.filter(|&before| level.rows.schema.columns[before].of == column.of) {
                Some(before) => {
                    let mut read = Column::new(column.of);
                    level.rows.gather(before, &plain, &mut read);
                    values.expand(&read, column.of.lanes());
                }
                None => values.fill_null(column.of.lanes(), plain.len(), Mark::NULL),
            }
            (position, values)
        };
        let replaced: Vec<_> = self.schema.columns.iter().enumerate().map(column).collect();
        Level::build(self, rows, &replaced)
    }
}
