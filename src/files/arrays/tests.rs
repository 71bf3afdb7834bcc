use std::fs;

use arrow_array::{
    Array,
    cast::AsArray,
    types::{Float32Type, Float64Type, Int64Type},
};
use arrow_schema::DataType;

use super::*;

/// A `.npy` of version 1.
fn npy(description: &str, shape: &str, fortran: &str, elements: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{description}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(elements);
    bytes
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn write(name: &str, bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join(name);
    fs::write(&file, bytes).expect("writes");
    (folder, file)
}

fn read(arrays: Vec<NamedArray>, rows: usize) -> Vec<RecordBatch> {
    let arrays = Arrays(arrays);
    arrays.batches(&(0..arrays.0.len()).collect::<Vec<_>>(), rows).map(|batch| batch.expect("good")).collect()
}

#[test]
fn rows_of_npy_files_are_vectors_and_scalars() {
    let (_folder, file) =
        write("emb.npy", &npy("<f4", "(3, 2)", "False", &floats(&[1., 2., 3., 4., 5., 6.])));
    let batches = read(open(&file).expect("opens"), 2);
    assert_eq!(batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [2, 1]);
    let vectors = batches[1].column_by_name("emb").expect("named like the file").as_fixed_size_list();
    assert_eq!(vectors.values().as_primitive::<Float32Type>().values()[..], [5.0, 6.0]);

    let big: Vec<u8> = [7_i64, -8].iter().flat_map(|value| value.to_be_bytes()).collect();
    let (_folder, file) = write("id.npy", &npy(">i8", "(2,)", "False", &big));
    let batch = read(open(&file).expect("opens"), 10).remove(0);
    assert_eq!(batch.column(0).as_primitive::<Int64Type>().values()[..], [7, -8]);

    let text: Vec<u8> =
        ['é', 'b', '\0', '\0'].iter().flat_map(|&letter| (letter as u32).to_le_bytes()).collect();
    let (_folder, file) = write("name.npy", &npy("<U2", "(2,)", "False", &text));
    let batch = read(open(&file).expect("opens"), 10).remove(0);
    assert_eq!(batch.column(0).as_string::<i32>().iter().collect::<Vec<_>>(), [Some("éb"), Some("")]);
}

#[test]
fn npy_files_that_are_no_columns_are_rejected_with_the_way_out() {
    let refused = |bytes: &[u8]| {
        let (_folder, file) = write("a.npy", bytes);
        open(&file).expect_err("rejected")
    };
    assert!(refused(b"PK\x03\x04").contains("is not a .npy file"));
    assert!(refused(&npy("|O", "(2,)", "False", &[0; 16])).contains("astype"));
    assert!(refused(&npy("<f4", "(2, 2)", "True", &[0; 16])).contains("ascontiguousarray"));
    assert!(refused(&npy("<f4", "(2, 2, 1)", "False", &[0; 16])).contains("the shape [2, 2, 1]"));
    assert!(refused(&npy("<f4", "(2, 3)", "False", &[0; 16])).contains("truncated"));
    assert!(refused(&npy("<f8", "(18446744073709551615,)", "False", &[0; 16])).contains("truncated"));
}

#[test]
fn tensors_are_columns_by_name() {
    let header = r#"{"__metadata__": {"format": "pt"}, "emb": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]},
        "price": {"dtype": "F64", "shape": [2], "data_offsets": [8, 24]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(
        [1.0_f32, -2.0, 0.5, 3.0].iter().flat_map(|&value| half::bf16::from_f32(value).to_le_bytes()),
    );
    bytes.extend([0.25_f64, 8.0].iter().flat_map(|value| value.to_le_bytes()));
    let (_folder, file) = write("model.safetensors", &bytes);
    let arrays = open(&file).expect("opens");
    let batch = read(arrays.clone(), 10).remove(0);
    assert_eq!(batch.schema().field(0).name(), "emb");
    let vectors = batch.column(0).as_fixed_size_list();
    assert_eq!(vectors.values().as_primitive::<Float32Type>().values()[..], [1.0, -2.0, 0.5, 3.0]);
    assert_eq!(batch.column(1).as_primitive::<Float64Type>().values()[..], [0.25, 8.0]);
    for length in [0, 5, 60, bytes.len() - 1] {
        fs::write(&file, &bytes[..length]).expect("writes");
        open(&file).expect_err("truncated");
    }
    let three = ids("id", "row-number", 3).expect("numbers");
    let found = Arrays([arrays, vec![three]].concat()).head().expect_err("two rows and three");
    assert!(found.contains("emb has 2 rows and id has 3"), "{found}");
}

#[test]
fn ids_are_numbers_where_every_line_is_one() {
    let (_folder, file) = write("ids.txt", b"7\n-8\n");
    let column = |file: &Path| ids("id", file.to_str().expect("UTF-8"), 2).expect("reads").field();
    assert_eq!(column(&file).data_type(), &DataType::Int64);
    let (_folder, file) = write("ids.txt", b"7\r\n08\r\n");
    assert_eq!(column(&file).data_type(), &DataType::LargeUtf8);
    let batch = read(vec![ids("id", file.to_str().expect("UTF-8"), 2).expect("reads")], 5).remove(0);
    assert_eq!(batch.column(0).as_string::<i64>().value(1), "08");
    assert_eq!(batch.column(0).null_count(), 0);
}
