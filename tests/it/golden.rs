//! A version whose golden rows Quiver can't reproduce is never served.

use std::fs;

use quiver::{config::Repository, proto::StatusDetail};
use tonic::Code;

use crate::setup::{connect, demo_copy, request, start_with};

#[tokio::test]
async fn a_version_that_differs_from_its_golden_rows_is_rejected() {
    let folder = demo_copy();
    let spec = folder.path().join("feature_sets/ads_small/1/spec.json");
    let fitted = fs::read_to_string(&spec).expect("reads");
    let mut document: serde_json::Value = serde_json::from_str(&fitted).expect("JSON");
    let bid = document["features"]
        .as_array_mut()
        .expect("features")
        .iter_mut()
        .find(|feature| feature["name"] == "bid");
    let steps = bid.expect("the demo's bid")["steps"].as_array_mut().expect("steps");
    let standardize = steps.iter_mut().find(|step| step["op"] == "standardize").expect("a step");
    standardize["mean"] = serde_json::json!(standardize["mean"].as_f64().expect("a number") + 0.001);
    fs::write(&spec, document.to_string()).expect("writes");

    let server = start_with(&[("strict", "true")]).await;
    let refused = server.load(&Repository::Folder(folder.path().to_owned())).await.expect_err("differs");
    let refused = refused.to_string();
    assert!(refused.contains("feature_sets/ads_small/1/golden.json"), "{refused}");
    // All of the feature in one line, before the first values.
    let lines: Vec<&str> = refused.lines().filter(|line| line.contains("golden.json")).collect();
    let summary = "feature_sets/ads_small/1/golden.json: outputs.dense: feature \"bid\" differs: ";
    assert!(lines[0].starts_with(summary), "{refused}");
    assert!(lines[0].contains("rows; most in cases["), "{refused}");
    assert!(lines[1].contains("1/golden.json: cases[0].outputs.dense.rows["), "{refused}");
    assert!(lines[1].ends_with("feature \"bid\""), "{refused}");
    let status =
        connect(&server).await.get_features(request(StatusDetail::Off)).await.expect_err("not served");
    assert_eq!(status.code(), Code::Unavailable);

    fs::write(&spec, fitted).expect("writes");
    server.load(&Repository::Folder(folder.path().to_owned())).await.expect("the fitted spec is reproduced");
    assert!(connect(&server).await.get_features(request(StatusDetail::Off)).await.is_ok());
}
