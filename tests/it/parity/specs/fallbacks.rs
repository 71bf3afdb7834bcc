//! Random ages and fall-backs of lookups.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{BY_LIST, pick, reference};

/// Spans with their nanoseconds.
const AGES: [(&str, i64); 4] = [
    ("1ms", 1_000_000),
    ("1h", 3_600_000_000_000),
    ("PT60M0.250S", 3_600_250_000_000),
    ("1d", 86_400_000_000_000),
];

/// The lookups, some of them with a greatest age, some with fall-backs.
pub fn with_extras(rng: &mut ChaCha8Rng, mut lookups: Value, aged: bool) -> Value {
    for lookup in lookups.as_array_mut().expect("lookups") {
        let name = lookup["name"].as_str().expect("a name").to_owned();
        let table = lookup["table"].as_str().expect("a table").to_owned();
        if aged && table != "pairs" && rng.random_bool(0.35) {
            let (text, nanoseconds) = AGES[rng.random_range(0..AGES.len())];
            lookup["max_age"] = json!(text);
            lookup["_max_age"] = json!(nanoseconds);
            lookup["stale"] = json!(pick(rng, &["serve", "null"]));
        }
        if !BY_LIST.contains(&name.as_str()) && rng.random_bool(0.3) {
            let count = rng.random_range(1..4);
            let fallbacks = (0..count).map(|_| fallback(rng, &name, &table));
            lookup["fallbacks"] = fallbacks.collect();
        }
    }
    lookups
}

fn fallback(rng: &mut ChaCha8Rng, name: &str, table: &str) -> Value {
    match rng.random_range(0..3) {
        0 => row(rng, table),
        1 if table != "pairs" => json!({"pool": pool(rng, table)}),
        _ => other_key(rng, name, table),
    }
}

/// A row that gives some of the columns.
fn row(rng: &mut ChaCha8Rng, table: &str) -> Value {
    let all = match table {
        "items" => {
            json!({"float": 0.75, "half": 0.5, "vector": [1.5, -2.0, 0.0, 0.25], "wide": null, "text": "b",
            "group": 2, "flag": true, "tags": ["a", "x", null], "numbers": [0.5]})
        }
        "groups" => json!({"float": -1.25, "vector": [0.5, 0.5, 0.25, -4.0]}),
        _ => json!({"float": 2.5, "count": 3}),
    };
    let all = all.as_object().expect("an object").clone();
    let some = all.into_iter().filter(|_| rng.random_bool(0.7));
    json!({"row": some.collect::<serde_json::Map<_, _>>()})
}

/// A key of the request, of another lookup's row, or of a feature; below a table's row for lookups that are there too.
fn other_key(rng: &mut ChaCha8Rng, name: &str, table: &str) -> Value {
    match table {
        "items" if rng.random_bool(0.5) => {
            json!({"table": "groups", "key": one_of(rng, &["q_int", "r_int"]),
                "columns": {"float": "float", "half": "float", "vector": "vector", "wide": "vector"}})
        }
        "items" => {
            let keys = ["q_text", "r_text", "feature.key_row", "feature.key_joined"];
            json!({"table": "items", "key": one_of(rng, &keys)})
        }
        "groups" if name == "group" && rng.random_bool(0.7) => {
            json!({"table": "groups", "key": one_of(rng, &["cross.count", "pair.count"])})
        }
        "groups" => {
            let own = if name == "own_group" { "r_int" } else { "own.group" };
            json!({"table": "groups", "key": one_of(rng, &["q_int", "r_int", own])})
        }
        _ => {
            json!({"table": "pairs", "key": {"text": "r_text", "int": one_of(rng, &["q_int", "r_int"])},
            "columns": {"float": "float", "count": "count"}})
        }
    }
}

fn one_of(rng: &mut ChaCha8Rng, references: &[&str]) -> Value {
    let picked = pick(rng, references);
    reference(rng, picked)
}

fn pool(rng: &mut ChaCha8Rng, table: &str) -> Value {
    let function = pick(rng, &["mean", "sum", "max", "sqrtn"]);
    let mut pool = if table == "items" || rng.random_bool(0.5) {
        json!({"table": "items", "keys": pick(rng, &["q_texts", "r_texts", "feature.key_texts"])})
    } else {
        json!({"table": "items", "keys": {"input": "q_texts"}})
    };
    pool["columns"] = match table {
        "items" => json!({"float": "half", "half": "half", "vector": "vector", "wide": "vector"}),
        _ => json!({"float": "float", "vector": "wide"}),
    };
    pool["function"] = json!(function);
    pool["cap"] = json!(rng.random_range(1..6));
    pool["pick"] = if rng.random_bool(0.5) {
        json!("first")
    } else {
        json!({"sample": {"seed": rng.random_range(0..9)}})
    };
    if function != "max" && rng.random_bool(0.5) {
        pool["weights"] = json!("q_floats");
    }
    pool
}
