//! Lists: parts of them, what they hold together, what two have in common, maps of keys and values.

use serde_json::Value;

use super::{
    Cell, Held, NOT_FOUND, NULL, Plain,
    operations::{cell, floats, number, sum},
};

/// Applies one step of this family.
pub fn apply(step: &Value, inputs: &[Held]) -> Option<Held> {
    let held = match step["op"].as_str()? {
        "take" => take(step, &inputs[0]),
        "pool" => Held::One(pool(step, inputs)),
        "count" => Held::One(count(step, &inputs[0])),
        "overlap" => Held::One(overlap(step, &inputs[0], &inputs[1])),
        "occurrences" => Held::One(occurrences(step, &inputs[0], cell(&inputs[1]))),
        "kv_dot" => Held::One(kv_dot(step, inputs)),
        "kv_lookup" => Held::One(kv_lookup(step, inputs)),
        // The other imputes have scalars and vectors of floats.
        "impute" if !step["_integers"].is_null() => Held::One(impute_integers(step, cell(&inputs[0]))),
        _ => return None,
    };
    Some(held)
}

/// Whether the list is null, its status, its elements.
pub fn list(held: &Held) -> (bool, u8, &[Cell]) {
    match held {
        Held::List(null, status, cells) => (*null, *status, cells),
        Held::One(cell) => panic!("no list: {cell:?}"),
    }
}

fn gravest(status: u8, cells: &[Cell]) -> u8 {
    cells.iter().map(|cell| cell.status).fold(status, u8::max)
}

fn of(value: Plain, status: u8) -> Cell {
    Cell { value: Some(value), status }
}

/// Equal as elements: both zeros, and every NaN.
fn same(one: &Plain, other: &Plain) -> bool {
    match (one, other) {
        (Plain::Float(a), Plain::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
        (one, other) => one == other,
    }
}

/// The values that are there, each once.
fn distinct(cells: &[Cell]) -> Vec<&Plain> {
    let mut distinct: Vec<&Plain> = Vec::new();
    for value in cells.iter().filter_map(|cell| cell.value.as_ref()) {
        if !distinct.iter().any(|known| same(known, value)) {
            distinct.push(value);
        }
    }
    distinct
}

fn take(step: &Value, held: &Held) -> Held {
    let (null, status, cells) = list(held);
    let count = step["count"].as_u64().expect("a count") as usize;
    let first = if step["side"] == "first" { 0 } else { cells.len().saturating_sub(count) };
    let taken: Vec<Cell> = cells.iter().skip(first).take(count).cloned().collect();
    if step["pad"] == "none" {
        return Held::List(null, status, taken);
    }
    if null {
        return Held::One(Cell::null(status));
    }
    let status = gravest(status, &taken);
    let missing = vec![Cell::null(0); count - taken.len()];
    let padded =
        if step["pad"]["at"] == "end" { [taken, missing].concat() } else { [missing, taken].concat() };
    let pad = &step["pad"]["value"];
    let vector = if step["_element"] == "int64" {
        let lanes = padded.iter().map(|cell| match cell.value {
            Some(Plain::Int(value)) => value,
            _ => pad.as_i64().expect("an integer"),
        });
        Plain::Ints(lanes.collect())
    } else {
        let lanes = padded.iter().map(|cell| match cell.value {
            Some(Plain::Float(value)) => value,
            _ => number(pad, 0),
        });
        Plain::Vector(lanes.collect())
    };
    Held::One(of(vector, status))
}

fn impute_integers(step: &Value, cell: &Cell) -> Cell {
    let width = step["_integers"].as_u64().expect("a width") as usize;
    let fill = || Plain::Ints(vec![step["value"].as_i64().expect("an integer"); width]);
    of(cell.value.clone().unwrap_or_else(fill), cell.status)
}

/// Two lists side by side; where one is shorter stands a null.
fn side_by_side(one: &[Cell], other: &[Cell]) -> Vec<(Cell, Cell)> {
    let at = |cells: &[Cell], position: usize| cells.get(position).cloned().unwrap_or(Cell::null(NULL));
    (0..one.len().max(other.len())).map(|position| (at(one, position), at(other, position))).collect()
}

fn pool(step: &Value, inputs: &[Held]) -> Cell {
    let (null, status, cells) = list(&inputs[0]);
    let (weights_null, weights_status, pairs) = match inputs.get(1) {
        Some(weights) => {
            let (null, status, weights) = list(weights);
            (null, status, side_by_side(cells, weights))
        }
        None => {
            let one = Cell::of(Plain::Float(1.0));
            (false, 0, cells.iter().map(|cell| (cell.clone(), one.clone())).collect())
        }
    };
    let status = status.max(weights_status);
    if null || weights_null {
        return Cell::null(status);
    }
    let status = pairs.iter().fold(status, |status, (a, b)| status.max(a.status).max(b.status));
    let nulls = step["null_elements"].as_str().expect("a policy");
    let is_null = |pair: &(Cell, Cell)| pair.0.value.is_none() || pair.1.value.is_none();
    if nulls == "null" && pairs.iter().any(is_null) {
        return Cell::null(status);
    }
    let counted: Vec<_> = pairs.iter().filter(|pair| nulls == "zero" || !is_null(pair)).collect();
    let weight = |pair: &(Cell, Cell)| pair.1.value.as_ref().map_or(0.0, |value| floats(value)[0]);
    let divisor = match step["function"].as_str().expect("a function") {
        "mean" => sum(counted.iter().map(|pair| weight(pair))),
        "sqrtn" => sum(counted.iter().map(|pair| weight(pair) * weight(pair))).sqrt(),
        _ => 1.0,
    };
    let nothing = counted.is_empty() || divisor == 0.0;
    if nothing && step["empty"] == "null" {
        return Cell::null(status.max(NULL));
    }
    let width = step["_width"].as_u64().unwrap_or(1) as usize;
    let pooled = (0..width).map(|lane| {
        // A null that counts stands for a zero.
        let lane_of = |pair: &(Cell, Cell)| match (&pair.0.value, &pair.1.value) {
            (Some(value), Some(_)) => floats(value)[lane],
            _ => 0.0,
        };
        let values: Vec<f64> = counted.iter().map(|pair| lane_of(pair)).collect();
        match step["function"].as_str().expect("a function") {
            _ if nothing => 0.0,
            "max" => extreme(&values, |x, best| x > best),
            "min" => extreme(&values, |x, best| x < best),
            _ => {
                let product =
                    |pair: &(Cell, Cell)| if is_null(pair) { 0.0 } else { lane_of(pair) * weight(pair) };
                sum(counted.iter().map(|pair| product(pair))) / divisor
            }
        }
    });
    let pooled: Vec<f64> = pooled.collect();
    let value = if step["_width"].is_null() { Plain::Float(pooled[0]) } else { Plain::Vector(pooled) };
    of(value, status)
}

/// NaN where there is one, else the best.
fn extreme(values: &[f64], better: impl Fn(f64, f64) -> bool) -> f64 {
    if values.iter().any(|x| x.is_nan()) {
        return f64::NAN;
    }
    values.iter().copied().reduce(|best, x| if better(x, best) { x } else { best }).expect("a value")
}

fn count(step: &Value, held: &Held) -> Cell {
    let (null, status, cells) = list(held);
    if null {
        return Cell::null(status);
    }
    let count = match step["what"].as_str().expect("what") {
        "elements" => cells.len(),
        "present" => cells.iter().filter(|cell| cell.value.is_some()).count(),
        _ => distinct(cells).len(),
    };
    of(Plain::Int(count as i64), gravest(status, cells))
}

fn overlap(step: &Value, one: &Held, other: &Held) -> Cell {
    let ((null, status, cells), (of_other, other_status, others)) = (list(one), list(other));
    let status = status.max(other_status);
    if null || of_other {
        return if step["null"] == "zero" { of(Plain::Float(0.0), status) } else { Cell::null(status) };
    }
    let status = gravest(gravest(status, cells), others);
    let (a, b) = (distinct(cells), distinct(others));
    let shared = a.iter().filter(|value| b.iter().any(|other| same(value, other))).count() as f64;
    let (a, b) = (a.len() as f64, b.len() as f64);
    let divisor = match step["measure"].as_str().expect("a measure") {
        "count" => 1.0,
        "share_of_first" => a,
        "share_of_second" => b,
        "jaccard" => a + b - shared,
        _ => (a * b).sqrt(),
    };
    of(Plain::Float(if divisor == 0.0 { 0.0 } else { shared / divisor }), status)
}

fn occurrences(step: &Value, held: &Held, wanted: &Cell) -> Cell {
    let (null, status, cells) = list(held);
    let status = status.max(wanted.status);
    let Some(value) = wanted.value.as_ref().filter(|_| !null) else {
        return if step["null"] == "zero" { of(Plain::Int(0), status) } else { Cell::null(status) };
    };
    let equal = |cell: &&Cell| cell.value.as_ref().is_some_and(|element| same(element, value));
    of(Plain::Int(cells.iter().filter(equal).count() as i64), gravest(status, cells))
}

/// A map's keys in the order of their first pairs, with the sums of their values.
fn map_of(pairs: &[(Cell, Cell)]) -> Vec<(&Plain, f64)> {
    let mut map: Vec<(&Plain, f64)> = Vec::new();
    for (key, value) in pairs {
        let (Some(key), Some(value)) = (&key.value, &value.value) else { continue };
        let value = floats(value)[0];
        match map.iter_mut().find(|(known, _)| same(known, key)) {
            Some((_, sum)) => *sum += value,
            None => map.push((key, value)),
        }
    }
    map
}

fn kv_dot(step: &Value, inputs: &[Held]) -> Cell {
    let lists: Vec<_> = inputs.iter().map(list).collect();
    let status = lists.iter().map(|(_, status, _)| *status).max().expect("four lists");
    if lists.iter().any(|(null, ..)| *null) {
        return Cell::null(status);
    }
    let status = lists.iter().fold(status, |status, (.., cells)| gravest(status, cells));
    let one = side_by_side(lists[0].2, lists[1].2);
    let other = side_by_side(lists[2].2, lists[3].2);
    // What has no partner is beside a null.
    let uneven = lists[0].2.len() != lists[1].2.len() || lists[2].2.len() != lists[3].2.len();
    let status = if uneven { status.max(NULL) } else { status };
    let (a, b) = (map_of(&one), map_of(&other));
    if (a.is_empty() || b.is_empty()) && step["empty"] == "null" {
        return Cell::null(status.max(NULL));
    }
    let products = a.iter().filter_map(|(key, value)| {
        let (_, of_other) = b.iter().find(|(other, _)| same(key, other))?;
        Some(value * of_other)
    });
    of(Plain::Float(sum(products)), status)
}

fn kv_lookup(step: &Value, inputs: &[Held]) -> Cell {
    let ((null, status, keys), (no_values, values_status, values)) = (list(&inputs[0]), list(&inputs[1]));
    let wanted = cell(&inputs[2]);
    let mut status = status.max(values_status).max(wanted.status);
    let Some(key) = wanted.value.as_ref().filter(|_| !null && !no_values) else {
        return Cell::null(status);
    };
    let mut found = Vec::new();
    for (of_key, of_value) in side_by_side(keys, values) {
        if of_key.value.is_some_and(|other| same(&other, key)) {
            status = status.max(of_key.status).max(of_value.status);
            found.extend(of_value.value.map(|value| floats(&value)[0]));
        }
    }
    if found.is_empty() {
        let status = status.max(NOT_FOUND);
        return match &step["missing"] {
            Value::String(_) => Cell::null(status),
            missing => of(Plain::Float(number(&missing["value"], 0)), status),
        };
    }
    let value = match step["function"].as_str().expect("a function") {
        "sum" => sum(found.iter().copied()),
        "mean" => sum(found.iter().copied()) / found.len() as f64,
        "max" => extreme(&found, |x, best| x > best),
        "min" => extreme(&found, |x, best| x < best),
        _ => found.len() as f64,
    };
    of(Plain::Float(value), status)
}
