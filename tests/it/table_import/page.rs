//! `docs/tables.md` holds every field of `table.json`, and its commands run.

use std::{env, fs, io::Write as _, path::Path, process::Command, sync::Arc};

use arrow_array::{Float64Array, Int64Array, RecordBatch, StringArray};
use serde_json::Value;

use super::{Place, batch, npy, safetensors, write_feather, write_parquet};

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tables.md")).expect("reads the page")
}

/// Names of fields and of their allowed values, anywhere in a JSON Schema.
fn names(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            for (name, field) in fields {
                match (name.as_str(), field) {
                    ("properties", Value::Object(properties)) => found.extend(properties.keys().cloned()),
                    ("const", Value::String(value)) => found.push(value.clone()),
                    ("enum", Value::Array(values)) => {
                        found.extend(values.iter().filter_map(|value| value.as_str().map(str::to_owned)));
                    }
                    _ => {}
                }
                names(field, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| names(value, found)),
        _ => {}
    }
}

#[test]
fn every_field_and_type_of_a_table_is_on_the_page() {
    let quiver = Command::new(env!("CARGO_BIN_EXE_quiver")).args(["schema", "table"]).output().expect("runs");
    let schema: Value = serde_json::from_slice(&quiver.stdout).expect("a JSON Schema");
    let mut wanted = Vec::new();
    names(&schema, &mut wanted);
    assert!(wanted.len() > 20, "{wanted:?}");
    let page = page();
    for name in wanted {
        let shown = [format!("`{name}`"), format!(".{name}`"), format!("\"{name}\"")];
        assert!(shown.iter().any(|shown| page.contains(shown)), "{name} is not on the page");
    }
}

fn ads() -> RecordBatch {
    batch(vec![
        ("ad_id", Arc::new(StringArray::from(vec!["a1", "a2"]))),
        ("price", Arc::new(Float64Array::from(vec![1.5, 2.0]))),
    ])
}

/// Makes the files that the page's commands name.
fn write_files(place: &Place) {
    place.write("ads.csv", "ad_id,category,price\na1,shoes,1.5\na2,,2.25\na3,hats,0.1\n");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"ad_id\tprice\na1\t1.5\n").expect("packs");
    place.write("ads.tsv.gz", gzip.finish().expect("packs"));
    place.write("raw.csv", "a1;1.5\na2;?\n");
    write_parquet(&place.path("ads.parquet"), &ads());
    for day in ["2024-01-01", "2024-01-02"] {
        write_parquet(&place.path(&format!("days/day={day}/part-0.parquet")), &ads());
    }
    let taste = batch(vec![
        ("user_id", Arc::new(Int64Array::from(vec![10_017]))),
        ("category", Arc::new(StringArray::from(vec!["shoes"]))),
        ("score", Arc::new(Float64Array::from(vec![0.5]))),
    ]);
    write_feather(&place.path("taste.feather"), &taste);
    place.write("emb.npy", npy());
    place.write("ids.txt", "7\n8\n");
    place.write("model.safetensors", safetensors("item_id"));
}

/// The commands of the page in its order, with arguments; those in a block have their output behind them.
fn commands(page: &str) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    let blocks: Vec<&str> = page.split("```").collect();
    for (position, text) in blocks.iter().enumerate() {
        if let Some(command) = text.strip_prefix("sh\n") {
            found.push((
                command.trim().to_owned(),
                Some(blocks[position + 2].trim_start_matches('\n').to_owned()),
            ));
        } else if position % 2 == 0 {
            let spans = text.split('`').skip(1).step_by(2);
            let commands =
                spans.filter(|span| span.starts_with("quiver table") && span.split(' ').count() > 3);
            found.extend(commands.map(|command| (command.to_owned(), None)));
        }
    }
    found
}

#[test]
fn the_commands_of_the_page_run() {
    let place = Place::new();
    write_files(&place);
    let binaries = Path::new(env!("CARGO_BIN_EXE_quiver")).parent().expect("a folder");
    let search = env::join_paths([binaries, Path::new("/usr/bin"), Path::new("/bin")]).expect("paths");
    let commands = commands(&page());
    assert!(commands.len() > 10, "{commands:?}");
    for (command, expected) in commands {
        let mut shell = Command::new("sh");
        let done = shell.current_dir(place.0.path()).env("PATH", &search).args(["-c", &command]).output();
        let done = done.expect("runs");
        assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
        if let Some(expected) = expected {
            let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
            assert_eq!(trimmed(&String::from_utf8_lossy(&done.stdout)), trimmed(&expected), "{command}");
        }
    }
}
