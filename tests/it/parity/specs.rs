//! Random specs that type-check, with every operation.

use quiver::{
    snapshot::{Binder, FeatureSet},
    spec::read::{Version, spec_from_text},
};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{
    Served,
    data::{INPUTS, WIDTH},
    stripped,
};

mod ads;
mod categories;
mod fallbacks;
mod glue;
mod lists;
mod numbers;
mod sequences;
mod text;
mod time;

/// The type of something that can be read: element, width of vectors, whether it is a list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kind {
    pub element: &'static str,
    pub width: Option<usize>,
    pub list: bool,
}

/// A family's random steps for something of this kind, with the kind that comes of it; `None` where it has none.
type Steps = fn(&mut ChaCha8Rng, Kind) -> Option<(Value, Kind)>;

/// The families of operations that take one input, each in a file of its own.
const STEPS: &[Steps] =
    &[numbers::step, categories::step, lists::step, sequences::step, text::step, time::step, ads::step];

/// A family's random features of several of the things that can be read, `{"inputs": ..., "steps": [first]}`.
type Joins = fn(&mut ChaCha8Rng, &[(String, Kind)]) -> Option<(Value, Kind)>;

/// The families with operations that take several inputs.
const JOINS: &[Joins] = &[
    numbers::join,
    categories::join,
    lists::join,
    sequences::join,
    text::join,
    time::join,
    ads::join,
    glue::join,
];

pub const FLOAT: Kind = Kind { element: "float64", width: None, list: false };

/// A spec in the making.
pub struct Draft {
    features: Vec<Value>,
    /// Everything that a feature can read.
    readable: Vec<(String, Kind)>,
    outputs: Vec<Value>,
    lookups: Value,
}

/// The lookups, all of them in every spec: by the row, by the request, derived, composite and by lists.
fn lookups() -> Value {
    json!([
        {"name": "item", "table": "items", "key": "q_text"},
        {"name": "own", "table": "items", "key": "r_text"},
        {"name": "group", "table": "groups", "key": "item.group"},
        {"name": "own_group", "table": "groups", "key": "own.group"},
        {"name": "pair", "table": "pairs", "key": {"text": "item.text", "int": "item.group"}},
        {"name": "cross", "table": "pairs", "key": {"int": "r_int", "text": {"lookup": "item", "column": "text"}}},
        {"name": "mixed", "table": "pairs", "key": {"text": {"input": "q_text"}, "int": "own.group"}},
        {"name": "seen", "table": "items", "key": "r_texts"},
        {"name": "tagged", "table": "items", "key": "item.tags"},
        {"name": "tag_group", "table": "groups", "key": "tagged.group"},
        {"name": "lowered", "table": "items", "key": "feature.key_row"},
        {"name": "for_request", "table": "items", "key": {"feature": "key_request"}},
        {"name": "joined", "table": "items", "key": {"id": "feature.key_joined"}},
        {"name": "bucket", "table": "groups", "key": "feature.key_bucket"},
        {"name": "below", "table": "groups", "key": "feature.key_below"},
        {"name": "folded", "table": "items", "key": "feature.key_tags"},
        {"name": "folded_row", "table": "items", "key": "feature.key_texts"},
        {"name": "folded_seen", "table": "items", "key": "feature.key_seen"},
        {"name": "coded", "table": "pairs", "key": {"text": "feature.key_item", "int": "feature.key_once"}},
        {"name": "crossed", "table": "pairs", "key": {"text": "q_text", "int": "feature.key_int"}}
    ])
}

/// The lookups by a list of keys.
const BY_LIST: [&str; 6] = ["seen", "tagged", "tag_group", "folded", "folded_row", "folded_seen"];

/// The features that are keys: of the row, of the request, of a table's row, of both, and lists.
fn keys() -> Vec<(Value, Kind)> {
    let lower = || json!({"op": "normalize_text", "case": "lower", "accents": "keep", "trim": false});
    let integer = || json!({"op": "cast", "to": "int64"});
    let text = |list| Kind { element: "string", width: None, list };
    let int = Kind { element: "int64", width: None, list: false };
    let of = |name: &str, input: &str, step: Value| json!({"name": name, "input": input, "steps": [step]});
    let both = json!({"name": "key_joined", "inputs": ["q_text", "r_text"],
        "steps": [{"op": "join_text", "separator": "", "null": "skip"}]});
    vec![
        (of("key_row", "q_text", lower()), text(false)),
        (of("key_request", "r_text", lower()), text(false)),
        (both, text(false)),
        (of("key_bucket", "item.float", integer()), int),
        (of("key_below", "lowered.float", integer()), int),
        (of("key_tags", "item.tags", lower()), text(true)),
        (of("key_texts", "q_texts", lower()), text(true)),
        (of("key_seen", "r_texts", lower()), text(true)),
        (of("key_item", "item.text", lower()), text(false)),
        (of("key_once", "r_float", integer()), int),
        (of("key_int", "q_float", integer()), int),
    ]
}

fn columns_of(table: &str) -> Vec<(&'static str, Kind)> {
    let scalar = |element| Kind { element, width: None, list: false };
    let vector = Kind { element: "float64", width: Some(WIDTH), list: false };
    let list = |element| Kind { element, width: None, list: true };
    match table {
        "items" => vec![
            ("float", scalar("float64")),
            ("half", scalar("float64")),
            ("vector", vector),
            ("wide", vector),
            ("text", scalar("string")),
            ("group", scalar("int64")),
            ("flag", scalar("bool")),
            ("tags", list("string")),
            ("numbers", list("float64")),
        ],
        "groups" => vec![("float", scalar("float64")), ("vector", vector)],
        _ => vec![("float", scalar("float64")), ("count", scalar("int64"))],
    }
}

fn readable() -> Vec<(String, Kind)> {
    let mut readable = Vec::new();
    for (name, dtype, _) in INPUTS {
        let list = dtype.starts_with("list<");
        let element = match dtype.trim_start_matches("list<").trim_end_matches('>') {
            "float32" => "float64",
            element => element,
        };
        readable.push((name.to_owned(), Kind { element, width: None, list }));
    }
    for lookup in lookups().as_array().expect("lookups") {
        let name = lookup["name"].as_str().expect("a name");
        let by_list = BY_LIST.contains(&name);
        for (column, kind) in columns_of(lookup["table"].as_str().expect("a table")) {
            if !(by_list && kind.list) {
                readable.push((format!("{name}.{column}"), Kind { list: by_list || kind.list, ..kind }));
            }
        }
    }
    for (feature, kind) in keys() {
        readable.push((format!("feature.{}", feature["name"].as_str().expect("a name")), kind));
    }
    readable
}

/// A reference as a string or as an object.
pub fn reference(rng: &mut ChaCha8Rng, text: &str) -> Value {
    match text.split_once('.') {
        _ if rng.random_bool(0.7) => json!(text),
        None => json!({"input": text}),
        Some(("feature", name)) => json!({"feature": name}),
        Some((lookup, column)) => json!({"lookup": lookup, "column": column}),
    }
}

impl Draft {
    pub fn draw(rng: &mut ChaCha8Rng, aged: bool) -> Self {
        let lookups = fallbacks::with_extras(rng, lookups(), aged);
        let mut draft = Self { features: Vec::new(), readable: readable(), outputs: Vec::new(), lookups };
        let mut served = Vec::new();
        for position in 0..rng.random_range(2..14) {
            let name = format!("f{position}");
            let kind = draft.add_feature(rng, &name);
            if kind.element != "string" {
                served.push((name.clone(), kind));
            }
            // Few operations take vectors of integers: these are served, not read.
            if !is_integer_vector(kind) {
                draft.readable.push((format!("feature.{name}"), kind));
            }
        }
        draft.add_outputs(rng, &served);
        draft
    }

    fn add_feature(&mut self, rng: &mut ChaCha8Rng, name: &str) -> Kind {
        let (mut document, mut kind) =
            if rng.random_bool(0.3) { self.of_several(rng) } else { self.of_one(rng) };
        let mut steps = document["steps"].as_array().cloned().unwrap_or_default();
        for _ in 0..rng.random_range(0..4) {
            let (step, after) = step(rng, kind);
            kind = after;
            steps.push(step);
        }
        document["name"] = json!(name);
        document["steps"] = json!(steps);
        document["_width"] = json!(kind.width.unwrap_or(1));
        self.features.push(document);
        kind
    }

    fn of_one(&self, rng: &mut ChaCha8Rng) -> (Value, Kind) {
        let (reference, kind) = &self.readable[rng.random_range(0..self.readable.len())];
        (json!({"input": self::reference(rng, reference)}), *kind)
    }

    /// Two vectors or scalars, or lists of them, or a concatenation.
    fn of_several(&self, rng: &mut ChaCha8Rng) -> (Value, Kind) {
        if !JOINS.is_empty() && rng.random_bool(0.6) {
            let family = JOINS[rng.random_range(0..JOINS.len())];
            if let Some(joined) = family(rng, &self.readable) {
                return joined;
            }
        }
        let floats: Vec<&(String, Kind)> =
            self.readable.iter().filter(|(_, kind)| kind.element == "float64").collect();
        let (one, kind) = floats[rng.random_range(0..floats.len())].clone();
        let others: Vec<_> = floats.iter().filter(|(_, other)| other.width == kind.width).collect();
        let (other, of_other) = others[rng.random_range(0..others.len())];
        let list = kind.list || of_other.list;
        let choice = rng.random_range(0..4);
        let (step, after) = match (choice, kind.width) {
            (0, Some(_)) => (json!({"op": "dot"}), FLOAT),
            (1, Some(_)) => (json!({"op": "cosine", "zero_norm": pick(rng, &["zero", "null"])}), FLOAT),
            (2, width) => {
                let widths = [width.unwrap_or(1); 2];
                let part = if rng.random_bool(0.5) { json!("null") } else { json!({"value": 0.25}) };
                let step = json!({"op": "concat", "null": part, "_widths": widths});
                (step, Kind { width: Some(widths.iter().sum()), ..FLOAT })
            }
            _ => (arithmetic(rng), kind),
        };
        (json!({"inputs": [one, other], "steps": [step]}), Kind { list, ..after })
    }

    /// Features of one or two outputs; integers make an int64 output of their own.
    fn add_outputs(&mut self, rng: &mut ChaCha8Rng, served: &[(String, Kind)]) {
        let (lists, served): (Vec<_>, Vec<_>) = served.iter().cloned().partition(|(_, kind)| kind.list);
        self.add_ragged_outputs(rng, &lists);
        let fits = |kind: &Kind| ["int64", "bool"].contains(&kind.element) || time::is_typed(*kind);
        let integers: Vec<&String> =
            served.iter().filter(|(_, kind)| fits(kind)).map(|(name, _)| name).collect();
        let numbers = served.iter().filter(|(_, kind)| !time::is_typed(*kind));
        let all: Vec<&String> = numbers.map(|(name, _)| name).collect();
        if !integers.is_empty() {
            self.outputs.push(json!({"name": "ids", "dtype": "int64", "features": integers}));
        }
        if !all.is_empty() {
            let dtype = pick(rng, &["float32", "float32", "float16", "bfloat16", "float64"]);
            self.outputs.push(json!({"name": "all", "dtype": dtype, "features": all}));
            let some = &all[..rng.random_range(1..=all.len())];
            self.outputs.push(json!({"name": "some", "dtype": "float32", "features": some}));
        }
        if self.outputs.is_empty() {
            let plain = json!({"name": "plain", "input": "q_float", "_width": 1});
            self.features.push(plain);
            self.outputs.push(json!({"name": "all", "dtype": "float32", "features": ["plain"]}));
        }
    }

    /// Lists, whatever their lengths.
    fn add_ragged_outputs(&mut self, rng: &mut ChaCha8Rng, lists: &[(String, Kind)]) {
        let fits = |kind: &Kind| ["int64", "bool"].contains(&kind.element) || time::is_typed(*kind);
        let named = |good: &dyn Fn(&Kind) -> bool| -> Vec<&String> {
            lists.iter().filter(|(_, kind)| good(kind)).map(|(name, _)| name).collect()
        };
        let integers = named(&|kind| fits(kind));
        if !integers.is_empty() {
            let output =
                json!({"name": "listed_ids", "dtype": "int64", "features": integers, "ragged": true});
            self.outputs.push(output);
        }
        let numbers = named(&|kind| !time::is_typed(*kind));
        if !numbers.is_empty() {
            let dtype = pick(rng, &["float32", "float16", "bfloat16", "float64"]);
            let some = &numbers[..rng.random_range(1..=numbers.len())];
            self.outputs.push(json!({"name": "listed", "dtype": dtype, "features": some, "ragged": true}));
        }
    }

    /// The document, with defaults exactly where the plan's types ask for them.
    pub fn finish(self, tables: &Served) -> Value {
        let inputs = INPUTS.iter().map(|&(name, dtype, scope)| {
            let mut input = json!({"name": name, "dtype": dtype, "scope": scope, "required": false});
            if dtype.contains("float") {
                input["nan"] = json!(if name == "q_float32" { "value" } else { "null" });
            }
            input
        });
        let features: Vec<Value> =
            self.features.into_iter().chain(keys().into_iter().map(|(feature, _)| feature)).collect();
        let mut document = json!({
            "format": "quiver.spec/1", "name": "random", "version": 1, "inputs": inputs.collect::<Vec<_>>(),
            "lookups": self.lookups, "features": features, "outputs": self.outputs,
        });
        let (spec, fingerprint) = spec_from_text(&stripped(&document).to_string()).expect("a readable spec");
        let version = Version { spec, fingerprint, golden: None };
        let Err(problems) = FeatureSet::build(version, tables, &Binder::default()) else { return document };
        for problem in problems.iter() {
            let place = problem.path.split_once("features[").and_then(|(_, rest)| rest.split_once(']'));
            match place {
                Some((position, rest))
                    if rest.ends_with(".default") && problem.message.starts_with("is missing") =>
                {
                    let position: usize = position.parse().expect("a position");
                    document["features"][position]["default"] = json!(-7);
                }
                _ => panic!("{problem}\n{document:#}"),
            }
        }
        document
    }
}

pub fn pick<'a>(rng: &mut ChaCha8Rng, choices: &[&'a str]) -> &'a str {
    choices[rng.random_range(0..choices.len())]
}

/// One number, or one for each lane.
pub fn per_lane(rng: &mut ChaCha8Rng, kind: Kind, range: std::ops::Range<f64>) -> Value {
    match kind.width {
        Some(width) if rng.random_bool(0.5) => {
            json!((0..width).map(|_| rng.random_range(range.clone())).collect::<Vec<f64>>())
        }
        _ => json!(rng.random_range(range)),
    }
}

fn arithmetic(rng: &mut ChaCha8Rng) -> Value {
    let function = pick(rng, &["add", "subtract", "multiply", "divide"]);
    let mut step = json!({"op": "arithmetic", "function": function});
    if function == "divide" {
        step["zero_division"] =
            [json!("ieee"), json!("null"), json!({"value": 0.5})][rng.random_range(0..3)].clone();
    }
    step
}

fn is_integer_vector(kind: Kind) -> bool {
    kind.width.is_some() && kind.element != "float64"
}

/// A step for something of this kind, and the kind that comes of it.
fn step(rng: &mut ChaCha8Rng, kind: Kind) -> (Value, Kind) {
    if is_integer_vector(kind) {
        return lists::of_integers(rng, kind);
    }
    if time::is_typed(kind) {
        return time::of_times(rng, kind);
    }
    if !STEPS.is_empty() && rng.random_bool(0.6) {
        let family = STEPS[rng.random_range(0..STEPS.len())];
        if let Some(drawn) = family(rng, kind) {
            return drawn;
        }
    }
    if rng.random_bool(0.1) {
        let step = json!({"op": "missing_indicator", "nan": pick(rng, &["missing", "present"])});
        return (step, Kind { element: "float64", width: None, ..kind });
    }
    match (kind.element, kind.list) {
        ("float64", true) if rng.random_bool(0.5) => pool(rng, kind),
        ("float64", _) => float_step(rng, kind),
        ("string", _) if rng.random_bool(0.3) => {
            let (prefix, signed) = (pick(rng, &["", "tag="]), rng.random_bool(0.5));
            let step = json!({"op": "feature_hash", "width": 5, "prefix": prefix, "alternate_sign": signed,
                "null": pick(rng, &["zeros", "null"])});
            (step, Kind { width: Some(5), ..FLOAT })
        }
        _ => category_step(rng, kind),
    }
}

fn pool(rng: &mut ChaCha8Rng, kind: Kind) -> (Value, Kind) {
    let mut step = json!({"op": "pool", "function": pick(rng, &["sum", "mean", "max"]),
        "null_elements": pick(rng, &["skip", "zero", "null"]), "empty": pick(rng, &["null", "zero"])});
    if let Some(width) = kind.width {
        step["_width"] = json!(width);
    }
    (step, Kind { list: false, ..kind })
}

fn float_step(rng: &mut ChaCha8Rng, kind: Kind) -> (Value, Kind) {
    let scale = |rng: &mut ChaCha8Rng| per_lane(rng, kind, 0.1..3.0);
    let center = |rng: &mut ChaCha8Rng| per_lane(rng, kind, -2.0..2.0);
    let precision = |rng: &mut ChaCha8Rng| pick(rng, &["float64", "float32"]).to_owned();
    let step = match rng.random_range(0..10) {
        0 => {
            let value = match kind.width {
                Some(width) => json!((0..width).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f64>>()),
                None => json!(rng.random_range(-1.0..1.0)),
            };
            json!({"op": "impute", "value": value, "nan": pick(rng, &["impute", "keep"])})
        }
        1 => json!({"op": "standardize", "mean": center(rng), "scale": scale(rng),
            "form": pick(rng, &["divide", "multiply_reciprocal", "multiply"]), "precision": precision(rng)}),
        2 => {
            let clip = if rng.random_bool(0.5) { json!("none") } else { json!([-0.5, 0.5]) };
            let form = pick(rng, &["multiply_add", "subtract_divide", "subtract_multiply_reciprocal"]);
            json!({"op": "min_max", "scale": scale(rng), "min": center(rng), "clip": clip, "form": form,
                "precision": precision(rng)})
        }
        3 => json!({"op": "max_abs", "scale": scale(rng), "precision": precision(rng)}),
        4 => {
            json!({"op": "robust_scale", "center": center(rng), "scale": scale(rng), "precision": precision(rng)})
        }
        5 => {
            json!({"op": "clip", "min": per_lane(rng, kind, -2.0..0.0), "max": per_lane(rng, kind, 0.0..2.0)})
        }
        6 => json!({"op": "log1p", "undefined": pick(rng, &["ieee", "null"])}),
        7 if kind.width.is_some() => {
            json!({"op": "normalize", "norm": pick(rng, &["l1", "l2", "max", "signed_max"]),
                "zero_below": if rng.random_bool(0.5) { 0.0 } else { 0.5 }})
        }
        9 if let Some(width) = kind.width => {
            let lanes = rng.random_range(1..=width);
            let step = json!({"op": "truncate", "lanes": lanes, "renormalize": pick(rng, &["l2", "none"]),
                "least_norm": if rng.random_bool(0.5) { 0.0 } else { 0.5 }});
            return (step, Kind { width: Some(lanes), ..kind });
        }
        8 if kind.width.is_none() => {
            let step = json!({"op": "bucketize", "edges": [-1.0, 0.0, 0.5], "side": pick(rng, &["left", "right"]),
                "nan": pick(rng, &["null", "first", "last", "extra"]),
                "outside": pick(rng, &["present", "out_of_range"])});
            return (step, Kind { element: "int64", ..kind });
        }
        _ => json!({"op": "max_abs", "scale": 0.3, "precision": "float64"}),
    };
    (step, kind)
}

/// Categories of the kind, some of them never drawn.
pub fn categories(kind: Kind) -> Vec<Value> {
    match kind.element {
        "string" => ["b", "é", "x", "a", ""].map(Value::from).to_vec(),
        "bool" => vec![json!(true), json!(false)],
        "uint64" => vec![json!(1), json!("18446744073709551615"), json!(7)],
        _ => vec![json!(2), json!(-1), json!(0), json!("9223372036854775807")],
    }
}

fn category_step(rng: &mut ChaCha8Rng, kind: Kind) -> (Value, Kind) {
    let (text, hashed) = (kind.element == "string", matches!(kind.element, "string" | "int64" | "uint64"));
    match rng.random_range(0..6) {
        0 | 1 => one_hot(rng, kind),
        2 if hashed => {
            let step = json!({"op": "hash_bucket", "family": "murmur3_x86_32", "seed": rng.random_range(0..50),
                "key": "decimal", "buckets": rng.random_range(1..40),
                "map": pick(rng, &["abs_modulo", "floor_modulo", "unsigned_modulo"])});
            (step, Kind { element: "int64", ..kind })
        }
        3 if kind.element == "int64" => {
            let step = json!({"op": "gather", "vectors": [[0.5, -1.5, 3.0], [1.0, "nan", 2.0]],
                "unknown": pick(rng, &["null", "zeros"])});
            (step, Kind { element: "float64", width: Some(3), ..kind })
        }
        4 if !text => (json!({"op": "cast", "to": "float64"}), Kind { element: "float64", ..kind }),
        5 if kind.element != "uint64" => {
            let value = match kind.element {
                "string" => json!("a"),
                "bool" => json!(true),
                _ => json!(1),
            };
            (json!({"op": "impute", "value": value, "nan": "keep"}), kind)
        }
        _ => {
            let code = |rng: &mut ChaCha8Rng| {
                if rng.random_bool(0.5) { json!("null") } else { json!({"value": -3}) }
            };
            let step = json!({"op": "ordinal", "categories": categories(kind), "offset": rng.random_range(-2..3),
                "unknown": code(rng), "null": code(rng)});
            (step, Kind { element: "int64", ..kind })
        }
    }
}

/// Narrow ones, and ones wide enough to be kept as slots.
fn one_hot(rng: &mut ChaCha8Rng, kind: Kind) -> (Value, Kind) {
    let mut categories = categories(kind);
    if kind.element == "string" && rng.random_bool(0.5) {
        categories.extend((0..20).map(|number| json!(format!("more {number}"))));
    }
    let infrequent = if rng.random_bool(0.5) { vec![categories.remove(0)] } else { Vec::new() };
    let columns = categories.len() + usize::from(!infrequent.is_empty());
    let policies: &[&str] =
        if infrequent.is_empty() { &["zeros", "null"] } else { &["zeros", "null", "infrequent"] };
    let dropped = columns > 1 && rng.random_bool(0.3);
    let drop = if dropped { json!({"position": rng.random_range(0..columns)}) } else { json!("none") };
    let step = json!({"op": "one_hot", "categories": categories, "infrequent": infrequent, "drop": drop,
        "unknown": pick(rng, policies), "null": pick(rng, policies)});
    (step, Kind { element: "float64", width: Some(columns - usize::from(dropped)), ..kind })
}
