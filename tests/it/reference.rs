//! The plain, slow reference: one row and one value at a time, from the spec's JSON alone.
//!
//! It shares no code with plans and kernels; both are held to the same words of the specification.

use std::collections::BTreeMap;

use serde_json::Value;

mod ads;
mod categories;
mod forms;
mod glue;
mod hashing;
mod lists;
mod lookups;
mod numbers;
mod operations;
mod rounding;
mod sequences;
mod text;
mod time;

pub use forms::{can_keep, kept};
pub use lookups::{EventTime, PlainTable};
pub use rounding::rounded;

pub const STALE: u8 = 1;
pub const OUT_OF_RANGE: u8 = 2;
pub const UNKNOWN: u8 = 3;
pub const NULL: u8 = 4;
pub const NOT_FOUND: u8 = 5;
/// And 16 for each level.
pub const FALLBACK: u8 = 6;

/// One value; vectors hold floats or integers.
#[derive(Debug, Clone, PartialEq)]
pub enum Plain {
    Float(f64),
    Int(i64),
    Uint(u64),
    Bool(bool),
    Text(String),
    Vector(Vec<f64>),
    Ints(Vec<i64>),
}

/// A value or null, with the gravest status behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    pub value: Option<Plain>,
    pub status: u8,
}

impl Cell {
    pub fn of(value: Plain) -> Self {
        Self { value: Some(value), status: 0 }
    }

    pub fn null(status: u8) -> Self {
        Self { value: None, status }
    }
}

/// What a node holds for one row: a cell, or a list with its own mark.
#[derive(Debug, Clone, PartialEq)]
pub enum Held {
    One(Cell),
    /// Whether the list itself is null, its status, its elements.
    List(bool, u8, Vec<Cell>),
}

/// One request's inputs: one for the request, or one for each row.
pub type PlainInputs = BTreeMap<String, Vec<Held>>;

/// A spec with its tables.
#[derive(Debug)]
pub struct Reference<'a> {
    pub spec: &'a Value,
    pub tables: &'a BTreeMap<String, PlainTable>,
    /// The request's clock, in nanoseconds.
    pub now: i64,
}

fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    let found = list.as_array().expect("a list").iter().find(|item| item["name"] == name);
    found.unwrap_or_else(|| panic!("nothing is named {name}"))
}

impl Reference<'_> {
    /// The value of a feature for one row.
    pub fn feature(&self, name: &str, inputs: &PlainInputs, row: usize) -> Held {
        let feature = named(&self.spec["features"], name);
        let mut held: Vec<Held> =
            read_by(feature).into_iter().map(|reference| self.reference(reference, inputs, row)).collect();
        for step in feature["steps"].as_array().map_or(&[][..], Vec::as_slice) {
            held = vec![operations::apply(step, &held)];
        }
        held.remove(0)
    }

    /// Whether a feature depends on anything that differs between rows.
    pub fn is_row_scope(&self, feature: &str) -> bool {
        let references = read_by(named(&self.spec["features"], feature));
        references.into_iter().any(|reference| self.reference_is_row_scope(reference))
    }

    fn reference_is_row_scope(&self, reference: &Value) -> bool {
        match whom(reference) {
            Whom::Input(name) => named(&self.spec["inputs"], name)["scope"] == "row",
            Whom::Feature(name) => self.is_row_scope(name),
            Whom::Column(lookup, column) => {
                let read = self.read_by_lookup(named(&self.spec["lookups"], lookup), column);
                read.into_iter().any(|read| self.reference_is_row_scope(read))
            }
        }
    }

    fn reference(&self, reference: &Value, inputs: &PlainInputs, row: usize) -> Held {
        match whom(reference) {
            Whom::Input(name) => self.input(name, inputs, row),
            Whom::Feature(name) => self.feature(name, inputs, row),
            Whom::Column(lookup, column) => self.looked_up(lookup, column, inputs, row),
        }
    }

    fn input(&self, name: &str, inputs: &PlainInputs, row: usize) -> Held {
        let input = named(&self.spec["inputs"], name);
        let Some(values) = inputs.get(name) else {
            let list = input["dtype"].as_str().is_some_and(|dtype| dtype.starts_with("list<"));
            return if list { Held::List(true, NULL, Vec::new()) } else { Held::One(Cell::null(NULL)) };
        };
        let held = values[if input["scope"] == "row" { row } else { 0 }].clone();
        if input["nan"] != "null" {
            return held;
        }
        let no_nan = |cell: Cell| match cell.value {
            Some(Plain::Float(value)) if value.is_nan() => Cell::null(NULL),
            _ => cell,
        };
        match held {
            Held::One(cell) => Held::One(no_nan(cell)),
            Held::List(null, status, cells) => {
                Held::List(null, status, cells.into_iter().map(no_nan).collect())
            }
        }
    }
}

/// The references of a feature, in order.
fn read_by(feature: &Value) -> Vec<&Value> {
    match &feature["inputs"] {
        Value::Array(several) => several.iter().collect(),
        _ => vec![&feature["input"]],
    }
}

/// What a reference means; names here have no dots.
enum Whom<'a> {
    Input(&'a str),
    Feature(&'a str),
    Column(&'a str, &'a str),
}

fn whom(reference: &Value) -> Whom<'_> {
    let field = |name: &str| reference[name].as_str();
    match (reference.as_str(), field("input"), field("feature"), field("lookup")) {
        (Some(text), ..) => match text.split_once('.') {
            None => Whom::Input(text),
            Some(("feature", name)) => Whom::Feature(name),
            Some((lookup, column)) => Whom::Column(lookup, column),
        },
        (_, Some(input), ..) => Whom::Input(input),
        (_, _, Some(feature), _) => Whom::Feature(feature),
        (.., lookup) => Whom::Column(lookup.expect("a lookup"), field("column").expect("a column")),
    }
}

pub fn texts(list: &Value) -> Vec<String> {
    let texts = list.as_array().expect("a list").iter();
    texts.map(|text| text.as_str().expect("a text").to_owned()).collect()
}
