use super::{
    fold::{Change, Write, Written},
    *,
};
use crate::{
    batch::{Element, ListRows, Mark, Strings},
    table::{ColumnSchema, KeyColumn, Stored, TableSchema},
};

/// A table of string keys a, b, c with a number, a vector, a text and a list.
fn table(event_time: Option<EventTime>) -> Table {
    let schema = TableSchema {
        name: "things".to_owned(),
        version: 1,
        key: vec![KeyColumn { name: "key".to_owned(), element: Element::String }],
        columns: vec![
            ColumnSchema::scalar("number", Stored::Int32),
            ColumnSchema::vector("vector", Stored::Float32, 2),
            ColumnSchema::scalar("text", Stored::String),
            ColumnSchema::list("list", Stored::Int64),
        ],
        event_time,
        live: true,
    };
    let columns = vec![
        numbers(&[1, 2, 3]),
        vectors(&[1.0, 1.5, 2.0, 2.5, 3.0, 3.5]),
        texts(&["x", "y", "z"]),
        lists(&[&[1], &[], &[3, 3]]),
    ];
    Table::from_columns(schema, vec![texts(&["a", "b", "c"])], columns).expect("a table")
}

fn column(values: Values, rows: usize) -> Column {
    Column { values, marks: vec![Mark::PRESENT; rows], list: None }
}

fn numbers(values: &[i64]) -> Column {
    column(Values::Int64(values.to_vec()), values.len())
}

fn vectors(values: &[f64]) -> Column {
    column(Values::Float64(values.to_vec()), values.len() / 2)
}

fn texts(values: &[&str]) -> Column {
    column(Values::String(Strings::from_values(values)), values.len())
}

fn lists(rows: &[&[i64]]) -> Column {
    let mut list = ListRows { offsets: vec![0], marks: Vec::new() };
    for row in rows {
        list.push(*list.offsets.last().unwrap_or(&0) as usize + row.len(), Mark::PRESENT);
    }
    Column { list: Some(list), ..numbers(&rows.concat()) }
}

fn upsert(keys: &[&str], written: Vec<(usize, Column)>, event_times: &[i64]) -> Write {
    let columns = written.into_iter().map(|(column, values)| Written { column, values });
    Write {
        change: Change::Upsert(columns.collect()),
        keys: vec![texts(keys)],
        event_times: event_times.to_vec(),
    }
}

fn delete(keys: &[&str], event_times: &[i64]) -> Write {
    Write { change: Change::Delete, keys: vec![texts(keys)], event_times: event_times.to_vec() }
}

fn append(keys: &[&str], values: Column, cap: usize, event_times: &[i64]) -> Write {
    let lists = vec![Written { column: 3, values }];
    Write {
        change: Change::Append { lists, cap },
        keys: vec![texts(keys)],
        event_times: event_times.to_vec(),
    }
}

/// A key's row as people read it.
fn row(table: &Table, key: &str) -> String {
    let mut numbers = Vec::new();
    table.find(&[&texts(&[key])], &mut numbers);
    if !numbers[0].is_found() {
        return "none".to_owned();
    }
    let cells = (0..4).map(|position| {
        let mut read = Column::new(table.schema().columns[position].of);
        table.gather(position, &numbers, &mut read);
        let marks = read.list.as_ref().map_or(&read.marks, |list| &list.marks);
        if marks[0].is_null() {
            assert_eq!(marks[0], Mark::NULL);
            return "null".to_owned();
        }
        match &read.values {
            Values::Int64(values) => format!("{values:?}"),
            Values::Float32(values) => format!("{values:?}"),
            Values::String(values) => values.get(0).to_owned(),
            other => panic!("{other:?}"),
        }
    });
    cells.collect::<Vec<_>>().join(" ")
}

#[test]
fn columns_that_are_not_written_stay() {
    let (table, applied) = table(None).write(&upsert(&["b", "d"], vec![(0, numbers(&[20, 40]))], &[5, 5]));
    assert_eq!(applied, [true, true]);
    assert_eq!(row(&table, "a"), "[1] [1.0, 1.5] x [1]");
    assert_eq!(row(&table, "b"), "[20] [2.0, 2.5] y []");
    assert_eq!(row(&table, "d"), "[40] null null null");
    let (table, _) = table.write(&upsert(&["b"], vec![(1, vectors(&[7.0, 8.0])), (2, texts(&["w"]))], &[6]));
    assert_eq!(row(&table, "b"), "[20] [7.0, 8.0] w []");
}

#[test]
fn an_older_write_never_replaces_a_newer_row() {
    let table = table(None);
    let write = upsert(&["a", "a", "a", "b"], vec![(0, numbers(&[5, 9, 7, 2]))], &[5, 9, 7, 2]);
    let (table, applied) = table.write(&write);
    assert_eq!(applied, [true, true, false, true]);
    let (table, applied) = table.write(&upsert(&["a", "b"], vec![(0, numbers(&[8, 3]))], &[8, 2]));
    assert_eq!(applied, [false, true], "of equal times the later write counts");
    assert_eq!(
        (row(&table, "a"), row(&table, "b")),
        ("[9] [1.0, 1.5] x [1]".into(), "[3] [2.0, 2.5] y []".into())
    );
}

#[test]
fn removed_rows_stay_removed_for_older_writes() {
    let (table, applied) = table(None).write(&delete(&["a", "q"], &[10, 10]));
    assert_eq!(applied, [true, true]);
    assert_eq!(row(&table, "a"), "none");
    let (table, applied) = table.write(&upsert(&["a", "q"], vec![(0, numbers(&[8, 8]))], &[9, 10]));
    assert_eq!(applied, [false, true]);
    assert_eq!((row(&table, "a"), row(&table, "q")), ("none".into(), "[8] null null null".into()));
    let (table, _) = table.write(&upsert(&["a"], vec![(0, numbers(&[11]))], &[11]));
    assert_eq!(row(&table, "a"), "[11] null null null", "nothing of the removed row comes back");
}

#[test]
fn lists_keep_the_newest_elements() {
    let write = append(&["c", "d", "c"], lists(&[&[4, 5], &[6], &[7]]), 4, &[1, 1, 1]);
    let (table, applied) = table(None).write(&write);
    assert_eq!(applied, [true; 3]);
    assert_eq!(row(&table, "c"), "[3] [3.0, 3.5] z [3, 4, 5, 7]");
    assert_eq!(row(&table, "d"), "null null null [6]");
    let (table, _) = table.write(&delete(&["c"], &[5]));
    let (table, applied) = table.write(&append(&["c", "d"], lists(&[&[8], &[9]]), 4, &[4, 0]));
    assert_eq!(
        applied,
        [false, true],
        "elements are added whatever their age, but not to a row that is gone since"
    );
    assert_eq!((row(&table, "c"), row(&table, "d")), ("none".into(), "null null null [6, 9]".into()));
}

#[test]
fn the_base_has_event_times_too() {
    let table = table(Some(EventTime::Version(100)));
    let (table, applied) = table.write(&upsert(&["a", "d"], vec![(0, numbers(&[8, 8]))], &[99, 1]));
    assert_eq!(applied, [false, true]);
    assert_eq!(row(&table, "a"), "[1] [1.0, 1.5] x [1]");
}

#[test]
fn many_writes_make_few_levels_and_the_same_rows() {
    let mut live = table(None);
    let mut expected = std::collections::BTreeMap::new();
    for step in 0..500_i64 {
        let keys: Vec<String> = (0..5).map(|number| format!("k{}", (step * 7 + number * 13) % 97)).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        if step % 9 == 0 {
            live = live.write(&delete(&keys[..2], &[step; 2])).0;
            expected.extend(keys[..2].iter().map(|key| ((*key).to_owned(), None)));
        } else {
            let values: Vec<i64> = (0..5).map(|number| step * 10 + number).collect();
            live = live.write(&upsert(&keys, vec![(0, numbers(&values))], &[step; 5])).0;
            let written = keys.iter().zip(&values);
            expected.extend(written.map(|(key, &value)| ((*key).to_owned(), Some(value))));
        }
        assert!(live.delta().levels().len() < RowNumber::LEVELS);
    }
    assert!(live.delta().levels().len() <= 6, "{}", live.delta().levels().len());
    for (key, value) in &expected {
        let found = value.map_or("none".to_owned(), |value| format!("[{value}] null null null"));
        assert_eq!(row(&live, key), found, "{key}");
    }
}

#[test]
fn merging_aside_changes_no_row() {
    let big = |from: i64, time: i64| {
        let keys: Vec<String> = (from..from + 9000).map(|number| number.to_string()).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let values: Vec<i64> = (from..from + 9000).map(|number| number * 10 + time).collect();
        upsert(&keys, vec![(0, numbers(&values))], &vec![time; 9000])
    };
    let live = table(None).write(&big(0, 1)).0.write(&big(4000, 2)).0;
    let merged = live.delta().due().expect("two of one size").run();
    let later = live.write(&delete(&["5"], &[3])).0;
    let delta = later.delta().with_merged(&merged).expect("both are there");
    let after = later.with_delta(delta);
    assert_eq!(after.delta().levels().len(), 2);
    for (key, found) in [
        ("5", "none"),
        ("3999", "[39991] null null null"),
        ("4000", "[40002] null null null"),
        ("a", "[1] [1.0, 1.5] x [1]"),
    ] {
        assert_eq!(row(&after, key), found);
    }
    assert!(after.delta().with_merged(&merged).is_none());
}

#[test]
fn a_new_version_takes_over_newer_rows() {
    let live = table(None);
    let live = live.write(&upsert(&["a", "b"], vec![(0, numbers(&[8, 9]))], &[100, 101])).0;
    let live = live.write(&delete(&["c"], &[102])).0;
    let absorbed = table(Some(EventTime::Version(100))).absorb(&live);
    assert_eq!((absorbed.dropped, absorbed.kept), (1, 2));
    assert_eq!(row(&absorbed.table, "a"), "[1] [1.0, 1.5] x [1]");
    assert_eq!(row(&absorbed.table, "b"), "[9] [2.0, 2.5] y []");
    assert_eq!(row(&absorbed.table, "c"), "none");
    let absorbed = table(Some(EventTime::Version(200))).absorb(&live);
    assert!(absorbed.table.delta().is_empty() && absorbed.dropped == 3);
    assert_eq!(table(None).absorb(&live).kept, 3, "without event times nothing is known to be contained");
}
