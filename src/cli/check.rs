//! `quiver check`: loads a repository as the server would, and tells every problem.

use std::path::PathBuf;

use clap::Args;
use comfy_table::{Cell, CellAlignment, Table, presets};
use indicatif::{BinaryBytes, HumanCount};

use super::{Failure, print};
use crate::{
    config::ShowProgress,
    loading::Loading,
    snapshot::{self, Options, Snapshot},
};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The repository's folder
    repository: PathBuf,
}

/// Loads and prints: what would be served, or each problem in a line of its own.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let loading = Loading::start(&arguments.repository, ShowProgress::Auto);
    let loaded = snapshot::load(&arguments.repository, Options::default(), &loading);
    let took = loading.finish().took;
    let snapshot = loaded.map_err(|problems| {
        let count = problems.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        Failure::Failed(format!("{problems}\n{count} {noun} in {}", arguments.repository.display()))
    })?;
    print(&format!("{}\n\n{}\n\n", feature_sets(&snapshot), tables(&snapshot)))?;
    print(&format!("no problem found in {took:.1?}\n"))
}

fn feature_sets(snapshot: &Snapshot) -> Table {
    let mut table =
        table(["feature set", "version", "features", "golden rows", "computed at load", "fingerprint"]);
    for (name, versions) in snapshot.feature_sets() {
        for (version, feature_set) in versions {
            table.add_row([
                Cell::new(name),
                right(version),
                right(feature_set.spec().features.len()),
                right(feature_set.golden_rows().map_or("none".to_owned(), |rows| rows.to_string())),
                right(BinaryBytes(feature_set.prepared_memory() as u64)),
                Cell::new(feature_set.fingerprint()),
            ]);
        }
    }
    table
}

fn tables(snapshot: &Snapshot) -> Table {
    let mut table = table(["table", "version", "rows", "memory"]);
    for of in snapshot.tables() {
        table.add_row([
            Cell::new(&of.schema().name),
            right(of.schema().version),
            right(HumanCount(of.rows().into())),
            right(BinaryBytes(of.memory() as u64)),
        ]);
    }
    table
}

fn table<const COLUMNS: usize>(header: [&str; COLUMNS]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(header);
    table
}

fn right(text: impl ToString) -> Cell {
    Cell::new(text.to_string()).set_alignment(CellAlignment::Right)
}
