//! Answers: tensors, layouts, types and the three levels of statuses.

use quiver::proto::{
    DataType, Encoding, GetFeatureSetRequest, GetFeaturesRequest, Layout, ListFeatureSetsRequest, Options,
    OutputSelection, Status, StatusDetail, TensorPart,
};

use crate::setup::{Client, connect, dictionary, request, serve_demo};

async fn answer(client: &mut Client, request: GetFeaturesRequest) -> quiver::proto::GetFeaturesResponse {
    client.get_features(request).await.expect("an answer").into_inner()
}

/// The features of the first output, with their places.
async fn features(client: &mut Client) -> Vec<quiver::proto::FeatureDescription> {
    let asked = GetFeatureSetRequest { feature_set: "ads_small".to_owned(), version: 0 };
    let described = client.get_feature_set(asked).await.expect("described").into_inner();
    described.outputs[0].features.clone()
}

#[tokio::test]
async fn statuses_are_told_as_asked() {
    let server = serve_demo().await;
    let mut client = connect(&server).await;
    let off = answer(&mut client, request(StatusDetail::Off)).await;
    assert_eq!((off.rows, off.outputs[0].shape.as_slice()), (3, &[3, 100][..]));
    assert_eq!(off.outputs[0].data.len(), 3 * 100 * 4);
    assert!(off.status_counts.is_empty() && off.outputs[0].status.is_empty());

    let counts = answer(&mut client, request(StatusDetail::Counts)).await;
    assert_eq!(counts.outputs, off.outputs);
    let bid = counts.status_counts.iter().find(|counts| counts.feature == "bid").expect("bids are counted");
    assert_eq!((bid.null, bid.key_not_found), (1, 0));
    let price = counts.status_counts.iter().find(|counts| counts.feature == "ad_category").expect("counted");
    assert_eq!(price.key_not_found, 1);

    let rows = answer(&mut client, request(StatusDetail::Rows)).await;
    assert_eq!(rows.status_counts, counts.status_counts);
    let features = features(&mut client).await;
    let of = |name: &str, row: usize| {
        let position = features.iter().position(|feature| feature.name == name).expect("a feature");
        rows.outputs[0].status[row * features.len() + position]
    };
    assert_eq!(rows.outputs[0].status.len(), 3 * features.len());
    assert_eq!(of("bid", 0), Status::Present as u8);
    assert_eq!(of("bid", 2), Status::Null as u8);
    assert_eq!(of("ad_format", 1), Status::KeyNotFound as u8);
    assert_eq!(of("ad_format", 0), Status::Present as u8);
}

#[tokio::test]
async fn readable_values_are_the_same_numbers() {
    let server = serve_demo().await;
    let mut client = connect(&server).await;
    let raw = answer(&mut client, request(StatusDetail::Rows)).await;
    let mut readable = request(StatusDetail::Rows);
    readable.options =
        Some(Options { encoding: Encoding::Values.into(), ..readable.options.unwrap_or_default() });
    let readable = answer(&mut client, readable).await;
    let floats: Vec<f64> = raw.outputs[0]
        .data
        .chunks_exact(4)
        .map(|bytes| f64::from(f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])))
        .collect();
    assert_eq!(readable.outputs[0].values, floats);
    let statuses: Vec<i32> = raw.outputs[0].status.iter().map(|&status| status.into()).collect();
    assert_eq!(readable.outputs[0].status_values, statuses);
}

#[tokio::test]
async fn a_factored_answer_holds_the_parts_of_the_dense_one() {
    let server = serve_demo().await;
    let mut client = connect(&server).await;
    let features = features(&mut client).await;
    let dense = answer(&mut client, request(StatusDetail::Off)).await;
    let mut factored = request(StatusDetail::Off);
    factored.options = Some(Options { layout: Layout::Factored.into(), ..Options::default() });
    let factored = answer(&mut client, factored).await;
    let part = |part: TensorPart| {
        factored.outputs.iter().find(|tensor| tensor.part == i32::from(part)).expect("a part")
    };
    let (shared, rows) = (part(TensorPart::Request), part(TensorPart::Row));
    assert_eq!(shared.shape[0], 1);
    assert_eq!(shared.shape[1] + rows.shape[1], 100);
    for row in 0..3 {
        for feature in &features {
            let (of, row_of_part) = if feature.scope == i32::from(quiver::proto::Scope::Request) {
                (shared, 0)
            } else {
                (rows, row)
            };
            let bytes = feature.width as usize * 4;
            let in_dense = (row * 100 + feature.offset as usize) * 4;
            let in_part = (row_of_part * of.shape[1] as usize + feature.part_offset as usize) * 4;
            assert_eq!(
                dense.outputs[0].data[in_dense..in_dense + bytes],
                of.data[in_part..in_part + bytes],
                "{} of row {row}",
                feature.name
            );
        }
    }
}

#[tokio::test]
async fn types_and_outputs_are_chosen_by_the_request() {
    let server = serve_demo().await;
    let mut client = connect(&server).await;
    let exact = answer(&mut client, request(StatusDetail::Off)).await;
    let mut wide = request(StatusDetail::Off);
    wide.outputs = vec![OutputSelection {
        name: "dense".to_owned(),
        dtype: DataType::Float64.into(),
        ..OutputSelection::default()
    }];
    let wide = answer(&mut client, wide).await;
    assert_eq!(wide.outputs[0].dtype, i32::from(DataType::Float64));
    let doubles =
        wide.outputs[0].data.chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().expect("8")));
    let floats =
        exact.outputs[0].data.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().expect("4")));
    assert!(doubles.map(|value| value as f32).eq(floats), "computed row by row, the same after rounding");
}

#[tokio::test]
async fn a_dictionary_is_the_same_as_its_strings() {
    let server = serve_demo().await;
    let mut client = connect(&server).await;
    let plain = answer(&mut client, request(StatusDetail::Rows)).await;
    let mut encoded = request(StatusDetail::Rows);
    encoded.columns[1] = dictionary("ad_id", &["ad-000001", "no such ad", "ad-000000"], &[2, 1, 0]);
    assert_eq!(answer(&mut client, encoded).await, plain);
}

#[tokio::test]
async fn no_rows_are_a_good_request() {
    let server = serve_demo().await;
    let mut client = connect(&server).await;
    let mut empty = request(StatusDetail::Rows);
    empty.columns.truncate(1);
    empty.columns.push(crate::setup::strings("ad_id", &[]));
    let answer = answer(&mut client, empty).await;
    assert_eq!((answer.rows, answer.outputs[0].shape.as_slice()), (0, &[0, 100][..]));
    assert!(answer.outputs[0].data.is_empty());
}

#[tokio::test]
async fn a_stream_answers_in_order() {
    let server = serve_demo().await;
    let mut client = connect(&server).await;
    let requests: Vec<GetFeaturesRequest> = (1..20)
        .map(|rows| {
            let mut request = request(StatusDetail::Off);
            let ids = vec!["ad-000000"; rows];
            request.columns = vec![request.columns[0].clone(), crate::setup::strings("ad_id", &ids)];
            request
        })
        .collect();
    let mut stream =
        client.stream_features(tokio_stream::iter(requests)).await.expect("a stream").into_inner();
    for rows in 1..20 {
        assert_eq!(stream.message().await.expect("an answer").expect("one for each request").rows, rows);
    }
    assert_eq!(stream.message().await.expect("a good end"), None);
}

#[tokio::test]
async fn what_is_served_is_described() {
    let server = serve_demo().await;
    let mut client = connect(&server).await;
    let listed = client.list_feature_sets(ListFeatureSetsRequest {}).await.expect("a list").into_inner();
    let names: Vec<_> =
        listed.feature_sets.iter().map(|set| (set.name.as_str(), set.default_version)).collect();
    assert_eq!(names, [("ads_ctr", 1), ("ads_large", 1), ("ads_small", 1)]);
    let features = features(&mut client).await;
    assert_eq!(features.iter().map(|feature| feature.width).sum::<u32>(), 100);
    let category = features.iter().find(|feature| feature.name == "ad_category").expect("a feature");
    assert_eq!(category.columns.len(), category.width as usize);
}
