//! `quiver describe`: what a running server serves.

use clap::Args;
use comfy_table::{Cell, CellAlignment, Table, presets};

use super::{
    Failure,
    client::{Server, block_on, refused},
    print,
    request::time_type,
};
use crate::proto::{
    FailedVersion, FeatureDescription, FeatureSetVersions, GetFeatureSetRequest, GetFeatureSetResponse,
    InputDescription, InputType, ListFeatureSetsRequest, LookupDescription, OutputDescription, Scope,
    TableDescription,
};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    server: Server,
    /// Shows this feature set in full; without it, all of them in a line each
    feature_set: Option<String>,
    /// The version; 0 is the served default
    #[arg(long, default_value_t = 0)]
    version: u32,
}

/// Asks and prints.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    block_on(async {
        let mut client = arguments.server.connect().await?;
        if let Some(name) = &arguments.feature_set {
            let named = GetFeatureSetRequest { feature_set: name.clone(), version: arguments.version };
            let described = client.get_feature_set(named).await.map_err(refused)?.into_inner();
            return print(&in_full(&described));
        }
        let listed = client.list_feature_sets(ListFeatureSetsRequest {}).await.map_err(refused)?.into_inner();
        let mut table =
            table(["feature set", "versions", "failed", "served", "inputs", "outputs", "fingerprint"]);
        for set in &listed.feature_sets {
            let described = if set.default_version == 0 {
                GetFeatureSetResponse::default()
            } else {
                let named =
                    GetFeatureSetRequest { feature_set: set.name.clone(), version: set.default_version };
                client.get_feature_set(named).await.map_err(refused)?.into_inner()
            };
            table.add_row(row(set, described));
        }
        print(&format!("{table}\n{}", failures(&listed.feature_sets)))
    })
}

/// A feature set's line; where no version of it is served, `described` is empty.
fn row(set: &FeatureSetVersions, described: GetFeatureSetResponse) -> [String; 7] {
    let numbers =
        |versions: &mut dyn Iterator<Item = u32>| versions.map(|version| version.to_string()).collect();
    let versions: Vec<String> = numbers(&mut set.versions.iter().copied());
    let failed: Vec<String> = numbers(&mut set.failed_versions.iter().map(|failed| failed.version));
    let outputs: Vec<String> = described.outputs.iter().map(output_title).collect();
    [
        set.name.clone(),
        versions.join(", "),
        failed.join(", "),
        if set.default_version == 0 { "none".to_owned() } else { set.default_version.to_string() },
        names(described.inputs.iter().map(|input| input.name.as_str())),
        names(outputs.iter().map(String::as_str)),
        described.fingerprint,
    ]
}

/// What is wrong with the versions that failed.
fn failures(feature_sets: &[FeatureSetVersions]) -> String {
    let mut text = String::new();
    for set in feature_sets {
        for FailedVersion { version, problem } in &set.failed_versions {
            let problem = problem.replace('\n', "\n  ");
            text += &format!("\n{} version {version} failed to load:\n  {problem}\n", set.name);
        }
    }
    text
}

fn in_full(described: &GetFeatureSetResponse) -> String {
    let GetFeatureSetResponse {
        feature_set,
        version,
        fingerprint,
        inputs,
        outputs,
        tables,
        time_zone_database,
        golden_rows,
        lookups,
    } = described;
    let mut text = format!("{feature_set} version {version} ({fingerprint}), {golden_rows} golden rows\n");
    text += &format!("\ninputs\n{}\n", inputs_table(inputs));
    for output in outputs {
        text += &format!("\n{}\n{}\n", output_title(output), features_table(output));
    }
    if !lookups.is_empty() {
        text += &format!("\nlookups\n{}\n", lookups_table(lookups));
    }
    text += &format!("\ntables\n{}\n", tables_table(tables));
    text + &format!("\ntime zone database {time_zone_database}\n")
}

fn inputs_table(inputs: &[InputDescription]) -> Table {
    let mut table = table(["name", "type", "scope", "required", "NaN is"]);
    for input in inputs {
        let scalar = input_type(input);
        let float = scalar.starts_with("float");
        table.add_row([
            input.name.clone(),
            if input.list { format!("list<{scalar}>") } else { scalar },
            scope_name(input.scope()).to_owned(),
            if input.required { "yes" } else { "no" }.to_owned(),
            if !float {
                ""
            } else if input.nan_is_null {
                "null"
            } else {
                "a value"
            }
            .to_owned(),
        ]);
    }
    table
}

/// `int64`, `timestamp[us, Europe/Berlin]`.
fn input_type(input: &InputDescription) -> String {
    match input.dtype() {
        InputType::Timestamp | InputType::Duration | InputType::Date => {
            time_type(input).map(|of| of.to_string()).unwrap_or_default()
        }
        plain => plain.as_str_name().trim_start_matches("INPUT_TYPE_").to_lowercase(),
    }
}

fn features_table(output: &OutputDescription) -> Table {
    let mut table = table(["columns", "feature", "scope", "column names"]);
    for feature in &output.features {
        let last = (feature.offset + feature.width).saturating_sub(1);
        let columns =
            if feature.width == 1 { last.to_string() } else { format!("{}-{last}", feature.offset) };
        table.add_row([
            Cell::new(columns).set_alignment(CellAlignment::Right),
            Cell::new(&feature.name),
            Cell::new(scope_name(feature.scope())),
            Cell::new(names(column_names(feature).iter().map(String::as_str))),
        ]);
    }
    table
}

/// The full names of its columns, or those of its lanes.
fn column_names(feature: &FeatureDescription) -> &[String] {
    if feature.column_names.is_empty() { &feature.columns } else { &feature.column_names }
}

fn lookups_table(lookups: &[LookupDescription]) -> Table {
    let mut table = table(["name", "table", "older rows", "fall-backs"]);
    for lookup in lookups {
        let older = match lookup.stale.as_str() {
            "" => String::new(),
            stale => format!("than {}: {stale}", lookup.max_age),
        };
        table.add_row([lookup.name.clone(), lookup.table.clone(), older, lookup.fallbacks.join("\n")]);
    }
    table
}

fn tables_table(tables: &[TableDescription]) -> Table {
    let mut table = table(["name", "version", "rows", "memory"]);
    for described in tables {
        let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        table.add_row([
            Cell::new(&described.name),
            right(described.version.to_string()),
            right(described.rows.to_string()),
            right(indicatif::BinaryBytes(described.bytes).to_string()),
        ]);
    }
    table
}

/// `dense: float32, 200 wide`.
fn output_title(output: &OutputDescription) -> String {
    let dtype = output.dtype().as_str_name().trim_start_matches("DATA_TYPE_").to_lowercase();
    let rows = if output.ragged { "elements" } else { "rows" };
    format!("{}: {dtype} [{rows}, {}]", output.name, output.width)
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Request => "request",
        Scope::Row => "row",
        Scope::Unspecified => "",
    }
}

fn table<const N: usize>(head: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    table.set_header(head);
    table
}
