//! The demo's repository is one that the server takes: specs, tables and golden rows.

use quiver::{
    demo::{self, Recipe, Sizes},
    snapshot::{self, Options},
    table::Silent,
};

#[test]
fn its_golden_rows_come_out() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    demo::ensure(&folder.path().join("demo"), &Recipe::new(Sizes::SMALL, 5)).expect("writes");
    let loaded = snapshot::load(&folder.path().join("demo"), &Options::default(), &Silent).whole();
    let snapshot = loaded.unwrap_or_else(|problems| panic!("{problems}"));
    for (_, versions) in snapshot.feature_sets() {
        assert!(versions.values().all(|feature_set| feature_set.golden_rows() > Some(0)));
    }
}
