//! Files of rows as people have them, and the columns of what was written.

use std::{collections::HashMap, fs::File, path::Path, sync::Arc};

use arrow_array::{
    Array, ArrayRef, Float64Array, Int64Array, ListArray, RecordBatch, StringArray,
    builder::{ListBuilder, StringBuilder},
    cast::AsArray,
    types::{Float32Type, Int32Type, Int64Type, UInt8Type},
};
use arrow_ipc::{reader::FileReader, writer::StreamWriter};
use arrow_schema::DataType;
use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};
use quiver::demo::traffic::DemoRequest;

/// A written file: notes, and columns with the bytes of their elements.
pub struct Written {
    pub notes: HashMap<String, String>,
    pub columns: Vec<(String, Vec<u8>)>,
}

/// Each ad with the request's values beside it; the words and the click are as in no request.
fn rows(requests: &[DemoRequest], dictionary: bool) -> RecordBatch {
    let each = || requests.iter().flat_map(|request| request.ad_ids.iter().map(move |ad| (request, ad)));
    let integers = |of: fn(&DemoRequest) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(each().map(|(request, _)| of(request))))
    };
    let placements: StringArray = each().map(|(request, _)| Some(request.placement)).collect();
    let placements: ArrayRef = if dictionary {
        Arc::new(
            each().map(|(request, _)| request.placement).collect::<arrow_array::DictionaryArray<Int32Type>>(),
        )
    } else {
        Arc::new(placements)
    };
    let bids: Float64Array = requests.iter().flat_map(|request| request.bids.iter().copied()).collect();
    let ads: StringArray = each().map(|(_, ad)| Some(ad.as_str())).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("clicked", integers(|_| 1)),
        ("bid", Arc::new(bids)),
        ("placement", placements),
        ("query", Arc::new(queries(&each().map(|(request, _)| request).collect::<Vec<_>>()))),
        ("user_id", integers(|request| request.user_id)),
        ("ad_id", Arc::new(ads)),
        ("hour", integers(|request| request.hour)),
    ];
    RecordBatch::try_from_iter(columns).expect("columns of one length")
}

fn queries(requests: &[&DemoRequest]) -> ListArray {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for request in requests {
        request.query.iter().for_each(|word| lists.values().append_value(word));
        lists.append(true);
    }
    lists.finish()
}

pub fn write_parquet(file: &Path, requests: &[DemoRequest]) {
    let batch = rows(requests, false);
    let file = File::create(file).expect("creates");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("starts");
    writer.write(&batch).expect("writes");
    writer.close().expect("ends");
}

/// As a stream, with a dictionary.
pub fn write_arrow(file: &Path, requests: &[DemoRequest]) {
    let batch = rows(requests, true);
    let mut writer =
        StreamWriter::try_new(File::create(file).expect("creates"), &batch.schema()).expect("starts");
    writer.write(&batch).expect("writes");
    writer.finish().expect("ends");
}

/// Without the words.
pub fn write_csv(file: &Path, requests: &[DemoRequest]) {
    let mut text = "ad_id,user_id,clicked,bid\n".to_owned();
    for request in requests {
        for (ad, bid) in request.ad_ids.iter().zip(&request.bids) {
            let bid = bid.map_or(String::new(), |bid| bid.to_string());
            text += &format!("\"{ad}\",{},1,{bid}\n", request.user_id);
        }
    }
    std::fs::write(file, text).expect("writes");
}

pub fn read_parquet(file: &Path) -> Written {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file).expect("opens")).expect("starts");
    let notes = reader.schema().metadata().iter().map(|(name, note)| (name.to_string(), note.to_string()));
    let notes = notes.collect();
    let batches = reader.build().expect("reads").map(|batch| batch.expect("reads"));
    Written { notes, columns: bytes_of(batches) }
}

pub fn read_arrow(file: &Path) -> Written {
    let reader = FileReader::try_new(File::open(file).expect("opens"), None).expect("starts");
    Written { notes: HashMap::new(), columns: bytes_of(reader.map(|batch| batch.expect("reads"))) }
}

fn bytes_of(batches: impl Iterator<Item = RecordBatch>) -> Vec<(String, Vec<u8>)> {
    let mut columns: Vec<(String, Vec<u8>)> = Vec::new();
    for batch in batches {
        for (position, field) in batch.schema().fields().iter().enumerate() {
            if columns.len() == position {
                columns.push((field.name().clone(), Vec::new()));
            }
            columns[position].1.extend(elements(batch.column(position)));
        }
    }
    columns
}

fn elements(array: &ArrayRef) -> Vec<u8> {
    assert_eq!(array.null_count(), 0);
    match array.data_type() {
        DataType::FixedSizeList(..) => elements(array.as_fixed_size_list().values()),
        DataType::Float32 => array
            .as_primitive::<Float32Type>()
            .values()
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect(),
        DataType::Int64 => {
            array.as_primitive::<Int64Type>().values().iter().flat_map(|value| value.to_le_bytes()).collect()
        }
        DataType::UInt8 => array.as_primitive::<UInt8Type>().values().to_vec(),
        other => panic!("{other} is written"),
    }
}
