//! Lookups: rows by keys, how old they are, and what answers where there is none.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Cell, FALLBACK, Held, NOT_FOUND, NULL, Plain, PlainInputs, Reference, STALE, hashing, named, operations,
};

/// A table: rows by key, cells by column.
#[derive(Debug, Default)]
pub struct PlainTable {
    /// The key columns' names.
    pub key: Vec<String>,
    pub rows: Vec<(Vec<Plain>, BTreeMap<String, Held>)>,
    /// For each column whether it holds lists.
    pub lists: BTreeMap<String, bool>,
    pub event_time: EventTime,
}

/// When a table's rows were true.
#[derive(Debug, Default)]
pub enum EventTime {
    #[default]
    Unknown,
    /// A column, and how many nanoseconds are one of what it counts.
    Column(String, i128),
    /// The same for all rows, in nanoseconds.
    Version(i128),
}

/// Where a lookup led for one key.
#[derive(Clone, Copy)]
enum Found<'a> {
    Row(&'a BTreeMap<String, Held>),
    None(u8),
}

impl Reference<'_> {
    /// A lookup's column for one row.
    pub fn looked_up(&self, lookup: &str, column: &str, inputs: &PlainInputs, row: usize) -> Held {
        let lookup = named(&self.spec["lookups"], lookup);
        let table = self.table_of(lookup);
        let keys: Vec<Held> =
            self.keys(lookup).into_iter().map(|key| self.reference(key, inputs, row)).collect();
        if let [Held::List(null, status, elements)] = keys.as_slice() {
            let cells = elements.iter().map(|key| {
                match self.cell(lookup, self.fresh(lookup, table.find(&[key])), column) {
                    Held::One(cell) => cell,
                    Held::List(..) => panic!("a list of lists"),
                }
            });
            return Held::List(*null, *status, cells.collect());
        }
        let found = self.fresh(lookup, table.find(&single_keys(&keys)));
        if let Found::None(_) = found {
            let fallbacks = lookup["fallbacks"].as_array().map_or(&[][..], Vec::as_slice);
            for (at, fallback) in fallbacks.iter().enumerate() {
                if let Some(held) = self.fallback(fallback, column, table.lists[column], inputs, row) {
                    return at_least(held, FALLBACK + 16 * (at as u8 + 1));
                }
            }
        }
        self.cell(lookup, found, column)
    }

    fn table_of(&self, written: &Value) -> &PlainTable {
        &self.tables[written["table"].as_str().expect("a table")]
    }

    /// What holds a key's columns, in the table's order.
    pub fn keys<'v>(&self, written: &'v Value) -> Vec<&'v Value> {
        let columns = &self.table_of(written).key;
        let key = &written["key"];
        let named = key.as_object().filter(|fields| columns.iter().all(|column| fields.contains_key(column)));
        named.map_or_else(|| vec![key], |fields| columns.iter().map(|column| &fields[column]).collect())
    }

    /// All that determines a lookup's column.
    pub fn read_by_lookup<'v>(&self, lookup: &'v Value, column: &str) -> Vec<&'v Value> {
        let mut read = self.keys(lookup);
        for fallback in lookup["fallbacks"].as_array().into_iter().flatten() {
            if let Some(values) = fallback["row"].as_object() {
                if values.contains_key(column) {
                    break;
                }
            } else if self.given(written(fallback), column).is_some() {
                if !fallback["key"].is_null() {
                    read.extend(self.keys(fallback));
                }
                let pool = &fallback["pool"];
                read.extend([&pool["keys"], &pool["weights"]].into_iter().filter(|read| !read.is_null()));
            }
        }
        read
    }

    /// The column of a fall-back's table that stands in for a column.
    fn given<'v>(&'v self, written: &'v Value, column: &str) -> Option<&'v str> {
        match written["columns"].as_object() {
            Some(columns) => columns.get(column)?.as_str(),
            None => self.table_of(written).lists.get_key_value(column).map(|(column, _)| column.as_str()),
        }
    }

    /// A row that a lookup found, unless it is too old to be served.
    fn fresh<'f>(&self, lookup: &Value, found: Found<'f>) -> Found<'f> {
        match found {
            Found::Row(cells) if lookup["stale"] == "null" && self.is_stale(lookup, cells) => {
                Found::None(STALE)
            }
            found => found,
        }
    }

    /// A cell of a row that a lookup found; an old one with its status.
    fn cell(&self, lookup: &Value, found: Found<'_>, column: &str) -> Held {
        let held = self.table_of(lookup).cell(found, column);
        match found {
            Found::Row(cells) if self.is_stale(lookup, cells) => at_least(held, STALE),
            _ => held,
        }
    }

    fn is_stale(&self, lookup: &Value, cells: &BTreeMap<String, Held>) -> bool {
        let Some(max_age) = lookup["_max_age"].as_i64() else { return false };
        let event_time = match &self.table_of(lookup).event_time {
            EventTime::Unknown => panic!("an age without event times"),
            EventTime::Version(at) => Some(*at),
            EventTime::Column(column, unit) => match &cells[column] {
                Held::One(Cell { value: Some(Plain::Int(at)), .. }) => Some(i128::from(*at) * unit),
                _ => None,
            },
        };
        event_time.is_none_or(|event_time| i128::from(self.now) - event_time > i128::from(max_age))
    }

    /// What a fall-back answers, where it gives the column and has a row.
    fn fallback(
        &self,
        fallback: &Value,
        column: &str,
        list: bool,
        inputs: &PlainInputs,
        row: usize,
    ) -> Option<Held> {
        if let Some(values) = fallback["row"].as_object() {
            return values.get(column).map(|value| held(value, list));
        }
        let (pool, written) = (&fallback["pool"], written(fallback));
        let (table, theirs) = (self.table_of(written), self.given(written, column)?);
        if !pool.is_null() {
            return self.pooled(pool, table, theirs, inputs, row);
        }
        let keys: Vec<Held> =
            self.keys(fallback).into_iter().map(|key| self.reference(key, inputs, row)).collect();
        match table.find(&single_keys(&keys)) {
            Found::None(_) => None,
            found @ Found::Row(_) => Some(table.cell(found, theirs)),
        }
    }

    fn pooled(
        &self,
        pool: &Value,
        table: &PlainTable,
        column: &str,
        inputs: &PlainInputs,
        row: usize,
    ) -> Option<Held> {
        let Held::List(null, status, keys) = self.reference(&pool["keys"], inputs, row) else {
            panic!("a single key in a pool")
        };
        let picked = picked(pool, &keys);
        let found: Vec<Found<'_>> = picked.iter().map(|&at| table.find(&[&keys[at]])).collect();
        if !found.iter().any(|found| matches!(found, Found::Row(_))) {
            return None;
        }
        let cells: Vec<Cell> = found
            .into_iter()
            .map(|found| match table.cell(found, column) {
                Held::One(cell) => cell,
                Held::List(..) => panic!("a list is pooled"),
            })
            .collect();
        let width = cells.iter().find_map(|cell| match &cell.value {
            Some(Plain::Vector(lanes)) => Some(lanes.len()),
            _ => None,
        });
        let mut step =
            json!({"op": "pool", "function": pool["function"], "null_elements": "skip", "empty": "null"});
        if let Some(width) = width {
            step["_width"] = json!(width);
        }
        let mut read = vec![Held::List(null, status, cells)];
        if !pool["weights"].is_null() {
            let Held::List(null, status, weights) = self.reference(&pool["weights"], inputs, row) else {
                panic!("a single weight")
            };
            let weights = picked.iter().filter_map(|&at| weights.get(at).cloned());
            read.push(Held::List(null, status, weights.collect()));
        }
        Some(operations::apply(&step, &read))
    }
}

/// Where a fall-back names its table.
fn written(fallback: &Value) -> &Value {
    if fallback["pool"].is_null() { fallback } else { &fallback["pool"] }
}

/// The places of the keys that a pool looks up.
fn picked(pool: &Value, keys: &[Cell]) -> Vec<usize> {
    let cap = pool["cap"].as_u64().expect("a cap") as usize;
    let mut places: Vec<usize> = (0..keys.len()).collect();
    if let Some(seed) = pool["pick"]["sample"]["seed"].as_u64() {
        let hash = |place: &usize| {
            let text = match &keys[*place].value {
                Some(Plain::Text(text)) => text.clone(),
                Some(Plain::Int(number)) => number.to_string(),
                _ => return (true, 0),
            };
            (false, hashing::murmur3(text.as_bytes(), seed as u32) as u32)
        };
        places.sort_by_key(hash);
    }
    places.truncate(cap);
    places.sort_unstable();
    places
}

fn single_keys(keys: &[Held]) -> Vec<&Cell> {
    keys.iter().map(single_key).collect()
}

fn single_key(key: &Held) -> &Cell {
    match key {
        Held::One(cell) => cell,
        Held::List(..) => panic!("a list in a composite key"),
    }
}

/// The value of a spec's row.
fn held(value: &Value, list: bool) -> Held {
    let cell = |value: &Value| match value {
        Value::Null => Cell::null(NULL),
        Value::Bool(value) => Cell::of(Plain::Bool(*value)),
        Value::String(text) => Cell::of(Plain::Text(text.clone())),
        Value::Number(number) if number.is_i64() => {
            Cell::of(Plain::Int(number.as_i64().expect("an integer")))
        }
        Value::Number(number) => Cell::of(Plain::Float(number.as_f64().expect("a float"))),
        Value::Array(lanes) => {
            Cell::of(Plain::Vector(lanes.iter().map(|lane| lane.as_f64().expect("a lane")).collect()))
        }
        Value::Object(_) => panic!("an object in a row"),
    };
    match value {
        Value::Null if list => Held::List(true, NULL, Vec::new()),
        Value::Array(elements) if list => Held::List(false, 0, elements.iter().map(cell).collect()),
        value => Held::One(cell(value)),
    }
}

/// The same with a graver status, where this one is graver.
fn at_least(held: Held, status: u8) -> Held {
    match held {
        Held::One(cell) => Held::One(Cell { status: cell.status.max(status), ..cell }),
        Held::List(null, own, cells) => Held::List(null, own.max(status), cells),
    }
}

impl PlainTable {
    fn find(&self, key: &[&Cell]) -> Found<'_> {
        if key.iter().any(|part| part.value.is_none()) {
            let gravest = key.iter().map(|part| part.status).max();
            return Found::None(match gravest {
                Some(status @ (NOT_FOUND | STALE)) => status,
                _ => NULL,
            });
        }
        let equal = |row: &&(Vec<Plain>, _)| {
            row.0.iter().zip(key).all(|(one, other)| Some(one) == other.value.as_ref())
        };
        self.rows.iter().find(equal).map_or(Found::None(NOT_FOUND), |(_, cells)| Found::Row(cells))
    }

    fn cell(&self, found: Found<'_>, column: &str) -> Held {
        match found {
            Found::Row(cells) => cells[column].clone(),
            Found::None(status) if self.lists[column] => Held::List(true, status, Vec::new()),
            Found::None(status) => Held::One(Cell::null(status)),
        }
    }
}
