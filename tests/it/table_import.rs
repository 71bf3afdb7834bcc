//! `quiver table`: files of every kind become tables that load, and are looked into.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
};

use arrow_array::{
    ArrayRef, Float64Array, Int64Array, ListArray, NullArray, RecordBatch, StringArray, types::Float64Type,
};
use arrow_ipc::writer::FileWriter;
use parquet::arrow::ArrowWriter;

mod page;

/// A repository and files to import.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(name).parent().expect("a folder")).expect("makes");
        fs::write(self.path(name), bytes).expect("writes");
    }

    fn run(&self, command: &str, arguments: &[&str]) -> Output {
        let mut quiver = Command::new(env!("CARGO_BIN_EXE_quiver"));
        quiver.current_dir(self.0.path()).args(["table", command]).args(arguments).output().expect("runs")
    }

    /// Imports; gives what was printed, and what was said beside.
    fn import(&self, name: &str, arguments: &[&str]) -> (String, String) {
        let done = self.run("import", &[arguments, &["--repository", ".", "--name", name]].concat());
        let said = String::from_utf8(done.stderr).expect("UTF-8");
        assert!(done.status.success(), "{said}");
        (String::from_utf8(done.stdout).expect("UTF-8"), said)
    }

    fn refused(&self, name: &str, arguments: &[&str]) -> String {
        let done = self.run("import", &[arguments, &["--repository", ".", "--name", name]].concat());
        assert!(!done.status.success());
        String::from_utf8(done.stderr).expect("UTF-8")
    }

    fn shown(&self, command: &str, arguments: &[&str]) -> String {
        let done = self.run(command, arguments);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).expect("UTF-8")
    }

    fn versions(&self, table: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path("tables").join(table)).expect("lists");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }
}

/// The cells of the line that begins with a name.
fn line<'a>(shown: &'a str, name: &str) -> Vec<&'a str> {
    let cells = |line: &'a str| line.split_whitespace().collect::<Vec<_>>();
    let found = shown.lines().map(cells).find(|cells| cells.first() == Some(&name));
    found.unwrap_or_else(|| panic!("{name} is not in\n{shown}"))
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .expect("columns of one length")
}

fn write_parquet(file: &Path, batch: &RecordBatch) {
    fs::create_dir_all(file.parent().expect("a folder")).expect("makes");
    let mut writer =
        ArrowWriter::try_new(File::create(file).expect("creates"), batch.schema(), None).expect("starts");
    writer.write(batch).expect("writes");
    writer.close().expect("ends");
}

fn write_feather(file: &Path, rows: &RecordBatch) {
    let file = File::create(file).expect("creates");
    let mut writer = FileWriter::try_new(file, &rows.schema()).expect("starts");
    writer.write(rows).expect("writes");
    writer.finish().expect("ends");
}

/// Two vectors of two floats, of norms 1 and 5.
fn npy() -> Vec<u8> {
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n";
    let mut npy = b"\x93NUMPY\x01\x00".to_vec();
    npy.extend((header.len() as u16).to_le_bytes());
    npy.extend(header.as_bytes());
    npy.extend([0.6_f32, 0.8, 3.0, 4.0].iter().flat_map(|value| value.to_le_bytes()));
    npy
}

/// Two vectors of one float, and ids.
fn safetensors(id: &str) -> Vec<u8> {
    let header = format!(
        r#"{{"emb":{{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}},"{id}":{{"dtype":"I64","shape":[2],"data_offsets":[8,24]}}}}"#
    );
    let mut tensors = (header.len() as u64).to_le_bytes().to_vec();
    tensors.extend(header.as_bytes());
    tensors.extend([1.5_f32, -1.0].iter().flat_map(|value| value.to_le_bytes()));
    tensors.extend([70_i64, 80].iter().flat_map(|value| value.to_le_bytes()));
    tensors
}

fn vectors(rows: [Option<Vec<f64>>; 2]) -> ArrayRef {
    let rows = rows.map(|row| row.map(|row| row.into_iter().map(Some)));
    Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(rows))
}

#[test]
fn csv_becomes_a_table_and_the_next_version_takes_the_next_number() {
    let place = Place::new();
    place.write("ads.csv", "ad_id;name;price;seen\n7;\"a;b\";1.5;true\n8;;2;false\n-9;c\u{e9};;\n");
    let (shown, _) = place.import("ads", &["ads.csv", "--key", "ad_id"]);
    assert_eq!(line(&shown, "ad_id")[1..4], ["int64", "(key)", "0"]);
    assert_eq!(line(&shown, "price")[1..], ["float64", "1", "1.5"]);
    assert_eq!(line(&shown, "seen")[1..], ["bool", "1", "true"]);
    place.write("ads.csv", "ad_id;name;price;seen\n7;z;1.5;true\n");
    place.import("ads", &["ads.csv", "--key", "ad_id", "--column", "price:float32"]);
    assert_eq!(place.versions("ads"), ["1", "2"]);
    let stat = place.shown("stat", &["tables/ads/1"]);
    assert!(stat.starts_with("ads version 1: 3 rows"), "{stat}");
    assert!(line(&stat, "price").ends_with(&["1", "2", "1.5", "to", "2.0"]), "{stat}");
    assert_eq!(line(&place.shown("head", &["tables/ads"]), "7"), ["7", "z", "1.5", "true"]);
    let got = place.shown("get", &["tables/ads/1", "-9", "7"]);
    assert_eq!(line(&got, "name"), ["name", "c\u{e9}", "a;b"]);
    let missing = place.run("get", &["tables/ads", "8"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stdout).contains("key not found"));
    assert!(
        place.refused("ads", &["ads.csv", "--key", "ad_id", "--version", "2"]).contains("is there already")
    );
}

#[test]
fn days_of_parquet_with_other_types_become_one_table() {
    let place = Place::new();
    let ids = |ids: [f64; 2]| -> ArrayRef { Arc::new(Float64Array::from(ids.to_vec())) };
    write_parquet(
        &place.path("log/day=2024-01-01/part-0.parquet"),
        &batch(vec![
            ("ad", ids([1.0, 2.0])),
            ("n", Arc::new(Int64Array::from(vec![3, 4]))),
            ("note", Arc::new(NullArray::new(2))),
            ("emb", vectors([Some(vec![0.5, 0.1]), None])),
        ]),
    );
    write_parquet(
        &place.path("log/day=2024-01-02/part-0.pq"),
        &batch(vec![
            ("ad", ids([3.0, 1.0])),
            ("n", Arc::new(Float64Array::from(vec![0.5, 1.0]))),
            ("note", Arc::new(StringArray::from(vec!["x", "y"]))),
            ("emb", vectors([Some(vec![]), Some(vec![3.0, 4.0])])),
        ]),
    );
    let arguments = ["log", "--key", "ad", "--column", "emb:float32[2]"];
    let refused = place.refused("ads", &arguments);
    assert!(refused.contains("1 row has a key that an earlier row has"), "{refused}");
    assert!(!place.path("tables/ads").exists(), "nothing is left");
    let arguments = [&arguments[..], &["--duplicates", "last"]].concat();
    let refused = place.refused("ads", &arguments);
    let expected =
        "column emb: 1 value does not fit: log/day=2024-01-01/part-0.parquet, row 0: 0.1 is not exact";
    assert!(refused.contains(expected), "{refused}");
    let (shown, said) = place.import("ads", &[&arguments[..], &["--lossy"]].concat());
    assert_eq!(line(&shown, "n")[1], "float64");
    assert_eq!(line(&shown, "day")[1..], ["string", "0", "2024-01-01"]);
    assert!(said.contains("column emb: 1 value with loss"), "{said}");
    assert!(said.contains("1 row with another row's key left out"), "{said}");
    let got = place.shown("get", &["tables/ads", "1", "2"]);
    assert_eq!(line(&got, "emb"), ["emb", "[3.0,", "4.0]", "null"]);
    assert_eq!(line(&got, "day"), ["day", "2024-01-02", "2024-01-01"]);
    assert_eq!(line(&got, "note"), ["note", "y", "null"]);
}

#[test]
fn texts_become_times_and_vectors_where_that_is_stated() {
    let place = Place::new();
    place.write("ads.csv", "ad,seen,emb\n1,2024-01-31T08:30:00Z,\"[0.5, 2]\"\n2,,[]\n");
    let arguments =
        ["ads.csv", "--key", "ad", "--column", "seen:timestamp[ms]", "--column", "emb:float32[2]"];
    place.import("ads", &arguments);
    let got = place.shown("get", &["tables/ads", "1", "2"]);
    assert_eq!(line(&got, "seen"), ["seen", "2024-01-31T08:30:00Z", "null"]);
    assert_eq!(line(&got, "emb"), ["emb", "[0.5,", "2.0]", "null"]);
    let stat = place.shown("stat", &["tables/ads"]);
    assert!(stat.contains("2024-01-31T08:30:00Z to 2024-01-31T08:30:00Z"), "{stat}");
}

#[test]
fn command_lines_that_make_no_sense_are_rejected() {
    let place = Place::new();
    place.write("ads.csv", "ad,n\n1,2\n");
    place.write("emb.npy", npy());
    let checks: [(&str, &[&str], &str); 5] = [
        ("a.b", &["ads.csv", "--key", "ad"], "--name: \"a.b\" must not contain a dot"),
        ("ads", &["ads.csv", "--key", "ad", "--drop", "ad"], "--drop: ad is a column of the key"),
        (
            "ads",
            &["ads.csv", "emb.npy", "--key", "ad"],
            "FILE: arrays (*.npy, *.safetensors) and files of rows",
        ),
        ("ads", &["ads.csv", "--key", "ad", "--ids", "ids.txt"], "--ids: goes with *.npy and *.safetensors"),
        (
            "ads",
            &["ads.csv", "--key", "ad", "--column", "n:double"],
            "\"double\" is not a type; those of elements are",
        ),
    ];
    for (name, arguments, expected) in checks {
        let refused = place.refused(name, arguments);
        assert!(refused.contains(expected), "{expected} in {refused}");
    }
    assert!(!place.path("tables").exists());
}

#[test]
fn what_a_new_version_changes_is_noted() {
    let place = Place::new();
    place.write("ads.csv", "ad,price,name\n1,2.5,a\n");
    let (_, said) = place.import("ads", &["ads.csv", "--key", "ad"]);
    assert_eq!(said, "");
    let (_, said) = place.import("ads", &["ads.csv", "--key", "ad"]);
    assert_eq!(said, "", "nothing has changed");
    place.write("ads.csv", "ad,price\na1,2\n");
    let (_, said) = place.import("ads", &["ads.csv", "--key", "ad"]);
    let expect = [
        "note: column ad is string, in version 2 int64: --column 'ad:int64' keeps that",
        "note: column price is int64, in version 2 float64: --column 'price:float64' keeps that",
        "note: column name of version 2 is missing",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), expect);
}

#[test]
fn files_without_rows_are_rejected() {
    let place = Place::new();
    place.write("empty.csv", "");
    place.write("header.csv", "ad,n\n");
    for (file, expected) in [
        ("empty.csv", "--key ad: is no column; the files are empty"),
        ("header.csv", "column n: has no rows, so that its type is unknown: --column n:string states it"),
    ] {
        let refused = place.refused("ads", &[file, "--key", "ad"]);
        assert!(refused.contains(expected), "{expected} in {refused}");
    }
}

#[test]
fn a_column_has_one_stated_type() {
    let place = Place::new();
    place.write("ads.csv", "ad,price\n1,2\n");
    let twice = ["ads.csv", "--key", "ad", "--column", "price:int8", "--column", "price:float32"];
    assert!(place.refused("ads", &twice).contains("--column: price is given twice"));
}

#[test]
fn composite_keys_of_arrow_files_are_got_as_lists() {
    let place = Place::new();
    let rows = batch(vec![
        ("user", Arc::new(Int64Array::from(vec![1, 1]))),
        ("category", Arc::new(StringArray::from(vec!["hats", "shoes"]))),
        ("score", Arc::new(Float64Array::from(vec![0.25, 0.5]))),
    ]);
    write_feather(&place.path("taste.feather"), &rows);
    place.import("taste", &["taste.feather", "--key", "user", "--key", "category"]);
    let got = place.shown("get", &["tables/taste", "[1,shoes]"]);
    assert_eq!(line(&got, "score"), ["score", "0.5"]);
    assert_eq!(place.run("get", &["tables/taste", "1"]).status.code(), Some(2));
}

#[test]
fn arrays_with_ids_become_vectors() {
    let place = Place::new();
    place.write("v1.npy", npy());
    place.write("ids.txt", "u7\nu8\n");
    let arguments = ["v1.npy", "--key", "user", "--ids", "ids.txt"];
    let (shown, _) = place.import("users", &[&arguments[..], &["--column", "emb:float32[2]"]].concat());
    assert_eq!(line(&shown, "emb")[1..3], ["float32[2]", "0"]);
    let stat = place.shown("stat", &["tables/users"]);
    assert!(stat.contains("norms 1.0000 to 5.0000, 3.0000 on average"), "{stat}");
    assert_eq!(line(&place.shown("get", &["tables/users", "u8"]), "emb"), ["emb", "[3.0,", "4.0]"]);
    assert!(
        place.refused("users", &["v1.npy", "--key", "user"]).contains("--ids: must say where the keys are")
    );

    place.write("model.safetensors", safetensors("id"));
    place.import("items", &["model.safetensors", "--key", "id"]);
    assert_eq!(line(&place.shown("get", &["tables/items", "80"]), "emb"), ["emb", "[-1.0]"]);
}

#[test]
fn real_files_become_tables() {
    let Some(data) = std::env::var_os("QUIVER_REAL_DATA").map(PathBuf::from) else {
        eprintln!("skipped: QUIVER_REAL_DATA is not set");
        return;
    };
    let place = Place::new();
    let data = |name: &str| data.join(name).to_str().expect("UTF-8").to_owned();
    let items = data("open_bandit/random_men/item_context.csv");
    let (shown, _) = place.import("items", &[&items, "--key", "item_id"]);
    assert_eq!(line(&shown, "item_feature_0")[1..3], ["float64", "0"]);
    assert_eq!(line(&shown, "item_feature_1")[1], "string");
    let users = data("embeddings/ml1m_user_emb_6040x32_f32.npy");
    let (shown, _) = place.import("users", &[&users, "--key", "user_id", "--ids", "row-number"]);
    assert!(shown.contains("6,040 rows"), "{shown}");
    let cities = data("embeddings/feast_city_wikipedia_embeddings.parquet");
    let done =
        place.run("import", &[&cities, "--key", "id", "--name", "cities", "--repository", ".", "--dry-run"]);
    assert!(String::from_utf8_lossy(&done.stdout).contains("timestamp[ns]"), "{done:?}");
    assert!(String::from_utf8_lossy(&done.stdout).contains("[384]"), "{done:?}");
    let taxi = data("taxi/green_tripdata_2020-04.csv.gz");
    let refused = place.refused("taxi", &[&taxi, "--key", "VendorID"]);
    assert!(refused.contains("column ehail_fee: every value is null"), "{refused}");
}
