//! `quiver admin reload`.

use std::time::Duration;

use clap::Args;

use super::{Server, json};
use crate::{
    cli::{
        Failure,
        client::refused,
        grid::{grid, right},
        print,
    },
    proto::{ReloadRequest, VersionChange, target::Name},
};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    server: Server,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

/// Reloads and prints what changed; versions that failed are a failure.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut client = arguments.server.connect().await?;
    let reloaded = client.reload(ReloadRequest {}).await.map_err(refused)?.into_inner();
    if arguments.json {
        return print(&json::text(&json::reloaded(&reloaded)));
    }
    let took = Duration::try_from_secs_f64(reloaded.seconds).unwrap_or_default();
    if reloaded.changes.is_empty() {
        return print(&format!("nothing changed (looked for {took:.1?})\n"));
    }
    let mut table = grid(["", "name", "version", "change"]);
    for change in &reloaded.changes {
        let (kind, name) = kind_and_name(change);
        let version = if change.version == 0 { String::new() } else { change.version.to_string() };
        let kind = comfy_table::Cell::new(kind);
        table.add_row([kind, name.into(), right(version), change_name(change).into()]);
    }
    print(&format!("{table}\n{}done in {took:.1?}\n", failures(&reloaded.changes)))
}

/// What is wrong with what failed.
fn failures(changes: &[VersionChange]) -> String {
    let mut text = String::new();
    for change in changes.iter().filter(|change| !change.problems.is_empty()) {
        let (kind, name) = kind_and_name(change);
        let version =
            if change.version == 0 { "policy".to_owned() } else { format!("version {}", change.version) };
        text += &format!("\n{kind} {name} {version}:\n");
        change.problems.iter().for_each(|problem| text += &format!("  {problem}\n"));
    }
    if text.is_empty() { text } else { text + "\n" }
}

pub(super) fn kind_and_name(change: &VersionChange) -> (&'static str, &str) {
    match change.target.as_ref().and_then(|target| target.name.as_ref()) {
        Some(Name::FeatureSet(name)) => ("feature set", name),
        Some(Name::Table(name)) => ("table", name),
        None => ("", ""),
    }
}

pub(super) fn change_name(change: &VersionChange) -> String {
    change.kind().as_str_name().trim_start_matches("CHANGE_KIND_").replace('_', " ").to_lowercase()
}
