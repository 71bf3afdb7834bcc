//! Random tables and requests, as plain cells and as the server takes them.

use std::{collections::BTreeMap, sync::Arc};

use quiver::{
    batch::{Column, Element, ListRows, Mark, Strings, Type, Values},
    serve::request::{Encoding, OutputWanted, Request, RequestColumn, StatusDetail},
    spec::{InputType, OutputType},
    table::{Table, TableSchema},
};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{
    Served, layout,
    writes::{Rows, written},
};
use crate::reference::{Cell, EventTime, Held, NULL, Plain, PlainInputs, PlainTable, can_keep, kept};

/// Inputs with their types and scopes; the floats say what NaN is.
pub const INPUTS: [(&str, &str, &str); 18] = [
    ("r_float", "float64", "request"),
    ("r_text", "string", "request"),
    ("r_texts", "list<string>", "request"),
    ("r_int", "int64", "request"),
    ("q_float", "float64", "row"),
    ("q_float32", "float32", "row"),
    ("q_text", "string", "row"),
    ("q_texts", "list<string>", "row"),
    ("q_int", "int64", "row"),
    ("q_uint", "uint64", "row"),
    ("q_bool", "bool", "row"),
    ("q_floats", "list<float64>", "row"),
    ("q_time", "timestamp[ms]", "row"),
    ("q_times", "list<timestamp[ms]>", "row"),
    ("r_day", "date", "request"),
    ("r_times", "list<int64>", "request"),
    ("r_codes", "list<uint64>", "request"),
    ("q_ints", "list<int64>", "row"),
];

/// The request's clock, a day after the latest usual time of a table's row: nanoseconds.
pub const NOW: i64 = 1_709_290_800_250_000_000;

/// Tables twice over.
pub struct Tables {
    /// Whether they have event times, which rows written later would have to be newer than: such tables have none.
    pub aged: bool,
    pub plain: BTreeMap<String, PlainTable>,
    pub served: Served,
}

/// A table's columns: name, type as `table.json` writes it, shape, what NaN is.
type Columns = &'static [(&'static str, &'static str, &'static str, &'static str)];

/// Key columns: name and type.
type Keys = &'static [(&'static str, &'static str)];

/// What `table.json` says of event times: a column, a time for all rows, or nothing.
const EVENT_TIMES: [(&str, Option<&str>); 3] =
    [("items", Some("at")), ("groups", Some("2024-03-01T10:00:00Z")), ("pairs", None)];

const TABLES: [(&str, Keys, Columns); 3] = [
    (
        "items",
        &[("id", "string")],
        &[
            ("float", "float64", "scalar", "null"),
            ("half", "float32", "scalar", "value"),
            ("vector", "float32", "vector", "null"),
            ("wide", "float64", "vector", "value"),
            ("text", "string", "scalar", ""),
            ("group", "int64", "scalar", ""),
            ("flag", "bool", "scalar", ""),
            ("tags", "string", "list", ""),
            ("numbers", "float64", "list", "value"),
            ("at", "timestamp[ms]", "scalar", ""),
        ],
    ),
    (
        "groups",
        &[("id", "int64")],
        &[("float", "float32", "scalar", "null"), ("vector", "float32", "vector", "value")],
    ),
    (
        "pairs",
        &[("text", "string"), ("int", "int64")],
        &[("float", "float64", "scalar", "value"), ("count", "int64", "scalar", "")],
    ),
];

/// Elements of every vector in tables.
pub const WIDTH: usize = 4;

/// The forms that vectors of float32 are kept in.
const FORMS: [&str; 5] = ["float32", "float16", "bfloat16", "int8", "binary"];

/// How vectors of this type are kept: in some form where it has several, else as they are.
fn draw_form(rng: &mut ChaCha8Rng, dtype: &str, shape: &str) -> Option<&'static str> {
    (dtype == "float32" && shape == "vector").then(|| FORMS[rng.random_range(0..FORMS.len())])
}

impl Tables {
    pub fn draw(rng: &mut ChaCha8Rng) -> Self {
        let aged = rng.random_bool(0.5);
        let mut tables = Self { aged, plain: BTreeMap::new(), served: BTreeMap::new() };
        for (name, keys, columns) in TABLES {
            let (plain, served) = draw_table(rng, name, keys, columns, aged);
            tables.plain.insert(name.to_owned(), plain);
            tables.served.insert(name.to_owned(), Arc::new(served));
        }
        tables
    }
}

fn draw_table(
    rng: &mut ChaCha8Rng,
    name: &str,
    keys: &[(&str, &str)],
    columns: Columns,
    aged: bool,
) -> (PlainTable, Table) {
    let key = keys.iter().map(|&(name, _)| name.to_owned()).collect();
    let forms: Vec<_> = columns.iter().map(|&(_, dtype, shape, _)| draw_form(rng, dtype, shape)).collect();
    let mut plain = PlainTable { key, ..PlainTable::default() };
    for _ in 0..rng.random_range(0..12) {
        let key: Vec<Plain> = keys.iter().map(|(_, dtype)| value(rng, dtype)).collect();
        if plain.rows.iter().any(|(other, _)| *other == key) {
            continue;
        }
        let cells = columns.iter().zip(&forms).map(|(&(name, dtype, shape, nan), form)| {
            (name.to_owned(), keepable(cell(rng, dtype, shape, nan), *form))
        });
        plain.rows.push((key, cells.collect()));
    }
    plain.lists = columns.iter().map(|&(name, _, shape, _)| (name.to_owned(), shape == "list")).collect();
    let described = columns.iter().zip(&forms).map(|(&(name, dtype, shape, nan), form)| {
        let mut column = json!({"name": name, "dtype": dtype});
        column["shape"] = if shape == "vector" { json!({"vector": WIDTH}) } else { json!(shape) };
        if let Some(form) = form {
            column["form"] = json!(form);
        }
        if !nan.is_empty() {
            column["nan"] = json!(nan);
        }
        column
    });
    let mut schema = json!({"format": "quiver.table/1", "name": name, "version": 1,
        "key": keys.iter().map(|(name, dtype)| json!({"name": name, "dtype": dtype})).collect::<Vec<_>>(),
        "columns": described.collect::<Vec<_>>()});
    let (_, event_time) = EVENT_TIMES.iter().find(|(table, _)| *table == name).expect("a table");
    if let Some(written) = event_time.filter(|_| aged) {
        schema["event_time"] = json!(written);
        plain.event_time = match written {
            "at" => EventTime::Column("at".to_owned(), 1_000_000),
            _ => EventTime::Version(1_709_287_200_000_000_000),
        };
    }
    let schema = TableSchema::from_json(&schema.to_string()).expect("a schema");
    let key_cells = |position: usize| {
        let cells = plain.rows.iter().map(move |(key, _)| Held::One(Cell::of(key[position].clone())));
        served_column(Type::scalar(schema.key[position].element), &cells.collect::<Vec<_>>())
    };
    let keys = (0..schema.key.len()).map(key_cells).collect();
    let values = schema.columns.iter().map(|column| {
        let cells: Vec<Held> = plain.rows.iter().map(|(_, cells)| cells[&column.name].clone()).collect();
        served_column(column.of, &cells)
    });
    let values: Vec<Column> = values.collect();
    let keys: Vec<Column> = keys;
    let table = if schema.event_time.is_none() && rng.random_bool(0.7) {
        let removed: Vec<u32> = (0..plain.rows.len() as u32).filter(|_| rng.random_bool(0.2)).collect();
        let rows = Rows { keys: &keys, columns: &values, removed: &removed };
        let table = written(rng, schema, &rows);
        let mut row = 0..;
        plain.rows.retain(|_| row.next().is_none_or(|row| !removed.contains(&row)));
        table
    } else {
        Table::from_columns(schema, keys, values).expect("a table")
    };
    for (&(name, ..), form) in columns.iter().zip(&forms) {
        for (_, cells) in &mut plain.rows {
            if let (Some(Held::One(Cell { value: Some(Plain::Vector(lanes)), .. })), Some(form)) =
                (cells.get_mut(name), form)
            {
                *lanes = kept(lanes, form);
            }
        }
    }
    (plain, table)
}

/// The cell, or one that the form can keep.
fn keepable(held: Held, form: Option<&str>) -> Held {
    match (&held, form) {
        (Held::One(Cell { value: Some(Plain::Vector(lanes)), .. }), Some(form)) if !can_keep(lanes, form) => {
            Held::One(Cell::of(Plain::Vector((0..WIDTH).map(|lane| lane as f64 - 0.75).collect())))
        }
        _ => held,
    }
}

/// A cell of a table, null one time in five.
fn cell(rng: &mut ChaCha8Rng, dtype: &str, shape: &str, nan: &str) -> Held {
    let null = rng.random_bool(0.2);
    match shape {
        "list" if null => Held::List(true, NULL, Vec::new()),
        "list" => {
            let count = rng.random_range(0..4);
            Held::List(false, 0, (0..count).map(|_| Cell::of(value(rng, dtype))).collect())
        }
        _ if null => Held::One(Cell::null(NULL)),
        "vector" => {
            let lanes: Vec<f64> = (0..WIDTH).map(|_| float_of(rng, dtype)).collect();
            let null = nan == "null" && lanes.iter().any(|lane| lane.is_nan());
            Held::One(if null { Cell::null(NULL) } else { Cell::of(Plain::Vector(lanes)) })
        }
        _ => {
            let value = value(rng, dtype);
            let null = nan == "null" && matches!(value, Plain::Float(value) if value.is_nan());
            Held::One(if null { Cell::null(NULL) } else { Cell::of(value) })
        }
    }
}

/// Text with words, white space and characters beyond ASCII.
const TEXTS: [&str; 5] =
    ["The quick FOX", " a \t b c\u{1f}", "x²  ½ İ ‿ e\u{307}", "Crème_brûlée, 2.0 ad!", "ΟΔΟΣ 中文\u{3000}ﬁ"];

/// Texts of times, some of them wrong.
const TIMES: [&str; 10] = [
    "1970-01-01",
    "2024-02-29T12:00:00.250+01:00",
    "2024-02-29 12:00:00.0005Z",
    "1969-12-31T23:59:59.999999999",
    "0001-01-01T00:00:00-23:59",
    "9999-12-31T23:59",
    "2024-02-29 12:00+0530",
    "2023-02-29",
    "2024-02-29T24:00:00",
    "2024-02-29T12:00:60Z",
];

/// A value out of few, so that keys and categories meet.
fn value(rng: &mut ChaCha8Rng, dtype: &str) -> Plain {
    match dtype {
        "string" if rng.random_bool(0.1) => Plain::Text(TIMES[rng.random_range(0..TIMES.len())].to_owned()),
        "string" if rng.random_bool(0.15) => Plain::Text(TEXTS[rng.random_range(0..TEXTS.len())].to_owned()),
        "string" => Plain::Text(["a", "b", "c", "d", "é", ""][rng.random_range(0..6)].to_owned()),
        "int64" => Plain::Int([0, 1, 2, 3, -1, i64::MAX][rng.random_range(0..6)]),
        "timestamp[ms]" => {
            Plain::Int([0, 1, -1, 1_709_204_400_250, 86_400_000, i64::MAX][rng.random_range(0..6)])
        }
        "date" => Plain::Int([0, 1, -1, 19_782, 3_000_000][rng.random_range(0..5)]),
        "uint64" => Plain::Uint([0, 1, 2, u64::MAX][rng.random_range(0..4)]),
        "bool" => Plain::Bool(rng.random_bool(0.5)),
        dtype => Plain::Float(float_of(rng, dtype)),
    }
}

fn float_of(rng: &mut ChaCha8Rng, dtype: &str) -> f64 {
    const SPECIAL: [f64; 8] = [0.0, -0.0, 1.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e30];
    let value = if rng.random_bool(0.25) {
        SPECIAL[rng.random_range(0..SPECIAL.len())]
    } else {
        rng.random_range(-3.0..3.0)
    };
    if dtype == "float32" { f64::from(value as f32) } else { value }
}

/// Every input for a request; some optional ones are left out.
pub fn inputs(rng: &mut ChaCha8Rng, rows: usize) -> PlainInputs {
    let mut inputs = PlainInputs::new();
    for (name, dtype, scope) in INPUTS {
        if rng.random_bool(0.1) {
            continue;
        }
        let count = if scope == "request" { 1 } else { rows };
        inputs.insert(name.to_owned(), (0..count).map(|_| input(rng, dtype)).collect());
    }
    inputs
}

fn input(rng: &mut ChaCha8Rng, dtype: &str) -> Held {
    let null = |rng: &mut ChaCha8Rng| rng.random_bool(0.15);
    let one = |rng: &mut ChaCha8Rng, dtype: &str| {
        if null(rng) { Cell::null(NULL) } else { Cell::of(value(rng, dtype)) }
    };
    match dtype.strip_prefix("list<").and_then(|rest| rest.strip_suffix('>')) {
        None => Held::One(one(rng, dtype)),
        Some(_) if null(rng) => Held::List(true, NULL, Vec::new()),
        Some(element) => {
            let count = rng.random_range(0..12);
            Held::List(false, 0, (0..count).map(|_| one(rng, element)).collect())
        }
    }
}

/// The request of these inputs, for some of the outputs.
pub fn requested(rng: &mut ChaCha8Rng, document: &Value, inputs: &PlainInputs, rows: usize) -> Request {
    let columns = inputs.iter().map(|(name, held)| {
        let dtype = INPUTS.iter().find(|(input, ..)| input == name).expect("an input").1;
        request_column(rng, name, dtype.parse().expect("a type"), held)
    });
    let columns = columns.collect();
    let mut outputs = Vec::new();
    for output in document["outputs"].as_array().expect("outputs") {
        let integers = output["dtype"] == "int64";
        let types = [OutputType::Float32, OutputType::Float16, OutputType::Bfloat16, OutputType::Float64];
        if rng.random_bool(0.5) {
            let dtype = (!integers && rng.random_bool(0.3)).then(|| types[rng.random_range(0..types.len())]);
            let name = output["name"].as_str().expect("a name").to_owned();
            outputs.push(OutputWanted { name, dtype, encoding: None });
        }
    }
    Request {
        feature_set: "random".to_owned(),
        version: 0,
        rows: Some(rows as u32),
        columns,
        outputs,
        layout: layout(rng),
        encoding: Encoding::Raw,
        status: StatusDetail::Rows,
        now: NOW,
    }
}

fn request_column(rng: &mut ChaCha8Rng, name: &str, dtype: InputType, held: &[Held]) -> RequestColumn {
    let of = Type { list: dtype.list, ..Type::scalar(dtype.scalar.element()) };
    let Column { values, marks, list } = served_column(of, held);
    let nulls =
        |marks: &[Mark]| (0..).zip(marks).filter(|(_, mark)| mark.is_null()).map(|(at, _)| at).collect();
    let (offsets, nulls, null_elements) = match list {
        Some(list) => (Some(list.offsets), nulls(&list.marks), nulls(&marks)),
        None => (None, nulls(&marks), Vec::new()),
    };
    let (values, indices) = match values {
        Values::String(strings) if rng.random_bool(0.5) => encoded(&strings),
        values => (values, None),
    };
    let name = name.to_owned();
    let (scalar, time_unit) = (dtype.scalar.carrier(), dtype.scalar.time_unit());
    RequestColumn { name, scalar, time_unit, values, indices, offsets, nulls, null_elements }
}

/// The strings as a dictionary.
fn encoded(strings: &Strings) -> (Values, Option<Vec<u32>>) {
    let mut distinct: Vec<&str> = Vec::new();
    let mut indices = Vec::new();
    for text in strings.iter() {
        let known = distinct.iter().position(|other| *other == text);
        let at = known.unwrap_or_else(|| {
            distinct.push(text);
            distinct.len() - 1
        });
        indices.push(at as u32);
    }
    (Values::String(Strings::from_values(distinct)), Some(indices))
}

/// A column of plain cells; under nulls lies something of no meaning.
fn served_column(of: Type, held: &[Held]) -> Column {
    let mut list = of.list.then(|| ListRows { offsets: vec![0], marks: Vec::new() });
    let mut cells: Vec<&Cell> = Vec::new();
    for held in held {
        match (held, &mut list) {
            (Held::One(cell), _) => cells.push(cell),
            (Held::List(null, _, elements), Some(list)) => {
                cells.extend(elements);
                list.offsets.push(cells.len() as u32);
                list.marks.push(if *null { Mark::NULL } else { Mark::PRESENT });
            }
            (Held::List(..), None) => panic!("a list in a column of values"),
        }
    }
    let marks =
        cells.iter().map(|cell| if cell.value.is_none() { Mark::NULL } else { Mark::PRESENT }).collect();
    Column { values: served_values(of, &cells), marks, list }
}

fn served_values(of: Type, cells: &[&Cell]) -> Values {
    let values = cells.iter().map(|cell| cell.value.as_ref());
    match of.element {
        Element::Float64 => Values::Float64(values.flat_map(|value| lanes(value, of.lanes())).collect()),
        Element::Int64 | Element::Time(_) => Values::Int64(
            values
                .map(|value| match value {
                    Some(Plain::Int(x)) => *x,
                    _ => 1,
                })
                .collect(),
        ),
        Element::Uint64 => Values::Uint64(
            values
                .map(|value| match value {
                    Some(Plain::Uint(x)) => *x,
                    _ => 1,
                })
                .collect(),
        ),
        Element::Bool => Values::Bool(values.map(|value| matches!(value, Some(Plain::Bool(true)))).collect()),
        Element::String => {
            let text = |value: Option<&Plain>| match value {
                Some(Plain::Text(text)) => text.clone(),
                _ => "a".to_owned(),
            };
            Values::String(Strings::from_values(values.map(text)))
        }
    }
}

fn lanes(value: Option<&Plain>, lanes: usize) -> Vec<f64> {
    match value {
        Some(Plain::Vector(vector)) => vector.clone(),
        Some(Plain::Float(x)) => vec![*x],
        _ => vec![0.5; lanes],
    }
}

/// The types' names are what specs write.
#[test]
fn inputs_have_types_that_exist() {
    for (_, dtype, _) in INPUTS {
        let parsed: InputType = dtype.parse().expect("a type");
        assert_eq!(parsed.to_string(), dtype);
    }
}
