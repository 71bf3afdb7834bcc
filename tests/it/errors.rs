//! The error table, row by row, through real clients.

use prost::Message as _;
use quiver::proto::{Column, GetFeaturesRequest, ListOffsets, OutputSelection, StatusDetail};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    raw::{Raw, framed},
    setup::{connect, dictionary, doubles, int64s, request, serve, serve_demo, start_with, strings},
};

const GET_FEATURES: &str = "/quiver.v1.FeatureService/GetFeatures";

/// The fields that a status's violations name, in order.
fn fields(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let violations = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
    violations.into_iter().map(|violation| violation.field).collect()
}

fn selection(name: &str) -> OutputSelection {
    OutputSelection { name: name.to_owned(), ..OutputSelection::default() }
}

fn changed(change: impl FnOnce(&mut GetFeaturesRequest)) -> GetFeaturesRequest {
    let mut request = request(StatusDetail::Off);
    change(&mut request);
    request
}

#[tokio::test]
async fn every_malformed_request_names_its_fields() {
    let server = serve_demo().await;
    let mut client = connect(&server).await;
    let offsets = |offsets: &[u32]| Some(ListOffsets { offsets: offsets.to_vec() });
    let cases: Vec<(GetFeaturesRequest, Vec<&str>)> = vec![
        (changed(|request| request.columns[0].name = "user".into()), vec!["columns[0].name", "columns"]),
        (changed(|request| request.columns[0] = strings("user_id", &["17"])), vec!["columns[0]"]),
        (changed(|request| request.columns[0] = int64s("user_id", &[1, 2])), vec!["columns[0]"]),
        (changed(|request| request.columns.push(int64s("user_id", &[1]))), vec!["columns[3].name"]),
        (changed(|request| request.columns[2] = doubles("bid", &[1.0])), vec!["columns[2]"]),
        (
            changed(|request| request.columns[2].nulls = vec![1, 1, 9]),
            vec!["columns[2].nulls[1]", "columns[2].nulls[2]"],
        ),
        (
            changed(|request| request.columns[1] = dictionary("ad_id", &["a"], &[0, 1, 0])),
            vec!["columns[1].dictionary.indices[1]"],
        ),
        (changed(|request| request.columns[1].null_elements = vec![0]), vec!["columns[1].null_elements"]),
        (changed(|request| request.rows = Some(4)), vec!["columns[1]", "columns[2]"]),
        (
            changed(|request| {
                let words = strings("query", &["a", "b"]);
                request.columns.push(Column { list: offsets(&[1, 9]), ..words });
            }),
            vec!["columns[3].list.offsets[0]", "columns[3].list.offsets[1]"],
        ),
        (changed(|request| request.outputs = vec![selection("sparse")]), vec!["outputs[0].name"]),
        (changed(|request| request.columns.clear()), vec!["columns", "columns"]),
    ];
    for (request, expected) in cases {
        let status = client.get_features(request.clone()).await.expect_err("rejected");
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        assert_eq!(fields(&status), expected, "{status}");
    }
}

#[tokio::test]
async fn wrong_lengths_name_the_input() {
    let server = serve_demo().await;
    let mut client = connect(&server).await;
    let request = changed(|request| {
        request.columns[0] = int64s("user_id", &[1, 2]);
        request.columns[2] = doubles("bid", &[1.0]);
    });
    let status = client.get_features(request).await.expect_err("rejected");
    let expect = "columns[0]: input \"user_id\" has 2 values; it is request-scope and has one; \
                  columns[2]: input \"bid\" has 1 rows; the request has 3";
    assert_eq!(status.message(), expect);
}

#[tokio::test]
async fn all_problems_come_at_once() {
    let server = serve_demo().await;
    let mut client = connect(&server).await;
    let request = changed(|request| {
        request.columns[0] = strings("user_id", &["17", "18"]);
        request.columns[2].name = "price".into();
        request.outputs = vec![selection("nothing")];
    });
    let status = client.get_features(request).await.expect_err("rejected");
    assert_eq!(fields(&status), ["outputs[0].name", "columns[0]", "columns[0]", "columns[2].name"]);
}

#[tokio::test]
async fn bytes_that_are_no_request_are_rejected() {
    let server = serve_demo().await;
    let mut raw = Raw::connect(&server).await;
    for garbage in [&[0xff; 40][..], &[0x22, 0x7f], &[0x0a, 0x02, 0xff, 0xfe]] {
        let ended = raw.call(GET_FEATURES, &[], framed(garbage)).await;
        assert_eq!(ended.code(), Code::InvalidArgument as i32, "{ended:?}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_with_what_is() {
    let server = serve_demo().await;
    let mut client = connect(&server).await;
    let unknown = client.get_features(changed(|request| request.feature_set = "ads".into())).await;
    let unknown = unknown.expect_err("not there");
    assert_eq!(unknown.code(), Code::NotFound);
    assert!(unknown.message().contains("ads_ctr, ads_large, ads_small"), "{unknown}");
    let version = client.get_features(changed(|request| request.version = 7)).await.expect_err("not there");
    assert_eq!(version.code(), Code::NotFound);
    assert!(version.message().contains("it has: 1"), "{version}");
    let mut raw = Raw::connect(&server).await;
    let ended = raw.call("/quiver.v1.FeatureService/Nothing", &[], framed(&[])).await;
    assert_eq!(ended.code(), Code::Unimplemented as i32);
}

#[tokio::test]
async fn limits_are_told() {
    let limits = [("max-rows", "2"), ("max-request-bytes", "200")];
    let server = serve(crate::setup::demo_folder(), &limits).await;
    let mut client = connect(&server).await;
    let rows = client.get_features(request(StatusDetail::Off)).await.expect_err("three rows");
    assert_eq!((rows.code(), fields(&rows)), (Code::InvalidArgument, vec!["columns".to_owned()]));
    assert!(rows.message().contains("one request may have 2"), "{rows}");
    let reported =
        client.get_features(changed(|request| request.rows = Some(u32::MAX))).await.expect_err("many rows");
    assert_eq!((reported.code(), fields(&reported)), (Code::InvalidArgument, vec!["rows".to_owned()]));
    let long = "x".repeat(300);
    let bytes = client.get_features(changed(|request| request.feature_set = long)).await.expect_err("long");
    assert_eq!(bytes.code(), Code::InvalidArgument);
    assert!(bytes.message().contains("one request may have 200"), "{bytes}");
    let server = serve(crate::setup::demo_folder(), &[("max-answer-bytes", "1000")]).await;
    let answer =
        connect(&server).await.get_features(request(StatusDetail::Off)).await.expect_err("1200 bytes");
    assert_eq!(answer.code(), Code::InvalidArgument);
    assert!(answer.message().contains("one answer may have 1000"), "{answer}");
}

#[tokio::test]
async fn a_dictionarys_texts_count_for_each_row_that_has_them() {
    let server = serve(crate::setup::demo_folder(), &[("max-text-bytes", "250")]).await;
    let mut client = connect(&server).await;
    let text = "x".repeat(100);
    let ads = |indices: &[u32]| {
        changed(|request| request.columns[1] = dictionary("ad_id", &[&text, "ad-000001"], indices))
    };
    client.get_features(ads(&[0, 0, 1])).await.expect("209 bytes");
    let reported = client.get_features(ads(&[0, 0, 0])).await.expect_err("300 bytes");
    assert_eq!((reported.code(), fields(&reported)), (Code::InvalidArgument, vec!["columns".to_owned()]));
    assert!(
        reported.message().contains("\"ad_id\" has 300 bytes of text; one column may have 250"),
        "{reported}"
    );
}

#[tokio::test]
async fn a_columns_list_elements_are_limited() {
    let server = serve(crate::setup::demo_folder(), &[("max-list-elements", "2")]).await;
    let mut client = connect(&server).await;
    let query = |words: &[&str]| {
        changed(|request| {
            let list = Some(ListOffsets { offsets: vec![0, words.len() as u32] });
            request.columns.push(Column { list, ..strings("query", words) });
        })
    };
    client.get_features(query(&["shoes", "cheap"])).await.expect("two");
    let reported = client.get_features(query(&["shoes", "cheap", "red"])).await.expect_err("three");
    assert_eq!((reported.code(), fields(&reported)), (Code::InvalidArgument, vec!["columns".to_owned()]));
    assert!(
        reported.message().contains("\"query\" has 3 list elements; one column may have 2"),
        "{reported}"
    );
}

#[tokio::test]
async fn before_the_first_snapshot_nothing_is_available() {
    let server = start_with(&[]).await;
    let status =
        connect(&server).await.get_features(request(StatusDetail::Off)).await.expect_err("not ready");
    assert_eq!(status.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_passed_deadline_is_deadline_exceeded() {
    let server = serve_demo().await;
    let mut raw = Raw::connect(&server).await;
    let message = framed(&request(StatusDetail::Off).encode_to_vec());
    let ended = raw.call(GET_FEATURES, &[("grpc-timeout", "1n")], message.clone()).await;
    assert_eq!(ended.code(), Code::DeadlineExceeded as i32);
    // A caller that sends no message does not hold the call beyond its deadline.
    let open = raw.open(GET_FEATURES, &[("grpc-timeout", "10m")]).await;
    let ended = crate::raw::ended(open.response).await;
    assert_eq!(ended.code(), Code::DeadlineExceeded as i32);
    let ended = raw.call(GET_FEATURES, &[("grpc-timeout", "1H")], message).await;
    assert_eq!(ended.code(), Code::Ok as i32);
}

#[tokio::test]
async fn compressed_messages_are_rejected() {
    let server = serve_demo().await;
    let mut raw = Raw::connect(&server).await;
    let mut message = framed(&request(StatusDetail::Off).encode_to_vec()).to_vec();
    message[0] = 1;
    let ended = raw.call(GET_FEATURES, &[("grpc-encoding", "gzip")], message.into()).await;
    assert_eq!(ended.code(), Code::Unimplemented as i32);
    assert_eq!(ended.headers["grpc-accept-encoding"], "identity");
}

#[tokio::test]
async fn a_bad_message_ends_its_stream_with_a_status() {
    let server = serve_demo().await;
    let mut client = connect(&server).await;
    let requests = [request(StatusDetail::Off), changed(|request| request.columns.clear())];
    let mut stream =
        client.stream_features(tokio_stream::iter(requests)).await.expect("a stream").into_inner();
    assert_eq!(stream.message().await.expect("an answer").expect("the first").rows, 3);
    let status = stream.message().await.expect_err("the second is bad");
    assert_eq!((status.code(), fields(&status).len()), (Code::InvalidArgument, 2));
}
