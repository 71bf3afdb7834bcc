//! Tables: keys to row numbers against a hash map, and rows copied out by number against the same copies in order.

mod support;

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::hint::black_box;

use hashbrown::HashMap;
use quiver::{
    batch::{Column, Element, Mark, Strings, Type, Values},
    table::{ColumnSchema, KeyColumn, Stored, Table, TableSchema},
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use support::{Effort, Report, compare, pin};

/// Keys of one request.
const BATCH: usize = 500;

/// Elements of each vector.
const WIDTH: usize = 64;

fn main() {
    pin(0);
    let effort = Effort::from_arguments();
    let rows = if effort.quick { 200_000 } else { 4_000_000 };
    let mut report = Report::begin("tables");
    println!(
        "{:<34} {:>12} {:>14} {:>8}",
        format!("{rows} rows, batches of {BATCH}"),
        "table ns",
        "other ns",
        "ratio"
    );
    let integers: Vec<i64> = (0..rows as i64).map(|row| row * 7919).collect();
    let table = table(Element::Int64, Values::Int64(integers.clone()));
    let map: HashMap<i64, u32> = integers.iter().copied().zip(0..).collect();
    let mut batches = Batches::new(rows);
    let mut others = Batches::new(rows);
    let mut numbers = Vec::new();
    let found = compare(
        effort,
        || {
            let keys =
                column(Element::Int64, Values::Int64(batches.next().map(|row| integers[row]).collect()));
            numbers.clear();
            table.find(&[&keys], &mut numbers);
        },
        || {
            let keys: Vec<i64> = others.next().map(|row| integers[row]).collect();
            black_box(keys.iter().map(|key| map.get(key).copied().unwrap_or_default()).collect::<Vec<u32>>());
        },
    );
    record(&mut report, "find int64 (other: hashbrown)", found);
    gather(&mut report, effort, &table, rows);
    strings(&mut report, effort, rows / 4);
}

/// Vectors by row number, against copies of as many bytes that lie in order.
fn gather(report: &mut Report, effort: Effort, table: &Table, rows: usize) {
    let vectors = table.vectors(0).expect("a vector column");
    let mut batches = Batches::new(rows);
    let mut answer = vec![0; BATCH * vectors.row_bytes()];
    let mut in_order = vec![0; BATCH * vectors.row_bytes()];
    let copied = compare(
        effort,
        || {
            let numbers: Vec<usize> = batches.next().collect();
            numbers.iter().for_each(|&number| vectors.prefetch(number));
            for (to, &number) in answer.chunks_exact_mut(vectors.row_bytes()).zip(&numbers) {
                to.copy_from_slice(vectors.row(number));
            }
            black_box(&answer);
        },
        || {
            for (number, to) in in_order.chunks_exact_mut(vectors.row_bytes()).enumerate() {
                to.copy_from_slice(vectors.row(number));
            }
            black_box(&in_order);
        },
    );
    record(report, "copy 64 floats (other: in order)", copied);
}

fn strings(report: &mut Report, effort: Effort, rows: usize) {
    let texts: Vec<String> = (0..rows).map(|row| format!("ad-{:09}", row * 31)).collect();
    let table = table(Element::String, Values::String(Strings::from_values(&texts)));
    let map: HashMap<&str, u32> = texts.iter().map(String::as_str).zip(0..).collect();
    let mut batches = Batches::new(rows);
    let mut others = Batches::new(rows);
    let mut numbers = Vec::new();
    let found = compare(
        effort,
        || {
            let keys = Values::String(Strings::from_values(batches.next().map(|row| &texts[row])));
            numbers.clear();
            table.find(&[&column(Element::String, keys)], &mut numbers);
        },
        || {
            let keys = Strings::from_values(others.next().map(|row| &texts[row]));
            black_box(keys.iter().map(|key| map.get(key).copied().unwrap_or_default()).collect::<Vec<u32>>());
        },
    );
    record(report, "find string (other: hashbrown)", found);
}

fn record(report: &mut Report, case: &str, [table, other, ratio]: [f64; 3]) {
    let each = |seconds: f64| seconds * 1e9 / BATCH as f64;
    println!("{case:<34} {:>12.1} {:>14.1} {ratio:>8.2}", each(table), each(other));
    report.add(case, json!({"table_ns": each(table), "other_ns": each(other), "ratio": ratio}));
}

/// A table of one vector column.
fn table(element: Element, keys: Values) -> Table {
    let keys = column(element, keys);
    let rows = keys.marks.len();
    let schema = TableSchema {
        live: false,
        name: "bench".to_owned(),
        version: 1,
        key: vec![KeyColumn { name: "key".to_owned(), element }],
        columns: vec![ColumnSchema::vector("vector", Stored::Float32, WIDTH)],
        event_time: None,
    };
    let mut vectors = Column::new(Type::vector(WIDTH));
    vectors.marks = vec![Mark::PRESENT; rows];
    vectors.values = Values::Float64(vec![0.5; rows * WIDTH]);
    Table::from_columns(schema, vec![keys], vec![vectors]).expect("a table")
}

fn column(element: Element, values: Values) -> Column {
    let mut column = Column::new(Type::scalar(element));
    let count = match &values {
        Values::Int64(values) => values.len(),
        Values::String(values) => values.len(),
        _ => 0,
    };
    column.marks = vec![Mark::PRESENT; count];
    column.values = values;
    column
}

/// Random rows, batch by batch.
struct Batches {
    rng: ChaCha8Rng,
    rows: usize,
}

impl Batches {
    fn new(rows: usize) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(3), rows }
    }

    fn next(&mut self) -> impl Iterator<Item = usize> {
        (0..BATCH).map(|_| self.rng.random_range(0..self.rows))
    }
}
