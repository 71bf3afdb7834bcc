//! Times in requests and files: their unit is stated, checked, and never guessed.

use std::{fs, path::Path, process::Command, sync::Arc};

use arrow_array::{
    ArrayRef, Date32Array, Int64Array, RecordBatch, TimestampMicrosecondArray, TimestampNanosecondArray,
};
use parquet::arrow::ArrowWriter;
use quiver::{
    batch::{Column as ColumnOf, Element, Mark, Strings, Type, Values},
    proto::{Column, GetFeatureSetRequest, GetFeaturesRequest, GetFeaturesResponse, InputType, TimeUnit},
    transform::{Operation as _, Transform},
};
use serde_json::Value;
use tempfile::TempDir;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::setup::{Client, connect, int64s, serve};

const SPEC: &str = r#"{
    "format": "quiver.spec/1", "name": "times", "version": 1,
    "inputs": [
        {"name": "now", "dtype": "timestamp[ms, Europe/Berlin]", "scope": "request", "required": true},
        {"name": "seen", "dtype": "timestamp[ms]", "scope": "row", "required": true},
        {"name": "day", "dtype": "date", "scope": "row", "required": true},
        {"name": "count", "dtype": "int64", "scope": "row", "required": false}],
    "features": [
        {"name": "hours", "inputs": ["seen", "now"], "default": -1,
         "steps": [{"op": "age", "unit": "milliseconds", "in": "hours", "negative": "keep"}]},
        {"name": "hour", "input": "now", "default": -1,
         "steps": [{"op": "time_parts", "part": "hour", "unit": "milliseconds", "zone": "Europe/Berlin"}]},
        {"name": "is_day", "input": "day",
         "steps": [{"op": "ordinal", "categories": ["2024-01-31", "2024-02-29"], "offset": 0,
                    "unknown": {"value": -2}, "null": {"value": -3}}]},
        {"name": "seen", "input": "seen", "default": -1}],
    "outputs": [
        {"name": "dense", "dtype": "float32", "features": ["hours", "hour"]},
        {"name": "ids", "dtype": "int64", "features": ["is_day", "seen"]}]
}"#;

/// 2024-02-29T12:00:00+01:00 in milliseconds.
const NOON: i64 = 1_709_204_400_000;

fn repository(spec: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let version = folder.path().join("feature_sets/times/1");
    fs::create_dir_all(&version).expect("makes folders");
    fs::create_dir_all(folder.path().join("tables")).expect("makes folders");
    fs::write(version.join("spec.json"), spec).expect("writes");
    folder
}

fn counted(unit: TimeUnit, column: Column) -> Column {
    Column { time_unit: unit.into(), ..column }
}

fn request(change: impl FnOnce(&mut Vec<Column>)) -> GetFeaturesRequest {
    let mut columns = vec![
        counted(TimeUnit::Milliseconds, int64s("now", &[NOON])),
        counted(TimeUnit::Milliseconds, int64s("seen", &[NOON - 86_400_000, NOON])),
        counted(TimeUnit::Days, int64s("day", &[19_782, 19_783])),
    ];
    change(&mut columns);
    GetFeaturesRequest { feature_set: "times".to_owned(), columns, ..GetFeaturesRequest::default() }
}

async fn asked(client: &mut Client, request: GetFeaturesRequest) -> Result<GetFeaturesResponse, Status> {
    client.get_features(request).await.map(tonic::Response::into_inner)
}

fn floats(data: &[u8]) -> Vec<f32> {
    data.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

fn integers(data: &[u8]) -> Vec<i64> {
    data.as_chunks::<8>().0.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect()
}

#[tokio::test]
async fn times_are_served_in_the_unit_of_their_input() {
    let folder = repository(SPEC);
    let server = serve(folder.path(), &[]).await;
    let mut client = connect(&server).await;
    let answer = asked(&mut client, request(|_| {})).await.expect("an answer");
    assert_eq!(floats(&answer.outputs[0].data), [24.0, 12.0, 0.0, 12.0]);
    assert_eq!(integers(&answer.outputs[1].data), [1, NOON - 86_400_000, -2, NOON]);

    let described = GetFeatureSetRequest { feature_set: "times".to_owned(), version: 0 };
    let described = client.get_feature_set(described).await.expect("described").into_inner();
    let now = &described.inputs[0];
    assert_eq!((now.dtype(), now.time_unit()), (InputType::Timestamp, TimeUnit::Milliseconds));
    assert_eq!(now.time_zone, "Europe/Berlin");
    let day = &described.inputs[2];
    assert_eq!((day.dtype(), day.time_unit(), day.time_zone.as_str()), (InputType::Date, TimeUnit::Days, ""));
    assert_eq!(described.inputs[3].time_unit(), TimeUnit::Unspecified);
    assert!(described.time_zone_database.starts_with("20"), "{}", described.time_zone_database);
}

#[tokio::test]
async fn a_unit_is_never_guessed() {
    let folder = repository(SPEC);
    let server = serve(folder.path(), &[]).await;
    let mut client = connect(&server).await;
    let wrong = request(|columns| {
        columns[0].time_unit = TimeUnit::Unspecified.into();
        columns[1].time_unit = TimeUnit::Microseconds.into();
        columns[2].time_unit = 77;
        columns.push(counted(TimeUnit::Seconds, int64s("count", &[1, 2])));
    });
    let status = asked(&mut client, wrong).await.expect_err("rejected");
    assert_eq!(status.code(), Code::InvalidArgument);
    let violations = status.get_error_details().bad_request().expect("violations").field_violations.clone();
    let found: Vec<_> = violations.iter().map(|one| (one.field.as_str(), one.description.as_str())).collect();
    assert_eq!(found, [("columns[2].time_unit", "is 77, which is no TimeUnit")]);

    let wrong = request(|columns| {
        columns[0].time_unit = TimeUnit::Unspecified.into();
        columns[1].time_unit = TimeUnit::Microseconds.into();
        columns.push(counted(TimeUnit::Seconds, int64s("count", &[1, 2])));
    });
    let status = asked(&mut client, wrong).await.expect_err("rejected");
    let violations = status.get_error_details().bad_request().expect("violations").field_violations.clone();
    let found: Vec<_> = violations.iter().map(|one| (one.field.as_str(), one.description.as_str())).collect();
    let expected = [
        (
            "columns[0].time_unit",
            "is missing; input \"now\" is timestamp[ms, Europe/Berlin], which counts milliseconds",
        ),
        (
            "columns[1].time_unit",
            "is microseconds; input \"seen\" is timestamp[ms], which counts milliseconds",
        ),
        ("columns[3].time_unit", "is seconds; input \"count\" is int64, which is not a time"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn operations_state_the_unit_of_their_inputs() {
    for (good, bad, expected) in [
        (
            r#""age", "unit": "milliseconds""#,
            r#""age", "unit": "seconds""#,
            "unit: is seconds; its input is timestamp[ms], which counts milliseconds",
        ),
        (
            r#""inputs": ["seen", "now"]"#,
            r#""inputs": ["day", "now"]"#,
            "unit: is milliseconds; its input is date, which counts days",
        ),
        (r#""zone": "Europe/Berlin"}"#, r#""zone": "Mars"}"#, "\"Mars\" is not \"UTC\""),
        (
            r#"["hours", "hour"]"#,
            r#"["hours", "hour", "seen"]"#,
            "feature \"seen\" is timestamp[ms]: an int64 output holds its count",
        ),
        (r#""timestamp[ms]""#, r#""timestamp[m]""#, "has no unit s, ms, us or ns"),
    ] {
        assert!(SPEC.contains(good), "{good}");
        let folder = repository(&SPEC.replace(good, bad));
        let checked = quiver(&["check", &folder.path().display().to_string()]);
        let problems =
            String::from_utf8_lossy(&checked.stderr).into_owned() + &String::from_utf8_lossy(&checked.stdout);
        assert_eq!(problems.matches(expected).count(), 1, "{expected} in\n{problems}");
    }
}

fn quiver(arguments: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_quiver")).args(arguments).output().expect("runs")
}

fn write_parquet(file: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let mut writer =
        ArrowWriter::try_new(fs::File::create(file).expect("creates"), batch.schema(), None).expect("starts");
    writer.write(&batch).expect("writes");
    writer.close().expect("ends");
}

fn transform(repository: &Path, input: &Path, output: &Path) -> std::process::Output {
    let text = |path: &Path| path.display().to_string();
    quiver(&[
        "transform",
        "--repository",
        &text(repository),
        "--feature-set",
        "times",
        "--input",
        &text(input),
        "--output",
        &text(output),
    ])
}

#[test]
fn files_are_converted_exactly_or_rejected() {
    let folder = repository(SPEC);
    let place = |name: &str| folder.path().join(name);
    let days: ArrayRef = Arc::new(Date32Array::from(vec![19_782, 19_783]));
    let seen =
        |first: i64| -> ArrayRef { Arc::new(TimestampNanosecondArray::from(vec![first, NOON * 1_000_000])) };
    let now: ArrayRef =
        Arc::new(TimestampMicrosecondArray::from(vec![NOON * 1_000; 2]).with_timezone("Asia/Tokyo"));
    let good =
        vec![("now", now.clone()), ("seen", seen((NOON - 86_400_000) * 1_000_000)), ("day", days.clone())];
    write_parquet(&place("good.parquet"), good);
    let done = transform(folder.path(), &place("good.parquet"), &place("out.parquet"));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let written = crate::transform::rows::read_parquet(&place("out.parquet"));
    let of = |name: &str| &written.columns.iter().find(|(column, _)| column == name).expect("a column").1;
    assert_eq!(floats(of("hours")), [24.0, 0.0]);
    assert_eq!(integers(of("seen")), [NOON - 86_400_000, NOON]);

    let csv = "now,seen,day\n2024-02-29T12:00:00+01:00,2024-02-28T11:00:00Z,2024-02-29\n\
        2024-02-29T12:00:00+01:00,2024-02-29 11:00:00,2024-03-01\n";
    fs::write(place("good.csv"), csv).expect("writes");
    let done = transform(folder.path(), &place("good.csv"), &place("out.parquet"));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let again = crate::transform::rows::read_parquet(&place("out.parquet"));
    assert_eq!(again.columns, written.columns);

    let naive: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![NOON * 1_000; 2]));
    let bare: ArrayRef = Arc::new(Int64Array::from(vec![NOON * 1_000; 2]));
    write_parquet(&place("bad.parquet"), vec![("now", naive), ("seen", bare), ("day", days.clone())]);
    let reported = rejected(&transform(folder.path(), &place("bad.parquet"), &place("bad.out.parquet")));
    for expected in [
        "column now: is Timestamp(µs), which can't be read as timestamp[ms, Europe/Berlin] without loss: it has no time zone",
        "column seen: is Int64, which can't be read as timestamp[ms] without loss: its numbers have no unit",
    ] {
        assert!(reported.contains(expected), "{expected} in\n{reported}");
    }
    write_parquet(&place("fine.parquet"), vec![("now", now), ("seen", seen(1)), ("day", days)]);
    let reported = rejected(&transform(folder.path(), &place("fine.parquet"), &place("bad.out.parquet")));
    let expected = "fine.parquet, row 0, column seen: 1 nanoseconds are not exact in timestamp[ms]";
    assert!(reported.contains(expected), "{reported}");
    fs::write(place("bad.csv"), "now,seen,day\n2024-02-29T12:00:00,1709204400000,2024-02-30\n")
        .expect("writes");
    let reported = rejected(&transform(folder.path(), &place("bad.csv"), &place("bad.out.parquet")));
    for expected in [
        "row 0, column now: \"2024-02-29T12:00:00\" has no offset from UTC",
        "row 0, column seen: \"1709204400000\" has no unit",
        "row 0, column day: \"2024-02-30\" is not date",
    ] {
        assert!(reported.contains(expected), "{expected} in\n{reported}");
    }
    assert!(!place("bad.out.parquet").exists());
}

fn rejected(output: &std::process::Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_version_names_the_time_zone_database() {
    let version = String::from_utf8(quiver(&["--version"]).stdout).expect("UTF-8");
    assert!(version.contains("(time zone database 20"), "{version}");
}

#[test]
fn texts_are_the_times_that_pandas_reads() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/times/pandas.json");
    let fixture: Value = serde_json::from_str(&fs::read_to_string(file).expect("reads")).expect("JSON");
    for case in fixture["cases"].as_array().expect("cases") {
        let step: Transform = serde_json::from_value(case["step"].clone()).expect("a step");
        let texts: Vec<&str> =
            case["texts"].as_array().expect("texts").iter().filter_map(Value::as_str).collect();
        let expected: Vec<Option<i64>> =
            case["counts"].as_array().expect("counts").iter().map(Value::as_i64).collect();
        let compiled = step.compile(&[Type::scalar(Element::String)]).expect("good");
        let marks = vec![Mark::PRESENT; texts.len()];
        let column = ColumnOf { values: Values::String(Strings::from_values(&texts)), marks, list: None };
        let mut out = ColumnOf::new(compiled.output);
        compiled.kernel.run(&[&column], &mut out);
        for ((text, expected), (&value, mark)) in
            texts.iter().zip(expected).zip(out.int64().iter().zip(&out.marks))
        {
            assert_eq!((!mark.is_null()).then_some(value), expected, "{text} by {}", case["step"]);
        }
    }
}
