use serde_json::{Value, json};

use super::*;
use crate::{
    batch::Element,
    spec::read::spec_from_text,
    table::{ColumnSchema, KeyColumn},
};

fn schemas() -> BTreeMap<String, TableSchema> {
    let table = |name: &str, key: &[&str]| TableSchema {
        live: false,
        name: name.to_owned(),
        version: 1,
        key: key.iter().map(|&name| KeyColumn { name: name.to_owned(), element: Element::String }).collect(),
        columns: vec![
            ColumnSchema::scalar("price", crate::files::Stored::Float64),
            ColumnSchema::scalar("a.b", crate::files::Stored::String),
        ],
        event_time: None,
    };
    let tables = [
        table("ads", &["ad_id"]),
        table("tastes", &["user_id", "category"]),
        table("odd", &["input"]),
        table("files", &["file", "column"]),
    ];
    tables.into_iter().map(|table| (table.name.clone(), table)).collect()
}

/// Builds a spec of string inputs, lookups and features that read what is given.
fn build(inputs: &[&str], lookups: Value, reads: &[Value]) -> Result<Graph, Problems> {
    let inputs: Vec<Value> = inputs
        .iter()
        .map(|name| json!({"name": name, "dtype": "string", "scope": "row", "required": true}))
        .collect();
    let features =
        reads.iter().enumerate().map(|(at, read)| json!({"name": format!("f{at}"), "input": read}));
    let document = json!({"format": "quiver.spec/1", "name": "s", "version": 1, "inputs": inputs,
        "lookups": lookups, "features": features.collect::<Vec<_>>(), "outputs": []});
    let (spec, _) = spec_from_text(&document.to_string())?;
    Graph::build(&spec, &schemas())
}

fn problems(inputs: &[&str], lookups: Value, reads: &[Value]) -> String {
    build(inputs, lookups, reads).expect_err("rejected").to_string()
}

#[test]
fn names_are_kept_letter_for_letter() {
    let lookups = json!([{"name": "ad", "table": "ads", "key": "ad_id"}]);
    let inputs = ["ad_id", "x.y", "x_y", "a/b\\c\n", " ", "größe"];
    let reads = ["x.y", "x_y", "a/b\\c\n", " ", "größe", "ad.price", "ad.a.b", "feature.f0"].map(Value::from);
    let graph = build(&inputs, lookups, &reads).expect("good");
    let sources: Vec<_> = graph.features[..5].iter().map(|&node| &graph.nodes[node].source).collect();
    for (position, source) in sources.into_iter().enumerate() {
        assert!(matches!(source, Source::Input(input) if *input == position + 1), "{position}");
    }
    assert!(matches!(graph.nodes[graph.features[6]].source, Source::Column { lookup: 0, column: 1 }));
    assert_eq!(graph.features[7], graph.features[0]);
}

#[test]
fn a_string_that_fits_two_is_ambiguous() {
    let lookups = json!([{"name": "ad", "table": "ads", "key": "id"}]);
    let inputs = ["id", "ad.price", "ad.nothing", "feature.f0"];
    let reported =
        problems(&inputs, lookups.clone(), &["ad.price", "ad.nothing", "feature.f0"].map(Value::from));
    let expected = [
        "features[0].input: \"ad.price\" is ambiguous: write {\"input\": \"ad.price\"} or {\"lookup\": \"ad\", \"column\": \"price\"}",
        "features[1].input: \"ad.nothing\" is ambiguous: write {\"input\": \"ad.nothing\"} or {\"lookup\": \"ad\", \"column\": \"nothing\"}",
        "features[2].input: \"feature.f0\" is ambiguous: write {\"input\": \"feature.f0\"} or {\"feature\": \"f0\"}",
    ];
    assert_eq!(reported.lines().collect::<Vec<_>>(), expected);
    let objects =
        [json!({"input": "ad.price"}), json!({"lookup": "ad", "column": "price"}), json!({"feature": "f0"})];
    let graph = build(&inputs, lookups, &objects).expect("good");
    assert!(matches!(graph.nodes[graph.features[0]].source, Source::Input(1)));
    assert!(matches!(graph.nodes[graph.features[1]].source, Source::Column { .. }));
}

#[test]
fn unknown_names_are_reported_with_the_available_ones() {
    let lookups = json!([{"name": "ad", "table": "ads", "key": "id"}]);
    let reads = ["ids", "ads.price", "f0", "ad.cost", "feature.g"].map(Value::from);
    let reported = problems(&["id"], lookups, &reads);
    let expected = [
        "there is no input \"ids\"; available inputs: id",
        "there is no input \"ads.price\" and no lookup \"ads\"; available inputs: id; available lookups: ad",
        "there is no input \"f0\"; available inputs: id; the feature of that name is \"feature.f0\"",
        "table \"ads\" has no column \"cost\"; available columns: price, a.b",
        "there is no feature \"g\"; available features: f0, f1, f2, f3, f4",
    ];
    for (position, (line, message)) in reported.lines().zip(expected).enumerate() {
        assert_eq!(line, format!("features[{position}].input: {message}"));
    }
}

#[test]
fn lookups_have_names_of_prefixes() {
    let lookup = |name: &str| json!({"name": name, "table": "ads", "key": "id"});
    let reported = problems(&["id"], json!([lookup("a.b"), lookup("feature"), lookup("")]), &[]);
    let places: Vec<&str> = reported.lines().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(places, ["lookups[2].name", "lookups[0].name", "lookups[1].name"], "{reported}");
}

#[test]
fn key_columns_are_matched_by_name() {
    let taste = |key: Value| json!([{"name": "t", "table": "tastes", "key": key}]);
    let graph =
        build(&["c", "u"], taste(json!({"category": "c", "user_id": {"input": "u"}})), &[]).expect("good");
    // In the table's order.
    assert_eq!(graph.lookups[0].keys, [1, 0]);
    let cases = [
        (
            json!(["u", "c"]),
            "is a list; key columns are matched by name: write {\"user_id\": \"u\", \"category\": \"c\"}",
        ),
        (
            json!("u"),
            "is a single reference; table \"tastes\" has 2 key columns: write {\"user_id\": \"u\", \"category\": ...}",
        ),
        (json!({"user_id": "u"}), "lacks key column \"category\" of table \"tastes\""),
        (
            json!({"user_id": "u", "category": "c", "kind": "c"}),
            "table \"tastes\" has no key column \"kind\"; its key columns: user_id, category",
        ),
    ];
    for (key, expected) in cases {
        assert_eq!(problems(&["u", "c"], taste(key), &[]), format!("lookups[0].key: {expected}"));
    }
}

#[test]
fn key_columns_may_have_any_name() {
    let odd = |key: Value| json!([{"name": "o", "table": "odd", "key": key}]);
    let reported = problems(&["id"], odd(json!({"input": "id"})), &[]);
    assert!(reported.ends_with("such as {\"input\": {\"input\": \"id\"}}"), "{reported}");
    assert!(build(&["id"], odd(json!({"input": {"input": "id"}})), &[]).is_ok());
    assert!(build(&["id"], odd(json!("id")), &[]).is_ok());
    let files = json!([{"name": "f", "table": "files", "key": {"file": "id", "column": "id"}}]);
    assert!(build(&["id"], files, &[]).is_ok());
}

#[test]
fn what_depends_on_itself_is_reported_once() {
    let lookups = json!([{"name": "one", "table": "ads", "key": "two.a.b"},
        {"name": "two", "table": "ads", "key": "one.a.b"}]);
    let reported = problems(&[], lookups, &[json!("feature.f1"), json!("feature.f0")]);
    let expected = [
        "lookups[0].key: depends on itself: lookup \"one\" reads lookup \"two\" reads lookup \"one\"",
        "features[0]: depends on itself: feature \"f0\" reads feature \"f1\" reads feature \"f0\"",
    ];
    assert_eq!(reported.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn long_chains_are_built_in_their_order_and_rejected_against_it() {
    let chain = |count: usize, step: isize| {
        let read = |at: usize| match at.checked_add_signed(-step).filter(|&read| read < count) {
            Some(read) => Value::from(format!("feature.f{read}")),
            None => Value::from("x"),
        };
        build(&["x"], json!([]), &(0..count).map(read).collect::<Vec<_>>())
    };
    assert_eq!(chain(20_000, 1).expect("in order").features.len(), 20_000);
    assert!(chain(200, -1).is_ok(), "against the order, but not far");
    let problems = chain(300, -1).expect_err("far against the order");
    let expect = "features[256]: is read by 256 parts above it, each by the next: write it before them";
    assert_eq!(problems.to_string(), expect);
}

#[test]
fn fallbacks_report_every_problem_with_its_place() {
    let lookup =
        |fallbacks: Value| json!([{"name": "ad", "table": "ads", "key": "id", "fallbacks": fallbacks}]);
    let pool = |keys: &str| {
        json!({"pool": {"table": "tastes", "keys": keys, "function": "mean", "cap": 0,
        "pick": "first", "columns": {"a.b": "a.b"}}})
    };
    let fallbacks = json!([
        {"table": "adverts", "key": "id"},
        {"table": "odd", "key": "nothing", "columns": {"cost": "price", "price": "a.b"}},
        pool("id"),
        {"row": {"price": "dear", "cost": 1}},
        {"table": "odd", "key": "id", "columns": {"cost": "price", "price": "a.b"}},
    ]);
    let reported = problems(&["id"], lookup(fallbacks), &["ad.price".into()]);
    let places: Vec<&str> = reported.lines().filter_map(|line| line.split(": ").next()).collect();
    let expected = [
        "lookups[0].fallbacks[0].table",
        "lookups[0].fallbacks[1].key",
        "lookups[0].fallbacks[2].pool.cap",
        "lookups[0].fallbacks[2].pool.keys",
        "lookups[0].fallbacks[2].pool.columns.a.b",
        "lookups[0].fallbacks[3].row.cost",
        "lookups[0].fallbacks[3].row.price",
        "lookups[0].fallbacks[4].columns.cost",
        "lookups[0].fallbacks[4].columns.price",
    ];
    assert_eq!(places, expected, "{reported}");
}

#[test]
fn ages_need_event_times_and_both_fields() {
    let lookup = |name: &str, fields: Value| {
        let mut lookup = json!({"name": name, "table": "ads", "key": "id"});
        lookup.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        lookup
    };
    let lookups = json!([
        lookup("a", json!({"max_age": "6h", "stale": "null"})),
        lookup("b", json!({"max_age": "6h"})),
        lookup("c", json!({"stale": "serve"})),
    ]);
    let expected = [
        "lookups[0].max_age: table \"ads\" has no event_time: its rows have no age",
        "lookups[1].stale: is missing: \"serve\" or \"null\", for rows that are older than max_age",
        "lookups[2].stale: is for lookups with a max_age",
    ];
    assert_eq!(problems(&["id"], lookups, &[]).lines().collect::<Vec<_>>(), expected);
}
