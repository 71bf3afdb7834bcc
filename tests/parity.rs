//! Served values against scikit-learn's own, with the real libraries: `python/parity/run.py`.
//!
//! A program of its own and not one of `tests/it`, so that its table is the last thing that `cargo test` prints. It
//! takes the arguments that cargo hands to every test program.

use std::{
    env,
    path::Path,
    process::{Command, ExitCode, Stdio},
};

const NAME: &str = "parity";

/// `run.py` exits with it where nothing could be measured.
const NOT_RUN: i32 = 3;

/// Options whose value is an argument of its own.
const WITH_VALUE: [&str; 7] =
    ["--test-threads", "--skip", "--format", "--color", "--logfile", "--shuffle-seed", "-Z"];

fn main() -> ExitCode {
    let asked = Asked::read(env::args().skip(1));
    if !asked.runs {
        return ExitCode::SUCCESS;
    }
    if asked.list {
        println!("{NAME}: test");
        return ExitCode::SUCCESS;
    }
    println!();
    let Some(python) = python() else {
        println!("parity was not run: no Python 3.10 or later was found (python3.13 to python3.10, python3)");
        return not_run();
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let status = Command::new(python)
        .arg(root.join("python/parity/run.py"))
        .arg(env!("CARGO_BIN_EXE_quiver"))
        .stdin(Stdio::null())
        .status()
        .expect("starts Python");
    match status.code() {
        Some(0) => ExitCode::SUCCESS,
        Some(NOT_RUN) => not_run(),
        _ => ExitCode::FAILURE,
    }
}

/// Where it can't run, that is no failure unless `QUIVER_REQUIRE_PARITY` is set.
fn not_run() -> ExitCode {
    if env::var_os("QUIVER_REQUIRE_PARITY").is_some_and(|value| !value.is_empty()) {
        println!("QUIVER_REQUIRE_PARITY is set: that is a failure");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// What cargo's arguments ask for.
struct Asked {
    runs: bool,
    list: bool,
}

impl Asked {
    fn read(arguments: impl Iterator<Item = String>) -> Self {
        let (mut filters, mut skips) = (Vec::new(), Vec::new());
        let (mut exact, mut list, mut ignored) = (false, false, false);
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--exact" => exact = true,
                "--list" => list = true,
                "--ignored" => ignored = true,
                "--skip" => skips.extend(arguments.next()),
                option if WITH_VALUE.contains(&option) => drop(arguments.next()),
                option if option.starts_with("--skip=") => {
                    skips.push(option.trim_start_matches("--skip=").to_owned())
                }
                option if option.starts_with('-') => {}
                _ => filters.push(argument),
            }
        }
        let matches = |filter: &String| if exact { NAME == filter } else { NAME.contains(filter.as_str()) };
        let runs =
            !ignored && (filters.is_empty() || filters.iter().any(matches)) && !skips.iter().any(matches);
        Self { runs, list }
    }
}

/// The newest Python that can be started and is new enough.
fn python() -> Option<&'static str> {
    let new_enough = "import sys; sys.exit(sys.version_info < (3, 10))";
    let names = ["python3.13", "python3.12", "python3.11", "python3.10", "python3", "python"];
    names.into_iter().find(|name| {
        let mut command = Command::new(name);
        command.args(["-c", new_enough]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}
