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
            let (part, unit) = (pick(rng, &PARTS), pick(rng, &UNITS));
            let zones: &[&str] =
                if unit == "days" { &["UTC"] } else { &["UTC", "Etc/GMT-3", "+05:30", "-11:45"] };
            let mut step = json!({"op": "time_parts", "part": part, "unit": unit, "zone": pick(rng, zones)});
            if part == "day_of_week" {
                step["first_day"] = json!(pick(rng, &["monday_0", "monday_1", "sunday_0", "sunday_1"]));
            }
            Some((step, kind))
        }
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

pub fn join(rng: &mut ChaCha8Rng, readable: &[(String, Kind)]) -> Option<(Value, Kind)> {
    let is_time = |kind: &Kind| kind.element == "int64" && kind.width.is_none();
    let (then, kind) = readable_as(rng, readable, is_time)?;
    let (now, _) = readable_as(rng, readable, |kind| is_time(kind) && !kind.list)?;
    let step = json!({"op": "age", "unit": pick(rng, &UNITS), "in": pick(rng, &["seconds", "minutes", "hours", "days"]),
        "negative": pick(rng, &["keep", "zero", "null"])});
    Some((json!({"inputs": [then, now], "steps": [step]}), Kind { list: kind.list, ..FLOAT }))
}
