//! Random steps over lists.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{FLOAT, Kind, pick};

/// One of the things that can be read that satisfies `good`.
pub fn readable_as(
    rng: &mut ChaCha8Rng,
    readable: &[(String, Kind)],
    good: impl Fn(&Kind) -> bool,
) -> Option<(String, Kind)> {
    let fitting: Vec<_> = readable.iter().filter(|(_, kind)| good(kind)).collect();
    if fitting.is_empty() { None } else { Some(fitting[rng.random_range(0..fitting.len())].clone()) }
}

/// Whether this is a list of float64 scalars.
fn are_floats(kind: &Kind) -> bool {
    *kind == Kind { list: true, ..FLOAT }
}

pub fn step(rng: &mut ChaCha8Rng, kind: Kind) -> Option<(Value, Kind)> {
    if !kind.list {
        return None;
    }
    match rng.random_range(0..5) {
        0 | 1 => Some(take(rng, kind)),
        2 if kind.element == "float64" => {
            let mut step = pool(rng, &["sum", "mean", "max", "min", "sqrtn"]);
            if let Some(width) = kind.width {
                step["_width"] = json!(width);
            }
            Some((step, Kind { list: false, ..kind }))
        }
        _ => {
            let counted =
                if kind.width.is_none() { &["elements", "present", "distinct"][..] } else { &["present"] };
            let step = json!({"op": "count", "what": pick(rng, counted)});
            Some((step, Kind { element: "int64", width: None, list: false }))
        }
    }
}

fn take(rng: &mut ChaCha8Rng, kind: Kind) -> (Value, Kind) {
    let (side, count) = (pick(rng, &["first", "last"]), rng.random_range(1..5_usize));
    let mut step = json!({"op": "take", "side": side, "count": count, "pad": "none"});
    let padded = matches!(kind.element, "float64" | "int64") && kind.width.is_none() && rng.random_bool(0.6);
    if !padded {
        return (step, kind);
    }
    let value = if kind.element == "int64" { json!(-9) } else { json!(pick(rng, &["nan", "inf"])) };
    step["pad"] = json!({"value": value, "at": pick(rng, &["start", "end"])});
    step["_element"] = json!(kind.element);
    (step, Kind { width: Some(count), list: false, ..kind })
}

/// A step for a vector of integers, which few operations take.
pub fn of_integers(rng: &mut ChaCha8Rng, kind: Kind) -> (Value, Kind) {
    if rng.random_bool(0.7) {
        (json!({"op": "impute", "value": 5, "nan": "keep", "_integers": kind.width}), kind)
    } else {
        (json!({"op": "missing_indicator", "nan": "missing"}), FLOAT)
    }
}

fn pool(rng: &mut ChaCha8Rng, functions: &[&str]) -> Value {
    json!({"op": "pool", "function": pick(rng, functions),
        "null_elements": pick(rng, &["skip", "zero", "null"]), "empty": pick(rng, &["null", "zero"])})
}

pub fn join(rng: &mut ChaCha8Rng, readable: &[(String, Kind)]) -> Option<(Value, Kind)> {
    match rng.random_range(0..5) {
        0 => weighted_pool(rng, readable),
        1 => {
            let (one, kind) = readable_as(rng, readable, |kind| kind.list && kind.width.is_none())?;
            let (other, _) = readable_as(rng, readable, |other| *other == kind)?;
            let measures = ["count", "share_of_first", "share_of_second", "jaccard", "cosine"];
            let step = json!({"op": "overlap", "measure": pick(rng, &measures),
                "null": pick(rng, &["null", "zero"])});
            Some((json!({"inputs": [one, other], "steps": [step]}), FLOAT))
        }
        2 => {
            let (list, kind) = readable_as(rng, readable, |kind| kind.list && kind.width.is_none())?;
            let (value, _) = readable_as(rng, readable, |other| *other == Kind { list: false, ..kind })?;
            let step = json!({"op": "occurrences", "null": pick(rng, &["null", "zero"])});
            Some((json!({"inputs": [list, value], "steps": [step]}), Kind { element: "int64", ..FLOAT }))
        }
        3 => {
            let (keys, kind) = readable_as(rng, readable, |kind| kind.list && kind.width.is_none())?;
            let (values, _) = readable_as(rng, readable, are_floats)?;
            let (other, _) = readable_as(rng, readable, |other| *other == kind)?;
            let (of_other, _) = readable_as(rng, readable, are_floats)?;
            let step = json!({"op": "kv_dot", "empty": pick(rng, &["null", "zero"])});
            Some((json!({"inputs": [keys, values, other, of_other], "steps": [step]}), FLOAT))
        }
        _ => {
            let (keys, kind) = readable_as(rng, readable, |kind| kind.list && kind.width.is_none())?;
            let (values, _) = readable_as(rng, readable, are_floats)?;
            let (key, _) = readable_as(rng, readable, |other| *other == Kind { list: false, ..kind })?;
            let missing = if rng.random_bool(0.5) { json!("null") } else { json!({"value": -0.5}) };
            let step = json!({"op": "kv_lookup", "missing": missing,
                "function": pick(rng, &["sum", "mean", "max", "min", "count"])});
            Some((json!({"inputs": [keys, values, key], "steps": [step]}), FLOAT))
        }
    }
}

fn weighted_pool(rng: &mut ChaCha8Rng, readable: &[(String, Kind)]) -> Option<(Value, Kind)> {
    let (values, kind) = readable_as(rng, readable, |kind| kind.list && kind.element == "float64")?;
    let (weights, _) = readable_as(rng, readable, are_floats)?;
    let mut step = pool(rng, &["sum", "mean", "sqrtn"]);
    if let Some(width) = kind.width {
        step["_width"] = json!(width);
    }
    Some((json!({"inputs": [values, weights], "steps": [step]}), Kind { list: false, ..kind }))
}
