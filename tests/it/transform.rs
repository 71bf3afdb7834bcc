//! `quiver transform` writes what a server answers, bit for bit.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use quiver::{
    demo::{
        Sizes,
        traffic::{DemoRequest, Traffic},
    },
    proto::{
        Column, DataType, GetFeatureSetRequest, GetFeatureSetResponse, GetFeaturesRequest, ListOffsets,
        Options, StatusDetail,
    },
};

use crate::setup::{Client, connect, demo_folder, doubles, int64s, serve_demo, strings};
use rows::{Written, read_arrow, read_parquet, write_arrow, write_csv, write_parquet};

pub mod rows;

fn transform(feature_set: &str, inputs: &[PathBuf], output: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quiver"));
    command.arg("transform").arg("--repository").arg(demo_folder());
    command.args(["--feature-set", feature_set, "--batch-rows", "37", "--input"]).args(inputs);
    command.arg("--output").arg(output).args(more).output().expect("runs")
}

fn transformed(feature_set: &str, inputs: &[PathBuf], output: &Path, more: &[&str]) {
    let done = transform(feature_set, inputs, output, more);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// Requests of one to thirty ads.
fn requests() -> Vec<DemoRequest> {
    let mut traffic = Traffic::new(Sizes::SMALL, 77);
    (0..40).map(|number| traffic.request(number * 7 % 30 + 1)).collect()
}

/// A request with the inputs that the feature set has.
fn to_wire(described: &GetFeatureSetResponse, request: &DemoRequest) -> GetFeaturesRequest {
    let ads: Vec<&str> = request.ad_ids.iter().map(String::as_str).collect();
    let words: Vec<&str> = request.query.iter().map(String::as_str).collect();
    let bids: Vec<f64> = request.bids.iter().map(|bid| bid.unwrap_or_default()).collect();
    let nulls = (0..).zip(&request.bids).filter(|(_, bid)| bid.is_none()).map(|(row, _)| row);
    let offsets = vec![0, words.len() as u32];
    let columns = [
        int64s("user_id", &[request.user_id]),
        strings("placement", &[request.placement]),
        int64s("hour", &[request.hour]),
        Column { list: Some(ListOffsets { offsets }), ..strings("query", &words) },
        strings("ad_id", &ads),
        Column { nulls: nulls.collect(), ..doubles("bid", &bids) },
    ];
    let known = |column: &Column| described.inputs.iter().any(|input| input.name == column.name);
    GetFeaturesRequest {
        feature_set: described.feature_set.clone(),
        columns: columns.into_iter().filter(known).collect(),
        options: Some(Options { status: StatusDetail::Rows.into(), ..Options::default() }),
        ..GetFeaturesRequest::default()
    }
}

/// What a server answers: the elements and statuses of each output, for all requests' rows one after the other.
async fn served(
    client: &mut Client,
    described: &GetFeatureSetResponse,
    requests: &[DemoRequest],
    left_out: &[&str],
) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut tensors = vec![(Vec::new(), Vec::new()); described.outputs.len()];
    for request in requests {
        let mut request = to_wire(described, request);
        request.columns.retain(|column| !left_out.contains(&column.name.as_str()));
        let answer = client.get_features(request).await.expect("an answer").into_inner();
        for ((data, statuses), tensor) in tensors.iter_mut().zip(&answer.outputs) {
            data.extend_from_slice(&tensor.data);
            statuses.extend_from_slice(&tensor.status);
        }
    }
    tensors
}

/// The columns that the file must have, each with its elements' bytes.
fn expected_columns(
    described: &GetFeatureSetResponse,
    tensors: &[(Vec<u8>, Vec<u8>)],
) -> Vec<(String, Vec<u8>)> {
    let mut columns = Vec::new();
    for (output, (data, statuses)) in described.outputs.iter().zip(tensors) {
        let size = if output.dtype() == DataType::Int64 { 8 } else { 4 };
        let stride = output.width as usize * size;
        for (position, feature) in output.features.iter().enumerate() {
            for lane in 0..feature.width as usize {
                let name = match feature.columns.get(lane) {
                    _ if feature.width == 1 => feature.name.clone(),
                    Some(column) => format!("{}[{column}]", feature.name),
                    None => format!("{}[{lane}]", feature.name),
                };
                let at = (feature.offset as usize + lane) * size;
                let bytes = data.chunks_exact(stride).flat_map(|row| row[at..at + size].to_vec());
                columns.push((name, bytes.collect()));
            }
            let of_feature = statuses.chunks_exact(output.features.len()).map(|row| row[position]);
            columns.push((format!("{}.status", feature.name), of_feature.collect()));
        }
    }
    columns
}

async fn describe(client: &mut Client, feature_set: &str) -> GetFeatureSetResponse {
    let asked = GetFeatureSetRequest { feature_set: feature_set.to_owned(), version: 0 };
    client.get_feature_set(asked).await.expect("described").into_inner()
}

fn assert_same(got: Written, expected: &[(String, Vec<u8>)]) {
    let names: Vec<&String> = got.columns.iter().map(|(name, _)| name).collect();
    assert_eq!(names, expected.iter().map(|(name, _)| name).collect::<Vec<_>>());
    for ((name, got), (_, expected)) in got.columns.iter().zip(expected) {
        assert!(got == expected, "{name} differs");
    }
}

#[tokio::test]
async fn files_hold_the_bits_that_are_served() {
    let server = serve_demo().await;
    let mut client = connect(&server).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = |name: &str| folder.path().join(name);
    let requests = requests();
    let (first, second) = requests.split_at(17);
    let inputs = [place("first.parquet"), place("second.arrow")];
    write_parquet(&inputs[0], first);
    write_arrow(&inputs[1], second);
    for feature_set in ["ads_small", "ads_ctr"] {
        let described = describe(&mut client, feature_set).await;
        let tensors = served(&mut client, &described, &requests, &[]).await;
        let expected = expected_columns(&described, &tensors);
        let output = place("features.parquet");
        transformed(feature_set, &inputs, &output, &["--status"]);
        let got = read_parquet(&output);
        assert_eq!(got.notes["quiver.feature_set"], feature_set);
        assert_eq!(got.notes["quiver.fingerprint"], described.fingerprint);
        assert_same(got, &expected);

        let output = place("features.arrow");
        transformed(feature_set, &inputs, &output, &["--status", "--columns", "outputs"]);
        let whole = described.outputs.iter().zip(&tensors).flat_map(|(output, (data, statuses))| {
            [(output.name.clone(), data.clone()), (format!("{}.status", output.name), statuses.clone())]
        });
        assert_same(read_arrow(&output), &whole.collect::<Vec<_>>());
    }
    let left = fs::read_dir(folder.path()).expect("lists").count();
    assert_eq!(left, 4, "two inputs, two outputs, nothing aside");
}

#[tokio::test]
async fn csv_is_read_too_and_what_is_not_there_is_null() {
    let server = serve_demo().await;
    let mut client = connect(&server).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (input, output) = (folder.path().join("rows.txt"), folder.path().join("features.parquet"));
    let requests = requests();
    write_csv(&input, &requests);
    transformed("ads_small", &[input], &output, &["--status", "--format", "csv"]);
    let described = describe(&mut client, "ads_small").await;
    let tensors = served(&mut client, &described, &requests, &["query"]).await;
    assert_same(read_parquet(&output), &expected_columns(&described, &tensors));
}

#[test]
fn wrong_files_are_rejected_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = |name: &str| folder.path().join(name);
    fs::write(place("a.csv"), "user_id,bid,bid\n1,2,3\n").expect("writes");
    fs::write(place("b.csv"), "user_id,ad_id,query\n1,x,y\n").expect("writes");
    let output = place("out.parquet");
    let refused = transform("ads_small", &[place("a.csv"), place("b.csv")], &output, &[]);
    assert_eq!(refused.status.code(), Some(1));
    let reported = String::from_utf8(refused.stderr).expect("UTF-8");
    for expected in [
        "a.csv, column ad_id: is missing; input \"ad_id\" (string) is required",
        "a.csv, column bid: is in the file twice",
    ] {
        assert!(reported.contains(expected), "{expected} in\n{reported}");
    }
    fs::write(place("c.csv"), "user_id,ad_id,bid,query\n1,x,0.5,\nu2,x,,y\n3,x,cheap,\"[\"\"a\"\"]\"\n")
        .expect("writes");
    let refused = transform("ads_small", &[place("c.csv")], &output, &[]);
    let reported = String::from_utf8(refused.stderr).expect("UTF-8");
    for expected in [
        "c.csv, row 1, column user_id: \"u2\" is not int64",
        "c.csv, row 2, column bid: \"cheap\"",
        "c.csv, row 1, column query: \"y\" is not a list",
    ] {
        assert!(reported.contains(expected), "{expected} in\n{reported}");
    }
    assert!(!output.exists());
    let unknown = transform("ads_medium", &[place("b.csv")], &output, &[]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("there is no \"ads_medium\""));
    let itself = transform("ads_small", &[place("b.csv")], &place("b.csv"), &[]);
    assert_eq!(itself.status.code(), Some(2));
    assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 3, "nothing is left aside");
}

/// Rows of several kinds of files: gzip, other separators, folders named for a column, whole floats for integers.
#[test]
fn files_of_every_kind_give_the_same_features() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = |name: &str| folder.path().join(name);
    let write = |name: &str, bytes: &[u8]| {
        fs::create_dir_all(place(name).parent().expect("a folder")).expect("makes");
        fs::write(place(name), bytes).expect("writes");
    };
    write("plain/rows.csv", b"user_id,ad_id,bid\n10017,ad-000001,0.5\n10017,ad-000002,\n");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"bid;ad_id;user_id;other\n0.5;ad-000001;10017.0;\"a\nb\"\nNULL;ad-000002;10017.0;\n")
        .expect("packs");
    write("packed/rows.tsv.gz", &gzip.finish().expect("packs"));
    write("hive/user_id=10017/part-0.csv", b"ad_id|bid\nad-000001|5e-1\n");
    write("hive/user_id=10017/part-1.csv", b"ad_id|bid\nad-000002|\n");
    write("hive/_SUCCESS", b"");
    let output = |name: &str| place(&format!("{name}.parquet"));
    transformed("ads_small", &[place("plain/rows.csv")], &output("plain"), &[]);
    transformed("ads_small", &[place("packed/*.gz")], &output("packed"), &["--null", "NULL"]);
    transformed("ads_small", &[place("hive")], &output("hive"), &[]);
    let plain = read_parquet(&output("plain")).columns;
    assert!(read_parquet(&output("packed")).columns == plain);
    assert!(read_parquet(&output("hive")).columns == plain);
}

#[test]
fn losses_are_rejected_with_the_way_out_and_taken_when_asked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (input, output) = (folder.path().join("rows.csv"), folder.path().join("out.parquet"));
    fs::write(&input, "user_id,ad_id,bid\n10017.5,x,cheap\n").expect("writes");
    let inputs = [input];
    let refused = String::from_utf8(transform("ads_small", &inputs, &output, &[]).stderr).expect("UTF-8");
    for expected in [
        "rows.csv, row 0, column user_id: \"10017.5\" is not a whole number for int64 (--lossy cuts the fraction)",
        "rows.csv, row 0, column bid: \"cheap\" is not float64 (--lossy makes it null)",
    ] {
        assert!(refused.contains(expected), "{expected} in\n{refused}");
    }
    let done = transform("ads_small", &inputs, &output, &["--lossy"]);
    let said = String::from_utf8(done.stderr).expect("UTF-8");
    assert!(done.status.success(), "{said}");
    assert!(said.contains("column bid: 1 value with loss, the first in "), "{said}");
}
