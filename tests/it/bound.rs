//! Plans and the tables that they are bound to: what versions share, what a new table changes, what golden rows hold.

use std::{collections::BTreeMap, sync::Arc};

use quiver::{
    batch::{Column, Mark, Values},
    budget::Budget,
    snapshot::{Binder, FeatureSet},
    spec::{
        golden::Golden,
        read::{Version, spec_from_text},
    },
    table::{Table, TableSchema},
};
use serde_json::{Value, json};

type Tables = BTreeMap<String, Arc<Table>>;

fn table(name: &str, version: u32, columns: &[&str], values: &[Vec<f64>]) -> Arc<Table> {
    let columns: Vec<Value> = columns
        .iter()
        .map(|name| json!({"name": name, "dtype": "float64", "shape": "scalar", "nan": "value"}))
        .collect();
    let schema = json!({"format": "quiver.table/1", "name": name, "version": version,
        "key": [{"name": "id", "dtype": "int64"}], "columns": columns});
    let schema = TableSchema::from_json(&schema.to_string()).expect("a schema");
    let rows = values[0].len();
    let present = || vec![Mark::PRESENT; rows];
    let keys = Column { values: Values::Int64((0..rows as i64).collect()), marks: present(), list: None };
    let column =
        |values: &Vec<f64>| Column { values: Values::Float64(values.clone()), marks: present(), list: None };
    Arc::new(Table::from_columns(schema, vec![keys], values.iter().map(column).collect()).expect("a table"))
}

fn tables() -> Tables {
    BTreeMap::from([
        ("ads".to_owned(), table("ads", 1, &["price"], &[vec![1.0, 2.0]])),
        ("users".to_owned(), table("users", 1, &["age"], &[vec![30.0, 40.0, 50.0]])),
    ])
}

/// A spec of two lookups whose price is divided by `scale`.
fn version(number: u32, scale: f64, golden: Option<Value>) -> Version {
    let step = |scale: f64| json!({"op": "standardize", "mean": 0.0, "scale": scale, "form": "divide", "precision": "float64"});
    let spec = json!({"format": "quiver.spec/1", "name": "ads_ctr", "version": number,
        "inputs": [
            {"name": "user", "dtype": "int64", "scope": "request", "required": true},
            {"name": "ad", "dtype": "int64", "scope": "row", "required": true}],
        "lookups": [
            {"name": "user", "table": "users", "key": "user"},
            {"name": "ad", "table": "ads", "key": "ad"}],
        "features": [
            {"name": "age", "input": "user.age", "steps": [step(10.0)], "default": 0},
            {"name": "price", "input": "ad.price", "steps": [step(scale)], "default": 0}],
        "outputs": [{"name": "dense", "dtype": "float32", "features": ["age", "price"]}]});
    let (spec, fingerprint) = spec_from_text(&spec.to_string()).unwrap_or_else(|found| panic!("{found}"));
    let golden = golden.map(|golden| serde_json::from_value::<Golden>(golden).expect("golden rows"));
    Version { spec, fingerprint, golden }
}

fn build(version: Version, tables: &Tables, binder: &Binder) -> FeatureSet {
    FeatureSet::build(version, tables, binder).unwrap_or_else(|problems| panic!("{problems}"))
}

fn golden(age: f64) -> Value {
    json!({"format": "quiver.golden/1", "tables": {"users": {"id": [7], "age": [age]}}, "cases": [
        {"rows": 1, "inputs": {"user": [7], "ad": [9]},
         "outputs": {"dense": {"rows": [[3, 0]], "max_ulp": 0}}}]})
}

#[test]
fn versions_share_equal_load_time_results() {
    let (tables, binder) = (tables(), Binder::default());
    let first = build(version(1, 2.0, None), &tables, &binder);
    assert_eq!(binder.shelf.rows.in_use(), 2);
    let same = build(version(2, 2.0, None), &tables, &binder);
    assert_eq!(binder.shelf.rows.in_use(), 2, "both lookups' records are those of version 1");
    let other = build(version(3, 2.0000000000000004, None), &tables, &binder);
    assert_eq!(binder.shelf.rows.in_use(), 3, "users' records are, ads' are not");
    drop((first, same));
    assert_eq!(binder.shelf.rows.in_use(), 2, "what no version needs is gone");
    drop(other);
    assert_eq!(binder.shelf.rows.in_use(), 0);
}

#[test]
fn a_new_table_rebuilds_only_what_depends_on_it() {
    let (mut tables, binder) = (tables(), Binder::default());
    let first = build(version(1, 2.0, None), &tables, &binder);
    tables.insert("ads".to_owned(), table("ads", 2, &["price"], &[vec![8.0, 9.0]]));
    let second = first.rebind(&tables, &binder).expect("the same columns");
    assert!(Arc::ptr_eq(first.plan(), second.plan()), "the plan is the same");
    assert_eq!(binder.shelf.rows.in_use(), 3, "users' records are shared");
    let versions =
        |of: &FeatureSet| of.tables().iter().map(|table| table.schema().version).collect::<Vec<_>>();
    assert_eq!((versions(&first), versions(&second)), (vec![1, 1], vec![2, 1]));
}

#[test]
fn a_table_of_other_columns_compiles_the_plan_again() {
    let (mut tables, binder) = (tables(), Binder::default());
    let first = build(version(1, 2.0, None), &tables, &binder);
    tables.insert("ads".to_owned(), table("ads", 2, &["stock", "price"], &[vec![8.0], vec![9.0]]));
    let second = first.rebind(&tables, &binder).expect("the column is there");
    assert!(!Arc::ptr_eq(first.plan(), second.plan()));
    tables.insert("ads".to_owned(), table("ads", 3, &["stock"], &[vec![8.0]]));
    let refused = second.rebind(&tables, &binder).expect_err("the column is gone").to_string();
    assert!(refused.contains("table \"ads\" has no column \"price\""), "{refused}");
}

#[test]
fn golden_rows_hold_the_program_that_serves() {
    // With and without load-time results: the program is another.
    for cap in [None, Some(0), Some(100)] {
        let (mut tables, binder) = (tables(), Binder::within(cap));
        let good = build(version(1, 2.0, Some(golden(30.0))), &tables, &binder);
        assert_eq!(good.golden_rows(), Some(1));
        let refused = FeatureSet::build(version(1, 2.0, Some(golden(31.0))), &tables, &binder);
        let refused = refused.expect_err("3.1 is not 3").to_string();
        assert!(
            refused.contains("golden.json: outputs.dense: feature \"age\" differs"),
            "{cap:?}: {refused}"
        );
        // A table that takes more than the cap changes the program, which is then held to the rows again.
        tables.insert("users".to_owned(), table("users", 2, &["age"], &[vec![30.0; 100]]));
        let rebound = good.rebind(&tables, &binder).expect("the rows are reproduced");
        assert_eq!(Arc::ptr_eq(good.bound().program(), rebound.bound().program()), cap != Some(100));
    }
}

#[test]
fn load_time_results_over_the_memory_budget_are_rejected() {
    let tables = tables();
    let of = |bytes: u64| Binder::within_budget(None, Budget::new(Some(bytes)));
    let roomy = of(1 << 20);
    let built = build(version(1, 2.0, None), &tables, &roomy);
    let refused = FeatureSet::build(version(1, 2.0, None), &tables, &of(built.prepared_memory() as u64 - 1));
    let refused = refused.expect_err("a byte is missing").to_string();
    assert!(refused.contains("features computed over table ads needs"), "{refused}");
    assert!(refused.contains("--memory-budget"), "{refused}");
}
