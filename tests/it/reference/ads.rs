//! Ads: fading values, smoothed rates, frequency caps.

use serde_json::Value;

use super::{
    Cell, Held, OUT_OF_RANGE, Plain,
    operations::{cell, lifted, number},
};

/// Applies one step of this family.
pub fn apply(step: &Value, inputs: &[Held]) -> Option<Held> {
    let held = match step["op"].as_str()? {
        "decay" => lifted(&inputs[1], |age| decay(step, cell(&inputs[0]), age)),
        "smoothed_rate" => Held::One(smoothed_rate(step, inputs)),
        "frequency_cap" => lifted(&inputs[0], |count| frequency_cap(step, count)),
        _ => return None,
    };
    Some(held)
}

fn float(cell: &Cell) -> Option<f64> {
    match cell.value.as_ref()? {
        Plain::Float(x) => Some(*x),
        Plain::Int(x) => Some(*x as f64),
        other => panic!("no number: {other:?}"),
    }
}

fn of(value: f64, status: u8) -> Cell {
    Cell { value: Some(Plain::Float(value)), status }
}

fn decay(step: &Value, value: &Cell, age: &Cell) -> Cell {
    let status = value.status.max(age.status);
    let (Some(value), Some(age)) = (float(value), float(age)) else { return Cell::null(status) };
    let (age, status) = match (age < 0.0, step["negative_age"].as_str().expect("a policy")) {
        (true, "zero") => (0.0, status.max(OUT_OF_RANGE)),
        (true, "null") => return Cell::null(status.max(OUT_OF_RANGE)),
        _ => (age, status),
    };
    let left = match step["by"]["half_life"].as_f64() {
        Some(half_life) => (-(age / half_life)).exp2(),
        None => (-(number(&step["by"]["rate"], 0) * age)).exp(),
    };
    of(value * left, status)
}

fn smoothed_rate(step: &Value, inputs: &[Held]) -> Cell {
    let (clicks, views) = (cell(&inputs[0]), cell(&inputs[1]));
    let status = clicks.status.max(views.status);
    let counts = float(clicks).zip(float(views));
    let prior = inputs.get(2).map(cell);
    let (added, strength, status) = match prior {
        None => {
            let (alpha, beta) = (number(&step["prior"]["beta"], 0), number(&step["prior"]["beta"], 1));
            (alpha, (alpha, beta), status)
        }
        Some(prior) => {
            let status = status.max(prior.status);
            let strength = number(&step["prior"]["strength"], 0);
            let Some(prior) = float(prior) else { return Cell::null(status) };
            if counts.is_none() {
                return of(prior, status);
            }
            (strength * prior, (strength, 0.0), status)
        }
    };
    let Some((clicks, views)) = counts else { return Cell::null(status) };
    let good =
        !clicks.is_nan() && !views.is_nan() && clicks >= 0.0 && clicks <= views && views < f64::INFINITY;
    let (clicks, views, status) = match (good, step["invalid"] == "null") {
        (true, _) => (clicks, views, status),
        (false, true) => return Cell::null(status.max(OUT_OF_RANGE)),
        (false, false) => {
            let views = if views.is_finite() && views > 0.0 { views } else { 0.0 };
            let clicks = match clicks > 0.0 {
                true if clicks > views => views,
                true => clicks,
                false => 0.0,
            };
            (clicks, views, status.max(OUT_OF_RANGE))
        }
    };
    of((clicks + added) / (views + strength.0 + strength.1), status)
}

fn frequency_cap(step: &Value, cell: &Cell) -> Cell {
    let Some(count) = float(cell) else { return Cell::null(cell.status) };
    let cap = number(&step["cap"], 0);
    let status = if count < 0.0 { cell.status.max(OUT_OF_RANGE) } else { cell.status };
    let count = if count < 0.0 { 0.0 } else { count };
    let result = match step["result"].as_str().expect("a result") {
        _ if count.is_nan() => count,
        "remaining" => (cap - count).max(0.0),
        "reached" => f64::from(u8::from(count >= cap)),
        _ => (count / cap).min(1.0),
    };
    of(result, status)
}
