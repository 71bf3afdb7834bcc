//! Tests of whole folders: every format and type that is read, and every refusal with its place.

use std::{
    fs::{self, File},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arrow_array::{
    Array, ArrayRef, DictionaryArray, FixedSizeListArray, Float16Array, Float32Array, Float64Array,
    Int8Array, Int32Array, Int64Array, LargeListArray, LargeStringArray, ListArray, RecordBatch, StringArray,
    StringViewArray, UInt64Array, types,
};
use arrow_ipc::{
    CompressionType,
    writer::{FileWriter, IpcWriteOptions, StreamWriter},
};
use half::f16;
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

use super::super::*;
use crate::batch::{Element, Strings, Type};

/// A table that has each shape: `{"id": int64} -> price, category, embedding of 2, tags`.
const ADS: &str = r#"{"format": "quiver.table/1", "name": "ads", "version": 1,
    "key": [{"name": "id", "dtype": "int64"}],
    "columns": [
        {"name": "price", "dtype": "float64", "shape": "scalar", "nan": "null"},
        {"name": "category", "dtype": "string", "shape": "scalar"},
        {"name": "embedding", "dtype": "float32", "shape": {"vector": 2}, "nan": "value"},
        {"name": "tags", "dtype": "int16", "shape": "list"}]}"#;

/// A table of one column of keys.
const KEYS: &str = r#"{"format": "quiver.table/1", "name": "keys", "version": 1,
    "key": [{"name": "id", "dtype": "int64"}], "columns": []}"#;

fn array(array: impl Array + 'static) -> ArrayRef {
    Arc::new(array)
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .expect("columns of one length")
}

fn ids(ids: &[i64]) -> ArrayRef {
    array(Int64Array::from(ids.to_vec()))
}

fn floats_of_two(rows: &[Option<[f32; 2]>]) -> ArrayRef {
    let rows = rows.iter().map(|row| row.map(|row| row.map(Some)));
    array(FixedSizeListArray::from_iter_primitive::<types::Float32Type, _, _>(rows, 2))
}

fn tags(rows: Vec<Option<Vec<Option<i32>>>>) -> ArrayRef {
    array(ListArray::from_iter_primitive::<types::Int32Type, _, _>(rows))
}

/// Rows of [`ADS`] with ids from `first` on: the second has nulls throughout.
fn ads(first: i64) -> RecordBatch {
    batch(vec![
        ("id", ids(&[first, first + 1, first + 2])),
        ("price", array(Float64Array::from(vec![Some(0.5), None, Some(f64::NAN)]))),
        ("category", array(StringArray::from(vec![Some("auto"), None, Some("food")]))),
        ("ignored", array(Int8Array::from(vec![1, 2, 3]))),
        ("embedding", floats_of_two(&[Some([1.0, 2.0]), None, Some([5.0, f32::NAN])])),
        ("tags", tags(vec![Some(vec![Some(7), None]), None, Some(vec![])])),
    ])
}

fn write_parquet(file: &Path, batches: &[RecordBatch]) {
    let file = File::create(file).expect("writable");
    let mut writer = ArrowWriter::try_new(file, batches[0].schema(), None).expect("a schema Parquet has");
    batches.iter().for_each(|batch| writer.write(batch).expect("writes"));
    writer.close().expect("closes");
}

fn write_ipc_file(file: &Path, batches: &[RecordBatch]) {
    let options =
        IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD)).expect("has zstd");
    let file = File::create(file).expect("writable");
    let mut writer = FileWriter::try_new_with_options(file, &batches[0].schema(), options).expect("a schema");
    batches.iter().for_each(|batch| writer.write(batch).expect("writes"));
    writer.finish().expect("finishes");
}

fn write_ipc_stream(file: &Path, batches: &[RecordBatch]) {
    let file = File::create(file).expect("writable");
    let mut writer = StreamWriter::try_new(file, &batches[0].schema()).expect("a schema");
    batches.iter().for_each(|batch| writer.write(batch).expect("writes"));
    writer.finish().expect("finishes");
}

/// Writes batches to a file of one format.
type Write = fn(&Path, &[RecordBatch]);

/// All formats, with the name that each needs.
const WRITERS: [(&str, Write); 3] =
    [("t.parquet", write_parquet), ("t.arrow", write_ipc_file), ("t.arrow", write_ipc_stream)];

fn folder(schema: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("table.json"), schema).expect("writable");
    folder
}

/// Loads a table of one Parquet file.
fn load_one(schema: &str, batch: &RecordBatch) -> Result<Table, Problems> {
    let folder = folder(schema);
    write_parquet(&folder.path().join("part.parquet"), std::slice::from_ref(batch));
    Table::load(folder.path(), &Silent)
}

fn refusal(schema: &str, batch: &RecordBatch) -> String {
    load_one(schema, batch).expect_err("rejected").to_string()
}

fn keys_of(element: Element, ids: &[i64]) -> Column {
    let mut column = Column::new(Type::scalar(element));
    column.values = match element {
        Element::Int64 => Values::Int64(ids.to_vec()),
        Element::Uint64 => Values::Uint64(ids.iter().map(|id| id.cast_unsigned()).collect()),
        _ => Values::String(Strings::from_values(ids.iter().map(i64::to_string))),
    };
    column.marks = vec![Mark::PRESENT; ids.len()];
    column
}

fn find(table: &Table, keys: &[&Column]) -> Vec<RowNumber> {
    let mut rows = Vec::new();
    table.find(keys, &mut rows);
    rows
}

fn gathered(table: &Table, column: &str, rows: &[RowNumber]) -> Column {
    let column = table.schema().column(column).expect("a column of the table");
    let mut out = Column::new(table.schema().columns[column].of);
    table.gather(column, rows, &mut out);
    out
}

#[derive(Default)]
struct Counted {
    rows: AtomicU64,
    bytes: AtomicU64,
}

impl Progress for Counted {
    fn add(&self, rows: u64, bytes: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

#[test]
fn several_files_of_all_formats_make_one_table() {
    let folder = folder(ADS);
    let files = ["a.parquet", "b.arrow", "c.arrow"].map(|name| folder.path().join(name));
    write_parquet(&files[0], &[ads(10), ads(20)]);
    write_ipc_file(&files[1], &[ads(30), ads(40)]);
    write_ipc_stream(&files[2], &[ads(50), ads(60)]);
    fs::write(folder.path().join("_SUCCESS"), "").expect("writable");
    fs::write(folder.path().join(".hidden.parquet"), "no table").expect("writable");
    let progress = Counted::default();
    let table = Table::load(folder.path(), &progress).expect("a good folder");
    assert_eq!(table.rows(), 18);
    assert_eq!(progress.rows.into_inner(), 18);
    let bytes = files.iter().map(|file| fs::metadata(file).expect("there").len()).sum::<u64>();
    assert_eq!(progress.bytes.into_inner(), bytes);
    let rows = find(&table, &[&keys_of(Element::Int64, &[62, 10, 31, 13, 50])]);
    let row = RowNumber::row;
    assert_eq!(rows, [row(17), row(0), row(7), RowNumber::NOT_FOUND, row(12)]);
    check_ads(&table, &rows);
}

/// The values of rows 62, 10, 31, 13 (missing) and 50 of [`ads`].
fn check_ads(table: &Table, rows: &[RowNumber]) {
    let (found, null) = (Mark::PRESENT, Mark::NULL);
    let price = gathered(table, "price", rows);
    assert_eq!(price.marks, [null, found, null, Mark::KEY_NOT_FOUND, found]);
    assert_eq!((price.float64()[1], price.float64()[4]), (0.5, 0.5));
    let category = gathered(table, "category", rows);
    assert_eq!(category.strings().iter().collect::<Vec<_>>(), ["food", "auto", "", "", "auto"]);
    assert_eq!(category.marks, [found, found, null, Mark::KEY_NOT_FOUND, found]);
    let embedding = gathered(table, "embedding", rows);
    assert_eq!(embedding.marks, [found, found, null, Mark::KEY_NOT_FOUND, found]);
    let Values::Float32(embedding) = &embedding.values else { panic!("{embedding:?}") };
    assert!(embedding[1].is_nan());
    assert_eq!(embedding[2..4], [1.0, 2.0]);
    let tags = gathered(table, "tags", rows);
    let list = tags.list.as_ref().expect("lists");
    assert_eq!(list.offsets, [0, 0, 2, 2, 2, 4]);
    assert_eq!(list.marks, [found, found, null, Mark::KEY_NOT_FOUND, found]);
    assert_eq!((tags.int64()[0], tags.int64()[2]), (7, 7));
    assert_eq!(tags.marks, [found, null, found, null]);
}

#[test]
fn narrow_numbers_and_every_form_of_strings_are_read() {
    let schema = r#"{"format": "quiver.table/1", "name": "t", "version": 1,
        "key": [{"name": "a", "dtype": "uint64"}, {"name": "b", "dtype": "string"}],
        "columns": [
            {"name": "half", "dtype": "float32", "shape": "scalar", "nan": "value"},
            {"name": "small", "dtype": "int64", "shape": "scalar"},
            {"name": "view", "dtype": "string", "shape": "scalar"},
            {"name": "large", "dtype": "string", "shape": "scalar"},
            {"name": "words", "dtype": "string", "shape": "list"},
            {"name": "vector", "dtype": "float64", "shape": {"vector": 2}, "nan": "null"},
            {"name": "flag", "dtype": "bool", "shape": "scalar"}]}"#;
    let b: DictionaryArray<types::Int8Type> = [Some("1"), Some("2"), Some("1")].into_iter().collect();
    let vectors = [[1.5f32, 2.5], [3.5, 4.5], [f32::NAN, 0.0]].map(|row| Some(row.map(Some)));
    let rows = batch(vec![
        ("flag", array(arrow_array::BooleanArray::from(vec![true, false, true]))),
        ("a", array(Int32Array::from(vec![1, 1, 2]))),
        ("b", array(b)),
        ("half", array(Float16Array::from(vec![f16::from_f32(0.5), f16::NAN, f16::from_f32(2.0)]))),
        ("small", array(Int8Array::from(vec![Some(-128), None, Some(127)]))),
        (
            "view",
            array(StringViewArray::from(vec!["short", "a string that is longer than twelve bytes", ""])),
        ),
        ("large", array(LargeStringArray::from(vec!["é", "", "z"]))),
        ("vector", array(LargeListArray::from_iter_primitive::<types::Float32Type, _, _>(vectors))),
        ("words", word_lists()),
    ]);
    let folder = folder(schema);
    write_ipc_stream(&folder.path().join("rows.arrow"), &[rows]);
    let table = Table::load(folder.path(), &Silent).expect("a good folder");
    let row = RowNumber::row;
    let wanted = [keys_of(Element::Uint64, &[2, 1, 1, 2]), keys_of(Element::String, &[1, 2, 1, 2])];
    assert_eq!(
        find(&table, &wanted.iter().collect::<Vec<_>>()),
        [row(2), row(1), row(0), RowNumber::NOT_FOUND]
    );
    let all = [0, 1, 2].map(RowNumber::row);
    assert_eq!(gathered(&table, "half", &all).float64()[2], 2.0);
    assert!(gathered(&table, "half", &all).marks[1].is_present());
    assert_eq!(gathered(&table, "small", &all).int64(), [-128, 0, 127]);
    assert_eq!(gathered(&table, "view", &all).strings().get(1), "a string that is longer than twelve bytes");
    assert_eq!(gathered(&table, "large", &all).strings().get(0), "é");
    assert_eq!(gathered(&table, "vector", &all).float64()[..4], [1.5, 2.5, 3.5, 4.5]);
    assert_eq!(gathered(&table, "vector", &all).marks[2], Mark::NULL);
    assert_eq!(gathered(&table, "flag", &all).bool(), [true, false, true]);
    let words = gathered(&table, "words", &all);
    assert_eq!((words.strings().get(0), words.strings().get(2)), ("x", "z"));
    assert_eq!(words.marks, [Mark::PRESENT, Mark::NULL, Mark::PRESENT]);
    assert_eq!(words.list.expect("lists").offsets, [0, 2, 2, 3]);
}

/// Lists of dictionary-encoded strings, `[[x, null], null, [z]]`, where the null list has an element under it.
fn word_lists() -> ArrayRef {
    let words: DictionaryArray<types::Int8Type> =
        [Some("x"), None, Some("y"), Some("z")].into_iter().collect();
    let element = Arc::new(arrow_schema::Field::new_list_field(words.data_type().clone(), true));
    let nulls = arrow_array::BooleanArray::from(vec![true, false, true]).values().clone().into();
    // Offsets are taken of lists of the lengths wanted: 2, 1 and 1.
    let lengths = [2, 1, 1].map(|length| Some(vec![Some(0); length]));
    let model = ListArray::from_iter_primitive::<types::Int8Type, _, _>(lengths);
    array(ListArray::new(element, model.offsets().clone(), array(words), Some(nulls)))
}

#[test]
fn rows_that_do_not_fit_are_rejected_with_file_column_and_row() {
    let with = |name: &str, column: ArrayRef| {
        let good = ads(1);
        let schema = good.schema();
        let columns = schema.fields().iter().zip(good.columns()).map(|(field, old)| {
            let column = if field.name() == name { column.clone() } else { old.clone() };
            (field.name().clone(), column, true)
        });
        RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length")
    };
    let two = [Some(1.0f32), Some(2.0)];
    let lists = |rows: [Vec<Option<f32>>; 3]| {
        array(ListArray::from_iter_primitive::<types::Float32Type, _, _>(rows.map(Some)))
    };
    let checks = [
        ("id", ids(&[4, 5, 4]), "part.parquet, row 2: the key 4 is there already: part.parquet, row 0"),
        (
            "id",
            array(Int64Array::from(vec![Some(1), None, Some(2)])),
            "part.parquet, row 1, column id: null in a key",
        ),
        (
            "id",
            array(UInt64Array::from(vec![1, 2, u64::MAX])),
            "part.parquet, row 2, column id: 18446744073709551615 does not fit into int64",
        ),
        (
            "id",
            array(StringArray::from(vec!["1", "2", "3"])),
            "part.parquet, column id: is Utf8, which can't be read as int64 without loss",
        ),
        ("price", array(StringArray::from(vec!["1", "2", "3"])), "part.parquet, column price: is Utf8"),
        (
            "tags",
            tags(vec![None, Some(vec![Some(1)]), Some(vec![Some(1), Some(40_000)])]),
            "part.parquet, row 2, column tags: 40000 does not fit into int16",
        ),
        (
            "embedding",
            lists([two.to_vec(), vec![Some(1.0)], two.to_vec()]),
            "part.parquet, row 1, column embedding: a vector of 1, 2 are wanted",
        ),
        (
            "embedding",
            lists([two.to_vec(), two.to_vec(), vec![None, Some(1.0)]]),
            "part.parquet, row 2, column embedding: null inside a vector",
        ),
        (
            "embedding",
            array(FixedSizeListArray::from_iter_primitive::<types::Float32Type, _, _>(
                [(); 3].map(|()| Some([Some(1.0); 3])),
                3,
            )),
            "part.parquet, column embedding: holds vectors of 3, 2 are wanted",
        ),
        (
            "embedding",
            array(Float32Array::from(vec![1.0, 2.0, 3.0])),
            "can't be read as vectors of 2 float32",
        ),
    ];
    for (name, column, expect) in checks {
        let found = refusal(ADS, &with(name, column));
        assert!(found.contains(expect), "{expect:?} is not in {found:?}");
    }
}

/// A day whose columns are all null, one with integers for floats and whole floats for integers, one with doubles.
#[test]
fn types_may_differ_from_file_to_file_where_nothing_is_lost() {
    let folder = folder(ADS);
    let day = |name: &str,
               id: ArrayRef,
               price: ArrayRef,
               category: ArrayRef,
               embedding: ArrayRef,
               tags: ArrayRef| {
        let columns = vec![
            ("id", id),
            ("price", price),
            ("category", category),
            ("embedding", embedding),
            ("tags", tags),
        ];
        write_parquet(&folder.path().join(name), &[batch(columns)]);
    };
    let none = || array(arrow_array::NullArray::new(2));
    let doubles = |rows: [&[f64]; 2]| {
        let rows = rows.map(|row| Some(row.iter().copied().map(Some).collect::<Vec<_>>()));
        array(ListArray::from_iter_primitive::<types::Float64Type, _, _>(rows))
    };
    let whole = |values: [f64; 2]| array(Float64Array::from(values.to_vec()));
    let codes: DictionaryArray<types::Int8Type> =
        DictionaryArray::new(vec![0, 1].into(), ids(&[12, 1 << 53]));
    day("a.pq", ids(&[1, 2]), none(), none(), none(), none());
    day(
        "b.pq",
        whole([3.0, 4.0]),
        array(codes),
        none(),
        doubles([&[0.5, -1.0], &[]]),
        doubles([&[7.0], &[]]),
    );
    let table = Table::load(folder.path(), &Silent).expect("nothing is lost");
    let rows = find(&table, &[&keys_of(Element::Int64, &[1, 2, 3, 4])]);
    assert_eq!(rows, [0, 1, 2, 3].map(RowNumber::row));
    let (price, embedding) = (gathered(&table, "price", &rows), gathered(&table, "embedding", &rows));
    assert_eq!(price.float64()[2..], [12.0, 9_007_199_254_740_992.0]);
    assert_eq!(embedding.marks, [Mark::NULL, Mark::NULL, Mark::PRESENT, Mark::NULL]);
    assert_eq!(gathered(&table, "tags", &rows).int64(), [7]);

    day("c.pq", whole([0.5, 5.0]), ids(&[(1 << 53) + 1, 5]), none(), doubles([&[0.1, 0.2], &[]]), none());
    let found = Table::load(folder.path(), &Silent).expect_err("three losses").to_string();
    assert_eq!(
        found.lines().collect::<Vec<_>>(),
        [
            "c.pq, row 0, column id: 0.5 is not a whole number for int64 (quiver table import --lossy cuts the fraction)",
            "c.pq, row 0, column price: 9007199254740993 is not exact in float64 (quiver table import --lossy rounds it)",
            "c.pq, row 0, column embedding: 0.1 is not exact in float32 (quiver table import --lossy rounds it)",
            "c.pq, row 0, column id: null in a key",
        ]
    );
}

#[test]
fn duplicates_across_files_name_both_places() {
    let folder = folder(KEYS);
    write_parquet(&folder.path().join("a.parquet"), &[batch(vec![("id", ids(&[1, 2]))])]);
    write_ipc_file(
        &folder.path().join("b.arrow"),
        &[batch(vec![("id", ids(&[3]))]), batch(vec![("id", ids(&[2]))])],
    );
    let found = Table::load(folder.path(), &Silent).expect_err("a duplicate").to_string();
    assert_eq!(found, "b.arrow, row 1: the key 2 is there already: a.parquet, row 1");
}

#[test]
fn every_wrong_file_is_told_and_the_rest_is_counted() {
    let folder = folder(ADS);
    write_parquet(&folder.path().join("a.parquet"), &[batch(vec![("id", ids(&[1]))])]);
    fs::write(folder.path().join("b.parquet"), "not Parquet").expect("writable");
    fs::write(folder.path().join("c.arrow"), "").expect("writable");
    let found = Table::load(folder.path(), &Silent).expect_err("three bad files").to_string();
    let places: Vec<_> = found.lines().map(|line| line.split(':').next().unwrap_or("")).collect();
    let columns = ["price", "category", "embedding", "tags"].map(|name| format!("a.parquet, column {name}"));
    assert_eq!(places[..4], columns);
    assert_eq!(places[4..], ["b.parquet", "c.arrow"]);
    let nulls = batch(vec![("id", array(Int64Array::from(vec![None::<i64>; 1000])))]);
    let found = refusal(KEYS, &nulls);
    assert!(found.ends_with("and 980 more problems"), "{found}");
}

/// Cuts files at many lengths: each is rejected by its name, and none makes the server panic.
#[test]
fn truncated_files_are_rejected() {
    for (name, write) in WRITERS {
        let folder = folder(ADS);
        let file = folder.path().join(name);
        write(&file, &[ads(10), ads(20), ads(30)]);
        let whole = fs::read(&file).expect("there");
        for length in (0..whole.len()).step_by(whole.len() / 40).chain(whole.len() - 9..whole.len()) {
            fs::write(&file, &whole[..length]).expect("writable");
            let found = Table::load(folder.path(), &Silent).expect_err("truncated").to_string();
            assert!(found.starts_with(name), "{name} of {length} bytes: {found}");
        }
    }
}

/// Changes bytes: a damaged file is rejected or read, but never brings the server down.
#[test]
fn damaged_files_do_not_panic() {
    for (name, write) in WRITERS {
        let folder = folder(ADS);
        let file = folder.path().join(name);
        write(&file, &[ads(10), ads(20)]);
        let whole = fs::read(&file).expect("there");
        for position in (0..whole.len()).step_by(whole.len() / 150) {
            let mut damaged = whole.clone();
            damaged[position] ^= 0x15;
            fs::write(&file, damaged).expect("writable");
            let _ = Table::load(folder.path(), &Silent);
        }
    }
}

#[test]
fn folders_without_a_table_are_rejected() {
    let empty = folder(KEYS);
    let found = Table::load(empty.path(), &Silent).expect_err("no rows").to_string();
    assert!(found.starts_with("the folder has no *.parquet"), "{found}");
    let nothing = tempfile::tempdir().expect("a folder");
    let found = Table::load(nothing.path(), &Silent).expect_err("no table.json").to_string();
    assert!(found.starts_with("table.json: can't be read"), "{found}");
    let wrong = folder(&KEYS.replace("int64", "float32"));
    let found = Table::load(wrong.path(), &Silent).expect_err("a float key").to_string();
    assert_eq!(found, "table.json: key[0].dtype: float32 can't be a key: int64, uint64 and string can");
}

#[test]
fn a_table_may_be_empty() {
    let table = load_one(KEYS, &batch(vec![("id", ids(&[]))])).expect("no rows are fine");
    assert_eq!((table.rows(), table.places()), (0, RowNumber::PLACES_BEFORE));
    assert_eq!(find(&table, &[&keys_of(Element::Int64, &[1, 2])]), [RowNumber::NOT_FOUND; 2]);
}

#[test]
fn many_rows_come_in_several_batches_in_order() {
    let numbers: Vec<i64> = (0..50_000).map(|row| row * 7 - 3).collect();
    for (name, write) in WRITERS {
        let folder = folder(KEYS);
        let rows = batch(vec![("id", ids(&numbers))]);
        write(&folder.path().join(name), &[rows.slice(0, 100), rows.slice(100, 49_900)]);
        let table = Table::load(folder.path(), &Silent).expect("a good folder");
        assert!(
            find(&table, &[&keys_of(Element::Int64, &numbers)])
                .into_iter()
                .eq((0..50_000).map(RowNumber::row))
        );
    }
}
