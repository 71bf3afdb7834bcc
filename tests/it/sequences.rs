//! A user's events from a table: windows, matches, the nearest of them, and ragged outputs, from a real server.

use std::{fs, path::Path, sync::Arc};

use arrow_array::{
    ArrayRef, RecordBatch,
    builder::{FixedSizeListBuilder, Float32Builder, Int64Builder, ListBuilder},
    types::Int64Type,
};
use arrow_array::{Int64Array, ListArray};
use parquet::arrow::ArrowWriter;
use quiver::proto::{
    Encoding, GetFeatureSetRequest, GetFeaturesRequest, Layout, Options, StatusDetail, Tensor,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tonic::Code;

use crate::setup::{Client, connect, int64s, serve};

/// Lanes of an event's vector.
const WIDTH: i32 = 4;

/// Seconds since 1970 of the request.
const NOW: i64 = 1_000_000;

/// An event's id, category, time and vector.
type Event = (i64, i64, i64, [f32; 4]);

/// The events of user 7.
const EVENTS: [Event; 5] = [
    (11, 1, NOW - 50, [1.0, 0.0, 0.0, 0.0]),
    (12, 2, NOW - 4000, [9.0, 9.0, 9.0, 9.0]),
    (13, 1, NOW - 10, [0.5, 0.5, 0.0, 0.0]),
    (11, 1, NOW - 3600, [0.0, 2.0, 0.0, 0.0]),
    (14, 3, NOW + 5, [0.0, 0.0, 7.0, 0.0]),
];

fn lists(values: &[i64]) -> ArrayRef {
    // User 8 has no events, user 9 has null in their place.
    let rows = [Some(values.iter().copied().map(Some).collect()), Some(Vec::new()), None];
    Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(rows))
}

fn vectors() -> ArrayRef {
    let mut rows = ListBuilder::new(FixedSizeListBuilder::new(Float32Builder::new(), WIDTH));
    for (.., vector) in EVENTS {
        rows.values().values().append_slice(&vector);
        rows.values().append(true);
    }
    rows.append(true);
    rows.append(true);
    rows.append(false);
    Arc::new(rows.finish())
}

fn write_table(folder: &Path, name: &str, columns: Value, data: Vec<(&str, ArrayRef)>) {
    let version = folder.join("tables").join(name).join("1");
    fs::create_dir_all(&version).expect("makes a folder");
    let schema = json!({"format": "quiver.table/1", "name": name, "version": 1,
        "key": [{"name": "id", "dtype": "int64"}], "columns": columns});
    fs::write(version.join("table.json"), schema.to_string()).expect("writes");
    let batch = RecordBatch::try_from_iter(data).expect("columns of one length");
    let file = fs::File::create(version.join("rows.parquet")).expect("makes a file");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("writes");
    writer.close().expect("ends");
}

fn repository() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let list = |name: &str| json!({"name": name, "dtype": "int64", "shape": "list"});
    let of_vectors = |name: &str, form: &str| json!({"name": name, "dtype": "float32", "shape": {"vectors": WIDTH}, "form": form, "nan": "value"});
    let columns = |at: fn(&Event) -> i64| lists(&EVENTS.iter().map(at).collect::<Vec<_>>());
    write_table(
        folder.path(),
        "users",
        json!([
            list("ids"),
            list("kinds"),
            list("times"),
            of_vectors("vectors", "float32"),
            of_vectors("small", "int8")
        ]),
        vec![
            ("id", Arc::new(Int64Array::from(vec![7, 8, 9]))),
            ("ids", columns(|event| event.0)),
            ("kinds", columns(|event| event.1)),
            ("times", columns(|event| event.2)),
            ("vectors", vectors()),
            ("small", vectors()),
        ],
    );
    let mut embedding = FixedSizeListBuilder::new(Float32Builder::new(), WIDTH);
    for vector in [[1.0, 0.5, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]] {
        embedding.values().append_slice(&vector);
        embedding.append(true);
    }
    let mut kinds = Int64Builder::new();
    kinds.append_slice(&[1, 3]);
    write_table(
        folder.path(),
        "ads",
        json!([{"name": "kind", "dtype": "int64", "shape": "scalar"},
            {"name": "vector", "dtype": "float32", "shape": {"vector": WIDTH}, "nan": "value"}]),
        vec![
            ("id", Arc::new(Int64Array::from(vec![11, 14]))),
            ("kind", Arc::new(kinds.finish())),
            ("vector", Arc::new(embedding.finish())),
        ],
    );
    let version = folder.path().join("feature_sets/events/1");
    fs::create_dir_all(&version).expect("makes a folder");
    fs::write(version.join("spec.json"), spec().to_string()).expect("writes");
    fs::write(version.join("golden.json"), golden().to_string()).expect("writes");
    folder
}

fn spec() -> Value {
    let input =
        |name: &str, scope: &str| json!({"name": name, "dtype": "int64", "scope": scope, "required": true});
    let at = |name: &str, values: &str, positions: &str| {
        json!({"name": name, "inputs": [values, positions], "default": -1,
            "steps": [{"op": "elements_at", "outside": "null"}]})
    };
    let inner = |mut feature: Value| {
        feature.as_object_mut().expect("an object").remove("default");
        feature
    };
    json!({"format": "quiver.spec/1", "name": "events", "version": 1,
        "inputs": [input("user", "request"), input("now", "request"), input("ad", "row")],
        "lookups": [{"name": "user", "table": "users", "key": "user"}, {"name": "ad", "table": "ads", "key": "ad"}],
        "features": [
            {"name": "window", "inputs": ["user.times", "now"], "steps": [
                {"op": "recent", "unit": "seconds", "within": {"age": 1, "in": "hours"}, "last": "none",
                 "future": "drop", "order": "newest_first"}]},
            inner(at("ids", "user.ids", "feature.window")),
            inner(at("kinds", "user.kinds", "feature.window")),
            inner(at("vectors", "user.vectors", "feature.window")),
            inner(at("small", "user.small", "feature.window")),
            {"name": "seen", "inputs": ["feature.ids", "ad"], "steps": [{"op": "occurrences", "null": "zero"}]},
            {"name": "same_kind", "inputs": ["feature.kinds", "ad.kind"],
             "steps": [{"op": "occurrences", "null": "zero"}]},
            {"name": "ages", "inputs": ["user.times", "now"],
             "steps": [{"op": "age", "unit": "seconds", "in": "minutes", "negative": "null"}]},
            {"name": "last_age", "inputs": ["user.ids", "feature.ages", "ad"], "default": -1,
             "steps": [{"op": "kv_lookup", "function": "min", "missing": "null"}]},
            {"name": "taste", "input": "feature.vectors", "steps": [
                {"op": "pool", "function": "mean", "null_elements": "skip", "empty": "null"}]},
            {"name": "match", "inputs": ["feature.taste", "ad.vector"], "default": 0, "steps": [{"op": "dot"}]},
            {"name": "nearest", "inputs": ["feature.vectors", "ad.vector"],
             "steps": [{"op": "nearest", "count": 2, "order": "greatest"}]},
            {"name": "nearest_small", "inputs": ["feature.small", "ad.vector"], "default": -1,
             "steps": [{"op": "nearest", "count": 2, "order": "greatest"}]},
            at("nearest_ids", "feature.ids", "feature.nearest"),
            at("nearest_vectors", "feature.vectors", "feature.nearest"),
            {"name": "history", "input": "feature.ids", "default": -1}],
        "outputs": [
            {"name": "dense", "dtype": "float32", "features": ["seen", "same_kind", "last_age", "match"]},
            {"name": "events", "dtype": "float32", "features": ["nearest_ids", "nearest_vectors"], "ragged": true},
            {"name": "ids", "dtype": "int64", "features": ["history", "nearest_small"], "ragged": true}]})
}

/// The library's values for a user with one event, in a table of the golden rows' own.
fn golden() -> Value {
    json!({"format": "quiver.golden/1",
        "tables": {
            "users": {"id": [7], "ids": [[11]], "kinds": [[1]], "times": [[40]], "vectors": [[[2, 0, 0, 0]]],
                "small": [[[2, 0, 0, 0]]]},
            "ads": {"id": [11], "kind": [1], "vector": [[1, 0, 0, 0]]}},
        "cases": [{"rows": 2, "inputs": {"user": [7], "now": [100], "ad": [11, 5]},
            "outputs": {
                "dense": {"rows": [[1, 1, 1, 2], [0, 0, -1, 0]], "max_ulp": 0},
                "events": {"rows": [[[11, 2, 0, 0, 0]], []], "max_ulp": 0}}}]})
}

fn request(user: i64, ads: &[i64], encoding: Encoding, layout: Layout) -> GetFeaturesRequest {
    let options =
        Options { encoding: encoding.into(), layout: layout.into(), status: StatusDetail::Rows.into() };
    GetFeaturesRequest {
        feature_set: "events".to_owned(),
        columns: vec![int64s("user", &[user]), int64s("now", &[NOW]), int64s("ad", ads)],
        options: Some(options),
        ..GetFeaturesRequest::default()
    }
}

async fn tensors(client: &mut Client, request: GetFeaturesRequest) -> Vec<Tensor> {
    client.get_features(request).await.expect("an answer").into_inner().outputs
}

#[tokio::test]
async fn events_are_cut_matched_and_picked() {
    let folder = repository();
    let server = serve(folder.path(), &[]).await;
    let mut client = connect(&server).await;
    let answer = tensors(&mut client, request(7, &[11, 14, 99], Encoding::Values, Layout::Dense)).await;
    let [dense, events, ids] = &answer[..] else { panic!("three tensors") };
    // In the window are 13, 11 and the older 11, whose mean is [0.5, 2.5 / 3, 0, 0].
    let third = f64::from((2.5_f64 / 3.0) as f32);
    let taste = f64::from((0.5 + 2.5 / 3.0 * 0.5) as f32);
    let minute = f64::from((50.0_f64 / 60.0) as f32);
    assert_eq!(dense.values, [2.0, 3.0, minute, taste, 0.0, 0.0, -1.0, third, 0.0, 0.0, -1.0, 0.0]);
    assert!(events.ragged && events.row_offsets.is_empty());
    assert_eq!((&events.shape[..], &events.row_offset_values[..]), (&[4, 5][..], &[0, 2, 4, 4][..]));
    let of_first = [11.0, 1.0, 0.0, 0.0, 0.0, 11.0, 0.0, 2.0, 0.0, 0.0];
    assert_eq!(events.values[..10], of_first, "of equal products the newer event");
    assert_eq!(events.values[10..12], [11.0, 0.0]);
    assert_eq!(events.status_values, [0, 0, 0, 0, 5, 5]);
    assert_eq!(ids.row_offset_values, [0, 3, 6, 9]);
    let expected = [13, 1, 11, 2, 11, -1, 13, 2, 11, 0, 11, -1, 13, -1, 11, -1, 11, -1];
    assert_eq!(ids.int64_values, expected, "the shorter list ends in its default");
    assert_eq!(ids.status_values, [0, 4, 0, 4, 0, 5]);
}

#[tokio::test]
async fn ragged_bytes_are_the_readable_values() {
    let folder = repository();
    let server = serve(folder.path(), &[]).await;
    let mut client = connect(&server).await;
    for layout in [Layout::Dense, Layout::Factored] {
        let readable = tensors(&mut client, request(7, &[11, 14], Encoding::Values, layout)).await;
        for encoding in [Encoding::Raw, Encoding::Sparse] {
            let raw = tensors(&mut client, request(7, &[11, 14], encoding, layout)).await;
            for (raw, readable) in raw.iter().zip(&readable).filter(|(raw, _)| raw.ragged) {
                let offsets: Vec<u64> =
                    raw.row_offsets.as_chunks().0.iter().map(|&bytes| u64::from_le_bytes(bytes)).collect();
                assert_eq!((&raw.shape, offsets), (&readable.shape, readable.row_offset_values.clone()));
                let size = if readable.int64_values.is_empty() { 4 } else { 8 };
                assert_eq!(raw.data.len(), raw.shape[0] as usize * raw.shape[1] as usize * size);
                assert!(raw.indices.is_empty());
            }
        }
    }
    let factored = tensors(&mut client, request(7, &[11, 14], Encoding::Values, Layout::Factored)).await;
    let once = factored.iter().find(|tensor| tensor.name == "ids").expect("the request's part");
    assert_eq!((&once.shape[..], &once.int64_values[..]), (&[3, 1][..], &[13, 11, 11][..]));
}

#[tokio::test]
async fn users_without_events_have_empty_rows() {
    let folder = repository();
    let server = serve(folder.path(), &[]).await;
    let mut client = connect(&server).await;
    for (user, status) in [(8, 0), (9, 4), (10, 5)] {
        let answer = tensors(&mut client, request(user, &[11], Encoding::Values, Layout::Dense)).await;
        assert_eq!((&answer[1].shape[..], &answer[1].row_offset_values[..]), (&[0, 5][..], &[0, 0][..]));
        assert_eq!(answer[1].status_values, [status; 2]);
        assert_eq!(answer[0].values[0], 0.0);
    }
}

#[tokio::test]
async fn elements_beyond_the_answers_limit_are_rejected() {
    let folder = repository();
    let server = serve(folder.path(), &[("max-answer-bytes", "1KiB")]).await;
    let mut client = connect(&server).await;
    let few = request(8, &[11; 20], Encoding::Raw, Layout::Dense);
    client.get_features(few).await.expect("no events take no room");
    let refused = client.get_features(request(7, &[11; 20], Encoding::Raw, Layout::Dense)).await;
    let refused = refused.expect_err("40 events of 20 bytes, and 60 of 16");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("ragged"), "{}", refused.message());
}

#[tokio::test]
async fn descriptions_say_what_is_ragged() {
    let folder = repository();
    let server = serve(folder.path(), &[]).await;
    let named = GetFeatureSetRequest { feature_set: "events".to_owned(), version: 0 };
    let described = connect(&server).await.get_feature_set(named).await.expect("described").into_inner();
    let ragged: Vec<bool> = described.outputs.iter().map(|output| output.ragged).collect();
    assert_eq!((ragged, described.golden_rows), (vec![false, true, true], 2));
}
