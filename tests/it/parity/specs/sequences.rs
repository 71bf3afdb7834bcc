//! Random steps over sequences of events.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{
    FLOAT, Kind,
    lists::readable_as,
    pick,
    time::{is_typed, unit_of},
};

const POSITIONS: Kind = Kind { element: "int64", width: None, list: true };

pub fn step(rng: &mut ChaCha8Rng, kind: Kind) -> Option<(Value, Kind)> {
    if !kind.list || kind.width.is_some() || !matches!(kind.element, "int64" | "uint64") {
        return None;
    }
    let codebooks = [json!([2, 3]), json!([4]), json!([3, 3, 4]), json!([9_007_199_254_740_993_u64, 2])];
    let (id, element) = match rng.random_range(0..3) {
        0 => (json!("int64"), "int64"),
        1 => (json!("uint64"), "uint64"),
        _ => (json!({"joined": "-"}), "string"),
    };
    let step = json!({"op": "prefix_ngrams", "codebooks": codebooks[rng.random_range(0..4)], "id": id,
        "invalid": pick(rng, &["end", "null"])});
    Some((step, Kind { element, ..kind }))
}

pub fn join(rng: &mut ChaCha8Rng, readable: &[(String, Kind)]) -> Option<(Value, Kind)> {
    match rng.random_range(0..4) {
        0 => recent(rng, readable),
        1 => nearest(rng, readable),
        _ => {
            let (values, kind) = readable_as(rng, readable, |kind| kind.list)?;
            let (positions, _) = readable_as(rng, readable, |kind| *kind == POSITIONS)?;
            let step = json!({"op": "elements_at", "outside": pick(rng, &["null", "drop"])});
            Some((json!({"inputs": [values, positions], "steps": [step]}), kind))
        }
    }
}

fn recent(rng: &mut ChaCha8Rng, readable: &[(String, Kind)]) -> Option<(Value, Kind)> {
    let is_integer = |kind: &Kind| kind.element == "int64" && kind.width.is_none();
    let (events, kind) =
        readable_as(rng, readable, |kind| kind.list && (is_integer(kind) || is_typed(*kind)))?;
    let stated = unit_of(kind);
    let fits = |now: &Kind| !now.list && (is_integer(now) || (is_typed(*now) && unit_of(*now) == stated));
    let (now, _) = readable_as(rng, readable, fits)?;
    let unit = stated.unwrap_or_else(|| if rng.random_bool(0.5) { "seconds" } else { "days" });
    let within = if rng.random_bool(0.3) {
        json!("none")
    } else {
        json!({"age": rng.random_range(0..200), "in": pick(rng, &["seconds", "minutes", "hours", "days"])})
    };
    let last = if rng.random_bool(0.3) { json!("none") } else { json!(rng.random_range(1..6)) };
    let step = json!({"op": "recent", "unit": unit, "within": within, "last": last,
        "future": pick(rng, &["drop", "keep"]),
        "order": pick(rng, &["listed", "newest_first", "oldest_first"])});
    Some((json!({"inputs": [events, now], "steps": [step]}), POSITIONS))
}

fn nearest(rng: &mut ChaCha8Rng, readable: &[(String, Kind)]) -> Option<(Value, Kind)> {
    let is_vector = |kind: &Kind| kind.element == "float64" && kind.width.is_some();
    let (events, kind) = readable_as(rng, readable, |kind| kind.list && is_vector(kind))?;
    let (wanted, _) = readable_as(rng, readable, |other| *other == Kind { width: kind.width, ..FLOAT })?;
    let step = json!({"op": "nearest", "count": rng.random_range(1..5),
        "order": pick(rng, &["greatest", "listed"])});
    Some((json!({"inputs": [events, wanted], "steps": [step]}), POSITIONS))
}
