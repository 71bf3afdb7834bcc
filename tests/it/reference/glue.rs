//! Arithmetic's newer functions, comparisons, logic, choices and expressions as their words say it.
//!
//! Expressions are computed from the tree that the test wrote their text from, so that nothing here parses.

use std::cmp::Ordering;

use serde_json::Value;

use super::{
    Cell, Held, NULL, OUT_OF_RANGE, Plain,
    lists::list,
    operations::{cell, floats, lifted, number, together},
};

pub fn apply(step: &Value, inputs: &[Held]) -> Option<Held> {
    let function = step["function"].as_str().unwrap_or_default();
    let result = match step["op"].as_str()? {
        "coalesce" => first(step["nan"] == "skip", inputs),
        "constant" => Held::One(Cell::of(constant(step))),
        "arithmetic" if is_new(function) => {
            together(inputs, |cells| arithmetic(function, &step["zero_division"], cells[0], cells[1]))
        }
        "compare" => together(inputs, |cells| compare(function, cells[0], cells[1])),
        "logic" => together(inputs, |cells| logic(function, cells)),
        "choose" => chosen(inputs),
        "expr" => evaluate(&step["_tree"], &step["zero_division"], inputs),
        _ => return None,
    };
    Some(result)
}

/// The first whole list where all are lists, else the first value or element.
fn first(skips_nan: bool, inputs: &[Held]) -> Held {
    let mut gravest = NULL;
    for held in inputs {
        match held {
            Held::One(_) => return together(inputs, |cells| coalesce(skips_nan, cells)),
            Held::List(..) if inputs.iter().any(|other| matches!(other, Held::One(_))) => {}
            Held::List(true, status, _) => gravest = gravest.max(*status),
            Held::List(false, ..) => return held.clone(),
        }
    }
    Held::List(true, gravest, Vec::new())
}

/// A whole list where both are lists and the condition is none, else a value or elements.
fn chosen(inputs: &[Held]) -> Held {
    let [Held::One(condition), one @ Held::List(..), other @ Held::List(..)] = inputs else {
        return together(inputs, |cells| choose(cells[0], cells[1], cells[2]));
    };
    let Some(value) = &condition.value else { return Held::List(true, condition.status, Vec::new()) };
    let (null, status, cells) = list(if *value == Plain::Bool(true) { one } else { other });
    Held::List(null, status.max(condition.status), cells.to_vec())
}

fn is_new(function: &str) -> bool {
    ["minimum", "maximum", "power", "modulo", "floor_divide"].contains(&function)
}

fn coalesce(skips_nan: bool, cells: &[&Cell]) -> Cell {
    let mut gravest = NULL;
    for cell in cells {
        let is_nan = |value: &Plain| match value {
            Plain::Float(_) | Plain::Vector(_) => floats(value).iter().any(|x| x.is_nan()),
            _ => false,
        };
        match &cell.value {
            Some(value) if !(skips_nan && is_nan(value)) => return (*cell).clone(),
            _ => gravest = gravest.max(cell.status),
        }
    }
    Cell::null(gravest)
}

fn constant(step: &Value) -> Plain {
    let value = &step["value"];
    match step["dtype"].as_str().expect("a type") {
        "float64" => Plain::Float(number(value, 0)),
        "int64" => Plain::Int(value.as_i64().expect("an integer")),
        "bool" => Plain::Bool(value.as_bool().expect("a boolean")),
        _ => Plain::Text(value.as_str().expect("a text").to_owned()),
    }
}

fn arithmetic(function: &str, zero_division: &Value, one: &Cell, other: &Cell) -> Cell {
    let status = one.status.max(other.status);
    let (Some(a), Some(b)) = (&one.value, &other.value) else { return Cell::null(status) };
    let (lanes_a, lanes_b) = (floats(a), floats(b));
    let divides = ["divide", "modulo", "floor_divide"].contains(&function);
    if divides && zero_division == "null" && lanes_b.contains(&0.0) {
        return Cell::null(status.max(NULL));
    }
    let lane = |lanes: &[f64], at: usize| if lanes.len() == 1 { lanes[0] } else { lanes[at] };
    let results = (0..lanes_a.len().max(lanes_b.len())).map(|at| {
        let (x, y) = (lane(&lanes_a, at), lane(&lanes_b, at));
        match &zero_division["value"] {
            value if divides && y == 0.0 && value.is_number() => number(value, 0),
            _ => of_two(function, x, y),
        }
    });
    let results: Vec<f64> = results.collect();
    let vector = matches!(a, Plain::Vector(_)) || matches!(b, Plain::Vector(_));
    Cell { value: Some(if vector { Plain::Vector(results) } else { Plain::Float(results[0]) }), status }
}

fn of_two(function: &str, x: f64, y: f64) -> f64 {
    match function {
        "add" => x + y,
        "subtract" => x - y,
        "multiply" => x * y,
        "divide" => x / y,
        "power" => x.powf(y),
        "minimum" | "maximum" if x.is_nan() || y.is_nan() => f64::NAN,
        // The total order of numbers puts -0 before 0.
        "minimum" => [x, y].into_iter().min_by(f64::total_cmp).expect("two"),
        "maximum" => [x, y].into_iter().max_by(f64::total_cmp).expect("two"),
        "modulo" => modulo(x, y),
        "floor_divide" => floor_divide(x, y),
        other => panic!("no arithmetic: {other}"),
    }
}

fn modulo(x: f64, y: f64) -> f64 {
    let rest = if y < 0.0 { -(-x).rem_euclid(-y) } else { x.rem_euclid(y) };
    if rest == 0.0 { 0.0_f64.copysign(y) } else { rest }
}

/// The steps in the order of Python's own.
fn floor_divide(x: f64, y: f64) -> f64 {
    if y == 0.0 {
        return x / y;
    }
    let rest = x % y;
    let mut quotient = (x - rest) / y;
    if rest != 0.0 && rest.is_sign_negative() != y.is_sign_negative() {
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return 0.0_f64.copysign(x / y);
    }
    if quotient - quotient.floor() > 0.5 { quotient.floor() + 1.0 } else { quotient.floor() }
}

fn compare(function: &str, one: &Cell, other: &Cell) -> Cell {
    let status = one.status.max(other.status);
    let (Some(a), Some(b)) = (&one.value, &other.value) else { return Cell::null(status) };
    let order = match (a, b) {
        (Plain::Float(a), Plain::Float(b)) => a.partial_cmp(b),
        (Plain::Int(a), Plain::Int(b)) => Some(a.cmp(b)),
        (Plain::Uint(a), Plain::Uint(b)) => Some(a.cmp(b)),
        (Plain::Bool(a), Plain::Bool(b)) => Some(a.cmp(b)),
        (Plain::Text(a), Plain::Text(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        other => panic!("not compared: {other:?}"),
    };
    let holds = match function {
        "equal" => order == Some(Ordering::Equal),
        "not_equal" => order != Some(Ordering::Equal),
        "less" => order == Some(Ordering::Less),
        "less_equal" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        "greater" => order == Some(Ordering::Greater),
        _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    };
    Cell { value: Some(Plain::Bool(holds)), status }
}

fn logic(function: &str, cells: &[&Cell]) -> Cell {
    let status = cells.iter().map(|cell| cell.status).max().expect("inputs");
    let bools: Option<Vec<bool>> =
        cells.iter().map(|cell| cell.value.as_ref().map(|value| *value == Plain::Bool(true))).collect();
    let Some(bools) = bools else { return Cell::null(status) };
    let result = match function {
        "and" => !bools.contains(&false),
        "or" => bools.contains(&true),
        _ => !bools[0],
    };
    Cell { value: Some(Plain::Bool(result)), status }
}

fn choose(condition: &Cell, one: &Cell, other: &Cell) -> Cell {
    let Some(value) = &condition.value else { return condition.clone() };
    let chosen = if *value == Plain::Bool(true) { one } else { other };
    Cell { status: chosen.status.max(condition.status), ..chosen.clone() }
}

/// A tree: `[function, operand, ...]`, `{"input": position}`, or a constant with its type. What reads no input is a
/// constant, and always present.
fn evaluate(tree: &Value, zero_division: &Value, inputs: &[Held]) -> Held {
    match evaluate_node(tree, zero_division, inputs) {
        Held::One(found) if !tree.to_string().contains("input") => Held::One(Cell { status: 0, ..found }),
        found => found,
    }
}

fn evaluate_node(tree: &Value, zero_division: &Value, inputs: &[Held]) -> Held {
    let Some(call) = tree.as_array() else {
        return match tree["input"].as_u64() {
            Some(position) => inputs[position as usize].clone(),
            None => Held::One(Cell::of(constant(tree))),
        };
    };
    let all: Vec<Held> = call[1..].iter().map(|operand| evaluate(operand, zero_division, inputs)).collect();
    match call[0].as_str().expect("a function") {
        function @ ("equal" | "not_equal" | "less" | "less_equal" | "greater" | "greater_equal") => {
            together(&all, |cells| compare(function, cells[0], cells[1]))
        }
        function @ ("and" | "or" | "not") => together(&all, |cells| logic(function, cells)),
        "choose" => chosen(&all),
        "coalesce" => first(false, &all),
        "is_null" => lifted(&all[0], |cell| Cell {
            value: Some(Plain::Bool(cell.value.is_none())),
            status: cell.status,
        }),
        "float" => lifted(&all[0], |cell| {
            let value = cell.value.as_ref().map(|value| Plain::Float(as_float(value)));
            Cell { value, status: cell.status }
        }),
        "negate" => lifted(&all[0], |cell| of_float(cell, |x| -x)),
        "log1p" => lifted(&all[0], |cell| of_float(cell, f64::ln_1p)),
        "clip" => lifted(&all[0], |value| clip(value, bound(cell(&all[1])), bound(cell(&all[2])))),
        function => together(&all, |cells| arithmetic(function, zero_division, cells[0], cells[1])),
    }
}

fn as_float(value: &Plain) -> f64 {
    match value {
        Plain::Int(value) => *value as f64,
        Plain::Uint(value) => *value as f64,
        other => floats(other)[0],
    }
}

fn of_float(cell: &Cell, function: impl Fn(f64) -> f64) -> Cell {
    Cell {
        value: cell.value.as_ref().map(|value| Plain::Float(function(floats(value)[0]))),
        status: cell.status,
    }
}

fn bound(cell: &Cell) -> f64 {
    floats(cell.value.as_ref().expect("a number"))[0]
}

fn clip(cell: &Cell, low: f64, high: f64) -> Cell {
    let Some(value) = &cell.value else { return cell.clone() };
    let x = floats(value)[0];
    let (moved, status) = match x {
        x if x < low => (low, OUT_OF_RANGE),
        x if x > high => (high, OUT_OF_RANGE),
        x => (x, 0),
    };
    Cell { value: Some(Plain::Float(moved)), status: cell.status.max(status) }
}
