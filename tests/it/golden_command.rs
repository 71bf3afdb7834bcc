//! `quiver golden`: golden rows of a spec that was written by hand.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

use super::setup::copy;

const ROWS: &str = "user_id,ad_id,bid\n7,a1,\n7,a2,0.5\n7,a9,2\n8,a3,1\n8,,\n";

fn quiver(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quiver")).args(arguments).output().expect("runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The example's repository with its tables, without golden rows, and a file of rows beside it.
struct Example {
    folder: tempfile::TempDir,
}

impl Example {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/handwritten"), folder.path());
        let example = Self { folder };
        for (table, keys) in [("ads", &["ad_id"][..]), ("user_category", &["user_id", "category"])] {
            let csv = example.path(&format!("csv/{table}.csv"));
            let here = example.path("");
            let mut arguments = vec!["table", "import", &csv, "--name", table, "--repository", &here];
            keys.iter().for_each(|key| arguments.extend(["--key", key]));
            let done = quiver(&arguments);
            assert!(done.status.success(), "{}", said(&done));
        }
        fs::remove_file(example.golden()).expect("removes the golden rows");
        fs::write(example.path("rows.csv"), ROWS).expect("writes rows");
        let checked = said(&quiver(&["check", &example.path("")]));
        assert!(checked.contains("warning: ads_ctr version 3 has no golden rows"), "{checked}");
        example
    }

    fn path(&self, below: &str) -> String {
        self.folder.path().join(below).to_str().expect("UTF-8").to_owned()
    }

    fn golden(&self) -> PathBuf {
        self.folder.path().join("feature_sets/ads_ctr/3/golden.json")
    }

    /// What `transform` makes of the rows.
    fn transform(&self, columns: &str, output: &str) {
        let (here, rows, output) = (self.path(""), self.path("rows.csv"), self.path(output));
        let files = ["--repository", &here, "-f", "ads_ctr", "--input", &rows, "--output", &output];
        let done = quiver(&[&["transform", "--columns", columns][..], &files].concat());
        assert!(done.status.success(), "{}", said(&done));
    }

    fn write_golden(&self, expected: &str) -> Output {
        let (here, rows, expected) = (self.path(""), self.path("rows.csv"), self.path(expected));
        quiver(&[
            "golden",
            "--repository",
            &here,
            "-f",
            "ads_ctr",
            "--inputs",
            &rows,
            "--expected",
            &expected,
        ])
    }
}

#[test]
fn rows_become_cases_with_the_tables_rows_that_they_read() {
    let example = Example::new();
    for columns in ["each", "outputs"] {
        example.transform(columns, "expected.parquet");
        let done = example.write_golden("expected.parquet");
        assert!(said(&done).starts_with("5 golden rows in "), "{}", said(&done));
        let text = fs::read_to_string(example.golden()).expect("reads");
        let golden: Value = serde_json::from_str(&text).expect("JSON");
        let rows: Vec<_> =
            golden["cases"].as_array().expect("cases").iter().map(|case| &case["rows"]).collect();
        // A request has one user.
        assert_eq!(rows, [3, 2]);
        assert_eq!(golden["cases"][0]["inputs"]["user_id"], serde_json::json!([7]));
        assert_eq!(golden["cases"][1]["inputs"]["ad_id"], serde_json::json!(["a3", null]));
        assert_eq!(golden["tables"]["ads"]["ad_id"], serde_json::json!(["a1", "a2", "a3"]));
        assert_eq!(golden["tables"]["user_category"]["clicks"], serde_json::json!([12, 3, 1]));
        let checked = said(&quiver(&["check", &example.path("")]));
        assert!(checked.contains("no problem found") && !checked.contains("warning"), "{checked}");
    }
}

#[test]
fn values_that_quiver_does_not_compute_are_not_written() {
    let example = Example::new();
    fs::write(
        example.path("expected.csv"),
        "bid,clicks\n0.8109302,12\n0.4054651,3\n1.0986123,0\n0.7,1\n0.8109302,0\n",
    )
    .expect("writes");
    let done = example.write_golden("expected.csv");
    assert_eq!(done.status.code(), Some(1));
    assert!(said(&done).contains("bid"), "{}", said(&done));
    assert!(!example.golden().exists());
}

#[test]
fn files_that_do_not_fit_are_named() {
    let example = Example::new();
    let checks = [
        ("bid\n1\n", "expected.csv, column clicks: is missing, as 1 of 2 columns of output \"dense\""),
        ("price\n1\n", "expected.csv: has no column of an output"),
        ("bid,clicks\n1,2\n", "--expected: output \"dense\" has 1 rows, --inputs 5: both need the same rows"),
        ("bid,clicks\nx,2\n", "expected.csv, row 0, column bid: "),
    ];
    for (text, expect) in checks {
        fs::write(example.path("expected.csv"), text).expect("writes");
        let done = example.write_golden("expected.csv");
        assert_eq!(done.status.code(), Some(1));
        assert!(said(&done).contains(expect), "{}", said(&done));
    }
}
