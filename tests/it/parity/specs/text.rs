//! Random steps over text.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{Kind, pick};

pub fn step(rng: &mut ChaCha8Rng, kind: Kind) -> Option<(Value, Kind)> {
    if kind.element != "string" {
        return None;
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
