//! `quiver admin versions`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use comfy_table::{Cell, Table};
use indicatif::{BinaryBytes, HumanCount, HumanDuration};

use super::{Server, json};
use crate::{
    cli::{
        Failure,
        client::refused,
        grid::{grid, right},
        print,
    },
    proto::{
        FeatureSetState, ListVersionsRequest, ShadowReport, TableState, TrafficPolicy, VersionState,
        traffic_policy::Serve,
    },
};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    server: Server,
    /// Shows only this feature set or table
    name: Option<String>,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

/// Asks and prints.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut client = arguments.server.connect().await?;
    let mut listed = client.list_versions(ListVersionsRequest {}).await.map_err(refused)?.into_inner();
    if let Some(name) = &arguments.name {
        listed.feature_sets.retain(|of| of.name == *name);
        listed.tables.retain(|of| of.name == *name);
        if listed.feature_sets.is_empty() && listed.tables.is_empty() {
            return Err(Failure::Failed(format!("there is no feature set or table {name:?}")));
        }
    }
    if arguments.json {
        return print(&json::text(&json::listed(&listed)));
    }
    let mut text = String::new();
    if !listed.feature_sets.is_empty() {
        text += &format!("{}\n", feature_sets(&listed.feature_sets));
    }
    if !listed.tables.is_empty() {
        text += &format!("{}\n", tables(&listed.tables));
    }
    for of in &listed.feature_sets {
        text += &problems("feature set", &of.name, &of.policy_problems, || {
            of.versions.iter().map(|version| (version.version, version.problems.as_slice()))
        });
        text += &of.shadow.as_ref().map(|shadow| shadow_text(&of.name, shadow)).unwrap_or_default();
    }
    for of in &listed.tables {
        text += &problems("table", &of.name, &of.policy_problems, || {
            of.versions.iter().map(|version| (version.version, version.problems.as_slice()))
        });
    }
    print(&text)
}

fn feature_sets(all: &[FeatureSetState]) -> Table {
    let mut table = grid([
        "feature set",
        "version",
        "state",
        "traffic",
        "loaded",
        "computed at load",
        "tables",
        "policy",
    ]);
    for of in all {
        for version in of.versions.iter().rev() {
            let tables = version.tables.iter().map(|of| format!("{} {}", of.table, of.version));
            let in_memory = version.loaded_at_ms > 0;
            let prepared =
                if in_memory { BinaryBytes(version.prepared_bytes).to_string() } else { String::new() };
            table.add_row([
                Cell::new(&of.name),
                right(version.version),
                Cell::new(state_name(version.state())),
                right(percent(version.share)),
                right(ago(version.loaded_at_ms)),
                right(prepared),
                Cell::new(tables.collect::<Vec<_>>().join(", ")),
                Cell::new(of.policy.as_ref().map(policy_text).unwrap_or_default()),
            ]);
        }
    }
    table
}

fn tables(all: &[TableState]) -> Table {
    let mut table =
        grid(["table", "version", "state", "rows", "live rows", "memory", "loaded", "read by", "policy"]);
    for of in all {
        for version in of.versions.iter().rev() {
            let readers = version.read_by.iter().map(|of| format!("{} {}", of.feature_set, of.version));
            let in_memory = version.loaded_at_ms > 0;
            let if_loaded = |text: String| right(if in_memory { text } else { String::new() });
            table.add_row([
                Cell::new(&of.name),
                right(version.version),
                Cell::new(state_name(version.state())),
                if_loaded(HumanCount(version.rows).to_string()),
                if_loaded(HumanCount(version.live_rows).to_string()),
                if_loaded(BinaryBytes(version.bytes + version.live_bytes).to_string()),
                right(ago(version.loaded_at_ms)),
                Cell::new(readers.collect::<Vec<_>>().join(", ")),
                Cell::new(of.policy.as_ref().map(policy_text).unwrap_or_default()),
            ]);
        }
    }
    table
}

fn percent(share: f64) -> String {
    if share > 0.0 {
        format!("{:.4}", share * 100.0).trim_end_matches('0').trim_end_matches('.').to_owned() + " %"
    } else {
        String::new()
    }
}

/// How long ago, for people; nothing for 0.
fn ago(at_ms: i64) -> String {
    let Some(at) = u64::try_from(at_ms).ok().filter(|at| *at > 0) else { return String::new() };
    let since = SystemTime::now().duration_since(UNIX_EPOCH + Duration::from_millis(at)).unwrap_or_default();
    format!("{} ago", HumanDuration(since))
}

pub(super) fn state_name(state: VersionState) -> String {
    state.as_str_name().trim_start_matches("VERSION_STATE_").to_lowercase()
}

/// `7=99, 8=1 by user_id; shadow 9 of 0.01`.
fn policy_text(policy: &TrafficPolicy) -> String {
    let serve = match &policy.serve {
        Some(Serve::Pinned(version)) => format!("pinned {version}"),
        Some(Serve::Weighted(split)) => {
            let weights = split.weights.iter().map(|of| format!("{}={}", of.version, of.weight));
            format!("{} by {}", weights.collect::<Vec<_>>().join(", "), split.routing_key)
        }
        Some(Serve::Latest(_)) | None => "latest".to_owned(),
    };
    match &policy.shadow {
        Some(shadow) => format!("{serve}; shadow {} of {}", shadow.version, shadow.sample_rate),
        None => serve,
    }
}

fn problems<'a, I: Iterator<Item = (u32, &'a [String])>>(
    kind: &str,
    name: &str,
    of_policy: &[String],
    versions: impl FnOnce() -> I,
) -> String {
    let mut text = String::new();
    let mut add = |title: String, lines: &[String]| {
        if !lines.is_empty() {
            text += &format!("\n{title}\n");
            lines.iter().for_each(|line| text += &format!("  {line}\n"));
        }
    };
    add(format!("{kind} {name}: the policy before this one stays in force:"), of_policy);
    versions().for_each(|(version, lines)| add(format!("{kind} {name} version {version}:"), lines));
    text
}

fn shadow_text(name: &str, shadow: &ShadowReport) -> String {
    let mut text = format!(
        "\n{name} shadow {}: {} requests compared, {} dropped, {} rejected, {} rows\n",
        shadow.version, shadow.compared, shadow.dropped, shadow.rejected, shadow.rows
    );
    if !shadow.first_rejection.is_empty() {
        text += &format!("  rejected first: {}\n", shadow.first_rejection);
    }
    if shadow.features.is_empty() {
        return text + "  no difference\n";
    }
    let mut table = grid(["output", "feature", "different rows", "first difference"]);
    for of in &shadow.features {
        let first =
            shadow.first.iter().find(|first| first.output == of.output && first.feature == of.feature);
        let first = first
            .map(|of| format!("row {} column {}: {} became {}", of.row, of.column, of.served, of.shadow));
        table.add_row([
            Cell::new(&of.output),
            Cell::new(&of.feature),
            right(HumanCount(of.rows)),
            Cell::new(first.unwrap_or_default()),
        ]);
    }
    text + &format!("{table}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_short() {
        assert_eq!([0.0, 0.01, 1.0, 0.000_1].map(percent), ["", "1 %", "100 %", "0.01 %"]);
    }
}
