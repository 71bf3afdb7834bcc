//! Random steps over text.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{Kind, pick, reference};

pub fn step(rng: &mut ChaCha8Rng, kind: Kind) -> Option<(Value, Kind)> {
    if kind.element != "string" {
        return kind.width.is_none().then(|| (format(rng, kind), Kind { element: "string", ..kind }));
    }
    let (minimum, more) = (rng.random_range(1..4), rng.random_range(0..3));
    let maximum = minimum + more;
    let step = match (rng.random_range(0..3), kind.list) {
        (0, _) => {
            let step = json!({"op": "normalize_text", "case": pick(rng, &["keep", "lower", "upper"]),
                "accents": pick(rng, &["keep", "unicode", "ascii"]), "trim": rng.random_bool(0.5)});
            return Some((step, kind));
        }
        (_, true) => json!({"op": "ngrams", "minimum": minimum, "maximum": maximum,
            "separator": pick(rng, &[" ", "", "_é"])}),
        (1, false) => json!({"op": "char_ngrams", "minimum": minimum, "maximum": maximum,
            "within_words": rng.random_bool(0.5)}),
        _ => {
            let rule = match pick(rng, &["words", "whitespace", "characters", " ", "b c"]) {
                separator if separator.contains(' ') => json!({"split": separator}),
                rule => json!(rule),
            };
            json!({"op": "tokenize", "rule": rule, "stop_words": ["a", "FOX"], "minimum": rng.random_range(0..4)})
        }
    };
    Some((step, Kind { list: true, ..kind }))
}

fn format(rng: &mut ChaCha8Rng, kind: Kind) -> Value {
    let digits = rng.random_range(1..9);
    match kind.element {
        "float64" => json!({"op": "format",
            "float": if rng.random_bool(0.6) { json!("repr") } else { json!({"decimals": digits - 1}) }}),
        "bool" => json!({"op": "format", "boolean": pick(rng, &["lower_case", "capitalized", "digits"])}),
        _ => json!({"op": "format",
            "integer": if rng.random_bool(0.6) { json!("decimal") } else { json!({"zero_padded": digits}) }}),
    }
}

/// A text of several.
pub fn join(rng: &mut ChaCha8Rng, readable: &[(String, Kind)]) -> Option<(Value, Kind)> {
    let texts: Vec<&(String, Kind)> = readable.iter().filter(|(_, kind)| kind.element == "string").collect();
    let parts: Vec<_> =
        (0..rng.random_range(1..4)).map(|_| texts[rng.random_range(0..texts.len())]).collect();
    let of_null = [json!("null"), json!("skip"), json!({"value": "é"})][rng.random_range(0..3)].clone();
    let step = json!({"op": "join_text", "separator": pick(rng, &["", "|", "-é-"]), "null": of_null});
    let list = parts.iter().any(|(_, kind)| kind.list);
    let references: Vec<Value> = parts.iter().map(|(name, _)| reference(rng, name)).collect();
    Some((json!({"inputs": references, "steps": [step]}), Kind { element: "string", width: None, list }))
}
