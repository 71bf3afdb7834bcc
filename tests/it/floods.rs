//! Requests made to cost far more than their own bytes: each is rejected at once, in few words and little memory.

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    allocated::peak,
    raw::{Ended, Raw, framed},
    setup::{serve, serve_demo},
};

const GET_FEATURES: &str = "/quiver.v1.FeatureService/GetFeatures";

/// What the connection itself takes: a frame or two of one MiB, headers, and the answer.
const CONNECTION: usize = 4 << 20;

/// A repository whose feature set `wide` has 100 inputs.
fn wide_repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let version = folder.path().join("feature_sets/wide/1");
    std::fs::create_dir_all(&version).expect("makes");
    let input = |position: usize| {
        serde_json::json!({"name": format!("input_{position:02}"), "dtype": "float64", "scope": "row",
            "required": true, "nan": "value"})
    };
    let spec = serde_json::json!({
        "format": "quiver.spec/1", "name": "wide", "version": 1,
        "inputs": (0..100).map(input).collect::<Vec<_>>(),
        "features": [{"name": "first", "input": "input_00", "default": 0}],
        "outputs": [{"name": "dense", "dtype": "float32", "features": ["first"]}],
    });
    std::fs::write(version.join("spec.json"), spec.to_string()).expect("writes");
    folder
}

/// A request of `bytes` bytes: `head`, then `field` over and over.
fn flood(head: &[u8], field: &[u8], bytes: usize) -> Vec<u8> {
    let mut flood = head.to_vec();
    while flood.len() + field.len() <= bytes {
        flood.extend_from_slice(field);
    }
    flood
}

/// `feature_set` as a request's first field.
fn named(feature_set: &str) -> Vec<u8> {
    [&[0x0a, feature_set.len() as u8], feature_set.as_bytes()].concat()
}

/// The status of a call, from its headers.
fn status(ended: &Ended) -> Status {
    Status::from_header_map(&ended.headers).expect("a status")
}

/// Sends a request and holds what came of it to the promise: a few problems in a small answer, and at most twice the
/// request's own bytes in memory.
async fn check(raw: &mut Raw, request: Vec<u8>, expect: &str) {
    let (bytes, message) = (request.len(), framed(&request));
    drop(request);
    let (ended, peak) = peak(raw.call(GET_FEATURES, &[], message)).await;
    assert_eq!(ended.code(), Code::InvalidArgument as i32);
    let status = status(&ended);
    assert!(status.message().starts_with(expect), "{}", status.message());
    let violations = status.get_error_details().bad_request().map_or(0, |bad| bad.field_violations.len());
    assert!((1..=33).contains(&violations), "{violations} violations");
    let header: usize = ended.headers.values().map(http::HeaderValue::len).sum();
    assert!(header < 8000, "{header} bytes of headers");
    assert!(peak <= 2 * bytes + CONNECTION, "{peak} bytes in memory for a request of {bytes}: {expect}");
}

#[tokio::test]
async fn columns_beyond_a_feature_sets_inputs_are_rejected_before_they_are_read() {
    let wide = wide_repository();
    let server = serve(wide.path(), &[]).await;
    let mut raw = Raw::connect(&server).await;
    let expect = "columns: are more than 100; no feature set has more inputs";
    check(&mut raw, flood(&named("wide"), &[0x22, 2, 0x32, 0], 4 << 20), expect).await;
}

#[tokio::test]
async fn no_flood_takes_more_than_twice_its_bytes() {
    let server = serve_demo().await;
    let mut raw = Raw::connect(&server).await;
    let small = named("ads_small");
    // A column of 8 MiB that is one field over and over, and the field of a column that holds such packed values.
    let column = |field: &[u8]| nested(&small, &[4 << 3 | 2], &flood(&[], field, 8 << 20));
    let packed = |path: &[u8], value: u8| nested(&small, path, &vec![value; 8 << 20]);
    let too_many = "has more values than one column may have, 1000000";
    let inputs = "columns: are more than 6; no feature set has more inputs".to_owned();
    let outputs = "outputs: are more than 2; no feature set has more outputs".to_owned();
    let cases = [
        (flood(&small, &[0x22, 0], 16 << 20), inputs),
        (flood(&small, &[0x2a, 0], 16 << 20), outputs),
        (flood(&[0x10], &[0xff], 16 << 20), "version: malformed protobuf: a varint is longer".to_owned()),
        (column(&[0x0a, 1, 0xff]), "columns[0].name: not valid UTF-8; columns[0].name".to_owned()),
        (column(&[0x0a, 0]), "columns[0]: no values".to_owned()),
        (packed(&[4 << 3 | 2, 1 << 3 | 2], b'x'), "columns[0]: no values".to_owned()),
        (packed(&[4 << 3 | 2, 4 << 3 | 2, 1 << 3 | 2], 7), format!("columns[0].int64s: {too_many}")),
        (packed(&[4 << 3 | 2, 6 << 3 | 2, 1 << 3 | 2], 1), format!("columns[0].bools: {too_many}")),
        (packed(&[4 << 3 | 2, 9 << 3 | 2, 1 << 3 | 2], 0), "columns[0].list: has more values".to_owned()),
        (packed(&[4 << 3 | 2, 10 << 3 | 2], 0), format!("columns[0].nulls: {too_many}")),
        (column(&[7 << 3 | 2, 2, 0x0a, 0]), format!("columns[0].strings: {too_many}")),
        (column(&[8 << 3 | 2, 2, 0x0a, 0]), format!("columns[0].dictionary: {too_many}")),
        // Ten thousand rows of which nothing is sent.
        ([&small[..], &[3 << 3, 0x90, 0x4e]].concat(), "columns: input".to_owned()),
    ];
    for (request, expect) in cases {
        check(&mut raw, request, &expect).await;
    }
}

#[tokio::test]
async fn a_long_name_that_is_not_found_is_cut() {
    let server = serve_demo().await;
    let mut raw = Raw::connect(&server).await;
    let request = nested(&[], &[1 << 3 | 2], &vec![b'x'; 8 << 20]);
    for method in [GET_FEATURES, "/quiver.v1.FeatureService/GetFeatureSet"] {
        let (ended, peak) = peak(raw.call(method, &[], framed(&request))).await;
        assert_eq!(ended.code(), Code::NotFound as i32);
        let status = status(&ended);
        assert!(status.message().contains("xxx\"... (8388608 bytes)"), "{}", status.message());
        // The message is framed within the measurement.
        assert!(peak <= 3 * request.len() + CONNECTION, "{peak}");
    }
}

/// `bytes` in length-delimited fields of these keys, the first outermost, behind `head`.
fn nested(head: &[u8], keys: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut inner = bytes.to_vec();
    for &key in keys.iter().rev() {
        let mut field = vec![key];
        prost::encode_length_delimiter(inner.len(), &mut field).expect("a vector grows");
        field.extend(inner);
        inner = field;
    }
    [head, &inner].concat()
}

/// Many clients send a request's end in a frame of its own. Streams that were answered before it would be reset, and a
/// thousand late ends on such streams close a connection.
#[tokio::test]
async fn ends_that_come_after_their_messages_never_close_a_connection() {
    const LIST: &str = "/quiver.v1.FeatureService/ListFeatureSets";
    let server = serve_demo().await;
    let mut client = Raw::connect(&server).await;
    for _ in 0..1200 {
        let mut late = client.open(LIST, &[]).await;
        late.body.send_data(framed(&[]), false).expect("sends");
        // Once a later call is answered, the first one's message is at the server too.
        assert_eq!(client.call(LIST, &[], framed(&[])).await.code(), 0);
        late.body.send_data(bytes::Bytes::new(), true).expect("sends");
        assert_eq!(crate::raw::ended(late.response).await.code(), 0);
    }
}
