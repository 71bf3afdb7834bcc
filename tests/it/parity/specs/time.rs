//! Random steps over times.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{FLOAT, Kind, lists::readable_as, pick};

const PARTS: [&str; 12] = [
    "year",
    "quarter",
    "month",
    "week",
    "day",
    "day_of_year",
    "day_of_week",
    "hour",
    "minute",
    "second",
    "is_weekend",
    "hour_of_week",
];

const UNITS: [&str; 5] = ["seconds", "milliseconds", "microseconds", "nanoseconds", "days"];

pub fn step(rng: &mut ChaCha8Rng, kind: Kind) -> Option<(Value, Kind)> {
    if kind.width.is_some() {
        return None;
    }
    match kind.element {
        "int64" if rng.random_bool(0.7) => {
            let unit = pick_static(rng, &UNITS);
            Some((time_parts(rng, unit), kind))
        }
        "string" if rng.random_bool(0.4) => Some(parse_time(rng, kind)),
        // Seconds from 1970 to 2106.
        "string" | "int64" => {
            let step = json!({"op": "hash_bucket", "family": "murmur3_x86_32", "seed": rng.random_range(0..50),
                "key": "decimal", "buckets": u32::MAX, "map": "unsigned_modulo"});
            Some((step, Kind { element: "int64", ..kind }))
        }
        "float64" => {
            let step =
                json!({"op": "cyclical", "period": rng.random_range(0.5..30.0), "offset": pick_offset(rng)});
            Some((step, Kind { width: Some(2), ..kind }))
        }
        _ => None,
    }
}

fn pick_offset(rng: &mut ChaCha8Rng) -> f64 {
    if rng.random_bool(0.5) { 0.0 } else { rng.random_range(-2.0..2.0) }
}

/// Whether it is a timestamp or a date.
pub fn is_typed(kind: Kind) -> bool {
    unit_of(kind).is_some()
}

/// What a typed time counts.
pub fn unit_of(kind: Kind) -> Option<&'static str> {
    match kind.element {
        "timestamp[s]" => Some("seconds"),
        "timestamp[ms]" => Some("milliseconds"),
        "timestamp[ns]" => Some("nanoseconds"),
        "date" => Some("days"),
        _ => None,
    }
}

/// A step for something that is a time.
pub fn of_times(rng: &mut ChaCha8Rng, kind: Kind) -> (Value, Kind) {
    match rng.random_range(0..4) {
        0 => (json!({"op": "cast", "to": "float64"}), Kind { element: "float64", ..kind }),
        1 => (json!({"op": "cast", "to": "int64"}), Kind { element: "int64", ..kind }),
        _ => (time_parts(rng, unit_of(kind).expect("a time")), Kind { element: "int64", ..kind }),
    }
}

fn time_parts(rng: &mut ChaCha8Rng, unit: &str) -> Value {
    let part = pick(rng, &PARTS);
    let zones: &[&str] = if unit == "days" { &["UTC"] } else { &["UTC", "Etc/GMT-3", "+05:30", "-11:45"] };
    let mut step = json!({"op": "time_parts", "part": part, "unit": unit, "zone": pick(rng, zones)});
    if part == "day_of_week" {
        step["first_day"] = json!(pick(rng, &["monday_0", "monday_1", "sunday_0", "sunday_1"]));
    }
    step
}

fn parse_time(rng: &mut ChaCha8Rng, kind: Kind) -> (Value, Kind) {
    let element = pick_static(rng, &["timestamp[s]", "timestamp[ms]", "timestamp[ns]", "date"]);
    let after = Kind { element, ..kind };
    let zones: &[&str] = if element == "date" { &["UTC"] } else { &["UTC", "Etc/GMT-3", "-11:45"] };
    let step = json!({"op": "parse_time", "formats": ["iso8601"], "unit": unit_of(after), "zone": pick(rng, zones),
        "gap": pick(rng, &["null", "before", "after"]), "fold": pick(rng, &["null", "before", "after"]),
        "finer": pick(rng, &["cut", "null"])});
    (step, after)
}

fn pick_static(rng: &mut ChaCha8Rng, choices: &[&'static str]) -> &'static str {
    choices[rng.random_range(0..choices.len())]
}

pub fn join(rng: &mut ChaCha8Rng, readable: &[(String, Kind)]) -> Option<(Value, Kind)> {
    let is_integer = |kind: &Kind| kind.element == "int64" && kind.width.is_none();
    let is_time = |kind: &Kind| is_integer(kind) || is_typed(*kind);
    let (then, kind) = readable_as(rng, readable, is_time)?;
    let stated = unit_of(kind);
    let fits = |now: &Kind| !now.list && (is_integer(now) || (is_typed(*now) && unit_of(*now) == stated));
    let (now, _) = readable_as(rng, readable, fits)?;
    let unit = stated.unwrap_or_else(|| pick_static(rng, &UNITS));
    let step = json!({"op": "age", "unit": unit, "in": pick(rng, &["seconds", "minutes", "hours", "days"]),
        "negative": pick(rng, &["keep", "zero", "null"])});
    Some((json!({"inputs": [then, now], "steps": [step]}), Kind { list: kind.list, ..FLOAT }))
}
