//! Random steps over categories, and random features of several of them.

use rand::{RngExt as _, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{FLOAT, Kind, categories, pick, time::is_typed};

/// What an integer result is.
const INTEGER: Kind = Kind { element: "int64", width: None, list: false };

/// A step for one input of this kind.
pub fn step(rng: &mut ChaCha8Rng, kind: Kind) -> Option<(Value, Kind)> {
    if kind.width.is_some() {
        return None;
    }
    let hashed = is_hashed(kind);
    Some(match rng.random_range(0..8) {
        0 if hashed => (hash_bucket(rng, kind), Kind { element: "int64", ..kind }),
        1 if hashed => {
            let hash = hash_bucket(rng, kind);
            let hash = hash.as_object()?.iter().filter(|(name, _)| *name != "op");
            let hash: serde_json::Map<_, _> =
                hash.map(|(name, value)| (name.clone(), value.clone())).collect();
            let unknown = json!({"buckets": {"first": rng.random_range(-3..3), "hash": hash}});
            let of_null = if rng.random_bool(0.5) { json!("null") } else { json!({"value": 8}) };
            let step = json!({"op": "ordinal", "categories": keys(kind), "offset": 100, "unknown": unknown,
                "null": of_null});
            (step, Kind { element: "int64", ..kind })
        }
        2 => one_hot_with_null(rng, kind),
        3 | 4 => map_values(rng, kind),
        5 | 6 if kind.list || rng.random_bool(0.3) => {
            let weighting = pick(rng, &["binary", "count", "log_count"]);
            multi_hot(rng, kind, weighting)
        }
        7 => (spark_hash(rng, &[kind])?, Kind { element: "int64", ..kind }),
        _ if kind.element == "string" => feature_hash(rng),
        _ => return None,
    })
}

fn is_hashed(kind: Kind) -> bool {
    matches!(kind.element, "string" | "int64" | "uint64") && kind.width.is_none()
}

/// Categories of the kind, among floats too.
fn keys(kind: Kind) -> Vec<Value> {
    match kind.element {
        "float64" => vec![json!(0), json!("nan"), json!(1), json!("-inf"), json!(1e30)],
        _ => categories(kind),
    }
}

fn hash_bucket(rng: &mut ChaCha8Rng, kind: Kind) -> Value {
    let (family, seed) = hash_family(rng);
    let (family, seed) =
        if kind.element == "int64" && rng.random_bool(0.2) { ("identity", json!(0)) } else { (family, seed) };
    let key = pick(rng, &["decimal", "little_endian", "little_endian_32"]);
    json!({"op": "hash_bucket", "family": family, "seed": seed, "key": key, "buckets": rng.random_range(1..40),
        "map": map(rng)})
}

fn hash_family(rng: &mut ChaCha8Rng) -> (&'static str, Value) {
    let word = |rng: &mut ChaCha8Rng| {
        if rng.random_bool(0.5) { json!(rng.random_range(0..100)) } else { json!("18446744073709551557") }
    };
    match rng.random_range(0..5) {
        0 => ("murmur3_x86_32", json!(rng.random_range(0..u32::MAX))),
        1 => ("xxhash64", word(rng)),
        2 => ("murmur_hash_64a", word(rng)),
        3 => ("siphash24", json!([word(rng), word(rng)])),
        _ => ("farm_fingerprint64", json!(0)),
    }
}

fn map(rng: &mut ChaCha8Rng) -> &'static str {
    pick(rng, &["abs_modulo", "floor_modulo", "unsigned_modulo"])
}

fn one_hot_with_null(rng: &mut ChaCha8Rng, kind: Kind) -> (Value, Kind) {
    let mut categories = widened(rng, kind, keys(kind));
    let infrequent = if rng.random_bool(0.5) { vec![categories.remove(0)] } else { Vec::new() };
    let columns = categories.len() + 1 + usize::from(!infrequent.is_empty());
    let dropped = rng.random_bool(0.3);
    let drop = if dropped { json!({"position": rng.random_range(0..columns)}) } else { json!("none") };
    let step = json!({"op": "one_hot", "categories": categories, "infrequent": infrequent, "drop": drop,
        "unknown": pick(rng, &["zeros", "null"]), "null": "column"});
    (step, Kind { element: "float64", width: Some(columns - usize::from(dropped)), ..kind })
}

fn map_values(rng: &mut ChaCha8Rng, kind: Kind) -> (Value, Kind) {
    let keys = keys(kind);
    let width = rng.random_bool(0.5).then_some(3);
    let value = |rng: &mut ChaCha8Rng| {
        let number = |rng: &mut ChaCha8Rng| json!(rng.random_range(-2.0..2.0));
        match width {
            Some(width) => json!((0..width).map(|_| number(rng)).collect::<Vec<_>>()),
            None => number(rng),
        }
    };
    let values: Vec<Value> = keys.iter().map(|_| value(rng)).collect();
    let mut stand_in = || match rng.random_range(0..3) {
        0 => json!("null"),
        1 => json!({"value": "nan"}),
        _ => json!({"value": value(rng)}),
    };
    let step = json!({"op": "map_values", "keys": keys, "values": values, "unknown": stand_in(),
        "null": stand_in()});
    (step, Kind { element: "float64", width, ..kind })
}

fn multi_hot(rng: &mut ChaCha8Rng, kind: Kind, weighting: &str) -> (Value, Kind) {
    let categories = widened(rng, kind, keys(kind));
    let width = Some(categories.len());
    let step = json!({"op": "multi_hot", "categories": categories, "weighting": weighting,
        "unknown": pick(rng, &["ignore", "null"]), "null": pick(rng, &["zeros", "null"])});
    (step, Kind { width, ..FLOAT })
}

/// Now and then with so many more categories that results are kept as sparse vectors.
fn widened(rng: &mut ChaCha8Rng, kind: Kind, mut categories: Vec<Value>) -> Vec<Value> {
    if rng.random_bool(0.7) {
        return categories;
    }
    match kind.element {
        "string" => categories.extend((0..200).map(|number| json!(format!("more {number}")))),
        "bool" => {}
        _ => categories.extend((0..200).map(|number| json!(5000 + number))),
    }
    categories
}

fn feature_hash(rng: &mut ChaCha8Rng) -> (Value, Kind) {
    let width = if rng.random_bool(0.3) { 300 } else { 6 };
    let step = json!({"op": "feature_hash", "width": width, "prefix": pick(rng, &["", "t="]), "alternate_sign": rng.random_bool(0.5),
        "null": pick(rng, &["zeros", "null"]), "scheme": pick(rng, &["spark", "scikit_learn"])});
    (step, Kind { width: Some(width), ..FLOAT })
}

/// `None` where one of the kinds has no type of Spark's.
fn spark_hash(rng: &mut ChaCha8Rng, kinds: &[Kind]) -> Option<Value> {
    let types: Option<Vec<&str>> = kinds
        .iter()
        .map(|kind| match kind.element {
            "string" => Some("string"),
            "bool" => Some("boolean"),
            "int64" => Some(pick(rng, &["int", "long"])),
            "float64" => Some(pick(rng, &["float", "double"])),
            _ => None,
        })
        .collect();
    let buckets = if rng.random_bool(0.5) { json!("none") } else { json!(rng.random_range(1..50)) };
    Some(
        json!({"op": "spark_hash", "family": pick(rng, &["murmur3", "xxhash64"]), "seed": 42, "types": types?,
        "buckets": buckets}),
    )
}

/// A feature of several of the things that can be read.
pub fn join(rng: &mut ChaCha8Rng, readable: &[(String, Kind)]) -> Option<(Value, Kind)> {
    match rng.random_range(0..4) {
        0 => {
            let scalars = drawn(rng, readable, 1..5, |kind| kind.width.is_none() && !kind.list)?;
            let kinds: Vec<Kind> = scalars.iter().map(|(_, kind)| *kind).collect();
            let step = spark_hash(rng, &kinds)?;
            Some((of_inputs(&scalars, step), INTEGER))
        }
        1 => {
            // Four lists can have more combinations than are computed.
            let count = if rng.random_bool(0.1) { 4..5 } else { 2..4 };
            let all = drawn(rng, readable, count, is_hashed)?;
            let list = all.iter().any(|(_, kind)| kind.list);
            let step = hash_cross(rng);
            Some((of_inputs(&all, step), Kind { list, ..INTEGER }))
        }
        choice => {
            let list = rng.random_bool(0.7);
            let category = |kind: Kind| kind.width.is_none() && kind.list == list;
            let text = |kind: Kind| category(kind) && kind.element == "string";
            let values = if choice == 2 {
                drawn(rng, readable, 1..2, category)
            } else {
                drawn(rng, readable, 1..2, text)
            };
            let mut both = values?;
            let kind = both[0].1;
            both.extend(drawn(rng, readable, 1..2, |kind| category(kind) && kind.element == "float64")?);
            if choice == 2 {
                let (step, after) = multi_hot(rng, kind, "sum");
                return Some((of_inputs(&both, step), after));
            }
            let (step, after) = feature_hash(rng);
            Some((of_inputs(&both, step), after))
        }
    }
}

fn hash_cross(rng: &mut ChaCha8Rng) -> Value {
    let (family, seed) = hash_family(rng);
    let join = json!({"separator": pick(rng, &["_", "", "é"]),
        "hash": {"family": family, "seed": seed, "key": "decimal"}});
    let method = if rng.random_bool(0.5) { json!({"fingerprint_cat64": {}}) } else { json!({"join": join}) };
    json!({"op": "hash_cross", "method": method, "buckets": rng.random_range(1..100), "map": map(rng)})
}

/// So many of what is right, maybe one of them twice.
fn drawn(
    rng: &mut ChaCha8Rng,
    readable: &[(String, Kind)],
    count: std::ops::Range<usize>,
    right: impl Fn(Kind) -> bool,
) -> Option<Vec<(String, Kind)>> {
    let right: Vec<&(String, Kind)> =
        readable.iter().filter(|(_, kind)| !is_typed(*kind) && right(*kind)).collect();
    (0..rng.random_range(count)).map(|_| right.choose(rng).map(|&chosen| chosen.clone())).collect()
}

fn of_inputs(inputs: &[(String, Kind)], step: Value) -> Value {
    let inputs: Vec<&String> = inputs.iter().map(|(name, _)| name).collect();
    json!({"inputs": inputs, "steps": [step]})
}
