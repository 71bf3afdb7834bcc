//! Tables that came about by writes: what is read of them is what a table made whole would give.

use quiver::{
    batch::Column,
    table::{Change, Table, TableSchema, Write, Written},
};
use rand::{RngExt as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;

/// The rows that a table should have in the end, and those that it must not have.
pub struct Rows<'a> {
    pub keys: &'a [Column],
    pub columns: &'a [Column],
    pub removed: &'a [u32],
}

/// Makes the table by way of a base with some rows right and others wrong, and of writes in any order of their event times.
pub fn written(rng: &mut ChaCha8Rng, schema: TableSchema, rows: &Rows<'_>) -> Table {
    let count = rows.keys[0].rows() as u32;
    let schema = TableSchema { live: true, ..schema };
    let mut right: Vec<u32> = (0..count).filter(|row| !rows.removed.contains(row)).collect();
    right.retain(|_| rng.random_bool(0.4));
    let wrong: Vec<u32> = (0..count).filter(|row| !right.contains(row)).collect();
    let in_base: Vec<u32> = wrong.iter().copied().filter(|_| rng.random_bool(0.5)).collect();
    let values = [right.clone(), others(rng, count, in_base.len())].concat();
    let places = [right, in_base].concat();
    let base = (picked(rows.keys, &schema, &places, true), picked(rows.columns, &schema, &values, false));
    let mut table = Table::from_columns(schema, base.0, base.1).expect("a table");
    let last = rng.random_range(1..8);
    for time in 0..last {
        table = table.write(&noise(rng, &table, rows, &wrong, time)).0;
    }
    for write in finals(rng, &table, rows, &wrong, last) {
        table = table.write(&write).0;
    }
    for time in 0..last {
        let (after, applied) = table.write(&noise(rng, &table, rows, &wrong, time));
        assert!(applied.iter().all(|applied| !applied), "an older write never replaces a newer row");
        table = after;
    }
    table
}

/// The rows of others, for wrong values.
fn others(rng: &mut ChaCha8Rng, count: u32, wanted: usize) -> Vec<u32> {
    (0..wanted).map(|_| rng.random_range(0..count)).collect()
}

fn picked(columns: &[Column], schema: &TableSchema, rows: &[u32], keys: bool) -> Vec<Column> {
    let lanes = |position: usize| if keys { 1 } else { schema.columns[position].of.lanes() };
    let picked = |(position, column): (usize, &Column)| {
        let mut out = column.clone_empty();
        out.gather(column, lanes(position), rows);
        out
    };
    columns.iter().enumerate().map(picked).collect()
}

/// Wrong values for some of the rows, or their removal.
fn noise(rng: &mut ChaCha8Rng, table: &Table, rows: &Rows<'_>, wrong: &[u32], time: i64) -> Write {
    let mut places: Vec<u32> = wrong.iter().copied().filter(|_| rng.random_bool(0.5)).collect();
    places.shuffle(rng);
    let values = others(rng, rows.keys[0].rows() as u32, places.len());
    let values = picked(rows.columns, table.schema(), &values, false).into_iter().enumerate();
    let written = values.map(|(column, values)| Written { column, values });
    let change = if rng.random_bool(0.3) {
        Change::Delete
    } else {
        Change::Upsert(written.filter(|_| rng.random_bool(0.5)).collect())
    };
    let keys = picked(rows.keys, table.schema(), &places, true);
    Write { change, keys, event_times: vec![time; places.len()] }
}

/// The right values in two writes, each of some columns, and the removals.
fn finals(rng: &mut ChaCha8Rng, table: &Table, rows: &Rows<'_>, wrong: &[u32], time: i64) -> [Write; 3] {
    let stay: Vec<u32> = wrong.iter().copied().filter(|row| !rows.removed.contains(row)).collect();
    let keys = |rows_of: &[u32]| picked(rows.keys, table.schema(), rows_of, true);
    let first: Vec<bool> = rows.columns.iter().map(|_| rng.random_bool(0.5)).collect();
    let upsert = |is_first: bool| {
        let values = picked(rows.columns, table.schema(), &stay, false).into_iter().enumerate();
        let written = values.map(|(column, values)| Written { column, values });
        let change = Change::Upsert(written.filter(|written| first[written.column] == is_first).collect());
        Write { change, keys: keys(&stay), event_times: vec![time; stay.len()] }
    };
    let event_times = vec![time; rows.removed.len()];
    [upsert(true), upsert(false), Write { change: Change::Delete, keys: keys(rows.removed), event_times }]
}
