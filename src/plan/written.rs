//! What is kept for rows that were written since their table's version was made: computed once, when they are written.

use std::sync::Arc;

use super::{
    Plan, Tables,
    prepare::{Numbers, Prepared, PreparedRows},
    program::Program,
};
use crate::{
    batch::{Column, Origin},
    table::{Level, RowMatrix, RowNumber},
};

/// What is kept for the rows of one level.
#[derive(Debug, Clone)]
pub struct OfLevel {
    level: Arc<Level>,
    rows: Arc<PreparedRows>,
}

impl OfLevel {
    /// Bytes of what is kept.
    pub fn memory(&self) -> usize {
        self.rows.memory()
    }
}

/// The records of a lookup's table, those of written rows too.
#[derive(Debug, Clone, Copy)]
pub struct Records<'a> {
    pub own: &'a RowMatrix,
    pub levels: &'a [OfLevel],
}

impl<'a> Records<'a> {
    /// All records, where none is of a written row.
    pub fn unwritten(self) -> Option<&'a RowMatrix> {
        self.levels.is_empty().then_some(self.own)
    }

    /// The record of a row.
    #[inline]
    pub fn row(self, number: RowNumber) -> &'a [u8] {
        match number.level() {
            None => self.own.row(number.place()),
            Some((level, row)) => {
                let records = self.levels[level].rows.records.as_ref();
                records.map_or(&[], |records| records.row(row as usize))
            }
        }
    }

    /// Asks the processor to fetch a row's record.
    #[inline]
    pub fn prefetch(self, number: RowNumber) {
        match number.level() {
            None => self.own.prefetch(number.place()),
            Some((level, row)) => {
                let records = self.levels[level].rows.records.as_ref();
                records.iter().for_each(|records| records.prefetch(row as usize));
            }
        }
    }
}

/// The values of a kept node for all rows of a lookup's table.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    pub lookup: usize,
    /// The position among the lookup's kept nodes.
    pub at: usize,
    pub own: &'a Column,
    pub levels: &'a [OfLevel],
}

impl Kept<'_> {
    /// Makes `out` the values of `lanes` elements each at `numbers`.
    pub fn gather(self, lanes: usize, numbers: &[RowNumber], out: &mut Column) {
        if self.levels.is_empty() || numbers.iter().all(|number| number.level().is_none()) {
            return out.gather(self.own, lanes, numbers);
        }
        let of_levels = self.levels.iter().map(|level| &level.rows.kept[self.at]);
        let parts: Vec<&Column> = std::iter::once(self.own).chain(of_levels).collect();
        let origin = |number: &RowNumber| -> Origin {
            number.level().map_or((0, number.place()), |(level, row)| (level + 1, row as usize))
        };
        let order: Vec<Origin> = numbers.iter().map(origin).collect();
        out.interleave(&parts, lanes, &order);
    }
}

impl Prepared {
    /// The same over a table with other written rows, the one at position `table` of `tables`: what is kept for levels
    /// that were there before is shared.
    pub fn with_written(&self, plan: &Plan, program: &Program, tables: Tables<'_>, table: usize) -> Self {
        let mut prepared = self.clone();
        for lookup in
            (0..plan.graph.lookups.len()).filter(|&lookup| plan.graph.lookups[lookup].table == table)
        {
            prepared.levels[lookup] = self.levels_of(plan, program, tables, lookup);
        }
        prepared
    }

    /// What is kept for each level of a lookup's table; nothing where nothing is kept for its rows.
    pub(super) fn levels_of(
        &self,
        plan: &Plan,
        program: &Program,
        tables: Tables<'_>,
        lookup: usize,
    ) -> Vec<OfLevel> {
        if !program.keeps_rows(lookup) {
            return Vec::new();
        }
        let known = self.levels.get(lookup).map_or(&[][..], Vec::as_slice);
        let of_level = |(number, level): (usize, &Arc<Level>)| {
            if let Some(known) = known.iter().find(|known| Arc::ptr_eq(&known.level, level)) {
                return known.clone();
            }
            let numbers = Numbers::Level { level: number, rows: level.event_times().len() };
            let rows = self.prepare_rows(plan, program, tables, lookup, numbers);
            OfLevel { level: level.clone(), rows: Arc::new(rows) }
        };
        let levels = tables.of(&plan.graph, lookup).delta().levels();
        levels.iter().enumerate().map(of_level).collect()
    }
}
