//! Keys that are features: joined, formatted and bucketed, by a request, a row or a table's row.

use std::{collections::BTreeMap, sync::Arc};

use quiver::{
    batch::{Column, Mark, Strings, Values},
    serve::{
        self,
        answer::{Elements, TensorBuffer},
        outcome::Limits,
        request::{Encoding, Layout, Request, RequestColumn, StatusDetail},
    },
    snapshot::{Binder, FeatureSet, Snapshot},
    spec::{
        ScalarType,
        read::{Version, spec_from_text},
    },
    table::{Table, TableSchema},
};
use serde_json::{Value, json};

const LIMITS: Limits =
    Limits { rows: 10_000, text_bytes: 16 << 20, list_elements: 1_000_000, answer_bytes: 64 << 20 };

fn texts(texts: &[&str]) -> Column {
    let marks = vec![Mark::PRESENT; texts.len()];
    Column { values: Values::String(Strings::from_values(texts)), marks, list: None }
}

fn floats(values: &[f64]) -> Column {
    Column { values: Values::Float64(values.to_vec()), marks: vec![Mark::PRESENT; values.len()], list: None }
}

fn table(name: &str, column: Value, keys: &[&str], values: Column) -> (String, Arc<Table>) {
    let schema = json!({"format": "quiver.table/1", "name": name, "version": 1,
        "key": [{"name": "id", "dtype": "string"}], "columns": [column]});
    let schema = TableSchema::from_json(&schema.to_string()).expect("a schema");
    let made = Table::from_columns(schema, vec![texts(keys)], vec![values]).expect("a table");
    (name.to_owned(), Arc::new(made))
}

/// Ads with their categories, and encodings of "user|category", as scikit-learn's TargetEncoder has them for a cross.
fn tables() -> BTreeMap<String, Arc<Table>> {
    let category = json!({"name": "category", "dtype": "string", "shape": "scalar"});
    let rate = json!({"name": "rate", "dtype": "float64", "shape": "scalar", "nan": "null"});
    BTreeMap::from([
        table("ads", category, &["ad-1", "ad-2", "ad-3"], texts(&["Food", "AUTOS", "Games"])),
        table("encodings", rate, &["7|food", "7|autos", "8|food"], floats(&[0.25, 0.5, 0.75])),
    ])
}

/// The key is the user's number and the ad's category in lower case, joined.
fn spec() -> Value {
    json!({"format": "quiver.spec/1", "name": "crossed", "version": 1,
        "inputs": [
            {"name": "user", "dtype": "int64", "scope": "request", "required": true},
            {"name": "ad", "dtype": "string", "scope": "row", "required": true}],
        "lookups": [
            {"name": "cross", "table": "encodings", "key": {"feature": "cross"}},
            {"name": "ads", "table": "ads", "key": "ad"}],
        "features": [
            {"name": "encoded", "input": "cross.rate", "default": -1},
            {"name": "cross", "inputs": ["feature.user", "feature.category"],
             "steps": [{"op": "join_text", "separator": "|", "null": "null"}]},
            {"name": "user", "input": "user", "steps": [{"op": "format", "integer": "decimal"}]},
            {"name": "category", "input": "ads.category",
             "steps": [{"op": "normalize_text", "case": "lower", "accents": "keep", "trim": false}]}],
        "outputs": [{"name": "dense", "dtype": "float32", "features": ["encoded"]}]})
}

fn build(spec: &Value, cap: Option<usize>) -> Snapshot {
    let (spec, fingerprint) = spec_from_text(&spec.to_string()).unwrap_or_else(|found| panic!("{found}"));
    let version = Version { spec, fingerprint, golden: None };
    let built = FeatureSet::build(version, &tables(), &Binder::within(cap))
        .unwrap_or_else(|problems| panic!("{problems}"));
    Snapshot::new([built])
}

fn column(name: &str, scalar: ScalarType, values: Values) -> RequestColumn {
    RequestColumn {
        name: name.to_owned(),
        scalar,
        values,
        indices: None,
        offsets: None,
        time_unit: None,
        nulls: Vec::new(),
        null_elements: Vec::new(),
    }
}

/// The values and the statuses of a request.
fn answer(snapshot: &Snapshot, user: i64, ads: RequestColumn) -> (Vec<f32>, Vec<u8>) {
    let user = column("user", ScalarType::Int64, Values::Int64(vec![user]));
    let request = Request {
        feature_set: "crossed".to_owned(),
        version: 0,
        rows: None,
        columns: vec![user, ads],
        outputs: Vec::new(),
        layout: Layout::Dense,
        encoding: Encoding::Raw,
        status: StatusDetail::Rows,
        now: 0,
    };
    let call = serve::prepare(snapshot, request, &LIMITS).expect("a good request");
    let mut data = vec![0; call.tensors()[0].data_bytes()];
    let mut status = vec![0; call.tensors()[0].status_bytes(StatusDetail::Rows)];
    let buffer = TensorBuffer { elements: Elements::Dense(&mut data), status: &mut status };
    call.fetch(&|| false).expect("rows").run(&mut [buffer], &|| false).expect("a run");
    let values = data.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().expect("4 bytes")));
    (values.collect(), status)
}

fn ads(ads: &[&str]) -> RequestColumn {
    column("ad", ScalarType::String, Values::String(Strings::from_values(ads)))
}

#[test]
fn an_encoding_of_a_cross_is_served() {
    for cap in [None, Some(0)] {
        let snapshot = build(&spec(), cap);
        let (values, statuses) = answer(&snapshot, 7, ads(&["ad-2", "ad-1", "ad-3", "ad-9"]));
        assert_eq!(values, [0.5, 0.25, -1.0, -1.0]);
        assert_eq!(statuses, [0, 0, 5, 5]);
        assert_eq!(answer(&snapshot, 8, ads(&["ad-1"])).0, [0.75]);
        assert!(answer(&snapshot, 8, ads(&[])).0.is_empty());
    }
}

#[test]
fn keys_of_more_rows_than_a_block_are_found() {
    let names: Vec<String> = (0..1200).map(|row| format!("ad-{}", row % 4)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let of_row = [-1.0, 0.25, 0.5, -1.0];
    let expected: Vec<f32> = (0..1200).map(|row| of_row[row % 4]).collect();
    let dictionary = RequestColumn {
        values: Values::String(Strings::from_values(["ad-0", "ad-1", "ad-2", "ad-3"])),
        indices: Some((0..1200).map(|row| row % 4).collect()),
        ..ads(&[])
    };
    let snapshot = build(&spec(), None);
    assert_eq!(answer(&snapshot, 7, ads(&names)).0, expected);
    assert_eq!(answer(&snapshot, 7, dictionary).0, expected);
}

#[test]
fn a_key_that_depends_on_its_own_lookup_is_rejected() {
    let mut circle = spec();
    circle["features"][3]["input"] = json!("cross.rate");
    let (circle, fingerprint) = spec_from_text(&circle.to_string()).expect("readable");
    let version = Version { spec: circle, fingerprint, golden: None };
    let reported =
        FeatureSet::build(version, &tables(), &Binder::default()).expect_err("a circle").to_string();
    let chain = "depends on itself: lookup \"cross\" reads feature \"cross\" reads feature \"category\" reads lookup \"cross\"";
    assert!(reported.contains(chain), "{reported}");
}

#[test]
fn a_key_of_another_type_is_rejected() {
    let mut number = spec();
    number["lookups"][0]["key"] = json!("feature.user");
    number["features"][2]["steps"] = json!([{"op": "cast", "to": "float64"}]);
    let (number, fingerprint) = spec_from_text(&number.to_string()).expect("readable");
    let version = Version { spec: number, fingerprint, golden: None };
    let reported =
        FeatureSet::build(version, &tables(), &Binder::default()).expect_err("a float").to_string();
    assert!(
        reported.contains(
            "lookups[0] \"cross\".key: is float64; the key column \"id\" of table \"encodings\" is string"
        ),
        "{reported}"
    );
}
