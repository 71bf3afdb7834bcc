//! How old the rows are that lookups found, by the request's clock.

use std::ops::Range;

use super::{
    Tables,
    fetch::Rows,
    graph::{Age, Graph},
};
use crate::{
    batch::{Column, Mark, Type, time::TimeUnit},
    spec::Stale,
    table::{EventTime, RowNumber, Table, event_time_unit},
};

impl Rows {
    /// Notes which rows of a lookup are too old at `now`: those that are served are marked, others are none any more.
    pub fn age(&mut self, lookup: usize, graph: &Graph, tables: Tables<'_>, now: Option<i64>) {
        let (Some(age), Some(now)) = (&graph.lookups[lookup].age, now) else { return };
        let table = tables.of(graph, lookup);
        let is_stale = stale_rows(table, age, &self.numbers[lookup], now);
        if !is_stale.contains(&true) {
            return;
        }
        match age.stale {
            Stale::Serve => self.stale[lookup] = is_stale,
            Stale::Null => {
                let numbers = self.numbers[lookup].iter_mut().zip(is_stale);
                numbers.filter(|(_, stale)| *stale).for_each(|(number, _)| *number = RowNumber::STALE);
            }
        }
    }

    /// Marks in `values`, which are of a lookup for the rows `range` or for all, those of rows that are too old.
    pub fn mark_stale(&self, lookup: usize, range: Option<Range<usize>>, values: &mut Column) {
        let stale = self.stale[lookup].as_slice();
        if stale.is_empty() {
            return;
        }
        let marks = match &mut values.list {
            // A list of the table is too old as a whole; of a list of keys the elements are.
            Some(list) if self.lists[lookup].is_none() => &mut list.marks,
            _ => &mut values.marks,
        };
        let stale = range.map_or(stale, |range| &stale[self.positions(lookup, range)]);
        for (mark, _) in marks.iter_mut().zip(stale).filter(|(_, stale)| **stale) {
            *mark |= Mark::STALE;
        }
    }
}

/// Whether each row is too old; a row without an event time is, as nothing says that it is not.
fn stale_rows(table: &Table, age: &Age, numbers: &[RowNumber], now: i64) -> Vec<bool> {
    let column = match table.schema().event_time {
        Some(EventTime::Column(column)) => column,
        whole => {
            let stale = matches!(whole, Some(EventTime::Version(at)) if at < age.earliest(now, 1));
            return numbers.iter().map(|number| stale && number.is_found()).collect();
        }
    };
    let of = table.schema().columns[column].of;
    let earliest = age.earliest(now, event_time_unit(of).map_or(1, TimeUnit::nanoseconds));
    let mut times = Column::new(Type { nullable: true, ..of });
    table.gather(column, numbers, &mut times);
    let times = times.int64().iter().zip(&times.marks);
    let is_stale = times.map(|(&at, mark)| mark.is_null() || at < earliest);
    numbers.iter().zip(is_stale).map(|(number, stale)| stale && number.is_found()).collect()
}
