//! Random steps of the ads family.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{FLOAT, Kind, lists::readable_as, pick};

pub fn step(rng: &mut ChaCha8Rng, kind: Kind) -> Option<(Value, Kind)> {
    if !matches!(kind.element, "int64" | "float64") || kind.width.is_some() {
        return None;
    }
    let step = json!({"op": "frequency_cap", "cap": rng.random_range(1..4),
        "result": pick(rng, &["remaining", "reached", "share"])});
    Some((step, Kind { element: "float64", ..kind }))
}

pub fn join(rng: &mut ChaCha8Rng, readable: &[(String, Kind)]) -> Option<(Value, Kind)> {
    let (first, _) = readable_as(rng, readable, |kind| *kind == FLOAT)?;
    if rng.random_bool(0.5) {
        let (age, kind) = readable_as(rng, readable, |kind| Kind { list: false, ..*kind } == FLOAT)?;
        let by = if rng.random_bool(0.5) { json!({"half_life": 1.75}) } else { json!({"rate": 0.4}) };
        let step = json!({"op": "decay", "by": by, "negative_age": pick(rng, &["zero", "null", "keep"])});
        return Some((json!({"inputs": [first, age], "steps": [step]}), kind));
    }
    let (views, _) = readable_as(rng, readable, |kind| *kind == FLOAT)?;
    let mut inputs = vec![first, views];
    let mut step = json!({"op": "smoothed_rate", "prior": {"beta": [0.5, 2.25]},
        "invalid": pick(rng, &["null", "clamp"])});
    if rng.random_bool(0.5) {
        step["prior"] = json!({"strength": 3.5});
        inputs.push(readable_as(rng, readable, |kind| *kind == FLOAT)?.0);
    }
    Some((json!({"inputs": inputs, "steps": [step]}), FLOAT))
}
