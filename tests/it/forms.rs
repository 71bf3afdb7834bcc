//! Vectors in every form: served as they are rounded, float32 bit for bit, and never kept beside the table.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use quiver::{
    batch::{Column, Mark, Type, Values},
    serve::{
        self,
        answer::{Elements, TensorBuffer},
        outcome::Limits,
        request::{Encoding, Layout, Request, RequestColumn, StatusDetail},
    },
    snapshot::{Binder, FeatureSet, Snapshot},
    spec::{
        ScalarType,
        read::{Version, spec_from_text},
    },
    table::{Table, TableSchema},
};
use serde_json::{Value, json};

use crate::{
    real_data::vectors,
    reference::{kept, rounded},
};

const FORMS: [&str; 5] = ["float32", "float16", "bfloat16", "int8", "binary"];

const LIMITS: Limits =
    Limits { rows: 10_000, text_bytes: 1 << 20, list_elements: 1_000_000, answer_bytes: 64 << 20 };

/// Trained embeddings where `QUIVER_REAL_DATA` names the folder of the data, else numbers of many magnitudes.
fn embeddings() -> Vec<Vec<f32>> {
    if let Some(folder) = std::env::var_os("QUIVER_REAL_DATA").map(PathBuf::from) {
        return vectors(&folder.join("embeddings/ml1m_item_emb_3706x32_f32.npy"), 32);
    }
    let lane =
        |row: usize, lane: usize| ((row * 31 + lane * 17) as f32).sin() * 2f32.powi((row % 40) as i32 - 25);
    (0..500).map(|row| (0..37).map(|at| lane(row, at)).collect()).collect()
}

fn table(embeddings: &[Vec<f32>]) -> Table {
    let (rows, width) = (embeddings.len(), embeddings[0].len());
    let column = |form| json!({"name": form, "dtype": "float32", "shape": {"vector": width}, "form": form, "nan": "value"});
    let schema = json!({"format": "quiver.table/1", "name": "ads", "version": 1,
        "key": [{"name": "ad_id", "dtype": "int64"}], "columns": FORMS.map(column)});
    let schema = TableSchema::from_json(&schema.to_string()).expect("a schema");
    let present = |values| Column { values, marks: vec![Mark::PRESENT; rows], list: None };
    let keys = present(Values::Int64((0..rows as i64).collect()));
    let lanes: Vec<f64> = embeddings.iter().flatten().map(|&lane| lane.into()).collect();
    let columns = FORMS.map(|_| present(Values::Float64(lanes.clone())));
    assert_eq!(schema.columns[0].of, Type::vector(width));
    Table::from_columns(schema, vec![keys], columns.into()).expect("a table")
}

fn feature_set(table: Table, outputs: Value) -> FeatureSet {
    let features = FORMS.map(|form| json!({"name": form, "input": format!("ad.{form}"), "default": 0}));
    let spec = json!({"format": "quiver.spec/1", "name": "ads", "version": 1,
        "inputs": [{"name": "ad_id", "dtype": "int64", "scope": "row", "required": true}],
        "lookups": [{"name": "ad", "table": "ads", "key": "ad_id"}],
        "features": features, "outputs": outputs});
    let (spec, fingerprint) = spec_from_text(&spec.to_string()).expect("a good spec");
    let tables = BTreeMap::from([("ads".to_owned(), Arc::new(table))]);
    let version = Version { spec, fingerprint, golden: None };
    FeatureSet::build(version, &tables, &Binder::default()).expect("a good spec")
}

/// The bytes of every output for all keys, and one that is unknown.
fn served(feature_set: FeatureSet, rows: usize) -> Vec<Vec<u8>> {
    let column = RequestColumn {
        name: "ad_id".to_owned(),
        scalar: ScalarType::Int64,
        time_unit: None,
        values: Values::Int64((0..=rows as i64).collect()),
        indices: None,
        offsets: None,
        nulls: Vec::new(),
        null_elements: Vec::new(),
    };
    let request = Request {
        feature_set: "ads".to_owned(),
        version: 0,
        rows: None,
        columns: vec![column],
        outputs: Vec::new(),
        layout: Layout::Dense,
        encoding: Encoding::Raw,
        status: StatusDetail::Off,
        now: 0,
    };
    let snapshot = Snapshot::new([feature_set]);
    let call = serve::prepare(&snapshot, request, &LIMITS).expect("a good request");
    let mut data: Vec<Vec<u8>> =
        call.tensors().iter().map(|tensor| vec![0xa5; tensor.data_bytes()]).collect();
    let place = |data| TensorBuffer { elements: Elements::Dense(data), status: &mut [] };
    let mut buffers: Vec<TensorBuffer<'_>> = data.iter_mut().map(|data| place(data)).collect();
    call.fetch(&|| false).expect("rows").run(&mut buffers, &|| false).expect("a run");
    data
}

#[test]
fn vectors_are_served_as_they_are_rounded_and_never_kept_twice() {
    let embeddings = embeddings();
    let output = |name: &str, dtype: &str, features: &[&str]| json!({"name": name, "dtype": dtype, "features": features});
    let outputs = json!([
        output("wide", "float32", &FORMS),
        output("half", "float16", &["float16"]),
        output("brain", "bfloat16", &["bfloat16"]),
    ]);
    let feature_set = feature_set(table(&embeddings), outputs);
    assert_eq!(feature_set.prepared_memory(), 0, "a bare vector is in the table alone");
    let mut expected = [Vec::new(), Vec::new(), Vec::new()];
    for vector in &embeddings {
        let lanes: Vec<f64> = vector.iter().map(|&lane| lane.into()).collect();
        let read = FORMS.map(|form| kept(&lanes, form));
        expected[0].extend(read.iter().flatten().flat_map(|&lane| rounded(lane, "float32")));
        expected[1].extend(read[1].iter().flat_map(|&lane| rounded(lane, "float16")));
        expected[2].extend(read[2].iter().flat_map(|&lane| rounded(lane, "bfloat16")));
    }
    for (served, mut expected) in served(feature_set, embeddings.len()).into_iter().zip(expected) {
        // The unknown key's defaults.
        expected.resize(expected.len() + expected.len() / embeddings.len(), 0);
        assert!(served == expected);
    }
}
