//! What the benches share: the demo, pinned threads, rounds and reports.
#![allow(dead_code, clippy::allow_attributes_without_reason, reason = "each bench uses a part of it")]

pub mod load;

use std::{
    fs,
    hint::black_box,
    io::Write as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use quiver::{
    demo::{self, Recipe, Sizes, traffic::DemoRequest, traffic::Traffic},
    proto::{
        Column, DoubleValues, GetFeaturesRequest, Int64Values, ListOffsets, OutputSelection, StringValues,
        column::Values,
    },
    serve::{
        self,
        answer::{Elements, TensorBuffer},
        outcome::Limits,
        request::Request,
    },
    snapshot::{self, Options, Snapshot},
    table::Silent,
};
use serde_json::{Value, json};

/// The shapes: candidates, and the feature set whose dense output is that wide.
pub const SHAPES: [(usize, &str, usize); 3] =
    [(100, "ads_small", 100), (500, "ads_ctr", 200), (1000, "ads_large", 480)];

/// Requests that are sent in turn, so that no cache flatters the figures.
const REQUESTS: usize = 200;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    pub rounds: usize,
    /// Of one side of one round.
    pub time: Duration,
    pub quick: bool,
}

impl Effort {
    /// `--quick` for a run that only shows that everything works.
    pub fn from_arguments() -> Self {
        let quick = std::env::args().any(|argument| argument == "--quick");
        let (rounds, millis) = if quick { (3, 60) } else { (9, 700) };
        Self { rounds, time: Duration::from_millis(millis), quick }
    }
}

/// The full demo, loaded.
pub fn demo_snapshot() -> Arc<Snapshot> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(demo::DEFAULT_FOLDER);
    demo::ensure(&folder, &Recipe::default()).expect("writes the demo");
    let snapshot = snapshot::load(&folder, &Options::default(), &Silent).whole();
    Arc::new(snapshot.unwrap_or_else(|problems| panic!("{problems}")))
}

/// Requests for the dense output of a feature set, with other users and ads each.
pub fn requests(snapshot: &Snapshot, feature_set: &str, candidates: usize) -> Vec<GetFeaturesRequest> {
    let spec = snapshot.find(feature_set, 0).expect("the demo's feature set").spec();
    let mut traffic = Traffic::new(Sizes::FULL, 7);
    let request = |request: DemoRequest| {
        let known = |name: &str| spec.inputs.iter().any(|input| input.name == name);
        GetFeaturesRequest {
            feature_set: feature_set.to_owned(),
            columns: columns(&request).into_iter().filter(|column| known(&column.name)).collect(),
            outputs: vec![OutputSelection { name: "dense".to_owned(), ..OutputSelection::default() }],
            ..GetFeaturesRequest::default()
        }
    };
    (0..REQUESTS).map(|_| request(traffic.request(candidates))).collect()
}

fn columns(request: &DemoRequest) -> Vec<Column> {
    let strings = |values: &[String]| Values::Strings(StringValues { values: values.to_vec() });
    let column =
        |name: &str, values| Column { name: name.to_owned(), values: Some(values), ..Column::default() };
    let bids = request.bids.iter().map(|bid| bid.unwrap_or_default()).collect();
    let nulls = (0..).zip(&request.bids).filter(|(_, bid)| bid.is_none()).map(|(row, _)| row).collect();
    let query = ListOffsets { offsets: vec![0, request.query.len() as u32] };
    vec![
        column("user_id", Values::Int64s(Int64Values { values: vec![request.user_id] })),
        column("placement", strings(&[request.placement.to_owned()])),
        column("hour", Values::Int64s(Int64Values { values: vec![request.hour] })),
        Column { list: Some(query), ..column("query", strings(&request.query)) },
        column("ad_id", strings(&request.ad_ids)),
        Column { nulls, ..column("bid", Values::Doubles(DoubleValues { values: bids })) },
    ]
}

/// What the engine's calls may ask for.
const LIMITS: Limits =
    Limits { rows: 10_000, text_bytes: 16 << 20, list_elements: 1_000_000, answer_bytes: 64 << 20 };

/// Holds a request against its feature set and fills its only output.
pub fn run(snapshot: &Snapshot, request: Request, answer: &mut [u8]) -> usize {
    let call = serve::prepare(snapshot, request, &LIMITS).expect("a good request");
    let mut buffers = [TensorBuffer { elements: Elements::Dense(answer), status: &mut [] }];
    let call = call.fetch(&|| false).expect("rows");
    call.run(&mut buffers, &|| false).expect("a run").values
}

/// Gives the items of a slice in turn, without an end.
#[derive(Debug)]
pub struct Turns<'a, T>(std::iter::Cycle<std::slice::Iter<'a, T>>);

impl<'a, T> Turns<'a, T> {
    pub fn new(items: &'a [T]) -> Self {
        Self(items.iter().cycle())
    }

    pub fn next(&mut self) -> &'a T {
        self.0.next().expect("there are items")
    }
}

/// Keeps the calling thread on one core, where there are two.
pub fn pin(core: usize) {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    if cores.len() > 1 && !core_affinity::set_for_current(cores[core % cores.len()]) {
        eprintln!("the thread could not be kept on core {core}");
    }
}

/// Seconds for one call of `call`, measured over about `time`.
pub fn seconds_each<T>(time: Duration, mut call: impl FnMut() -> T) -> f64 {
    let (start, mut calls) = (Instant::now(), 0_u32);
    while calls < 3 || start.elapsed() < time {
        black_box(call());
        calls += 1;
    }
    start.elapsed().as_secs_f64() / f64::from(calls)
}

/// The middle value.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Alternates two sides and returns the medians of their seconds and of the rounds' ratios (the first over the second).
pub fn compare<A, B>(effort: Effort, mut one: impl FnMut() -> A, mut other: impl FnMut() -> B) -> [f64; 3] {
    let (mut ones, mut others, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        let (a, b) = (seconds_each(effort.time, &mut one), seconds_each(effort.time, &mut other));
        ones.push(a);
        others.push(b);
        ratios.push(a / b);
    }
    [median(ones), median(others), median(ratios)]
}

/// A bench's lines, one object for each case.
#[derive(Debug)]
pub struct Report {
    file: fs::File,
}

impl Report {
    /// Begins `target/quiver-bench/<bench>.jsonl`.
    pub fn begin(bench: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/quiver-bench");
        fs::create_dir_all(&folder).expect("makes a folder");
        let file = fs::File::create(folder.join(format!("{bench}.jsonl"))).expect("writes");
        Self { file }
    }

    /// Adds a case with its figures.
    pub fn add(&mut self, case: &str, figures: Value) {
        let mut line = json!({ "case": case });
        if let (Some(line), Value::Object(figures)) = (line.as_object_mut(), figures) {
            line.extend(figures);
        }
        writeln!(self.file, "{line}").expect("writes");
    }
}
