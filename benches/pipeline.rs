//! A hard pipeline, all of it from the request: 100 raw columns to 480 outputs, beside the same fitted pipeline in
//! scikit-learn and in ONNX Runtime; and over gRPC beside a Python service around ONNX Runtime.
//!
//! 20 numbers imputed and standardized, 20 more with missing indicators, 10 through 1,000-knot quantiles, 10 into 10
//! bins, 40 string columns of 3 to 56 categories one-hot; 5 % missing, 2 % unknown. `benches/pipeline/` fits it, writes
//! the requests and answers commands. Quiver's answers are scikit-learn's, bit for bit, or the bench fails.
//!
//! ONNX Runtime is called with tensors of its own ("ort": no Python string is converted) and with Python's arrays ("ort
//! arrays", as a service has to); ratios are to the former. The graph is built by hand and the fastest that we know;
//! `--converter` also measures the one that skl2onnx makes, which it needs minutes for the first time. `--alone` measures
//! Quiver alone, a number only requests of so many rows.

mod support;

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::{
    fmt::Write as _,
    fs,
    hint::black_box,
    io::{BufReader, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use quiver::{
    rpc::decode::decode,
    snapshot::{self, Options, Snapshot},
    table::Silent,
};
use serde_json::json;
use support::{
    Effort, Report, Turns,
    load::{LOADS, Running, Side, framed, measure, serve_quiver},
    median, pin, run,
};

const WIDTH: usize = 480;

/// The rows of a request: those given as arguments, or all.
fn shapes() -> Vec<usize> {
    let given: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    if given.is_empty() { vec![1, 100, 500, 1000] } else { given }
}

fn main() {
    let effort = Effort::from_arguments();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/quiver-bench/pipeline");
    let mut report = Report::begin("pipeline");
    let alone = std::env::args().any(|argument| argument == "--alone");
    let started = if alone { Err("--alone".to_owned()) } else { Python::start(&folder) };
    let mut python = match started {
        Ok(python) => {
            println!("{}", python.greeting);
            Some(python)
        }
        Err(why) => {
            println!("Only Quiver is measured: {why}");
            None
        }
    };
    if !folder.join("repository").exists() {
        println!("Nothing is measured: no pipeline was ever fitted here.");
        report.add("not fitted", json!({}));
        return;
    }
    let snapshot = snapshot::load(&folder.join("repository"), &Options::default(), &Silent).whole();
    let snapshot = Arc::new(snapshot.unwrap_or_else(|problems| panic!("{problems}")));
    // On a thread of its own, so that the load's thread later finds both cores.
    let on_first_core = || {
        pin(0);
        engine(effort, &folder, &snapshot, &mut python, &mut report);
    };
    thread::scope(|scope| scope.spawn(on_first_core).join().expect("it runs"));
    wire(effort, &folder, &snapshot, &mut python, &mut report);
}

/// What is measured of one shape, in seconds, from round to round.
#[derive(Debug, Default)]
struct Engine {
    engine: Vec<f64>,
    decode: Vec<f64>,
    engine_of_dictionaries: Vec<f64>,
    decode_of_dictionaries: Vec<f64>,
    tensors: Vec<f64>,
    arrays: Vec<f64>,
    converted: Vec<f64>,
    sklearn: Vec<f64>,
}

fn engine(
    effort: Effort,
    folder: &Path,
    snapshot: &Snapshot,
    python: &mut Option<Python>,
    report: &mut Report,
) {
    println!(
        "\n{:<6} {:>10} {:>10} {:>12} {:>12} {:>10} {:>10} {:>10} {:>12} {:>9} {:>9} {:>9}",
        "rows",
        "engine us",
        "decode us",
        "dict engine",
        "dict decode",
        "ort us",
        "ort arrays",
        "converted",
        "sklearn us",
        "x ort",
        "x conv",
        "x sklearn"
    );
    let time = effort.time / 3;
    let converter = std::env::args().any(|argument| argument == "--converter");
    for rows in shapes() {
        check_answers(folder, snapshot, rows);
        let plain = messages(folder, &format!("{rows}-plain"));
        let dictionary = messages(folder, &format!("{rows}-dictionary"));
        let mut answer = vec![0; rows * WIDTH * 4];
        let mut measured = Engine::default();
        if let Some(python) = python {
            for side in ["tensors", "converted"].iter().take(1 + usize::from(converter)) {
                let difference = python.ask(&format!("verify {side} {rows}"));
                assert!(difference < 1e-4, "ONNX Runtime ({side}) differs from scikit-learn by {difference}");
            }
            for side in ["tensors", "arrays", "sklearn"] {
                python.time(side, rows, Duration::ZERO);
            }
        }
        for _ in 0..effort.rounds {
            let [decode, engine] = decode_and_run(time, snapshot, &plain, &mut answer);
            measured.engine.push(engine);
            measured.decode.push(decode);
            if let Some(python) = python {
                measured.tensors.push(python.time("tensors", rows, time));
                measured.arrays.push(python.time("arrays", rows, time));
                measured.sklearn.push(python.time("sklearn", rows, time));
                if converter {
                    measured.converted.push(python.time("converted", rows, time));
                }
            }
            let [decode, engine] = decode_and_run(time, snapshot, &dictionary, &mut answer);
            measured.engine_of_dictionaries.push(engine);
            measured.decode_of_dictionaries.push(decode);
        }
        measured.record(rows, report);
    }
}

impl Engine {
    fn record(self, rows: usize, report: &mut Report) {
        let over = |side: &[f64]| -> Option<f64> {
            let ratios: Vec<f64> =
                side.iter().zip(&self.engine).map(|(side, engine)| side / engine).collect();
            (!ratios.is_empty()).then(|| median(ratios))
        };
        let ratios = [over(&self.tensors), over(&self.converted), over(&self.sklearn)];
        let micros = |side: Vec<f64>| (!side.is_empty()).then(|| median(side) * 1e6);
        let figures = [
            ("engine_us", micros(self.engine)),
            ("decode_us", micros(self.decode)),
            ("dictionary_engine_us", micros(self.engine_of_dictionaries)),
            ("dictionary_decode_us", micros(self.decode_of_dictionaries)),
            ("onnx_us", micros(self.tensors)),
            ("onnx_arrays_us", micros(self.arrays)),
            ("onnx_converted_us", micros(self.converted)),
            ("sklearn_us", micros(self.sklearn)),
            ("ratio", ratios[0]),
            ("ratio_converted", ratios[1]),
            ("ratio_sklearn", ratios[2]),
        ];
        let mut line = format!("{rows:<6}");
        for ((_, figure), width) in figures.iter().zip([10, 10, 12, 12, 10, 10, 10, 12, 9, 9, 9]) {
            let text = figure.map_or("-".to_owned(), |figure| format!("{figure:.1}"));
            write!(line, " {text:>width$}").expect("writes");
        }
        println!("{line}");
        let figures = figures.into_iter().map(|(name, figure)| (name.to_owned(), json!(figure)));
        report.add(&format!("{rows}x{WIDTH}"), figures.collect::<serde_json::Map<_, _>>().into());
    }
}

/// Seconds for decoding a request and for running it, one right after the other as in a server.
fn decode_and_run(time: Duration, snapshot: &Snapshot, messages: &[Bytes], answer: &mut [u8]) -> [f64; 2] {
    let (start, mut calls, mut turns) = (Instant::now(), 0, Turns::new(messages));
    let [mut decoding, mut running] = [Duration::ZERO; 2];
    while calls < 3 || start.elapsed() < time {
        let message = turns.next();
        let started = Instant::now();
        let request = decode(message, usize::MAX).expect("a good request");
        let decoded = Instant::now();
        black_box(run(snapshot, request, answer));
        let end = Instant::now();
        decoding += decoded - started;
        running += end - decoded;
        calls += 1;
    }
    [decoding, running].map(|all| all.as_secs_f64() / f64::from(calls))
}

/// Holds answers to scikit-learn's, rounded to float32, on requests of either form.
fn check_answers(folder: &Path, snapshot: &Snapshot, rows: usize) {
    let mut answer = vec![0; rows * WIDTH * 4];
    for form in ["plain", "dictionary"] {
        let requests = messages(folder, &format!("{rows}-{form}"));
        for (request, expected) in requests.iter().zip(messages(folder, &format!("{rows}-expected"))) {
            run(snapshot, decode(request, usize::MAX).expect("a good request"), &mut answer);
            let differs = answer.chunks(4).zip(expected.chunks(4)).position(|(one, other)| one != other);
            assert_eq!(differs, None, "an answer's first value that is not scikit-learn's");
        }
    }
}

fn wire(
    effort: Effort,
    folder: &Path,
    snapshot: &Arc<Snapshot>,
    python: &mut Option<Python>,
    report: &mut Report,
) {
    println!(
        "\n{:<6} {:<20} {:>9} {:>9} {:>9} {:>8} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "rows",
        "load",
        "plain/s",
        "dict/s",
        "ort/s",
        "x plain",
        "x dict",
        "p50 us",
        "dict p50",
        "ort p50",
        "cpu us",
        "dict cpu",
        "ort cpu"
    );
    let effort = Effort { time: effort.time / 2, rounds: effort.rounds.min(5), ..effort };
    let quiver = Running::start({
        let snapshot = snapshot.clone();
        move |listener| serve_quiver(listener, snapshot)
    });
    let onnx = python.as_ref().map(|python| Onnx::start(folder, &python.way));
    for rows in shapes() {
        let framed = |form: &str| -> Arc<[Bytes]> {
            messages(folder, &format!("{rows}-{form}")).iter().map(|message| framed(message)).collect()
        };
        let of_quiver = |form| Side { server: &quiver, messages: framed(form) };
        for (load, connections, streams) in LOADS {
            let case = format!("{rows}x{WIDTH}, {load}");
            let (plain, dictionary, onnx) = if let Some(onnx) = &onnx {
                let onnx = Side { server: &onnx.running, messages: framed("onnx") };
                let sides = [of_quiver("plain"), of_quiver("dictionary"), onnx];
                let ([plain, dictionary, onnx], ratios) = measure(effort, &sides, connections, streams);
                (plain, dictionary, Some((onnx, ratios)))
            } else {
                let sides = [of_quiver("plain"), of_quiver("dictionary")];
                let ([plain, dictionary], _) = measure(effort, &sides, connections, streams);
                (plain, dictionary, None)
            };
            let (onnx, [ratio, dictionary_ratio, _]) = onnx.unwrap_or_default();
            println!(
                "{rows:<6} {load:<20} {:>9.0} {:>9.0} {:>9.0} {:>8.1} {:>8.1} {:>9.0} {:>9.0} {:>9.0} {:>9.0} {:>9.0} {:>9.0}",
                plain.calls,
                dictionary.calls,
                onnx.calls,
                ratio.calls,
                dictionary_ratio.calls,
                plain.p50,
                dictionary.p50,
                onnx.p50,
                plain.cpu,
                dictionary.cpu,
                onnx.cpu
            );
            let figures = json!({
                "quiver": plain.json(), "dictionary": dictionary.json(), "onnx": onnx.json(),
                "ratio": ratio.calls, "ratio_dictionary": dictionary_ratio.calls,
            });
            report.add(&case, figures);
        }
    }
}

/// The messages of a file, each with its length before it.
fn messages(folder: &Path, name: &str) -> Vec<Bytes> {
    let mut rest = Bytes::from(fs::read(folder.join(format!("{name}.bin"))).expect("fitted"));
    let mut messages = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest.split_to(4)[..].try_into().expect("4 bytes"));
        messages.push(rest.split_to(length as usize));
    }
    messages
}

/// The Python side, waiting for commands.
struct Python {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// The way of the fastest ONNX graph.
    way: String,
    greeting: String,
}

impl Python {
    /// Starts it in an environment of its own, which is made where it is not there.
    fn start(folder: &Path) -> Result<Self, String> {
        let mut process = rival(&environment()?, folder).spawn().map_err(|error| error.to_string())?;
        let commands = process.stdin.take().expect("piped");
        let mut answers = BufReader::new(process.stdout.take().expect("piped"));
        let greeting = read_line(&mut answers);
        let way = greeting.split(' ').nth(1).ok_or("the Python side did not start")?.to_owned();
        Ok(Self { process, commands, answers, way, greeting })
    }

    fn ask(&mut self, command: &str) -> f64 {
        writeln!(self.commands, "{command}").expect("it listens");
        read_line(&mut self.answers).parse().expect("it answers with a number")
    }

    /// Seconds of one call.
    fn time(&mut self, side: &str, rows: usize, time: Duration) -> f64 {
        self.ask(&format!("time {side} {rows} {}", time.as_secs_f64()))
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

/// The Python gRPC service around ONNX Runtime.
struct Onnx {
    process: Child,
    running: Running,
}

impl Onnx {
    fn start(folder: &Path, way: &str) -> Self {
        let python = environment().expect("it is there");
        let mut process = rival(&python, folder).args(["serve", way]).spawn().expect("starts");
        let mut answers = BufReader::new(process.stdout.take().expect("piped"));
        let port = read_line(&mut answers).parse().expect("a port");
        let running =
            Running::beside(SocketAddr::from(([127, 0, 0, 1], port)), "/bench.Onnx/Run", process.id());
        Self { process, running }
    }
}

impl Drop for Onnx {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

fn end(process: &mut Child) {
    // It may have ended by itself.
    let _ = process.kill();
    let _ = process.wait();
}

fn rival(python: &Path, folder: &Path) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/pipeline/rival.py");
    let mut command = Command::new(python);
    command.arg(script).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

fn read_line(from: &mut impl std::io::BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).expect("text");
    line.trim().to_owned()
}

/// The Python of a virtual environment with what `requirements.txt` names.
fn environment() -> Result<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (folder, wanted) = (root.join("target/bench-python"), root.join("benches/pipeline/requirements.txt"));
    let (python, stamp) = (folder.join("bin/python"), folder.join("requirements.txt"));
    let requirements = fs::read(&wanted).expect("it is there");
    if fs::read(&stamp).is_ok_and(|made| made == requirements) {
        return Ok(python);
    }
    let system = system_python().ok_or("there is no Python of 3.11 or later")?;
    println!("Making a Python environment in {}", folder.display());
    succeeds(Command::new(system).args(["-m", "venv"]).arg(&folder), "python -m venv")?;
    let mut pip = Command::new(&python);
    succeeds(pip.args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&wanted), "pip install")?;
    fs::write(&stamp, requirements).expect("writes");
    Ok(python)
}

fn system_python() -> Option<&'static str> {
    let new_enough = |python: &&str| {
        let check = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
        let done = Command::new(python).args(["-c", check]).stderr(Stdio::null()).status();
        done.is_ok_and(|status| status.success())
    };
    ["python3", "python3.14", "python3.13", "python3.12", "python3.11"].into_iter().find(new_enough)
}

fn succeeds(command: &mut Command, name: &str) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{name} failed, {status}")),
        Err(error) => Err(format!("{name} failed, {error}")),
    }
}
