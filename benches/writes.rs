//! Rows written to a live table, with and without a journal, and what reads take beside them.
//!
//! The server (connections, writer and journal) keeps to one core, the clients to another. A message has 64 rows of 64
//! floats; keys are drawn from those of the table, with one in ten new.

mod support;

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use prost::Message as _;
use quiver::{
    batch::{Column, Element, Mark, Values},
    proto,
    snapshot::{Binder, FeatureSet, Snapshot},
    spec::read::{Version, spec_from_text},
    table::{ColumnSchema, KeyColumn, Stored, Table, TableSchema},
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use support::{
    Effort, Report,
    load::{Running, Side, framed, measure, measure_beside, serve_journaling},
};

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rows of one message, floats of one row, candidates of one request.
const ROWS: usize = 64;
const WIDTH: usize = 64;
const CANDIDATES: usize = 100;

/// Rows that are written in a second while reads are measured.
const BESIDE: [usize; 2] = [50_000, 200_000];

const WRITE: &str = "/quiver.v1.TableService/Upsert";

fn main() {
    let effort = Effort::from_arguments();
    let rows = if effort.quick { 20_000 } else { 1_000_000 };
    let snapshot = snapshot(rows);
    let mut report = Report::begin("writes");
    let writes = messages(rows, |rng| framed(&upsert(rng, rows).encode_to_vec()));
    let reads = messages(rows, |rng| framed(&request(rng, rows).encode_to_vec()));
    println!("{:<28} {:>12} {:>10} {:>10} {:>12}", "written", "rows/s", "p50 us", "p99 us", "core us/row");
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (case, journal) in
        [("without a journal", None), ("with a journal", Some(folder.path().join("rates")))]
    {
        let server = start(&snapshot, journal);
        let side = Side { server: &server.at(WRITE), messages: writes.clone() };
        let ([figures], _) = measure(effort, &[side], 4, 4);
        let (rate, cpu) = (figures.calls * ROWS as f64, figures.cpu / ROWS as f64);
        println!("{case:<28} {rate:>12.0} {:>10.0} {:>10.0} {cpu:>12.2}", figures.p50, figures.p99);
        report.add(case, json!({"rows_per_second": rate, "p50_us": figures.p50, "p99_us": figures.p99, "core_us_per_row": cpu}));
    }
    println!(
        "\n{:<28} {:>12} {:>10} {:>10} {:>12}",
        "reads beside", "calls/s", "p50 us", "p99 us", "p99 ratio"
    );
    for (case, journal) in [("no journal", None), ("a journal", Some(folder.path().join("beside")))] {
        let server = start(&snapshot, journal);
        let reads = Side { server: &server, messages: reads.clone() };
        for rate in BESIDE {
            let (alone, beside, ratio) = measure_beside(
                effort,
                &reads,
                &Side { server: &server.at(WRITE), messages: writes.clone() },
                rate / ROWS,
            );
            let case = format!("{rate} rows/s, {case}");
            println!(
                "{case:<28} {:>12.0} {:>10.0} {:>10.0} {ratio:>12.2}",
                beside.calls, beside.p50, beside.p99
            );
            report.add(&case, json!({"alone": alone.json(), "beside": beside.json(), "p99_ratio": ratio}));
        }
    }
}

fn start(snapshot: &Arc<Snapshot>, journal: Option<PathBuf>) -> Running {
    let snapshot = snapshot.clone();
    Running::start(move |listener| serve_journaling(listener, snapshot, journal))
}

fn messages(rows: i64, message: impl Fn(&mut ChaCha8Rng) -> Bytes) -> Arc<[Bytes]> {
    let rng = &mut ChaCha8Rng::seed_from_u64(rows.cast_unsigned());
    (0..2000).map(|_| message(rng)).collect()
}

/// A live table of vectors, and a feature set that serves them.
fn snapshot(rows: i64) -> Arc<Snapshot> {
    let schema = TableSchema {
        name: "items".to_owned(),
        version: 1,
        key: vec![KeyColumn { name: "id".to_owned(), element: Element::Int64 }],
        columns: vec![ColumnSchema::vector("vector", Stored::Float32, WIDTH)],
        event_time: None,
        live: true,
    };
    let marks = vec![Mark::PRESENT; rows as usize];
    let keys = Column { values: Values::Int64((0..rows).collect()), marks: marks.clone(), list: None };
    let lanes = (0..rows as usize * WIDTH).map(|lane| (lane % 1000) as f64 / 8.0);
    let vectors = Column { values: Values::Float64(lanes.collect()), marks, list: None };
    let table = Table::from_columns(schema, vec![keys], vec![vectors]).expect("a table");
    let spec = json!({
        "format": "quiver.spec/1", "name": "items", "version": 1,
        "inputs": [{"name": "id", "dtype": "int64", "scope": "row", "required": true}],
        "lookups": [{"name": "item", "table": "items", "key": "id"}],
        "features": [
            {"name": "vector", "input": "item.vector", "default": 0.0},
            {"name": "unit", "input": "item.vector", "steps": [{"op": "normalize", "norm": "l2"}], "default": 0.0},
        ],
        "outputs": [{"name": "all", "dtype": "float32", "features": ["vector", "unit"]}],
    });
    let (spec, fingerprint) = spec_from_text(&spec.to_string()).expect("a spec");
    let tables = [("items".to_owned(), Arc::new(table))].into();
    let version = Version { spec, fingerprint, golden: None };
    let feature_set = FeatureSet::build(version, &tables, &Binder::default()).expect("a good spec");
    Arc::new(Snapshot::new([feature_set]))
}

fn column(name: &str, values: proto::column::Values) -> proto::Column {
    proto::Column { name: name.to_owned(), values: Some(values), ..proto::Column::default() }
}

fn ids(rng: &mut ChaCha8Rng, rows: i64, count: usize) -> proto::Column {
    let values = (0..count).map(|_| rng.random_range(0..rows + rows / 10)).collect();
    column("id", proto::column::Values::Int64s(proto::Int64Values { values }))
}

fn upsert(rng: &mut ChaCha8Rng, rows: i64) -> proto::UpsertRequest {
    let values = (0..ROWS * WIDTH).map(|_| rng.random_range(-1.0..1.0)).collect();
    let vectors = column("vector", proto::column::Values::Floats(proto::FloatValues { values }));
    proto::UpsertRequest {
        table: "items".to_owned(),
        columns: vec![ids(rng, rows, ROWS), vectors],
        event_times: None,
    }
}

fn request(rng: &mut ChaCha8Rng, rows: i64) -> proto::GetFeaturesRequest {
    proto::GetFeaturesRequest {
        feature_set: "items".to_owned(),
        columns: vec![ids(rng, rows, CANDIDATES)],
        ..proto::GetFeaturesRequest::default()
    }
}
