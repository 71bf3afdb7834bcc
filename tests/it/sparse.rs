//! Wide outputs as compressed sparse rows, from a real server.

use std::fs;

use quiver::{
    app::Server,
    proto::{DataType, Encoding, GetFeaturesRequest, Layout, Options, OutputSelection, StatusDetail, Tensor},
};
use serde_json::json;
use tempfile::TempDir;
use tonic::Code;

use crate::setup::{Client, connect, doubles, serve, strings};

/// As wide as scikit-learn's HashingVectorizer makes its vectors by itself.
const WIDTH: u32 = 1 << 20;

/// A repository of one feature set: a query's words hashed (request scope), a price and an ad's words (row scope), and
/// an id that is one-hot encoded.
fn repository(default: f64) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let hashed = |name: &str, input: &str| {
        json!({"name": name, "input": input, "default": default, "steps": [
            {"op": "tokenize", "rule": "whitespace", "stop_words": [], "minimum": 1},
            {"op": "feature_hash", "width": WIDTH, "prefix": "", "alternate_sign": true, "null": "null"},
            {"op": "normalize", "norm": "l2"}]})
    };
    let ids: Vec<String> = (0..1000).map(|number| format!("id {number}")).collect();
    let spec = json!({"format": "quiver.spec/1", "name": "wide", "version": 1,
        "inputs": [
            {"name": "query", "dtype": "string", "scope": "request", "required": true},
            {"name": "price", "dtype": "float64", "scope": "row", "required": true, "nan": "null"},
            {"name": "title", "dtype": "string", "scope": "row", "required": true},
            {"name": "id", "dtype": "string", "scope": "row", "required": true}],
        "features": [
            hashed("query_words", "query"), {"name": "price", "input": "price", "default": 0},
            hashed("title_words", "title"),
            {"name": "id", "input": "id", "steps": [{"op": "one_hot", "categories": ids, "infrequent": [],
                "drop": "none", "unknown": "zeros", "null": "zeros"}]}],
        "outputs": [
            {"name": "all", "dtype": "float32", "features": ["price", "query_words", "title_words", "id"]},
            {"name": "narrow", "dtype": "float64", "features": ["price", "id"]}]});
    let version = folder.path().join("feature_sets/wide/1");
    fs::create_dir_all(&version).expect("makes a folder");
    fs::write(version.join("spec.json"), spec.to_string()).expect("writes");
    folder
}

async fn server(default: f64, answer_bytes: &str) -> (TempDir, Server, Client) {
    let folder = repository(default);
    let server = serve(folder.path(), &[("max-answer-bytes", answer_bytes)]).await;
    let client = connect(&server).await.max_decoding_message_size(64 << 20);
    (folder, server, client)
}

fn request(encoding: Encoding) -> GetFeaturesRequest {
    let mut title = strings("title", &["red shoes red", "", "a b c"]);
    title.nulls = vec![2];
    let options =
        Options { encoding: encoding.into(), status: StatusDetail::Rows.into(), ..Options::default() };
    GetFeaturesRequest {
        feature_set: "wide".to_owned(),
        columns: vec![
            strings("query", &["cheap shoes"]),
            doubles("price", &[2.5, -0.0, f64::INFINITY]),
            title,
            strings("id", &["id 7", "no such id", "id 999"]),
        ],
        options: Some(options),
        ..GetFeaturesRequest::default()
    }
}

/// Rows of (column, value) pairs.
fn rows(tensor: &Tensor) -> Vec<Vec<(u32, f32)>> {
    let offsets: Vec<usize> =
        tensor.row_offsets.as_chunks().0.iter().map(|&bytes| u64::from_le_bytes(bytes) as usize).collect();
    let indices = tensor.indices.as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes));
    let values = tensor.data.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
    let entries: Vec<(u32, f32)> = indices.zip(values).collect();
    offsets.windows(2).map(|row| entries[row[0]..row[1]].to_vec()).collect()
}

fn only(output: &str, encoding: Encoding) -> OutputSelection {
    OutputSelection { name: output.to_owned(), encoding: encoding.into(), ..OutputSelection::default() }
}

#[tokio::test]
async fn sparse_rows_are_the_dense_ones_without_their_zeros() {
    let (_folder, _server, mut client) = server(0.0, "64MiB").await;
    let sparse = client.get_features(request(Encoding::Sparse)).await.expect("an answer").into_inner();
    let dense = client.get_features(request(Encoding::Raw)).await.expect("an answer").into_inner();
    let width = 2 * WIDTH + 1001;
    assert_eq!(sparse.outputs[0].shape, [3, width]);
    assert_eq!(sparse.status_counts, dense.status_counts);
    assert_eq!(sparse.outputs[0].status, dense.outputs[0].status);
    let of_dense = dense.outputs[0].data.chunks_exact(4 * width as usize).map(|row| {
        let values = row.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
        (0..).zip(values).filter(|&(_, value)| value != 0.0).collect::<Vec<_>>()
    });
    let rows = rows(&sparse.outputs[0]);
    assert_eq!(rows, of_dense.collect::<Vec<_>>());
    let counts: Vec<usize> = rows.iter().map(Vec::len).collect();
    assert_eq!(counts, [1 + 2 + 2 + 1, 2, 1 + 2 + 1], "price, query, title, id");
    assert_eq!(rows[0][0], (0, 2.5));
    assert_eq!(rows[0].last(), Some(&(2 * WIDTH + 8, 1.0)));
}

#[tokio::test]
async fn each_output_has_an_encoding_and_each_part_rows() {
    let (_folder, _server, mut client) = server(0.0, "1MiB").await;
    let mut asked = request(Encoding::Sparse);
    asked.outputs = vec![only("all", Encoding::Unspecified), only("narrow", Encoding::Raw)];
    asked.options.as_mut().expect("options").layout = Layout::Factored.into();
    let answer = client.get_features(asked).await.expect("an answer").into_inner();
    let [request, row, narrow] = answer.outputs.as_slice() else { panic!("three tensors") };
    assert_eq!((rows(request).len(), rows(request)[0].len()), (1, 2));
    assert_eq!(rows(row).iter().map(Vec::len).collect::<Vec<_>>(), [4, 0, 2]);
    assert_eq!((narrow.dtype, narrow.data.len()), (DataType::Float64.into(), 3 * 1001 * 8));
    assert!(narrow.row_offsets.is_empty());
}

#[tokio::test]
async fn the_limit_counts_what_is_sent() {
    let (_folder, _server, mut client) = server(1.0, "1MiB").await;
    let refused = client.get_features(request(Encoding::Raw)).await.expect_err("too wide");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("ENCODING_SPARSE"), "{}", refused.message());
    // The null title's default of 1 makes its row dense.
    let refused = client.get_features(request(Encoding::Sparse)).await.expect_err("a million ones");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("more than 1048576 bytes"), "{}", refused.message());
    let mut present = request(Encoding::Sparse);
    present.columns[2].nulls.clear();
    assert!(client.get_features(present).await.is_ok());
}

#[tokio::test]
async fn a_default_that_is_not_zero_fills_its_row() {
    let (_folder, _server, mut client) = server(1.0, "64MiB").await;
    let answer = client.get_features(request(Encoding::Sparse)).await.expect("an answer").into_inner();
    let rows = rows(&answer.outputs[0]);
    assert_eq!(rows[2].len(), 1 + 2 + WIDTH as usize + 1);
    assert!(rows[2].is_sorted_by_key(|&(column, _)| column));
}
