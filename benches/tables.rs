//! Tables: keys to row numbers, rows into an answer, and memory against the keys' and values' own bytes, in every form.
//!
//! Nothing here waits, so that what counts is the thread's own time: other work on the same core lengthens no figure.

mod support;

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::{fs, hint::black_box, time::Instant};

use hashbrown::HashMap;
use quiver::{
    batch::{Column, Element, Mark, Strings, Type, Values},
    table::{FORMAT, Form, RowNumber, Table, TableBuilder, TableSchema},
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Zipf};
use serde_json::json;
use support::{Effort, Report, Turns, median, pin};

/// Keys of one request.
const BATCH: usize = 500;

/// Rows whose vectors are asked for before those of the rows before them are copied, as the engine does.
const TILE: usize = 32;

/// Elements of each vector.
const WIDTH: usize = 64;

/// Rows of a table that are made at a time.
const PART: usize = 8_192;

/// One key in so many is of no row.
const UNKNOWN: usize = 20;

/// How skewed the popular keys are.
const EXPONENT: f64 = 1.05;

const FORMS: [Form; 5] = [Form::Float32, Form::Float16, Form::Bfloat16, Form::Int8, Form::Binary];

fn main() {
    pin(0);
    let effort = Effort::from_arguments();
    let rows = if effort.quick { 200_000 } else { 8_000_000 };
    let mut bench = Bench { effort, rows, report: Report::begin("tables") };
    println!("{rows} rows of {WIDTH}, requests of {BATCH} keys, 1 in {UNKNOWN} unknown; ns a key\n");
    println!("{:<34} {:>9} {:>9}", "", "uniform", "zipf");
    for kind in [Kind::Integers, Kind::Texts] {
        bench.make_keys(kind);
    }
    for kind in [Kind::Integers, Kind::Texts] {
        bench.index(kind);
    }
    for form in FORMS {
        bench.rows(form);
    }
}

struct Bench {
    effort: Effort,
    rows: usize,
    report: Report,
}

/// Which keys a table has.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Integers,
    /// Of 12 bytes.
    Texts,
}

impl Bench {
    /// What the other figures leave out: drawing keys and making a request's column of them.
    fn make_keys(&mut self, kind: Kind) {
        let seconds = Draw::each(self.rows).map(|mut draw| {
            self.median(|| kind.column(&(0..BATCH).map(|_| draw.next()).collect::<Vec<_>>()))
        });
        self.record(&format!("make keys, {}", kind.name()), seconds);
    }

    /// Keys to row numbers, and the same by a hash map.
    fn index(&mut self, kind: Kind) {
        let table = table(self.rows, kind, Form::Binary);
        let requests = self.requests(kind);
        let mut numbers = Vec::with_capacity(BATCH);
        let found = requests.each_ref().map(|requests| {
            let mut requests = Turns::new(requests);
            self.median(|| {
                numbers.clear();
                table.find(&[requests.next()], &mut numbers);
                black_box(&numbers);
            })
        });
        self.record(&format!("index, {}", kind.name()), found);
        drop(table);
        let all: Vec<usize> = (0..self.rows).collect();
        let seconds = match (kind, kind.column(&all).values) {
            (Kind::Integers, Values::Int64(keys)) => {
                let map: HashMap<i64, u32> = keys.into_iter().zip(0..).collect();
                requests.each_ref().map(|requests| {
                    let mut requests = Turns::new(requests);
                    self.median(|| {
                        let keys = requests.next().int64().iter();
                        black_box(keys.map(|key| map.get(key).copied().unwrap_or(0)).collect::<Vec<_>>());
                    })
                })
            }
            (_, Values::String(keys)) => {
                let map: HashMap<&str, u32> = keys.iter().zip(0..).collect();
                requests.each_ref().map(|requests| {
                    let mut requests = Turns::new(requests);
                    self.median(|| {
                        let keys = requests.next().strings().iter();
                        black_box(keys.map(|key| map.get(key).copied().unwrap_or(0)).collect::<Vec<_>>());
                    })
                })
            }
            _ => return,
        };
        self.record(&format!("hashbrown, {}", kind.name()), seconds);
    }

    /// Keys to row numbers to rows in an answer of float32, and the table's memory.
    fn rows(&mut self, form: Form) {
        let table = table(self.rows, Kind::Integers, form);
        let mut answer = vec![0; BATCH * WIDTH * size_of::<f32>()];
        let mut numbers = Vec::with_capacity(BATCH);
        let seconds = self.requests(Kind::Integers).map(|requests| {
            let mut requests = Turns::new(&requests);
            self.median(|| {
                numbers.clear();
                table.find(&[requests.next()], &mut numbers);
                fill(&table, &numbers, &mut answer);
                black_box(&answer);
            })
        });
        self.record(&format!("index and row, {}", form.name()), seconds);
        let ratio = table.memory() as f64 / table.raw_bytes() as f64;
        let case = format!("memory / keys and values, {}", form.name());
        println!("{case:<34} {ratio:>9.3}");
        self.report.add(&case, json!({"bytes": table.memory(), "ratio": ratio}));
    }

    /// Uniform and skewed keys, request by request: more than the caches hold.
    fn requests(&self, kind: Kind) -> [Vec<Column>; 2] {
        let requests = if self.effort.quick { 100 } else { 6_000 };
        Draw::each(self.rows).map(|mut draw| {
            let mut request = || kind.column(&(0..BATCH).map(|_| draw.next()).collect::<Vec<_>>());
            (0..requests).map(|_| request()).collect()
        })
    }

    fn median<T>(&self, mut call: impl FnMut() -> T) -> f64 {
        let mut round = || {
            let (start, before, mut calls) = (Instant::now(), own_seconds(), 0_u32);
            while calls < 3 || start.elapsed() < self.effort.time {
                black_box(call());
                calls += 1;
            }
            let own = own_seconds().zip(before).map(|(after, before)| after - before);
            own.unwrap_or_else(|| start.elapsed().as_secs_f64()) / f64::from(calls)
        };
        median((0..self.effort.rounds).map(|_| round()).collect())
    }

    fn record(&mut self, case: &str, [uniform, zipf]: [f64; 2]) {
        let each = |seconds: f64| seconds * 1e9 / BATCH as f64;
        println!("{case:<34} {:>9.1} {:>9.1}", each(uniform), each(zipf));
        self.report.add(case, json!({"uniform_ns": each(uniform), "zipf_ns": each(zipf)}));
    }
}

/// Seconds that this thread ran, where the system counts them.
fn own_seconds() -> Option<f64> {
    let counted = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    counted.split(' ').next()?.parse::<f64>().ok().map(|nanoseconds| nanoseconds / 1e9)
}

/// Copies rows into an answer; rows that are none get zeros.
fn fill(table: &Table, numbers: &[RowNumber], answer: &mut [u8]) {
    let vectors = table.vectors(0).expect("a vector column");
    let row_bytes = WIDTH * size_of::<f32>();
    let prefetch = |numbers: &[RowNumber]| numbers.iter().for_each(|number| table.prefetch(0, *number));
    prefetch(&numbers[..TILE.min(numbers.len())]);
    for (tile, answer) in answer.chunks_mut(TILE * row_bytes).enumerate() {
        let (start, end) = (tile * TILE, numbers.len().min((tile + 1) * TILE));
        prefetch(&numbers[end..numbers.len().min(end + TILE)]);
        for (number, to) in numbers[start..end].iter().zip(answer.chunks_exact_mut(row_bytes)) {
            if number.is_found() {
                vectors.write(number.index(), true, to);
            } else {
                to.fill(0);
            }
        }
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Integers => "int64",
            Self::Texts => "strings of 12 bytes",
        }
    }

    fn element(self) -> Element {
        match self {
            Self::Integers => Element::Int64,
            Self::Texts => Element::String,
        }
    }

    /// The keys with these numbers.
    fn column(self, numbers: &[usize]) -> Column {
        let values = match self {
            Self::Integers => Values::Int64(numbers.iter().map(|&number| number as i64 * 7919).collect()),
            Self::Texts => {
                Values::String(Strings::from_values(numbers.iter().map(|number| format!("ad-{number:09}"))))
            }
        };
        Column { values, marks: vec![Mark::PRESENT; numbers.len()], list: None }
    }
}

/// A table of one vector column, made part by part.
fn table(rows: usize, kind: Kind, form: Form) -> Table {
    let (key, form) = (kind.element().name(), form.name());
    let document = json!({"format": FORMAT, "name": "bench", "version": 1,
        "key": [{"name": "key", "dtype": key}],
        "columns": [{"name": "vector", "dtype": "float32", "shape": {"vector": WIDTH}, "form": form, "nan": "value"}]});
    let schema = TableSchema::from_json(&document.to_string()).expect("a schema");
    let mut builder = TableBuilder::new(schema, rows as u64).expect("a small table");
    let mut vectors = Column::new(Type::vector(WIDTH));
    vectors.values =
        Values::Float64((0..PART * WIDTH).map(|lane| (lane % 1009) as f64 / 512.0 - 1.0).collect());
    vectors.marks = vec![Mark::PRESENT; PART];
    for first in (0..rows).step_by(PART) {
        let numbers: Vec<usize> = (first..rows.min(first + PART)).collect();
        vectors.marks.truncate(numbers.len());
        if let Values::Float64(values) = &mut vectors.values {
            values.truncate(numbers.len() * WIDTH);
        }
        builder.append(&[kind.column(&numbers)], std::slice::from_ref(&vectors));
    }
    builder.finish().expect("a table")
}

/// Draws the numbers of keys.
struct Draw {
    rng: ChaCha8Rng,
    rows: usize,
    zipf: Option<Zipf<f64>>,
}

impl Draw {
    /// One of uniform keys and one of skewed ones.
    fn each(rows: usize) -> [Self; 2] {
        let zipf = Zipf::new(rows as f64, EXPONENT).expect("a distribution");
        [None, Some(zipf)].map(|zipf| Self { rng: ChaCha8Rng::seed_from_u64(3), rows, zipf })
    }

    fn next(&mut self) -> usize {
        let number = match &self.zipf {
            None => self.rng.random_range(0..self.rows),
            // Popular rows lie anywhere.
            Some(zipf) => zipf.sample(&mut self.rng) as usize * 2_654_435_761 % self.rows,
        };
        if self.rng.random_range(0..UNKNOWN) == 0 { number + self.rows } else { number }
    }
}
