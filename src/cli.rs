//! The commands of `quiver`.

use std::{io, process::ExitCode, sync::LazyLock};

use clap::{Parser, Subcommand};

use crate::{batch::time::Zone, problem::Problems};

mod admin;
mod answer;
mod check;
mod chosen;
mod client;
mod demo_requests;
mod describe;
mod get;
mod golden;
mod grid;
mod literal;
mod processor;
mod reading;
mod request;
mod schema;
mod serve;
mod table;
mod transform;

/// The version of this program and of the data in it.
static VERSION: LazyLock<String> =
    LazyLock::new(|| format!("{} (time zone database {})", env!("CARGO_PKG_VERSION"), Zone::database()));

/// Feature vectors for ad ranking over gRPC.
#[derive(Debug, Parser)]
#[command(name = "quiver", version = VERSION.as_str(), about, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves a repository, or the demo
    Serve(serve::Arguments),
    /// Loads a repository as the server would and reports every problem
    Check(check::Arguments),
    /// Shows what a running server serves
    Describe(describe::Arguments),
    /// Asks a running server for features and shows them by name
    Get(get::Arguments),
    /// Computes features for files of rows, bit for bit as they are served
    Transform(transform::Arguments),
    /// Shows and changes which versions a running server serves
    Admin(admin::Arguments),
    /// Imports and inspects tables
    Table(table::Arguments),
    /// Writes the golden rows of a version from rows and the values that the fitting library gives for them
    Golden(golden::Arguments),
    /// Prints the JSON Schema of specs or golden rows, or the page of all operations
    Schema(schema::Arguments),
    /// Writes requests to the demo as a data file for ghz
    DemoRequests(demo_requests::Arguments),
}

/// Why a command ended without success.
#[derive(Debug)]
pub enum Failure {
    /// What was asked for does not make sense: exit code 2.
    Usage(String),
    /// It went wrong, or problems were found: exit code 1.
    Failed(String),
}

impl Failure {
    /// A mistake in flags, settings or a request's file.
    pub fn usage(problems: Problems) -> Self {
        Self::Usage(problems.to_string())
    }

    /// A failure with what was being done.
    pub fn of(doing: &str, error: impl std::fmt::Display) -> Self {
        Self::Failed(format!("{doing}: {error}"))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Runs the command line: 0 for success, 1 for failure, 2 for a command line that makes no sense.
pub fn main() -> ExitCode {
    if !processor::is_enough() {
        return reported(
            "quiver is built for x86-64-v3 (AVX2), which this processor lacks: build it with RUSTFLAGS=\"\"",
            1,
        );
    }
    let done = match Arguments::parse().command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Describe(arguments) => describe::run(&arguments),
        Command::Get(arguments) => get::run(&arguments),
        Command::Transform(arguments) => transform::run(&arguments),
        Command::Admin(arguments) => admin::run(&arguments),
        Command::Table(arguments) => table::run(&arguments),
        Command::Golden(arguments) => golden::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::DemoRequests(arguments) => demo_requests::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Failed(message)) => reported(&message, 1),
        Err(Failure::Usage(message)) => reported(&message, 2),
    }
}

fn reported(message: &str, code: u8) -> ExitCode {
    eprintln!("{message}");
    ExitCode::from(code)
}

/// Writes to standard output; that nobody reads on (`| head`) is no failure.
fn print(text: &str) -> Result<(), Failure> {
    use io::Write as _;
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
