//! Files whose heads claim what they can't hold.

use std::{
    fs::{self, File},
    path::Path,
    sync::Arc,
};

use arrow_array::{Array, FixedSizeListArray, Int64Array, ListArray, RecordBatch, StringArray, types};
use arrow_ipc::{
    CompressionType,
    writer::{FileWriter, IpcWriteOptions, StreamWriter},
};

use crate::{
    batch::{Element, Type},
    files::{DataFile, Room, Stored, Target},
};

fn batch(rows: usize) -> RecordBatch {
    let ids = Int64Array::from_iter_values(0..rows as i64);
    let texts = StringArray::from_iter_values((0..rows).map(|row| format!("text {row}")));
    let vectors = (0..rows).map(|_| Some([Some(0.0), Some(0.0)]));
    let vectors = FixedSizeListArray::from_iter_primitive::<types::Float32Type, _, _>(vectors, 2);
    let lists = (0..rows).map(|row| Some(vec![Some(7); row % 4]));
    let lists = ListArray::from_iter_primitive::<types::Int32Type, _, _>(lists);
    let columns: [(&str, Arc<dyn Array>); 4] =
        [("id", Arc::new(ids)), ("text", Arc::new(texts)), ("v", Arc::new(vectors)), ("l", Arc::new(lists))];
    RecordBatch::try_from_iter(columns).expect("a batch")
}

/// Writes two batches as a file, or else as a stream.
fn write(path: &Path, compression: Option<CompressionType>, as_file: bool, rows: usize) {
    let options = IpcWriteOptions::default().try_with_compression(compression).expect("has the codec");
    let (file, batch) = (File::create(path).expect("writable"), batch(rows));
    if as_file {
        let mut writer = FileWriter::try_new_with_options(file, &batch.schema(), options).expect("starts");
        (0..2).for_each(|_| writer.write(&batch).expect("writes"));
        writer.finish().expect("finishes");
    } else {
        let mut writer = StreamWriter::try_new_with_options(file, &batch.schema(), options).expect("starts");
        (0..2).for_each(|_| writer.write(&batch).expect("writes"));
        writer.finish().expect("finishes");
    }
}

fn targets() -> Vec<Target> {
    vec![
        Target::new("id", Type::scalar(Element::Int64), Stored::Int64),
        Target::new("text", Type::scalar(Element::String), Stored::String),
        Target::new("v", Type::vector(2), Stored::Float32),
        Target::new("l", Type::scalar(Element::Int64).listed(), Stored::Int32),
    ]
}

/// Reads all of a file, or says why not.
fn read(path: &Path) -> Result<u64, String> {
    let file = DataFile::open(path)?;
    targets().iter().try_for_each(|target| file.check(target))?;
    let mut rows = 0;
    for piece in file.pieces() {
        for batch in file.piece_batches(&piece, targets(), 64)? {
            rows += batch?.rows as u64;
        }
    }
    Ok(rows)
}

const COMPRESSIONS: [Option<CompressionType>; 3] =
    [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)];

#[test]
fn heads_state_rows_and_the_elements_of_lists() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.arrow");
    for (compression, as_file) in COMPRESSIONS.into_iter().zip([true, false, true]) {
        write(&path, compression, as_file, 400);
        let file = DataFile::open(&path).expect("opens");
        assert_eq!(file.pieces().len(), if as_file { 2 } else { 1 });
        assert_eq!((file.rows(), read(&path)), (800, Ok(800)));
        let rooms = targets().iter().map(|target| file.room(target).elements).collect::<Vec<_>>();
        assert_eq!(rooms[2..], [1600, 1200]);
        assert_eq!(file.room(&Target::new("none", Type::vector(2), Stored::Float32)), Room::default());
    }
}

/// Without the checks, some of these files make the reader ask for a petabyte, which ends the process.
#[test]
fn claims_beyond_the_file_are_rejected() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.arrow");
    let mut found = Vec::new();
    for (compression, as_file) in COMPRESSIONS.into_iter().zip([false, true, true]) {
        write(&path, compression, as_file, 20);
        let whole = fs::read(&path).expect("there");
        for position in (0..whole.len() - 8).step_by(8) {
            for claim in [1_i64 << 50, i64::MIN] {
                let mut false_file = whole.clone();
                false_file[position..position + 8].copy_from_slice(&claim.to_le_bytes());
                fs::write(&path, false_file).expect("writable");
                found.extend(read(&path).err());
            }
        }
    }
    for expected in
        ["can't be as long as it states", "is longer than its batch", "is longer than the file", "negative"]
    {
        assert!(found.iter().any(|why| why.contains(expected)), "{expected}");
    }
}
