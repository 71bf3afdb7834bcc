//! `quiver demo-requests`: a data file of varied requests for ghz.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::{Value, json};

use super::Failure;
use crate::demo::{
    self, Sizes,
    traffic::{DemoRequest, Traffic},
};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The demo's feature set
    #[arg(long, default_value = "ads_ctr", value_parser = demo::FEATURE_SETS.map(|(name, _)| name))]
    feature_set: String,
    /// Ads in each request
    #[arg(long, default_value_t = 100)]
    candidates: usize,
    /// How many requests, each with another user and other ads
    #[arg(long, default_value_t = 500)]
    count: usize,
    /// Makes another sequence
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where to; standard output without it
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes an array of requests.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.output {
        None => write(arguments, BufWriter::new(io::stdout().lock())),
        Some(file) => {
            let failed = |error| Failure::of(&file.display().to_string(), error);
            fs::create_dir_all(file.parent().unwrap_or(Path::new(""))).map_err(failed)?;
            write(arguments, BufWriter::new(File::create(file).map_err(failed)?))
        }
    }
}

fn write(arguments: &Arguments, mut to: impl Write) -> Result<(), Failure> {
    let mut traffic = Traffic::new(Sizes::FULL, arguments.seed);
    for position in 0..arguments.count {
        let request = message(&arguments.feature_set, &traffic.request(arguments.candidates));
        write!(to, "{}{request}", if position == 0 { "[\n" } else { ",\n" })?;
    }
    to.write_all(if arguments.count == 0 { b"[]\n" } else { b"\n]\n" })?;
    Ok(to.flush()?)
}

/// A request in the JSON form of its message.
fn message(feature_set: &str, request: &DemoRequest) -> Value {
    let integer = |name: &str, value: i64| json!({"name": name, "int64s": {"values": [value.to_string()]}});
    let words = request.query.len();
    let mut columns = vec![
        integer("user_id", request.user_id),
        json!({"name": "query", "strings": {"values": request.query}, "list": {"offsets": [0, words]}}),
        json!({"name": "ad_id", "strings": {"values": request.ad_ids}}),
        bids(&request.bids),
    ];
    if feature_set != "ads_small" {
        columns.push(json!({"name": "placement", "strings": {"values": [request.placement]}}));
    }
    if feature_set == "ads_large" {
        columns.push(integer("hour", request.hour));
    }
    json!({"feature_set": feature_set, "columns": columns})
}

fn bids(bids: &[Option<f64>]) -> Value {
    let missing = bids.iter().enumerate().filter(|(_, bid)| bid.is_none());
    let nulls: Vec<usize> = missing.map(|(position, _)| position).collect();
    let values: Vec<f64> = bids.iter().map(|bid| bid.unwrap_or(0.0)).collect();
    json!({"name": "bid", "doubles": {"values": values}, "nulls": nulls})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_one_message_for_each_request() {
        let arguments =
            Arguments { feature_set: "ads_ctr".to_owned(), candidates: 3, count: 2, seed: 1, output: None };
        let mut text = Vec::new();
        write(&arguments, &mut text).expect("writes");
        let requests: Vec<Value> = serde_json::from_slice(&text).expect("an array");
        assert_eq!(requests.len(), 2);
        assert_ne!(requests[0], requests[1]);
        assert_eq!(requests[0]["columns"][2]["strings"]["values"].as_array().map(Vec::len), Some(3));
    }
}
