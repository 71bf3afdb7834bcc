//! The engine without a network: requests prepared and run, against the cost of fetching the rows and writing an
//! answer of the same size.

mod support;

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::hint::black_box;

use bytes::Bytes;
use prost::Message as _;
use quiver::{
    batch::{Column, Element, Mark, Strings, Type, Values},
    rpc::decode::decode,
    serve::request::Request,
    snapshot::Snapshot,
    table::{RowMatrix, RowNumber},
};
use serde_json::json;
use support::{Effort, Report, SHAPES, Turns, compare, demo_snapshot, pin, requests, run};

fn main() {
    pin(0);
    let effort = Effort::from_arguments();
    let snapshot = demo_snapshot();
    let mut report = Report::begin("engine");
    println!(
        "{:<14} {:>12} {:>12} {:>8}   {:>12}",
        "rows x floats", "engine us", "floor us", "ratio", "decode us"
    );
    for (rows, feature_set, width) in SHAPES {
        let messages: Vec<Bytes> = requests(&snapshot, feature_set, rows)
            .iter()
            .map(|request| request.encode_to_vec().into())
            .collect();
        let decoded: Vec<Request> =
            messages.iter().map(|message| decode(message, usize::MAX).expect("a good request")).collect();
        let mut answer = vec![0; rows * width * 4];
        let mut floor = Floor::new(&snapshot, &decoded, width);
        let mut floor_answer = vec![0; rows * width * 4];
        let (mut engine_turns, mut floor_turns) = (Turns::new(&decoded), Turns::new(&decoded));
        let [engine, fetched, ratio] = compare(
            effort,
            || run(&snapshot, engine_turns.next().clone(), &mut answer),
            || floor.run(floor_turns.next(), &mut floor_answer),
        );
        let mut turns = Turns::new(&messages);
        let decode_seconds =
            support::seconds_each(effort.time, || decode(turns.next(), usize::MAX).expect("a good request"));
        let case = format!("{rows}x{width}");
        println!(
            "{case:<14} {:>12.1} {:>12.1} {ratio:>8.2}   {:>12.1}",
            engine * 1e6,
            fetched * 1e6,
            decode_seconds * 1e6
        );
        let figures = json!({
            "engine_us": engine * 1e6, "floor_us": fetched * 1e6, "decode_us": decode_seconds * 1e6, "ratio": ratio,
        });
        report.add(&case, figures);
    }
}

/// The least that an answer of this size costs: find each candidate's row, copy a row as wide as the answer's.
struct Floor<'a> {
    snapshot: &'a Snapshot,
    rows: RowMatrix,
    numbers: Vec<RowNumber>,
}

impl<'a> Floor<'a> {
    fn new(snapshot: &'a Snapshot, requests: &[Request], width: usize) -> Self {
        let ads = Self::ads(snapshot);
        let mut rows = RowMatrix::new(ads.places(), width * 4);
        // Rows that were never written would all be read from one page of zeros.
        (0..rows.rows()).for_each(|row| rows.row_mut(row).fill(row as u8));
        assert!(!requests.is_empty());
        Self { snapshot, rows, numbers: Vec::new() }
    }

    fn ads(snapshot: &Snapshot) -> &quiver::table::Table {
        let all = snapshot.tables();
        all.into_iter().find(|table| table.schema().name == "ads").expect("the demo's ads")
    }

    fn run(&mut self, request: &Request, answer: &mut [u8]) {
        let ids = request.columns.iter().find(|column| column.name == "ad_id").expect("candidates");
        let Values::String(strings) = &ids.values else { panic!("ids are strings") };
        let keys = key_column(strings);
        self.numbers.clear();
        Self::ads(self.snapshot).find(&[&keys], &mut self.numbers);
        let width = self.rows.row_bytes();
        self.numbers.iter().for_each(|&number| self.rows.prefetch(number.place()));
        for (row, &number) in answer.chunks_exact_mut(width).zip(&self.numbers) {
            row.copy_from_slice(self.rows.row(number.place()));
        }
        black_box(&answer);
    }
}

fn key_column(strings: &Strings) -> Column {
    let mut column = Column::new(Type::scalar(Element::String));
    column.marks = vec![Mark::PRESENT; strings.len()];
    column.values = Values::String(strings.clone());
    column
}
