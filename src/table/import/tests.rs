use std::{fs, path::Path};

use super::*;
use crate::{
    batch::Column,
    files::{self, Dialect, Format},
    table::{RowNumber, Silent, Table},
};

fn csv(folder: &Path, name: &str, text: &str) -> NamedFile {
    let path = folder.join(name);
    fs::write(&path, text).expect("writes");
    let found = files::find(&path, Some(Format::Csv), &Dialect::default()).expect("one file").remove(0);
    NamedFile { name: name.to_owned(), file: RowFile::open(&found).expect("opens") }
}

fn import(key: &[&str]) -> Import {
    Import {
        name: "ads".to_owned(),
        version: 3,
        key: key.iter().map(|&name| name.to_owned()).collect(),
        ..Import::default()
    }
}

/// The columns' types by name.
fn types(found: &Found) -> BTreeMap<&str, String> {
    let of = |column: &FoundColumn| column.of.map_or_else(|| "?".to_owned(), |of| of.to_string());
    found.columns.iter().map(|column| (column.name.as_str(), of(column))).collect()
}

/// Writes and loads.
fn imported(import: &Import, files: &[NamedFile]) -> Result<(Table, Imported), Problems> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let found = import.find(files, &Silent);
    found.problems.or(())?;
    let imported = import.write(files, &found.columns, folder.path(), &Silent)?;
    Ok((Table::load(folder.path(), &Silent).expect("loads what was written"), imported))
}

fn column(table: &Table, name: &str) -> Column {
    let position = table.schema().column(name).expect("a column");
    let mut values = Column::new(table.schema().columns[position].of);
    table.gather(position, &(0..table.rows()).map(RowNumber::row).collect::<Vec<_>>(), &mut values);
    values
}

#[test]
fn types_are_found_over_all_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = [
        csv(folder.path(), "a.csv", ",id,price,code,on,none\n0,1.0,7,007,true,\n1,2.0,,08,false,\n"),
        csv(folder.path(), "b.csv", "code,id,on,price,none\n1,3.0,,0.5,\n"),
    ];
    let mut import = import(&["id"]);
    let found = import.find(&files, &Silent);
    let expected = [("id", "int64"), ("price", "float64"), ("code", "string"), ("on", "bool"), ("none", "?")];
    assert_eq!(types(&found), expected.map(|(name, of)| (name, of.to_owned())).into());
    assert_eq!((found.columns[1].nulls, found.columns[1].example.as_deref()), (1, Some("7")));
    let problems = found.problems.to_string();
    assert!(problems.starts_with("column none: every value is null"), "{problems}");
    import.dropped.insert("none".to_owned());
    import.stated.insert("price".to_owned(), "float32".parse().expect("a type"));
    let (table, _) = imported(&import, &files).expect("a table");
    assert_eq!((table.rows(), table.schema().version), (3, 3));
    assert_eq!(column(&table, "price").float64()[2], 0.5);
    assert_eq!(column(&table, "code").strings().iter().collect::<Vec<_>>(), ["007", "08", "1"]);
}

#[test]
fn what_is_lost_is_rejected_with_its_row_and_taken_when_asked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = [csv(folder.path(), "a.csv", "id,n\n1,7.5\n2,x\n")];
    let mut import = import(&["id"]);
    import.stated.insert("n".to_owned(), "int8".parse().expect("a type"));
    let problems = imported(&import, &files).map(|_| ()).expect_err("two losses").to_string();
    assert_eq!(
        problems,
        "column n: 2 values don't fit: a.csv, row 0: \"7.5\" is not a whole number for int8 (--lossy cuts the \
         fraction); a.csv, row 1: \"x\" is not int8 (--lossy makes it null)"
    );
    import.lossy = true;
    let (table, done) = imported(&import, &files).expect("a table");
    assert_eq!(column(&table, "n").int64()[0], 7);
    assert!(done.losses.to_string().starts_with("column n: 2 values with loss"), "{}", done.losses);
}

#[test]
fn keys_that_are_missing_or_twice_are_counted_and_resolved_when_asked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = [
        csv(folder.path(), "a.csv", "user,item,n\n1,x,1\n,x,2\n1,y,3\n"),
        csv(folder.path(), "b.csv", "user,item,n\n1,x,4\n2,,5\n1,x,6\n"),
    ];
    let mut import = import(&["user", "item"]);
    let problems = imported(&import, &files).map(|_| ()).expect_err("rejected").to_string();
    assert_eq!(
        problems,
        "key user, item: 2 rows have a key that an earlier row has: b.csv, row 0 has the key 1, x of a.csv, row 0, \
         b.csv, row 2 has the key 1, x of a.csv, row 0; --duplicates last or first keeps one row of each\n\
         key user, item: 2 rows have no key: a.csv, row 1, b.csv, row 1; --null-keys drop leaves them out"
    );
    import.drop_null_keys = true;
    for (keep, expected) in [(Keep::First, [1, 3]), (Keep::Last, [3, 6])] {
        import.duplicates = Some(keep);
        let (table, done) = imported(&import, &files).expect("a table");
        assert_eq!(column(&table, "n").int64(), expected);
        assert_eq!((done.dropped.duplicates, done.dropped.null_keys), (2, 2));
    }
}

#[test]
fn every_problem_of_the_columns_is_reported_at_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = [
        csv(folder.path(), "a.csv", "id,n,on\n1,2,true\n"),
        csv(folder.path(), "b.csv", "id,m,on\n2,2,true\n"),
    ];
    let mut import = import(&["id", "on", "ad", "id"]);
    import.stated.insert("price".to_owned(), "int8".parse().expect("a type"));
    import.dropped.insert("prize".to_owned());
    let problems = import.find(&files, &Silent).problems.to_string();
    assert_eq!(
        problems.lines().collect::<Vec<_>>(),
        [
            "--key ad: is no column; the columns are id, n, on, m",
            "--column price: is no column; the columns are id, n, on, m",
            "--drop prize: is no column; the columns are id, n, on, m",
            "--key id: is given twice",
            "column on: bool can't be a key: int64, uint64 and string can",
            "column n: is missing in b.csv; --drop n leaves it out",
            "column m: is missing in a.csv; --drop m leaves it out",
        ]
    );
}

#[test]
fn rows_have_an_event_time_where_it_is_stated() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = [csv(folder.path(), "a.csv", "id,seen,x\n1,2026-11-25T10:00:00Z,0.5\n")];
    let stated = BTreeMap::from([("seen".to_owned(), "timestamp[s, UTC]".parse().expect("a type"))]);
    let of = |event_time: &str| {
        let event_time = Some(event_time.to_owned());
        imported(&Import { stated: stated.clone(), event_time, ..import(&["id"]) }, &files)
    };
    let event_time = |written: &str| of(written).expect("imports").0.schema().event_time;
    assert_eq!(event_time("seen"), Some(EventTime::Column(0)));
    assert!(matches!(event_time("2026-11-25T10:00:00Z"), Some(EventTime::Version(_))));
    let refused = of("x").expect_err("a float").to_string();
    assert_eq!(refused, "--event-time: column \"x\" is float64, must be a scalar timestamp or date");
}
