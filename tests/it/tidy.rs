//! The layers hold: imports point downwards, and each outside library stays in its room.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The modules from the ground up; each imports from floors below its own.
const FLOORS: [&[&str]; 19] = [
    &["problem", "proto"],
    &["budget", "cancel"],
    &["batch", "journal"],
    &["files"],
    &["policy", "table", "transform"],
    &["spec"],
    &["plan"],
    &["snapshot"],
    &["live"],
    &["serve"],
    &["writes"],
    &["demo", "remote"],
    &["config"],
    &["loading", "telemetry"],
    &["metrics"],
    &["reload"],
    &["rpc"],
    &["admin"],
    &["app"],
];

/// Stands above all others.
const TOP: &str = "cli";

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).expect("reads a folder").map(|entry| entry.expect("reads a folder").path());
    let files = entries.flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|kind| kind == "rs")).collect()
}

/// The module of a file: `rpc` for `src/rpc/service.rs`.
fn module_of(file: &Path) -> String {
    let below = file.strip_prefix(source()).expect("below src");
    let first = below.iter().next().expect("a name").to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

fn floor_of(module: &str) -> Option<usize> {
    if module == TOP { Some(FLOORS.len()) } else { FLOORS.iter().position(|floor| floor.contains(&module)) }
}

/// The code before a file's tests.
fn code_of(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("reads a file");
    text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

/// The modules that a file names after `crate::`, alone or in braces.
fn imports(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => found.extend(names_of_group(group)),
            None => found.extend(first_word(rest)),
        }
    }
    found.retain(|name| floor_of(name).is_some());
    found
}

fn first_word(text: &str) -> Option<String> {
    let word: String = text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    (!word.is_empty()).then_some(word)
}

/// The first names of a group's entries.
fn names_of_group(group: &str) -> Vec<String> {
    let (mut names, mut depth, mut entry) = (Vec::new(), 0, String::new());
    for letter in group.chars() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.extend(first_word(std::mem::take(&mut entry).trim())),
            _ if depth == 0 => entry.push(letter),
            _ => {}
        }
    }
    names.extend(first_word(entry.trim()));
    names
}

#[test]
fn imports_point_downwards() {
    let mut upwards = Vec::new();
    for file in files_in(&source()) {
        let module = module_of(&file);
        let Some(floor) = floor_of(&module) else {
            assert!(["lib", "main"].contains(&module.as_str()), "{module} has no floor");
            continue;
        };
        for import in imports(&code_of(&file)) {
            if import != module && floor_of(&import) >= Some(floor) {
                upwards.push(format!("{}: {import}", file.display()));
            }
        }
    }
    assert!(upwards.is_empty(), "{upwards:#?}");
}

/// `main -> cli -> app -> { admin, rpc } -> ...`, from the top floor down.
fn picture() -> String {
    let floors = FLOORS.iter().rev().map(|floor| match floor {
        [single] => (*single).to_owned(),
        several => format!("{{ {} }}", several.join(", ")),
    });
    ["main", TOP].map(str::to_owned).into_iter().chain(floors).collect::<Vec<_>>().join(" -> ")
}

#[test]
fn pictures_of_the_layers_show_the_floors() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in ["docs/architecture.md", "src/lib.rs"] {
        let text = fs::read_to_string(root.join(file)).expect("reads a file").replace("//!", "");
        let words: Vec<_> = text.split_whitespace().collect();
        assert!(words.join(" ").contains(&picture()), "{file} lacks: {}", picture());
    }
}

#[test]
fn imports_are_found_in_groups_too() {
    let code =
        "use crate::{\n    batch::{Column, Mark},\n    serve,\n    table::Table,\n};\ncrate::rpc::call()";
    assert_eq!(imports(code), ["batch", "serve", "table", "rpc"]);
}

#[test]
fn libraries_stay_in_their_rooms() {
    let rooms: [(&str, &[&str]); 6] = [
        ("tonic", &["admin", "app", "cli", "metrics", "proto", "rpc"]),
        ("prost", &["cli", "proto", "rpc"]),
        ("parquet", &["demo", "files"]),
        ("arrow_array", &["demo", "files"]),
        ("csv", &["files"]),
        ("object_store", &["remote"]),
    ];
    for file in files_in(&source()) {
        let (module, code) = (module_of(&file), code_of(&file));
        // Tests write files of their own.
        if file.ends_with("tests.rs") {
            continue;
        }
        for (library, allowed) in rooms {
            let used = code.contains(&format!("{library}::"));
            assert!(!used || allowed.contains(&module.as_str()), "{library} in {}", file.display());
        }
    }
}

#[test]
fn files_stay_readable() {
    for file in files_in(&source()) {
        let lines = fs::read_to_string(&file).expect("reads a file").lines().count();
        assert!(lines <= 520, "{} has {lines} lines", file.display());
    }
}
