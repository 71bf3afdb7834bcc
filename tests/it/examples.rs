//! The examples work as their pages say.

use std::{fs, path::Path, process::Command};

use super::setup::copy;

const FOLDER: &str = "examples/handwritten";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The blocks of code in a language of a page in Markdown.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(page)).expect("reads a page");
    let begin = format!("```{language}\n");
    let blocks = text.split(&begin).skip(1).filter_map(|rest| rest.split("```").next());
    blocks.map(str::to_owned).collect()
}

#[test]
fn the_repository_written_by_hand_is_imported_and_checked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy(&root().join(FOLDER), folder.path());
    let here = folder.path().to_str().expect("UTF-8");
    let [commands] = &blocks("examples/handwritten/README.md", "sh")[..] else {
        panic!("one block of commands")
    };
    let commands = commands.lines().filter(|line| !line.contains(" serve ") && !line.contains(" get "));
    let mut said = String::new();
    for command in commands {
        let words = command.split(' ').skip(1).map(|word| word.replace(FOLDER, here));
        let done = Command::new(env!("CARGO_BIN_EXE_quiver")).args(words).output().expect("runs");
        assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
        said = String::from_utf8(done.stdout).expect("UTF-8");
    }
    assert!(said.contains("no problem found"), "{said}");
}

#[test]
fn the_page_of_specs_shows_the_repository_written_by_hand() {
    let shown = blocks("docs/spec.md", "json");
    for (shown, file) in shown.iter().zip(["spec.json", "golden.json"]) {
        let written = root().join(FOLDER).join("feature_sets/ads_ctr/3").join(file);
        assert_eq!(*shown, fs::read_to_string(written).expect("reads a file"), "{file}");
    }
    assert_eq!(shown.len(), 2);
}
