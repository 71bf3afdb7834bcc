//! Loading in lanes, within a budget and until it is cancelled.

use std::{
    fs,
    num::NonZero,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use tempfile::TempDir;

use crate::{
    batch::{Column, Element, Mark, Type, Values},
    budget::Budget,
    cancel::Cancel,
    files::{Cells, Checksum, Format, Writer, WrittenColumn, WrittenType},
    table::{Listing, Loader, Progress, RowNumber, Silent, Table, TableSchema},
};

const SCHEMA: &str = r#"{"format": "quiver.table/1", "name": "t", "version": 1,
    "key": [{"name": "id", "dtype": "int64"}],
    "columns": [{"name": "v", "dtype": "float32", "shape": {"vector": 2}, "nan": "value"}]}"#;

/// Rows of one Parquet row group of the files below.
const GROUP: usize = 1 << 16;

fn write(folder: &Path, name: &str, ids: &[i64]) {
    let column = |name: &str, of, width| WrittenColumn { name: name.to_owned(), of, width };
    let columns = [column("id", WrittenType::Int64, None), column("v", WrittenType::Float32, Some(2))];
    let format = Format::of(Path::new(name)).expect("a format");
    let mut writer = Writer::create(&folder.join(name), format, &columns, &[]).expect("creates");
    for ids in ids.chunks(10_000) {
        let vectors = ids.iter().flat_map(|&id| [id as f32, -id as f32]).collect();
        writer.write(vec![Cells::Int64(ids.to_vec()), Cells::Float32(vectors)]).expect("writes");
    }
    writer.finish().expect("finishes");
}

/// A table of five row groups and of thirteen batches in two files, and its keys.
fn folder() -> (TempDir, Vec<i64>) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("table.json"), SCHEMA).expect("writes");
    let ids: Vec<i64> = (0..5 * GROUP as i64 + 130_000).map(|row| row * 3 - 7).collect();
    write(folder.path(), "a.parquet", &ids[..5 * GROUP]);
    write(folder.path(), "b.arrow", &ids[5 * GROUP..]);
    (folder, ids)
}

fn loader<'a>(threads: usize, progress: &'a dyn Progress) -> Loader<'a> {
    Loader { threads: NonZero::new(threads).expect("some"), ..Loader::new(progress) }
}

fn rows(table: &Table, ids: &[i64]) -> Vec<RowNumber> {
    let mut keys = Column::new(Type::scalar(Element::Int64));
    keys.values = Values::Int64(ids.to_vec());
    keys.marks = vec![Mark::PRESENT; ids.len()];
    let mut rows = Vec::new();
    table.find(&[&keys], &mut rows);
    rows
}

#[test]
fn every_key_has_its_values_in_any_number_of_lanes() {
    let (folder, ids) = folder();
    for threads in [1, 2, 3, 40] {
        let table = loader(threads, &Silent).load(folder.path()).expect("loads");
        assert_eq!(table.rows() as usize, ids.len());
        let mut vectors = Column::new(Type::vector(2));
        table.gather(0, &rows(&table, &ids), &mut vectors);
        let Values::Float32(vectors) = vectors.values else { panic!("{threads} lanes") };
        assert!(
            vectors.into_iter().eq(ids.iter().flat_map(|&id| [id as f32, -id as f32])),
            "{threads} lanes"
        );
    }
}

#[test]
fn duplicates_are_named_in_the_order_of_the_files_in_any_number_of_lanes() {
    let (folder, ids) = folder();
    write(folder.path(), "c.parquet", &ids[70_000..70_001]);
    for threads in [1, 4] {
        let found = loader(threads, &Silent).load(folder.path()).expect_err("a duplicate").to_string();
        assert_eq!(found, "c.parquet, row 0: the key 209993 is there already: a.parquet, row 70000");
    }
}

#[test]
fn a_table_counts_to_the_budget_as_long_as_it_lives() {
    let (folder, _) = folder();
    let budget = Budget::new(Some(1 << 30));
    let loader = Loader { budget: budget.clone(), ..loader(2, &Silent) };
    let table = loader.load(folder.path()).expect("loads");
    assert_eq!(budget.taken(), table.memory() as u64);
    drop(table);
    assert_eq!(budget.taken(), 0);
}

#[test]
fn a_table_over_the_budget_is_rejected_before_it_is_read() {
    struct Unread;
    impl Progress for Unread {
        fn add(&self, _: u64, _: u64) {
            panic!("nothing is read");
        }
    }
    let (folder, ids) = folder();
    let memory = loader(1, &Silent).load(folder.path()).expect("loads").memory();
    let budget = Budget::new(Some(memory as u64 - 1));
    let loader = Loader { budget: budget.clone(), ..loader(2, &Unread) };
    let found = loader.load(folder.path()).expect_err("too large").to_string();
    assert!(found.starts_with("table t 1 needs "), "{found}, {} rows", ids.len());
    assert!(found.contains("over the memory budget: 0 B of "), "{found}");
    assert_eq!(budget.taken(), 0);
}

#[test]
fn a_load_ends_soon_after_it_is_cancelled() {
    #[derive(Default)]
    struct Cancelling(Cancel, AtomicU64);
    impl Progress for Cancelling {
        fn add(&self, rows: u64, _: u64) {
            self.1.fetch_add(rows, Ordering::Relaxed);
            self.0.cancel();
        }
    }
    let (folder, ids) = folder();
    for threads in [1, 3] {
        let progress = Cancelling::default();
        let loader = Loader { cancel: progress.0.clone(), ..loader(threads, &progress) };
        assert_eq!(loader.load(folder.path()).expect_err("cancelled").to_string(), "cancelled");
        let read = progress.1.into_inner();
        assert!(read < ids.len() as u64 / 2, "{read} rows were read");
    }
}

#[test]
fn a_small_file_that_inflates_is_held_to_the_budget() {
    const WIDTH: usize = 4096;
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("table.json"), SCHEMA.replace("2}", &format!("{WIDTH}}}"))).expect("writes");
    let column = |name: &str, of, width| WrittenColumn { name: name.to_owned(), of, width };
    let columns = [column("id", WrittenType::Int64, None), column("v", WrittenType::Float32, Some(WIDTH))];
    let file = folder.path().join("a.parquet");
    let mut writer = Writer::create(&file, Format::Parquet, &columns, &[]).expect("creates");
    for first in (0..4000).step_by(500) {
        let ids = (first..first + 500).collect();
        writer.write(vec![Cells::Int64(ids), Cells::Float32(vec![0.0; 500 * WIDTH])]).expect("writes");
    }
    writer.finish().expect("finishes");
    assert!(fs::metadata(&file).expect("there").len() < 1 << 20, "a file of zeros is small");
    let loader = Loader { budget: Budget::new(Some(32 << 20)), ..loader(1, &Silent) };
    let found = loader.load(folder.path()).expect_err("64 MB").to_string();
    assert!(found.starts_with("table t 1 needs 62."), "{found}");
}

#[test]
fn files_are_held_to_the_listing() {
    let (folder, ids) = folder();
    let path = |name: &str| folder.path().join(name);
    let listing = || {
        let sum = |name: &str| Checksum::of(&path(name), &Cancel::new()).expect("reads").expect("whole");
        Listing::from(["a.parquet", "b.arrow"].map(|name| (name.to_owned(), sum(name))))
    };
    let (schema, _) = TableSchema::with_listing(SCHEMA).expect("good");
    let list = |listing| fs::write(path("table.json"), schema.to_json_with(Some(listing))).expect("writes");
    let load = |threads| loader(threads, &Silent).load(folder.path());
    list(listing());
    assert_eq!(load(2).expect("as listed").rows() as usize, ids.len());
    let mut changed = listing();
    changed.insert("c.parquet".to_owned(), Checksum { bytes: 0, sha256: "0".repeat(64) });
    changed.entry("b.arrow".to_owned()).and_modify(|sum| sum.sha256 = "1".repeat(64));
    list(changed.clone());
    let found = load(1).expect_err("c is missing").to_string();
    assert_eq!(found, "c.parquet: is listed in table.json and is no file of rows here");
    changed.remove("c.parquet");
    list(changed.clone());
    for threads in [1, 3] {
        let found = load(threads).expect_err("b is different").to_string();
        assert!(found.starts_with("b.arrow: has the SHA-256 "), "{found}");
        assert_eq!(found.lines().count(), 1, "{found}");
    }
    changed.remove("b.arrow");
    list(changed);
    let found = load(1).expect_err("b is not listed").to_string();
    assert_eq!(found, "b.arrow: is not among the files that table.json lists");
}
