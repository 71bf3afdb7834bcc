//! A client in Rust: asks the demo for the features of three ads and decodes the tensor.
//!
//! ```sh
//! cargo run --release -- serve --demo          # in one shell
//! cargo run --release --example client         # in another
//! ```
//!
//! A program outside of this repository compiles `proto/quiver/v1/feature_service.proto` with tonic-prost-build; the
//! messages are the same.

use std::error::Error;

use quiver::proto::{
    Column, DoubleValues, GetFeatureSetRequest, GetFeaturesRequest, Int64Values, ListOffsets, Options,
    StatusDetail, StringValues, column::Values, feature_service_client::FeatureServiceClient,
};
use tonic::transport::Endpoint;

const ADDRESS: &str = "http://127.0.0.1:50051";

fn main() -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(ask())
}

async fn ask() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| ADDRESS.to_owned());
    // Answers of a megabyte want larger windows and frames than HTTP/2 begins with.
    let channel = Endpoint::from_shared(address)?
        .initial_stream_window_size(16 << 20)
        .initial_connection_window_size(32 << 20)
        .connect()
        .await?;
    let mut client = FeatureServiceClient::new(channel).max_decoding_message_size(64 << 20);

    let described = GetFeatureSetRequest { feature_set: "ads_small".into(), version: 0 };
    let description = client.get_feature_set(described).await?.into_inner();
    let answer = client.get_features(request()).await?.into_inner();
    // The names of the columns hold for the version that was described.
    assert_eq!(answer.fingerprint, description.fingerprint, "the feature set changed between two calls");

    for (tensor, output) in answer.outputs.iter().zip(&description.outputs) {
        let width = output.width as usize;
        let values: Vec<f32> = tensor
            .data
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four bytes")))
            .collect();
        println!("{}: {:?}", tensor.name, tensor.shape);
        for feature in &output.features {
            let first = feature.offset as usize;
            let column: Vec<f32> = values.chunks_exact(width).map(|row| row[first]).collect();
            println!("  {:<20} {column:?}", feature.name);
        }
    }
    for counts in &answer.status_counts {
        println!("{}: {} null, {} keys not found", counts.feature, counts.null, counts.key_not_found);
    }
    Ok(())
}

/// One user and three ads, the last of which is in no table.
fn request() -> GetFeaturesRequest {
    let query = StringValues { values: vec!["shoes".into(), "cheap".into()] };
    let ads = StringValues { values: ["ad-000007", "ad-000042", "ad-999999"].map(String::from).to_vec() };
    let columns = vec![
        column("user_id", Values::Int64s(Int64Values { values: vec![10_017] })),
        Column { list: Some(ListOffsets { offsets: vec![0, 2] }), ..column("query", Values::Strings(query)) },
        column("ad_id", Values::Strings(ads)),
        // A null has an entry, whatever it holds, and its position in `nulls`.
        Column {
            nulls: vec![1],
            ..column("bid", Values::Doubles(DoubleValues { values: vec![1.25, 0.0, 0.8] }))
        },
    ];
    let options = Options { status: StatusDetail::Counts.into(), ..Options::default() };
    GetFeaturesRequest {
        feature_set: "ads_small".into(),
        columns,
        options: Some(options),
        ..GetFeaturesRequest::default()
    }
}

fn column(name: &str, values: Values) -> Column {
    Column { name: name.into(), values: Some(values), ..Column::default() }
}
