//! Making a level.

use std::sync::Arc;

use super::{Delta, Level};
use crate::{
    batch::{Column, Mark},
    files::Room,
    table::{
        RowNumber, Table,
        column::{ColumnStore, Content},
        column_builder::ColumnBuilder,
        index::Index,
        keys::KeyStore,
        next_id,
    },
};

/// What a level is made of: for each row its key, the row below, and what is known of it.
pub struct Rows {
    /// The key's columns; no two rows have the same key.
    pub keys: Vec<Column>,
    /// The row that has the values of the columns that are not replaced.
    pub below: Vec<RowNumber>,
    pub event_times: Vec<i64>,
    pub deleted: Vec<bool>,
}

impl Level {
    /// Makes a level of rows over `table`, some columns with new values; each by its position in the schema.
    pub fn build(table: &Table, rows: Rows, replaced: &[(usize, Column)]) -> Self {
        let Rows { keys, below, event_times, deleted } = rows;
        let store = key_store(table, &keys, below.len());
        let index = index_of(&store, below.len(), |_, _| {});
        let column = |position: usize| {
            let mut builder =
                ColumnBuilder::new(&table.schema.columns[position], below.len(), Room::default());
            match replaced.iter().find(|(column, _)| *column == position) {
                // Every value was held against the column's type.
                Some((_, values)) => builder.append(values, &mut |_, _| {}),
                None => table.append_rows(position, &below, &mut builder),
            }
            builder.finish()
        };
        let columns: Arc<[ColumnStore]> = (0..table.schema.columns.len()).map(column).collect();
        let rows = Table {
            schema: table.schema.clone(),
            keys: Arc::new(store),
            index: Arc::new(index),
            columns,
            rows: below.len() as u32,
            delta: Delta::default(),
            reserved: None,
            id: next_id(),
        };
        Self { rows, event_times, deleted }
    }
}

/// The keys of `count` rows.
pub fn key_store(table: &Table, keys: &[Column], count: usize) -> KeyStore {
    let mut store = KeyStore::new(&table.schema.key, count);
    // Keys that are too long were rejected before.
    store.append(keys, &mut |_, _| {});
    store.finish();
    store
}

/// Indexes keys; `duplicate` receives the earlier and the later row of those with one key.
pub fn index_of(keys: &KeyStore, count: usize, duplicate: impl FnMut(u32, u32)) -> Index {
    match keys.own_integers() {
        Some(integers) => Index::build(count as u32, &integers, duplicate),
        None => Index::build(count as u32, &keys.own(), duplicate),
    }
}

impl Table {
    /// Appends the values of column `column` at `rows`; where there is no row, nulls.
    fn append_rows(&self, column: usize, rows: &[RowNumber], builder: &mut ColumnBuilder) {
        if matches!(self.columns[column].content, Content::Vectors(_)) {
            // As they are stored: rounding what was rounded need not give the same.
            let stored = rows.iter().map(|&row| {
                let (table, row) = self.part(row);
                table.columns[column].stored_vector(row)
            });
            return builder.append_vectors(stored);
        }
        if matches!(self.columns[column].content, Content::VectorLists(_)) {
            for &row in rows {
                let (table, row) = self.part(row);
                builder.append_kept_list(&table.columns[column], row);
            }
            return;
        }
        let mut values = Column::new(self.schema.columns[column].of);
        self.gather(column, rows, &mut values);
        values.list.as_mut().map_or(&mut values.marks, |list| &mut list.marks).iter_mut().for_each(as_null);
        builder.append(&values, &mut |_, _| {});
    }
}

/// A row that is new has nulls, and nothing says of a row that is there that its key was not found.
pub fn as_null(mark: &mut Mark) {
    if mark.is_null() {
        *mark = Mark::NULL;
    }
}
