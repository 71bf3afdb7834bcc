//! Fall-backs and the ages of rows on a real server.

use std::{
    fs::{self, File},
    path::Path,
    sync::Arc,
};

use arrow_array::{
    ArrayRef, Float64Array, Int64Array, ListArray, RecordBatch, TimestampMillisecondArray, types::Int64Type,
};
use arrow_ipc::writer::FileWriter;
use quiver::{
    batch::time::now,
    proto::{GetFeaturesRequest, Options, StatusDetail},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    operations::page,
    setup::{connect, int64s, serve},
};

fn spec() -> Value {
    let pool = json!({"table": "ads", "keys": "graph.neighbours", "function": "mean", "cap": 2, "pick": "first",
        "columns": {"price": "price"}});
    let fallbacks = json!([
        {"table": "advertisers", "key": "advertiser_id", "columns": {"price": "score"}},
        {"pool": pool},
        {"row": {"price": -5}},
    ]);
    let input = |name: &str| json!({"name": name, "dtype": "int64", "scope": "row", "required": true});
    json!({
        "format": "quiver.spec/1", "name": "ads", "version": 1,
        "inputs": [input("ad_id"), input("advertiser_id")],
        "lookups": [
            {"name": "graph", "table": "graph", "key": "ad_id"},
            {"name": "ad", "table": "ads", "key": "ad_id", "max_age": "1d", "stale": "null", "fallbacks": fallbacks},
            {"name": "fresh", "table": "ads", "key": "ad_id", "max_age": "1d", "stale": "null"},
            {"name": "any", "table": "ads", "key": "ad_id", "max_age": "1d", "stale": "serve"},
        ],
        "features": [
            {"name": "price", "input": "ad.price", "default": 0},
            {"name": "fresh", "input": "fresh.price", "default": 0},
            {"name": "any", "input": "any.price", "default": 0},
        ],
        "outputs": [{"name": "dense", "dtype": "float64", "features": ["price", "fresh", "any"]}],
    })
}

fn write_table(
    repository: &Path,
    name: &str,
    columns: Value,
    event_time: Option<&str>,
    rows: &[(&str, ArrayRef)],
) {
    let folder = repository.join("tables").join(name).join("1");
    fs::create_dir_all(&folder).expect("makes");
    let mut schema = json!({"format": "quiver.table/1", "name": name, "version": 1,
        "key": [{"name": "id", "dtype": "int64"}], "columns": columns});
    if let Some(event_time) = event_time {
        schema["event_time"] = json!(event_time);
    }
    fs::write(folder.join("table.json"), schema.to_string()).expect("writes");
    let rows = RecordBatch::try_from_iter(rows.iter().cloned()).expect("columns of one length");
    let file = File::create(folder.join("rows.arrow")).expect("creates");
    let mut writer = FileWriter::try_new(file, &rows.schema()).expect("starts");
    writer.write(&rows).expect("writes");
    writer.finish().expect("ends");
}

fn ids(ids: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(ids.to_vec()))
}

/// Ads 1 and 3 are of now, ad 2 is old, ad 7 has neighbours, advertiser 100 a score.
fn repository() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let float = |name: &str| json!({"name": name, "dtype": "float64", "shape": "scalar", "nan": "value"});
    let floats = |values: &[f64]| -> ArrayRef { Arc::new(Float64Array::from(values.to_vec())) };
    let at = json!({"name": "at", "dtype": "timestamp[ms]", "shape": "scalar"});
    let (now, old) = (now() / 1_000_000, 86_400_000);
    let times: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![now, old, now]));
    let ads = [("id", ids(&[1, 2, 3])), ("price", floats(&[10.0, 20.0, 40.0])), ("at", times)];
    write_table(folder.path(), "ads", json!([float("price"), at]), Some("at"), &ads);
    let advertisers = [("id", ids(&[100])), ("score", floats(&[5.5]))];
    write_table(folder.path(), "advertisers", json!([float("score")]), None, &advertisers);
    let lists = [Some(vec![Some(99), Some(1), Some(3)]), Some(vec![])];
    let neighbours: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists));
    let of_graph = json!([{"name": "neighbours", "dtype": "int64", "shape": "list"}]);
    write_table(folder.path(), "graph", of_graph, None, &[("id", ids(&[7, 8])), ("neighbours", neighbours)]);
    let feature_set = folder.path().join("feature_sets/ads/1");
    fs::create_dir_all(&feature_set).expect("makes");
    fs::write(feature_set.join("spec.json"), spec().to_string()).expect("writes");
    folder
}

#[tokio::test]
async fn the_first_row_that_is_there_answers_and_old_rows_are_reported() {
    let repository = repository();
    let server = serve(repository.path(), &[]).await;
    let request = GetFeaturesRequest {
        feature_set: "ads".to_owned(),
        columns: vec![int64s("ad_id", &[1, 2, 7, 8]), int64s("advertiser_id", &[100, 100, 999, 999])],
        options: Some(Options { status: StatusDetail::Rows.into(), ..Options::default() }),
        ..GetFeaturesRequest::default()
    };
    let answer = connect(&server).await.get_features(request).await.expect("an answer").into_inner();
    let tensor = &answer.outputs[0];
    let values: Vec<f64> = tensor.data.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect();
    let expected = [
        [10.0, 10.0, 10.0],
        // The first fall-back, by the advertiser.
        [5.5, 0.0, 20.0],
        // The second, of the first two neighbours the one that there is.
        [10.0, 0.0, 0.0],
        [-5.0, 0.0, 0.0],
    ];
    assert_eq!(values, expected.concat());
    assert_eq!(tensor.status, [[0, 0, 0], [0x16, 1, 1], [0x26, 5, 5], [0x36, 5, 5]].concat());
    let counts = &answer.status_counts[0];
    assert_eq!((counts.feature.as_str(), counts.fallback, counts.stale), ("price", 3, 0));
    let (_, metrics) = page(server.admin, "/metrics").await;
    for level in 1..4 {
        let counted = metrics.lines().any(|line| {
            line.starts_with("quiver_feature_fallback_rows_total")
                && line.contains(&format!("level=\"{level}\""))
                && line.ends_with(" 1")
        });
        assert!(counted, "level {level} in {metrics}");
    }
}
