//! Tables made of columns in memory: finding, reading by row number, refusals, memory.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::batch::{Element, ListRows, Strings, Type};

fn schema(key: &[Element], columns: Vec<ColumnSchema>) -> TableSchema {
    let key = key.iter().enumerate();
    let key = key.map(|(position, &element)| KeyColumn { name: format!("key{position}"), element });
    TableSchema {
        name: "things".to_owned(),
        version: 1,
        key: key.collect(),
        columns,
        event_time: None,
        live: false,
    }
}

fn column(values: Values, rows: usize) -> Column {
    Column { values, marks: vec![Mark::PRESENT; rows], list: None }
}

fn integers(values: &[i64]) -> Column {
    column(Values::Int64(values.to_vec()), values.len())
}

fn strings(values: &[&str]) -> Column {
    column(Values::String(Strings::from_values(values)), values.len())
}

fn marked(mut column: Column, position: usize, mark: Mark) -> Column {
    column.marks[position] = mark;
    column
}

fn refusals(schema: TableSchema, keys: Vec<Column>, columns: Vec<Column>) -> String {
    Table::from_columns(schema, keys, columns).expect_err("rejected").to_string()
}

/// What `find` must give: the row of an equal key, or the row that says why there is none.
fn check_find<K: std::hash::Hash + Eq + Clone>(table: &Table, stored: &[K], wanted: &[K], keys: &[&Column]) {
    let rows: HashMap<&K, RowNumber> = stored.iter().zip((0..).map(RowNumber::row)).collect();
    let mut found = Vec::new();
    table.find(keys, &mut found);
    let expect: Vec<RowNumber> =
        wanted.iter().map(|key| rows.get(key).copied().unwrap_or(RowNumber::NOT_FOUND)).collect();
    assert_eq!(found, expect);
}

/// Distinct keys from a narrow range, so that hits and misses are both common.
fn distinct(keys: Vec<u16>) -> Vec<u16> {
    let mut seen = std::collections::HashSet::new();
    keys.into_iter().filter(|key| seen.insert(*key)).collect()
}

proptest! {
    #[test]
    fn find_agrees_with_a_hash_map(
        stored in proptest::collection::vec(0u16..600, 0..400),
        wanted in proptest::collection::vec(0u16..600, 0..200),
        stride in prop::sample::select(vec![1i64, -7, 1 << 32, 1 << 47]),
    ) {
        let stored = distinct(stored);
        let numbers = |keys: &[u16]| keys.iter().map(|&key| i64::from(key) * stride).collect::<Vec<_>>();
        let texts = |keys: &[u16]| keys.iter().map(|key| format!("key-{key}")).collect::<Vec<_>>();
        let halves = |keys: &[u16]| keys.iter().map(|key| u64::from(key / 16)).collect::<Vec<_>>();
        let rests = |keys: &[u16]| keys.iter().map(|key| format!("{}", key % 16)).collect::<Vec<_>>();
        let columns = |keys: &[u16]| {
            let count = keys.len();
            [
                vec![integers(&numbers(keys))],
                vec![column(Values::Uint64(halves(keys)), count), integers(&numbers(keys))],
                vec![column(Values::String(Strings::from_values(texts(keys))), count)],
                vec![
                    column(Values::Uint64(halves(keys)), count),
                    column(Values::String(Strings::from_values(rests(keys))), count),
                ],
            ]
        };
        let elements = [
            vec![Element::Int64],
            vec![Element::Uint64, Element::Int64],
            vec![Element::String],
            vec![Element::Uint64, Element::String],
        ];
        for ((elements, own), wanted_columns) in elements.iter().zip(columns(&stored)).zip(columns(&wanted)) {
            let table = Table::from_columns(schema(elements, vec![]), own, vec![]).expect("distinct keys");
            check_find(&table, &stored, &wanted, &wanted_columns.iter().collect::<Vec<_>>());
        }
    }
}

#[test]
fn null_keys_tell_why() {
    let table = Table::from_columns(
        schema(&[Element::Int64, Element::String], vec![]),
        vec![integers(&[1, 2]), strings(&["a", "b"])],
        vec![],
    )
    .expect("a good table");
    let numbers = marked(integers(&[1, 1, 2, 2, 9]), 1, Mark::NULL);
    let texts = marked(
        marked(strings(&["a", "a", "b", "b", "a"]), 3, Mark::KEY_NOT_FOUND),
        2,
        Mark::UNKNOWN_CATEGORY,
    );
    let mut rows = vec![RowNumber::row(5)];
    table.find(&[&numbers, &texts], &mut rows);
    assert_eq!(
        rows,
        [
            RowNumber::row(5),
            RowNumber::row(0),
            RowNumber::NULL,
            RowNumber::row(1),
            RowNumber::NOT_FOUND,
            RowNumber::NOT_FOUND
        ]
    );
}

/// A table with each shape of column, and nulls.
fn shapes() -> Table {
    let columns = vec![
        ColumnSchema { nan_is_null: true, ..ColumnSchema::scalar("price", Stored::Float32) },
        ColumnSchema::scalar("category", Stored::String),
        ColumnSchema { nan_is_null: true, ..ColumnSchema::vector("embedding", Stored::Float16, 3) },
        ColumnSchema::list("tags", Stored::String),
        ColumnSchema::list("counts", Stored::Uint8),
        ColumnSchema::scalar("clicked", Stored::Bool),
    ];
    let list = |offsets: &[u32], null: usize| {
        let mut marks = vec![Mark::PRESENT; offsets.len() - 1];
        marks[null] = Mark::NULL;
        Some(ListRows { offsets: offsets.to_vec(), marks })
    };
    let values = vec![
        column(Values::Float64(vec![0.5, f64::NAN, 2.0]), 3),
        marked(strings(&["auto", "food", ""]), 2, Mark::NULL),
        column(Values::Float64(vec![1.0, 2.0, 3.0, 4.0, f64::NAN, 6.0, 7.0, 8.0, 9.0]), 3),
        Column { list: list(&[0, 2, 2, 3], 1), ..strings(&["x", "y", "z"]) },
        Column {
            list: list(&[0, 0, 1, 3], 0),
            ..marked(column(Values::Uint64(vec![4, 0, 255]), 3), 1, Mark::NULL)
        },
        column(Values::Bool(vec![true, false, true]), 3),
    ];
    Table::from_columns(schema(&[Element::Int64], columns), vec![integers(&[10, 20, 30])], values)
        .expect("a good table")
}

#[test]
fn scalars_and_vectors_are_read_by_row() {
    let table = shapes();
    let [first, second, third] = [0, 1, 2].map(RowNumber::row);
    let rows = [third, second, RowNumber::NOT_FOUND, first, RowNumber::NULL];
    let (found, null) = (Mark::PRESENT, Mark::NULL);
    let mut out = Column::new(Type::scalar(Element::String));
    table.gather(0, &rows, &mut out);
    assert_eq!((out.float64()[0], out.float64()[3]), (2.0, 0.5));
    assert_eq!(out.marks, [found, null, Mark::KEY_NOT_FOUND, found, null]);
    table.gather(1, &rows, &mut out);
    assert_eq!(out.strings().iter().collect::<Vec<_>>(), ["", "food", "", "auto", ""]);
    assert_eq!(out.marks, [null, found, Mark::KEY_NOT_FOUND, found, null]);
    table.gather(2, &rows, &mut out);
    let Values::Float32(vectors) = &out.values else { panic!("{out:?}") };
    assert_eq!(
        (vectors.len(), &vectors[..3], &vectors[9..12]),
        (15, &[7.0, 8.0, 9.0][..], &[1.0, 2.0, 3.0][..])
    );
    assert_eq!(out.marks, [found, null, Mark::KEY_NOT_FOUND, found, null]);
    table.gather(5, &rows, &mut out);
    assert_eq!(out.bool(), [true, false, false, true, false]);
    assert_eq!(out.marks, [found, found, Mark::KEY_NOT_FOUND, found, null]);
    (0..6).for_each(|column| rows.iter().for_each(|&row| table.prefetch(column, row)));
}

#[test]
fn lists_are_read_by_row() {
    let table = shapes();
    let [first, second, third] = [0, 1, 2].map(RowNumber::row);
    let rows = [third, RowNumber::NULL, second, first, RowNumber::NOT_FOUND];
    let (found, null) = (Mark::PRESENT, Mark::NULL);
    let mut out = Column::new(Type::scalar(Element::Float64));
    table.gather(3, &rows, &mut out);
    assert_eq!(out.strings().iter().collect::<Vec<_>>(), ["z", "x", "y"]);
    let list = out.list.as_ref().expect("lists");
    assert_eq!(list.offsets, [0, 1, 1, 1, 3, 3]);
    assert_eq!(list.marks, [found, null, null, found, Mark::KEY_NOT_FOUND]);
    table.gather(4, &rows, &mut out);
    assert_eq!(out.uint64(), [0, 255, 4]);
    assert_eq!(out.marks, [null, found, found]);
    assert_eq!(out.list.as_ref().expect("lists").offsets, [0, 2, 2, 3, 3, 3]);
    table.gather(0, &[], &mut out);
    assert!(out.list.is_none() && out.rows() == 0);
}

#[test]
fn vectors_and_marks_are_open_to_plans() {
    let table = shapes();
    let vectors = table.vectors(2).expect("a vector column");
    assert_eq!((vectors.form(), vectors.width(), vectors.row(1)), (Form::Float16, 3, &[0; 6][..]));
    assert_eq!(table.marks(2), Some(&[Mark::PRESENT, Mark::NULL, Mark::PRESENT][..]));
    assert_eq!(table.marks(5), None);
    assert_eq!(table.marks(3), Some(&[Mark::PRESENT, Mark::NULL, Mark::PRESENT][..]));
    assert!(table.vectors(0).is_none());
}

#[test]
fn wrong_columns_are_rejected_with_their_row() {
    let small = || ColumnSchema::scalar("small", Stored::Int8);
    let key = [Element::Int64];
    let nulls = marked(integers(&[1, 2, 3]), 1, Mark::NULL);
    let checks = [
        (refusals(schema(&key, vec![]), vec![nulls], vec![]), "row 1, column key0: null in a key"),
        (
            refusals(schema(&key, vec![]), vec![integers(&[4, 5, 4])], vec![]),
            "row 2: the key 4 is there already: row 0",
        ),
        (
            refusals(schema(&key, vec![small()]), vec![integers(&[1])], vec![integers(&[-129])]),
            "row 0, column small: -129 does not fit into int8",
        ),
        (
            refusals(schema(&key, vec![small()]), vec![integers(&[1])], vec![strings(&["a"])]),
            "small: must be int64",
        ),
        (refusals(schema(&key, vec![small()]), vec![integers(&[1])], vec![integers(&[1, 2])]), "has 2 rows"),
        (refusals(schema(&key, vec![small()]), vec![integers(&[1])], vec![]), "1 columns are wanted, 0 came"),
        (
            refusals(
                schema(&key, vec![ColumnSchema::vector("v", Stored::Float32, 2)]),
                vec![integers(&[1])],
                vec![column(Values::Float64(vec![1.0]), 1)],
            ),
            "1 elements and 1 marks for 1 values",
        ),
    ];
    for (found, expect) in checks {
        assert!(found.contains(expect), "{found}");
    }
}

#[test]
fn a_null_hides_what_does_not_fit() {
    let schema = schema(&[Element::Int64], vec![ColumnSchema::scalar("small", Stored::Int8)]);
    let hidden = marked(integers(&[4096]), 0, Mark::NULL);
    let table = Table::from_columns(schema, vec![integers(&[1])], vec![hidden]).expect("a good table");
    assert_eq!(table.marks(0), Some(&[Mark::NULL][..]));
}

#[test]
fn memory_stays_near_the_raw_bytes() {
    let rows = 100_000;
    let columns = vec![
        ColumnSchema::vector("embedding", Stored::Float32, 64),
        ColumnSchema::scalar("category", Stored::String),
        ColumnSchema::scalar("price", Stored::Float64),
    ];
    let categories: Vec<String> = (0..rows).map(|row| format!("category-{}", row % 40)).collect();
    let values = vec![
        marked(column(Values::Float64(vec![0.25; rows * 64]), rows), 7, Mark::NULL),
        column(Values::String(Strings::from_values(&categories)), rows),
        column(Values::Float64(vec![1.0; rows]), rows),
    ];
    let keys: Vec<i64> = (0..rows as i64).map(|row| row * 977).collect();
    let table = Table::from_columns(schema(&[Element::Int64], columns), vec![integers(&keys)], values)
        .expect("a good table");
    let ratio = table.memory() as f64 / table.raw_bytes() as f64;
    assert!((0.9..1.1).contains(&ratio), "{ratio}");
    let mut found = Vec::new();
    table.find(&[&integers(&keys)], &mut found);
    assert!(found.iter().copied().eq((0..rows as u32).map(RowNumber::row)));
}
