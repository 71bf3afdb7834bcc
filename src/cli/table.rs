//! `quiver table`: imports and inspects tables.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::Failure;

mod changes;
mod get;
mod head;
mod import;
mod stat;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a version of a table of files of rows or arrays
    Import(Box<import::Arguments>),
    /// Shows rows, memory and what each column holds
    Stat(stat::Arguments),
    /// Shows the first rows
    Head(head::Arguments),
    /// Shows the rows of keys
    Get(get::Arguments),
}

/// Runs one of the commands.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Import(arguments) => import::run(arguments),
        Command::Stat(arguments) => stat::run(arguments),
        Command::Head(arguments) => head::run(arguments),
        Command::Get(arguments) => get::run(arguments),
    }
}

/// The version's folder that a path names: itself, or the highest number in it.
fn version_folder(path: &Path) -> Result<PathBuf, Failure> {
    if path.join("table.json").exists() {
        return Ok(path.to_owned());
    }
    let newest = versions(path).into_iter().max();
    let newest = newest.ok_or_else(|| {
        let why = "is no table: name a folder as REPOSITORY/tables/NAME or REPOSITORY/tables/NAME/VERSION";
        Failure::of(&path.display().to_string(), why)
    })?;
    Ok(path.join(newest.to_string()))
}

/// The versions in a table's folder; none where there is no such folder.
fn versions(table: &Path) -> Vec<u32> {
    let entries = std::fs::read_dir(table).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}
