//! `quiver check`: loads a repository as the server would, the tables that nothing looks up included, and reports every
//! problem.

use std::path::PathBuf;

use clap::Args;
use comfy_table::{Cell, Table};
use indicatif::{BinaryBytes, HumanCount};

use super::{
    Failure,
    grid::{grid, right},
    print,
};
use crate::{
    config::ShowProgress,
    loading::Loading,
    snapshot::{self, Options, Outcome, Snapshot, UnreadTable},
};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The repository's folder
    repository: PathBuf,
}

/// Loads and prints: what would be served, or each problem in a line of its own.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let loading = Loading::start(&arguments.repository, ShowProgress::Auto);
    let options = Options { unread_tables: true, ..Options::default() };
    let Outcome { snapshot, unread_tables, problems } =
        snapshot::load(&arguments.repository, &options, &loading);
    let took = loading.finish().took;
    problems.or(()).map_err(|problems| {
        let count = problems.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        Failure::Failed(format!("{problems}\n{count} {noun} in {}", arguments.repository.display()))
    })?;
    print(&format!("{}\n\n{}\n\n", feature_sets(&snapshot), tables(&snapshot, &unread_tables)))?;
    for (name, version) in unproven(&snapshot) {
        print(&format!(
            "warning: {name} version {version} has no golden rows: nothing shows that it computes what was fitted \
            (`quiver golden` writes them)\n"
        ))?;
    }
    print(&format!("no problem found in {took:.1?}\n"))
}

/// The versions without golden rows.
fn unproven(snapshot: &Snapshot) -> impl Iterator<Item = (&str, u32)> {
    let all =
        snapshot.feature_sets().flat_map(|(name, versions)| versions.values().map(move |of| (name, of)));
    all.filter(|(_, of)| of.golden_rows().is_none()).map(|(name, of)| (name, of.version()))
}

fn feature_sets(snapshot: &Snapshot) -> Table {
    let mut table =
        grid(["feature set", "version", "features", "golden rows", "computed at load", "fingerprint"]);
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

/// The tables by name; those that no feature set looks up are not loaded by a server.
fn tables(snapshot: &Snapshot, unread: &[UnreadTable]) -> Table {
    let mut table = grid(["table", "version", "rows", "memory", "looked up"]);
    let read = snapshot.tables().into_iter().map(|of| {
        let schema = of.schema();
        (schema.name.as_str(), schema.version, of.rows(), of.memory(), "yes")
    });
    let unread = unread.iter().map(|of| (of.name.as_str(), of.version, of.rows, of.memory, "no"));
    let mut all: Vec<_> = read.chain(unread).collect();
    all.sort_unstable();
    for (name, version, rows, memory, looked_up) in all {
        table.add_row([
            Cell::new(name),
            right(version),
            right(HumanCount(rows.into())),
            right(BinaryBytes(memory as u64)),
            Cell::new(looked_up),
        ]);
    }
    table
}
