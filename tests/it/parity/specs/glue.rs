//! Random arithmetic, comparisons, logic, choices and expressions.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{FLOAT, Kind, pick};

type Readable = (String, Kind);

const BOOL: Kind = Kind { element: "bool", width: None, list: false };

const COMPARISONS: [(&str, &str); 6] = [
    ("equal", "=="),
    ("not_equal", "!="),
    ("less", "<"),
    ("less_equal", "<="),
    ("greater", ">"),
    ("greater_equal", ">="),
];

/// A feature of several of the things that can be read.
pub fn join(rng: &mut ChaCha8Rng, readable: &[Readable]) -> Option<(Value, Kind)> {
    let (inputs, step, kind) = match rng.random_range(0..9) {
        0 => coalesce(rng, readable),
        1 => constant(rng, readable),
        2 => compare(rng, readable),
        3 => logic(rng, readable)?,
        4 => choose(rng, readable)?,
        5 | 6 => arithmetic(rng, readable),
        _ => expr(rng, readable),
    };
    let references: Vec<&String> = inputs.iter().map(|(reference, _)| reference).collect();
    Some((json!({"inputs": references, "steps": [step]}), kind))
}

fn any(rng: &mut ChaCha8Rng, readable: &[Readable], good: impl Fn(Kind) -> bool) -> Option<Readable> {
    let good: Vec<&Readable> = readable.iter().filter(|(_, kind)| good(*kind)).collect();
    (!good.is_empty()).then(|| good[rng.random_range(0..good.len())].clone())
}

/// Some of one element type and width, lists or not, and what comes of them: a list where one of them is.
fn alike(rng: &mut ChaCha8Rng, readable: &[Readable], count: usize, scalar: bool) -> (Vec<Readable>, Kind) {
    let first = any(rng, readable, |kind| !scalar || kind.width.is_none()).expect("scalars");
    let fits = |other: Kind| (other.element, other.width) == (first.1.element, first.1.width);
    let more: Vec<Readable> =
        (1..count).map(|_| any(rng, readable, fits).expect("the first itself")).collect();
    let all: Vec<Readable> = std::iter::once(first).chain(more).collect();
    let kind = Kind { list: any_list(&all), ..all[0].1 };
    (all, kind)
}

fn any_list(inputs: &[Readable]) -> bool {
    inputs.iter().any(|(_, kind)| kind.list)
}

fn coalesce(rng: &mut ChaCha8Rng, readable: &[Readable]) -> (Vec<Readable>, Value, Kind) {
    let count = rng.random_range(1..4);
    let (inputs, kind) = alike(rng, readable, count, false);
    (inputs, json!({"op": "coalesce", "nan": pick(rng, &["skip", "keep"])}), kind)
}

fn constant(rng: &mut ChaCha8Rng, readable: &[Readable]) -> (Vec<Readable>, Value, Kind) {
    let input = any(rng, readable, |_| true).expect("something");
    let (value, element) = [
        (json!(2.5), "float64"),
        (json!("-inf"), "float64"),
        (json!(7), "int64"),
        (json!("é"), "string"),
        (json!(true), "bool"),
    ][rng.random_range(0..5)]
    .clone();
    let step = json!({"op": "constant", "value": value, "dtype": element});
    (vec![input], step, Kind { element, width: None, list: false })
}

fn compare(rng: &mut ChaCha8Rng, readable: &[Readable]) -> (Vec<Readable>, Value, Kind) {
    let (inputs, kind) = alike(rng, readable, 2, true);
    let (function, _) = COMPARISONS[rng.random_range(0..COMPARISONS.len())];
    (inputs, json!({"op": "compare", "function": function}), Kind { element: "bool", ..kind })
}

fn logic(rng: &mut ChaCha8Rng, readable: &[Readable]) -> Option<(Vec<Readable>, Value, Kind)> {
    let function = pick(rng, &["and", "or", "not"]);
    let count = if function == "not" { 1 } else { rng.random_range(2..4) };
    let inputs =
        (0..count).map(|_| any(rng, readable, |kind| kind.element == "bool" && kind.width.is_none()));
    let inputs: Vec<Readable> = inputs.collect::<Option<_>>()?;
    let kind = Kind { list: any_list(&inputs), ..BOOL };
    Some((inputs, json!({"op": "logic", "function": function}), kind))
}

fn choose(rng: &mut ChaCha8Rng, readable: &[Readable]) -> Option<(Vec<Readable>, Value, Kind)> {
    let condition = any(rng, readable, |kind| kind.element == "bool" && kind.width.is_none())?;
    let (choices, kind) = alike(rng, readable, 2, false);
    let kind = Kind { list: kind.list || condition.1.list, ..kind };
    Some((std::iter::once(condition).chain(choices).collect(), json!({"op": "choose"}), kind))
}

/// Of two of one width, or of a scalar and a vector; lists or not.
fn arithmetic(rng: &mut ChaCha8Rng, readable: &[Readable]) -> (Vec<Readable>, Value, Kind) {
    let float = |kind: Kind| kind.element == "float64";
    let one = any(rng, readable, float).expect("a float");
    let width = one.1.width;
    let fits = |kind: Kind| float(kind) && (kind.width == width || kind.width.is_none() || width.is_none());
    let other = any(rng, readable, fits).expect("the first itself");
    let function = pick(rng, &["minimum", "maximum", "power", "modulo", "floor_divide"]);
    let mut step = json!({"op": "arithmetic", "function": function});
    if ["modulo", "floor_divide"].contains(&function) {
        let choices = [json!("ieee"), json!("null"), json!({"value": 0.5})];
        step["zero_division"] = choices[rng.random_range(0..3)].clone();
    }
    let inputs = vec![one, other];
    let kind = Kind { width: width.or(inputs[1].1.width), list: any_list(&inputs), ..FLOAT };
    (inputs, step, kind)
}

fn expr(rng: &mut ChaCha8Rng, readable: &[Readable]) -> (Vec<Readable>, Value, Kind) {
    let count = rng.random_range(1..5);
    let lists = rng.random_bool(0.4);
    let scalar = |kind: Kind| kind.width.is_none() && (lists || !kind.list);
    let inputs: Vec<Readable> = (0..count).map(|_| any(rng, readable, scalar).expect("a scalar")).collect();
    let element = pick(rng, &["float64", "float64", "float64", "int64", "bool", "string"]);
    let kinds: Vec<&str> = inputs.iter().map(|(_, kind)| kind.element).collect();
    let tree = Grower { rng, kinds: &kinds }.grow(element, 4);
    let (inputs, tree) = with_read_only(inputs, &tree);
    let names: Vec<String> = (0..inputs.len()).map(|position| format!("x{position}")).collect();
    let step = json!({"op": "expr", "expression": written(&tree, CHOICE), "names": names, "_tree": tree,
        "zero_division": pick(rng, &["ieee", "null"])});
    let list = any_list(&inputs) && tree.to_string().contains("input");
    (inputs, step, Kind { element, width: None, list })
}

/// The inputs that a tree reads, or the first: what is not read says nothing about the scope.
fn with_read_only(inputs: Vec<Readable>, tree: &Value) -> (Vec<Readable>, Value) {
    let mut text = tree.to_string();
    let mut kept = Vec::new();
    for (position, input) in inputs.iter().enumerate() {
        let read = json!({"input": position}).to_string();
        if text.contains(&read) {
            text = text.replace(&read, &json!({"input": kept.len()}).to_string());
            kept.push(input.clone());
        }
    }
    if kept.is_empty() {
        kept.push(inputs[0].clone());
    }
    (kept, serde_json::from_str(&text).expect("a tree"))
}

/// Grows trees that have a type.
struct Grower<'a> {
    rng: &'a mut ChaCha8Rng,
    /// The inputs' types.
    kinds: &'a [&'a str],
}

impl Grower<'_> {
    fn grow(&mut self, element: &str, depth: usize) -> Value {
        if depth == 0 || self.rng.random_bool(0.2) {
            return self.leaf(element);
        }
        let choice = self.rng.random_range(0..10);
        match (element, choice) {
            (_, 0) => json!([
                "choose",
                self.grow("bool", depth - 1),
                self.grow(element, depth - 1),
                self.grow(element, depth - 1)
            ]),
            (_, 1) => json!(["coalesce", self.grow(element, depth - 1), self.grow(element, depth - 1)]),
            ("float64", 2) => json!(["negate", self.grow("float64", depth - 1)]),
            ("float64", 3) => json!(["log1p", self.operand(depth - 1)]),
            ("float64", 4) => {
                let bounds = [-0.5, 1.5].map(|bound| json!({"value": bound, "dtype": "float64"}));
                json!(["clip", self.operand(depth - 1), bounds[0], bounds[1]])
            }
            ("float64", 5) => json!([
                pick(self.rng, &["minimum", "maximum"]),
                self.operand(depth - 1),
                self.operand(depth - 1)
            ]),
            ("float64", _) => self.arithmetic(depth),
            ("bool", 2) => json!(["not", self.grow("bool", depth - 1)]),
            ("bool", 3 | 4) => json!([
                pick(self.rng, &["and", "or"]),
                self.grow("bool", depth - 1),
                self.grow("bool", depth - 1)
            ]),
            ("bool", 5) => {
                let position = self.rng.random_range(0..self.kinds.len());
                json!(["is_null", {"input": position}])
            }
            ("bool", _) => {
                let element = pick(self.rng, &["float64", "int64", "string", "bool"]);
                let (function, _) = COMPARISONS[self.rng.random_range(0..COMPARISONS.len())];
                json!([function, self.grow(element, depth - 1), self.grow(element, depth - 1)])
            }
            _ => self.leaf(element),
        }
    }

    /// Divisions read an input: what is null whatever the inputs are is rejected.
    fn arithmetic(&mut self, depth: usize) -> Value {
        let (one, other) = (self.operand(depth - 1), self.operand(depth - 1));
        let reads = [&one, &other].iter().any(|tree| tree.to_string().contains("input"));
        let exact = ["add", "subtract", "multiply", "power"];
        let divisions = ["divide", "modulo", "floor_divide"];
        let divides = reads && self.rng.random_bool(0.5);
        json!([pick(self.rng, if divides { &divisions[..] } else { &exact[..] }), one, other])
    }

    /// What arithmetic takes: a float, or an integer that becomes one.
    fn operand(&mut self, depth: usize) -> Value {
        if self.rng.random_bool(0.3) {
            let element = pick(self.rng, &["int64", "uint64"]);
            return json!(["float", self.leaf(element)]);
        }
        self.grow("float64", depth)
    }

    fn leaf(&mut self, element: &str) -> Value {
        let fitting: Vec<usize> = (0..self.kinds.len()).filter(|&at| self.kinds[at] == element).collect();
        if !fitting.is_empty() && self.rng.random_bool(0.8) {
            return json!({"input": fitting[self.rng.random_range(0..fitting.len())]});
        }
        let value = match element {
            "float64" => json!(self.rng.random_range(-8..9) as f64 / 4.0),
            "int64" => json!(self.rng.random_range(-3..4)),
            "uint64" => json!(self.rng.random_range(0..4)),
            "bool" => json!(self.rng.random_bool(0.5)),
            _ => json!(pick(self.rng, &["a", "é", "it's"])),
        };
        json!({"value": value, "dtype": if element == "uint64" { "int64" } else { element }})
    }
}

/// How tightly parts of a text bind, loosest first.
const CHOICE: usize = 0;
const OR: usize = 1;
const AND: usize = 2;
const NOT: usize = 3;
const COMPARISON: usize = 4;
const SUM: usize = 5;
const PRODUCT: usize = 6;
const SIGN: usize = 7;
const POWER: usize = 8;
const ATOM: usize = 9;

/// A tree as text, in parentheses only where Python needs them.
fn written(tree: &Value, least: usize) -> String {
    let (text, binding) = part(tree);
    if binding < least { format!("({text})") } else { text }
}

fn part(tree: &Value) -> (String, usize) {
    let Some(call) = tree.as_array() else { return leaf(tree) };
    let of = |operand: usize, least: usize| written(&call[operand], least);
    let infix = |symbol: &str, binding: usize, left: usize, right: usize| {
        (format!("{} {symbol} {}", of(1, left), of(2, right)), binding)
    };
    let name = call[0].as_str().expect("a function");
    if let Some((_, symbol)) = COMPARISONS.iter().find(|(function, _)| *function == name) {
        return infix(symbol, COMPARISON, SUM, SUM);
    }
    match name {
        "float" => part(&call[1]),
        "choose" => (format!("{} if {} else {}", of(2, OR), of(1, OR), of(3, CHOICE)), CHOICE),
        "or" => infix("or", OR, OR, AND),
        "and" => infix("and", AND, AND, NOT),
        "not" => (format!("not {}", of(1, NOT)), NOT),
        "add" => infix("+", SUM, SUM, PRODUCT),
        "subtract" => infix("-", SUM, SUM, PRODUCT),
        "multiply" => infix("*", PRODUCT, PRODUCT, SIGN),
        "divide" => infix("/", PRODUCT, PRODUCT, SIGN),
        "floor_divide" => infix("//", PRODUCT, PRODUCT, SIGN),
        "modulo" => infix("%", PRODUCT, PRODUCT, SIGN),
        "negate" => (format!("-{}", of(1, SIGN)), SIGN),
        "power" => infix("**", POWER, ATOM, SIGN),
        function => {
            let function = match function {
                "minimum" => "min",
                "maximum" => "max",
                other => other,
            };
            let operands: Vec<String> = (1..call.len()).map(|operand| of(operand, CHOICE)).collect();
            (format!("{function}({})", operands.join(", ")), ATOM)
        }
    }
}

fn leaf(tree: &Value) -> (String, usize) {
    let value = &tree["value"];
    let text = match (&tree["input"], value) {
        (Value::Number(position), _) => format!("x{position}"),
        // A number of JSON and of Python; a text without characters that either of them escapes.
        (_, value) => value.to_string(),
    };
    let binding = if text.starts_with('-') { SIGN } else { ATOM };
    (text, binding)
}
