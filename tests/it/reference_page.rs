//! The reference pages say what the code does: one is written by it, the others are compared with its schemas.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use serde_json::Value;

const PAGE: &str = "docs/operations.md";

fn run(arguments: &[&str]) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_quiver")).args(arguments).output().expect("runs");
    String::from_utf8(done.stdout).expect("UTF-8")
}

fn page(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap_or_default()
}

#[test]
fn the_page_of_operations_is_up_to_date() {
    let (written, committed) = (run(&["schema", "operations"]), page(PAGE));
    let line = written.lines().zip(committed.lines()).position(|(one, other)| one != other);
    assert!(
        written == committed,
        "{PAGE} differs from line {:?} on; `cargo run -- schema operations > {PAGE}` writes it anew",
        line.map(|line| line + 1)
    );
}

#[test]
fn the_page_of_specs_names_every_field_and_word() {
    let page = page("docs/spec.md");
    for document in ["spec", "golden"] {
        let written = run(&["schema", document]);
        let schema: Value = serde_json::from_str(&written).expect("a JSON Schema");
        let mut words = BTreeSet::new();
        collect(&schema, &schema, &mut words);
        let missing: Vec<_> = words.iter().filter(|word| !is_named(&page, word)).collect();
        assert!(missing.is_empty(), "docs/spec.md lacks what `quiver schema {document}` has: {missing:?}");
    }
}

/// The fields of a schema and its definitions, and the words that a field may hold; without steps, which have a page of
/// their own.
fn collect(schema: &Value, root: &Value, words: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            if let Some(name) = fields.get("$ref").and_then(Value::as_str) {
                let name = name.trim_start_matches("#/$defs/");
                return collect(&root["$defs"][name], root, words);
            }
            if let Some(properties) = fields.get("properties").and_then(Value::as_object) {
                words.extend(properties.keys().cloned());
                let inside = properties.iter().filter(|(name, _)| *name != "steps");
                inside.for_each(|(_, property)| collect(property, root, words));
            }
            if let Some(named) = fields.get("enum").and_then(Value::as_array) {
                words.extend(named.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            words.extend(fields.get("const").and_then(Value::as_str).map(str::to_owned));
            for part in ["items", "oneOf", "anyOf", "additionalProperties"].map(|part| fields.get(part)) {
                part.into_iter().for_each(|part| collect(part, root, words));
            }
        }
        Value::Array(several) => several.iter().for_each(|one| collect(one, root, words)),
        _ => {}
    }
}

/// Whether a page has a word in code.
fn is_named(page: &str, word: &str) -> bool {
    let plain = word.trim_start_matches("list<").trim_end_matches('>');
    // Each unit of a time stands for the others.
    let plain = plain.split('[').next().unwrap_or(plain);
    let code = page.split('`').skip(1).step_by(2);
    code.into_iter().any(|code| {
        code.split(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != '-')
            .any(|one| one == plain)
    })
}
