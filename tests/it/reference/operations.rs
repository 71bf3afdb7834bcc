//! Every operation as its words say it: this file's own, then those of the families.

use serde_json::Value;

use super::{
    Cell, Held, NULL, OUT_OF_RANGE, Plain, UNKNOWN, ads, categories, glue, lists, numbers, sequences, text,
    time,
};

/// A family's operations: applies one step to what its inputs hold for a row; `None` for an operation of others.
type Family = fn(&Value, &[Held]) -> Option<Held>;

/// The families, each in a file of its own.
const FAMILIES: &[Family] = &[
    numbers::apply,
    categories::apply,
    lists::apply,
    sequences::apply,
    text::apply,
    time::apply,
    ads::apply,
    glue::apply,
];

/// Applies one step to what its inputs hold for a row.
pub fn apply(step: &Value, inputs: &[Held]) -> Held {
    FAMILIES.iter().find_map(|family| family(step, inputs)).unwrap_or_else(|| own(step, inputs))
}

/// Applies a step of one input to a value, or to each element of a list.
pub fn lifted(held: &Held, function: impl Fn(&Cell) -> Cell) -> Held {
    match held {
        Held::One(cell) => Held::One(function(cell)),
        Held::List(null, status, cells) => Held::List(*null, *status, cells.iter().map(function).collect()),
    }
}

/// Applies a step of several inputs to their values; where there are lists among them to the elements at each place,
/// with nulls behind a shorter list and a row's value beside each element.
pub fn together(inputs: &[Held], function: impl Fn(&[&Cell]) -> Cell) -> Held {
    let lists = || {
        inputs.iter().filter_map(|held| match held {
            Held::List(null, status, cells) => Some((*null, *status, cells)),
            Held::One(_) => None,
        })
    };
    if lists().next().is_none() {
        return Held::One(function(&inputs.iter().map(cell).collect::<Vec<_>>()));
    }
    let status = lists().map(|(_, status, _)| status).max().unwrap_or_default();
    if lists().any(|(null, ..)| null) {
        return Held::List(true, status, Vec::new());
    }
    let beyond = Cell::null(NULL);
    let longest = lists().map(|(.., cells)| cells.len()).max().unwrap_or_default();
    let at = |place: usize| {
        let side_by_side = inputs.iter().map(|held| match held {
            Held::One(cell) => cell,
            Held::List(.., cells) => cells.get(place).unwrap_or(&beyond),
        });
        function(&side_by_side.collect::<Vec<_>>())
    };
    Held::List(false, status, (0..longest).map(at).collect())
}

fn own(step: &Value, inputs: &[Held]) -> Held {
    match step["op"].as_str().expect("an operation") {
        "dot" | "cosine" | "arithmetic" => together(inputs, |cells| two(step, cells[0], cells[1])),
        "concat" => together(inputs, |cells| concat(step, cells)),
        _ => lifted(&inputs[0], |cell| single(step, cell)),
    }
}

pub fn cell(held: &Held) -> &Cell {
    match held {
        Held::One(cell) => cell,
        Held::List(..) => panic!("a list where one value is needed"),
    }
}

fn single(step: &Value, cell: &Cell) -> Cell {
    match step["op"].as_str().expect("an operation") {
        "impute" => impute(step, cell),
        "missing_indicator" => missing_indicator(step, cell),
        "clip" => clip(cell, |lane| (number(&step["min"], lane), number(&step["max"], lane))),
        "log1p" => log1p(step, cell),
        "bucketize" => bucketize(step, cell),
        "normalize" => normalize(step, cell),
        "truncate" => truncate(step, cell),
        "gather" => gather(step, cell),
        other => panic!("the reference has no operation {other}"),
    }
}

/// A number of a step, or of its lane.
pub fn number(value: &Value, lane: usize) -> f64 {
    match value {
        Value::Array(lanes) => number(&lanes[lane], 0),
        Value::String(text) => match text.as_str() {
            "inf" => f64::INFINITY,
            "-inf" => f64::NEG_INFINITY,
            _ => f64::NAN,
        },
        value => value.as_f64().expect("a number"),
    }
}

pub fn map(cell: &Cell, function: impl Fn(&Plain) -> Plain) -> Cell {
    Cell { value: cell.value.as_ref().map(function), status: cell.status }
}

pub fn lanes(cell: &Cell, function: impl Fn(usize, f64) -> f64) -> Cell {
    map(cell, |value| match value {
        Plain::Float(x) => Plain::Float(function(0, *x)),
        Plain::Vector(vector) => {
            Plain::Vector(vector.iter().enumerate().map(|(lane, &x)| function(lane, x)).collect())
        }
        other => panic!("no float: {other:?}"),
    })
}

pub fn floats(value: &Plain) -> Vec<f64> {
    match value {
        Plain::Float(x) => vec![*x],
        Plain::Vector(vector) => vector.clone(),
        other => panic!("no float: {other:?}"),
    }
}

pub fn like(value: &Plain, floats: Vec<f64>) -> Plain {
    match value {
        Plain::Vector(_) => Plain::Vector(floats),
        _ => Plain::Float(floats[0]),
    }
}

fn impute(step: &Value, cell: &Cell) -> Cell {
    let of_float = |lane: usize| number(&step["value"], lane);
    match &cell.value {
        None => Cell { value: Some(constant(step)), status: cell.status },
        Some(value @ (Plain::Float(_) | Plain::Vector(_))) if step["nan"] == "impute" => {
            let before = floats(value);
            let after =
                before.iter().enumerate().map(|(lane, &x)| if x.is_nan() { of_float(lane) } else { x });
            let status = if before.iter().any(|x| x.is_nan()) { cell.status.max(NULL) } else { cell.status };
            Cell { value: Some(like(value, after.collect())), status }
        }
        Some(_) => cell.clone(),
    }
}

/// The imputed constant; the test writes beside it which type the input has.
fn constant(step: &Value) -> Plain {
    match step["value"].clone() {
        Value::Array(lanes) => Plain::Vector(lanes.iter().map(|lane| number(lane, 0)).collect()),
        Value::String(text) => Plain::Text(text),
        Value::Bool(value) => Plain::Bool(value),
        Value::Number(value) if value.is_f64() => Plain::Float(value.as_f64().expect("a float")),
        value => Plain::Int(value.as_i64().expect("an integer")),
    }
}

fn missing_indicator(step: &Value, cell: &Cell) -> Cell {
    let missing = match &cell.value {
        None => true,
        Some(value @ (Plain::Float(_) | Plain::Vector(_))) => {
            step["nan"] == "missing" && floats(value).iter().any(|x| x.is_nan())
        }
        Some(_) => false,
    };
    Cell { value: Some(Plain::Float(if missing { 1.0 } else { 0.0 })), status: cell.status }
}

pub fn clip(cell: &Cell, bounds: impl Fn(usize) -> (f64, f64)) -> Cell {
    let Some(value) = &cell.value else { return cell.clone() };
    let mut outside = false;
    let clipped = floats(value).into_iter().enumerate().map(|(lane, x)| {
        let (low, high) = bounds(lane);
        outside |= x < low || x > high;
        if x < low {
            low
        } else if x > high {
            high
        } else {
            x
        }
    });
    let clipped = like(value, clipped.collect());
    let status = if outside { cell.status.max(OUT_OF_RANGE) } else { cell.status };
    Cell { value: Some(clipped), status }
}

fn log1p(step: &Value, cell: &Cell) -> Cell {
    let undefined = cell.value.as_ref().is_some_and(|value| floats(value).iter().any(|&x| x <= -1.0));
    if undefined && step["undefined"] == "null" {
        return Cell::null(cell.status.max(NULL));
    }
    lanes(cell, |_, x| x.ln_1p())
}

fn bucketize(step: &Value, cell: &Cell) -> Cell {
    let Some(Plain::Float(x)) = cell.value else { return Cell::null(cell.status) };
    let edges: Vec<f64> =
        step["edges"].as_array().expect("edges").iter().map(|edge| number(edge, 0)).collect();
    if x.is_nan() {
        let bin = match step["nan"].as_str().expect("a bin") {
            "null" => return Cell::null(cell.status.max(NULL)),
            "first" => 0,
            "last" => edges.len(),
            _ => edges.len() + 1,
        };
        return Cell { value: Some(Plain::Int(bin as i64)), status: cell.status };
    }
    let below = |edge: &&f64| if step["side"] == "left" { **edge <= x } else { **edge < x };
    let bin = edges.iter().filter(below).count();
    let outer = (bin == 0 || bin == edges.len()) && step["outside"] == "out_of_range";
    let status = if outer { cell.status.max(OUT_OF_RANGE) } else { cell.status };
    Cell { value: Some(Plain::Int(bin as i64)), status }
}

/// The position of a value in a list of categories.
pub fn position(categories: &Value, value: &Plain) -> Option<usize> {
    let equal = |category: &Value| match value {
        Plain::Text(text) => category == text.as_str(),
        Plain::Int(value) => category.as_i64().or_else(|| category.as_str()?.parse().ok()) == Some(*value),
        Plain::Uint(value) => category.as_u64().or_else(|| category.as_str()?.parse().ok()) == Some(*value),
        Plain::Bool(value) => category.as_bool() == Some(*value),
        Plain::Float(value) => {
            let category = number(category, 0);
            category == *value || (category.is_nan() && value.is_nan())
        }
        Plain::Vector(_) | Plain::Ints(_) => panic!("a vector is no category"),
    };
    categories.as_array().expect("categories").iter().position(equal)
}

/// The fixed order of sums: element i goes to partial i % 8, the eight are joined in pairs.
pub fn sum(terms: impl Iterator<Item = f64>) -> f64 {
    let mut s = [0.0; 8];
    for (i, term) in terms.enumerate() {
        s[i % 8] += term;
    }
    ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}

/// The greatest; NaN where there is one.
fn greatest(values: impl Iterator<Item = f64> + Clone) -> f64 {
    if values.clone().any(f64::is_nan) { f64::NAN } else { values.fold(f64::NEG_INFINITY, f64::max) }
}

fn normalize(step: &Value, cell: &Cell) -> Cell {
    let Some(Plain::Vector(vector)) = &cell.value else { return cell.clone() };
    let norm = match step["norm"].as_str().expect("a norm") {
        "l1" => sum(vector.iter().map(|x| x.abs())),
        "l2" => sum(vector.iter().map(|x| x * x)).sqrt(),
        "max" => greatest(vector.iter().map(|x| x.abs())),
        _ => greatest(vector.iter().copied()),
    };
    let least = step.get("zero_below").map_or(0.0, |least| number(least, 0));
    lanes(cell, |_, x| if norm == 0.0 || norm.abs() < least { x } else { x / norm })
}

fn truncate(step: &Value, cell: &Cell) -> Cell {
    let Some(Plain::Vector(vector)) = &cell.value else { return cell.clone() };
    let first = &vector[..number(&step["lanes"], 0) as usize];
    let norm = sum(first.iter().map(|x| x * x)).sqrt();
    let least = step.get("least_norm").map_or(0.0, |least| number(least, 0));
    let divisor = match step["renormalize"].as_str().expect("a word") {
        "l2" if norm != 0.0 && norm < least => least,
        "l2" if norm != 0.0 => norm,
        _ => 1.0,
    };
    Cell { value: Some(Plain::Vector(first.iter().map(|x| x / divisor).collect())), status: cell.status }
}

fn gather(step: &Value, cell: &Cell) -> Cell {
    let Some(Plain::Int(at)) = cell.value else { return Cell::null(cell.status) };
    let rows = step["vectors"].as_array().expect("rows");
    let row = usize::try_from(at).ok().and_then(|at| rows.get(at));
    let lanes = |row: &Value| row.as_array().expect("a row").iter().map(|lane| number(lane, 0)).collect();
    match row {
        Some(row) => Cell { value: Some(Plain::Vector(lanes(row))), status: cell.status },
        None if step["unknown"] == "null" => Cell::null(cell.status.max(UNKNOWN)),
        None => {
            let zeros = vec![0.0; rows[0].as_array().expect("a row").len()];
            Cell { value: Some(Plain::Vector(zeros)), status: cell.status.max(UNKNOWN) }
        }
    }
}

fn two(step: &Value, one: &Cell, other: &Cell) -> Cell {
    let status = one.status.max(other.status);
    let (Some(a), Some(b)) = (&one.value, &other.value) else { return Cell::null(status) };
    let (lanes_a, lanes_b) = (floats(a), floats(b));
    let dot = |a: &[f64], b: &[f64]| sum(a.iter().zip(b).map(|(a, b)| a * b));
    match step["op"].as_str().expect("an operation") {
        "dot" => Cell { value: Some(Plain::Float(dot(&lanes_a, &lanes_b))), status },
        "cosine" => {
            let lengths = dot(&lanes_a, &lanes_a).sqrt() * dot(&lanes_b, &lanes_b).sqrt();
            match (lengths == 0.0, step["zero_norm"] == "null") {
                (true, true) => Cell::null(status.max(NULL)),
                (true, false) => Cell { value: Some(Plain::Float(0.0)), status },
                _ => Cell { value: Some(Plain::Float(dot(&lanes_a, &lanes_b) / lengths)), status },
            }
        }
        _ => arithmetic(step, a, b, status),
    }
}

fn arithmetic(step: &Value, a: &Plain, b: &Plain, status: u8) -> Cell {
    let (lanes_a, lanes_b) = (floats(a), floats(b));
    let width = lanes_a.len().max(lanes_b.len());
    let lane = |lanes: &[f64], lane: usize| if lanes.len() == 1 { lanes[0] } else { lanes[lane] };
    if step["zero_division"] == "null" && lanes_b.contains(&0.0) {
        return Cell::null(status.max(NULL));
    }
    let results = (0..width).map(|at| {
        let (x, y) = (lane(&lanes_a, at), lane(&lanes_b, at));
        match step["function"].as_str().expect("a function") {
            "add" => x + y,
            "subtract" => x - y,
            "multiply" => x * y,
            _ if y == 0.0 && step["zero_division"]["value"].is_number() => {
                number(&step["zero_division"]["value"], 0)
            }
            _ => x / y,
        }
    });
    let results: Vec<f64> = results.collect();
    let vector = matches!(a, Plain::Vector(_)) || matches!(b, Plain::Vector(_));
    let value = if vector { Plain::Vector(results) } else { Plain::Float(results[0]) };
    Cell { value: Some(value), status }
}

fn concat(step: &Value, inputs: &[&Cell]) -> Cell {
    let status = inputs.iter().map(|cell| cell.status).max().unwrap_or_default();
    let mut joined = Vec::new();
    for (cell, width) in
        inputs.iter().zip(step["_widths"].as_array().expect("the test writes widths beside it"))
    {
        match &cell.value {
            Some(value) => joined.extend(floats(value)),
            None if step["null"] == "null" => return Cell::null(status),
            None => {
                let fill = number(&step["null"]["value"], 0);
                joined.extend(std::iter::repeat_n(fill, width.as_u64().expect("a width") as usize));
            }
        }
    }
    Cell { value: Some(Plain::Vector(joined)), status }
}
