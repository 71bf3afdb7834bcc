//! Real impressions, items and embeddings: every served value against an independent computation.
//!
//! Runs where `QUIVER_REAL_DATA` names the folder of the data; says so where it does not.

use std::{collections::HashMap, path::PathBuf};

use quiver::proto::{Column, GetFeaturesRequest, Options, Status, StatusDetail};

use crate::setup::{connect, doubles, int64s, serve, strings};
use data::{Impression, Real};

pub use data::vectors;

mod data;
mod repository;

/// Rows of one request.
const BATCH: usize = 500;

#[tokio::test]
async fn real_impressions_come_out_as_computed_apart() {
    let Some(folder) = std::env::var_os("QUIVER_REAL_DATA").map(PathBuf::from) else {
        eprintln!("not run: QUIVER_REAL_DATA names no folder");
        return;
    };
    let real = Real::read(&folder);
    assert_eq!((real.items.len(), real.impressions.len()), (34, 10_000));
    let repository = tempfile::tempdir().expect("a temporary folder");
    let fitted = repository::write(&real, repository.path());
    let server = serve(repository.path(), &[]).await;
    let mut client = connect(&server).await;
    for (number, batch) in real.impressions.chunks(BATCH).enumerate() {
        let user = (number * 301 % (real.users.len() + 50)) as i64;
        let answer = client.get_features(request(user, batch)).await.expect("an answer").into_inner();
        let tensor = &answer.outputs[0];
        assert_eq!(tensor.shape, [batch.len() as u32, fitted.width() as u32]);
        let floats: Vec<f32> = tensor
            .data
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes(bytes.try_into().expect("4")))
            .collect();
        for (row, (impression, got)) in batch.iter().zip(floats.chunks_exact(fitted.width())).enumerate() {
            let expected = fitted.features(&real, user, impression);
            let statuses = &tensor.status[row * expected.len()..(row + 1) * expected.len()];
            check_row(impression, got, statuses, &expected);
        }
    }
}

/// What a feature must be: its lanes, how far they may be off in units in the last place, its status.
pub struct Expected {
    name: &'static str,
    lanes: Vec<f64>,
    ulps: u32,
    status: Status,
}

fn check_row(impression: &Impression, got: &[f32], statuses: &[u8], expected: &[Expected]) {
    let mut at = 0;
    for (feature, &status) in expected.iter().zip(statuses) {
        let context = || format!("{} of item {}", feature.name, impression.item);
        assert_eq!(i32::from(status), i32::from(feature.status), "{}", context());
        for &lane in &feature.lanes {
            let apart = (lane as f32).to_bits().abs_diff(got[at].to_bits());
            assert!(apart <= feature.ulps, "{}: {} is not {lane}", context(), got[at]);
            at += 1;
        }
    }
    assert_eq!(at, got.len());
}

fn request(user: i64, batch: &[Impression]) -> GetFeaturesRequest {
    let items: Vec<i64> = batch.iter().map(|impression| impression.item).collect();
    let positions: Vec<i64> = batch.iter().map(|impression| impression.position).collect();
    let propensities: Vec<f64> = batch.iter().map(|impression| impression.propensity).collect();
    let affinities: Vec<f64> =
        batch.iter().map(|impression| impression.affinity.unwrap_or_default()).collect();
    let nulls = (0..).zip(batch).filter(|(_, impression)| impression.affinity.is_none()).map(|(row, _)| row);
    let groups: Vec<&str> = batch.iter().map(|impression| impression.group.as_str()).collect();
    GetFeaturesRequest {
        feature_set: "open_bandit".to_owned(),
        columns: vec![
            int64s("user_id", &[user]),
            int64s("item_id", &items),
            int64s("position", &positions),
            doubles("propensity", &propensities),
            Column { nulls: nulls.collect(), ..doubles("affinity", &affinities) },
            strings("group", &groups),
        ],
        options: Some(Options { status: StatusDetail::Rows.into(), ..Options::default() }),
        ..GetFeaturesRequest::default()
    }
}

/// The categories of a column, most frequent first.
fn by_frequency<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    values.for_each(|value| *counts.entry(value).or_default() += 1);
    let mut counted: Vec<_> = counts.into_iter().collect();
    counted.sort_by(|(a, of_a), (b, of_b)| of_b.cmp(of_a).then(a.cmp(b)));
    counted.into_iter().map(|(value, _)| value.to_owned()).collect()
}
