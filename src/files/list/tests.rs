//! Columns of files as JSON.

use std::{fs::File, sync::Arc};

use arrow_array::{
    ArrayRef, DictionaryArray, Float64Array, Int64Array, ListArray, RecordBatch, StringArray, UInt64Array,
    types,
};
use parquet::arrow::ArrowWriter;
use serde_json::json;

use super::read_list;

#[test]
fn lists_beside_a_spec_are_read_as_json() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lists.parquet");
    let big = 1i64 << 53;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("int", Arc::new(Int64Array::from(vec![Some(-big), Some(big + 1), None]))),
        ("uint", Arc::new(UInt64Array::from(vec![0, 1 << 53, u64::MAX]))),
        ("float", Arc::new(Float64Array::from(vec![0.1, f64::NAN, f64::NEG_INFINITY]))),
        ("text", Arc::new(StringArray::from(vec!["a", "é", ""]))),
        (
            "lists",
            Arc::new(ListArray::from_iter_primitive::<types::Int32Type, Vec<Option<i32>>, _>(vec![
                None, None, None,
            ])),
        ),
        ("none", Arc::new(arrow_array::NullArray::new(3))),
        (
            "codes",
            Arc::new(DictionaryArray::<types::Int8Type>::new(
                vec![1, 0, 1].into(),
                Arc::new(Int64Array::from(vec![5, 7])),
            )),
        ),
    ];
    let columns = columns.into_iter().map(|(name, values)| (name, values, true));
    let lists = RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length");
    let mut writer =
        ArrowWriter::try_new(File::create(&file).expect("writable"), lists.schema(), None).expect("starts");
    writer.write(&lists).expect("writes");
    writer.close().expect("closes");
    let checks = [
        ("int", json!([-big, "9007199254740993", null])),
        ("uint", json!([0, 1u64 << 53, "18446744073709551615"])),
        ("float", json!([0.1, "nan", "-inf"])),
        ("text", json!(["a", "é", ""])),
        ("none", json!([null, null, null])),
        ("codes", json!([7, 5, 7])),
    ];
    for (column, expect) in checks {
        assert_eq!(json!(read_list(&file, column).expect("a good column")), expect);
    }
    let refused = |column| read_list(&file, column).expect_err("rejected").to_string();
    assert_eq!(refused("more"), "lists.parquet: has no column \"more\"");
    assert!(refused("lists").contains("not of scalars"));
    let none = read_list(&folder.path().join("none.parquet"), "int").expect_err("no file").to_string();
    assert!(none.starts_with("none.parquet: can't be read"), "{none}");
}
