//! The committed reference page is the one that the command writes.

use std::{fs, path::Path, process::Command};

const PAGE: &str = "docs/operations.md";

#[test]
fn the_page_of_operations_is_up_to_date() {
    let written = Command::new(env!("CARGO_BIN_EXE_quiver")).args(["schema", "operations"]).output();
    let written = String::from_utf8(written.expect("runs").stdout).expect("UTF-8");
    let committed = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE)).unwrap_or_default();
    let line = written.lines().zip(committed.lines()).position(|(one, other)| one != other);
    assert!(
        written == committed,
        "{PAGE} differs from line {:?} on; `cargo run -- schema operations > {PAGE}` writes it anew",
        line.map(|line| line + 1)
    );
}
